"""Runs from the command line: executed in this process, on the instance that the UI shows."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from hris_pipeline import settings
from hris_pipeline.contracts.tables import APPLIED_CHANGES, CHANGES
from hris_pipeline.operations import companies
from hris_pipeline.orchestration.company import company_defs, shared_defs
from hris_pipeline.orchestration.instance import (
    MAX_RETRIES_TAG,
    open_instance,
    prepare_instance,
    reap_orphans,
)
from hris_pipeline.orchestration.internals import (
    RemoteJobOrigin,
    RunFailureReason,
    job_origin,
    recorded_with,
)
from hris_pipeline.orchestration.job_names import (
    apply_job,
    changes_job,
    dry_run_job,
    nightly_job,
    undo_job,
)
from hris_pipeline.orchestration.resources import AS_OF, Progress, no_progress
from hris_pipeline.orchestration.step import unexpected
from hris_pipeline.orchestration.tables import key

What = Literal["nightly", "dry_run", "changes", "apply", "undo"]
STOPPED = (
    "Stopped. Whatever was sent is in the journal; the next run looks it up and continues from "
    "there."
)
JOBS = {
    "nightly": nightly_job,
    "dry_run": dry_run_job,
    "changes": changes_job,
    "apply": apply_job,
    "undo": undo_job,
}
LOCATION, MODULE, REPOSITORY = "hris_pipeline", "hris_pipeline.definitions", "__repository__"
"""What ``workspace.yaml`` calls the code location, where that is, and what Dagster calls the
definitions in it.
"""


@dataclass(frozen=True)
class Finished:
    """How a run ended. ``problem`` is one of our sentences: safe to show, to log and to send."""

    success: bool
    problem: str | None
    run_id: str


def execute(
    company_name: str,
    what: What,
    plan_id: str | None = None,
    as_of: dt.datetime | None = None,
    on_progress: Progress | None = None,
) -> Finished:
    """Run a company's job here and now and wait for it.

    ``plan_id`` is the plan to carry out or to undo. ``as_of`` is the moment that the run takes for
    the present. Raises :class:`~hris_pipeline.errors.PipelineError` where it cannot even begin: a
    mistake in the company file, or in Dagster's home.
    """
    company = companies.load(company_name)
    with open_instance() as instance:
        prepare_instance(instance, [company.name])
        definitions = dg.Definitions.merge(
            shared_defs({"progress": on_progress or no_progress}), company_defs(company)
        )
        job = definitions.resolve_job_def(JOBS[what](company.name))
        # people see our own progress instead
        config: dict[str, object] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        if plan_id:
            table, name = (CHANGES, "undoes") if what == "undo" else (APPLIED_CHANGES, "plan_id")
            config["ops"] = {"__".join(key(company.name, table).path): {"config": {name: plan_id}}}
        tags = {MAX_RETRIES_TAG: "0"}  # whoever started it sees how it ended
        if as_of:
            tags[AS_OF] = as_of.isoformat()
        try:
            with recorded_with(instance, origin_of(job.name)):
                result = job.execute_in_process(
                    run_config=config, instance=instance, tags=tags, raise_on_error=False
                )
        except SQLAlchemyError as problem:
            return Finished(success=False, problem=_unrecorded(problem), run_id="")
        except Exception as problem:  # noqa: BLE001 - Dagster's own, before or after the steps
            return Finished(success=False, problem=unexpected(problem), run_id="")
        return Finished(result.success, None if result.success else _problem(result), result.run_id)


def origin_of(job: str) -> RemoteJobOrigin:
    """Where the UI knows the job from: a run without it is missing from the Timeline and from the
    job's own page.
    """
    return job_origin(job, module=MODULE, location=LOCATION, repository=REPOSITORY)


def reap() -> list[str]:
    """To be called before Dagster's daemon starts: let its queue know the companies, and end what a
    crash left in flight.

    Returns the ids of the runs that were ended.
    """
    with open_instance() as instance:
        prepare_instance(instance, settings.company_names())
        return reap_orphans(instance, settings.data_folder())


def _unrecorded(problem: SQLAlchemyError) -> str:
    """The sentence for a run that Dagster cannot record, and so does not go on with."""
    return (
        f"Dagster could not write its own records ({type(problem).__name__}), so the run did not "
        "go on. The last good tables are untouched. Check the disk's room and who owns dagster/ "
        "in the data folder, then run again."
    )


def _problem(result: dg.ExecuteInProcessResult) -> str:
    """The sentence of the first step that failed."""
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data.user_failure_data
            if failure and failure.description:
                return str(failure.description)
        if (
            event.is_job_failure
            and event.job_failure_data.failure_reason == RunFailureReason.UNEXPECTED_TERMINATION
        ):
            return STOPPED
    return (
        f"Run {result.run_id} failed outside its steps. Nothing more was done. The Dagster UI "
        "shows where."
    )
