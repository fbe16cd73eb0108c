"""deskbird: what it holds, the plan that would bring it in line, and what became of that plan."""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import dagster as dg
import duckdb

from hris_pipeline import alerts, photos, plan
from hris_pipeline.contracts.pauses import Pause
from hris_pipeline.contracts.tables import (
    APPLIED_CHANGES,
    CHANGES,
    DESKBIRD_GROUP_MEMBERS,
    DESKBIRD_GROUPS,
    DESKBIRD_USERS,
    GROUPS,
    MANAGER_GRAPH,
    MEMBERSHIPS,
    PEOPLE,
    QUARANTINE,
    Table,
)
from hris_pipeline.contracts.writes import Result, StopReason, Write
from hris_pipeline.deskbird import journal as journals
from hris_pipeline.deskbird.apply import carry_out
from hris_pipeline.deskbird.journal import Journal
from hris_pipeline.deskbird.scim import Observation, Service
from hris_pipeline.errors import DeadlineError, DeskbirdError, PipelineError
from hris_pipeline.operations.parameters import plan_rules
from hris_pipeline.orchestration import checks, outcomes
from hris_pipeline.orchestration.assets.core import require_built, require_people
from hris_pipeline.orchestration.assets.photos import pictures
from hris_pipeline.orchestration.job_names import changes_job, dry_run_job, nightly_job, undo_job
from hris_pipeline.orchestration.step import Events, Step, assets, fold
from hris_pipeline.orchestration.tables import code_version, key, result, spec
from hris_pipeline.settings import Company
from hris_pipeline.warehouse import Warehouse, loading

_GRAPH_IS_BUILT = (
    "exists (from core.manager_graph) or not exists (from core.people where status <> 'ended')"
)
READ = {"scim", "duckdb"}
_OF_A_LIST = (checks.DESKBIRD_WAS_READ_COMPLETELY, checks.EVERY_RECORD_WAS_READ)
CHANGE_TYPES = (
    *(f"user_{action}" for action in ("create", "link", "update", "reactivate", "deactivate")),
    *(f"group_{action}" for action in ("create", "link", "rename", "update", "delete")),
    *("membership_add", "membership_remove", "manager_set", "manager_clear"),
)
"""Told every night, zeros included, so that the UI can plot them."""


def source(company: Company) -> dg.AssetSpec:
    """deskbird as the night finds it."""
    return dg.AssetSpec(
        [company.name, "sources", "deskbird"],
        group_name=f"{company.name}_deskbird",
        description=f"deskbird of {company.name} as the night finds it, read over SCIM 2.0.",
        kinds={"deskbird", "scim"},
    )


def destination(company: Company) -> dg.AssetSpec:
    """deskbird as the night leaves it: where the lineage ends."""
    return dg.AssetSpec(
        [company.name, "destination", "deskbird"],
        deps=[key(company.name, APPLIED_CHANGES)],
        group_name=f"{company.name}_plan",
        description=(
            f"deskbird of {company.name} as the night leaves it: users, groups and managers in "
            "line with the HR system."
        ),
        kinds={"deskbird", "scim"},
    )


# --- what deskbird holds --------------------------------------------------------------------------


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
        company, "deskbird", "http.py", "arrow.py", "contracts", "warehouse/loading.py"
    )
    return spec(company, table, deps=[source(company).key], stage="deskbird", kinds=READ, code=code)


def _read_users(here: Step, service: Service, *, by_hand: bool = True) -> _Observed:
    """``by_hand``: whether what has changed since the last read is somebody else's doing; not after
    our own writes.
    """
    with here.scratch() as folder:
        path = folder / "users.arrow"
        seen = service.read_users(path, here.progress)
        with here.warehouse.write(tuple(here.company.hris)) as con:
            if by_hand:
                plan.drift.remember(con, "users")
            loading.publish_users(
                con,
                path,
                seen,
                connections=tuple(here.company.hris),
                now=here.now,
                run_id=here.run_id,
                unreadable=seen.unreadable,
                notes=seen.notes,
            )
            if by_hand:
                plan.drift.note(con, here.now)
            row = con.execute(
                "select count(*) filter (active), count(hris_ref) from deskbird.users"
            ).fetchone() or (0, 0)
            counts = {"users_active": row[0], "users_ours": row[1], **_of_the_list(seen)}
            return _Observed(seen, (result(con, here.company, DESKBIRD_USERS, counts),))


