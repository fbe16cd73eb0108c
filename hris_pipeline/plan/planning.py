"""The plan: what must change in deskbird, drafted by SQL, judged by guards, written down before
anything is sent.

Planning is pure: the same tables and the same moment yield the same rows and the same ``plan_id``,
and nothing outside the warehouse is touched. All functions run inside the caller's transaction.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from hris_pipeline.contracts.attributes import ATTRIBUTES
from hris_pipeline.errors import PipelineError
from hris_pipeline.plan import arrivals
from hris_pipeline.plan.arrivals import Expected
from hris_pipeline.plan.guards import ORDER, Judgement, Situation
from hris_pipeline.plan.integrity import require_unaltered
from hris_pipeline.plan.pipeline import SQL, Planning, PlanParameters, walk
from hris_pipeline.plan.sentences import GuardVerdict
from hris_pipeline.warehouse import run, stage

__all__ = [
    "PlanParameters",
    "PlanSummary",
    "build",
    "compute",
    "guard_verdicts",
    "rows",
    "set_readable",
]

_HERE = Path(__file__).parent
_SITUATION, _BY_TYPE, _PLAN_ID, _ALREADY, _FOUND = (
    (_HERE / f"{name}.sql").read_text(encoding="utf-8")
    for name in ("situation", "by_type", "plan_id", "already", "found")
)
_FINDINGS = {
    path.stem: path.read_text(encoding="utf-8") for path in (_HERE / "findings").glob("*.sql")
}
"""What a plan finds besides changes, by the columns of ``findings/due.sql``."""
COLUMNS = (
    "seq, request, stage, object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id, "
    "before, after, reason, reason_code, evidence, verdict, guard, content"
)
_FIELDS = (
    "guard", "subject", "count", "base", "limit", "tripped", "code", "in_window", "max_count",
    "max_percent", "days",
    "connection", "since", "remedy",
)  # fmt: skip
_VERDICT = tuple("limit_text" if name == "limit" else name for name in _FIELDS)
_HOLDING = """select coalesce(list(distinct guard), []),
        (
            select coalesce(list(distinct h), [])
            from (select unnest(held_by) as h from changes_judged)
        )
    from (select unnest(guards) as guard from changes_judged)"""
_ROW_DIGEST = """change_digest(
    seq, request, stage, object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id,
    before, after, reason, evidence, verdict, guard, guards, content, reason_code := reason_code)"""


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
    # values that deskbird did not keep three nights in a row, so that they are not written again
    not_retained: int = 0
    not_given: Sequence[str] = ()  # kinds of group that are synced by default and that nobody is in

    @property
    def planned(self) -> int:
        """Changes that nothing holds back."""
        return self.changes - self.blocked

    @property
    def tripped(self) -> tuple[GuardVerdict, ...]:
        """The guards that hold something back; not those of which all is approved."""
        return tuple(
            verdict
            for verdict in self.guards
            if verdict.tripped and (verdict.stands or not verdict.released)
        )


def build(
    con: duckdb.DuckDBPyConnection,
    rules: PlanParameters,
    *,
    now: dt.datetime,
    run_id: str,
    undoes: str | None = None,
) -> PlanSummary:
    """Make the plan and publish it as ``deskbird.changes``; keep it and what was found on the way
    in ``state``.

    ``undoes`` makes the inverse of what that plan has done instead, from what deskbird held when it
    was last read; :class:`PipelineError` where there is nothing to undo.
    """
    if undoes is not None:
        require_undoable(con, rules.company, undoes)
    else:
        _note_arrivals(con, rules, now)
    verdicts = compute(con, rules, now, undoes)
    by_type, changes, blocked, repairs = _counted(con)
    if undoes is not None and not changes:
        raise _nothing_to_undo(con, undoes)
    plan_id, after_plan = _digest(con, rules.company)
    _publish(con, plan_id, [plan_id, now, run_id, after_plan, changes, blocked, now, undoes])
    said = [(plan_id, *(getattr(verdict, name) for name in _FIELDS)) for verdict in verdicts]
    stage(con, "state.guard_verdicts", ("plan_id", *_VERDICT), said)
    if undoes is None:
        _write_findings(con)
    else:
        con.execute(
            "insert into state.not_undone by name select ? as plan_id, * from not_undone",
            [plan_id],
        )
    missing, review, empty_groups, kept, not_retained, not_given = _one(con, _FOUND)
    return PlanSummary(
        plan_id,
        changes,
        blocked,
        by_type,
        tuple(verdicts),
        missing,
        review,
        empty_groups,
        repairs,
        kept,
        not_retained,
        tuple(not_given),
    )


def _counted(con: duckdb.DuckDBPyConnection) -> tuple[dict[str, int], int, int, int]:
    """The judged changes in numbers: by type, all, those that are blocked, those that repair what
    was changed by hand.
    """
    found = con.execute(_BY_TYPE).fetchall()
    return {kind: of for kind, of, *_ in found}, *(
        sum(row[column] for row in found) for column in (1, 2, 3)
    )


def _publish(con: duckdb.DuckDBPyConnection, plan_id: str, values: Sequence[object]) -> None:
    """Write the judged changes down, as the current plan and among all plans; an earlier plan of
    the same id gives way.
    """
    written, *there = _one(con, _ALREADY, [plan_id])
    for table, is_there in zip(
        ("plans", "plan_changes", "guard_verdicts", "not_undone"), there, strict=True
    ):
        if is_there:
            con.execute(f"delete from state.{table} where plan_id = ?", [plan_id])
    con.execute(
        f"create or replace table deskbird.changes as select '{plan_id}' as plan_id, {COLUMNS} "
        "from changes_judged order by seq"
    )
    if values[4]:
        con.execute(
            f"""insert into state.plan_changes by name
                select '{plan_id}' as plan_id, {COLUMNS}, guards, {_ROW_DIGEST} as row_digest
                from changes_judged"""
        )
    con.execute(
        f"""insert into state.plans by name
            select *,
                judgement_digest(
                    plan_id, number, made_at, after_plan, changes, blocked, as_of, undoes,
                    (select string_agg({_ROW_DIGEST}, chr(30) order by seq) from changes_judged)
                ) as judgement_digest
            from (
                select ? as plan_id,
                    coalesce(max(number), 0) + 1 as number,
                    ?::timestamptz as made_at,
                    ? as run_id,
                    ? as after_plan,
                    ?::bigint as changes,
                    ?::bigint as blocked,
                    ?::timestamptz as as_of,
                    ?::varchar as undoes,
                    ?::boolean as written
                from state.plans
            )""",
        [*values, bool(written)],
    )


def _write_findings(con: duckdb.DuckDBPyConnection) -> None:
    """Write down what the plan has found besides changes, in the order of ``findings/due.sql``."""
    due = _one(con, _FINDINGS["due"])
    names = [column[0] for column in con.description or []]
    for name, is_due in zip(names, due, strict=True):
        if is_due:
            run(con, _FINDINGS[name])


def _note_arrivals(con: duckdb.DuckDBPyConnection, rules: PlanParameters, now: dt.datetime) -> None:
    limit = rules.guards.get("update_attribute") or {}
    arrivals.refresh(
        con,
        {
            connection: rules.expected.get(connection, Expected())
            for connection in rules.connections
        },
        tuple(dict.fromkeys((*rules.kinds, *rules.kinds_read))),
        managers=rules.managers,
        from_size=limit.get("from_size") or arrivals.FROM_SIZE,
        now=now,
    )


def compute(
    con: duckdb.DuckDBPyConnection,
    rules: PlanParameters,
    now: dt.datetime,
    undoes: str | None = None,
) -> list[GuardVerdict]:
    """Make the temp table ``changes_judged``: every change that is wanted now, with its verdict.
    Publishes nothing.

    What is wanted is what the HRIS says; with ``undoes``, that what this plan has done goes back.
    """
    known = _Known(*_one(con, _SITUATION))
    _set_readable(con, known.readable_users, known.readable_groups, rules.attributes)
    parameters = {
        "take_over": rules.take_over,
        "names": [rules.name_pattern, rules.on_collision],
        "managers": rules.managers,
        "delete_empty_groups": rules.delete_empty_groups,
        "missing_reads": rules.missing_reads,
        "missing_hours": rules.missing_hours,
        "drift_kept": list(rules.drift_kept),
        "undone_is_on": rules.guards.get("undone", {}) is not None,
        "cleared": list(rules.cleared),
        "cycle_starts": [],
        "guards": list(ORDER),
    }
    variables: dict[str, object] = {
        "now": now,
        "connections": list(rules.connections),
    }
    if undoes is not None:
        variables["undoes"] = undoes
    for name, value in variables.items():
        con.execute(f"set variable {name} = ?", [value])
    planning = Planning(
        con,
        rules,
        undoes,
        Judgement(con, rules.guards, _situation(con, rules, known, now, undoes)),
        parameters,
        drift_is_known=known.drift,
        damage_is_known=known.damage,
        cycles_are_known=known.cycles,
    )
    planning.set_parameters()
    walk(planning)
    return _released(con, planning.judgement.verdicts)


def _released(
    con: duckdb.DuckDBPyConnection, verdicts: Sequence[GuardVerdict]
) -> list[GuardVerdict]:
    """The verdicts, each of which knows whether its guard holds no change back, or none any
    more.
    """
    if not any(verdict.tripped for verdict in verdicts):
        return list(verdicts)
    row = con.execute(_HOLDING).fetchone()
    of_rows, holding = row or ([], [])
    return [
        replace(
            v, released=v.tripped and v.guard not in holding and (v.stands or v.guard in of_rows)
        )
        for v in verdicts
    ]


def require_undoable(con: duckdb.DuckDBPyConnection, company: str, plan_id: str) -> None:
    """:class:`PipelineError` where there is no such plan, or where it has changed nothing in
    deskbird.
    """
    row = con.execute(
        "select count(o.seq) from state.plans p left join state.outcomes o on o.plan_id = "
        "p.plan_id and o.outcome = 'applied' where p.plan_id = ? group by p.plan_id",
        [plan_id],
    ).fetchone()
    if row is None:
        raise PipelineError(
            f"There is no plan with the id {plan_id} for company '{company}'. Nothing was planned. "
            f"`hris-pipeline plan {company}` shows the current one."
        )
    if not row[0]:
        raise PipelineError(
            f"Plan {plan_id} has changed nothing in deskbird, so there is nothing to undo. Nothing "
            "was planned."
        )
    require_unaltered(con, company, plan_id, "Nothing was planned.")


def _nothing_to_undo(con: duckdb.DuckDBPyConnection, plan_id: str) -> PipelineError:
    """Why the inverse of a plan is empty."""
    by = con.execute(
        "select plan_id from state.plans where undoes = ? and written order by number desc limit 1",
        [plan_id],
    ).fetchone()
    if by:
        return PipelineError(
            f"Plan {plan_id} is undone already, by plan {by[0]}. Nothing was planned."
        )
    found = con.execute("select count(*) from not_undone where why <> 'invitation'").fetchone()
    left = int(found[0]) if found else 0
    why = (
        f"{left} of its values were changed since, or are gone"
        if left
        else "deskbird holds nothing of it any more"
    )
    return PipelineError(f"Nothing of plan {plan_id} can be undone: {why}. Nothing was planned.")


def guard_verdicts(con: duckdb.DuckDBPyConnection, plan_id: str) -> list[GuardVerdict]:
    """What the guards said when a plan was made, by guard and subject."""
    found = con.execute(
        f"select {', '.join(_VERDICT)} from state.guard_verdicts where plan_id = ? order by guard, "
        "subject, connection",
        [plan_id],
    )
    return [GuardVerdict(*row) for row in found.fetchall()]


def rows(con: duckdb.DuckDBPyConnection, plan_id: str | None = None) -> list[dict[str, object]]:
    """The current plan, or an earlier one, row by row in the order of carrying out."""
    source = (
        "deskbird.changes"
        if plan_id is None
        else "(select * from state.plan_changes where plan_id = $plan_id)"
    )
    con.execute(
        f"select plan_id, {COLUMNS} from {source} order by seq",
        {"plan_id": plan_id} if plan_id is not None else None,
    )
    columns = [column[0] for column in con.description or []]
    return [dict(zip(columns, row, strict=True)) for row in con.fetchall()]


def _digest(con: duckdb.DuckDBPyConnection, company: str) -> tuple[str, str]:
    """The plan's id, and that of the plan that wrote last (empty if none ever did).

    The id is a digest of the company, the plan that wrote last, and the ordered (object, action,
    refs, before, after).
    """
    found = _one(con, _PLAN_ID, [company])
    return str(found[0]), str(found[1])


def set_readable(con: duckdb.DuckDBPyConnection, synced: Sequence[str] = ()) -> None:
    """Set the variable ``shown``: what deskbird gives back; the rest is compared with what it
    acknowledged.

    Makes the views of attributes, persons' and users' (``user_values.sql``). Of those that a
    company file has to name it compares the ``synced`` ones.
    """
    known = dict(con.execute("select resource, readable from state.observations").fetchall())
    _set_readable(con, known.get("users"), known.get("groups"), synced)
    run(con, SQL["plan/user_values"])


def _set_readable(
    con: duckdb.DuckDBPyConnection,
    of_users: Sequence[str] | None,
    of_groups: Sequence[str] | None,
    synced: Sequence[str],
) -> None:
    users = list(of_users or [])
    con.execute(
        "set variable shown = {users: ?::varchar[], groups: ?::varchar[], synced: ?::varchar[], "
        "attributes: ?}",
        [
            [*users, "manager"] if "manager_deskbird_id" in users else users,
            list(of_groups or []),
            list(synced),
            [asdict(attribute) for attribute in ATTRIBUTES],
        ],
    )


class _Known(NamedTuple):
    """The one row of ``situation.sql``."""

    readable_users: Sequence[str] | None
    readable_groups: Sequence[str] | None
    managed: int | None
    was_in_line: bool
    read: Sequence[str]
    unproven: Sequence[str]
    unread: bool
    drift: bool
    damage: bool
    undone: bool
    cycles: bool
    anybody: bool


def _situation(
    con: duckdb.DuckDBPyConnection,
    rules: PlanParameters,
    known: _Known,
    now: dt.datetime,
    undoes: str | None,
) -> Situation:
    return Situation(
        base=int(known.managed or 0),
        first_run=not known.was_in_line,
        now=now,
        kinds=rules.kinds,
        silent=arrivals.silent(con, rules.kinds) if undoes is None else (),
        where={connection: of.where for connection, of in rules.expected.items()},
        frozen=rules.frozen,
        protected=rules.protected,
        unproven=sorted(
            {*known.unproven, *rules.connections} - (set(known.read) - set(known.unproven))
        ),
        unread=known.unread,
        undone=known.undone,
        anybody=known.anybody,
        undoes=undoes is not None,
    )


def _one(
    con: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()
) -> tuple[Any, ...]:
    row = con.execute(query, values).fetchone()
    assert row is not None
    return row
