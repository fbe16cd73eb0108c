"""Runs: a night now, carrying out a plan, planning the inverse of one."""

# ruff: noqa: PLC0415 - what is slow to import is imported by the command that needs it

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hris_pipeline.cli.arguments import AsOf, CompanyName, Names, PlanId
from hris_pipeline.cli.shared import current_plan, load, now, paused, say, show_plan, with_names
from hris_pipeline.errors import PipelineError

if TYPE_CHECKING:
    from hris_pipeline.reports.plan import Plan


def sync(
    company: CompanyName,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="read everything and make the plan; change nothing in deskbird"
        ),
    ] = False,
    names: Names = False,
    as_of: AsOf = None,
) -> None:
    """Run the nightly job now: read the HR system and deskbird, plan, carry out, read back."""
    loaded = load(company, to_run=True)
    run_id = _run(company, "dry_run" if dry_run else "nightly", as_of=as_of)
    plan = current_plan(company, as_of)
    if dry_run:
        plan = plan.as_made()
        show_plan(plan, rows=10, names=with_names(names))
        raise typer.Exit(plan.exit_code)
    if pause := paused(company):
        show_plan(plan, rows=3, hint=False, names=with_names(names))
        done = plan.states["applied"]
        nothing = (
            f"nothing more was written after {done:,} changes" if done else "nothing was written"
        )
        typer.echo(f"{company} is {pause.sentence(company, loaded.timezone, nothing=nothing)}.")
        raise typer.Exit(plan.exit_code)
    show_plan(plan, rows=3, names=with_names(names))
    raise typer.Exit(_carried_out(plan, run_id))


def apply(
    company: CompanyName,
    plan_id: Annotated[
        str, typer.Option("--plan", metavar="PLAN_ID", help="the plan, as `plan` shows it")
    ],
    names: Names = False,
    as_of: AsOf = None,
) -> None:
    """Carry out what this plan still has to do; a change that deskbird or the HR system has
    overtaken is refused as stale.
    """
    pause = paused(company)
    loaded = load(company, to_run=pause is None)
    if pause:
        raise PipelineError(f"{company} is {pause.sentence(company, loaded.timezone)}.")
    run_id = _run(company, "apply", plan_id=plan_id, as_of=as_of)
    carried_out = current_plan(company, as_of, plan_id)
    show_plan(carried_out, rows=3, names=with_names(names))
    if pause := paused(company):  # meanwhile
        say(
            f"{company} is "
            f"{pause.sentence(company, loaded.timezone, nothing='nothing more was written')}."
        )
    raise typer.Exit(_carried_out(carried_out, run_id))


def undo(company: CompanyName, plan_id: PlanId, names: Names = False, as_of: AsOf = None) -> None:
    """Plan the inverse of what this plan has done, and list what cannot be undone; `apply` carries
    it out.
    """
    load(company, to_run=True)
    from hris_pipeline import plan as plans
    from hris_pipeline import settings
    from hris_pipeline.warehouse import Warehouse

    # before deskbird is asked for anything
    with Warehouse(settings.data_folder(), company).read() as con:
        plans.require_undoable(con, company, plan_id)
    _run(company, "undo", plan_id=plan_id, as_of=as_of)
    plan = current_plan(company, as_of).as_made()
    show_plan(plan, rows=10, names=with_names(names))
    raise typer.Exit(plan.exit_code)


def _run(company: str, what: Any, *, plan_id: str | None = None, as_of: str | None = None) -> str:
    """Execute a Dagster run with its progress on standard error and return its id; an error where
    it failed.
    """
    moment = now(as_of) if as_of else None
    from hris_pipeline.orchestration import runs
    from hris_pipeline.presentation import progress

    with progress.shown() as report:
        finished = runs.execute(company, what, plan_id=plan_id, as_of=moment, on_progress=report)
    if not finished.success:
        raise PipelineError(
            finished.problem or f"Run {finished.run_id} failed. The Dagster UI shows where."
        )
    return str(finished.run_id)


def _carried_out(plan: "Plan", run_id: str) -> int:
    """The exit code of a run that wrote: 1 where not all was done as planned or stuck, else 3 where
    a guard holds something.
    """
    from hris_pipeline import settings
    from hris_pipeline.presentation.status.lines import damage_sentence
    from hris_pipeline.reports import status
    from hris_pipeline.warehouse import Warehouse

    with Warehouse(settings.data_folder(), plan.company).read() as con:
        in_line = status.ended_in_line(con, run_id)
        damaged = status.damage(con, run_id)
    if damaged:  # a failed write, whatever a guard says of its repair
        say(" ".join(map(damage_sentence, damaged)))
        return 1
    if plan.exit_code in (1, 2):  # what is still planned was not reached
        return 1
    if plan.exit_code == 3:
        return 3
    if in_line is False:
        say(
            "Everything was sent, but deskbird is not in line: something did not stick, or was "
            f"changed there meanwhile. See what is left with `hris-pipeline sync {plan.company} "
            "--dry-run`."
        )
        return 1
    return 0
