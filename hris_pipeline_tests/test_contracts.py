"""The contracts are documentation too: complete, and true to the design's words."""

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan.world import UNGUARDED, World

from hris_pipeline import texts
from hris_pipeline.contracts.tables import CORE, DESKBIRD, EMPLOYEES, ORG_UNITS, PEOPLE, Table
from hris_pipeline.warehouse import judge
from hris_pipeline.warehouse.connection import note_addresses, prepare

TABLES = (EMPLOYEES, ORG_UNITS, *CORE, *DESKBIRD)
DESIGN = {  # more are welcome, fewer are not
    "core.people": (
        "person_id hris_ref email given_name family_name display_name status start_date end_date "
        "manager_ref timezone in_scope"
    ),
    "core.quarantine": "hris_ref table rule first_seen last_seen",
    "core.groups": "hris_ref kind name parent_ref member_count",
    "core.memberships": "group_ref person_id",
    "core.manager_graph": "person_id manager_id depth chain direct_reports all_reports problem",
    "deskbird.users": (
        "deskbird_id hris_ref user_name email given_name family_name active manager_deskbird_id"
    ),
    "deskbird.groups": "deskbird_id hris_ref name",
    "deskbird.group_members": "group_deskbird_id user_deskbird_id",
    "deskbird.changes": (
        "plan_id seq request object action hris_ref deskbird_id group_ref group_deskbird_id before "
        "after reason evidence verdict guard"
    ),
    "deskbird.applied_changes": (
        "plan_id seq object action outcome http_status attempts applied_at problem"
    ),
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
        assert con.execute("select email_key(?)", [address]).fetchall() == [
            (texts.email_key(address),)
        ]


ODD_ADDRESSES = [
    (
        "di@m\u00fcller.example",
        "di@xn--mller-kva.example",
        "DI@XN--MLLER-KVA.Example",
        "di@mu\u0308ller\uff0eexample",
    ),
    (
        "o'neill@acme.test",
        "o\u2019neill@acme.test",
        "O\u2018Neill@acme.test",
        "o\uff07neill@acme.test",
    ),
    ("x@stra\u00dfe.example", "x@xn--strae-oqa.example"),
    (
        "x@a.\u4f8b\u3048.\u4e2d\u56fd",
        "x@a.xn--r8jz45g.xn--fiqs8s",
        "x@a\u3002\u4f8b\u3048\u3002\u4e2d\u56fd",
    ),
    ("broken@xn--\u00e4.test", "broken@XN--\u00c4.test"),  # what is no punycode stays as it is
    ("a@b@xn--mller-kva.example", "A@b@xn--mller-kva.example"),
]


def test_c98_an_address_that_can_be_written_in_several_ways_has_one_key_in_python_and_in_sql() -> (
    None
):
    with prepare(duckdb.connect()) as con:
        con.execute(
            "create schema state; create table users (email varchar);create table "
            "state.address_forms (kind varchar, written varchar, letters varchar, primary key "
            "(kind, written))"
        )
        con.executemany(
            "insert into users values (?)", [(each,) for forms in ODD_ADDRESSES for each in forms]
        )
        note_addresses(con, "users", ("email",))
        for forms in (*ODD_ADDRESSES, *((address,) for address in ADDRESSES)):
            found = {
                con.execute("select email_key(?)", [each]).fetchone()[0]  # type: ignore[index]
                for each in forms
            }
            assert found == {texts.email_key(each) for each in forms}
            assert len(found) == 1
        keys = {texts.email_key(forms[0]) for forms in ODD_ADDRESSES}
        assert len(keys) == len(ODD_ADDRESSES)


_CHARACTERS = st.sampled_from(
    "aB<>@.-mailto: "
    " \t\n\x85\xa0\u00ad\u200b\u200c\u200d\u200e\x1c\u2028\u00e9\u00c9\u0301\u2019\u06f1"
    "\u0645\u0627\u0915\u094d\u0937\ufeff\U000e0020\U0001f600\u3164\u061c"
)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with prepare(duckdb.connect()) as made:
        yield made


@given(text=st.text(_CHARACTERS, max_size=12))
def test_c97_text_is_cleaned_alike_in_python_and_in_sql_and_once_is_enough(
    con: duckdb.DuckDBPyConnection, text: str
) -> None:
    query = "select coalesce(clean_text($x), ''), coalesce(clean_address($x), '')"
    found = con.execute(query, {"x": text}).fetchone()
    assert found == (texts.clean_text(text), texts.clean_address(text))
    assert texts.clean_text(found[0]) == found[0]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Anna\nMaria", "Anna Maria"),
        ("Anna \r\n\t Maria ", "Anna Maria"),
        ("Van\u00a0Dyk\u2003", "Van Dyk"),
        ("Van\u2028Dyk\x85", "Van Dyk"),
        ("Do\u00adna\u200bld\u2060", "Donald"),
        ("An\x9fna\x00", "Anna"),
        ("A\u200dnna\u200c", "Anna"),
        (
            "\u0645\u06cc\u200c\u0631\u0648\u062f",
            "\u0645\u06cc\u200c\u0631\u0648\u062f",
        ),  # Persian: the joiner is part of the word
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),  # Hindi
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),  # one picture of two people
        ("\u3164", ""),
        ("", ""),
    ],
)
def test_c97_what_unicode_calls_blank_is_a_blank_and_what_no_screen_shows_is_nothing(
    text: str, cleaned: str
) -> None:
    assert texts.clean_text(text) == cleaned


