"""The plan as documents: Markdown for a ticket, JSON for programs."""

from collections import Counter

from hris_pipeline.plan import sentence as guard_sentence
from hris_pipeline.presentation import adoption, document, escaped, moment
from hris_pipeline.presentation.plan.cells import what, who
from hris_pipeline.presentation.plan.sections import sections
from hris_pipeline.presentation.plan.sentences import (
    guard_sentences,
    next_step,
    not_undone,
    not_undone_sentence,
    total_line,
)
from hris_pipeline.reports.plan import Plan


def markdown(plan: Plan, *, timezone: str) -> str:
    """The whole plan as Markdown: a heading and a table for every section."""
    lines = [
        f"# Plan {plan.plan_id} of {plan.company}",
        "",
        f"Made for {moment(plan.as_of, timezone)} {timezone}."
        + (f" Undoes plan {plan.undoes}." if plan.undoes else ""),
        "",
        total_line(plan),
        "",
    ]
    if plan.adoption:
        lines += [*map(escaped, adoption.sentences(plan.adoption, plan.company)), ""]
    lines += [f"- **Blocked** {escaped(sentence)}" for sentence in guard_sentences(plan)]
    for section in sections(plan.changes):
        held = f" (held back by guard {section.guard})" if section.guard else ""
        lines += [
            "",
            f"## {section.title}{held}",
            "",
            "| who | id | what | why | state |",
            "|---|---|---|---|---|",
        ]
        for change in section.changes:
            name, ref = who(change)
            parts = [
                " ".join(filter(None, (n, " → ".join(filter(None, (b, a))))))
                for n, b, a in what(change)
            ]
            problem = f": {change.problem}" if change.problem else ""
            cells = (name, ref, "; ".join(parts), change.reason, change.state + problem)
            lines.append("| " + " | ".join(map(escaped, cells)) + " |")
    if plan.not_undone:
        lines += [
            "",
            "## What cannot be undone",
            "",
            *(f"- {escaped(not_undone_sentence(kind))}" for kind in not_undone(plan)),
        ]
    step = next_step(plan)
    return "\n".join([*lines, *(["", step] if step else []), ""])


def as_json(plan: Plan) -> str:
    """The whole plan as one versioned JSON document; changes in the order of carrying out."""
    states = plan.states
    names = ("planned", "blocked", "applied", "skipped", "failed", "stale")
    fields = (
        "seq",
        "request",
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
    fate = (
        "verdict",
        "guard",
        "approved",
        "state",
        "outcome",
        "http_status",
        "problem",
        "problem_code",
    )
    body = {
        "plan_id": plan.plan_id,
        "made_at": plan.made_at,
        "as_of": plan.as_of,
        "undoes": plan.undoes,
        "exit_code": plan.exit_code,
        "counts": {"changes": len(plan.changes), **{name: states[name] for name in names}},
        "by_type": {
            f"{kind[0]} {kind[1]}": n
            for kind, n in sorted(Counter((c.object, c.action) for c in plan.changes).items())
        },
        "guards": [
            {**vars(verdict), "sentence": guard_sentence(verdict)} for verdict in plan.guards
        ],
        "waiting": vars(plan.waiting),
        "adoption": vars(plan.adoption) if plan.adoption else None,
        "not_undone": [
            {**vars(kind), "sentence": not_undone_sentence(kind)} for kind in not_undone(plan)
        ],
        "by_hand": {"repaired": plan.drift, "kept": plan.kept},
        "not_retained": plan.not_retained,
        "changes": [
            {
                **{name: getattr(c, name) for name in (*fields, *fate)},
                "name": c.who,
                "group_name": c.group,
            }
            for c in plan.changes
        ],
    }
    return document("plan", plan.company, body)
