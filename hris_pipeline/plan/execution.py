"""From a plan to writes, and from answers to outcomes.

Staleness is judged change by change: before anything is sent, what is wanted now is worked out
again from the same tables, and only a change of the plan that is still wanted, word for word,
becomes a write (design, "Plans, exactly").
"""

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from hris_pipeline import identity
from hris_pipeline.contracts.writes import Kind, Result, UserRef, Write
from hris_pipeline.errors import PipelineError
from hris_pipeline.plan import damage, dialects, drift
from hris_pipeline.plan.damage import Damage
from hris_pipeline.plan.guards import MANAGED
from hris_pipeline.plan.integrity import require_unaltered
from hris_pipeline.plan.planning import PlanParameters, compute, guard_verdicts, set_readable
from hris_pipeline.warehouse import run, stage

_HERE = Path(__file__).parent
_PREPARE, _FINISH, _READABLE_AGAIN, _DESIRED_EFFECTS, _REMEMBER, _PROBLEMS = (
    (_HERE / f"{name}.sql").read_text(encoding="utf-8")
    for name in (
        "staleness",
        "outcomes",
        "readable_again",
        "desired_effects",
        "undone_values",
        "problems",
    )
)
_NOTHING_TO_DO = """create or replace table state.plan_progress as
    select *, null::varchar as outcome, null::varchar as problem, null::varchar as problem_code
    from state.plan_changes where false"""


@dataclass(frozen=True)
class Prepared:
    """What of a plan is to be sent now."""

    plan_id: str
    writes: tuple[Write, ...]
    ids: dict[str, str]
    """deskbird's ids of the users and groups that the writes refer to, by hris_ref."""
    dialects: dict[str, str]
    """The dialect that worked, by form of write; updated in place while writing."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Changes that are not sent, by outcome: blocked, stale, skipped."""
    evidence: dict[str, str] = field(default_factory=dict)
    """What proved a form of write while writing; updated in place."""
    doubts: set[str] = field(default_factory=set)
    """Forms of which the dialect is to be proven anew; updated in place."""


@dataclass(frozen=True)
class Applied:
    """What became of the plan's changes, by number."""

    applied: int
    failed: int
    blocked: int
    skipped: int
    stale: int


@dataclass(frozen=True)
class Night:
    """How a night ended: in line when nothing is left but what a guard holds back."""

    in_line: bool
    left: int
    blocked: int
    managed: int
    not_retained: int = 0  # values that are not written again, because deskbird did not keep them
    damage: Damage = field(default_factory=Damage)  # what differs from what this run left
    held_of_ours: int = 0  # repairs of our own doing that a guard holds back
    unproven: int = 0  # of what is blocked: for the one reason that the extract is not proven


def prepare(
    con: duckdb.DuckDBPyConnection,
    rules: PlanParameters,
    plan_id: str | None = None,
    *,
    now: dt.datetime,
) -> Prepared:
    """Judge each change of the plan (the current one by default) against what is wanted now; what
    stands becomes writes.

    Of a plan that undoes another, what is wanted is what deskbird held before: it need only still
    hold what was done. Leaves the judgement in ``state.plan_progress`` for :func:`finish`.
    :class:`PipelineError` where there is no such plan, or where it was altered since it was made.
    """
    row = con.execute(
        "select plan_id, changes from state.plans where $id is null or plan_id = $id order by "
        "number desc limit 1",
        {"id": plan_id},
    ).fetchone()
    if row is None and plan_id is None:
        raise PipelineError(
            f"There is no plan for company '{rules.company}' yet. Nothing was written. "
            "Make one first: materialise deskbird/changes."
        )
    if row is None:
        raise PipelineError(
            f"There is no plan with the id {plan_id} for company '{rules.company}'. Nothing was "
            f"written. `hris-pipeline plan {rules.company}` shows the current one."
        )
    plan_id, changes = str(row[0]), row[1]
    require_unaltered(con, rules.company, plan_id, "Nothing was written.")
    if not changes:
        con.execute(_NOTHING_TO_DO)
        return Prepared(plan_id, (), {}, {})
    undone = undoes(con, plan_id)
    if undone:
        require_unaltered(con, rules.company, undone, "Nothing was written.")
    compute(con, rules, now, undone)
    con.execute("set variable plan_id = ?", [plan_id])
    con.execute("set variable now = ?", [now])
    run(con, _PROBLEMS)
    run(con, _PREPARE)
    counts = dict(
        con.execute(
            "select outcome, count(*) from state.plan_progress where outcome is not null group "
            "by all"
        ).fetchall()
    )
    writes = tuple(_writes(con))
    if writes:
        damage.remember(con, plan_id, now)
    forms = dialects.known(con)
    return Prepared(
        plan_id,
        writes,
        _ids(con),
        {known.form: known.dialect for known in forms},
        counts,
        doubts={known.form for known in forms if known.doubts},
    )