def _read_groups(here: Step, service: Service, *, by_hand: bool = True) -> _Observed:
    with here.scratch() as folder:
        paths = folder / "groups.arrow", folder / "members.arrow"
        with here.warehouse.write(tuple(here.company.hris)) as con:
            expected = loading.expected_members(con)
        seen = service.read_groups(*paths, here.progress, expected)
        with here.warehouse.write(tuple(here.company.hris)) as con:
            if by_hand:
                plan.drift.remember(con, "groups")
            partial = loading.publish_groups(
                con,
                *paths,
                seen,
                connections=tuple(here.company.hris),
                now=here.now,
                run_id=here.run_id,
                unreadable=seen.unreadable,
                notes=seen.notes,
                untold=seen.partial,
            )
            if by_hand:
                plan.drift.note(con, here.now)
            row = con.execute("select count(hris_ref) from deskbird.groups").fetchone() or (0,)
            counts = {"groups_ours": row[0], **_of_the_list(seen), "groups_shown_in_part": partial}
            published = (
                result(con, here.company, DESKBIRD_GROUPS, counts),
                result(con, here.company, DESKBIRD_GROUP_MEMBERS, {}),
            )
            return _Observed(seen, published, partial)


def _read_again(here: Step, service: Service, *, by_hand: bool) -> None:
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


def _of_the_list(seen: Observation) -> dict[str, int | str]:
    odd = {"odd_about_the_list": ", ".join(seen.notes)} if seen.notes else {}
    return {
        "pages": seen.pages,
        "passes": seen.passes,
        "unreadable_records": len(seen.unreadable),
        **odd,
    }


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


# --- the plan -------------------------------------------------------------------------------------


UNDOES = {
    "undoes": dg.Field(
        dg.Noneable(str), default_value=None, description="the plan to undo; null for a usual plan"
    )
}


