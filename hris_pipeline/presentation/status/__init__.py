"""One screen about a company: the last night, what was read and how it is proven, what waits, who
is held back.
"""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hris_pipeline.plan import sentence
from hris_pipeline.presentation import clean, document, moment, oddities
from hris_pipeline.presentation.status.lines import damage_sentence, headings
from hris_pipeline.reports.status import Status


def show(to: Console, status: Status) -> None:
    """Print the screen."""
    to.print(
        Text.assemble(
            (status.company, "bold"),
            (f"  {moment(status.now, status.timezone)} {status.timezone}", "dim"),
        )
    )
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, lines in headings(status):
        for index, (text, style) in enumerate(lines):
            table.add_row(name if index == 0 else "", Text(clean(text), style))
    to.print(table)


def as_json(status: Status) -> str:
    """The screen as one versioned JSON document."""
    plan, run, night = status.plan, status.last_run, status.last_night
    body: dict[str, Any] = {
        "now": status.now,
        "exit_code": status.exit_code,
        "timezone": status.timezone,
        "schedule": status.schedule,
        "last_run": vars(run) if run else None,
        "last_night": {"ended_at": night[0], "in_line": night[1]} if night else None,
        "base": status.base,
        "people": status.people,
        "users": status.users,
        "extracts": [vars(extract) for extract in status.extracts],
        "plan": (
            {
                "plan_id": plan.plan_id,
                "made_at": plan.made_at,
                "counts": {"changes": len(plan.changes), **plan.states},
                "guards": [vars(verdict) for verdict in plan.guards],
                "blocking": dict(plan.blocking),
            }
            if plan
            else None
        ),
        "quarantine": [
            {"rule": rule, "records": number, "since": since}
            for rule, number, since in status.quarantine
        ],
        "deskbird": oddities.as_json(status.odd),
        "contradictions": [
            {"code": code, "records": number, "since": since}
            for code, number, since in status.contradictions
        ],
        "managers": [
            {"connection": name, "lost": lost, "references": of}
            for name, lost, of in status.lost_managers
        ],
        "missing": {"people": status.missing[0], "since": status.missing[1]},
        "empty_groups": {"groups": status.empty_groups[0], "since": status.empty_groups[1]},
        "review": [{"rule": rule, "people": number} for rule, number in status.review],
        "by_hand": {"repaired": plan.drift, "kept": plan.kept} if plan else None,
        "not_retained": [
            {"ref": ref, "attribute": name, "since": since}
            for ref, name, since in status.not_retained
        ],
        "damage": list(map(damage_sentence, status.damage)),
        "not_given": [sentence(verdict) for verdict in plan.standing] if plan else [],
        "kinds_without_anybody": list(status.not_given),
        "refused": [
            {"ref": one.hris_ref, "attribute": one.attribute, "since": one.since, "code": one.code}
            for one in status.refused
        ],
        "paused": (
            {name: getattr(status.pause, name) for name in ("by", "since", "because")}
            if status.pause
            else None
        ),
    }
    return document("status", status.company, body)
