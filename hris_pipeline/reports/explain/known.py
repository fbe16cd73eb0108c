"""What is known of one person: records, what holds them back, what is to change, what was decided,
asked and seen.
"""

import datetime as dt
import json
from collections.abc import Sequence

import duckdb

from hris_pipeline.errors import PipelineError
from hris_pipeline.reports import plan as plans
from hris_pipeline.reports import review as reviews
from hris_pipeline.reports.explain.subject import Subject
from hris_pipeline.reports.queries import Row, first, rows, sql

_CHANGES, _DECISIONS, _REQUESTS, _TURNS = (
    sql(f"explain/{name}") for name in ("changes", "decisions", "requests", "turns")
)
_WAITS_NOW = sql("explain/waits_now")


def shown(user: Row | None) -> Row | None:
    """The user without what only programs need."""
    return user and {
        name: value for name, value in user.items() if name not in ("deskbird_id", "version")
    }


def records(
    con: duckdb.DuckDBPyConnection, connections: Sequence[str], subject: Subject
) -> list[Row]:
    """The person's records as they were read last, and how that read was proven."""
    found = []
    for ref in subject.refs:
        connection, _, id_ = ref.partition(":")
        if connection not in connections:
            continue
        proof = first(
            con,
            """select extracted_at as read_at, proof, why
               from state.extracts
               where connection = ? and resource = 'employees'
               order by extracted_at desc, rowid desc limit 1""",
            [connection],
        )
        if not con.execute(
            "select 1 from records_read where hris_ref = ? limit 1", [ref]
        ).fetchone():
            continue
        for row in rows(
            con, f'from "hris_{connection}".employees where id = ? order by employment_id', [id_]
        ):
            given = {**row, **(row["attributes"] or {}), "attributes": None}
            values = {
                name: value for name, value in given.items() if value is not None and value != []
            }
            found.append(
                {
                    "hris_ref": ref,
                    "values": values,
                    **(proof or {"read_at": None, "proof": None, "why": None}),
                }
            )
    return found


def quarantine(con: duckdb.DuckDBPyConnection, subject: Subject, person: Row | None) -> list[Row]:
    """The rules that the person's records break, and those that a group breaks that they name."""
    refs = [*subject.refs, *((person or {}).get("group_refs") or ())]
    return rows(
        con,
        "from core.quarantine where list_contains(?, hris_ref) order by first_seen, hris_ref, rule",
        [refs],
    )


def contradictions(con: duckdb.DuckDBPyConnection, subject: Subject) -> list[Row]:
    """Where the status and the days of the person's records do not go together."""
    query = (
        "from state.contradictions where list_contains(?, hris_ref) order by first_seen, hris_ref"
    )
    return rows(con, query, [list(subject.refs)])


def review(
    con: duckdb.DuckDBPyConnection, subject: Subject, *, live: bool
) -> list[reviews.Waiting]:
    """What waits for a decision about the person, or about the user."""
    waiting = reviews.read(con, _WAITS_NOW) if live else reviews.read(con)
    return [
        one
        for one in waiting
        if one.hris_ref in subject.refs or (not subject.refs and _is_about(one, subject.ids))
    ]


def _is_about(one: reviews.Waiting, ids: Sequence[str]) -> bool:
    return any(candidate["deskbird_id"] in ids for candidate in one.candidates)


def changes(
    con: duckdb.DuckDBPyConnection, company: str, subject: Subject, now: dt.datetime, *, live: bool
) -> tuple[list[plans.Change], dict[int, str | None]]:
    """What is to change and is not done yet; and of each change, by its number here, the plan it is
    in.
    """
    if not live:
        try:
            stored = plans.read(con, company, now)
        except PipelineError:
            return [], {}
        mine = [
            c
            for c in stored.changes
            if c.object != "group" and (c.hris_ref in subject.refs or c.deskbird_id in subject.ids)
        ]
        mine = [change for change in mine if change.state not in ("applied", "skipped")]
        return mine, {change.seq: stored.plan_id for change in mine}
    planned = rows(con, _CHANGES, subject.parameters)
    found = [
        plans.Change(
            seq=number,
            request=0,
            **{
                name: row[name]
                for name in (
                    "object",
                    "action",
                    "hris_ref",
                    "deskbird_id",
                    "group_ref",
                    "group_deskbird_id",
                )
            },
            **{name: json.loads(row[name]) for name in ("before", "after", "evidence")},
            **{name: row[name] for name in ("reason", "reason_code", "verdict", "guard", "kind")},
            group=row["group_name"],
            manager_before=(row["manager_before"], row["manager_before_name"]),
            manager_after=(row["manager_after"], row["manager_after_name"]),
        )
        for number, row in enumerate(planned)
    ]
    return found, {number: row["plan_id"] for number, row in enumerate(planned)}


def decisions(con: duckdb.DuckDBPyConnection, subject: Subject) -> list[Row]:
    """What people decided: who is who, and what guards held back."""
    return rows(con, _DECISIONS, subject.parameters)


def history(con: duckdb.DuckDBPyConnection, subject: Subject) -> list[Row]:
    """The nights on which the person's row became another one: what changed from what to what."""
    seen = con.execute(
        "select seen_at, gone, attributes::varchar from state.people_history where person_id = ? "
        "order by seen_at",
        [subject.person_id],
    ).fetchall()
    before: Row = {}
    nights = []
    for seen_at, gone, text in seen:
        now: Row = json.loads(text) if text else {}
        changed = {
            name: {"before": before.get(name), "after": now.get(name)}
            for name in ({} if gone else {**before, **now})
            if before.get(name) != now.get(name)
        }
        nights.append(
            {"seen_at": seen_at, "gone": gone, "changed": changed, "attributes": now or None}
        )
        before = now
    return nights


def requests(con: duckdb.DuckDBPyConnection, subject: Subject) -> list[Row]:
    """Every request ever made for the person, the oldest first."""
    return rows(con, _REQUESTS, subject.parameters)


def turns(con: duckdb.DuckDBPyConnection, subject: Subject) -> list[Row]:
    """When this pipeline made, deactivated or reactivated the user, the latest first."""
    return rows(con, _TURNS, subject.parameters)
