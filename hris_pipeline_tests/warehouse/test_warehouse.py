"""The DuckDB file: all or nothing, for its owner only, and one clear sentence for whatever is wrong
with it.
"""

import datetime as dt
import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from hris_pipeline.arrow import schema
from hris_pipeline.contracts.extracts import Extract
from hris_pipeline.contracts.tables import (
    CORE,
    DESKBIRD,
    DESKBIRD_GROUP_MEMBERS,
    DESKBIRD_GROUPS,
    DESKBIRD_USERS,
    EMPLOYEES,
    ORG_UNITS,
    Table,
)
from hris_pipeline.errors import PipelineError, WarehouseError
from hris_pipeline.hris.extract import EmployeeFile, OrgUnitFile
from hris_pipeline.warehouse import SCHEMA_VERSION, Warehouse, loading, scratch

NOW = dt.datetime(2026, 3, 2, 4, 30, tzinfo=dt.UTC)
SECRET = "Zo\u00eb Geheim"


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A warehouse whose table ``core.groups`` holds one row."""
    warehouse = Warehouse(tmp_path / "data", "acme", patience=0.3)
    with warehouse.write(["p"]) as con:
        con.execute("insert into core.groups values ('p:team:1', 'team', 'Sales', null, 1)")
    return warehouse


def groups_in(warehouse: Warehouse) -> list[tuple[str, ...]]:
    with warehouse.read() as con:
        return con.execute("select hris_ref from core.groups").fetchall()


# --- the folder beside it -------------------------------------------------------------------------


def test_a_scratch_folder_is_empty_its_owners_only_and_gone_afterwards(tmp_path: Path) -> None:
    left_behind = tmp_path / "data" / ".acme.reading" / "employees.arrow"
    left_behind.parent.mkdir(parents=True)
    left_behind.touch()
    with scratch(left_behind.parent) as folder:
        assert list(folder.iterdir()) == []
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        left_behind.touch()
    assert list((tmp_path / "data").iterdir()) == []


def test_a_scratch_folder_that_cannot_be_used_is_named_and_gone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        WarehouseError,
        match=r"acme\.reading cannot be used \(Not a directory\)\. Nothing that was read is used",
    ):
        scratch(tmp_path / "file" / ".acme.reading").__enter__()
    with (
        pytest.raises(WarehouseError, match=r"No space left on device") as caught,
        scratch(tmp_path / "data") as folder,
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / "employees.arrow"))
    assert not folder.exists()
    assert caught.value.__suppress_context__


# --- what it makes --------------------------------------------------------------------------------


def test_every_table_of_the_contracts_is_there_with_their_columns(warehouse: Warehouse) -> None:
    with warehouse.write(["p", "q"]) as con:
        for table in (*CORE, *DESKBIRD, EMPLOYEES.at("hris_p"), ORG_UNITS.at("hris_q")):
            described = con.execute(f"describe {table.qualified}").fetchall()
            assert [(name, type_, null == "YES") for name, type_, null, *_ in described] == [
                (
                    column.name,
                    column.type.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"),
                    column.nullable,
                )
                for column in table.columns
            ]


def test_files_are_for_their_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        warehouse = Warehouse(tmp_path / "data", "acme")
        with warehouse.write() as con:
            assert stat.S_IMODE(warehouse.path.stat().st_mode) == 0o600  # from its first byte
            con.execute("create table core.large as select range as n from range(100000)")
        warehouse.path.chmod(0o644)
        with warehouse.write():
            pass
        copy = warehouse.publish_copy()
    finally:
        os.umask(old)
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in (warehouse.path, copy)} == {
        "acme.duckdb": 0o600,
        "acme.read.duckdb": 0o600,
    }


def test_connections_speak_utc(warehouse: Warehouse) -> None:
    with warehouse.read() as con:
        assert con.execute("select current_setting('TimeZone')").fetchone() == ("UTC",)


# --- all or nothing -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "problem", [ValueError("ours"), KeyboardInterrupt(), WarehouseError("ours")]
)
def test_what_raises_is_rolled_back_and_the_last_good_tables_stay(
    warehouse: Warehouse, problem: BaseException
) -> None:
    with (  # noqa: PT012 - the block is what is undone
        pytest.raises(type(problem)),
        warehouse.write() as con,
    ):
        con.execute("delete from core.groups")
        con.execute("create or replace table core.people as select 1 as gone")
        raise problem
    assert groups_in(warehouse) == [("p:team:1",)]
    with warehouse.read() as con:
        assert con.execute(
            "select count(*) from core.people where person_id is null"
        ).fetchone() == (0,)


def test_a_block_commits_at_its_end_and_not_before(warehouse: Warehouse) -> None:
    with warehouse.write() as con:
        con.execute("delete from core.groups")
        con.execute("create table core.extra (n integer)")
    assert groups_in(warehouse) == []


def test_what_is_temporary_ends_with_its_block(warehouse: Warehouse) -> None:
    with warehouse.write() as con:
        con.execute("create temp table passing as select 1 as n; set TimeZone = 'Asia/Tokyo'")
    with warehouse.read() as con:
        assert con.execute("from duckdb_tables() where table_name = 'passing'").fetchall() == []
        assert con.execute("select current_setting('TimeZone')").fetchone() == ("UTC",)


def test_a_block_that_fails_leaves_the_next_one_a_duckdb_of_its_own(warehouse: Warehouse) -> None:
    with (  # noqa: PT012 - the block is what is undone
        pytest.raises(ValueError, match="ours"),
        warehouse.write() as con,
    ):
        (limit,) = con.execute("select current_setting('memory_limit')").fetchone() or ("",)
        con.execute("set memory_limit = '20MB'")
        raise ValueError("ours")
    with warehouse.read() as con:
        assert con.execute("select current_setting('memory_limit')").fetchone() == (limit,)


def test_a_file_that_cannot_be_opened_keeps_its_rights(warehouse: Warehouse) -> None:
    warehouse.path.write_bytes(b"no database at all" * 1000)
    warehouse.path.chmod(0o644)
    refused(warehouse.write(), "is no DuckDB file")
    assert stat.S_IMODE(warehouse.path.stat().st_mode) == 0o644


# --- what can be wrong with the file --------------------------------------------------------------


def refused(block: Iterator[object], *words: str) -> str:
    """The one sentence or two with which a block is refused."""
    with pytest.raises(WarehouseError) as problem, block:  # type: ignore[attr-defined]
        pass
    text = str(problem.value)
    assert all(word in text for word in words), text
    assert problem.value.__context__ is None or problem.value.__suppress_context__
    return text


def refused_within(warehouse: Warehouse, sql: str) -> str:
    """What is said of a statement that fails within a block."""

    def run() -> None:
        with warehouse.write() as con:
            con.execute(sql).fetchall()

    with pytest.raises(WarehouseError) as problem:
        run()
    return str(problem.value)


def test_a_file_of_another_schema_version_is_left_alone(warehouse: Warehouse) -> None:
    with warehouse.write() as con:
        con.execute("update state.schema_version set version = ?", [SCHEMA_VERSION + 1])
    before = warehouse.path.read_bytes()
    for block in (warehouse.write(["q"]), warehouse.read()):
        refused(
            block,
            "acme.duckdb was written by another version",
            f"is {SCHEMA_VERSION + 1},",
            "Nothing was read or written",
        )
    assert warehouse.path.read_bytes() == before


def test_a_file_of_somebody_elses_tables_is_left_alone(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "acme.duckdb") as con:
        con.execute("create table theirs as select 1 as n")
    refused(Warehouse(tmp_path, "acme").read(), "another version of this project")


@pytest.mark.parametrize(
    "content", [b"no database at all" * 1000, b"x", b"PK\x03\x04" + bytes(5000)]
)
def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "acme.duckdb"
    path.write_bytes(content)
    for block in (Warehouse(tmp_path, "acme").write(), Warehouse(tmp_path, "acme").read()):
        refused(
            block,
            "acme.duckdb",
            "is no DuckDB file",
            "Nothing was read, and nothing was written to deskbird",
        )
    assert path.read_bytes() == content


@pytest.mark.parametrize("how", ["cut off", "one byte", "its head"])
def test_c119_a_damaged_file_is_named_with_the_way_out(warehouse: Warehouse, how: str) -> None:
    with warehouse.write() as con:
        con.execute(
            "create table core.much as select range as i, 'x' || range as text from range(100000)"
        )
    content = bytearray(warehouse.path.read_bytes())
    half = len(content) // 2
    if how == "cut off":
        del content[half:]
    elif how == "one byte":
        content[half] ^= 0xFF
    else:
        content[:64] = bytes(64)
    warehouse.path.write_bytes(content)

    def everything() -> None:
        with warehouse.write() as con:
            con.execute("select sum(length(text)), sum(i) from core.much").fetchall()

    with pytest.raises(WarehouseError) as problem:
        everything()
    text = str(problem.value)
    assert "acme.duckdb is damaged" in text
    assert "Restore it from a backup, or move acme.duckdb and acme.duckdb.wal away" in text
    assert "links are found again by deskbird's markers" in text


def test_c119_a_damaged_log_beside_the_file_is_named_with_the_way_out(
    warehouse: Warehouse,
) -> None:
    beside = warehouse.path.with_name("acme.duckdb.wal")
    with duckdb.connect(warehouse.path) as con:
        con.execute(
            "set wal_autocheckpoint = '1GB'; create table core.t as select range as i from "
            "range(3000)"
        )
        log = beside.read_bytes()
        file = warehouse.path.read_bytes()
    warehouse.path.write_bytes(file)
    damaged = bytearray(log)
    damaged[len(log) // 2] ^= 0xFF
    beside.write_bytes(damaged)
    refused(
        warehouse.write(),
        "acme.duckdb.wal, the log of the last changes beside acme.duckdb, is damaged",
        "nothing was written to deskbird",
        "move acme.duckdb.wal away",
    )
    beside.unlink()
    with warehouse.read() as con:
        assert con.execute("select count(*) from state.schema_version").fetchone() == (1,)


def test_a_conversion_that_fails_is_no_other_version(warehouse: Warehouse) -> None:
    text = refused_within(warehouse, "select 'x'::integer")
    assert "another version" not in text


def test_a_damaged_file_is_named(warehouse: Warehouse) -> None:
    content = bytearray(warehouse.path.read_bytes())
    content[8192 : 8192 + 4096] = bytes(4096)
    content[4096 + 8 : 4096 + 16] = b"\xff" * 8
    content[16:200] = b"\xff" * 184
    warehouse.path.write_bytes(bytes(content))
    refused(warehouse.write(), "acme.duckdb")


def test_there_is_nothing_to_read_before_the_first_night(tmp_path: Path) -> None:
    refused(
        Warehouse(tmp_path, "acme").read(),
        "There is no data of company 'acme' yet",
        "hris-pipeline sync acme",
    )
    assert not list(tmp_path.iterdir())


def test_a_folder_in_the_files_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "acme.duckdb").mkdir()
    refused(Warehouse(tmp_path, "acme").write(), "acme.duckdb")


HOLD = (
    "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); "
    "sys.stdin.read()"
)


def test_a_file_that_is_open_elsewhere_is_waited_for_and_then_named(warehouse: Warehouse) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(warehouse.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        refused(
            warehouse.write(),
            "acme.duckdb is open in another process",
            "Nothing was written",
            "acme.read.duckdb",
        )
        refused(warehouse.read(), "acme.duckdb is open in another process")
        patient = Warehouse(warehouse.path.parent, "acme", patience=60)
        assert holder.stdin is not None
        holder.stdin.close()
        with patient.write() as con:  # freed while we wait
            con.execute("delete from core.groups")
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


FULL = {
    "the disk": duckdb.IOException('Could not write file "x": No space left on device'),
    "memory": duckdb.OutOfMemoryException("failed to allocate data of size 1.0 MiB"),
    "the spill folder": duckdb.OutOfMemoryException(
        "failed to offload data block, max_temp_directory_size, disk"
    ),
}


def test_a_file_that_may_not_be_opened_is_named(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="cannot be opened for writing"), warehouse.write():
        raise duckdb.IOException('Cannot open file "x": Permission denied')


def test_a_damaged_block_is_not_said_to_be_a_lock(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="is damaged"), warehouse.write():
        raise duckdb.IOException(
            "Corrupt database file: computed checksum does not match stored checksum in block 7"
        )


@pytest.mark.parametrize("what", FULL)
def test_a_full_disk_is_one_sentence_and_the_last_good_tables_stay(
    warehouse: Warehouse, what: str
) -> None:
    with (  # noqa: PT012 - the block is what is undone
        pytest.raises(WarehouseError, match="There is no room for acme"),
        warehouse.write() as con,
    ):
        con.execute("delete from core.groups")
        raise FULL[what]
    assert groups_in(warehouse) == [("p:team:1",)]


def test_what_does_not_fit_into_memory_says_so(warehouse: Warehouse) -> None:
    small = Warehouse(warehouse.path.parent, "acme", memory="20MB")
    with (  # noqa: PT012 - the block is what is undone
        pytest.raises(WarehouseError, match="There is no room for acme"),
        small.write() as con,
    ):
        con.execute("set max_temp_directory_size = '1MB'")
        con.execute(
            """create table core.large as
               select md5(range::varchar) as a, md5((range + 1)::varchar) as b
               from range(3000000)
               order by all"""
        )
    assert groups_in(warehouse) == [("p:team:1",)]


# --- no values in what is said --------------------------------------------------------------------

LEAKS = {
    "cast": f"select cast('{SECRET}' as integer)",
    "cast of a column": f"select cast(name as date) from (select '{SECRET}' as name)",
    "duplicate key": (
        f"insert into state.dialects (form, dialect, learnt_at) select '{SECRET}', 'rfc', now() "
        "from range(2)"
    ),
    "not null": f"insert into core.groups (name) values ('{SECRET}')",
    "syntax": f"selec '{SECRET}'",
    "binder": f'select "{SECRET}"',
    "json": f"select '{SECRET}'::json",
    "error()": f"select error('{SECRET}')",
}


@pytest.mark.parametrize("name", LEAKS)
def test_c81_errors_of_duckdb_carry_no_values(warehouse: Warehouse, name: str) -> None:
    with (  # noqa: PT012 - the block is what is undone
        pytest.raises(WarehouseError) as problem,
        warehouse.write() as con,
    ):
        con.execute("delete from core.groups")
        con.execute(LEAKS[name])
    assert not any(part in str(problem.value) for part in SECRET.split())
    assert "The last good tables are untouched" in str(problem.value) or "Nothing was" in str(
        problem.value
    )
    assert problem.value.__suppress_context__
    assert groups_in(warehouse) == [("p:team:1",)]
    with pytest.raises(WarehouseError) as problem, warehouse.read() as con:
        con.execute(LEAKS[name].replace("insert into", "insert into nowhere."))
    assert not any(part in str(problem.value) for part in SECRET.split())


# --- a copy for people ----------------------------------------------------------------------------


def test_the_copy_is_replaced_in_one_step_under_a_reader(warehouse: Warehouse) -> None:
    copy = warehouse.publish_copy()
    assert copy == warehouse.path.with_name("acme.read.duckdb")
    with duckdb.connect(copy, read_only=True) as reader:
        with warehouse.write() as con:
            con.execute("delete from core.groups")
        inode = copy.stat().st_ino
        assert warehouse.publish_copy() == copy
        assert copy.stat().st_ino != inode
        # their own, to the end
        assert reader.execute("select hris_ref from core.groups").fetchall() == [("p:team:1",)]
    with duckdb.connect(copy, read_only=True) as reader:
        assert reader.execute("select hris_ref from core.groups").fetchall() == []
    assert sorted(path.name for path in copy.parent.iterdir() if path.suffix != ".spill") == [
        "acme.duckdb",
        "acme.read.duckdb",
    ]


def test_a_copy_that_cannot_be_written_leaves_the_last_one(warehouse: Warehouse) -> None:
    copy = warehouse.publish_copy()
    content = copy.read_bytes()
    (copy.with_suffix(".new")).mkdir()
    with pytest.raises(WarehouseError, match=r"acme.read.duckdb could not be written"):
        warehouse.publish_copy()
    assert copy.read_bytes() == content


# --- loading what the edges read ------------------------------------------------------------------


def employees(directory: Path, *ids: str) -> Extract:
    columns = {
        **{
            name: [None] * len(ids)
            for name in EMPLOYEES.names
            if name not in {"groups", "absent", "attributes"}
        },
        "id": list(ids),
        "email": [f"{id_}@acme.test" for id_ in ids],
    }
    with EmployeeFile(directory, columns, ["team"]) as file:
        file.add(columns, {"team": [["1"] for _ in ids]})
    return Extract(
        "employees", file.path, 1, len(ids), len(ids), "proven", "All were read.", ("team",)
    )


def test_extracts_replace_their_tables_and_leave_their_proof(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    with OrgUnitFile(tmp_path) as file:
        file.add("team", ["1"], ["Sales"])
    for ids in (("1", "2"), ("3",)):
        extracts = [
            employees(tmp_path, *ids),
            Extract("org_units", file.path, 1, file.count, None, "unproven", "No total."),
        ]
        with warehouse.write(["p"]) as con:
            loading.publish_extracts(con, "p", extracts, NOW)
    with warehouse.read() as con:
        assert con.execute("select id, email, groups from hris_p.employees").fetchall() == [
            ("3", "3@acme.test", [{"kind": "team", "id": "1"}])
        ]
        kept = (
            "select resource, records, expected, proof, vanished from state.extracts order by rowid"
        )
        assert con.execute(kept).fetchall() == [
            ("employees", 2, 2, "proven", ["team"]), ("org_units", 1, None, "unproven", []),
            ("employees", 1, 1, "proven", ["team"]), ("org_units", 1, None, "unproven", []),
        ]  # fmt: skip


def test_c18_a_source_that_gives_the_same_rows_in_whatever_order_is_known_to_be_unchanged_since(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    days = []
    for day, ids in enumerate(
        [("1", "2"), ("2", "1"), ("1", "2"), ("1", "3"), ("1",), ("1", "1"), ("1", "2")]
    ):
        with warehouse.write(["p"]) as con:
            loading.publish_extracts(
                con, "p", [employees(tmp_path, *ids)], NOW + dt.timedelta(days=day)
            )
            found = loading.unchanged_since(con, "p", "employees")
            assert found is not None
            days.append((found - NOW).days)
            assert loading.unchanged_since(con, "q", "employees") is None
    assert days == [0, 0, 0, 3, 4, 5, 6]


class Seen:
    pages, records = 1, 2

    def __init__(self, *readable: str) -> None:
        self.readable = readable


def arrow(path: Path, table: Table, rows: list[dict[str, object]]) -> Path:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema(table)) as stream:
        stream.write_batch(pa.RecordBatch.from_pylist(rows, schema=schema(table)))
    return path


def test_users_are_ours_by_our_marker_or_by_the_link(warehouse: Warehouse, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"deskbird_id": "1", "active": True, "external_id": "p:1"},
        {"deskbird_id": "2", "active": True, "external_id": "other:2"},
        {"deskbird_id": "3", "active": True, "external_id": None},
        {"deskbird_id": "4", "active": True, "external_id": None},
    ]
    with warehouse.write(["p"]) as con:
        con.execute(
            "insert into state.links values ('p:3', '3', 'email', now()), ('p:2', '2', 'link', "
            "now())"
        )
        path = arrow(tmp_path / "users.arrow", DESKBIRD_USERS, rows)
        loading.publish_users(con, path, Seen("email"), connections=["p"], now=NOW, run_id="1")
        loading.publish_users(
            con, path, Seen("external_id"), connections=["p"], now=NOW, run_id="2"
        )
        assert con.execute(
            "select deskbird_id, hris_ref from deskbird.users order by all"
        ).fetchall() == [
            ("1", "p:1"), ("2", "p:2"), ("3", "p:3"), ("4", None),
        ]  # fmt: skip
        # what came back once stays readable
        assert con.execute("select run_id, readable from state.observations").fetchall() == [
            ("2", ["email", "external_id"])
        ]
        groups = arrow(
            tmp_path / "groups.arrow",
            DESKBIRD_GROUPS,
            [{"deskbird_id": "g", "external_id": "p:team:1"}],
        )
        members = arrow(
            tmp_path / "members.arrow",
            DESKBIRD_GROUP_MEMBERS,
            [{"group_deskbird_id": "g", "user_deskbird_id": "1"}],
        )
        loading.publish_groups(
            con, groups, members, Seen("members"), connections=["p"], now=NOW, run_id="3"
        )
        assert con.execute(
            "select hris_ref, user_deskbird_id from deskbird.groups, deskbird.group_members"
        ).fetchall() == [("p:team:1", "1")]


def read_deskbird(
    con: duckdb.DuckDBPyConnection, folder: Path, users: dict[str, str], groups: dict[str, str]
) -> None:
    """One night's read of a deskbird that hides all members: the id of each marker."""
    about: dict[str, Any] = {"connections": ["p"], "now": NOW, "run_id": "1"}
    people: list[dict[str, object]] = [
        {"deskbird_id": id_, "external_id": ref, "active": True} for ref, id_ in users.items()
    ]
    units: list[dict[str, object]] = [
        {"deskbird_id": id_, "external_id": ref} for ref, id_ in groups.items()
    ]
    loading.publish_users(
        con, arrow(folder / "users", DESKBIRD_USERS, people), Seen("external_id"), **about
    )
    groups_path = arrow(folder / "groups", DESKBIRD_GROUPS, units)
    members_path = arrow(folder / "members", DESKBIRD_GROUP_MEMBERS, [])
    loading.publish_groups(con, groups_path, members_path, Seen("name"), **about)


