"""An explanation as sections: the same for a terminal and for Markdown."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hris_pipeline.presentation import clean, moment
from hris_pipeline.presentation.explain.words import (
    contradiction_meaning,
    reads_so_far,
    rule_meaning,
    source,
    verdict,
)
from hris_pipeline.presentation.plan.cells import what
from hris_pipeline.presentation.review.words import candidate_line, facts_line, meaning, said
from hris_pipeline.reports.explain import Explanation
from hris_pipeline.reports.queries import Row

_MATCHED_BY = {
    "decision": "somebody decided so",
    "link": "the link that we keep",
    "marker": "our marker in deskbird (externalId)",
    "email": "the same e-mail address",
    "successor": "the same e-mail address and name; the user's own record ended or is gone",
}


@dataclass(frozen=True, repr=False)
class Section:
    """One part of the screen: a heading and a table."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def sections(found: Explanation) -> list[Section]:
    """The whole explanation in order; what there is nothing of is left out."""

    def when(then: dt.datetime) -> str:
        return moment(then, found.timezone)

    broken = [
        (row["hris_ref"], row["rule"], rule_meaning(row), when(row["first_seen"]))
        for row in found.quarantine
    ]
    tells = (candidate_line, facts_line)
    waiting = [
        (
            one.rule,
            meaning(one.rule),
            "\n".join(filter(None, (tell(each) for each in one.candidates for tell in tells))),
            when(one.since),
        )
        for one in found.review
    ]
    contradicting = [
        (
            row["hris_ref"],
            row["code"],
            (
                f"{said(row['word'], row['first_day'], row['last_day'], row['decided'])}. "
                f"{contradiction_meaning(row)}"
            ),
            when(row["first_seen"]),
        )
        for row in found.contradictions
    ]
    compared = [
        (
            _words(row.attribute),
            _text(row.wanted, row.wanted_name),
            _text(row.observed, row.observed_name),
            source(row),
            verdict(row),
        )
        for row in found.compared
    ]
    missing = [(when(row["missing_since"]), reads_so_far(row)) for row in [found.missing] if row]
    decided = [
        (
            when(row["decided_at"]),
            row["decision"],
            row["about"],
            row["decided_by"],
            row["because"] or "",
        )
        for row in found.decisions
    ]
    all_of_them = (
        Section("HRIS record", ("record", "attribute", "value"), _record_rows(found)),
        Section("Person", ("attribute", "value", "since"), _person_rows(found)),
        Section("Held back by rules", ("record", "rule", "what must hold", "since"), broken),
        Section(
            "Contradicts itself",
            ("record", "code", "what it says, and what to correct", "since"),
            contradicting,
        ),
        Section("User in deskbird", ("attribute", "value"), _match_rows(found)),
        Section("Waits for a decision", ("rule", "what it means", "users", "since"), waiting),
        Section(
            "Wanted and there",
            ("attribute", "HRIS", "deskbird", "known by", "what follows"),
            compared,
        ),
        Section("To change", ("what", "from", "to", "why", "verdict"), _change_rows(found)),
        Section("Missing", ("since", "what"), missing),
        Section("Decisions", ("when", "decision", "about", "by", "because"), decided),
        Section(
            "Requests made",
            ("when", "plan", "what", "answer", "why"),
            [_request_row(found, row) for row in found.requests],
        ),
        Section("History by night", ("night", "what", "from", "to"), _history_rows(found)),
    )
    return [section for section in all_of_them if section.rows]


def _words(name: str) -> str:
    return {"hris_ref": "marker (externalId)"}.get(name, name.replace("_", " "))


def _text(value: Any, name: str | None = None) -> str:
    """A value in words."""
    if value is None or value in ("", []):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ":".join(map(_text, value.values()))
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if str(value).startswith("sha256:"):
        return str(value)[:15]  # of a photo's digest enough to tell two apart
    return clean(f"{name} ({value})" if name else value)


