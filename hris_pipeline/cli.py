"""The command line, ``hris-pipeline``: a thin door on the same runs that the Dagster UI shows.

Exit codes: 0 in line; 1 an error, a failed write, a stale plan, no plan, a mistake in the command; 2 changes are pending; 3 a
guard has blocked something. Errors are one sentence on standard error.
"""

# ruff: noqa: PLC0415 - what is slow to import is imported by the command that needs it

import contextlib
import datetime as dt
import getpass
import os
import sys
import traceback
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from hris_pipeline import streams
from hris_pipeline.errors import PipelineError

if TYPE_CHECKING:
    from hris_pipeline.decisions import Decision
    from hris_pipeline.pause import Pause
    from hris_pipeline.presentation.plan import Plan
    from hris_pipeline.presentation.status import LastRun
    from hris_pipeline.settings import Company

app = typer.Typer(
    name="hris-pipeline",
    help="Brings deskbird's users, groups and reporting lines in line with the HR system, and shows every change first.",
    epilog="Exit codes: 0 in line, 1 an error, 2 changes are pending, 3 a guard has blocked something.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # click's own, wherever typer keeps it


class Format(StrEnum):
    """How the plan, or the explanation of a person, is printed."""

    table = "table"
    json = "json"
    markdown = "markdown"


class ScreenFormat(StrEnum):
    """How the status, or what waits for a decision, is printed."""

    table = "table"
    json = "json"


CompanyName = Annotated[
    str, typer.Argument(metavar="COMPANY", help="name of the company file, without .yaml", show_default=False)
]
HrisRef = Annotated[
    str, typer.Argument(metavar="HRIS_REF", help="the record, <connection>:<id>, as `review` shows it", show_default=False)
]
DeskbirdId = Annotated[
    str, typer.Argument(metavar="DESKBIRD_ID", help="the user's id in deskbird, as `review` shows it", show_default=False)
]
PlanId = Annotated[str, typer.Argument(metavar="PLAN_ID", help="the plan, as `plan` shows it", show_default=False)]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="TIMESTAMP", help="as if it were this moment: 2026-03-02T04:30:00+01:00", show_default=False),
]
Names = Annotated[
    bool,
    typer.Option("--names", help="print names and values also where standard output is no terminal, which else has references"),
]
Because = Annotated[str | None, typer.Option("--because", metavar="TEXT", help="why; kept with the decision", show_default=False)]


# --- the commands ---------------------------------------------------------------------------------------------------------------


@app.command()
def sync(
    company: CompanyName,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="read everything and make the plan; change nothing in deskbird")
    ] = False,
    names: Names = False,
    as_of: AsOf = None,
) -> None:
    """Run the nightly job now: read the HR system and deskbird, plan, carry out, read back."""
    loaded = _load(company, to_run=True)
    run_id = _run(company, "dry_run" if dry_run else "nightly", as_of=as_of)
    plan = _plan(company, as_of)
    if dry_run:
        plan = plan.as_made()
        _show(plan, rows=10, names=_with_names(names))
        raise typer.Exit(plan.exit_code)
    if pause := _paused(company):
        _show(plan, rows=3, hint=False, names=_with_names(names))
        done = plan.states["applied"]
        nothing = f"nothing more was written after {done:,} changes" if done else "nothing was written"
        typer.echo(f"{company} is {pause.sentence(company, loaded.timezone, nothing=nothing)}.")
        raise typer.Exit(plan.exit_code)
    _show(plan, rows=3, names=_with_names(names))
    raise typer.Exit(_carried_out(plan, run_id))