def test_c115_who_is_hidden_in_a_group_that_comes_back_under_another_id_is_possibly_still_there(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    members = (
        "select group_deskbird_id, user_deskbird_id, is_possible from state.acknowledged_members "
        "order by all"
    )
    with warehouse.write(["p"]) as con:
        read_deskbird(
            con, tmp_path, {"p:1": "u1", "p:2": "u2"}, {"p:team:1": "g1", "p:team:2": "g2"}
        )
        con.execute("""insert into state.acknowledged_members (group_deskbird_id, user_deskbird_id)
               values ('g1', 'u1'), ('g1', 'u2'), ('g2', 'u2'), ('g2', 'gone')""")
        read_deskbird(
            con, tmp_path, {"p:1": "u1", "p:2": "u2"}, {"p:team:1": "g7", "p:team:2": "g2"}
        )
        assert con.execute(members).fetchall() == [
            ("g2", "gone", False), ("g2", "u2", False), ("g7", "u1", True), ("g7", "u2", True),
        ]  # fmt: skip
        # a user too, and back again
        read_deskbird(
            con, tmp_path, {"p:1": "u1", "p:2": "u7"}, {"p:team:1": "g1", "p:team:2": "g2"}
        )
        assert con.execute(members).fetchall() == [
            ("g1", "u1", True), ("g1", "u7", True), ("g2", "gone", False), ("g2", "u7", True),
        ]  # fmt: skip


def test_c115_a_group_that_is_shown_twice_takes_nobody_over(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    with warehouse.write(["p"]) as con:
        read_deskbird(con, tmp_path, {"p:1": "u1"}, {"p:team:1": "g1"})
        con.execute(
            "insert into state.acknowledged_members (group_deskbird_id, user_deskbird_id) values "
            "('g1', 'u1')"
        )
        groups = arrow(
            tmp_path / "groups",
            DESKBIRD_GROUPS,
            [{"deskbird_id": id_, "external_id": "p:team:1"} for id_ in ("g7", "g8")],
        )
        none = arrow(tmp_path / "members", DESKBIRD_GROUP_MEMBERS, [])
        loading.publish_groups(
            con, groups, none, Seen("name"), connections=["p"], now=NOW, run_id="1"
        )
        assert con.execute("select * from state.acknowledged_members").fetchall() == [
            ("g1", "u1", False)
        ]


def test_a_torn_extract_changes_nothing_and_says_no_values(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    extract = employees(tmp_path, "1", "2")
    with warehouse.write(["p"]) as con:
        loading.publish_extracts(con, "p", [extract], NOW)
    extract = employees(tmp_path, *(str(n) for n in range(5000)))
    extract.path.write_bytes(extract.path.read_bytes()[:-3000])
    with pytest.raises(PipelineError) as problem, warehouse.write(["p"]) as con:
        loading.publish_extracts(con, "p", [extract], NOW)
    assert "@" not in str(problem.value)
    with warehouse.read() as con:
        assert con.execute("select count(*) from hris_p.employees").fetchone() == (2,)


def test_arrow_and_duckdb_agree_on_the_raw_tables() -> None:
    for table in (EMPLOYEES, ORG_UNITS):
        assert tuple(schema(table).names) == table.names