def _record_rows(found: Explanation) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for record in found.records:
        proof = (
            f"{moment(record['read_at'], found.timezone)}, {record['proof']}: {record['why']}"
            if record["read_at"]
            else "never"
        )
        rows.append((record["hris_ref"], "read", proof))
        rows += [
            ("", _words(name), _text(value))
            for name, value in record["values"].items()
            if name != "id"
        ]
    return rows


def _person_rows(found: Explanation) -> list[tuple[str, ...]]:
    person = found.person
    if person is None:
        return []
    names = (
        "hris_ref",
        "status",
        "start_date",
        "end_date",
        "timezone",
        "in_scope",
        "scope_rule",
        "wanted",
        "other_refs",
        "unknown",
    )
    titles = {
        "hris_ref": "primary record",
        "wanted": "should be active in deskbird",
        "other_refs": "other records",
        "unknown": "not delivered",
    }
    shown = [
        name
        for name in names
        if name in person and (person[name] not in (None, []) or name == "status")
    ]
    since = _since(found.history)
    return [
        (
            titles.get(name, _words(name)),
            _text(person[name]),
            moment(since[name], found.timezone) if name in since else "",
        )
        for name in shown
    ]


def _since(history: Sequence[Row]) -> dict[str, dt.datetime]:
    """Since which night each of the person's values is as it is."""
    since: dict[str, dt.datetime] = {}
    for night in history:
        since |= dict.fromkeys(night["changed"], night["seen_at"])
    return since


def _match_rows(found: Explanation) -> list[tuple[str, ...]]:
    match = found.match
    if match is None:
        return []
    user = match["user"] or {}
    rows: list[tuple[str, ...]] = [("deskbird id", found.deskbird_id or match["deskbird_id"])]
    if match.get("rule"):
        since = (
            f", kept since {moment(match['linked_at'], found.timezone)} by {match['linked_by']}"
            if match["linked_at"]
            else ""
        )
        rows.append(
            (
                "known by",
                f"{match['rule']}: {_MATCHED_BY.get(match['rule'], match['rule'])}{since}",
            )
        )
    if match.get("evidence"):
        facts = (
            f"{name}: {_text(value).replace('_', ' ')}"
            for name, value in match["evidence"].items()
            if value
        )
        rows.append(("evidence", "; ".join(facts)))
    if not user:
        rows.append(("state", "not there any more"))
    return rows + [
        (_words(name), _text(user[name]))
        for name in ("user_name", "email", "active", "external_id")
        if name in user
    ]


def _change_rows(found: Explanation) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for change in found.changes:
        plan_id = found.plan_ids.get(change.seq)
        fate = f"held back by {change.guard}" if change.state == "blocked" else change.state
        fate += f", plan {plan_id}" if plan_id else ", by the next sync"
        for name, before, after in what(change):
            rows.append(
                (
                    " ".join(filter(None, (change.object, change.action, name))),
                    before,
                    after,
                    change.reason,
                    fate,
                )
            )
    return rows


def _request_row(found: Explanation, row: Row) -> tuple[str, ...]:
    purpose = "; ".join(row["changes"]) or row["kind"].replace("_", " ").replace("+", ", ")
    again = f", try {row['attempt']}" if row["attempt"] > 1 else ""
    answer = f"HTTP {row['http_status']}" if row["http_status"] else "no answer"
    problem = f": {row['problem']}" if row["problem"] else ""
    return (
        moment(row["sent_at"], found.timezone),
        row["plan_id"],
        purpose + again,
        answer + problem,
        row["reason"] or "",
    )


def _history_rows(found: Explanation) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for night in found.history:
        when = moment(night["seen_at"], found.timezone)
        if night["gone"]:
            rows.append(
                (when, "no longer among the people: held back by a rule, or in no record", "", "")
            )
        elif (
            all(change["before"] is None for change in night["changed"].values())
            and "hris_ref" in night["changed"]
        ):
            rows.append(
                (when, "first seen, or seen again", "", _text(night["attributes"].get("status")))
            )
        else:
            for number, (name, change) in enumerate(night["changed"].items()):
                rows.append(
                    (
                        when if number == 0 else "",
                        _words(name),
                        _text(change["before"]),
                        _text(change["after"]),
                    )
                )
    return rows
