"""What waits, on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from hris_pipeline.presentation import clean, moment
from hris_pipeline.presentation.review.words import (
    candidate_line,
    commands,
    correction_meaning,
    correction_said,
    facts_line,
    meaning,
)
from hris_pipeline.reports.review import Correction, Waiting
from hris_pipeline.wording import count

_SHOWN = 50  # of what is to be corrected, on a screen; a document holds all of it


def show(
    to: Console,
    company: str,
    waiting: Sequence[Waiting],
    *,
    timezone: str,
    to_correct: Sequence[Correction] = (),
    unread: Sequence[str] = (),
) -> None:
    """Print the list; ``unread`` says which records of deskbird could not be read."""
    for record in unread:
        to.print(Text(record, "yellow"))
    if unread:
        to.print(Text("They are left alone. deskbird's support can put them right.\n", "dim"))
    for one in waiting:
        to.print(
            Text.assemble(
                (clean(one.name or "(no name)"), "bold"),
                f"  {one.hris_ref}",
                (f"  since {moment(one.since, timezone)}", "dim"),
            )
        )
        lines = [Text(meaning(one.rule), "yellow")]
        for candidate in one.candidates:
            decided = (
                candidate["decision"]
                and f"  ({candidate['decision']} decided; the next sync uses it)"
            )
            lines.append(Text.assemble(candidate_line(candidate), (decided or "", "green")))
            if facts := facts_line(candidate):
                lines.append(Text(f"  {facts}", "dim"))
        lines += [Text(command, "dim") for command in commands(one, company)]
        for line in lines:
            to.print(Padding(line, (0, 0, 0, 4)))
        to.print()
    foreign = len({one.hris_ref for one in waiting if one.rule == "foreign_external_id"})
    if foreign > 1:
        to.print(
            Text(
                f"{count(foreign, 'user')} carry another system's mark. One decision for all whose "
                f"e-mail fits exactly one user: hris-pipeline link {company} --all-by-email "
                "--because TEXT"
            )
        )
    decided = len({one.hris_ref for one in waiting})
    to.print(
        Text(f"{decided:,} to decide on." if decided else "Nobody waits for a decision.", "bold")
    )
    if to_correct:
        to.print()
        _show_corrections(to, to_correct, timezone)


def _show_corrections(to: Console, to_correct: Sequence[Correction], timezone: str) -> None:
    to.print(Text(f"{count(len(to_correct), 'record')} to correct in the HR system:", "bold"))
    before = None
    for one in to_correct[:_SHOWN]:
        if one.code != before:
            to.print(
                Padding(Text(f"{one.code}: {correction_meaning(one)}", "yellow"), (0, 0, 0, 2))
            )
        before = one.code
        who = Text.assemble(
            (clean(one.name or "(no name)"), "bold"), f"  {one.hris_ref}  {correction_said(one)}"
        )
        to.print(
            Padding(
                Text.assemble(who, (f"  since {moment(one.since, timezone)}", "dim")), (0, 0, 0, 4)
            )
        )
    if len(to_correct) > _SHOWN:
        more = (
            f"... and {len(to_correct) - _SHOWN:,} more, in core.quarantine and "
            "state.contradictions"
        )
        to.print(Padding(Text(more, "dim"), (0, 0, 0, 4)))