def changes(company: Company) -> dg.AssetsDefinition:
    """``deskbird.changes``."""
    table = CHANGES
    code = code_version(company, "plan", "identity", "groups", "contracts")
    wanted = (PEOPLE, QUARANTINE, GROUPS, MEMBERSHIPS, MANAGER_GRAPH)
    held = (DESKBIRD_USERS, DESKBIRD_GROUPS, DESKBIRD_GROUP_MEMBERS)
    deps = [key(company.name, dep) for dep in (*wanted, *held, *pictures(company))]

    @assets(
        company,
        name="deskbird__changes",
        description=(
            "Compares what should be with what is, and writes every change down before any is made."
        ),
        specs=[spec(company, table, deps=deps, stage="plan", kinds={"duckdb", "sql"}, code=code)],
        checks=[
            checks.check(company.name, table, checks.GUARDS_HOLD),
            checks.check(company.name, table, checks.EVERY_ATTRIBUTE_CAME),
            checks.check(company.name, table, checks.DESKBIRD_WAS_NOT_CHANGED_BY_HAND),
        ],
        config=UNDOES,
    )
    def make_plan(here: Step) -> Events:
        rules, undoes = plan_rules(here.resolved), here.config["undoes"]
        if undoes is None and here.job == undo_job(company.name):
            raise PipelineError(
                f"{undo_job(company.name)} was not told which plan to undo. Nothing was planned. "
                f"Run `hris-pipeline undo {company.name} PLAN_ID`, or name it in the run config "
                "of deskbird/changes: undoes."
            )
        with here.warehouse.write(rules.connections) as con:
            require_people(con, company)
            require_built(con, company, "core.manager_graph", _GRAPH_IS_BUILT)
            if not company.sync.photos:
                photos.forget(con, rules.connections)
            _require_observations(con, company)
            summary = plan.build(con, rules, now=here.now, run_id=here.run_id, undoes=undoes)
            by_type = {
                name: summary.by_type.get(name.replace("_", " "), 0) for name in CHANGE_TYPES
            }
            counts = {
                "changes": summary.changes,
                "planned": summary.planned,
                "blocked": summary.blocked,
                "missing_people": summary.missing,
                "waiting_for_review": summary.review,
                "empty_groups": summary.empty_groups,
                "changed_by_hand": summary.drift,
                "changed_by_hand_and_kept": summary.kept,
            }
            told: dict[str, dg.MetadataValue[Any] | str | int] = {
                "plan": dg.MetadataValue.md(_markdown(con, summary, company)),
                "plan_id": summary.plan_id,
                **counts,
                **by_type,
            }
            published = result(con, company, table, told)
        # what carries the plan out tells more
        if here.job in {dry_run_job(company.name), undo_job(company.name)}:
            outcomes.tag(
                here.context.instance,
                here.run_id,
                outcomes.of_plan(summary),
                held_back=summary.blocked,
            )
        yield published
        # leavers wait for the night then: as it is meant, and no news
        between_nights = here.job == changes_job(company.name)
        tripped = [
            v.guard
            for v in summary.tripped
            # the other check's
            if not (between_nights and v.guard == "incomplete_extract")
            and not (v.stands and v.released)
        ]
        yield checks.verdict(
            company.name,
            table,
            checks.GUARDS_HOLD,
            passed=not tripped,
            why=_tripped(summary, company) if tripped else _approved(summary),
            counts={
                "blocked": summary.blocked,
                "guards_tripped": len(tripped),
                **{
                    f"{name}_tripped": tripped.count(name)
                    for name in type(company.guards).model_fields
                },
            },
        )
        if undoes is None:
            yield _every_attribute_came(company, table, summary)
        yield checks.verdict(
            company.name,
            table,
            checks.DESKBIRD_WAS_NOT_CHANGED_BY_HAND,
            passed=not summary.drift,
            severity=checks.WARN,
            why=(
                f"{summary.drift} changes repair what somebody changed in deskbird by hand; "
                f"`hris-pipeline plan {company.name}` shows each. sync.drift in the company file "
                "says what may stay so."
                if summary.drift
                else None
            ),
            counts={"changed_by_hand": summary.drift, "kept": summary.kept},
        )

    return make_plan


def _require_observations(con: duckdb.DuckDBPyConnection, company: Company) -> None:
    seen = {row[0] for row in con.execute("select resource from state.observations").fetchall()}
    never = [name for name in ("users", "groups") if name not in seen]
    if never:
        raise PipelineError(
            f"deskbird's {never[0]} were never read for {company.name}, so there is nothing to "
            f"compare with. Nothing was changed. Materialise {company.name}/deskbird/{never[0]} "
            f"first, or run {company.name}_nightly."
        )


def _markdown(con: duckdb.DuckDBPyConnection, summary: plan.PlanSummary, company: Company) -> str:
    """The plan in numbers; who is concerned stands in DuckDB and in ``hris-pipeline plan``, which
    stay on the machine.
    """
    rows = con.execute(
        """select object, action, count(*) filter (verdict = 'planned'),
                   count(*) filter (verdict = 'blocked'),
               string_agg(distinct guard, ', ' order by guard)
           from deskbird.changes group by all order by min(seq)"""
    ).fetchall()
    if not rows:
        why = (
            _tripped(summary, company)
            if summary.tripped
            else "deskbird is in line with the HR system."
        )
        return f"**Plan `{summary.plan_id}`: nothing to do.** {why}"
    lines = [
        (
            f"**Plan `{summary.plan_id}`: {summary.planned} changes planned, {summary.blocked} "
            "held back.**"
        ),
        "",
        (
            "Each one, with what is there, what is wanted and why: `hris-pipeline plan "
            f"{company.name}`"
        ),
        "",
        "| what | change | planned | held back | by guard |",
        "|---|---|--:|--:|---|",
        *(
            f"| {what} | {action} | {planned} | {blocked} | {guards or ''} |"
            for what, action, planned, blocked, guards in rows
        ),
    ]
    if summary.guards:
        lines += ["", "| guard | of | counted | base | limit | |", "|---|---|--:|--:|---|---|"]
        lines += [
            f"| {v.guard} | {v.subject} | {v.count} | {v.base} | {v.limit} | {_held(v)} |"
            for v in summary.guards
        ]
    return "\n".join(lines)


