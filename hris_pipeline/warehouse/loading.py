"""From the edges' Arrow files into the tables they belong to: one transaction, all or nothing."""

import datetime as dt
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal, Protocol

import duckdb
import pyarrow as pa

from hris_pipeline.contracts.extracts import Extract
from hris_pipeline.contracts.tables import (
    DESKBIRD_GROUP_MEMBERS,
    DESKBIRD_GROUPS,
    DESKBIRD_USERS,
    EMPLOYEES,
    ORG_UNITS,
    Table,
)
from hris_pipeline.warehouse.connection import note_addresses, run, stage

_UNREADABLE, _PARTIAL, _RENUMBERED = (
    (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
    for name in ("unreadable_records", "partial_groups", "renumbered_members")
)
PARTIAL = "partial"
"""The proof, as ``state.extracts`` has it, of a read that asked for changes only."""


class Unread(Protocol):
    """A record that could not be read (see ``hris_pipeline.deskbird.records.Unreadable``)."""

    @property
    def code(self) -> str: ...  # noqa: D102
    @property
    def deskbird_id(self) -> str | None: ...  # noqa: D102
    @property
    def external_id(self) -> str | None: ...  # noqa: D102
    @property
    def address(self) -> str | None: ...  # noqa: D102
    @property
    def page(self) -> int: ...  # noqa: D102
    @property
    def position(self) -> int: ...  # noqa: D102


class Observed(Protocol):
    """What a complete read of deskbird says of itself (see
    ``hris_pipeline.deskbird.scim.Observation``).
    """

    @property
    def pages(self) -> int: ...  # noqa: D102
    @property
    def records(self) -> int: ...  # noqa: D102
    @property
    def readable(self) -> Collection[str]: ...  # noqa: D102


def publish_extracts(
    con: duckdb.DuckDBPyConnection, connection: str, extracts: Sequence[Extract], now: dt.datetime
) -> None:
    """Replace the connection's raw tables with what was read, and record the proof of each.

    What a partial extract holds takes the place of the same people's and units' rows; the other
    rows stay.
    """
    tables = {"employees": EMPLOYEES, "org_units": ORG_UNITS}
    for extract in extracts:
        table = tables[extract.resource].at(f"hris_{connection}")
        if extract.partial:
            _merge(
                con,
                table,
                extract.path,
                ("id",) if extract.resource == "employees" else ("kind", "id"),
            )
        else:
            _replace(con, table, extract.path)
        if extract.resource == "employees":
            note_addresses(con, table.qualified, ("email",))
        _note_change(con, connection, extract.resource, table, now)
        con.execute(
            "insert into state.extracts values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                connection,
                extract.resource,
                now,
                extract.pages,
                extract.records,
                extract.expected,
                PARTIAL if extract.partial else extract.proof,
                extract.why,
                list(extract.vanished),
            ],
        )


def publish_users(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    observation: Observed,
    *,
    connections: Sequence[str],
    now: dt.datetime,
    run_id: str,
    unreadable: Sequence[Unread] = (),
    notes: Collection[str] = (),
) -> None:
    """Replace ``deskbird.users``; ``hris_ref`` is our marker, or the link we keep."""
    hidden = _remember_ids(con, "users")
    _replace(con, DESKBIRD_USERS, path, _owned("state.links", connections))
    if hidden:
        run(con, _RENUMBERED)
    note_addresses(con, DESKBIRD_USERS.qualified, ("email", "user_name"))
    _observe(con, "users", observation, now, run_id)
    _note_oddities(con, "users", unreadable, notes, connections=connections, now=now)


def publish_groups(
    con: duckdb.DuckDBPyConnection,
    groups_path: Path,
    members_path: Path,
    observation: Observed,
    *,
    connections: Sequence[str],
    now: dt.datetime,
    run_id: str,
    unreadable: Sequence[Unread] = (),
    notes: Collection[str] = (),
    untold: Collection[str] = (),
) -> int:
    """Replace ``deskbird.groups`` and ``deskbird.group_members``; how many groups show only a part
    of their members.

    ``untold`` are groups with a member of whom it is not said who that is.
    """
    look = bool(untold) or _any(con, "state.acknowledged_members", "state.partial_groups")
    if look:
        con.execute(
            "create or replace temp table members_before_read as from deskbird.group_members"
        )
    hidden = _remember_ids(con, "groups")
    _replace(con, DESKBIRD_GROUPS, groups_path, _owned("state.group_links", connections))
    if hidden:
        run(con, _RENUMBERED)
    _replace(con, DESKBIRD_GROUP_MEMBERS, members_path)
    _observe(con, "groups", observation, now, run_id)
    _note_oddities(con, "groups", unreadable, notes, connections=connections, now=now)
    shows = con.execute(
        "select list_contains(readable, 'members') from state.observations where resource = "
        "'groups'"
    ).fetchall()
    if look and shows == [(True,)]:
        con.execute("set variable now = ?", [now])
        con.execute("set variable untold_groups = ?::varchar[]", [list(untold)])
        run(con, _PARTIAL)
    return int(con.execute("select count(*) from state.partial_groups").fetchall()[0][0])


