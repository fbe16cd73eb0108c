"""The arguments and options that several commands share."""

from enum import StrEnum
from typing import Annotated

import typer


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
    str,
    typer.Argument(
        metavar="COMPANY", help="name of the company file, without .yaml", show_default=False
    ),
]
HrisRef = Annotated[
    str,
    typer.Argument(
        metavar="HRIS_REF",
        help="the record, <connection>:<id>, as `review` shows it",
        show_default=False,
    ),
]
DeskbirdId = Annotated[
    str,
    typer.Argument(
        metavar="DESKBIRD_ID",
        help="the user's id in deskbird, as `review` shows it",
        show_default=False,
    ),
]
PlanId = Annotated[
    str, typer.Argument(metavar="PLAN_ID", help="the plan, as `plan` shows it", show_default=False)
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="TIMESTAMP",
        help="as if it were this moment: 2026-03-02T04:30:00+01:00",
        show_default=False,
    ),
]
Names = Annotated[
    bool,
    typer.Option(
        "--names",
        help=(
            "print names and values also where standard output is no terminal, which else has "
            "references"
        ),
    ),
]
Because = Annotated[
    str | None,
    typer.Option(
        "--because", metavar="TEXT", help="why; kept with the decision", show_default=False
    ),
]