@app.command()
def plan(
    company: CompanyName,
    format: Annotated[  # noqa: A002 - the option's name
        Format | None,
        typer.Option("--format", help="table for people, json for programs (whole, versioned), markdown for a ticket"),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="write it there, whole, readable by you only")] = None,
    as_of: AsOf = None,
) -> None:
    """Show the current plan: every change with what is there, what is wanted and why."""
    from hris_pipeline.presentation import page
    from hris_pipeline.presentation import plan as rendering

    loaded, current = _load(company), _plan(company, as_of)
    if format is Format.json or format is Format.markdown:
        text = rendering.as_json(current) if format is Format.json else rendering.markdown(current, timezone=loaded.timezone)
        _deliver(text, out)
    elif out is not None:
        _deliver(page(lambda to: rendering.show(to, current, timezone=loaded.timezone)), out)
    else:
        _show(current, rows=12 if format is None and sys.stdout.isatty() else None)
    raise typer.Exit(current.exit_code)


@app.command()
def approve(
    company: CompanyName,
    plan_id: PlanId,
    only: Annotated[
        str | None, typer.Option("--only", metavar="GUARD", help="release what this guard holds back, nothing else")
    ] = None,
    because: Because = None,
    as_of: AsOf = None,
) -> None:
    """Release what guards hold back in this plan; `apply`, or the next `sync` that plans the same, carries it out."""
    _decide(company, "approve", plan_id=plan_id, only=only, because=because, as_of=as_of)


@app.command()
def reject(company: CompanyName, plan_id: PlanId, because: Because = None, as_of: AsOf = None) -> None:
    """Keep what guards hold back in this plan held back, and silence its alerts."""
    _decide(company, "reject", plan_id=plan_id, because=because, as_of=as_of)


@app.command()
def pause(company: CompanyName, because: Because = None) -> None:
    """Stop every write to deskbird, by any way and at once, until `resume`; nights still read and plan."""
    _decide(company, "pause", because=because)


@app.command()
def resume(company: CompanyName) -> None:
    """End the pause: the next night, or `sync`, writes what is wanted by then."""
    _decide(company, "resume")


@app.command()
def apply(
    company: CompanyName,
    plan_id: Annotated[str, typer.Option("--plan", metavar="PLAN_ID", help="the plan, as `plan` shows it")],
    names: Names = False,
    as_of: AsOf = None,
) -> None:
    """Carry out what this plan still has to do; a change that deskbird or the HR system has overtaken is refused as stale."""
    pause = _paused(company)
    loaded = _load(company, to_run=pause is None)
    if pause:
        raise PipelineError(f"{company} is {pause.sentence(company, loaded.timezone)}.")
    run_id = _run(company, "apply", plan_id=plan_id, as_of=as_of)
    carried_out = _plan(company, as_of, plan_id)
    _show(carried_out, rows=3, names=_with_names(names))
    if pause := _paused(company):  # meanwhile
        _say(f"{company} is {pause.sentence(company, loaded.timezone, nothing='nothing more was written')}.")
    raise typer.Exit(_carried_out(carried_out, run_id))


@app.command()
def undo(company: CompanyName, plan_id: PlanId, names: Names = False, as_of: AsOf = None) -> None:
    """Plan the inverse of what this plan has done, and list what cannot be undone; `apply` carries it out."""
    _load(company, to_run=True)
    from hris_pipeline import plan as plans
    from hris_pipeline import settings
    from hris_pipeline.warehouse import Warehouse

    with Warehouse(settings.data_folder(), company).read() as con:  # before deskbird is asked for anything
        plans.require_undoable(con, company, plan_id)
    _run(company, "undo", plan_id=plan_id, as_of=as_of)
    plan = _plan(company, as_of).as_made()
    _show(plan, rows=10, names=_with_names(names))
    raise typer.Exit(plan.exit_code)


@app.command()
def status(
    company: CompanyName,
    format: Annotated[ScreenFormat, typer.Option("--format", help="table for people, json for programs")] = ScreenFormat.table,  # noqa: A002
    as_of: AsOf = None,
) -> None:
    """Show last night, what waits, who is held back and who is missing, on one screen."""
    from hris_pipeline import settings
    from hris_pipeline.presentation import put
    from hris_pipeline.presentation import status as rendering
    from hris_pipeline.warehouse import Warehouse

    loaded = _load(company)
    with Warehouse(settings.data_folder(), company).read() as con:
        screen = rendering.read(
            con,
            company,
            _now(as_of),
            timezone=loaded.timezone,
            schedule=loaded.schedule if loaded.schedule_on else None,
            last_run=_last_run(company),
            pause=_paused(company),
        )
    if format is ScreenFormat.json:
        _deliver(rendering.as_json(screen), None)
    else:
        put(sys.stdout, lambda to: rendering.show(to, screen))
    raise typer.Exit(screen.exit_code)


