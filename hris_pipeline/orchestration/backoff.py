"""When runs that keep failing are tried again: less and less often, down to once a day.

A pure rule over how the last runs of a job ended. Only what its schedule started makes it wait: a
person may start one at any time, and any that succeeds ends it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import dagster as dg

from hris_pipeline.orchestration.internals import SCHEDULE_NAME_TAG, WILL_RETRY_TAG, ticks_from

WAITS = {2: dt.timedelta(hours=6), 3: dt.timedelta(hours=12), 4: dt.timedelta(hours=24)}
"""By how many scheduled runs failed in a row: how long after the beginning of the last one. More
than four wait like four.
"""
SLACK = dt.timedelta(minutes=10)  # a run begins a little after its tick
LOOKED_AT = 20  # runs: more than anybody starts by hand between two scheduled ones


@dataclass(frozen=True)
class Ended:
    """How one run of the job ended."""

    began: dt.datetime
    succeeded: bool
    scheduled: bool  # else somebody started it
    run_id: str = ""


def failures(runs: Sequence[Ended]) -> list[Ended]:
    """The runs since the last one that succeeded, all of them failed. ``runs``: the latest
    first.
    """
    found = []
    for run in runs:
        if run.succeeded:
            break
        found.append(run)
    return found


def waits_until(runs: Sequence[Ended], zone: ZoneInfo) -> dt.datetime | None:
    """The moment before which the schedule starts nothing; None where it does not wait. ``runs``:
    the latest first.

    Counted by the company's clocks, so that a night at 04:30 is still one at 04:30 a day later,
    also when the clocks change.
    """
    failed = [run for run in failures(runs) if run.scheduled]
    wait = WAITS.get(min(len(failed), max(WAITS)))
    return failed[0].began.astimezone(zone) + wait - SLACK if wait else None


def next_attempt(runs: Sequence[Ended], cron: str, timezone: str) -> dt.datetime | None:
    """The first tick of the schedule that is not skipped any more; None where none is skipped."""
    until = waits_until(runs, ZoneInfo(timezone))
    return next(ticks_from(until, cron, timezone)) if until else None


def last_runs(instance: dg.DagsterInstance, job: str) -> list[Ended]:
    """How the last runs of the job ended, the latest first.

    A run that Dagster tries again has not ended, and one that somebody stopped says nothing.
    """
    statuses = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    records = instance.get_run_records(
        dg.RunsFilter(job_name=job, statuses=statuses), limit=LOOKED_AT
    )
    return [
        Ended(
            record.create_timestamp.astimezone(dt.UTC),
            record.dagster_run.status == dg.DagsterRunStatus.SUCCESS,
            SCHEDULE_NAME_TAG in record.dagster_run.tags,
            record.dagster_run.run_id,
        )
        for record in records
        if record.dagster_run.tags.get(WILL_RETRY_TAG) != "true"
    ]
