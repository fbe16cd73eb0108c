"""One person end to end: what the HR system says, which user that is and why, what is wanted, what is there, what was done.

:func:`read` works it out from the warehouse without a request and without writing a thing. What differs and what is planned it
asks the planner itself, on temporary tables, so that the explanation never contradicts the plan.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hris_pipeline import identity
from hris_pipeline.contracts.change_kinds import UNDOING
from hris_pipeline.contracts.tables import RULES
from hris_pipeline.errors import PipelineError
from hris_pipeline.plan import PlanRules
from hris_pipeline.plan.planning import compute
from hris_pipeline.presentation import clean, document, escaped, moment
from hris_pipeline.presentation import plan as plans
from hris_pipeline.presentation import review as reviews
from hris_pipeline.presentation.compared import Comparison, Row
from hris_pipeline.wording import count

_HERE = Path(__file__).parent
_FOUND, _CHANGES, _REQUESTS, _TURNS = (
    (_HERE / f"explain_{name}.sql").read_text(encoding="utf-8") for name in ("found", "changes", "requests", "turns")
)
_RULES = {rule.name: rule.doc for rule in RULES}
_MATCHED_BY = {
    "decision": "somebody decided so",
    "link": "the link that we keep",
    "marker": "our marker in deskbird (externalId)",
    "email": "the same e-mail address",
    "successor": "the same e-mail address and name; the user's own record ended or is gone",
}


@dataclass(frozen=True, repr=False)
class Explanation:
    """Everything that is known about one person. Holds personal data, so it has no ``repr``."""

    company: str
    now: dt.datetime
    timezone: str
    answer: str
    live: bool  # worked out now; else, because something was never read, as of the last plan
    refs: Sequence[str]  # all the person's records, the primary one first
    person_id: str | None
    deskbird_id: str | None
    records: Sequence[Row]
    person: Row | None
    quarantine: Sequence[Row]
    contradictions: Sequence[Row]
    match: Row | None
    review: Sequence[reviews.Waiting]
    compared: Sequence[Row]
    changes: Sequence[plans.Change]
    plan_ids: Mapping[int, str | None]  # of each change: the plan it is in
    missing: Row | None
    decisions: Sequence[Row]
    requests: Sequence[Row]
    history: Sequence[Row]


@dataclass(frozen=True)
class _Subject:
    """Who is asked about: record ids and user ids only."""

    person_id: str | None
    refs: tuple[str, ...]
    ids: tuple[str, ...]

    @property
    def parameters(self) -> dict[str, list[str]]:
        return {"refs": list(self.refs), "ids": list(self.ids)}


def read(
    con: duckdb.DuckDBPyConnection, company: str, asked: str, rules: PlanRules, now: dt.datetime, *, timezone: str
) -> Explanation:
    """Everything about the person with this e-mail, hris_ref or deskbird id, on a read-only connection.

    :class:`~hris_pipeline.errors.PipelineError`, which does not repeat what was asked, where there is nobody or more than one.
    """
    live = _work_out(con, rules, now)
    _stage_records(con, rules.connections)
    subject = _subject(con, company, asked.strip(), live=live)
    user_row = _match(con, subject, live=live)
    if user_row:
        subject = replace(subject, ids=tuple(dict.fromkeys((user_row["deskbird_id"], *subject.ids))))
    user_id = user_row["deskbird_id"] if user_row else subject.ids[0] if len(subject.ids) == 1 and not subject.refs else None
    person = _one(con, "from core.people where person_id = ?", [subject.person_id])
    user = _one(con, "from deskbird.users where deskbird_id = ?", [user_id])
    changes, plan_ids = _changes(con, company, subject, now, live=live)
    review = _review(con, subject, live=live)
    vanished = "missing_tonight" if live else "state.missing"
    missing = _one(con, f"from {vanished} where list_contains(?, hris_ref)", [list(subject.refs)])
    needed = {"reads_needed": rules.missing_reads, "hours_needed": rules.missing_hours}
    found = Explanation(
        company=company,
        now=now,
        timezone=timezone,
        answer="",
        live=live,
        refs=subject.refs,
        person_id=subject.person_id,
        deskbird_id=user_id,
        records=_records(con, rules.connections, subject),
        person=person,
        quarantine=_quarantine(con, subject, person),
        contradictions=_contradictions(con, subject),
        match=user_row and {**user_row, "user": _shown(user)} if user_row else ({"user": _shown(user)} if user else None),
        review=review,
        compared=Comparison(con, person, user, changes, any(one.rule == "email_is_taken" for one in review), live=live).rows(),
        changes=changes,
        plan_ids=plan_ids,
        missing=missing and {**missing, **needed},
        decisions=_decisions(con, subject),
        requests=_rows(con, _REQUESTS, subject.parameters),
        history=_history(con, subject),
    )
    return replace(found, answer=_answer(found, user, _rows(con, _TURNS, subject.parameters)))


# --- who is meant ---------------------------------------------------------------------------------------------------------------


def _work_out(con: duckdb.DuckDBPyConnection, rules: PlanRules, now: dt.datetime) -> bool:
    """Let the planner say what is wanted now, in temporary tables; False where people or deskbird were never read."""
    built = con.execute(
        """select (select list_sort(list(resource)) from state.observations) = ['groups', 'users']
               and list_has_all((select list(distinct connection) from state.extracts where resource = 'employees'), ?)
               and (exists (from core.people) or exists (from core.quarantine))""",
        [list(rules.connections)],
    ).fetchone()
    if built and built[0]:
        compute(con, rules, now)
        return True
    identity.observe(con, rules.connections)
    return False


def _stage_records(con: duckdb.DuckDBPyConnection, connections: Sequence[str]) -> None:
    there = {
        name
        for (name,) in con.execute("select table_schema from information_schema.tables where table_name = 'employees'").fetchall()
    }
    union = [
        f"""select '{c}:' || id as hris_ref, email from "hris_{c}".employees""" for c in connections if f"hris_{c}" in there
    ] or ["select null::varchar as hris_ref, null::varchar as email where false"]
    con.execute(f"create or replace temp view records_read as {' union all '.join(union)}")


def _subject(con: duckdb.DuckDBPyConnection, company: str, asked: str, *, live: bool) -> _Subject:
    """The one person, or the one user that is nobody's."""
    found = con.execute(_FOUND, {"asked": asked}).fetchall()
    refs = {ref for ref, _ in found if ref}
    strays: list[str] = []
    for id_ in sorted({id_ for _, id_ in found if id_}):
        owners = _owners(con, id_, live=live)
        refs |= owners
        strays += [] if owners else [id_]
    people = {_person_id(con, ref) for ref in refs}
    if len(people) > 1 or (not people and len(strays) > 1):
        names = sorted(refs if people else strays)
        listed = ", ".join([*names[:20], *(["..."] if len(names) > 20 else [])])
        raise PipelineError(
            f"More than one person of company '{company}' is known by that: {listed}. "
            f"Ask about one of them: hris-pipeline explain {company} {names[0]}"
        )
    if not people and not strays:
        raise PipelineError(
            f"Nobody of company '{company}' is known by that e-mail address, hris_ref or deskbird id, as of the last reads. "
            f"`hris-pipeline sync {company} --dry-run` reads both sides anew."
        )
    if not people:
        return _Subject(None, (), tuple(strays))
    (person_id,) = people
    primary = con.execute("select hris_ref, other_refs from core.people where person_id = ?", [person_id]).fetchone()
    known = con.execute("select hris_ref from state.persons where person_id = ? order by since", [person_id]).fetchall()
    all_refs = (*((primary[0], *primary[1]) if primary else ()), *(ref for (ref,) in known), *sorted(refs))
    every = tuple(dict.fromkeys(all_refs))
    ids = con.execute(
        """select deskbird_id from owned_users where list_contains($refs, owner)
           union select deskbird_id from state.links where list_contains($refs, hris_ref) order by 1""",
        {"refs": list(every)},
    ).fetchall()
    return _Subject(person_id, every, tuple(id_ for (id_,) in ids))