@app.command("export-csv")
def export_csv(
    company: CompanyName,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="write it there, readable by you only")] = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="everybody, not only the rows that differ from the last export")
    ] = False,
    as_of: AsOf = None,
) -> None:
    """Write roles and main offices, which SCIM cannot carry, as the CSV file that deskbird's own import takes."""
    from hris_pipeline import export, settings
    from hris_pipeline.operations.parameters import export_rules
    from hris_pipeline.warehouse import Warehouse
    from hris_pipeline.wording import count

    loaded, now = _load(company), _now(as_of)
    if not loaded.export.roles:
        raise PipelineError(
            f"{loaded.file} has no rules under export, so there is no role or main office to write. Nothing was written. "
            "example.yaml.txt shows how such rules look."
        )
    warehouse = Warehouse(settings.data_folder(), company)
    with warehouse.read():  # says what to do where there is no data yet
        pass
    with warehouse.write(tuple(loaded.hris)) as con:
        selection = export.select(con, export_rules(loaded), tuple(loaded.hris), now, everybody=everybody)
        export.remember(con, selection.rows, now)
        _deliver(export.as_csv(selection.rows), out, spared="No row counts as exported.")
    if selection.rows:
        same = "" if everybody else f"; {count(selection.unchanged, 'person', 'people')} as in the last export"
        _say(f"{count(len(selection.rows), 'row')} for deskbird: Admin > Users > Import CSV{same}.")
    else:
        _say("Nothing differs from the last export: the file holds its header only.")
    for why, refs in selection.left_out.items():
        more = f" and {len(refs) - 5} more" if len(refs) > 5 else ""
        _say(f"Left out: {count(len(refs), 'person', 'people')} who {why}: {', '.join(refs[:5])}{more}.")
    raise typer.Exit(2 if selection.rows else 0)


@app.command()
def explain(
    company: CompanyName,
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="an e-mail address, an hris_ref or a deskbird id", show_default=False)
    ],
    format: Annotated[Format, typer.Option("--format", help="table or markdown for people, json for programs")] = Format.table,  # noqa: A002
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="write it there, readable by you only")] = None,
    as_of: AsOf = None,
) -> None:
    """Show one person end to end: HR record, user and how it is known, what is wanted, planned, was done, and why."""
    from hris_pipeline import settings
    from hris_pipeline.errors import SettingsError
    from hris_pipeline.operations import companies
    from hris_pipeline.operations.parameters import plan_rules
    from hris_pipeline.presentation import explain as rendering
    from hris_pipeline.presentation import page, put
    from hris_pipeline.warehouse import Warehouse

    loaded = _load(company)
    with contextlib.suppress(SettingsError):  # nothing is asked of anybody, so no credential is needed
        loaded = companies.resolve(loaded)
    with Warehouse(settings.data_folder(), company).read() as con:
        found = rendering.read(con, company, person, plan_rules(loaded), _now(as_of), timezone=loaded.timezone)
    if format is Format.table and out is None:
        put(sys.stdout, lambda to: rendering.show(to, found))
    elif format is Format.table:
        _deliver(page(lambda to: rendering.show(to, found)), out)
    else:
        _deliver(rendering.as_json(found) if format is Format.json else rendering.markdown(found), out)


