"""The plan: the asset of every change that would bring deskbird in line, with the guards' word."""

from typing import Any

import dagster as dg
import duckdb

from hris_pipeline import photos, plan
from hris_pipeline.contracts.tables import (
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
from hris_pipeline.errors import PipelineError
from hris_pipeline.operations.apply import require_observations
from hris_pipeline.operations.parameters import plan_rules
from hris_pipeline.orchestration import checks, outcomes
from hris_pipeline.orchestration.assets.core import require_built, require_people
from hris_pipeline.orchestration.assets.photos import pictures
from hris_pipeline.orchestration.job_names import changes_job, dry_run_job, undo_job
from hris_pipeline.orchestration.step import Events, Step, assets
from hris_pipeline.orchestration.tables import code_version, key, result, spec
from hris_pipeline.settings import Company

_GRAPH_IS_BUILT = (
    "exists (from core.manager_graph) or not exists (from core.people where status <> 'ended')"
)
CHANGE_TYPES = (
    *(f"user_{action}" for action in ("create", "link", "update", "reactivate", "deactivate")),
    *(f"group_{action}" for action in ("create", "link", "rename", "update", "delete")),
    *("membership_add", "membership_remove", "manager_set", "manager_clear"),
)
"""Told every night, zeros included, so that the UI can plot them."""
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
            require_observations(con, company.name)
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