def undoes(con: duckdb.DuckDBPyConnection, plan_id: str) -> str | None:
    """The plan that this one is the undoing of; None of a usual plan."""
    rows = con.execute("select undoes from state.plans where plan_id = ?", [plan_id]).fetchall()
    return rows[0][0] if rows else None


def finish(
    con: duckdb.DuckDBPyConnection,
    prepared: Prepared,
    results: Sequence[Result],
    *,
    now: dt.datetime,
    run_id: str,
) -> Applied:
    """Publish ``deskbird.applied_changes``; keep outcomes, links, acknowledged values and
    dialects.
    """
    con.execute(
        """create or replace temp table results (
               request bigint, outcome varchar, http_status integer, attempts integer,
               deskbird_id varchar, problem varchar, unset_manager boolean, left_out varchar[],
               problem_code varchar)"""
    )
    # a write that was tried once more has a second result
    latest = {result.request: result for result in results}.values()
    columns = (
        "request", "outcome", "http_status", "attempts", "deskbird_id", "problem", "unset_manager",
        "left_out", "problem_code",
    )  # fmt: skip
    stage(
        con,
        "results",
        columns,
        [
            (
                r.request, r.outcome, r.http_status, r.attempts, r.deskbird_id, r.problem,
                r.unset_manager, list(r.left_out), r.problem_code,
            )
            for r in latest
        ],
    )  # fmt: skip
    con.execute(
        """create or replace temp table result_parts (
               request bigint, number bigint, part varchar, name varchar, outcome varchar,
               http_status integer, problem varchar, problem_code varchar)"""
    )
    parts = [
        (
            r.request,
            number,
            *part.atom,
            part.outcome,
            part.http_status,
            part.problem,
            part.problem_code,
        )
        for r in latest
        for number, part in enumerate(r.parts)
    ]
    named = (
        "request",
        "number",
        "part",
        "name",
        "outcome",
        "http_status",
        "problem",
        "problem_code",
    )
    stage(con, "result_parts", named, parts)
    con.execute("set variable plan_id = ?", [prepared.plan_id])
    con.execute("set variable now = ?", [now])
    con.execute("set variable run_id = ?", [run_id])
    con.execute("set variable undoes = ?", [undoes(con, prepared.plan_id) or ""])
    set_readable(con)
    run(con, _PROBLEMS)
    run(con, _FINISH)
    run(con, _DESIRED_EFFECTS)
    run(con, _REMEMBER)
    dialects.keep(con, prepared.dialects, prepared.evidence, prepared.doubts, now)
    counts = dict(
        con.execute(
            "select outcome, count(*) from deskbird.applied_changes group by all"
        ).fetchall()
    )
    return Applied(
        *(
            counts.get(outcome, 0)
            for outcome in ("applied", "failed", "blocked", "skipped", "stale")
        )
    )