def _owners(con: duckdb.DuckDBPyConnection, deskbird_id: str, *, live: bool) -> set[str]:
    """The records that a user belongs to: by the matching, else by the marker or the link."""
    marked = "(select deskbird_id, owner as hris_ref from owned_users)"
    places = [marked, "state.links", "state.missing"]
    for place in ["user_matches", *places] if live else places:
        rows = con.execute(
            f"select hris_ref from {place} where deskbird_id = ? and hris_ref is not null", [deskbird_id]
        ).fetchall()
        if rows:
            return {ref for (ref,) in rows}
    return set()


def _person_id(con: duckdb.DuckDBPyConnection, ref: str) -> str:
    """Whose record it is; the record's own ref where nobody is known to have it."""
    for query in (
        "select person_id from core.people where hris_ref = $1 or person_id = $1 or list_contains(other_refs, $1)",
        "select person_id from state.persons where hris_ref = $1 order by since desc limit 1",
        "select person_id from state.people_history where attributes->>'hris_ref' = $1 order by seen_at desc limit 1",
    ):
        row = con.execute(query, [ref]).fetchone()
        if row:
            return str(row[0])
    return ref


def _match(con: duckdb.DuckDBPyConnection, subject: _Subject, *, live: bool) -> Row | None:
    """The person's user and how it is known: by the matching, or of people whom it does not see, by the marker or the link."""
    refs = list(subject.refs)
    seen = con.execute("select 1 from core.people where person_id = ?", [subject.person_id]).fetchone()
    if live and seen:
        found = _rows(con, "from user_matches where list_contains(?, hris_ref)", [refs])
    else:
        found = _rows(
            con,
            """select owner as hris_ref, deskbird_id, if(marker is null, 'link', 'marker') as rule
               from owned_users where list_contains(?, owner)""",
            [refs],
        )
    if len(found) != 1:
        return None
    kept = _one(
        con,
        """select rule as linked_by, linked_at from state.links where list_contains(?, hris_ref) and deskbird_id = ?
           order by linked_at desc limit 1""",
        [refs, found[0]["deskbird_id"]],
    )
    evidence = _one(
        con,
        """select facts_that('agrees', p, u) as agrees, facts_that('differs', p, u) as differs
           from core.people p, deskbird.users u where p.person_id = ? and u.deskbird_id = ?""",
        [subject.person_id, found[0]["deskbird_id"]],
    )
    if live and seen and found[0]["rule"] == "successor":
        query = "select evidence->>'predecessor' as predecessor from match_evidence where deskbird_id = ?"
        evidence = {**(_one(con, query, [found[0]["deskbird_id"]]) or {}), **(evidence or {})}
    return {
        **found[0],
        "evidence": evidence,
        **(kept or {"linked_by": None, "linked_at": None}),
    }