@pytest.mark.parametrize(
    ("text", "cleaned", "is_valid"),
    [
        (" Ada@Acme.test\u00a0\u200b", "ada@acme.test", True),
        ("mailto:ada@acme.test", "ada@acme.test", True),
        ("<Ada@acme.test>", "ada@acme.test", True),
        ("MAILTO:<ada@acme.test> ", "ada@acme.test", True),
        ("di@m\u00fcller.example", "di@m\u00fcller.example", True),
        ("o\u2019neill@acme.test", "o\u2019neill@acme.test", True),
        ("a_b+c%d#e@sub-domain.acme.test", "a_b+c%d#e@sub-domain.acme.test", True),
        ("a\u200bda@acme.test", "a\u200bda@acme.test", False),
        ("ada\u00ad@acme.test", "ada\u00ad@acme.test", False),
        ("ad\na@acme.test", "ad\na@acme.test", False),
        ("ada@ac\u00a0me.test", "ada@ac\u00a0me.test", False),
        ("a\x00da@acme.test", "a da@acme.test", False),
        ("a\x9fda@acme.test", "a\x9fda@acme.test", False),
        ("ada..byron@acme.test", "ada..byron@acme.test", False),
        (".ada@acme.test", ".ada@acme.test", False),
        ("ada.@acme.test", "ada.@acme.test", False),
        ("ada@.acme.test", "ada@.acme.test", False),
        ("ada@acme..test", "ada@acme..test", False),
        ("ada@acme.test.", "ada@acme.test.", False),
        ("ada@-acme.test", "ada@-acme.test", False),
        ("ada@acme_x.test", "ada@acme_x.test", False),
        ("ada byron <ada@acme.test>", "ada byron <ada@acme.test>", False),
        ("ada@acme.test, bob@acme.test", "ada@acme.test, bob@acme.test", False),
        ("mailto:ada@acme.test?subject=hi", "ada@acme.test?subject=hi", False),
        ("ada(x)@acme.test", "ada(x)@acme.test", False),
    ],
)
def test_c97_c98_an_address_is_freed_of_what_stands_around_it_and_held_back_for_what_stands_within(
    con: duckdb.DuckDBPyConnection, text: str, cleaned: str, is_valid: bool
) -> None:
    assert texts.clean_address(text) == cleaned
    query = f"select 'p:1' as ref, $${cleaned}$$ as email"
    (rule,) = [rule for rule in PEOPLE.rules if rule.name == "email_is_valid"]
    assert judge.violations(con, query, "ref", (rule,)) == (
        [] if is_valid else [("p:1", "email_is_valid")]
    )


def test_all_tables_of_the_design_are_there() -> None:
    assert {f"{table.schema}.{table.name}" for table in TABLES} >= set(DESIGN)


def test_names_and_addresses_are_marked_as_personal() -> None:
    words = {
        "email",
        "given_name",
        "family_name",
        "display_name",
        "user_name",
        "attributes",
        "before",
        "after",
    }
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
        for table in (*CORE, *DESKBIRD):
            described = con.execute(f"describe {table.qualified}").fetchall()
            assert {name for name, *_ in described} == set(table.names), table.name
            assert judge.require(con, table, table.qualified) > 0