@app.command()
def review(
    company: CompanyName,
    format: Annotated[ScreenFormat, typer.Option("--format", help="table for people, json for programs")] = ScreenFormat.table,  # noqa: A002
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.csv", help="write a new CSV file to fill in, readable by you only")
    ] = None,
) -> None:
    """List what waits for a person to decide: why, which users come into question, and the commands that decide it."""
    from hris_pipeline import settings
    from hris_pipeline.presentation import oddities, put
    from hris_pipeline.presentation import review as rendering
    from hris_pipeline.warehouse import Warehouse

    loaded = _load(company)
    with Warehouse(settings.data_folder(), company).read() as con:
        waiting, to_correct, odd = rendering.read(con), rendering.corrections(con), oddities.read(con)
    if out is not None:
        _deliver(rendering.as_csv(waiting), out, spared="Nothing was decided.", overwrite=False)
        _say(f"Write link or separate into its column decision, then: hris-pipeline link {company} --from {out}")
    elif format is ScreenFormat.json:
        _deliver(rendering.as_json(company, waiting, to_correct, odd), None)
    else:
        about: dict[str, Any] = {"timezone": loaded.timezone, "to_correct": to_correct, "unread": odd.for_review()}
        put(sys.stdout, lambda to: rendering.show(to, company, waiting, **about))


@app.command()
def link(
    company: CompanyName,
    hris_ref: Annotated[
        str | None,
        typer.Argument(metavar="[HRIS_REF]", help="the record, <connection>:<id>, as `review` shows it", show_default=False),
    ] = None,
    deskbird_id: Annotated[
        str | None,
        typer.Argument(metavar="[DESKBIRD_ID]", help="the user's id in deskbird, as `review` shows it", show_default=False),
    ] = None,
    *,
    all_by_email: Annotated[
        bool,
        typer.Option(
            "--all-by-email", help="everybody whose user another system has marked and whose e-mail fits exactly that one user"
        ),
    ] = False,
    file: Annotated[
        Path | None, typer.Option("--from", metavar="FILE.csv", help="what somebody filled into the file of `review --out`")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="with --all-by-email or --from: say what would be decided; decide nothing")
    ] = False,
    because: Because = None,
    as_of: AsOf = None,
) -> None:
    """Decide that an HR record is a user in deskbird, one or many at once; kept, and used by the next `sync`."""
    ways = (hris_ref is not None or deskbird_id is not None, all_by_email, file is not None)
    if sum(ways) != 1:
        raise typer.BadParameter("Give HRIS_REF and DESKBIRD_ID, or --all-by-email, or --from FILE.csv.")
    if hris_ref is not None or deskbird_id is not None:
        if hris_ref is None or deskbird_id is None:
            raise typer.BadParameter("Missing argument 'DESKBIRD_ID'.")
        if dry_run:
            raise typer.BadParameter("--dry-run goes with --all-by-email or --from.")
        _decide_who(company, "link", (hris_ref, deskbird_id), because, as_of)
        return
    if all_by_email and because is None and not dry_run:
        raise typer.BadParameter("--all-by-email needs --because TEXT, which is kept with every decision.")
    _decide_many(company, file, because=because, as_of=as_of, dry_run=dry_run)


@app.command()
def separate(
    company: CompanyName, hris_ref: HrisRef, deskbird_id: DeskbirdId, because: Because = None, as_of: AsOf = None
) -> None:
    """Decide that this HR record is not this user in deskbird, whatever else says so; kept, and used by the next `sync`."""
    _decide_who(company, "separate", (hris_ref, deskbird_id), because, as_of)


@app.command()
def doctor(
    company: CompanyName,
    offline: Annotated[
        bool, typer.Option("--offline", help="look at the company file and the environment only; ask nobody")
    ] = False,
    format: Annotated[ScreenFormat, typer.Option("--format", help="table for people, json for programs")] = ScreenFormat.table,  # noqa: A002
    as_of: AsOf = None,
) -> None:
    """Try every credential and permission and read everything once; say what is missing and where to switch it on."""
    from hris_pipeline import doctor as examination
    from hris_pipeline.presentation import doctor as rendering
    from hris_pipeline.presentation import progress, put

    with progress.shown() as report:
        found = examination.diagnose(company, now=_now(as_of), offline=offline, progress=report)
    if format is ScreenFormat.json:
        _deliver(rendering.as_json(found), None)
    else:
        put(sys.stdout, lambda to: rendering.show(to, found))
    raise typer.Exit(found.exit_code)