def _every_attribute_came(
    company: Company, table: Table, summary: plan.PlanSummary
) -> dg.AssetCheckResult:
    """What the HR system gives for nobody: an error where it came before or was asked for, news
    where it is a default.
    """
    missing = [v for v in summary.guards if v.stands]
    why = [f"{plan.sentence(v)}." for v in missing[:10]]
    if summary.not_given:
        kinds = ", ".join(summary.not_given).replace("_", " ")
        why.append(
            f"Nobody is in a group of kind {kinds}, which sync.groups has by default. Name the "
            "kinds you want there."
        )
    return checks.verdict(
        company.name,
        table,
        checks.EVERY_ATTRIBUTE_CAME,
        passed=not why,
        severity=checks.ERROR if missing else checks.WARN,
        why=" ".join(why) or None,
        counts={"not_given": len(missing), "kinds_without_anybody": len(summary.not_given)},
    )


def _held(verdict: plan.GuardVerdict) -> str:
    if verdict.released and not verdict.stands:
        return "approved"
    return "**stops it**" if verdict.tripped else "holds"


def _tripped(summary: plan.PlanSummary, company: Company) -> str:
    """What the guards say that hold something back, in the same words as on the screen."""
    said = ". ".join(plan.sentence(v) for v in summary.tripped[:10])
    more = f", and {len(summary.tripped) - 10} more" if len(summary.tripped) > 10 else ""
    if summary.tripped and all(v.stands for v in summary.tripped) and not summary.blocked:
        return f"{said}{more}."
    if not summary.changes:  # case 1
        return (
            f"Nothing is changed in deskbird. {said}. See whether the HR system and its credential "
            "still show anybody."
        )
    return (
        f"{summary.blocked} changes are held back. {said}{more}. The others are carried out. Look "
        f"at `hris-pipeline plan {company.name}`, then approve it with `hris-pipeline approve "
        f"{company.name} {summary.plan_id}`, or correct the HR system."
    )


def _approved(summary: plan.PlanSummary) -> str | None:
    """That what guards had held back is approved; None where nothing is."""
    released = [v.guard for v in summary.guards if v.released and not v.stands]
    named = ", ".join(dict.fromkeys(released))
    return (
        f"What {named} had stopped is approved, and waits for the next run or apply."
        if released
        else None
    )


# --- what became of it ----------------------------------------------------------------------------


PICTURES_AHEAD = 30
PLAN = {
    "plan_id": dg.Field(
        dg.Noneable(str),
        default_value=None,
        description="the plan to carry out; null for the latest",
    )
}


