"""What waits, as a file that is filled in, and as JSON for programs."""

import csv
import io
from collections.abc import Sequence

from hris_pipeline.presentation import clean, document, oddities
from hris_pipeline.presentation.review.words import (
    candidate_line,
    commands,
    correction_meaning,
    meaning,
)
from hris_pipeline.reports.oddities import Oddities
from hris_pipeline.reports.review import Correction, Waiting, is_decided_by_command

COLUMNS = ("hris_ref", "rule", "deskbird_id", "candidates", "decision", "person", "user")


def as_csv(waiting: Sequence[Waiting]) -> str:
    """The list as CSV, a row for each person and user in question, for somebody to fill in the
    column ``decision``.

    What waits for the company file is left out, because no decision ends it.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for one in waiting:
        if not is_decided_by_command(one.rule):
            continue
        ids = " ".join(candidate["deskbird_id"] for candidate in one.candidates)
        for candidate in one.candidates:
            shown = (one.name or "", candidate_line(candidate))
            writer.writerow(
                (one.hris_ref, one.rule, candidate["deskbird_id"], ids, "", *map(_harmless, shown))
            )
    return text.getvalue()


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else clean(text)


def as_json(
    company: str,
    waiting: Sequence[Waiting],
    to_correct: Sequence[Correction] = (),
    odd: Oddities | None = None,
) -> str:
    """The list as one versioned JSON document."""
    body = [
        {**vars(one), "meaning": meaning(one.rule), "commands": commands(one, company)}
        for one in waiting
    ]
    correct = [{**vars(one), "meaning": correction_meaning(one)} for one in to_correct]
    unread = oddities.as_json(odd or Oddities())["unreadable_records"]
    return document(
        "review", company, {"waiting": body, "to_correct": correct, "unreadable_records": unread}
    )
