"""What people decide: release or keep back, stop and go on, who is who."""

# ruff: noqa: PLC0415 - what is slow to import is imported by the command that needs it

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hris_pipeline.cli.arguments import AsOf, Because, CompanyName, DeskbirdId, HrisRef, PlanId
from hris_pipeline.cli.shared import load, now

if TYPE_CHECKING:
    from hris_pipeline.operations.decisions import Decision


def approve(
    company: CompanyName,
    plan_id: PlanId,
    only: Annotated[
        str | None,
        typer.Option(
            "--only", metavar="GUARD", help="release what this guard holds back, nothing else"
        ),
    ] = None,
    because: Because = None,
    as_of: AsOf = None,
) -> None:
    """Release what guards hold back in this plan; `apply`, or the next `sync` that plans the same,
    carries it out.
    """
    _decide(company, "approve", plan_id=plan_id, only=only, because=because, as_of=as_of)


def reject(
    company: CompanyName, plan_id: PlanId, because: Because = None, as_of: AsOf = None
) -> None:
    """Keep what guards hold back in this plan held back, and silence its alerts."""
    _decide(company, "reject", plan_id=plan_id, because=because, as_of=as_of)


def pause(company: CompanyName, because: Because = None) -> None:
    """Stop every write to deskbird, by any way and at once, until `resume`; nights still read and
    plan.
    """
    _decide(company, "pause", because=because)


def resume(company: CompanyName) -> None:
    """End the pause: the next night, or `sync`, writes what is wanted by then."""
    _decide(company, "resume")


def link(
    company: CompanyName,
    hris_ref: Annotated[
        str | None,
        typer.Argument(
            metavar="[HRIS_REF]",
            help="the record, <connection>:<id>, as `review` shows it",
            show_default=False,
        ),
    ] = None,
    deskbird_id: Annotated[
        str | None,
        typer.Argument(
            metavar="[DESKBIRD_ID]",
            help="the user's id in deskbird, as `review` shows it",
            show_default=False,
        ),
    ] = None,
    *,
    all_by_email: Annotated[
        bool,
        typer.Option(
            "--all-by-email",
            help=(
                "everybody whose user another system has marked and whose e-mail fits exactly that "
                "one user"
            ),
        ),
    ] = False,
    file: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE.csv",
            help="what somebody filled into the file of `review --out`",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="with --all-by-email or --from: say what would be decided; decide nothing",
        ),
    ] = False,
    because: Because = None,
    as_of: AsOf = None,
) -> None:
    """Decide that an HR record is a user in deskbird, one or many at once; kept, and used by the
    next `sync`.
    """
    ways = (hris_ref is not None or deskbird_id is not None, all_by_email, file is not None)
    if sum(ways) != 1:
        raise typer.BadParameter(
            "Give HRIS_REF and DESKBIRD_ID, or --all-by-email, or --from FILE.csv."
        )
    if hris_ref is not None or deskbird_id is not None:
        if hris_ref is None or deskbird_id is None:
            raise typer.BadParameter("Missing argument 'DESKBIRD_ID'.")
        if dry_run:
            raise typer.BadParameter("--dry-run goes with --all-by-email or --from.")
        _decide_who(company, "link", hris_ref, deskbird_id, because=because, as_of=as_of)
        return
    if all_by_email and because is None and not dry_run:
        raise typer.BadParameter(
            "--all-by-email needs --because TEXT, which is kept with every decision."
        )
    from hris_pipeline.operations import matches

    loaded, by = load(company), getpass.getuser()
    for sentence in matches.decide_many(
        loaded, file, because=because, by=by, now=now(as_of), dry_run=dry_run
    ):
        typer.echo(sentence)


def separate(
    company: CompanyName,
    hris_ref: HrisRef,
    deskbird_id: DeskbirdId,
    because: Because = None,
    as_of: AsOf = None,
) -> None:
    """Decide that this HR record is not this user in deskbird, whatever else says so; kept, and
    used by the next `sync`.
    """
    _decide_who(company, "separate", hris_ref, deskbird_id, because=because, as_of=as_of)


def _decide(
    company: str, decision: "Decision", *, as_of: str | None = None, **about: str | None
) -> None:
    """Write down a decision about the company's writes, with who made it; nothing is carried out by
    that.
    """
    from hris_pipeline.operations import decisions

    for sentence in decisions.decide(
        load(company), decision, by=getpass.getuser(), now=now(as_of), **about
    ):
        typer.echo(sentence)


def _decide_who(
    company: str,
    word: Literal["link", "separate"],
    hris_ref: str,
    deskbird_id: str,
    *,
    because: str | None,
    as_of: str | None,
) -> None:
    """Write down who is who, with who decided it; nothing is carried out by that."""
    from hris_pipeline.operations import matches

    loaded, by = load(company), getpass.getuser()
    for sentence in matches.decide(
        loaded, hris_ref, deskbird_id, word, because=because, by=by, now=now(as_of)
    ):
        typer.echo(sentence)
