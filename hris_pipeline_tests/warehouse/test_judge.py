"""Judging rows by their contract: what is found, what is fatal, and that nothing but refs, rules
and counts is said.
"""

import duckdb
import pandera.pandas as pa
import pytest

from hris_pipeline.contracts.tables import PEOPLE, Column, RowRule, Table
from hris_pipeline.errors import ContractError
from hris_pipeline.warehouse import judge

SECRET = "Zo\u00eb Geheim"
TABLE = Table(
    "core",
    "things",
    "one thing",
    (
        Column("id", "VARCHAR", "its id", nullable=False),
        Column("name", "VARCHAR", "its name", nullable=False, personal=True),
        Column("status", "VARCHAR", "how it is", values=("good", "bad")),
    ),
    key=("id",),
)


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def test_a_relation_that_keeps_its_contract_is_counted(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """create table t as
           select
               range::varchar as id, 'x' as name, case when range % 2 = 0 then 'good' end as status
           from range(250000)"""
    )
    assert judge.require(con, TABLE, "t") == 250_000


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (f"select '1' as id, null as name, '{SECRET}' as status", "status: status_is_known (1)"),
        (
            (
                "select '1' as id, null::varchar as name, 'good' as status from range(3) union "
                f"all select '2', '{SECRET}', 'bad'"
            ),
            "name: not_nullable (3)",
        ),
        (f"select '{SECRET}' as id, 'x' as name, 'good' as status from range(2)", "1 keys twice"),
    ],
)
def test_c81_a_relation_that_breaks_it_is_refused_in_counts(
    con: duckdb.DuckDBPyConnection, sql: str, said: str
) -> None:
    con.execute(f"create table t as {sql}")
    with pytest.raises(ContractError, match="The last good table is left in place") as problem:
        judge.require(con, TABLE, "t")
    assert said in str(problem.value)
    assert not any(part in str(problem.value) for part in SECRET.split())
    assert problem.value.__context__ is None or problem.value.__suppress_context__


RULES = (
    RowRule("name_is_present", "name", "there is a name"),
    RowRule("mail_is_valid", "mail", "it looks like one", r"[^@]+@[^@]+"),
)


def test_violations_are_refs_and_rules_over_many_chunks(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """create table t as
           select
               range::varchar as ref,
               case when range in (7, 150000) then null else 'x' end as name,
               case range
                   when 8 then 'no'
                   when 9 then null
                   when 249999 then 'a@b@c'
                   else 'a@b'
               end as mail
           from range(250000)"""
    )
    found = judge.violations(con, "select * from t", "ref", RULES)
    assert sorted(found) == [
        ("150000", "name_is_present"), ("249999", "mail_is_valid"), ("7", "name_is_present"),
        ("8", "mail_is_valid"),
    ]  # fmt: skip
    assert judge.violations(con, "select * from t limit 0", "ref", RULES) == []


def test_what_pandera_could_not_judge_is_fatal_and_not_let_through(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explodes(values: object) -> bool:
        raise RuntimeError(SECRET)

    broken = pa.DataFrameSchema(
        {
            "name": pa.Column(
                "str", nullable=True, checks=[pa.Check(explodes, error="name_is_present")]
            )
        }
    )
    monkeypatch.setattr(judge, "_rules_schema", lambda rules: broken)
    with pytest.raises(ContractError, match="could not be judged") as problem:
        judge.violations(con, f"select '1' as ref, '{SECRET}' as name", "ref", RULES)
    assert not any(part in str(problem.value) for part in SECRET.split())
    assert problem.value.__suppress_context__


def test_the_address_rule_reads_whole_values(con: duckdb.DuckDBPyConnection) -> None:
    rules = tuple(rule for rule in PEOPLE.rules if rule.column == "email")
    good = ["a@b.c", "first.last+tag@sub.acme.test", "j\u00f6rg@m\u00fcller.test"]
    bad = [
        "",
        "a",
        "a@b",
        "a@b.",
        "@b.c",
        "a@b@c.d",
        "a b@c.d",
        "a@b.c,d@e.f",
        "<a@b.c>",
        "a@b.c\nx@y.z",
    ]
    con.execute("create table t (ref varchar, email varchar)")
    con.executemany(
        "insert into t values (?, ?)", [(str(n), text) for n, text in enumerate([*good, *bad])]
    )
    found = {
        int(ref)
        for ref, rule in judge.violations(con, "from t", "ref", rules)
        if rule == "email_is_valid"
    }
    assert found == set(range(len(good), len(good) + len(bad)))