# --- what is known --------------------------------------------------------------------------------------------------------------


def _rows(con: duckdb.DuckDBPyConnection, query: str, parameters: object = None) -> list[Row]:
    con.execute(query, parameters)
    names = [column[0] for column in con.description or ()]
    return [dict(zip(names, row, strict=True)) for row in con.fetchall()]


def _one(con: duckdb.DuckDBPyConnection, query: str, parameters: object = None) -> Row | None:
    rows = _rows(con, query, parameters)
    return rows[0] if rows else None


def _shown(user: Row | None) -> Row | None:
    return user and {name: value for name, value in user.items() if name not in ("deskbird_id", "version")}


def _records(con: duckdb.DuckDBPyConnection, connections: Sequence[str], subject: _Subject) -> list[Row]:
    """The person's records as they were read last, and how that read was proven."""
    found = []
    for ref in subject.refs:
        connection, _, id_ = ref.partition(":")
        if connection not in connections:
            continue
        proof = _one(
            con,
            """select extracted_at as read_at, proof, why from state.extracts where connection = ? and resource = 'employees'
               order by extracted_at desc, rowid desc limit 1""",
            [connection],
        )
        if not con.execute("select 1 from records_read where hris_ref = ? limit 1", [ref]).fetchone():
            continue
        for row in _rows(con, f'from "hris_{connection}".employees where id = ? order by employment_id', [id_]):
            given = {**row, **(row["attributes"] or {}), "attributes": None}
            values = {name: value for name, value in given.items() if value is not None and value != []}
            found.append({"hris_ref": ref, "values": values, **(proof or {"read_at": None, "proof": None, "why": None})})
    return found


