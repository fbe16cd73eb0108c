"""The Dagster instance: where it is, what must be set before runs are queued, and what a crash
leaves behind.
"""

import datetime as dt
import logging
from collections.abc import Iterable
from pathlib import Path

import dagster as dg

from hris_pipeline.errors import PipelineError
from hris_pipeline.orchestration import lock, outcomes
from hris_pipeline.orchestration.place import home

MAX_RETRIES_TAG = "dagster/max_retries"
"""How often Dagster tries a run again that fails."""
# from a run's start to its lock: imports, and the wait for another run
GRACE = dt.timedelta(minutes=2)
GONE = (
    "The run's process ended without a word, perhaps with its host. The next run goes on where it "
    "stopped."
)
IN_FLIGHT = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def open_instance() -> dg.DagsterInstance:
    """The instance of :func:`home`; a context manager. :class:`PipelineError` where it cannot be
    opened.
    """
    where = home()
    logging.getLogger("dagster").setLevel(logging.ERROR)
    try:
        return dg.DagsterInstance.get()
    except Exception as problem:  # noqa: BLE001 - YAML, SQLite and the disk each have their own
        raise PipelineError(
            f"Dagster's records of {where} cannot be opened ({type(problem).__name__}). Nothing "
            "was done. Check dagster.yaml there, the rights of its folder and the disk's room."
        ) from None


def prepare_instance(instance: dg.DagsterInstance, companies: Iterable[str]) -> None:
    """Let Dagster's queue start one run of a company at a time.

    The default limit of ``dagster.yaml`` is not known before a pool's first run: two that are
    queued together would slip through.
    """
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return
    known = {pool.name: pool.limit for pool in storage.get_pool_limits()}
    for company in companies:
        if known.get(company) != 1:
            storage.set_concurrency_slots(company, 1)


def reap_orphans(
    instance: dg.DagsterInstance, data: Path, grace: dt.timedelta = GRACE
) -> list[str]:
    """Fail runs that a crash or a restart has left in flight for ever, where they keep others
    waiting; return their ids.

    A run that holds a company's lock lives. One that a lock file names although nobody holds it
    died with it; one that was started longer ago than ``grace`` and has no lock never got that far.
    """
    alive: set[str] = set()
    dead: set[str] = set()
    for path in data.glob("*.lock"):
        who = lock.holder(path)
        if who:
            (alive if lock.is_held(path) else dead).add(who.run_id)
    recent = dt.datetime.now(dt.UTC) - grace
    reaped = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=IN_FLIGHT)):
        run_id = record.dagster_run.run_id
        if run_id in alive or (run_id not in dead and record.update_timestamp > recent):
            continue
        # its night is over; nobody wants it now
        instance.add_run_tags(run_id, {MAX_RETRIES_TAG: "0"})
        outcomes.tag_failure(instance, run_id, outcomes.Outcome.STOPPED)
        instance.report_run_failed(record.dagster_run, GONE)
        reaped.append(run_id)
    return reaped
