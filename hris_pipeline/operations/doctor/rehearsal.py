"""Everybody read once, as a night would, into a warehouse that is thrown away; and what a night
would make of it.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from hris_pipeline import groups, managers, people, settings
from hris_pipeline.contracts.extracts import Extract, Progress
from hris_pipeline.contracts.tables import RULES
from hris_pipeline.errors import HrisError, PipelineError, WarehouseError
from hris_pipeline.hris.registry import SYSTEMS, connect
from hris_pipeline.operations.doctor.findings import PEOPLE, Finding, State, is_wanted
from hris_pipeline.operations.parameters import expected, people_rules
from hris_pipeline.plan import arrivals
from hris_pipeline.settings import Company
from hris_pipeline.warehouse import Warehouse, loading, scratch, stage


def rehearsed(
    company: Company,
    now: dt.datetime,
    progress: Progress,
    told: dict[str, set[str]],
    counts: dict[str, Any],
) -> Iterator[Finding]:
    """A complete read into a warehouse that is thrown away, and what a night would make of it."""
    earlier = _earlier_arrivals(company)
    with scratch(settings.data_folder().absolute() / f".{company.name}.doctor") as folder:
        warehouse, names = Warehouse(folder, company.name), tuple(company.hris)
        for name, account in company.hris.items():
            try:
                extracts = connect(
                    name,
                    account,
                    company.kinds_read,
                    company.sync.attributes,
                    timezone=company.timezone,
                ).read(folder, progress)
            except HrisError as problem:
                yield Finding(
                    "missing",
                    name,
                    "everybody, read to the last page",
                    problem.problem,
                    problem.remedy,
                )
                return
            with warehouse.write(names) as con:
                loading.publish_extracts(con, name, extracts, now)
            for extract in extracts:
                extract.path.unlink()
            yield from _read(company, name, extracts, told[name])
            told[name].update(attribute for extract in extracts for attribute in extract.vanished)
        try:
            with warehouse.write(names) as con:
                found = people.build(con, people_rules(company), now)
            with warehouse.write(names) as con:
                made = groups.build(
                    con, names, company.sync.groups, nested=company.sync.nested_groups
                )
                peopled = con.execute(
                    "select distinct kind from core.groups where member_count > 0"
                ).fetchall()
            with warehouse.write(names) as con:
                lines = managers.build(con)
            with warehouse.write(names) as con:
                lost = _lost_managers(con, company, earlier, now)
        except PipelineError as problem:
            yield Finding(
                "missing",
                PEOPLE,
                "what a night would make of it",
                str(problem),
                "Please report it with this line.",
            )
            return
    counts |= {
        "people": found.people,
        "in_scope": found.wanted,
        "quarantined": found.quarantined,
        "by_rule": dict(found.by_rule),
        "groups": made.groups,
        "reporting_lines": lines.people,
    }
    yield from _scope(company, found)
    yield from _quarantine(found)
    by_kind = (
        ", ".join(f"{number:,} of kind {kind}" for kind, number in made.by_kind.items()) or "none"
    )
    yield Finding("ok", PEOPLE, f"groups: {by_kind}")
    if found.wanted:
        yield from _empty_kinds(company, {kind for (kind,) in peopled}.union(*told.values()))
    if company.sync.managers and found.managers_resolved:
        what = f"{found.managers_resolved:,} managers are found by an id that is written otherwise"
        told_of = (
            "Zeros at its beginning are missing, it ends in .0, or a name stands beside it; "
            "exactly one record fits."
        )
        yield Finding(
            "note",
            PEOPLE,
            what,
            told_of,
            "Nothing to do, or have it written as in the manager's own record.",
        )
    for one in lost:
        where = SYSTEMS[company.hris[one.connection].system].where_of(
            company.hris[one.connection].options, "manager"
        )
        told_of = (
            f"{one.of:,} people name a manager, and {one.of - one.came:,} of these references lead "
            "to nobody. "
        )
        told_of += (
            "Their managers in deskbird stay, and guard attribute_vanished trips every night until "
            "they are found again."
        )
        remedy = f"{where}; or set sync.managers to false."
        yield Finding(
            "missing",
            PEOPLE,
            f"manager references of connection {one.connection}",
            told_of,
            remedy,
        )
    if company.sync.managers and lines.problems:
        unsound = ", ".join(f"{number:,} {problem}" for problem, number in lines.problems.items())
        told_of = (
            f"Some are unsound ({unsound}). A cycle is carried over as it is; of the others "
            "deskbird keeps what it has."
        )
        yield Finding(
            "note", PEOPLE, "reporting lines", told_of, "Correct the manager in the HR system."
        )


def _lost_managers(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    earlier: Sequence[tuple[Any, ...]],
    now: dt.datetime,
) -> list[arrivals.Silent]:
    """Whose manager references lead to nobody, or to far fewer than in the last nights, as a night
    would judge it (case 101).
    """
    if company.guards.attribute_vanished is None:
        return []
    stage(con, "state.arrivals", arrivals.COLUMNS, earlier)
    limit = company.guards.update_attribute
    arrivals.refresh(
        con,
        {connection: expected(company, connection) for connection in company.hris},
        company.kinds_read,
        managers=company.sync.managers,
        from_size=(limit and limit.from_size) or arrivals.FROM_SIZE,
        now=now,
    )
    return [one for one in arrivals.silent(con, company.sync.groups) if one.kind == "manager"]


def _earlier_arrivals(company: Company) -> list[tuple[Any, ...]]:
    """What came in the company's earlier nights. Its warehouse is only read; one that cannot be
    read is told with deskbird.
    """
    warehouse = Warehouse(settings.data_folder(), company.name, patience=2.0)
    if not warehouse.path.exists():
        return []
    try:
        with warehouse.read() as con:
            return con.execute(
                f"select {', '.join(arrivals.COLUMNS)} from state.arrivals"
            ).fetchall()
    except (WarehouseError, duckdb.Error):
        return []


def _read(
    company: Company, name: str, extracts: Sequence[Extract], told: set[str]
) -> Iterator[Finding]:
    """How complete a read is, and which attributes came for nobody."""
    system = SYSTEMS[company.hris[name].system]
    for extract in extracts:
        what = f"{extract.resource.replace('_', ' ')}: {extract.records:,} read"
        if extract.proof == "proven":
            yield Finding("ok", name, f"{what}. {extract.why}")
        else:
            remedy = (
                "Run it again; while it stays so, a night creates and changes, but takes nothing "
                "away."
            )
            yield Finding(
                "note", name, what, f"The read is not proven complete. {extract.why}", remedy
            )
    for attribute in dict.fromkeys(
        attribute for extract in extracts for attribute in extract.vanished
    ):
        if attribute in told:
            continue
        word = system.labels.get(attribute, attribute.replace("_", " "))
        state: State = "missing" if is_wanted(company, attribute) else "note"
        where = (
            "sync.managers to false"
            if attribute == "manager_id"
            else f"{attribute} aside in sync.groups"
        )
        choice = f", else set {where}" if state == "missing" else ""
        where_to_look = system.where_of(
            company.hris[name].options, "manager" if attribute == "manager_id" else attribute
        )
        remedy = f"{where_to_look}; if nobody has one there, all is well{choice}."
        yield Finding(
            state,
            name,
            f"the attribute '{word}'",
            f"It came for nobody in {system.title}.",
            remedy,
        )


def _empty_kinds(company: Company, explained: set[str]) -> Iterator[Finding]:
    """Kinds of group that are to be synced and delivered, and that nobody is in."""
    for kind in company.sync.groups:
        delivered = any(
            kind in SYSTEMS[account.system].kinds_of(account.options)
            for account in company.hris.values()
        )
        if delivered and kind not in explained:
            able = [
                each
                for each in company.hris.values()
                if kind in SYSTEMS[each.system].kinds_of(each.options)
            ]
            where = SYSTEMS[able[0].system].where_of(able[0].options, kind)
            remedy = f"{where}, or take {kind} out of sync.groups."
            yield Finding("missing", PEOPLE, f"groups of kind {kind}", "Nobody is in one.", remedy)


def _scope(company: Company, found: people.PeopleCounts) -> Iterator[Finding]:
    what = f"{found.wanted:,} of {found.people:,} people would be in deskbird tonight"
    rest = {
        "have left": found.ended,
        "start later": found.upcoming,
        "are out of scope": found.scope.out_of_scope,
    }
    detail = ", ".join(f"{number:,} {words}" for words, number in rest.items() if number)
    if found.people and not found.wanted:
        remedy = (
            "Look at sync.scope in the company file."
            if company.sync.scope.include
            else "Look at who is active there."
        )
        yield Finding(
            "missing",
            PEOPLE,
            what,
            f"Nobody is in scope ({detail or 'no rule of the scope matches'}).",
            remedy,
        )
    else:
        yield Finding("ok", PEOPLE, what + (f"; {detail}" if detail else ""))
    for rule in found.scope.matching_nobody:
        yield Finding(
            "note",
            PEOPLE,
            f"rule {rule} of sync.scope",
            "It matches nobody.",
            "See whether it is spelt as in the HR system.",
        )


def _quarantine(found: people.PeopleCounts) -> Iterator[Finding]:
    """How many records each rule would hold back."""
    rules = {rule.name: rule for rule in RULES}
    for name, number in sorted(found.by_rule.items(), key=lambda pair: -pair[1]):
        what = (
            f"{number:,} {'record' if number == 1 else 'records'} would be held back by rule {name}"
        )
        holds = f"The rule: {rules[name].doc}. " if name in rules else ""
        remedy = (
            "Correct them in the HR system; after `sync --dry-run` the table core.quarantine says "
            "which."
        )
        yield Finding(
            "note",
            PEOPLE,
            what,
            f"{holds}They keep whatever deskbird has; the rest is synced.",
            remedy,
        )
    if not found.by_rule:
        yield Finding("ok", PEOPLE, "no record breaks a rule of the data")
