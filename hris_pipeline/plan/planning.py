"""The plan: what must change in deskbird, drafted by SQL, judged by guards, written down before anything is sent.

Planning is pure: the same tables and the same moment yield the same rows and the same ``plan_id``, and nothing outside the
warehouse is touched. All functions run inside the caller's transaction.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from hris_pipeline.errors import PipelineError
from hris_pipeline.plan import arrivals, drift
from hris_pipeline.plan.arrivals import Expected
from hris_pipeline.plan.guards import Judgement, Situation
from hris_pipeline.plan.integrity import require_unaltered
from hris_pipeline.plan.pipeline import Planning, PlanRules, walk
from hris_pipeline.plan.sentences import GuardVerdict
from hris_pipeline.warehouse import run

__all__ = ["PlanRules", "PlanSummary", "build", "compute", "guard_verdicts", "last_written", "rows", "set_readable"]

_HERE = Path(__file__).parent
_FINDINGS, _ADDRESSES_HANDED_ON = (
    (_HERE / f"{name}.sql").read_text(encoding="utf-8") for name in ("findings", "addresses_handed_on")
)
COLUMNS = (
    "seq, request, stage, object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id, before, after, reason, "
    "reason_code, evidence, verdict, guard, content"
)
_FIELDS = (
    "guard", "subject", "count", "base", "limit", "tripped", "code", "in_window", "max_count", "max_percent", "days",
    "connection", "since", "remedy",
)  # fmt: skip
_VERDICT = ", ".join(_FIELDS).replace("limit", "limit_text")
_HOLDING = """select coalesce(list(distinct guard), []),
        (select coalesce(list(distinct h), []) from (select unnest(held_by) as h from changes_judged))
    from (select unnest(guards) as guard from changes_judged)"""
_HANDED_ON = """select exists (from handed_on)
        or exists (from state.contradictions where code = 'address_handed_on')"""
_ROW_DIGEST = """change_digest(
    seq, request, stage, object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id, before, after,
    reason, evidence, verdict, guard, guards, content, reason_code := reason_code)"""


@dataclass(frozen=True)
class PlanSummary:
    """A finished plan in numbers."""

    plan_id: str
    changes: int
    blocked: int
    by_type: Mapping[str, int]
    guards: tuple[GuardVerdict, ...]
    missing: int
    review: int
    empty_groups: int = 0  # of ours, kept although nobody is in them
    drift: int = 0  # changes that repair what somebody changed in deskbird by hand
    kept: int = 0  # values changed by hand that the company file leaves so
    not_sticking: int = 0  # values that deskbird did not keep three nights in a row, so that they are not written again
    not_given: Sequence[str] = ()  # kinds of group that are synced by default and that nobody is in

    @property
    def planned(self) -> int:
        """Changes that nothing holds back."""
        return self.changes - self.blocked

    @property
    def tripped(self) -> tuple[GuardVerdict, ...]:
        """The guards that hold something back; not those of which all is approved."""
        return tuple(verdict for verdict in self.guards if verdict.tripped and (verdict.stands or not verdict.released))


def build(
    con: duckdb.DuckDBPyConnection, rules: PlanRules, *, now: dt.datetime, run_id: str, undoes: str | None = None
) -> PlanSummary:
    """Make the plan and publish it as ``deskbird.changes``; keep it and what was found on the way in ``state``.

    ``undoes`` makes the inverse of what that plan has done instead, from what deskbird held when it was last read;
    :class:`PipelineError` where there is nothing to undo.
    """
    if undoes is not None:
        require_undoable(con, rules.company, undoes)
    else:
        _note_arrivals(con, rules, now)
    verdicts = compute(con, rules, now, undoes)
    plan_id = _digest(con, rules.company)
    row = con.execute("select count(*), count(*) filter (verdict = 'blocked') from changes_judged").fetchone()
    changes, blocked = row or (0, 0)
    if undoes is not None and not changes:
        raise _nothing_to_undo(con, undoes)
    con.execute(
        f"create or replace table deskbird.changes as select '{plan_id}' as plan_id, {COLUMNS} from changes_judged order by seq"
    )
    con.execute("delete from state.plan_changes where plan_id = ?", [plan_id])
    con.execute(
        f"""insert into state.plan_changes by name
            select '{plan_id}' as plan_id, {COLUMNS}, guards, {_ROW_DIGEST} as row_digest from changes_judged"""
    )
    written = con.execute("select written from state.plans where plan_id = ?", [plan_id]).fetchone()
    con.execute("delete from state.plans where plan_id = ?", [plan_id])
    con.execute(
        f"""insert into state.plans by name
            select *, judgement_digest(plan_id, number, made_at, after_plan, changes, blocked, as_of, undoes,
                (select string_agg({_ROW_DIGEST}, chr(30) order by seq) from changes_judged)) as judgement_digest
            from (select ? as plan_id, coalesce(max(number), 0) + 1 as number, ?::timestamptz as made_at, ? as run_id,
                      ? as after_plan, ?::bigint as changes, ?::bigint as blocked, ?::boolean as written,
                      ?::timestamptz as as_of, ?::varchar as undoes
                  from state.plans)""",
        [plan_id, now, run_id, last_written(con), changes, blocked, bool(written and written[0]), now, undoes],
    )
    con.execute("delete from state.guard_verdicts where plan_id = ?", [plan_id])
    for v in verdicts:
        con.execute(
            f"insert into state.guard_verdicts (plan_id, {_VERDICT}) values (?{', ?' * len(_FIELDS)})",
            [plan_id, *(getattr(v, field_) for field_ in _FIELDS)],
        )
    con.execute("set variable now = ?", [now])
    con.execute("delete from state.not_undone where plan_id = ?", [plan_id])
    if undoes is None:
        run(con, _FINDINGS)
        if con.execute(_HANDED_ON).fetchone() == (True,):
            run(con, _ADDRESSES_HANDED_ON)
        drift.publish(con)
    else:
        con.execute("insert into state.not_undone by name select ? as plan_id, * from not_undone", [plan_id])
    kept, not_sticking = drift.left_alone(con)
    by_type = {
        f"{kind} {action}": count
        for kind, action, count in con.execute(
            "select object, action, count(*) from changes_judged group by all order by all"
        ).fetchall()
    }
    return PlanSummary(
        plan_id,
        changes,
        blocked,
        by_type,
        tuple(verdicts),
        _count(con, "state.missing"),
        _count(con, "state.review"),
        _count(con, "state.empty_groups"),
        _count(con, "changes_judged where evidence->>'drift' = 'true'"),
        kept,
        not_sticking,
        tuple(arrivals.not_given(con)),
    )


def _note_arrivals(con: duckdb.DuckDBPyConnection, rules: PlanRules, now: dt.datetime) -> None:
    limit = rules.guards.get("update_attribute") or {}
    arrivals.refresh(
        con,
        {connection: rules.expected.get(connection, Expected()) for connection in rules.connections},
        tuple(dict.fromkeys((*rules.kinds, *rules.kinds_read))),
        managers=rules.managers,
        from_size=limit.get("from_size") or arrivals.FROM_SIZE,
        now=now,
    )


def compute(con: duckdb.DuckDBPyConnection, rules: PlanRules, now: dt.datetime, undoes: str | None = None) -> list[GuardVerdict]:
    """Make the temp table ``changes_judged``: every change that is wanted now, with its verdict. Publishes nothing.

    What is wanted is what the HRIS says; with ``undoes``, that what this plan has done goes back.
    """
    set_readable(con)
    _set_parameters(con, rules, now, undoes)
    planning = Planning(
        con,
        rules,
        now,
        undoes,
        Judgement(con, rules.guards, _situation(con, rules, now, undoes)),
        drift.is_known(con),
    )
    walk(planning)
    return _released(con, planning.judgement.verdicts)


def _set_parameters(con: duckdb.DuckDBPyConnection, rules: PlanRules, now: dt.datetime, undoes: str | None) -> None:
    """Set the variables that the steps' SQL reads."""
    parameters: dict[str, object] = {
        "now": now,
        "connections": list(rules.connections),
        "take_over": rules.take_over,
        "names": [rules.name_pattern, rules.on_collision],
        "managers": rules.managers,
        "delete_empty_groups": rules.delete_empty_groups,
        "cleared": list(rules.cleared),
        "missing_reads": rules.missing_reads,
        "missing_hours": rules.missing_hours,
        "drift_kept": list(rules.drift_kept),
    }
    if undoes is not None:
        parameters["undoes"] = undoes
    for name, value in parameters.items():
        con.execute(f"set variable {name} = ?{'::varchar[]' if isinstance(value, list) else ''}", [value])


