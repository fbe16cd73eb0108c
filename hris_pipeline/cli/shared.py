"""What the commands share: the company's file, the moment, the current plan, and where output
goes.
"""

# ruff: noqa: PLC0415 - what is slow to import is imported by the command that needs it

import datetime as dt
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hris_pipeline.errors import PipelineError

if TYPE_CHECKING:
    from hris_pipeline.contracts.pauses import Pause
    from hris_pipeline.reports.plan import Plan
    from hris_pipeline.settings import Company


def load(company: str, *, to_run: bool = False) -> "Company":
    """The company's file, checked, before anything slow happens; ``to_run``, with every variable
    that it needs.
    """
    from hris_pipeline.operations import companies

    if company == "demo":
        from hris_pipeline.sandbox import clock

        clock.use()
    return companies.load_to_run(company) if to_run else companies.load(company)


def now(as_of: str | None) -> dt.datetime:
    """The moment of `--as-of`, or the present."""
    from hris_pipeline import clock

    return clock.parse(as_of).astimezone(dt.UTC) if as_of else clock.now()


def paused(company: str) -> "Pause | None":
    """The pause in force; None where there is none."""
    from hris_pipeline import settings
    from hris_pipeline.operations import pause

    return pause.in_force(settings.data_folder(), company)


def current_plan(company: str, as_of: str | None, plan_id: str | None = None) -> "Plan":
    """One plan of the company, by default the last one made."""
    from hris_pipeline import settings
    from hris_pipeline.reports import plan as plans
    from hris_pipeline.warehouse import Warehouse

    with Warehouse(settings.data_folder(), company).read() as con:
        return plans.read(con, company, now(as_of), plan_id)


def with_names(asked: bool) -> bool:
    """Whether names and addresses are printed: not in what a machine keeps, unless somebody asks
    for them.
    """
    return asked or sys.stdout.isatty()


def show_plan(current: "Plan", *, rows: int | None, hint: bool = True, names: bool = True) -> None:
    """Print a plan on standard output; ``rows`` is the most of each section."""
    from hris_pipeline.presentation import plan as rendering
    from hris_pipeline.presentation import put

    timezone = load(current.company).timezone
    put(
        sys.stdout,
        lambda to: rendering.show(
            to, current, timezone=timezone, rows=rows, hint=hint, names=names
        ),
    )


def deliver(
    text: str,
    out: Path | None,
    *,
    spared: str = "The plan itself is untouched.",
    overwrite: bool = True,
) -> None:
    """To standard output, or to a file that only its owner may read; ``spared`` is said where that
    fails.
    """
    if out is None:
        sys.stdout.write(text)
        return
    try:
        if overwrite:
            out.unlink(missing_ok=True)
        with os.fdopen(
            os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600),
            "w",
            encoding="utf-8",
            newline="",
        ) as file:
            file.write(text)
    except FileExistsError:
        raise PipelineError(
            f"{out} is there already and is not overwritten. {spared} Name another file."
        ) from None
    except OSError as problem:
        raise PipelineError(f"{out} could not be written ({problem.strerror}). {spared}") from None
    typer.echo(f"Written to {out}.", err=True)


def say(sentence: str) -> None:
    """A sentence on standard error."""
    typer.echo(sentence, err=True)