def applied_changes(company: Company) -> dg.AssetsDefinition:
    """``deskbird.applied_changes``. It has no retry policy: a retry looks at deskbird anew and
    repeats nothing.
    """
    table = APPLIED_CHANGES
    code = code_version(company, "plan", "deskbird", "http.py", "contracts")

    @assets(
        company,
        name="deskbird__applied_changes",
        description="Carries the plan out, then reads deskbird back and compares.",
        specs=[
            spec(
                company,
                table,
                deps=[key(company.name, CHANGES)],
                stage="plan",
                kinds=READ,
                code=code,
            )
        ],
        checks=[
            checks.check(company.name, table, checks.EVERY_CHANGE_WAS_APPLIED),
            checks.check(company.name, table, checks.DESKBIRD_IS_IN_LINE),
            checks.check(company.name, table, checks.WHAT_IS_WRITTEN_STICKS),
        ],
        config=PLAN,
    )
    def apply(here: Step) -> Events:
        rules, plan_id = plan_rules(here.resolved), here.config["plan_id"]
        by_hand = here.job not in {nightly_job(company.name), changes_job(company.name)}
        # a paused night looks and plans; whoever asks for writes is refused
        if by_hand and (pause := here.paused()):
            raise PipelineError(f"{_paused(company, pause, 'nothing was written')}.")
        with here.warehouse.write(rules.connections) as con:
            _require_plan(con, company, plan_id)
            if by_hand:  # before deskbird is asked; what is written is looked at again just before
                plan.require_unaltered(
                    con, company.name, plan_id or plan.latest(con), "Nothing was written."
                )
                # in a night an altered decision holds nothing up: all that guards hold back stays
                # so
                plan.require_unaltered_decisions(con, company.name, "Nothing was written.")
            fresh = _observed_by(con, here.run_id)
        with here.deskbirds.open(here.resolved) as service:
            if not fresh:  # by hand, by `apply`, or in a run that takes over from a killed one
                _read_again(here, service, by_hand=True)
            done = _carry_out(here, rules, plan_id, service)
            yield done.published
            yield _every_change_was_applied(company, done)
            if done.stopped:
                _tag(here, outcomes.Outcome.FAILED, done.counts, done.counts["blocked"])
                raise done.stopped
            if done.writes:
                try:
                    _read_again(here, service, by_hand=False)
                except DeskbirdError as problem:
                    raise _unseen(company, problem) from None
        with here.warehouse.write(rules.connections) as con:
            unchanged = fresh and not done.writes
            night = plan.close_night(
                con, rules, done.plan_id, now=here.now, run_id=here.run_id, unchanged=unchanged
            )
        yield _deskbird_is_in_line(company, night, done.paused)
        yield _what_is_written_sticks(company, night)
        _tag_outcome(here, done, night)
        told = {
            "managed_users": night.managed,
            "left": night.left,
            "held_back": night.blocked,
            "writes": done.writes,
        }
        here.context.log_event(dg.AssetMaterialization(destination(company).key, metadata=told))
        here.warehouse.publish_copy()
        if night.in_line and here.job == nightly_job(company.name):
            _heartbeat(here)

    return apply


def _paused(company: Company, pause: Pause, nothing: str) -> str:
    return f"{company.name} is {pause.sentence(company.name, company.timezone, nothing=nothing)}"


@dataclass(frozen=True)
class _Done:
    plan_id: str
    published: dg.MaterializeResult[None]
    counts: dict[str, int]  # changes, by outcome
    writes: int  # that reached deskbird
    unsent: int  # writes whose turn did not come
    why: str | None  # the first problem, in words
    stopped: PipelineError | None  # what ended the run before its end
    paused: Pause | None  # why nothing more was sent, or would have been