def _quarantine(con: duckdb.DuckDBPyConnection, subject: _Subject, person: Row | None) -> list[Row]:
    """The rules that the person's records break, and those that a group breaks that they name."""
    refs = [*subject.refs, *((person or {}).get("group_refs") or ())]
    rows = _rows(con, "from core.quarantine where list_contains(?, hris_ref) order by first_seen, hris_ref, rule", [refs])
    return [{**row, "meaning": _RULES.get(row["rule"], row["rule"].replace("_", " "))} for row in rows]


def _contradictions(con: duckdb.DuckDBPyConnection, subject: _Subject) -> list[Row]:
    """Where the status and the days of the person's records do not go together."""
    rows = _rows(
        con, "from state.contradictions where list_contains(?, hris_ref) order by first_seen, hris_ref", [list(subject.refs)]
    )
    return [{**row, "meaning": reviews.CONTRADICTIONS.get(row["code"], row["code"].replace("_", " "))} for row in rows]


_WAITS_NOW = """
    select t.hris_ref, t.rule, coalesce(min(r.since), cast(getvariable('now') as timestamptz)) as since,
        coalesce(any_value(c.candidates), list(t.deskbird_id)) as candidates, min(t.deskbird_id) as deskbird_id
    from review_tonight t left join state.review r on r.hris_ref = t.hris_ref and r.rule = t.rule
    left join review_candidates c on c.hris_ref = t.hris_ref
    group by t.hris_ref, t.rule"""


def _review(con: duckdb.DuckDBPyConnection, subject: _Subject, *, live: bool) -> list[reviews.Waiting]:
    """What waits for a decision about the person, or about the user."""
    waiting = reviews.read(con, _WAITS_NOW) if live else reviews.read(con)
    return [one for one in waiting if one.hris_ref in subject.refs or (not subject.refs and _is_about(one, subject.ids))]


def _is_about(one: reviews.Waiting, ids: Sequence[str]) -> bool:
    return any(candidate["deskbird_id"] in ids for candidate in one.candidates)


def _changes(
    con: duckdb.DuckDBPyConnection, company: str, subject: _Subject, now: dt.datetime, *, live: bool
) -> tuple[list[plans.Change], dict[int, str | None]]:
    """What is to change and is not done yet; and of each change, by its number here, the plan it is in."""
    if not live:
        try:
            stored = plans.read(con, company, now)
        except PipelineError:
            return [], {}
        mine = [c for c in stored.changes if c.object != "group" and (c.hris_ref in subject.refs or c.deskbird_id in subject.ids)]
        mine = [change for change in mine if change.state not in ("applied", "skipped")]
        return mine, {change.seq: stored.plan_id for change in mine}
    rows = _rows(con, _CHANGES, subject.parameters)
    found = [
        plans.Change(
            seq=number,
            request=0,
            **{name: row[name] for name in ("object", "action", "hris_ref", "deskbird_id", "group_ref", "group_deskbird_id")},
            **{name: json.loads(row[name]) for name in ("before", "after", "evidence")},
            **{name: row[name] for name in ("reason", "reason_code", "verdict", "guard", "kind")},
            group=row["group_name"],
            manager_before=(row["manager_before"], row["manager_before_name"]),
            manager_after=(row["manager_after"], row["manager_after_name"]),
        )
        for number, row in enumerate(rows)
    ]
    return found, {number: row["plan_id"] for number, row in enumerate(rows)}


def _decisions(con: duckdb.DuckDBPyConnection, subject: _Subject) -> list[Row]:
    """What people decided: who is who, and what guards held back."""
    return _rows(
        con,
        """select decided_at, decision, concat_ws(' ', hris_ref, deskbird_id) as about, because, decided_by from state.decisions
           where list_contains($refs, hris_ref) or list_contains($ids, deskbird_id)
           union all
           select a.decided_at, a.decision, concat_ws(' ', 'plan', a.plan_id || ':', c.object, c.action, c.group_ref), a.because,
               a.decided_by
           from state.approvals a join state.plan_changes c using (plan_id, content)
           where c.object <> 'group' and (list_contains($refs, c.hris_ref) or list_contains($ids, c.deskbird_id))
           order by 1""",
        subject.parameters,
    )