def close_night(
    con: duckdb.DuckDBPyConnection,
    rules: PlanParameters,
    plan_id: str,
    *,
    now: dt.datetime,
    run_id: str,
    unchanged: bool = False,
) -> Night:
    """Compare once more, after the read-back, and record how the night ended.

    ``unchanged`` says that nothing was sent, and deskbird not read, since the plan was made: where
    this run made it and it found nothing to do, that was the comparison. Of a plan that undoes
    another, ``left`` is what of it did not stick. What the HRIS wants otherwise is the next
    night's; until that is in line, nothing is recorded that a guard could take for a good night.
    """
    undone = undoes(con, plan_id)
    stuck = 0
    if undone:
        compute(con, rules, now, undone)
        row = con.execute(
            "select count(*) from changes_judged where verdict = 'planned'"
        ).fetchone()
        stuck = int(row[0]) if row else 0
    if unchanged and not undone and _found_nothing(con, plan_id, run_id):
        set_readable(con)
        identity.observe(con, rules.connections)
        judged, verdicts = "deskbird.changes", guard_verdicts(con, plan_id)
    else:
        judged, verdicts = "changes_judged", compute(con, rules, now)
        if drift.after_the_night(con, plan_id, now=now, run_id=run_id):
            verdicts = compute(con, rules, now)  # without what is given up from tonight on
        drift.publish(con)
    damaged = Damage()
    if not unchanged:
        damaged = damage.judge(con, plan_id, run_id, now)
    if judged == "changes_judged" and damage.is_open(con):
        damage.settle(con, plan_id, run_id, now)
    row = con.execute(
        f"""select count(*) filter (verdict = 'planned'), count(*) filter (verdict = 'blocked'),
               count(*) filter (verdict = 'blocked'
                   and (json_exists(evidence, '$.damage') or content in (
                   select p.content
                   from state.plan_changes p
                   join state.outcomes o using (plan_id, seq)
                   where o.run_id = $run and o.plan_id = $plan and o.outcome = 'applied'))),
               count(*) filter (verdict = 'blocked' and guard = 'incomplete_extract'),
               (select count(*) from owned_users where {MANAGED}),
               (
                   select count(*)
                   from state.outcomes
                   where run_id = $run and plan_id = $plan and outcome = 'failed'
               )
           from {judged}""",
        {"run": run_id, "plan": plan_id},
    ).fetchone()
    assert row is not None
    left, blocked, held_of_ours, unproven, managed, failed = row
    ours = damaged.count + held_of_ours
    contact_waits = any(v.tripped and v.code == "strangers" for v in verdicts)
    nobody_left = any(v.tripped and v.code == "nobody_left" for v in verdicts)
    in_line = left == 0 and failed == 0 and ours == 0 and not contact_waits and not nobody_left
    con.execute("set variable now = ?", [now])
    run(con, _READABLE_AGAIN)
    if undone:
        good = in_line and not any(v.guard == "scope_lost" and v.tripped for v in verdicts)
        left, in_line = stuck, stuck == 0 and failed == 0 and damaged.count == 0
        if in_line and not good:
            return Night(in_line, left, blocked, managed, unproven=unproven)
    con.execute(
        "insert into state.nights values (?, ?, ?, ?, ?)", [plan_id, now, managed, in_line, run_id]
    )
    return Night(
        in_line,
        left,
        blocked,
        managed,
        drift.ignored_drift(con)[1],
        damage=damaged,
        held_of_ours=held_of_ours,
        unproven=unproven,
    )


def _found_nothing(con: duckdb.DuckDBPyConnection, plan_id: str, run_id: str) -> bool:
    """Whether this run itself made the plan and found nothing to do, nor anything that may be in
    line again.
    """
    idle = con.execute(
        "select 1 from state.plans where plan_id = ? and run_id = ? and changes = 0",
        [plan_id, run_id],
    ).fetchall()
    return bool(idle) and not drift.is_watched(con)


def fold_journal(con: duckdb.DuckDBPyConnection, entries: Sequence[Any], now: dt.datetime) -> int:
    """Take the journal's entries into ``state.ledger``, and links from answered creations; return
    how many entries.
    """
    columns = (
        "plan_id",
        "request",
        "kind",
        "hris_ref",
        "deskbird_id",
        "phase",
        "status",
        "attempt",
        "happened_at",
    )
    stage(
        con,
        "state.ledger",
        columns,
        [
            (
                e.plan_id,
                e.request,
                e.kind,
                e.hris_ref,
                e.deskbird_id,
                e.phase,
                e.status,
                e.attempt,
                e.time or now,
            )
            for e in entries
        ],
    )
    created = {
        (entry.kind.split("_")[0], entry.hris_ref): entry.deskbird_id
        for entry in entries
        if entry.phase == "answered"
        and entry.kind.startswith(("user_create", "group_create"))
        and entry.deskbird_id
    }
    for table, kind in (("links", "user"), ("group_links", "group")):
        found = [
            (ref, deskbird_id, "create", now)
            for (of, ref), deskbird_id in created.items()
            if of == kind
        ]
        con.execute(
            f"delete from state.{table} where hris_ref in (select unnest(?::varchar[]))",
            [[ref for ref, *_ in found]],
        )
        stage(con, f"state.{table}", ("hris_ref", "deskbird_id", "rule", "linked_at"), found)
    gone = [
        e.deskbird_id
        for e in entries
        if e.phase == "answered"
        and e.kind == "group_delete"
        and e.status is not None
        and (e.status < 300 or e.status == 404)
    ]
    con.execute(
        "delete from state.group_links where deskbird_id in (select unnest(?::varchar[]))", [gone]
    )
    _remember_undone(con, {entry.plan_id for entry in entries}, now)
    return len(entries)


def _remember_undone(
    con: duckdb.DuckDBPyConnection, plan_ids: Collection[str], now: dt.datetime
) -> None:
    """Of plans that undo others: what was answered counts as undone, even if the run was killed and
    nobody carries on with it.
    """
    for plan_id in plan_ids:
        if undone := undoes(con, plan_id):
            con.execute("set variable plan_id = ?", [plan_id])
            con.execute("set variable undoes = ?", [undone])
            con.execute("set variable now = ?", [now])
            con.execute(
                """create or replace temp view rows_done as
                   select object, action, hris_ref, group_ref, deskbird_id, after
                   from state.plan_changes c
                   where plan_id = getvariable('plan_id') and verdict = 'planned' and request in (
                       select request
                       from state.ledger l
                       where l.plan_id = c.plan_id and phase = 'answered' and status < 300)"""
            )
            run(con, _DESIRED_EFFECTS)
            run(con, _REMEMBER)