def _released(con: duckdb.DuckDBPyConnection, verdicts: Sequence[GuardVerdict]) -> list[GuardVerdict]:
    """The verdicts, each of which knows whether its guard holds no change back, or none any more."""
    if not any(verdict.tripped for verdict in verdicts):
        return list(verdicts)
    row = con.execute(_HOLDING).fetchone()
    of_rows, holding = row or ([], [])
    return [replace(v, released=v.tripped and v.guard not in holding and (v.stands or v.guard in of_rows)) for v in verdicts]


def require_undoable(con: duckdb.DuckDBPyConnection, company: str, plan_id: str) -> None:
    """:class:`PipelineError` where there is no such plan, or where it has changed nothing in deskbird."""
    row = con.execute(
        "select count(o.seq) from state.plans p left join state.outcomes o on o.plan_id = p.plan_id and o.outcome = 'applied' "
        "where p.plan_id = ? group by p.plan_id",
        [plan_id],
    ).fetchone()
    if row is None:
        raise PipelineError(
            f"There is no plan with the id {plan_id} for company '{company}'. Nothing was planned. "
            f"`hris-pipeline plan {company}` shows the current one."
        )
    if not row[0]:
        raise PipelineError(f"Plan {plan_id} has changed nothing in deskbird, so there is nothing to undo. Nothing was planned.")
    require_unaltered(con, company, plan_id, "Nothing was planned.")


