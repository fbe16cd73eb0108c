"""Who works here: ``core.people`` and ``core.quarantine`` from every connection's employees."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from hris_pipeline import contracts, groups
from hris_pipeline.warehouse import judge

_PEOPLE = (Path(__file__).parent / "people.sql").read_text(encoding="utf-8")
_QUARANTINE = (Path(__file__).parent / "quarantine.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class PeopleRules:
    """What the company file says about people."""

    timezone: str
    prehire_days: int
    kinds: Sequence[str]
    statuses: Mapping[str, Mapping[str, str]]
    """For each connection: the HRIS's word in lower case -> upcoming, active, on_leave or ended."""


@dataclass(frozen=True)
class PeopleCounts:
    """What came out, in numbers only."""

    people: int
    wanted: int
    ended: int
    upcoming: int
    quarantined: int
    by_rule: Mapping[str, int]


def build(con: duckdb.DuckDBPyConnection, rules: PeopleRules, now: dt.datetime) -> PeopleCounts:
    """Build both tables inside the caller's transaction.

    A record that breaks a rule goes to ``core.quarantine`` under the rule's name, the rest flows (cases 14, 23, 31). Raises
    :class:`~hris_pipeline.errors.ContractError` where the result would break its contract; the caller's rollback then leaves
    the last good tables.
    """
    _stage_records(con, rules.statuses)
    groups.stage_units(con, list(rules.statuses), rules.kinds)
    con.execute("set variable company_timezone = ?", [rules.timezone])
    con.execute("set variable today = ?", [now.astimezone(ZoneInfo(rules.timezone)).date()])
    con.execute("set variable prehire_days = ?", [rules.prehire_days])
    con.execute("set variable now = ?", [now])
    con.execute(_PEOPLE)

    held = judge.violations(
        con,
        """select person_id, status, email, display_name, case when dates_are_readable then 'yes' end as dates
           from people_candidates where status is distinct from 'ended'""",
        "person_id",
        contracts.PEOPLE.rules,
    )
    con.execute('create or replace temp table violations (hris_ref varchar, "table" varchar, rule varchar)')
    stage(con, "violations", ("hris_ref", "table", "rule"), [(ref, "core.people", rule) for ref, rule in held])
    con.execute(_QUARANTINE)

    con.execute(
        f"""create or replace table core.people as
            select {", ".join(contracts.PEOPLE.names)} from people_candidates p
            anti join violations v on v.hris_ref = p.hris_ref and v."table" = 'core.people'"""
    )
    judge.require(con, contracts.PEOPLE, contracts.PEOPLE.qualified)
    con.execute("drop view records; drop table people_candidates")

    row = con.execute(
        """select count(*), count(*) filter (wanted), count(*) filter (status = 'ended'), count(*) filter (status = 'upcoming')
           from core.people"""
    ).fetchone()
    by_rule = dict(con.execute("select rule, count(*) from core.quarantine group by all order by all").fetchall())
    quarantined = con.execute("select count(distinct hris_ref) from core.quarantine").fetchone()
    assert row is not None
    assert quarantined is not None
    return PeopleCounts(row[0], row[1], row[2], row[3], quarantined[0], by_rule)


def stage(con: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    """Insert Python rows into a table, column by column through Arrow (a thousand times faster than row by row)."""
    if not rows:
        return
    con.register("staged", pa.table(dict(zip(columns, map(pa.array, zip(*rows, strict=True)), strict=True))))
    con.execute(f"insert into {table} by name from staged")
    con.unregister("staged")


def _stage_records(con: duckdb.DuckDBPyConnection, statuses: Mapping[str, Mapping[str, str]]) -> None:
    con.execute("create or replace temp table status_words (connection varchar, word varchar, meaning varchar)")
    stage(
        con,
        "status_words",
        ("connection", "word", "meaning"),
        [(c, word, meaning) for c, words in statuses.items() for word, meaning in words.items()],
    )
    union = " union all ".join(
        f"""select '{connection}' as connection, '{connection}:' || id as hris_ref, * from "hris_{connection}".employees"""
        for connection in statuses
    )
    con.execute(
        f"""create or replace temp view records as
            select r.*, w.meaning as word from ({union}) r
            left join status_words w on w.connection = r.connection and w.word = lower(trim(r.status))"""
    )