@app.command()
def init(
    company: Annotated[
        str, typer.Argument(metavar="COMPANY", help="name of the file to write, without .yaml", show_default=False)
    ],
    *,
    system: Annotated[str | None, typer.Option(metavar="NAME", help="the HR system, as `systems` names it")] = None,
    connection: Annotated[str | None, typer.Option(metavar="NAME", help="what to call the connection")] = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="the HR system's address, if it is not the usual one")
    ] = None,
    variable: Annotated[
        list[str] | None, typer.Option(metavar="KEY=NAME", help="which environment variable holds a credential, or scim_token")
    ] = None,
    option: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="an option of the HR system")] = None,
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="such as Europe/Berlin")] = None,
    scope: Annotated[str | None, typer.Option(metavar="WHO", help="everybody, or e-mail domains with commas between")] = None,
    groups: Annotated[str | None, typer.Option(metavar="KINDS", help="kinds of group with commas between, or none")] = None,
    managers: Annotated[str | None, typer.Option(metavar="YES|NO", help="whether to carry reporting lines over")] = None,
    night: Annotated[str | None, typer.Option(metavar="TIME", help="04:30, a cron, or none")] = None,
    alerts: Annotated[str | None, typer.Option(metavar="NAME", help="the variable with the URL for alerts, or none")] = None,
    scim_url: Annotated[
        str | None, typer.Option(metavar="URL", help="deskbird's SCIM service, if it is not the usual one")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="ask nothing: take what is given, and the defaults")] = False,
) -> None:
    """Write a company file by asking a few questions; never over one that is there."""
    from hris_pipeline import init as first

    pairs = {"variable": variable or [], "option": option or []}
    given = {f"{what} {pair.partition('=')[0]}": pair.partition("=")[2] for what, some in pairs.items() for pair in some}
    texts = {
        "system": system,
        "connection": connection,
        "base_url": base_url,
        "timezone": timezone,
        "scope": scope,
        "groups": groups,
        "managers": managers,
        "night": night,
        "alerts": alerts,
        "scim_url": scim_url,
    }
    given |= {key: text for key, text in texts.items() if text is not None}

    def ask(text: str, default: str | None) -> str:
        return str(typer.prompt(text, default=default, err=True))

    file = first.path_of(company)
    try:
        draft = first.interview(company, given, None if yes else ask, _say)
    except typer.Abort:
        raise PipelineError(f"Stopped; {file} was not written.") from None
    first.write(draft, file)
    for line in first.next_steps(draft, file):
        typer.echo(line)


@app.command()
def systems(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="one system, by its name or the beginning of its title")
    ] = None,
    format: Annotated[  # noqa: A002
        Format, typer.Option("--format", help="table or markdown for people, json for programs")
    ] = Format.table,
) -> None:
    """List every HR system with what it offers there; with a NAME, one system's credentials, options and limits."""
    from hris_pipeline.hris.registry import SYSTEMS, find, table
    from hris_pipeline.presentation import put
    from hris_pipeline.presentation import systems as rendering

    every, known = table(), list(SYSTEMS.values())
    rows = find(name, every) if name else list(every)
    if format is Format.json:
        _deliver(rendering.as_json(rows, known), None)
    elif format is Format.markdown:
        _deliver(rendering.markdown(rows, known), None)
    elif name:
        for row in rows:
            put(sys.stdout, lambda to, row=row: rendering.show_one(to, row, rendering.of(row, known)))  # type: ignore[misc]
    else:
        put(sys.stdout, lambda to: rendering.show(to, rows))


