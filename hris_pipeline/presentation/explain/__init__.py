"""One person end to end, for a terminal, as Markdown and as JSON: the answer comes first."""

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hris_pipeline.presentation import clean, document, escaped, moment
from hris_pipeline.presentation.explain.answer import answer
from hris_pipeline.presentation.explain.sections import sections
from hris_pipeline.presentation.explain.words import (
    contradiction_meaning,
    rule_meaning,
    source,
    verdict,
)
from hris_pipeline.presentation.review.words import commands, meaning
from hris_pipeline.reports.explain import Explanation
from hris_pipeline.reports.explain.compared import Compared

__all__ = ["answer", "as_json", "markdown", "sections", "show"]


def show(to: Console, found: Explanation) -> None:
    """Print the explanation."""
    to.print(Text(clean(answer(found)), "bold"))
    to.print(
        Text.assemble(
            _head(found), (f"  {moment(found.now, found.timezone)} {found.timezone}", "dim")
        )
    )
    for section in sections(found):
        to.print()
        to.print(Text(section.title, "bold cyan"))
        table = Table(
            box=None,
            show_header=len(section.columns) > 3,
            header_style="dim",
            padding=(0, 2, 0, 0),
        )
        for number, column in enumerate(section.columns):
            table.add_column(column, overflow="fold", style="dim" if number == 0 else None)
        for row in section.rows:
            table.add_row(*(Text("\n".join(map(clean, cell.split("\n")))) for cell in row))
        to.print(Padding(table, (0, 0, 0, 2)))


def _head(found: Explanation) -> str:
    name: str | None = found.person["display_name"] if found.person else None
    ids = (*found.refs, *((f"user {found.deskbird_id}",) if found.deskbird_id else ()))
    return clean("  ".join(filter(None, (found.company, name, ", ".join(ids)))))


def markdown(found: Explanation) -> str:
    """The explanation as Markdown: a heading and a table for every section."""
    lines = [
        f"# {escaped(_head(found))}",
        "",
        escaped(answer(found)),
        "",
        f"As of {moment(found.now, found.timezone)} {found.timezone}.",
    ]
    for section in sections(found):
        lines += [
            "",
            f"## {section.title}",
            "",
            f"| {' | '.join(section.columns)} |",
            "|---" * len(section.columns) + "|",
        ]
        lines += [
            "| " + " | ".join("<br>".join(map(escaped, cell.split("\n"))) for cell in row) + " |"
            for row in section.rows
        ]
    return "\n".join([*lines, ""])


def as_json(found: Explanation) -> str:
    """The explanation as one versioned JSON document."""
    names = (
        "object",
        "action",
        "hris_ref",
        "deskbird_id",
        "group_ref",
        "group_deskbird_id",
        "before",
        "after",
        "reason",
        "reason_code",
        "evidence",
    )
    fate = ("verdict", "guard", "state")
    body = {
        "now": found.now,
        "timezone": found.timezone,
        "answer": answer(found),
        "live": found.live,
        "refs": found.refs,
        "person_id": found.person_id,
        "deskbird_id": found.deskbird_id,
        "records": found.records,
        "person": found.person,
        "quarantine": [{**row, "meaning": rule_meaning(row)} for row in found.quarantine],
        "contradictions": [
            {**row, "meaning": contradiction_meaning(row)} for row in found.contradictions
        ],
        "match": found.match,
        "review": [
            {**vars(one), "meaning": meaning(one.rule), "commands": commands(one, found.company)}
            for one in found.review
        ],
        "compared": list(map(_compared, found.compared)),
        "changes": [
            {
                "plan_id": found.plan_ids.get(change.seq),
                **{name: getattr(change, name) for name in (*names, *fate)},
            }
            for change in found.changes
        ],
        "missing": found.missing,
        "decisions": found.decisions,
        "requests": found.requests,
        "history": found.history,
    }
    return document("explain", found.company, body)


def _compared(row: Compared) -> dict[str, Any]:
    """One row; names stand beside managers, and the kind beside groups."""
    names = {"manager": ("wanted_name", "observed_name")}.get(row.attribute, ())
    return {
        "attribute": row.attribute,
        "wanted": row.wanted,
        "observed": row.observed,
        "source": source(row),
        "source_code": row.source,
        "verdict": verdict(row),
        "verdict_code": row.verdict.code,
        **{
            name: getattr(row, name)
            for name in (*names, *(("group_ref", "kind") if row.is_group else ()))
        },
    }
