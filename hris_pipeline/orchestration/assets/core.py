"""What should be true in deskbird, derived from the extracts: people, groups, memberships and the
manager graph.
"""

from collections.abc import Sequence

import dagster as dg
import duckdb

from hris_pipeline import groups, managers, people
from hris_pipeline.contracts.tables import (
    EMAIL_IS_UNIQUE,
    EMPLOYEES,
    GROUPS,
    MANAGER_GRAPH,
    MEMBERSHIPS,
    ORG_UNITS,
    OTHER_RECORDS_ARE_SOUND,
    PEOPLE,
    PROBLEMS,
    QUARANTINE,
    UNIT_HAS_A_NAME,
    Table,
)
from hris_pipeline.errors import ContractError, PipelineError
from hris_pipeline.operations.parameters import people_rules
from hris_pipeline.orchestration import checks
from hris_pipeline.orchestration.step import Events, Step, assets
from hris_pipeline.orchestration.tables import code_version, key, result, spec
from hris_pipeline.settings import Company

KINDS = {"duckdb", "pandera"}


def people_tables(company: Company) -> dg.AssetsDefinition:
    """``core.people`` and ``core.quarantine``."""
    tables = (PEOPLE, QUARANTINE)
    code = code_version(
        company, "people", "rules", "groups/named_units.sql", "contracts", "warehouse/judge.py"
    )
    deps = [
        key(company.name, table.at(f"hris_{connection}"))
        for connection in company.hris
        for table in (EMPLOYEES, ORG_UNITS)
    ]

    @assets(
        company,
        name="core__people",
        description=(
            "Makes one person of each person's records, and holds back what breaks a rule."
        ),
        specs=[
            spec(company, table, deps=deps, stage="core", kinds=KINDS, code=code)
            for table in tables
        ],
        checks=[
            checks.check(company.name, PEOPLE, checks.CONTRACT_HOLDS),
            checks.check(company.name, PEOPLE, checks.SCOPE_RULES_MATCH_SOMEBODY),
            checks.check(company.name, QUARANTINE, checks.RECORDS_ARE_NOT_QUARANTINED),
        ],
    )
    def people_and_quarantine(here: Step) -> Events:
        try:
            with here.warehouse.write(tuple(company.hris)) as con:
                require_extracts(con, company)
                counts = people.build(con, people_rules(company), here.now)
                told = {
                    "people": counts.people,
                    "wanted_in_deskbird": counts.wanted,
                    "upcoming": counts.upcoming,
                    "ended": counts.ended,
                    "changed_since_the_last_time": counts.changed,
                    "with_several_records": counts.several_records,
                    "managers_found_by_an_id_written_otherwise": counts.managers_resolved,
                    "contradicting_records": sum(counts.contradictions.values()),
                    **counts.contradictions,
                    "out_of_scope": counts.scope.out_of_scope,
                    "scope_not_known": counts.scope.undecided,
                    **{
                        f"matched_by_{name.replace(' ', '_')}": matched
                        for name, matched in counts.scope.matches.items()
                    },
                }
                held = {"records_held_back": counts.quarantined, **_by_rule(counts.by_rule)}
                published = [
                    result(con, company, PEOPLE, told),
                    result(con, company, QUARANTINE, held),
                ]
        except ContractError as problem:
            yield broken(company, PEOPLE, problem)
            raise
        yield from published
        yield kept(company, PEOPLE)
        yield checks.verdict(
            company.name,
            PEOPLE,
            checks.SCOPE_RULES_MATCH_SOMEBODY,
            passed=not counts.scope.matching_nobody,
            severity=checks.WARN,
            why=(
                f"Matching nobody: {', '.join(counts.scope.matching_nobody)}."
                if counts.scope.matching_nobody
                else None
            ),
            counts=counts.scope.matches,
        )
        yield checks.verdict(
            company.name,
            QUARANTINE,
            checks.RECORDS_ARE_NOT_QUARANTINED,
            passed=counts.quarantined == 0,
            severity=checks.WARN,
            why=_rules_broken(counts.by_rule),
            counts=held,
        )

    return people_and_quarantine


def group_tables(company: Company) -> dg.AssetsDefinition:
    """``core.groups`` and ``core.memberships``."""
    tables = (GROUPS, MEMBERSHIPS)
    code = code_version(company, "groups", "contracts", "warehouse/judge.py")
    deps = [key(company.name, PEOPLE)]
    deps += [key(company.name, ORG_UNITS.at(f"hris_{connection}")) for connection in company.hris]

    @assets(
        company,
        name="core__groups",
        description="Makes groups of the organisational units, and says who is in them.",
        specs=[
            spec(company, table, deps=deps, stage="core", kinds=KINDS, code=code)
            for table in tables
        ],
        checks=[checks.check(company.name, GROUPS, checks.CONTRACT_HOLDS)],
    )
    def groups_and_memberships(here: Step) -> Events:
        try:
            with here.warehouse.write(tuple(company.hris)) as con:
                require_people(con, company)
                counts = groups.build(
                    con,
                    tuple(company.hris),
                    company.sync.groups,
                    nested=company.sync.nested_groups,
                )
                told = {"groups": counts.groups, "groups_without_members": counts.empty}
                told |= {
                    f"groups_{kind}": counts.by_kind.get(kind, 0) for kind in company.sync.groups
                }
                published = [
                    result(con, company, GROUPS, told),
                    result(con, company, MEMBERSHIPS, {"memberships": counts.memberships}),
                ]
        except ContractError as problem:
            yield broken(company, GROUPS, problem)
            raise
        yield from published
        yield kept(company, GROUPS)

    return groups_and_memberships