def _ids(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    known = con.execute("""select hris_ref, deskbird_id from user_matches where hris_ref in (
               select hris_ref from state.plan_progress where outcome is null
               union all
               select after->>'manager_ref'
               from state.plan_progress
               where outcome is null and object = 'manager')
           union all
           select hris_ref, deskbird_id from group_matches where hris_ref in (
               select coalesce(group_ref, hris_ref) from state.plan_progress
               where outcome is null and object in ('group', 'membership'))""").fetchall()
    return dict(known)


def _writes(con: duckdb.DuckDBPyConnection) -> list[Write]:
    con.execute(
        """select request,
                   stage,
                   seq,
                   object,
                   action,
                   p.hris_ref,
                   p.deskbird_id,
                   group_ref,
                   group_deskbird_id,
               before::varchar as before, after::varchar as after,
               coalesce(u.version, g.version) as version,
               case when u.deskbird_id is not null
                       then json_merge_patch(
                           to_json(u), coalesce(to_json(u.attributes), '{}'),
                           '{"deskbird_id": null, "hris_ref": null, "version": null, '
                           || '"attributes": null}')
                   when g.deskbird_id is not null then to_json(
                       {name: g.name, external_id: g.external_id}
                   ) end::varchar as held,
               coalesce(m.deskbird_id, p.after->>'manager_deskbird_id') as manager_deskbird_id,
               p.evidence->>'undoes' is not null as restores
           from state.plan_progress p
           left join deskbird.users u on u.deskbird_id = p.deskbird_id and p.object = 'user'
           left join observed_groups g on g.deskbird_id = p.deskbird_id and p.object = 'group'
           left join user_matches m on m.hris_ref = p.after->>'manager_ref' and p.object = 'manager'
           where outcome is null order by stage, request, seq"""
    )
    columns = [column[0] for column in con.description or []]
    found = (dict(zip(columns, row, strict=True)) for row in con.fetchall())
    return [
        _write(list(rows))
        for _, rows in groupby(found, key=lambda row: (row["stage"], row["request"]))
    ]


def _write(rows: list[dict[str, Any]]) -> Write:
    """One write from the rows that share its request."""
    first = rows[0]
    of_group = first["object"] in ("group", "membership")
    creates = any(row["object"] in ("user", "group") and row["action"] == "create" for row in rows)
    values: dict[str, Any] = {}
    before: dict[str, Any] = {}
    for row in rows:
        if row["object"] in ("user", "group"):
            values |= json.loads(row["after"])
            before |= json.loads(row["before"])
    if "user_name" in values and values["user_name"] == values.get(
        "email", None if first["restores"] else values["user_name"]
    ):
        # a userName is the address too; deskbird's client writes both as one
        values = {"email": values.pop("user_name")} | values
        before = {"email": before.pop("user_name")} | before
    managers = [row for row in rows if row["object"] == "manager"]
    set_to = next((row for row in managers if row["action"] == "set"), None)
    kind: Kind = (
        ("create_group" if creates else "update_group")
        if of_group
        else ("create_user" if creates else "update_user")
    )
    if first["action"] == "delete":  # has a request of its own
        kind, before = "delete_group", {}
    return Write(
        request=first["request"],
        stage=first["stage"],
        kind=kind,
        hris_ref=first["group_ref"] or first["hris_ref"],
        deskbird_id=next(
            (
                row["group_deskbird_id"] if row["object"] == "membership" else row["deskbird_id"]
                for row in rows
            ),
            None,
        ),
        set=values,
        before=before,
        manager=(
            UserRef(json.loads(set_to["after"])["manager_ref"] or "", set_to["manager_deskbird_id"])
            if set_to
            else None
        ),
        clear_manager=any(row["action"] == "clear" for row in managers),
        add=tuple(
            UserRef(row["hris_ref"] or "", row["deskbird_id"])
            for row in rows
            if row["action"] == "add"
        ),
        remove=tuple(
            UserRef(row["hris_ref"] or "", row["deskbird_id"])
            for row in rows
            if row["action"] == "remove"
        ),
        version=next((row["version"] for row in rows if row["version"]), None),
        held=next(
            (json.loads(row["held"]) for row in rows if row["held"] and row["version"]), None
        ),
        seqs=tuple(row["seq"] for row in rows),
    )