def _carry_out(
    here: Step, rules: plan.PlanParameters, plan_id: str | None, service: Service
) -> _Done:
    """Prepare against what deskbird holds now, send, and write down what became of it. The
    warehouse is closed while we send.
    """
    with here.warehouse.write(rules.connections) as con:
        prepared = plan.prepare(con, rules, plan_id, now=here.now)
        readable = {
            name
            for (names,) in con.execute("select readable from state.observations").fetchall()
            for name in names
        }
    answered: dict[int, Result] = {}
    stopped: PipelineError | None = None
    paused = here.paused()

    # asked before every single write; a stop request raises here, within one record too
    def stop() -> str | bool:
        nonlocal paused
        paused = paused or here.paused()
        if paused:
            return StopReason(
                f"{_paused(here.company, paused, 'this change was not sent')}.", "paused"
            )
        if here.deadline.passed:
            return StopReason(
                f"{here.out_of_time} This change was not sent. The next run goes on.", "deadline"
            )
        return False

    if prepared.writes:
        with Journal(here.journal) as journal:
            answers = carry_out(
                prepared.plan_id,
                prepared.writes,
                service,
                journal,
                dialect=here.company.deskbird.scim_dialect,
                remembered=prepared.dialects,
                ids=prepared.ids,
                stop=stop,
                progress=here.progress,
                now=here.time,
                readable=readable,
                evidence=prepared.evidence,
                doubts=prepared.doubts,
                picture=_pictures(here.warehouse, rules.connections, prepared.writes),
            )
            try:
                # what came before an error counts; of two results of one write the second
                for one in answers:
                    answered[one.request] = one
            except PipelineError as problem:
                stopped = problem
    results = list(answered.values())
    with here.warehouse.write(rules.connections) as con:
        fold(here, con)
        applied = plan.finish(con, prepared, results, now=here.now, run_id=here.run_id)
        photos.tidy(con, rules.connections)
        photos.give_up_refused(con, rules.connections, prepared.plan_id, here.run_id)
        counts = asdict(applied)
        told = {
            "plan_id": prepared.plan_id,
            **counts,
            "writes": len(results),
            "requests": sum(one.attempts for one in results),
        }
        published = result(con, here.company, APPLIED_CHANGES, told)
    journals.clear(here.journal)
    writes = sum(one.attempts > 0 for one in results)
    if results and here.deadline.passed and not stopped:
        stopped = DeadlineError(
            f"{here.out_of_time} {writes} of {len(prepared.writes)} writes were sent and their "
            "answers are kept; deskbird was not read back, so whether it is in line is not "
            f"known. {here.then}"
        )
    return _Done(
        prepared.plan_id,
        published,
        counts,
        writes=writes,
        unsent=sum(one.outcome == "skipped" for one in results),
        why=next((one.problem for one in results if one.problem), None),
        stopped=stopped,
        paused=paused,
    )


def _pictures(
    warehouse: Warehouse, connections: Sequence[str], writes: Sequence[Write]
) -> Callable[[str, str], str | None]:
    """The pictures of the writes, by ``hris_ref`` and digest. A few are fetched ahead: opening the
    warehouse costs most.
    """
    coming = deque(
        (write.hris_ref, str(write.set["photo"])) for write in writes if write.set.get("photo")
    )
    at_hand: dict[tuple[str, str], str] = {}

    def picture(hris_ref: str, digest: str) -> str | None:
        if (hris_ref, digest) not in at_hand:
            some = {
                (hris_ref, digest),
                *(coming.popleft() for _ in range(min(len(coming), PICTURES_AHEAD))),
            }
            with warehouse.read() as con:
                at_hand.update(photos.data_uris(con, connections, some))
        return at_hand.pop((hris_ref, digest), None)

    return picture


def _require_plan(con: duckdb.DuckDBPyConnection, company: Company, plan_id: str | None) -> None:
    """Raise before deskbird is asked for anything where there is nothing to carry out."""
    known = {row[0] for row in con.execute("select plan_id from state.plans").fetchall()}
    if not known:
        raise PipelineError(
            f"There is no plan for {company.name} yet, so there is nothing to carry out. Nothing "
            f"was changed. Materialise {company.name}/deskbird/changes first, or run "
            f"{nightly_job(company.name)}."
        )
    if plan_id and plan_id not in known:
        raise PipelineError(
            f"There is no plan with this id for {company.name}. Nothing was changed. "
            f"`hris-pipeline plan {company.name}` shows the current one."
        )


def _observed_by(con: duckdb.DuckDBPyConnection, run_id: str) -> bool:
    """Whether this very run has read both users and groups."""
    row = con.execute(
        "select list_sort(list(resource)) from state.observations where run_id = ?", [run_id]
    ).fetchone()
    return bool(row and row[0] == ["groups", "users"])


def _tag_outcome(here: Step, done: _Done, night: plan.Night) -> None:
    """Put on the run what it came to."""
    counts, held_back = done.counts, night.blocked
    # between nights leavers wait for the night, as it is meant
    if held_back and here.job == changes_job(here.company.name):
        held_back -= night.unproven
    outcome = outcomes.of_night(
        night,
        failed=counts["failed"],
        stale=counts["stale"],
        unsent=done.unsent,
        held_back=held_back,
        paused=done.paused is not None,
    )
    _tag(here, outcome, counts, night.blocked)


