"""Commands that only read: the plan, the status, one person, what waits, the HR systems."""

# ruff: noqa: PLC0415 - what is slow to import is imported by the command that needs it

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hris_pipeline.cli.arguments import AsOf, CompanyName, Format, ScreenFormat
from hris_pipeline.cli.shared import current_plan, deliver, load, now, paused, say, show_plan

if TYPE_CHECKING:
    from hris_pipeline.reports.status import LastRun


def plan(
    company: CompanyName,
    format: Annotated[  # noqa: A002 - the option's name
        Format | None,
        typer.Option(
            "--format",
            help="table for people, json for programs (whole, versioned), markdown for a ticket",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="write it there, whole, readable by you only"),
    ] = None,
    as_of: AsOf = None,
) -> None:
    """Show the current plan: every change with what is there, what is wanted and why."""
    from hris_pipeline.presentation import page
    from hris_pipeline.presentation import plan as rendering

    loaded, current = load(company), current_plan(company, as_of)
    if format is Format.json or format is Format.markdown:
        text = (
            rendering.as_json(current)
            if format is Format.json
            else rendering.markdown(current, timezone=loaded.timezone)
        )
        deliver(text, out)
    elif out is not None:
        deliver(page(lambda to: rendering.show(to, current, timezone=loaded.timezone)), out)
    else:
        show_plan(current, rows=12 if format is None and sys.stdout.isatty() else None)
    raise typer.Exit(current.exit_code)


def status(
    company: CompanyName,
    format: Annotated[  # noqa: A002
        ScreenFormat, typer.Option("--format", help="table for people, json for programs")
    ] = ScreenFormat.table,
    as_of: AsOf = None,
) -> None:
    """Show last night, what waits, who is held back and who is missing, on one screen."""
    from hris_pipeline import settings
    from hris_pipeline.presentation import put
    from hris_pipeline.presentation import status as rendering
    from hris_pipeline.reports import status as report
    from hris_pipeline.warehouse import Warehouse

    loaded = load(company)
    with Warehouse(settings.data_folder(), company).read() as con:
        screen = report.read(
            con,
            company,
            now(as_of),
            timezone=loaded.timezone,
            schedule=loaded.schedule if loaded.schedule_on else None,
            last_run=_last_run(company),
            pause=paused(company),
        )
    if format is ScreenFormat.json:
        deliver(rendering.as_json(screen), None)
    else:
        put(sys.stdout, lambda to: rendering.show(to, screen))
    raise typer.Exit(screen.exit_code)


def explain(
    company: CompanyName,
    person: Annotated[
        str,
        typer.Argument(
            metavar="PERSON",
            help="an e-mail address, an hris_ref or a deskbird id",
            show_default=False,
        ),
    ],
    format: Annotated[  # noqa: A002
        Format, typer.Option("--format", help="table or markdown for people, json for programs")
    ] = Format.table,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="write it there, readable by you only"),
    ] = None,
    as_of: AsOf = None,
) -> None:
    """Show one person end to end: HR record, user and how it is known, what is wanted, planned, was
    done, and why.
    """
    from hris_pipeline import settings
    from hris_pipeline.errors import SettingsError
    from hris_pipeline.operations import companies
    from hris_pipeline.operations.parameters import plan_rules
    from hris_pipeline.presentation import explain as rendering
    from hris_pipeline.presentation import page, put
    from hris_pipeline.reports import explain as report
    from hris_pipeline.warehouse import Warehouse

    loaded = load(company)
    # nothing is asked of anybody, so no credential is needed
    with contextlib.suppress(SettingsError):
        loaded = companies.resolve(loaded)
    with Warehouse(settings.data_folder(), company).read() as con:
        found = report.read(
            con, company, person, plan_rules(loaded), now(as_of), timezone=loaded.timezone
        )
    if format is Format.table and out is None:
        put(sys.stdout, lambda to: rendering.show(to, found))
    elif format is Format.table:
        deliver(page(lambda to: rendering.show(to, found)), out)
    else:
        deliver(
            rendering.as_json(found) if format is Format.json else rendering.markdown(found), out
        )


def review(
    company: CompanyName,
    format: Annotated[  # noqa: A002
        ScreenFormat, typer.Option("--format", help="table for people, json for programs")
    ] = ScreenFormat.table,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE.csv",
            help="write a new CSV file to fill in, readable by you only",
        ),
    ] = None,
) -> None:
    """List what waits for a person to decide: why, which users come into question, and the commands
    that decide it.
    """
    from hris_pipeline import settings
    from hris_pipeline.presentation import oddities, put
    from hris_pipeline.presentation import review as rendering
    from hris_pipeline.reports import oddities as odd_lists
    from hris_pipeline.reports import review as report
    from hris_pipeline.warehouse import Warehouse

    loaded = load(company)
    with Warehouse(settings.data_folder(), company).read() as con:
        waiting, to_correct, odd = report.read(con), report.corrections(con), odd_lists.read(con)
    if out is not None:
        deliver(rendering.as_csv(waiting), out, spared="Nothing was decided.", overwrite=False)
        say(
            f"Write link or separate into its column decision, then: hris-pipeline link {company} "
            f"--from {out}"
        )
    elif format is ScreenFormat.json:
        deliver(rendering.as_json(company, waiting, to_correct, odd), None)
    else:
        about: dict[str, Any] = {
            "timezone": loaded.timezone,
            "to_correct": to_correct,
            "unread": oddities.for_review(odd),
        }
        put(sys.stdout, lambda to: rendering.show(to, company, waiting, **about))


def systems(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="one system, by its name or the beginning of its title"
        ),
    ] = None,
    format: Annotated[  # noqa: A002
        Format, typer.Option("--format", help="table or markdown for people, json for programs")
    ] = Format.table,
) -> None:
    """List every HR system with what it offers there; with a NAME, one system's credentials,
    options and limits.
    """
    from hris_pipeline.presentation import put
    from hris_pipeline.presentation import systems as rendering
    from hris_pipeline.reports import systems as report

    offers = report.read(name)
    if format is Format.json:
        deliver(rendering.as_json(offers), None)
    elif format is Format.markdown:
        deliver(rendering.markdown(offers), None)
    elif name:
        for offer in offers:
            put(sys.stdout, lambda to, offer=offer: rendering.show_one(to, offer))  # type: ignore[misc]
    else:
        put(sys.stdout, lambda to: rendering.show(to, offers))


def _last_run(company: str) -> "LastRun | None":
    """The last run of the nightly job in Dagster's own books; None where there is none."""
    from hris_pipeline.orchestration.job_names import nightly_job
    from hris_pipeline.orchestration.last_run import last_run
    from hris_pipeline.reports.status import LastRun

    found = last_run(nightly_job(company))
    return LastRun(found.created, found.status.lower(), found.run_id) if found else None
