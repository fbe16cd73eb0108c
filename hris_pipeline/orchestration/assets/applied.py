"""What became of the plan: what was carried out, and how the night leaves deskbird."""

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg

from hris_pipeline import alerts, plan
from hris_pipeline.contracts.pauses import Pause
from hris_pipeline.contracts.tables import APPLIED_CHANGES, CHANGES
from hris_pipeline.deskbird import journal as journals
from hris_pipeline.deskbird.scim import Service
from hris_pipeline.errors import DeadlineError, DeskbirdError, PipelineError
from hris_pipeline.operations import apply as operation
from hris_pipeline.operations.parameters import plan_rules
from hris_pipeline.orchestration import checks, outcomes
from hris_pipeline.orchestration.assets.observed import KINDS, read_again
from hris_pipeline.orchestration.job_names import changes_job, nightly_job
from hris_pipeline.orchestration.step import Events, Step, assets, fold
from hris_pipeline.orchestration.tables import code_version, key, result, spec
from hris_pipeline.settings import Company

PLAN = {
    "plan_id": dg.Field(
        dg.Noneable(str),
        default_value=None,
        description="the plan to carry out; null for the latest",
    )
}


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


def applied_changes(company: Company) -> dg.AssetsDefinition:
    """``deskbird.applied_changes``. It has no retry policy: a retry looks at deskbird anew and
    repeats nothing.
    """
    table = APPLIED_CHANGES
    code = code_version(company, "plan", "deskbird", "http.py", "contracts", "operations/apply.py")

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
                kinds=KINDS,
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
            raise PipelineError(
                f"{operation.paused_sentence(company, pause, 'nothing was written')}."
            )
        with here.warehouse.write(rules.connections) as con:
            operation.require_plan(con, company.name, plan_id)
            if by_hand:  # before deskbird is asked; what is written is looked at again just before
                plan.require_unaltered(
                    con, company.name, plan_id or plan.latest(con), "Nothing was written."
                )
                # in a night an altered decision holds nothing up: all that guards hold back stays
                # so
                plan.require_unaltered_decisions(con, company.name, "Nothing was written.")
            fresh = operation.is_observed_by(con, here.run_id)
        with here.deskbirds.open(here.resolved) as service:
            if not fresh:  # by hand, by `apply`, or in a run that takes over from a killed one
                read_again(here, service, by_hand=True)
            done = _carry_out(here, rules, plan_id, service)
            yield done.published
            yield _every_change_was_applied(company, done)
            if done.stopped:
                _tag(here, outcomes.Outcome.FAILED, done.counts, done.counts["blocked"])
                raise done.stopped
            if done.writes:
                try:
                    read_again(here, service, by_hand=False)
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
    """Prepare against what deskbird holds now, send, and write down what became of it."""
    prepared, readable = operation.prepare(here.warehouse, rules, plan_id, here.now)
    brake = operation.Brake(here.company, here.deadline, here.out_of_time, here.paused)
    sent = operation.send(
        prepared,
        service,
        here.journal,
        company=here.company,
        warehouse=here.warehouse,
        readable=readable,
        brake=brake,
        progress=here.progress,
        time=here.time,
    )
    with here.warehouse.write(rules.connections) as con:
        fold(here, con)
        counts = operation.finish(con, rules, sent, now=here.now, run_id=here.run_id)
        told: dict[str, str | int] = {
            "plan_id": prepared.plan_id,
            **counts,
            "writes": len(sent.results),
            "requests": sum(one.attempts for one in sent.results),
        }
        published = result(con, here.company, APPLIED_CHANGES, told)
    journals.clear(here.journal)
    stopped = sent.stopped
    if sent.results and here.deadline.passed and not stopped:
        stopped = DeadlineError(
            f"{here.out_of_time} {sent.writes} of {len(prepared.writes)} writes were sent and "
            "their answers are kept; deskbird was not read back, so whether it is in line is not "
            f"known. {here.then}"
        )
    return _Done(
        prepared.plan_id,
        published,
        counts,
        writes=sent.writes,
        unsent=sent.unsent,
        why=sent.first_problem,
        stopped=stopped,
        paused=brake.paused,
    )


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
        sentence = operation.paused_sentence(company, done.paused, nothing)
        why = f"{sentence}. {done.unsent} writes were not sent."
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
        sentence = operation.paused_sentence(company, pause, "they wait")
        why.append(f"{night.left} changes are still wanted: {sentence}.")
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
