"""Reports only read, and what draws them asks nothing."""

import shutil

import duckdb
import pytest

from hris_pipeline.warehouse import Warehouse
from hris_pipeline_tests.imports import HOUSE
from hris_pipeline_tests.sql import LENGTH, long_lines, misplaced, texts


@pytest.fixture
def copy(tmp_path):
    """A copy of the three rooms, in which a rule may be broken."""
    house = tmp_path / "hris_pipeline"
    for room in ("reports", "presentation", "cli"):
        shutil.copytree(HOUSE / room, house / room, ignore=shutil.ignore_patterns("__pycache__"))
    return house


def test_no_line_of_sql_is_longer_than_one_of_python(copy):
    assert long_lines() == []
    (copy / "reports" / "long.sql").write_text("select 1;\nselect " + "1" * LENGTH)
    assert long_lines(copy) == ["reports/long.sql:2 is longer than 100 characters"]


def test_reports_only_read_and_what_draws_them_asks_nothing():
    assert misplaced() == []
    assert {path.suffix for path, _ in texts(HOUSE / "reports")} == {".py", ".sql"}


@pytest.mark.parametrize(
    "query",
    [
        "insert into state.review select 1",
        "insert or replace into state.review values (1)",
        "delete from core.people",
        "update state.plans set plan_id = null",
        "create table core.more as select 1",
        "create or replace view core.more as select 1",
        "create schema more",
        "drop table core.people",
        "alter table core.people add column more varchar",
        "truncate core.people",
        "merge into core.people using more on true when matched then delete",
        "copy core.people to 'people.csv'",
        "attach 'more.duckdb'",
    ],
)
def test_a_report_that_writes_is_noticed_in_a_file_and_in_a_string(copy, query):
    (copy / "reports" / "more.sql").write_text(f"-- Reads: core.people.\n{query}\n")
    (copy / "reports" / "more.py").write_text(
        f'"""More."""\n\nQUERY = f"""{query} where {{1}}"""\n'
    )
    lines = misplaced(copy)
    assert [line.partition(" writes (")[0] for line in lines] == [
        "reports/more.sql",
        "reports/more.py",
    ]


@pytest.mark.parametrize(
    "query",
    [
        "create or replace temp view more as select 1",
        "create temp table more as select 1",
        "-- insert into more",
        "from core.people",
    ],
)
def test_what_a_report_may_ask_is_let_through(copy, query):
    (copy / "reports" / "more.sql").write_text(query)
    assert misplaced(copy) == []


@pytest.mark.parametrize("room", ["presentation", "cli"])
@pytest.mark.parametrize(
    "text",
    [
        'QUERY = "select name from core.people"\n',
        'def asked(table):\n    return f"""\n        select name\n        from {table}"""\n',
        'QUERY = "from core.people where wanted"\n',
        'QUERY = "delete from state.review"\n',
    ],
)
def test_a_query_where_something_is_drawn_is_noticed(copy, room, text):
    (copy / room / "shortcut.py").write_text(text)
    assert misplaced(copy) == [f"{room}/shortcut.py holds SQL: a report reads, {room} does not"]


def test_a_file_of_sql_where_something_is_drawn_is_noticed(copy):
    (copy / "presentation" / "plan" / "plan.sql").write_text("from plan")
    assert misplaced(copy) == [
        "presentation/plan/plan.sql holds SQL: a report reads, presentation does not"
    ]


def test_the_connection_of_a_report_cannot_write(tmp_path):
    warehouse = Warehouse(tmp_path, "acme")
    with warehouse.write():
        pass
    with warehouse.read() as con, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        con.execute("delete from state.review")
