"""The contracts are documentation too: complete, and true to the design's words."""

import duckdb
import pytest
from plan.world import UNGUARDED, World

from hris_pipeline import contracts
from hris_pipeline.contracts import Table
from hris_pipeline.warehouse import judge
from hris_pipeline.warehouse.connection import prepare

TABLES = (contracts.EMPLOYEES, contracts.ORG_UNITS, *contracts.CORE, *contracts.DESKBIRD)
DESIGN = {  # more are welcome, fewer are not
    "core.people": (
        "person_id hris_ref email given_name family_name display_name status start_date end_date manager_ref timezone in_scope"
    ),
    "core.quarantine": "hris_ref table rule first_seen last_seen",
    "core.groups": "hris_ref kind name parent_ref member_count",
    "core.memberships": "group_ref person_id",
    "core.manager_graph": "person_id manager_id depth chain direct_reports all_reports problem",
    "deskbird.users": "deskbird_id hris_ref user_name email given_name family_name active manager_deskbird_id",
    "deskbird.groups": "deskbird_id hris_ref name",
    "deskbird.group_members": "group_deskbird_id user_deskbird_id",
    "deskbird.changes": (
        "plan_id seq request object action hris_ref deskbird_id group_ref group_deskbird_id before after reason evidence "
        "verdict guard"
    ),
    "deskbird.applied_changes": "plan_id seq object action outcome http_status attempts applied_at problem",
}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.schema}.{table.name}")
def test_every_column_is_explained_and_every_key_and_rule_is_about_one(table: Table) -> None:
    assert all(column.doc for column in table.columns)
    assert set(table.key) <= set(table.names)
    assert all(not column.nullable for column in table.columns if column.name in table.key)
    assert set(DESIGN.get(f"{table.schema}.{table.name}", "").split()) <= set(table.names)
    assert all(rule.doc and " " not in rule.name for rule in table.rules)


ADDRESSES = [
    "ada@acme.test",
    " ADA@acme.test ",
    "jo\u0308rg@acme.test",
    "HO\u0308RST@acme.test",
    "J\u030c@acme.test",  # a capital of two characters, whose small letter is one
    "Ann@GoogleMail.com",
    "ann@gmail.com",
    "ann@googlemail.com.test",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_has_one_key_in_python_and_in_sql(address: str) -> None:
    with prepare(duckdb.connect()) as con:
        assert con.execute("select email_key(?)", [address]).fetchall() == [(contracts.email_key(address),)]


def test_all_tables_of_the_design_are_there() -> None:
    assert {f"{table.schema}.{table.name}" for table in TABLES} >= set(DESIGN)


def test_names_and_addresses_are_marked_as_personal() -> None:
    words = {"email", "given_name", "family_name", "display_name", "user_name", "before", "after"}
    marked = {column.name for table in TABLES for column in table.columns if column.personal}
    assert marked == words


def test_what_a_night_publishes_keeps_every_contract() -> None:
    world = World(guards=UNGUARDED)
    world.hire("1", "2", manager_id="1", groups=(world.unit("team", "1", "Sales"),))
    world.hire("3", status="?")
    world.settle()
    world.people["2"].family_name = "New"
    world.make_plan()
    with world.warehouse.read() as con:
        for table in (*contracts.CORE, *contracts.DESKBIRD):
            described = con.execute(f"describe {table.qualified}").fetchall()
            assert {name for name, *_ in described} == set(table.names), table.name
            assert judge.require(con, table, table.qualified) > 0
