"""How a run ended, as run tags: the Runs page shows them and filters by them, whoever started the
run.

Dagster's own status only says whether the steps ran. A night that a guard held back, that was
paused, or that found the plan overtaken is a success there.
"""

import contextlib
import enum

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from hris_pipeline.plan import Night, PlanSummary

OUTCOME, HELD_BACK, FAILED_CHANGES, STALE_CHANGES = "outcome", "held_back", "failed", "stale"
"""Run tags: one of :class:`Outcome`, and how many changes a guard holds back, failed, or were
stale.
"""


class Outcome(enum.StrEnum):
    """What a run came to: the first that is true."""

    STOPPED = "stopped"  # by a person, or by the end of its process
    FAILED = "failed"  # a step failed, or a write
    STALE = "stale"  # deskbird or the HR system had overtaken a change
    PAUSED = "paused"  # the company is paused: nothing, or nothing more, was written
    NOT_IN_LINE = "not_in_line"  # everything was sent, and yet something is still wanted
    BLOCKED = "blocked"  # a guard holds something back
    PENDING = "pending"  # a plan was made that is still to be carried out
    IN_LINE = "in_line"  # nothing is left to do


def tag(
    instance: dg.DagsterInstance,
    run_id: str,
    outcome: Outcome,
    *,
    held_back: int = 0,
    failed: int = 0,
    stale: int = 0,
) -> None:
    """Put the outcome on a run."""
    numbers = {HELD_BACK: held_back, FAILED_CHANGES: failed, STALE_CHANGES: stale}
    instance.add_run_tags(
        run_id, {OUTCOME: outcome.value, **{name: str(number) for name, number in numbers.items()}}
    )


def tag_failure(
    instance: dg.DagsterInstance, run_id: str, outcome: Outcome = Outcome.FAILED
) -> None:
    """Put it on a run that ends with an error. Numbers that are there already stay; that it cannot
    be done hides no error.
    """
    with contextlib.suppress(SQLAlchemyError, OSError):
        run = instance.get_run_by_id(run_id)
        known = run.tags if run else {}
        numbers = {
            name: known.get(name, "0") for name in (HELD_BACK, FAILED_CHANGES, STALE_CHANGES)
        }
        instance.add_run_tags(run_id, {OUTCOME: outcome.value, **numbers})


def of_plan(summary: PlanSummary) -> Outcome:
    """What a run came to that ends with its plan."""
    if summary.planned and not summary.blocked:
        return Outcome.PENDING
    return Outcome.BLOCKED if summary.blocked or summary.tripped else Outcome.IN_LINE


def of_night(
    night: Night, *, failed: int, stale: int, unsent: int, held_back: int, paused: bool
) -> Outcome:
    """What a run came to that carried a plan out. ``unsent``: writes whose turn did not come."""
    if failed:
        return Outcome.FAILED
    if stale:
        return Outcome.STALE
    if paused:
        return Outcome.PAUSED
    if unsent or night.left:
        return Outcome.NOT_IN_LINE
    return Outcome.BLOCKED if held_back or not night.in_line else Outcome.IN_LINE