def expected_members(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many members each group should show: those it showed at the last read, and those deskbird
    has acknowledged since.
    """
    found = con.execute("""select group_deskbird_id, count(distinct user_deskbird_id) from (
               select group_deskbird_id, user_deskbird_id from deskbird.group_members
               union all by name
               select group_deskbird_id, user_deskbird_id from state.acknowledged_members
           ) group by all""")
    return dict(found.fetchall())


def _note_oddities(
    con: duckdb.DuckDBPyConnection,
    resource: str,
    unreadable: Sequence[Unread],
    notes: Collection[str],
    *,
    connections: Sequence[str],
    now: dt.datetime,
) -> None:
    """Keep what is odd about a list, and which of its records could not be read."""
    if notes or _any(con, "state.list_notes"):
        con.execute("delete from state.list_notes where resource = ?", [resource])
        for note in notes:
            con.execute("insert into state.list_notes values (?, ?, ?)", [resource, note, now])
    if not unreadable and not _any(con, "state.unreadable_records"):
        return
    con.execute("set variable resource = ?", [resource])
    con.execute("set variable connections = ?", [list(connections)])
    con.execute("set variable now = ?", [now])
    con.execute(
        """create or replace temp table unreadable (
               deskbird_id varchar, page bigint, position bigint, code varchar, external_id varchar,
               address varchar)"""
    )
    columns = ("deskbird_id", "page", "position", "code", "external_id", "address")
    stage(
        con,
        "unreadable",
        columns,
        [tuple(getattr(one, column) for column in columns) for one in unreadable],
    )
    run(con, _UNREADABLE)
    con.execute("drop table unreadable")


def _remember_ids(con: duckdb.DuckDBPyConnection, resource: Literal["users", "groups"]) -> bool:
    """Keep whose each id was at the last read, where a member is known by it alone; whether there
    is one.
    """
    if not _any(con, "state.acknowledged_members"):
        return False
    con.execute(
        f"""create or replace temp table known_before as
            select '{resource}' as resource, deskbird_id, hris_ref
            from deskbird.{resource}
            where hris_ref is not null"""
    )
    return True


def _any(con: duckdb.DuckDBPyConnection, *tables: str) -> bool:
    return con.execute(
        f"select {' or '.join(f'exists (from {table})' for table in tables)}"
    ).fetchall() == [(True,)]


def read_completely_at(con: duckdb.DuckDBPyConnection, connection: str) -> dt.datetime | None:
    """When a connection was last read from end to end; None where it never was."""
    found = con.execute(
        "select max(extracted_at) from state.extracts where connection = ? and resource = "
        "'employees' and proof <> ?",
        [connection, PARTIAL],
    ).fetchall()
    at: dt.datetime | None = found[0][0]
    return at


def unchanged_since(
    con: duckdb.DuckDBPyConnection, connection: str, resource: str
) -> dt.datetime | None:
    """Since when a source has given exactly the same rows (case 18); None where it was never
    read.
    """
    found = con.execute(
        "select changed_at from state.source_changes where connection = ? and resource = ?",
        [connection, resource],
    ).fetchone()
    return found[0] if found else None


def _note_change(
    con: duckdb.DuckDBPyConnection, connection: str, resource: str, table: Table, now: dt.datetime
) -> None:
    con.execute(
        f"""insert or replace into state.source_changes
            select $connection, $resource, read.digest, $now
            from (
                select coalesce(bit_xor(hash(r)), 0)::ubigint as digest from {table.qualified} r
            ) read
            where not exists (
                from state.source_changes s
                where s.connection = $connection
                    and s.resource = $resource
                    and s.digest = read.digest)""",
        {"connection": connection, "resource": resource, "now": now},
    )


def _owned(links: str, connections: Sequence[str]) -> str:
    """SQL for whose a row is: the marker where it is one of ours, else the link."""
    markers = (
        " or ".join(f"starts_with(external_id, '{connection}:')" for connection in connections)
        or "false"
    )
    linked = f"select min(l.hris_ref) from {links} l where l.deskbird_id = incoming.deskbird_id"
    return f"coalesce(case when {markers} then external_id end, ({linked}))"


def _merge(con: duckdb.DuckDBPyConnection, table: Table, path: Path, key: Sequence[str]) -> None:
    columns = ", ".join(
        f'cast("{column.name}" as {column.type}) as "{column.name}"' for column in table.columns
    )
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as reader:
        con.register("incoming", reader.read_all())  # a few, and read twice
        con.execute(
            f"delete from {table.qualified} t using incoming i where "
            f"{' and '.join(f't.{k} = i.{k}' for k in key)}"
        )
        con.execute(f"insert into {table.qualified} by name select {columns} from incoming")
        con.unregister("incoming")


def _replace(
    con: duckdb.DuckDBPyConnection, table: Table, path: Path, hris_ref: str | None = None
) -> None:
    sources = {column.name: f'incoming."{column.name}"' for column in table.columns} | (
        {"hris_ref": hris_ref} if hris_ref else {}
    )
    columns = ", ".join(
        f'cast({sources[column.name]} as {column.type}) as "{column.name}"'
        for column in table.columns
    )
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as reader:
        con.register("incoming", reader)
        con.execute(f"create or replace table {table.qualified} as select {columns} from incoming")
        con.unregister("incoming")


def _observe(
    con: duckdb.DuckDBPyConnection,
    resource: str,
    observation: Observed,
    now: dt.datetime,
    run_id: str,
) -> None:
    known = con.execute(
        "select readable from state.observations where resource = ?", [resource]
    ).fetchone()
    # what came back once for anybody stays readable
    readable = sorted({*observation.readable, *(known[0] if known else ())})
    con.execute(
        "insert or replace into state.observations values (?, ?, ?, ?, ?, ?)",
        [resource, now, run_id, observation.pages, observation.records, readable],
    )