def _history(con: duckdb.DuckDBPyConnection, subject: _Subject) -> list[Row]:
    """The nights on which the person's row became another one: what changed from what to what."""
    rows = con.execute(
        "select seen_at, gone, attributes::varchar from state.people_history where person_id = ? order by seen_at",
        [subject.person_id],
    ).fetchall()
    before: Row = {}
    nights = []
    for seen_at, gone, text in rows:
        now: Row = json.loads(text) if text else {}
        changed = {
            name: {"before": before.get(name), "after": now.get(name)}
            for name in ({} if gone else {**before, **now})
            if before.get(name) != now.get(name)
        }
        nights.append({"seen_at": seen_at, "gone": gone, "changed": changed, "attributes": now or None})
        before = now
    return nights


# --- the answer -----------------------------------------------------------------------------------------------------------------


def _answer(found: Explanation, user: Row | None, turns: Sequence[Row]) -> str:
    """What comes first: how the user is, since when and why, and what comes next."""
    last = turns[0] if turns else None
    told = user is not None and not user["active"] and last is not None and last["action"] == "deactivate"
    done = told and (found.person is None or found.person["status"] == "ended") and not found.changes
    return f"{_state(found, user, last)} {'' if done else _next(found, user)}".strip()


def _because(reason: str | None, code: str | None) -> str:
    """The plan's reason as the end of a sentence."""
    if not reason:
        return ""
    told = f"{reason[0].lower()}{reason[1:].rstrip('.')}"
    if code in UNDOING:
        return f", which {told}"
    return f", because {'it was ' if code == 'changed_by_hand' else ''}{told}"


def _state(found: Explanation, user: Row | None, last: Row | None) -> str:
    """How the user is, and since when and why; ``last`` is what this pipeline did last with the user itself."""
    if user is None and found.review:
        return "No user in deskbird is taken for the person's."
    if user is None:
        return "There is no user in deskbird for the person." if found.refs else "deskbird has no such user any more."
    done = last and f"on {moment(last['done_at'], found.timezone)[:10]} by plan {last['plan_id']}"
    if last and not user["active"] and last["action"] == "deactivate":
        return f"The user is inactive: it was deactivated {done}{_because(last['reason'], last['reason_code'])}."
    if not user["active"]:
        return "The user is inactive, but this pipeline did not deactivate it: somebody did so in deskbird itself."
    if last and last["action"] == "deactivate":
        return f"The user is active: it was deactivated {done}, and reactivated in deskbird itself since."
    return (
        f"The user is active: it was {'made' if last['action'] == 'create' else 'reactivated'} {done}."
        if last
        else "The user is active."
    )


def _next(found: Explanation, user: Row | None) -> str:
    """What comes next, or why nothing does."""
    held = [row for row in found.quarantine if row["hris_ref"] in found.refs]
    deciding = [one for one in found.review if one.rule != "email_is_taken"]
    if found.missing:
        since = moment(found.missing["missing_since"], found.timezone)[:10]
        return f"The HRIS has had no record of the person since {since}: {_reads(found.missing)}. {_planned(found)}"
    if held:
        rule = held[0]["rule"]
        return f"Nothing is changed: the record breaks rule {rule} ({held[0]['meaning']}). Correct it in the HRIS."
    if deciding:
        why = reviews.meaning(deciding[0].rule)
        return f"Nothing is changed until somebody decides: {why} See: hris-pipeline review {found.company}"
    if found.changes:
        return _planned(found)
    if found.person is None:
        return (
            "The HRIS has no record of the person." if found.refs else "It belongs to no record of the HRIS, so it is left alone."
        )
    return _why_so(found, found.person, user)


