"""deskbird as the night finds it: the assets of what it holds."""

from collections import Counter
from dataclasses import dataclass

import dagster as dg

from hris_pipeline.contracts.tables import (
    DESKBIRD_GROUP_MEMBERS,
    DESKBIRD_GROUPS,
    DESKBIRD_USERS,
    Table,
)
from hris_pipeline.deskbird.scim import Observation, Service
from hris_pipeline.errors import DeskbirdError
from hris_pipeline.operations import observe
from hris_pipeline.orchestration import checks
from hris_pipeline.orchestration.step import Events, Step, assets
from hris_pipeline.orchestration.tables import code_version, result, spec
from hris_pipeline.settings import Company
from hris_pipeline.warehouse import loading

KINDS = {"scim", "duckdb"}
_OF_A_LIST = (checks.DESKBIRD_WAS_READ_COMPLETELY, checks.EVERY_RECORD_WAS_READ)


def source(company: Company) -> dg.AssetSpec:
    """deskbird as the night finds it."""
    return dg.AssetSpec(
        [company.name, "sources", "deskbird"],
        group_name=f"{company.name}_deskbird",
        description=f"deskbird of {company.name} as the night finds it, read over SCIM 2.0.",
        kinds={"deskbird", "scim"},
    )


def users(company: Company) -> dg.AssetsDefinition:
    """``deskbird.users``."""
    table = DESKBIRD_USERS

    @assets(
        company,
        name="deskbird__users",
        description="Reads all users, completely or not at all.",
        specs=[_observed_spec(company, table)],
        checks=[checks.check(company.name, table, name) for name in _OF_A_LIST],
    )
    def read_users(here: Step) -> Events:
        try:
            with here.deskbirds.open(here.resolved) as service:
                observed = _read_users(here, service)
        except DeskbirdError as problem:
            yield _not_read(company, table, problem)
            raise
        yield from observed.published
        yield from _was_read(company, table, observed)

    return read_users


def groups(company: Company) -> dg.AssetsDefinition:
    """``deskbird.groups`` and ``deskbird.group_members``."""
    table = DESKBIRD_GROUPS

    @assets(
        company,
        name="deskbird__groups",
        description="Reads all groups and who is in them, completely or not at all.",
        specs=[_observed_spec(company, table), _observed_spec(company, DESKBIRD_GROUP_MEMBERS)],
        checks=[checks.check(company.name, table, name) for name in _OF_A_LIST],
    )
    def read_groups(here: Step) -> Events:
        try:
            with here.deskbirds.open(here.resolved) as service:
                observed = _read_groups(here, service)
        except DeskbirdError as problem:
            yield _not_read(company, table, problem)
            raise
        yield from observed.published
        yield from _was_read(company, table, observed)

    return read_groups


@dataclass(frozen=True)
class _Observed:
    observation: Observation
    published: tuple[dg.MaterializeResult[None], ...]
    partial: int = 0  # groups that show only a part of their members


def _observed_spec(company: Company, table: Table) -> dg.AssetSpec:
    code = code_version(
        company,
        "deskbird",
        "http.py",
        "arrow.py",
        "contracts",
        "operations/observe.py",
        "warehouse/loading.py",
    )
    return spec(
        company, table, deps=[source(company).key], stage="deskbird", kinds=KINDS, code=code
    )


def _read_users(here: Step, service: Service, *, by_hand: bool = True) -> _Observed:
    """``by_hand``: whether what has changed since the last read is somebody else's doing; not after
    our own writes.
    """
    connections = tuple(here.company.hris)
    with here.scratch() as folder:
        path = folder / "users.arrow"
        seen = service.read_users(path, here.progress)
        with here.warehouse.write(connections) as con:
            counts = observe.publish_users(
                con,
                path,
                seen,
                connections=connections,
                now=here.now,
                run_id=here.run_id,
                by_hand=by_hand,
            )
            return _Observed(seen, (result(con, here.company, DESKBIRD_USERS, counts),))


def _read_groups(here: Step, service: Service, *, by_hand: bool = True) -> _Observed:
    connections = tuple(here.company.hris)
    with here.scratch() as folder:
        paths = folder / "groups.arrow", folder / "members.arrow"
        with here.warehouse.write(connections) as con:
            expected = loading.expected_members(con)
        seen = service.read_groups(*paths, here.progress, expected)
        with here.warehouse.write(connections) as con:
            counts = observe.publish_groups(
                con,
                paths,
                seen,
                connections=connections,
                now=here.now,
                run_id=here.run_id,
                by_hand=by_hand,
            )
            published = (
                result(con, here.company, DESKBIRD_GROUPS, counts),
                result(con, here.company, DESKBIRD_GROUP_MEMBERS, {}),
            )
            return _Observed(seen, published, int(counts["groups_shown_in_part"]))


def read_again(here: Step, service: Service, *, by_hand: bool) -> None:
    """Read users and groups anew outside their own assets; the UI shows it as an observation of
    each.
    """
    for observed in (
        _read_users(here, service, by_hand=by_hand),
        _read_groups(here, service, by_hand=by_hand),
    ):
        for told in observed.published:
            assert told.asset_key is not None
            here.context.log_event(
                dg.AssetObservation(told.asset_key, metadata=dict(told.metadata or {}))
            )


def _was_read(company: Company, table: Table, observed: _Observed) -> Events:
    seen = observed.observation
    counts: dict[str, int | str] = {"pages": seen.pages, "records": seen.records}
    if seen.notes:
        counts["odd_about_the_list"] = ", ".join(seen.notes)
    if seen.resource == "groups":
        counts["groups_shown_in_part"] = observed.partial
    yield checks.verdict(
        company.name,
        table,
        checks.DESKBIRD_WAS_READ_COMPLETELY,
        passed=True,
        why=seen.remarks,
        counts=counts,
    )
    unread = len(seen.unreadable)
    why = (
        f"{unread} of deskbird's {seen.resource} cannot be read, so it is not known whose they "
        "are. They are left alone, and nobody is created who could be one of them. "
        f"`hris-pipeline review {company.name}` names each; deskbird's support can put it right."
    )
    codes = Counter(str(one.code) for one in seen.unreadable)
    yield checks.verdict(
        company.name,
        table,
        checks.EVERY_RECORD_WAS_READ,
        passed=not unread,
        severity=checks.WARN,
        why=why if unread else None,
        counts={"unreadable_records": unread, **codes},
    )


def _not_read(company: Company, table: Table, problem: DeskbirdError) -> dg.AssetCheckResult:
    return checks.verdict(
        company.name,
        table,
        checks.DESKBIRD_WAS_READ_COMPLETELY,
        passed=False,
        why=str(problem),
        counts={},
    )