@app.command()
def sandbox(
    day: Annotated[int, typer.Option("--day", metavar="N", min=1, help="the day of the sample company's life")] = 1,
    deskbird: Annotated[
        str, typer.Option("--deskbird", metavar="BEHAVIOUR", help="how deskbird behaves: a name such as entra, or JSON")
    ] = "rfc",
) -> None:
    """Start stand-ins of the HR systems and of deskbird on this machine, with a sample company, until Ctrl-C."""
    from hris_pipeline import settings
    from hris_pipeline.sandbox import run

    run.serve(settings.data_folder(), day=day, deskbird=deskbird, say=typer.echo)


# --- what they share ------------------------------------------------------------------------------------------------------------


def _load(company: str, *, to_run: bool = False) -> "Company":
    """The company's file, checked, before anything slow happens; ``to_run``, with every variable that it needs."""
    from hris_pipeline.operations import companies

    if company == "demo":
        from hris_pipeline.sandbox import clock

        clock.use()
    return companies.load_to_run(company) if to_run else companies.load(company)


def _now(as_of: str | None) -> dt.datetime:
    from hris_pipeline import clock

    return clock.parse(as_of).astimezone(dt.UTC) if as_of else clock.now()


def _run(company: str, what: Any, *, plan_id: str | None = None, as_of: str | None = None) -> str:
    """Execute a Dagster run with its progress on standard error and return its id; an error where it failed."""
    moment = _now(as_of) if as_of else None
    from hris_pipeline.orchestration import runs
    from hris_pipeline.presentation import progress

    with progress.shown() as report:
        finished = runs.execute(company, what, plan_id=plan_id, as_of=moment, on_progress=report)
    if not finished.success:
        raise PipelineError(finished.problem or f"Run {finished.run_id} failed. The Dagster UI shows where.")
    return str(finished.run_id)


def _plan(company: str, as_of: str | None, plan_id: str | None = None) -> "Plan":
    from hris_pipeline import settings
    from hris_pipeline.presentation import plan as rendering
    from hris_pipeline.warehouse import Warehouse

    with Warehouse(settings.data_folder(), company).read() as con:
        return rendering.read(con, company, _now(as_of), plan_id)


def _carried_out(plan: "Plan", run_id: str) -> int:
    """The exit code of a run that wrote: 1 where not all was done as planned or stuck, else 3 where a guard holds something."""
    from hris_pipeline import settings
    from hris_pipeline.presentation import status as rendering
    from hris_pipeline.warehouse import Warehouse

    with Warehouse(settings.data_folder(), plan.company).read() as con:
        night = con.execute("select in_line from state.nights where run_id = ?", [run_id]).fetchone()
        damaged = rendering.damage_sentences(con, run_id)
    if damaged:  # a failed write, whatever a guard says of its repair
        _say(" ".join(damaged))
        return 1
    if plan.exit_code in (1, 2):  # what is still planned was not reached
        return 1
    if plan.exit_code == 3:
        return 3
    if night is not None and not night[0]:
        _say(
            "Everything was sent, but deskbird is not in line: something did not stick, or was changed there meanwhile. "
            f"See what is left with `hris-pipeline sync {plan.company} --dry-run`."
        )
        return 1
    return 0


def _with_names(asked: bool) -> bool:
    """Whether names and addresses are printed: not in what a machine keeps, unless somebody asks for them."""
    return asked or sys.stdout.isatty()


def _show(current: "Plan", *, rows: int | None, hint: bool = True, names: bool = True) -> None:
    from hris_pipeline.presentation import plan as rendering
    from hris_pipeline.presentation import put

    timezone = _load(current.company).timezone
    put(sys.stdout, lambda to: rendering.show(to, current, timezone=timezone, rows=rows, hint=hint, names=names))


def _deliver(text: str, out: Path | None, *, spared: str = "The plan itself is untouched.", overwrite: bool = True) -> None:
    """To standard output, or to a file that only its owner may read; ``spared`` is said where that fails."""
    if out is None:
        sys.stdout.write(text)
        return
    try:
        if overwrite:
            out.unlink(missing_ok=True)
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise PipelineError(f"{out} is there already and is not overwritten. {spared} Name another file.") from None
    except OSError as problem:
        raise PipelineError(f"{out} could not be written ({problem.strerror}). {spared}") from None
    typer.echo(f"Written to {out}.", err=True)


