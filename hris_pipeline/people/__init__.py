"""Who works here: ``core.people`` and ``core.quarantine`` from every connection's employees.

One person may have several records: a contract that ended and one that began, a rehire, parallel
employments, an account in each of two HR systems. Which record belongs to whom is kept in
``state.persons`` once it is known, for those few only.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from hris_pipeline import groups, history
from hris_pipeline.contracts.tables import PEOPLE
from hris_pipeline.people import status
from hris_pipeline.rules import Scope, ScopeCounts
from hris_pipeline.rules import scope as scoping
from hris_pipeline.warehouse import judge, run, stage

_HERE = Path(__file__).parent
(
    _LOCATIONS,
    _RECORDS,
    _SAME_PERSON,
    _SAME_PERSON_ELSEWHERE,
    _PERSONS,
    _QUARANTINE,
    _CONTRADICTIONS,
    _PEOPLE,
    _MANAGERS,
) = (
    (_HERE / f"{name}.sql").read_text(encoding="utf-8")
    for name in (
        "location_zones",
        "people_records",
        "same_person",
        "same_person_elsewhere",
        "persons",
        "quarantine",
        "contradictions",
        "people",
        "manager_references",
    )
)
_COUNTED = """select code, count(*) from state.contradictions
    where list_contains(getvariable('contradictions_of_records'), code) group by all order by all"""
_CONTRADICTED = (
    "select exists (from people_records where contradiction is not null) or exists (from "
    "state.contradictions)"
)
_FOLLOWED = """
    create or replace temp table followed as
    select t.hris_ref, min(m.label) as label
    from ties t
    join (
        select tie, min(label) as label from ties join labels using (hris_ref) group by tie
    ) m using (tie)
    group by t.hris_ref
"""

ATTRIBUTES = ("email", "given_name", "family_name", "manager")
"""What a person with several records can have from only one of them."""


@dataclass(frozen=True)
class PeopleParameters:
    """What the company file says about people."""

    timezone: str
    prehire_days: int
    kinds: Sequence[str]
    statuses: Mapping[str, Mapping[str, str]]
    """For each connection, the first one first: the HRIS's word in lower case -> upcoming, active,
    on_leave or ended.
    """
    precedence: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Which connections come first, for each attribute and by ``default``; those it does not name
    follow in their order.
    """
    timezones: Mapping[str, str] = field(default_factory=dict)
    """A location's name or id -> the time zone of those who work there."""
    scope: Scope = field(default_factory=Scope)
    """Who is synced; without rules everybody."""


@dataclass(frozen=True)
class PeopleCounts:
    """What came out, in numbers only."""

    people: int
    wanted: int
    ended: int
    upcoming: int
    several_records: int
    quarantined: int
    by_rule: Mapping[str, int]
    scope: ScopeCounts = field(default_factory=ScopeCounts)
    # reporting lines whose manager's id is written in another way than the manager's record has it
    managers_resolved: int = 0
    # records whose word and days do not go together, by code
    contradictions: Mapping[str, int] = field(default_factory=dict)
    changed: int = 0  # whose row is another one than the night before, or new, or gone


def build(
    con: duckdb.DuckDBPyConnection, rules: PeopleParameters, now: dt.datetime
) -> PeopleCounts:
    """Build both tables inside the caller's transaction, and keep what changed in
    ``state.people_history``.

    A record that breaks a rule goes to ``core.quarantine`` under the rule's name, the rest flows
    (cases 14, 23, 31). Raises :class:`~hris_pipeline.errors.ContractError` where the result would
    break its contract; the caller's rollback then leaves the last good tables.
    """
    con.execute(
        "drop table if exists core.people_before; alter table core.people rename to people_before"
    )
    _stage_records(con, rules.statuses)
    groups.stage_units(con, list(rules.statuses), rules.kinds)
    _stage_zones(con, rules, now)
    _stage_precedence(con, rules)
    con.execute("set variable prehire_days = ?", [rules.prehire_days])
    con.execute("set variable now = ?", [now])
    run(con, status.SQL)
    run(con, _RECORDS)
    resolved = _resolve_managers(con)

    held = judge.violations(
        con,
        """select hris_ref, status, email, display_name,
                   case when dates_are_readable then 'yes' end as dates,
               case when rows_agree then 'yes' end as rows
           from people_records where status is distinct from 'ended'""",
        "hris_ref",
        PEOPLE.rules,
    )
    con.execute(
        'create or replace temp table violations (hris_ref varchar, "table" varchar, rule varchar)'
    )
    stage(
        con,
        "violations",
        ("hris_ref", "table", "rule"),
        [(ref, "core.people", rule) for ref, rule in held],
    )

    run(con, _SAME_PERSON)
    _follow_ties(con)
    run(con, _SAME_PERSON_ELSEWHERE)
    _follow_ties(con)
    run(con, _PERSONS)
    run(con, _QUARANTINE)
    con.execute("set variable contradictions_of_records = ?", [list(status.CONTRADICTIONS)])
    if con.execute(_CONTRADICTED).fetchone() == (True,):
        run(con, _CONTRADICTIONS)
    run(con, _PEOPLE)
    scope = scoping.apply(con, rules.scope, now) if rules.scope else ScopeCounts()
    judge.require(con, PEOPLE, PEOPLE.qualified)
    changed = history.record(con, now)
    con.execute("drop view records; drop table core.people_before")

    row = con.execute(
        """select count(*), count(*) filter (wanted), count(*) filter (status = 'ended'),
                   count(*) filter (status = 'upcoming'),
               count(*) filter (other_refs <> [])
           from core.people"""
    ).fetchone()
    by_rule = dict(
        con.execute(
            "select rule, count(*) from core.quarantine group by all order by all"
        ).fetchall()
    )
    quarantined = con.execute("select count(distinct hris_ref) from core.quarantine").fetchone()
    assert row is not None
    assert quarantined is not None
    contradictions = dict(con.execute(_COUNTED).fetchall())
    return PeopleCounts(
        row[0],
        row[1],
        row[2],
        row[3],
        row[4],
        quarantined[0],
        by_rule,
        scope,
        resolved,
        contradictions,
        changed,
    )