def _why_so(found: Explanation, person: Row, user: Row | None) -> str:
    """Why nothing is planned for a person whom the HRIS knows."""
    if not person["in_scope"]:
        return f"The company file's scope leaves the person out{_by(person)}."
    if person["status"] == "ended":
        ended = f"ended on {person['end_date']}" if person["end_date"] else "ended"
        left = (
            " The user is not known to be the person's by a link or our marker, so it is left alone."
            if user and user["active"]
            else ""
        )
        return f"By the HRIS the employment {ended}.{left}"
    if not person["wanted"]:
        return f"The person starts on {person['start_date'] or 'a day that the HRIS does not name'}, so no user is wanted yet."
    if not found.live:
        return "What differs is not known: deskbird or the HR system was not read yet."
    return "Nothing is to change: it is as the HRIS says." if not found.review else reviews.meaning(found.review[0].rule)


def _by(person: Row) -> str:
    return f" (rule {person['scope_rule']})" if person.get("scope_rule") else ""


def _reads(missing: Row) -> str:
    so_far = f"{count(missing['complete_reads'], 'complete read')} without it so far"
    return f"{so_far}; it counts as gone after {missing['reads_needed']} and {missing['hours_needed']} hours"


_DOES = {
    "create": "makes one",
    "deactivate": "deactivates it",
    "reactivate": "reactivates it",
    "link": "links it to the person",
    "update": "updates it",
}


def _planned(found: Explanation) -> str:
    """What is planned, the change of the user itself first."""
    if not found.changes:
        return ""
    weighty = ("deactivate", "reactivate", "create")
    first = min(found.changes, key=lambda change: (change.object != "user", change.action not in weighty, change.seq))
    plan_id = found.plan_ids.get(first.seq)
    by = f"Plan {plan_id}" if plan_id else "The next sync"
    what = _DOES.get(first.action, "changes it") if first.object == "user" else f"changes the {first.object}"
    others = len(found.changes) - 1
    more = f" ({count(others, 'more change')})" if others else ""
    because = _because(first.reason, first.reason_code)
    if first.state == "planned":
        return f"{by} {what}{because}{more}."
    fate = (
        f"guard {first.guard} holds that back"
        if first.state == "blocked"
        else f"that {first.state.replace('stale', 'went stale')}"
    )
    return f"{by} {what}{because}; but {fate}{more}."


