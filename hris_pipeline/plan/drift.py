"""What people change in deskbird by hand, and what deskbird does not keep: seen, and repaired or
left alone.

A hand-made change is what differs between the last read of one night and the first of the next. It
is drift while the HRIS still wants what deskbird held before; what the HRIS wants otherwise by now
is a change like any other. All functions run inside the caller's transaction.
"""

import datetime as dt
from pathlib import Path
from typing import Literal

import duckdb

from hris_pipeline.contracts.attributes import ATTRIBUTES
from hris_pipeline.plan import dialects
from hris_pipeline.warehouse import run

_HERE = Path(__file__).parent
_NEW, _EXTERNAL, _VALUES, _IGNORED, _NOT_RETAINED, _PUBLISH = (
    (_HERE / f"{name}.sql").read_text(encoding="utf-8")
    for name in (
        "new_external_changes",
        "external_changes",
        "values_of_changes",
        "ignored_drift",
        "not_retained",
        "findings/ignored_drift",
    )
)
NIGHTS = 3
"""On how many nights in a row a value must be lost or refused before it is left alone (case 65);
ignored_drift.sql has it too.
"""
_READS = {"users": ("users",), "groups": ("groups", "group_members")}
_BEFORE = {"users": "users_before", "groups": "groups_before", "group_members": "members_before"}
HIDDEN = """union all by name
    select group_deskbird_id, user_deskbird_id
    from state.acknowledged_members
    where group_deskbird_id in (select group_deskbird_id from state.partial_groups)"""
"""SQL that adds, to the members that deskbird shows, those that it hides in a group of which it
shows only a part.
"""
_COLUMNS = """null::bigint as row, null::varchar as hris_ref, null::varchar as group_ref,
    null::varchar as object, null::varchar as deskbird_id, null::varchar as attribute"""


def remember(con: duckdb.DuckDBPyConnection, *resources: Literal["users", "groups"]) -> None:
    """Keep what the last read of these showed, before another one takes its place; for
    :func:`note`.
    """
    read = [table for resource in resources for table in _READS[resource]]
    for table, before in _BEFORE.items():
        kept = "" if table in read else "limit 0"
        hidden = HIDDEN if table == "group_members" else ""
        con.execute(
            f"create or replace temp table {before} as from deskbird.{table} {hidden} {kept}"
        )


def note(con: duckdb.DuckDBPyConnection, now: dt.datetime) -> None:
    """Keep what has changed in deskbird since the remembered read, in
    ``state.external_changes``.
    """
    con.execute("set variable now = ?", [now])
    con.execute(
        "set variable shown_attributes = ?",
        [[each.name for each in ATTRIBUTES if each.shown != "never"]],
    )
    run(con, _NEW)
    if _any(con, "new_external_changes"):
        latest = "(select max(number) from state.plans)"
        _units(
            con,
            "planned",
            "state.plan_changes where plan_id in (select plan_id from state.plans where number = "
            f"{latest})",
        )
        run(con, _EXTERNAL)
    for table in _BEFORE.values():
        con.execute(f"drop table {table}")


def begin(con: duckdb.DuckDBPyConnection) -> None:
    """Make the empty temp tables ``drifting`` and ``ignored_drift``."""
    con.execute(f"""create or replace temp table drifting as
            select {_COLUMNS}, null::varchar as wanted, null::timestamptz as since where false""")
    con.execute(
        f"""create or replace temp table ignored_drift as
            select {_COLUMNS}, '' as why, null::timestamptz as since, null::varchar as code
            where false"""
    )


def judge_values(con: duckdb.DuckDBPyConnection) -> None:
    """Take the values that are left alone out of ``user_differences``; what of the others is drift
    stands in ``drifting``.
    """
    con.execute("""create or replace temp table differing as
           select null::bigint as row,
               hris_ref,
               null::varchar as group_ref,
               'user' as object,
               deskbird_id,
               attribute,
               after->>'$' as wanted
           from user_differences""")
    run(con, _IGNORED)
    con.execute(
        """delete from user_differences
           where (deskbird_id, attribute) in (
               select (deskbird_id, attribute) from ignored_drift where object = 'user'
           )"""
    )


def judge_changes(con: duckdb.DuckDBPyConnection) -> None:
    """The same for wanted changes that are no values of users: which of them is drift, and which is
    left alone.
    """
    _units(
        con,
        "differing",
        "wanted_changes where not (object = 'user' and action = 'update')",
        row="row",
    )
    run(con, _IGNORED)


def after_the_night(
    con: duckdb.DuckDBPyConnection, plan_id: str, *, now: dt.datetime, run_id: str
) -> bool:
    """Count, after the read-back and a comparison, what did not stick or was refused; True where
    something is given up now.

    The forms of write in which it was accepted and lost are doubted.
    """
    con.execute("set variable now = ?", [now])
    con.execute("set variable plan_id = ?", [plan_id])
    con.execute("set variable run_id = ?", [run_id])
    if not _any(
        con, "proposed_changes", "user_differences", "state.external_changes", "state.not_retained"
    ):
        return False
    _units(
        con,
        "differing",
        "proposed_changes where not (object = 'user' and action = 'update')",
        row="change",
    )
    con.execute(
        "insert into differing select null, hris_ref, null, 'user', deskbird_id, attribute, "
        "after->>'$' from user_differences"
    )
    _units(con, "tried", "state.plan_changes where plan_id = getvariable('plan_id')", row="seq")
    run(con, _NOT_RETAINED)
    lost = con.execute("""select distinct object, attribute, wanted from retention_counts
           where code = 'not_retained' and last_night = getvariable('now')""").fetchall()
    dialects.doubt(con, {form for unit in lost for form in dialects.forms_of(*unit)})
    return _any(con, f"retention_counts where nights >= {NIGHTS} and attribute <> 'record'")


def publish(con: duckdb.DuckDBPyConnection) -> None:
    """Keep what is left alone, for people to see."""
    run(con, _PUBLISH)


def is_watched(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether anything was changed by hand, or did not stick, that a comparison might find to be
    over.
    """
    return _any(con, "state.external_changes", "state.not_retained")


def ignored_drift(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """How many values are left alone: kept, and not retained or refused."""
    row = con.execute(
        "select count(*) filter (why = 'kept'), count(*) filter (why <> 'kept') from "
        "state.ignored_drift"
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _units(
    con: duckdb.DuckDBPyConnection, table: str, source: str, *, row: str = "null::bigint"
) -> None:
    columns = "object, action, hris_ref, group_ref, deskbird_id, group_deskbird_id, after"
    run(
        con,
        _VALUES.replace("{table}", table).replace(
            "{source}", f"(select {row} as row, {columns} from {source})"
        ),
    )


def _any(con: duckdb.DuckDBPyConnection, *sources: str) -> bool:
    row = con.execute(
        f"select {' or '.join(f'exists (from {source})' for source in sources)}"
    ).fetchone()
    return bool(row and row[0])