def _decide(company: str, decision: "Decision", *, as_of: str | None = None, **about: str | None) -> None:
    """Write down a decision about the company's writes, with who made it; nothing is carried out by that."""
    from hris_pipeline import decisions

    for sentence in decisions.decide(_load(company), decision, by=getpass.getuser(), now=_now(as_of), **about):
        typer.echo(sentence)


def _paused(company: str) -> "Pause | None":
    from hris_pipeline import pause, settings

    return pause.in_force(settings.data_folder(), company)


def _decide_who(
    company: str, decision: Literal["link", "separate"], pair: tuple[str, str], because: str | None, as_of: str | None
) -> None:
    """Write down who is who, with who decided it; nothing is carried out by that."""
    from hris_pipeline import settings
    from hris_pipeline.identity.decisions import decide
    from hris_pipeline.warehouse import Warehouse

    (hris_ref, deskbird_id), loaded, now, by = pair, _load(company), _now(as_of), getpass.getuser()
    warehouse, connections = Warehouse(settings.data_folder(), company), tuple(loaded.hris)
    with warehouse.read():  # says what to do where there is no data yet
        pass
    with warehouse.write(connections) as con:
        done = decide(con, hris_ref, deskbird_id, decision, connections=connections, because=because, by=by, now=now)
    is_ = "is" if decision == "link" else "is not"
    if not done.new:
        typer.echo(f"It is decided already that record {hris_ref} {is_} user {deskbird_id}. Nothing was changed.")
        return
    typer.echo(f"Decided: record {hris_ref} {is_} user {deskbird_id}.")
    for ref, user in done.replaced:
        typer.echo(f"That takes the place of the decision that record {ref} is user {user}.")
    if decision == "link" and done.owner:
        typer.echo(f"So far the user has belonged to record {done.owner}.")
    if decision == "link" and done.foreign:
        typer.echo("The user carries another system's externalId; our marker will take its place.")
    if done.held_back:
        typer.echo("The record is in quarantine: the decision is used once the record breaks no rule any more.")
    typer.echo(f"The next sync or apply uses it; see what follows: hris-pipeline sync {company} --dry-run")


def _decide_many(company: str, file: Path | None, *, because: str | None, as_of: str | None, dry_run: bool) -> None:
    """Write down what a file says, else a link for everybody whose e-mail fits exactly one marked user; all or nothing."""
    from hris_pipeline import settings
    from hris_pipeline.identity import decisions as deciding
    from hris_pipeline.presentation import review as rendering
    from hris_pipeline.warehouse import Warehouse
    from hris_pipeline.wording import count

    loaded, now, by = _load(company), _now(as_of), getpass.getuser()
    given = None if file is None else rendering.decisions_in(_text_of(file), str(file))
    warehouse, connections, left = Warehouse(settings.data_folder(), company), tuple(loaded.hris), 0
    with warehouse.read() as con:  # says what to do where there is no data yet
        if given is None:
            given, left = deciding.linkable_by_email(con)
    with warehouse.read() if dry_run else warehouse.write(connections) as con:
        done, refused = deciding.decide_all(
            con, given, connections=connections, because=because, by=by, now=now, only_tried=dry_run
        )
        if refused:
            lines = [f"{file}, line {each.decision.line}: {each.why}" for each in refused]
            raise PipelineError("\n".join([*lines, rendering.nothing_decided(len(lines))]))
    new = [one for one, decided in zip(given, done, strict=True) if decided.new]
    links = sum(one.word == "link" for one in new)
    would = "Would decide" if dry_run else "Decided"
    typer.echo(f"{would}: {count(links, 'link')}, {count(len(new) - links, 'separation')}.")
    if len(new) < len(given):
        typer.echo(f"{len(given) - len(new):,} were decided so already.")
    if replaced := sum(len(decided.replaced) for decided in done):
        typer.echo(f"{count(replaced, 'earlier link')} {'would be' if dry_run else 'is' if replaced == 1 else 'are'} replaced.")
    if foreign := sum(decided.foreign and one.word == "link" for one, decided in zip(given, done, strict=True)):
        typer.echo(f"{count(foreign, 'user')} of them carry another system's externalId; our marker will take its place.")
    if left:
        typer.echo(
            f"{count(left, 'person', 'people')} of the same rule {'is' if left == 1 else 'are'} decided already, or the e-mail "
            f"does not fit exactly one user: hris-pipeline review {company}"
        )
    if dry_run:
        typer.echo("Nothing was decided.")
    elif new:
        typer.echo(f"The next sync or apply uses it; see what follows: hris-pipeline sync {company} --dry-run")