def _nothing_to_undo(con: duckdb.DuckDBPyConnection, plan_id: str) -> PipelineError:
    """Why the inverse of a plan is empty."""
    by = con.execute(
        "select plan_id from state.plans where undoes = ? and written order by number desc limit 1", [plan_id]
    ).fetchone()
    if by:
        return PipelineError(f"Plan {plan_id} is undone already, by plan {by[0]}. Nothing was planned.")
    found = con.execute("select count(*) from not_undone where why <> 'invitation'").fetchone()
    left = int(found[0]) if found else 0
    why = f"{left} of its values were changed since, or are gone" if left else "deskbird holds nothing of it any more"
    return PipelineError(f"Nothing of plan {plan_id} can be undone: {why}. Nothing was planned.")


def last_written(con: duckdb.DuckDBPyConnection) -> str:
    """The id of the plan that wrote last; empty if none ever did."""
    row = con.execute("select plan_id from state.plans where written order by number desc limit 1").fetchone()
    return str(row[0]) if row else ""


def guard_verdicts(con: duckdb.DuckDBPyConnection, plan_id: str) -> list[GuardVerdict]:
    """What the guards said when a plan was made, by guard and subject."""
    found = con.execute(
        f"select {_VERDICT} from state.guard_verdicts where plan_id = ? order by guard, subject, connection",
        [plan_id],
    )
    return [GuardVerdict(*row) for row in found.fetchall()]


def rows(con: duckdb.DuckDBPyConnection, plan_id: str | None = None) -> list[dict[str, object]]:
    """The current plan, or an earlier one, row by row in the order of carrying out."""
    source = "deskbird.changes" if plan_id is None else "(select * from state.plan_changes where plan_id = $plan_id)"
    con.execute(f"select plan_id, {COLUMNS} from {source} order by seq", {"plan_id": plan_id} if plan_id is not None else None)
    columns = [column[0] for column in con.description or []]
    return [dict(zip(columns, row, strict=True)) for row in con.fetchall()]


def _digest(con: duckdb.DuckDBPyConnection, company: str) -> str:
    """The plan's id: a digest of the company, the plan that wrote last, and the ordered (object, action, refs, before, after)."""
    row = con.execute(
        """select left(sha256(concat_ws(chr(30), ?, ?, coalesce(string_agg(line, chr(30) order by seq), ''))), 16)
           from (select seq,
                     change_line(object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id, before, after) as line
                 from changes_judged)""",
        [company, last_written(con)],
    ).fetchone()
    assert row is not None
    return str(row[0])


def set_readable(con: duckdb.DuckDBPyConnection) -> None:
    """Set the variables that say what deskbird gives back at all; the rest is compared with what it acknowledged."""
    known = dict(con.execute("select resource, readable from state.observations").fetchall())
    users, groups_ = list(known.get("users") or []), list(known.get("groups") or [])
    con.execute("set variable readable_users = ?", [[*users, "manager"] if "manager_deskbird_id" in users else users])
    con.execute("set variable managers_are_readable = ?", ["manager_deskbird_id" in users])
    con.execute("set variable readable_groups = ?", [groups_])
    con.execute("set variable members_are_readable = ?", ["members" in groups_])


def _situation(con: duckdb.DuckDBPyConnection, rules: PlanRules, now: dt.datetime, undoes: str | None) -> Situation:
    row = con.execute("select managed from state.nights where in_line order by ended_at desc, rowid desc limit 1").fetchone()
    return Situation(
        base=int(row[0]) if row else 0,
        first_run=row is None,
        now=now,
        kinds=rules.kinds,
        silent=arrivals.silent(con, rules.kinds) if undoes is None else (),
        where={connection: of.where for connection, of in rules.expected.items()},
        frozen=rules.frozen,
        protected=rules.protected,
        unproven=_unproven(con, rules.connections),
        unread=con.execute("select exists (from state.unreadable_records)").fetchone() == (True,),
        undoes=undoes is not None,
    )


def _unproven(con: duckdb.DuckDBPyConnection, connections: Sequence[str]) -> list[str]:
    latest = con.execute(
        """select connection from state.extracts
           qualify row_number() over (partition by connection, resource order by extracted_at desc, rowid desc) = 1
               and proof <> 'proven'"""
    ).fetchall()
    read = {c for (c,) in con.execute("select distinct connection from state.extracts").fetchall()}
    return sorted({c for (c,) in latest} | (set(connections) - read))


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0