def _stage_records(
    con: duckdb.DuckDBPyConnection, statuses: Mapping[str, Mapping[str, str]]
) -> None:
    con.execute(
        "create or replace temp table status_words (connection varchar, word varchar, meaning "
        "varchar)"
    )
    stage(
        con,
        "status_words",
        ("connection", "word", "meaning"),
        [(c, word, meaning) for c, words in statuses.items() for word, meaning in words.items()],
    )
    union = " union all by name ".join(
        f"""select '{connection}' as connection, '{connection}:' || id as hris_ref, *
           from "hris_{connection}".employees"""
        for connection in statuses
    )
    con.execute(
        f"""create or replace temp view records as
            select r.*, w.meaning as word from ({union}) r
            left join status_words w on w.connection = r.connection
                and w.word = lower(trim(r.status))"""
    )


def _stage_zones(con: duckdb.DuckDBPyConnection, rules: PeopleParameters, now: dt.datetime) -> None:
    """Whose midnight counts (case 35): macro ``zone_of`` of a record's groups, and the date in each
    zone.
    """
    zones = sorted({rules.timezone, *rules.timezones.values()})
    dates = [now.astimezone(ZoneInfo(zone)).date() for zone in zones]
    con.execute("set variable todays = map(?::varchar[], ?::date[])", [zones, dates])
    con.execute("set variable first_today = ?", [min(dates)])
    con.execute("set variable company_timezone = ?", [rules.timezone])
    if not rules.timezones:
        con.execute(
            "create or replace temp macro zone_of(connection, groups) as "
            "getvariable('company_timezone')"
        )
        return
    places = [list(rules.timezones), list(rules.timezones.values())]
    con.execute("set variable timezones = map(?::varchar[], ?::varchar[])", places)
    run(con, _LOCATIONS)


def _stage_precedence(con: duckdb.DuckDBPyConnection, rules: PeopleParameters) -> None:
    """Table ``precedence``: the rank of each connection, by default and for each attribute."""
    own, default = list(rules.statuses), rules.precedence.get("default", ())
    orders = {"default": default} | {
        name: (*rules.precedence.get(name, ()), *default) for name in ATTRIBUTES
    }
    ranks = {name: list(dict.fromkeys((*order, *own))) for name, order in orders.items()}
    columns = [f"by_{name}" for name in ranks]
    con.execute(
        "create or replace temp table precedence (connection varchar, "
        f"{', '.join(f'{c} integer' for c in columns)})"
    )
    rows = [(connection, *(ranks[name].index(connection) for name in ranks)) for connection in own]
    stage(con, "precedence", ("connection", *columns), rows)


def _resolve_managers(con: duckdb.DuckDBPyConnection) -> int:
    """Find the managers whose id is written in another way than their own record has it; how many
    lines were found so.
    """
    unknown = (
        "exists (select manager_ref from people_records where manager_ref not in (select hris_ref "
        "from people_records))"
    )
    if con.execute(f"select {unknown}").fetchone() != (True,):
        return 0
    run(con, _MANAGERS)
    row = con.execute("select coalesce(sum(lines), 0)::bigint from manager_references").fetchone()
    con.execute("drop table manager_references")
    return row[0] if row else 0


def _follow_ties(con: duckdb.DuckDBPyConnection) -> None:
    """Give all records that ``ties`` hold together, however many steps apart, the smallest of their
    labels.
    """
    while True:
        run(con, _FOLLOWED)
        row = con.execute(
            "select exists (from followed anti join labels using (hris_ref, label))"
        ).fetchone()
        con.execute("create or replace temp table labels as from followed; drop table followed")
        if not row or not row[0]:
            return