def manager_graph(company: Company) -> dg.AssetsDefinition:
    """``core.manager_graph``."""
    table = MANAGER_GRAPH
    code = code_version(company, "managers", "contracts", "warehouse/judge.py")

    @assets(
        company,
        name="core__manager_graph",
        description="Follows every reporting line to the top, and names those that lead nowhere.",
        specs=[
            spec(
                company,
                table,
                deps=[key(company.name, PEOPLE)],
                stage="core",
                kinds=KINDS,
                code=code,
            )
        ],
        checks=[
            checks.check(company.name, table, checks.CONTRACT_HOLDS),
            checks.check(company.name, table, checks.REPORTING_LINES_ARE_SOUND),
        ],
    )
    def graph(here: Step) -> Events:
        try:
            with here.warehouse.write(tuple(company.hris)) as con:
                require_people(con, company)
                counts = managers.build(con)
                problems = {
                    f"lines_{problem}": counts.problems.get(problem, 0) for problem in PROBLEMS
                }
                told = {"reporting_lines": counts.people, "deepest": counts.deepest, **problems}
                published = result(con, company, table, told)
        except ContractError as problem:
            yield broken(company, table, problem)
            raise
        yield published
        yield kept(company, table)
        unsound = {name: count for name, count in counts.problems.items() if count}
        yield checks.verdict(
            company.name,
            table,
            checks.REPORTING_LINES_ARE_SOUND,
            passed=not unsound,
            severity=checks.WARN,
            why=(
                f"Held back: {_listed(unsound)} reporting lines. Their people are synced all the "
                "same."
                if unsound
                else None
            ),
            counts=problems,
        )

    return graph


# --- what must be there before --------------------------------------------------------------------


def require_extracts(con: duckdb.DuckDBPyConnection, company: Company) -> None:
    """Raise where a connection was never read."""
    read = con.execute(
        "select distinct connection from state.extracts where resource = 'employees'"
    ).fetchall()
    never = [connection for connection in company.hris if (connection,) not in read]
    if never:
        raise PipelineError(
            f"Connection '{never[0]}' of {company.name} was never read, so there is nothing to "
            f"build on. Nothing was changed. Materialise {company.name}/hris_{never[0]}/employees "
            f"first, or run {company.name}_nightly."
        )


def require_people(con: duckdb.DuckDBPyConnection, company: Company) -> None:
    """Raise where ``core.people`` was never built: it and the quarantine are empty, although people
    were read.
    """
    require_extracts(con, company)
    require_built(
        con, company, "core.people", "exists (from core.people) or exists (from core.quarantine)"
    )


def require_built(
    con: duckdb.DuckDBPyConnection, company: Company, table: str, condition: str
) -> None:
    """Raise where ``condition`` does not hold, although people were read."""
    tables: Sequence[str] = [f'"hris_{connection}".employees' for connection in company.hris]
    anybody = " or ".join(f"exists (from {employees})" for employees in tables)
    row = con.execute(f"select ({condition}) or not ({anybody})").fetchone()
    if not row or not row[0]:
        raise PipelineError(
            f"{table} of {company.name} was never built, so there is nothing to build on. Nothing "
            f"was changed. Materialise {company.name}/{table.replace('.', '/')} first, or run "
            f"{company.name}_nightly."
        )


# --- verdicts and sentences -----------------------------------------------------------------------


def broken(company: Company, table: Table, problem: ContractError) -> dg.AssetCheckResult:
    """The verdict before a table is refused."""
    return checks.verdict(
        company.name, table, checks.CONTRACT_HOLDS, passed=False, why=str(problem), counts={}
    )


def kept(company: Company, table: Table) -> dg.AssetCheckResult:
    """The verdict on a table that was published."""
    return checks.verdict(company.name, table, checks.CONTRACT_HOLDS, passed=True, counts={})


def _by_rule(counts: object) -> dict[str, int]:
    whole = (EMAIL_IS_UNIQUE, OTHER_RECORDS_ARE_SOUND, UNIT_HAS_A_NAME)
    known = [rule.name for rule in (*PEOPLE.rules, *whole)]
    found: dict[str, int] = dict(counts)  # type: ignore[call-overload]
    return {**dict.fromkeys(known, 0), **found}


def _rules_broken(by_rule: object) -> str | None:
    broken_rules: dict[str, int] = dict(by_rule)  # type: ignore[call-overload]
    return f"Held back: {_listed(broken_rules)}." if broken_rules else None


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