# --- sections: the same for a terminal and for Markdown -------------------------------------------------------------------------


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

    broken = [(row["hris_ref"], row["rule"], row["meaning"], when(row["first_seen"])) for row in found.quarantine]
    tells = (reviews.candidate_line, reviews.facts_line)
    waiting = [
        (
            one.rule,
            reviews.meaning(one.rule),
            "\n".join(filter(None, (tell(each) for each in one.candidates for tell in tells))),
            when(one.since),
        )
        for one in found.review
    ]
    contradicting = [
        (
            row["hris_ref"],
            row["code"],
            f"{reviews.said(row['word'], row['first_day'], row['last_day'], row['decided'])}. {row['meaning']}",
            when(row["first_seen"]),
        )
        for row in found.contradictions
    ]
    compared = [
        (
            _words(row["attribute"]),
            _text(row["wanted"], row.get("wanted_name")),
            _text(row["observed"], row.get("observed_name")),
            row["source"],
            row["verdict"],
        )
        for row in found.compared
    ]
    missing = [(when(row["missing_since"]), _reads(row)) for row in [found.missing] if row]
    decided = [
        (when(row["decided_at"]), row["decision"], row["about"], row["decided_by"], row["because"] or "")
        for row in found.decisions
    ]
    all_of_them = (
        Section("HRIS record", ("record", "attribute", "value"), _record_rows(found)),
        Section("Person", ("attribute", "value", "since"), _person_rows(found)),
        Section("Held back by rules", ("record", "rule", "what must hold", "since"), broken),
        Section("Contradicts itself", ("record", "code", "what it says, and what to correct", "since"), contradicting),
        Section("User in deskbird", ("attribute", "value"), _match_rows(found)),
        Section("Waits for a decision", ("rule", "what it means", "users", "since"), waiting),
        Section("Wanted and there", ("attribute", "HRIS", "deskbird", "known by", "what follows"), compared),
        Section("To change", ("what", "from", "to", "why", "verdict"), _change_rows(found)),
        Section("Missing", ("since", "what"), missing),
        Section("Decisions", ("when", "decision", "about", "by", "because"), decided),
        Section("Requests made", ("when", "plan", "what", "answer", "why"), [_request_row(found, row) for row in found.requests]),
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
            f"{moment(record['read_at'], found.timezone)}, {record['proof']}: {record['why']}" if record["read_at"] else "never"
        )
        rows.append((record["hris_ref"], "read", proof))
        rows += [("", _words(name), _text(value)) for name, value in record["values"].items() if name != "id"]
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
    shown = [name for name in names if name in person and (person[name] not in (None, []) or name == "status")]
    since = _since(found.history)
    return [
        (titles.get(name, _words(name)), _text(person[name]), moment(since[name], found.timezone) if name in since else "")
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
        since = f", kept since {moment(match['linked_at'], found.timezone)} by {match['linked_by']}" if match["linked_at"] else ""
        rows.append(("known by", f"{match['rule']}: {_MATCHED_BY.get(match['rule'], match['rule'])}{since}"))
    if match.get("evidence"):
        said = (f"{name}: {_text(value).replace('_', ' ')}" for name, value in match["evidence"].items() if value)
        rows.append(("evidence", "; ".join(said)))
    if not user:
        rows.append(("state", "not there any more"))
    return rows + [(_words(name), _text(user[name])) for name in ("user_name", "email", "active", "external_id") if name in user]


def _change_rows(found: Explanation) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for change in found.changes:
        plan_id = found.plan_ids.get(change.seq)
        verdict = f"held back by {change.guard}" if change.state == "blocked" else change.state
        verdict += f", plan {plan_id}" if plan_id else ", by the next sync"
        for name, before, after in plans.what(change):
            rows.append((" ".join(filter(None, (change.object, change.action, name))), before, after, change.reason, verdict))
    return rows


def _request_row(found: Explanation, row: Row) -> tuple[str, ...]:
    what = "; ".join(row["changes"]) or row["kind"].replace("_", " ").replace("+", ", ")
    again = f", try {row['attempt']}" if row["attempt"] > 1 else ""
    answer = f"HTTP {row['http_status']}" if row["http_status"] else "no answer"
    problem = f": {row['problem']}" if row["problem"] else ""
    return moment(row["sent_at"], found.timezone), row["plan_id"], what + again, answer + problem, row["reason"] or ""


def _history_rows(found: Explanation) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for night in found.history:
        when = moment(night["seen_at"], found.timezone)
        if night["gone"]:
            rows.append((when, "no longer among the people: held back by a rule, or in no record", "", ""))
        elif all(change["before"] is None for change in night["changed"].values()) and "hris_ref" in night["changed"]:
            rows.append((when, "first seen, or seen again", "", _text(night["attributes"].get("status"))))
        else:
            for number, (name, change) in enumerate(night["changed"].items()):
                rows.append((when if number == 0 else "", _words(name), _text(change["before"]), _text(change["after"])))
    return rows


# --- for a terminal and as a document -------------------------------------------------------------------------------------------


def show(to: Console, found: Explanation) -> None:
    """Print the explanation."""
    to.print(Text(clean(found.answer), "bold"))
    to.print(Text.assemble(_head(found), (f"  {moment(found.now, found.timezone)} {found.timezone}", "dim")))
    for section in sections(found):
        to.print()
        to.print(Text(section.title, "bold cyan"))
        table = Table(box=None, show_header=len(section.columns) > 3, header_style="dim", padding=(0, 2, 0, 0))
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
        escaped(found.answer),
        "",
        f"As of {moment(found.now, found.timezone)} {found.timezone}.",
    ]
    for section in sections(found):
        lines += ["", f"## {section.title}", "", f"| {' | '.join(section.columns)} |", "|---" * len(section.columns) + "|"]
        lines += ["| " + " | ".join("<br>".join(map(escaped, cell.split("\n"))) for cell in row) + " |" for row in section.rows]
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
    body = {name: value for name, value in vars(found).items() if name not in ("company", "plan_ids")}
    body["review"] = [
        {**vars(one), "meaning": reviews.meaning(one.rule), "commands": one.commands(found.company)} for one in found.review
    ]
    body["changes"] = [
        {"plan_id": found.plan_ids.get(change.seq), **{name: getattr(change, name) for name in (*names, *fate)}}
        for change in found.changes
    ]
    return document("explain", found.company, body)
