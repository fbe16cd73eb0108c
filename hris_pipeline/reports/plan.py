"""The plan, and what became of it: every change with the names behind its ids, what guards say, who
waits.

:func:`read` takes it out of the warehouse; :attr:`Plan.exit_code` says what it means.
"""

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from hris_pipeline.errors import PipelineError
from hris_pipeline.plan import GuardVerdict, drift, guard_verdicts
from hris_pipeline.reports import adoption
from hris_pipeline.reports.adoption import Adoption
from hris_pipeline.reports.queries import sql
from hris_pipeline.warehouse import run

_SQL = sql("plan")
# a temporary table
_VALID = (Path(__file__).parents[1] / "plan" / "valid_approvals.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, repr=False)
class Change:
    """One row of the plan, with what became of it and the names behind its ids. Holds personal
    data, so it has no ``repr``.
    """

    seq: int
    request: int
    object: str
    action: str
    hris_ref: str | None
    deskbird_id: str | None
    group_ref: str | None
    group_deskbird_id: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    reason: str
    evidence: Mapping[str, Any]
    verdict: str
    guard: str | None
    reason_code: str | None = None  # null in plans that an old version made
    outcome: str | None = None
    http_status: int | None = None
    problem: str | None = None
    problem_code: str | None = None
    who: str | None = None
    group: str | None = None  # name of the group, memberships
    kind: str | None = None  # of the group
    manager_before: tuple[str | None, str | None] = (None, None)  # hris_ref and name
    manager_after: tuple[str | None, str | None] = (None, None)
    approved: bool = False  # blocked when it was planned, released since

    @property
    def repairs(self) -> bool:
        """Whether it repairs what a run of ours left otherwise than it was asked to."""
        return "damage" in self.evidence

    @property
    def state(self) -> str:
        """``planned``, ``blocked``, ``applied``, ``skipped`` (it is so already), ``failed`` or
        ``stale``.
        """
        if self.outcome is None or self.outcome == "blocked":
            return "blocked" if self.verdict == "blocked" and not self.approved else "planned"
        return self.outcome


@dataclass(frozen=True)
class Waiting:
    """People who wait for somebody to act; they change no exit code."""

    quarantined: int = 0
    missing: int = 0
    review: int = 0


@dataclass(frozen=True)
class NotUndone:
    """One thing that undoing a plan cannot undo: why (a word), and whose; of which attribute, where
    it is one.
    """

    why: str
    refs: Sequence[str]
    attribute: str | None = None


@dataclass(frozen=True, repr=False)
class Plan:
    """The current plan of a company, whole."""

    company: str
    plan_id: str
    made_at: dt.datetime
    as_of: dt.datetime
    changes: Sequence[Change]
    guards: Sequence[GuardVerdict]
    waiting: Waiting
    undoes: str | None = None  # the plan whose inverse it is
    adoption: Adoption | None = None  # what the first contact would find
    not_undone: Sequence[NotUndone] = ()
    kept: int = 0  # values that people changed in deskbird and that stay so
    not_retained: int = 0  # values that deskbird did not hold three nights in a row

    @property
    def drift(self) -> int:
        """Changes that repair what people changed in deskbird by hand."""
        return sum(change.evidence.get("drift") is True for change in self.changes)

    def as_made(self) -> "Plan":
        """The plan as it was made just now, without what became of the same changes when they were
        tried before.
        """
        return replace(
            self,
            changes=tuple(
                replace(change, outcome=None, problem=None, problem_code=None)
                for change in self.changes
            ),
        )

    @property
    def states(self) -> Counter[str]:
        """How many changes are ``planned``, ``blocked``, ``applied``, ..."""
        return Counter(change.state for change in self.changes)

    @property
    def exit_code(self) -> int:
        """1 something failed or went stale, else 3 something is blocked, else 2 something is
        planned, else 0.
        """
        states = self.states
        if states["failed"] or states["stale"]:
            return 1
        held = states["blocked"] or self.blocked_without_changes or self.standing
        return 3 if held else 2 if states["planned"] else 0

    @property
    def blocked_without_changes(self) -> bool:
        """Whether a guard has tripped although there is no change to hold back."""
        return not self.changes and any(
            verdict.tripped and not verdict.stands for verdict in self.guards
        )

    @property
    def standing(self) -> Sequence[GuardVerdict]:
        """What guards say of the HR system itself, such as that an attribute comes for nobody; it
        holds without any change.
        """
        return tuple(verdict for verdict in self.guards if verdict.stands)

    @property
    def approved(self) -> int:
        """Changes that a guard had held back and that are approved, and not carried out yet."""
        return sum(change.approved and change.state == "planned" for change in self.changes)

    @property
    def nobody_left(self) -> bool:
        """Whether the HR system gave nobody at all (case 1); else it is the first contact, and
        everybody waits for a decision.
        """
        return self.blocked_without_changes and any(
            v.tripped and v.guard == "scope_lost" for v in self.guards
        )

    @property
    def blocking(self) -> Counter[str]:
        """The guards that hold something back, and how many changes each."""
        return Counter(
            change.guard or "a guard" for change in self.changes if change.state == "blocked"
        )


def read(
    con: duckdb.DuckDBPyConnection, company: str, now: dt.datetime, plan_id: str | None = None
) -> Plan:
    """One plan, by default the last one made; :class:`~hris_pipeline.errors.PipelineError` where
    there is none.

    ``now`` decides which approvals are still valid.
    """
    found = con.execute(
        "select plan_id, made_at, as_of, undoes from state.plans where $plan_id is null or plan_id "
        "= $plan_id order by number desc limit 1",
        {"plan_id": plan_id},
    ).fetchone()
    if found is None:
        which = f"with the id {plan_id}" if plan_id else "yet"
        raise PipelineError(
            f"There is no plan of company '{company}' {which}. Make one with `hris-pipeline sync "
            f"{company} --dry-run`."
        )
    plan_id, made_at, as_of = str(found[0]), found[1], found[2]
    left = con.execute(
        "select why, list(hris_ref order by hris_ref), attribute from state.not_undone "
        "where plan_id = ? group by all order by why, attribute",
        [plan_id],
    ).fetchall()
    kept, not_retained = drift.ignored_drift(con)
    return Plan(
        company,
        plan_id,
        made_at,
        as_of,
        tuple(_change(row) for row in _rows(con, plan_id, now)),
        tuple(guard_verdicts(con, plan_id)),
        waiting(con),
        undoes=found[3],
        not_undone=tuple(NotUndone(*row) for row in left),
        adoption=adoption.read(con, plan_id),
        kept=kept,
        not_retained=not_retained,
    )


def waiting(con: duckdb.DuckDBPyConnection) -> Waiting:
    """Who waits, as of the last read."""
    counted = con.execute(
        'select (select count(distinct hris_ref) from core.quarantine where "table" = '
        "'core.people'), (select count(*) from state.missing), (select count(distinct hris_ref) "
        "from state.review)"
    ).fetchone()
    return Waiting(*(counted or ()))


def _rows(
    con: duckdb.DuckDBPyConnection, plan_id: str, now: dt.datetime
) -> Iterator[dict[str, Any]]:
    con.execute("set variable now = ?", [now])
    run(con, _VALID)
    found = con.execute(_SQL, {"plan_id": plan_id})
    names = [column[0] for column in found.description or ()]
    while batch := found.fetchmany(10_000):
        yield from (dict(zip(names, row, strict=True)) for row in batch)


def _change(row: Mapping[str, Any]) -> Change:
    # what became of it was before the approval
    waits = row["approved"] and row["outcome"] == "blocked"
    fate = (
        {}
        if waits
        else {name: row[name] for name in ("outcome", "http_status", "problem", "problem_code")}
    )
    same = (
        "seq",
        "request",
        "object",
        "action",
        "hris_ref",
        "deskbird_id",
        "group_ref",
        "group_deskbird_id",
        "reason",
        "reason_code",
        "verdict",
        "guard",
    )
    return Change(
        **{name: row[name] for name in (*same, "who", "approved")},
        **fate,
        before=json.loads(row["before"]),
        after=json.loads(row["after"]),
        evidence=json.loads(row["evidence"]),
        group=row["group_name"],
        kind=row["kind"] or None,
        manager_before=(row["before_ref"], row["before_name"]),
        manager_after=(row["after_ref"], row["after_name"]),
    )
