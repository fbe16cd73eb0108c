"""Releasing what guards hold back, or keeping it held back.

An approval belongs to the approved changes by content, and to the guards that held them: a later plan that contains exactly such a
change finds it approved, until the approval expires (case 71).
"""

import datetime as dt

import duckdb

from hris_pipeline.errors import PipelineError


def approve(
    con: duckdb.DuckDBPyConnection, plan_id: str, *, only: str | None, because: str | None, by: str, now: dt.datetime, hours: float
) -> int:
    """Release the blocked changes of a plan (of one guard, if ``only`` names it) for ``hours``; return how many were released anew.

    Approving twice is a no-op. :class:`PipelineError` where there is no such plan or nothing of it is blocked.
    """
    return _decide(con, plan_id, "approved", only=only, because=because, by=by, now=now, hours=hours)


def reject(con: duckdb.DuckDBPyConnection, plan_id: str, *, because: str | None, by: str, now: dt.datetime, hours: float) -> int:
    """Keep the blocked changes of a plan blocked and take back their approval; return how many."""
    return _decide(con, plan_id, "rejected", only=None, because=because, by=by, now=now, hours=hours)


def _decide(
    con: duckdb.DuckDBPyConnection, plan_id: str, decision: str, *, only: str | None, because: str | None, by: str, now: dt.datetime, hours: float
) -> int:
    if con.execute("select 1 from state.plans where plan_id = ?", [plan_id]).fetchone() is None:
        latest = con.execute("select plan_id from state.plans order by number desc limit 1").fetchone()
        hint = f"The latest plan is {latest[0]}." if latest else "There is no plan yet."
        raise PipelineError(f"There is no plan with the id {plan_id}. Nothing was {decision}. {hint}")
    held = "plan_id = $plan_id and verdict = 'blocked' and ($only is null or list_contains(guards, $only))"
    row = con.execute(f"select count(*) from state.plan_changes where {held}", {"plan_id": plan_id, "only": only}).fetchone()
    if not row or not row[0]:
        what = f"by guard {only}" if only else "by any guard"
        raise PipelineError(f"Nothing of plan {plan_id} is blocked {what}. Nothing was {decision}.")
    done = con.execute(
        f"""insert into state.approvals
            select $plan_id, content, case when $only is null then guards else [$only] end, $decision, $because, $by, $now, $until
            from state.plan_changes p
            where {held} and not exists (
                from (from state.approvals a where a.content = p.content and a.expires_at > $now
                      qualify a.decided_at = max(a.decided_at) over (partition by a.content)) a
                where a.decision = $decision and list_has_all(a.guards, case when $only is null then p.guards else [$only] end))
            returning content""",
        {"plan_id": plan_id, "only": only, "decision": decision, "because": because, "by": by, "now": now, "until": now + dt.timedelta(hours=hours)},
    ).fetchall()
    return len(done)