def _tag(here: Step, outcome: outcomes.Outcome, counts: Mapping[str, int], held_back: int) -> None:
    failed, stale = counts["failed"], counts["stale"]
    outcomes.tag(
        here.context.instance,
        here.run_id,
        outcome,
        held_back=held_back,
        failed=failed,
        stale=stale,
    )


def _every_change_was_applied(company: Company, done: _Done) -> dg.AssetCheckResult:
    counts = done.counts
    went_wrong = counts["failed"] or counts["stale"]
    passed = not (went_wrong or done.unsent)
    why: str | None = None
    if not passed:
        why = (
            f"{counts['failed']} changes failed, {counts['stale']} were stale, {done.unsent} "
            "writes were not sent"
        )
        why = (
            f"{why}; {counts['applied']} changes were "
            f"applied.{f' The first problem: {done.why}' if done.why else ''}"
        )
    if done.paused and not went_wrong:
        nothing = (
            f"nothing more was written after {done.writes} writes"
            if done.writes
            else "nothing was written"
        )
        why = f"{_paused(company, done.paused, nothing)}. {done.unsent} writes were not sent."
    told = {**counts, "writes": done.writes, "writes_not_sent": done.unsent}
    return checks.verdict(
        company.name,
        APPLIED_CHANGES,
        checks.EVERY_CHANGE_WAS_APPLIED,
        passed=passed,
        severity=checks.WARN if done.paused and not went_wrong else checks.ERROR,
        why=why,
        counts=told,
    )


def _deskbird_is_in_line(
    company: Company, night: plan.Night, pause: Pause | None
) -> dg.AssetCheckResult:
    ours = night.damage.count or night.held_of_ours
    why = [night.damage.sentence(company.name)] if night.damage.count else []
    if night.held_of_ours:
        why.append(
            f"{night.held_of_ours} changes that repair what a run of ours left otherwise than it "
            "was asked to are held back by guards, so deskbird is not in line. Look at "
            f"`hris-pipeline plan {company.name}`, then approve them."
        )
    if pause:
        why.append(
            f"{night.left} changes are still wanted: {_paused(company, pause, 'they wait')}."
        )
    elif night.left or not why:
        why.append(
            f"{night.left} changes are still wanted after this night. The next one tries again."
        )
    counts = {"left": night.left, "held_back": night.blocked, "managed_users": night.managed}
    return checks.verdict(
        company.name,
        APPLIED_CHANGES,
        checks.DESKBIRD_IS_IN_LINE,
        passed=night.in_line,
        severity=checks.WARN if pause and not ours else checks.ERROR,
        why=None if night.in_line else " ".join(why),
        counts={**counts, "damaged": night.damage.count, "held_back_of_ours": night.held_of_ours},
    )


def _what_is_written_sticks(company: Company, night: plan.Night) -> dg.AssetCheckResult:
    why = (
        f"{night.not_retained} values are not written again: deskbird accepted them "
        f"{plan.drift.NIGHTS} nights in a row and then did not hold them. Table "
        "state.not_retained names them; a value that the HR system wants otherwise is tried "
        "anew."
    )
    return checks.verdict(
        company.name,
        APPLIED_CHANGES,
        checks.WHAT_IS_WRITTEN_STICKS,
        passed=not night.not_retained,
        severity=checks.WARN,
        why=why if night.not_retained else None,
        counts={"not_retained": night.not_retained},
    )


def _unseen(company: Company, problem: DeskbirdError) -> DeskbirdError:
    cause = problem.problem.rstrip(".")
    return DeskbirdError(
        f"The changes of {company.name} were sent and their answers are kept, but deskbird could "
        f"not be read afterwards: {cause}. Whether deskbird is in line is not known. Run again: "
        "the next run looks before it writes."
    )


def _heartbeat(here: Step) -> None:
    """Tell the outside monitor of a good night; that it cannot be told does not make the night a
    bad one.
    """
    url = here.resolved.heartbeat_url
    if url is None:
        return
    try:
        alerts.call_heartbeat(url.get_secret_value())
    except PipelineError as problem:
        here.context.log.warning(str(problem))
