"""Releasing what guards hold back, or keeping it held back.

An approval belongs to the approved changes by content, and to the guards that held them: a later
plan that contains exactly such a change finds it approved, until the approval expires (case 71).
"""

import datetime as dt
from pathlib import Path

import duckdb

from hris_pipeline.errors import PipelineError
from hris_pipeline.warehouse import run

NEVER_RELEASED = ["frozen", "protected"]
"""Guards that stand for a list in the company file: the way to release them is to change the list.
"""
_VALID = (Path(__file__).parent / "valid_approvals.sql").read_text(encoding="utf-8")


def approve(
    con: duckdb.DuckDBPyConnection,
    plan_id: str,
    *,
    only: str | None,
    because: str | None,
    by: str,
    now: dt.datetime,
    hours: float,
) -> int:
    """Release the blocked changes of a plan (of one guard, if ``only`` names it) for ``hours``;
    return how many anew.

    Approving twice is a no-op, and what ``frozen`` or ``protected`` hold back is not released.
    :class:`PipelineError` where there is no such plan or nothing of it can be released.
    """
    return _decide(
        con, plan_id, "approved", only=only, because=because, by=by, now=now, hours=hours
    )


def reject(
    con: duckdb.DuckDBPyConnection,
    plan_id: str,
    *,
    because: str | None,
    by: str,
    now: dt.datetime,
    hours: float,
) -> int:
    """Keep the blocked changes of a plan blocked and take back their approval; return how many."""
    return _decide(
        con, plan_id, "rejected", only=None, because=because, by=by, now=now, hours=hours
    )


def _decide(
    con: duckdb.DuckDBPyConnection,
    plan_id: str,
    decision: str,
    *,
    only: str | None,
    because: str | None,
    by: str,
    now: dt.datetime,
    hours: float,
) -> int:
    if con.execute("select 1 from state.plans where plan_id = ?", [plan_id]).fetchone() is None:
        latest = con.execute(
            "select plan_id from state.plans order by number desc limit 1"
        ).fetchone()
        hint = f"The latest plan is {latest[0]}." if latest else "There is no plan yet."
        raise PipelineError(
            f"There is no plan with the id {plan_id}. Nothing was {decision}. {hint}"
        )
    con.execute("set variable now = ?", [now])
    run(con, _VALID)
    con.execute("set variable never = ?", [NEVER_RELEASED])
    # what was approved already is still the plan's, so that it can be approved again (a no-op) or
    # rejected
    held = """plan_id = $plan_id
        and len(guards) > 0
        and ($only is null or list_contains(guards, $only))
              and not list_has_any(guards, getvariable('never'))"""
    row = con.execute(
        f"select count(*) from state.plan_changes where {held}", {"plan_id": plan_id, "only": only}
    ).fetchone()
    if not row or not row[0]:
        what = f"by guard {only}" if only else "by a guard"
        raise PipelineError(
            f"Nothing of plan {plan_id} is held back {what} that a decision can release. Nothing "
            f"was {decision}. What the company file's lists {' and '.join(NEVER_RELEASED)} hold "
            "back stays so while the person is on the list."
        )
    already = (
        "content in (select content from valid_approvals v where list_has_all(v.guards, d.guards))"
        if decision == "approved"
        else """content in (select content from state.approvals group by content
                            having arg_max(decision, {'at': decided_at, 'row': rowid}) = 'rejected'
                                and max(expires_at) > $now)"""
    )
    done = con.execute(
        f"""insert into state.approvals by name
            select *,
                approval_digest(
                    plan_id, content, guards, decision, because, decided_by, decided_at, expires_at
                ) as digest
            from (select $plan_id as plan_id, content, guards, $decision as decision,
                $because::varchar as because,
                $by as decided_by, $now::timestamptz as decided_at,
                $until::timestamptz as expires_at
            from (select content, case when $only is null then guards else [$only] end as guards
                  from state.plan_changes where {held}) d
            where not {already})
            returning content""",
        {
            "plan_id": plan_id,
            "only": only,
            "decision": decision,
            "because": because,
            "by": by,
            "now": now,
            "until": now + dt.timedelta(hours=hours),
        },
    ).fetchall()
    return len(done)
