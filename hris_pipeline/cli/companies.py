"""A company's file and its connections: writing the first one, trying everything, the export for
deskbird's import.
"""

# ruff: noqa: PLC0415 - what is slow to import is imported by the command that needs it

import sys
from pathlib import Path
from typing import Annotated

import typer

from hris_pipeline.cli.arguments import AsOf, CompanyName, ScreenFormat
from hris_pipeline.cli.shared import deliver, load, now, say
from hris_pipeline.errors import PipelineError


def export_csv(
    company: CompanyName,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="write it there, readable by you only"),
    ] = None,
    everybody: Annotated[
        bool,
        typer.Option("--all", help="everybody, not only the rows that differ from the last export"),
    ] = False,
    as_of: AsOf = None,
) -> None:
    """Write roles and main offices, which SCIM cannot carry, as the CSV file that deskbird's own
    import takes.
    """
    from hris_pipeline.operations import exports
    from hris_pipeline.wording import count

    def write(text: str) -> None:
        deliver(text, out, spared="No row counts as exported.")

    selection = exports.export_csv(load(company), write, everybody=everybody, now=now(as_of))
    if selection.rows:
        same = (
            ""
            if everybody
            else f"; {count(selection.unchanged, 'person', 'people')} as in the last export"
        )
        say(f"{count(len(selection.rows), 'row')} for deskbird: Admin > Users > Import CSV{same}.")
    else:
        say("Nothing differs from the last export: the file holds its header only.")
    for why, refs in selection.left_out.items():
        more = f" and {len(refs) - 5} more" if len(refs) > 5 else ""
        say(
            f"Left out: {count(len(refs), 'person', 'people')} who {why}: "
            f"{', '.join(refs[:5])}{more}."
        )
    raise typer.Exit(2 if selection.rows else 0)


def doctor(
    company: CompanyName,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline", help="look at the company file and the environment only; ask nobody"
        ),
    ] = False,
    format: Annotated[  # noqa: A002
        ScreenFormat, typer.Option("--format", help="table for people, json for programs")
    ] = ScreenFormat.table,
    as_of: AsOf = None,
) -> None:
    """Try every credential and permission and read everything once; say what is missing and where
    to switch it on.
    """
    from hris_pipeline.operations import doctor as examination
    from hris_pipeline.presentation import doctor as rendering
    from hris_pipeline.presentation import progress, put

    with progress.shown() as report:
        found = examination.diagnose(company, now=now(as_of), offline=offline, progress=report)
    if format is ScreenFormat.json:
        deliver(rendering.as_json(found), None)
    else:
        put(sys.stdout, lambda to: rendering.show(to, found))
    raise typer.Exit(found.exit_code)


def init(
    company: Annotated[
        str,
        typer.Argument(
            metavar="COMPANY", help="name of the file to write, without .yaml", show_default=False
        ),
    ],
    *,
    system: Annotated[
        str | None, typer.Option(metavar="NAME", help="the HR system, as `systems` names it")
    ] = None,
    connection: Annotated[
        str | None, typer.Option(metavar="NAME", help="what to call the connection")
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="the HR system's address, if it is not the usual one"),
    ] = None,
    variable: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=NAME", help="which environment variable holds a credential, or scim_token"
        ),
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="an option of the HR system")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="such as Europe/Berlin")
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(metavar="WHO", help="everybody, or e-mail domains with commas between"),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(metavar="KINDS", help="kinds of group with commas between, or none"),
    ] = None,
    managers: Annotated[
        str | None, typer.Option(metavar="YES|NO", help="whether to carry reporting lines over")
    ] = None,
    night: Annotated[
        str | None, typer.Option(metavar="TIME", help="04:30, a cron, or none")
    ] = None,
    alerts: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="the variable with the URL for alerts, or none"),
    ] = None,
    scim_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="deskbird's SCIM service, if it is not the usual one"),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="ask nothing: take what is given, and the defaults")
    ] = False,
) -> None:
    """Write a company file by asking a few questions; never over one that is there."""
    from hris_pipeline.operations import init as first

    pairs = {"variable": variable or [], "option": option or []}
    given = {
        f"{what} {pair.partition('=')[0]}": pair.partition("=")[2]
        for what, some in pairs.items()
        for pair in some
    }
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
        draft = first.interview(company, given, None if yes else ask, say)
    except typer.Abort:
        raise PipelineError(f"Stopped; {file} was not written.") from None
    first.write(draft, file)
    for line in first.next_steps(draft, file):
        typer.echo(line)