def _text_of(file: Path) -> str:
    """A file's text; the letters that a spreadsheet wrote in another encoding are in columns that are only for people."""
    try:
        return file.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as problem:
        raise PipelineError(f"{file} could not be read ({problem.strerror}). Nothing was decided.") from None


def _last_run(company: str) -> "LastRun | None":
    """The last run of the nightly job in Dagster's own books; None where there is none."""
    import dagster as dg  # noqa: TID251 - the shell

    from hris_pipeline.orchestration.instance import open_instance
    from hris_pipeline.presentation.status import LastRun

    with open_instance() as instance:
        records = instance.get_run_records(dg.RunsFilter(job_name=f"{company}_nightly"), limit=1)
    if not records:
        return None
    run = records[0].dagster_run
    return LastRun(records[0].create_timestamp, run.status.value.lower(), run.run_id)


# --- the door -------------------------------------------------------------------------------------------------------------------


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code. What goes wrong becomes one sentence on standard error, without a traceback."""
    command: Callable[..., Any] = typer.main.get_command(app)
    moment = os.environ.get("HRIS_PIPELINE_NOW")  # noqa: TID251 - a command on the demo sets it, for itself only
    try:
        return int(command(arguments, prog_name="hris-pipeline", standalone_mode=False) or 0)
    except _UsageError as mistake:
        _say(_usage(mistake))
    except PipelineError as problem:
        _say(str(problem))
    except SystemExit:  # typer's answer to a reader that has gone, where nobody guards the stream
        pass
    except BaseException as problem:  # noqa: BLE001 - whatever it is, nobody should have to read a traceback
        _say(_unexpected(problem))
    finally:
        if moment is None:
            os.environ.pop("HRIS_PIPELINE_NOW", None)  # noqa: TID251 - likewise
    return 1


def _usage(mistake: Exception) -> str:
    """A mistake in the command itself, in one sentence, and where to look."""
    text: str = mistake.format_message() if hasattr(mistake, "format_message") else str(mistake)
    if not text:  # no command at all: the help was printed
        return "Nothing was done: name a command."
    context = getattr(mistake, "ctx", None)
    where = context.command_path if context is not None else "hris-pipeline"
    text = text.rstrip(".")
    return f"{text}{'' if text.endswith('?') else '.'} Nothing was done; `{where} --help` shows how it is written."


def _unexpected(problem: BaseException) -> str:
    """What may be said of what is none of our errors: a library's text may hold personal data, so only its type and place."""
    if isinstance(problem, KeyboardInterrupt | typer.Abort) or type(problem).__name__ == "DagsterExecutionInterruptedError":
        return "Stopped. Whatever was sent is in the journal; the next run looks it up and continues from there."
    where = traceback.extract_tb(problem.__traceback__)[-1]
    return (
        f"Something unexpected went wrong ({type(problem).__name__} in {Path(where.filename).name}, line {where.lineno}). "
        "The command was not completed; running it again is safe. Please report it with this line."
    )


def main() -> NoReturn:
    """The console script."""
    streams.guard()
    code = run()
    problem = streams.output_problem()
    if problem is not None:
        _say(f"Standard output could not be written whole ({problem}). The command itself ran to its end.")
    sys.exit(code if problem is None else 1)


if __name__ == "__main__":
    main()
