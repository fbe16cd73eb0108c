"""When a company's night begins, and when it looks for changes between nights: cron lines in the
company's own time zone.
"""

from zoneinfo import ZoneInfo

import dagster as dg

from hris_pipeline.orchestration import backoff
from hris_pipeline.orchestration.job_names import changes_job, nightly_job
from hris_pipeline.settings import Company


def schedules(company: Company) -> list[dg.ScheduleDefinition]:
    """``<company>_nightly_schedule`` and ``<company>_changes_schedule``, where there is a cron
    line; on from the first day unless the company file says otherwise.
    """
    night = f"The night of {company.name}, at {company.schedule} in {company.timezone}."
    changes = (
        f"What changed in the HR systems of {company.name}, at {company.changes_schedule} in "
        f"{company.timezone}."
    )
    return [
        *(
            [_schedule(company, nightly_job(company.name), company.schedule, night)]
            if company.schedule
            else []
        ),
        *(
            [_schedule(company, changes_job(company.name), company.changes_schedule, changes)]
            if company.changes_schedule
            else []
        ),
    ]


def _schedule(company: Company, job: str, cron: str, description: str) -> dg.ScheduleDefinition:
    """One job at the times of one cron line.

    The run key is the date (date and time where the line has several a day), so that a tick that is
    evaluated again, as after an edit of the line, starts nothing twice. While the job's own runs or
    the nights keep failing, it is tried less often (:mod:`hris_pipeline.orchestration.backoff`).
    """
    minute, hour, *_ = cron.split()
    once_a_day = minute.isdigit() and hour.isdigit()
    zone = ZoneInfo(company.timezone)

    def begin(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        moment = context.scheduled_execution_time.astimezone(zone)
        waits = [
            backoff.waits_until(backoff.last_runs(context.instance, each), zone)
            for each in {job, nightly_job(company.name)}
        ]
        until = max(filter(None, waits), default=moment)
        if moment < until:
            return dg.SkipReason(
                f"The last runs failed, so that the next one is tried at {until:%Y-%m-%d %H:%M} or "
                f"later. `hris-pipeline sync {company.name}` starts a night now."
            )
        return dg.RunRequest(
            run_key=f"{company.name}:{moment.date() if once_a_day else moment.isoformat()}"
        )

    return dg.ScheduleDefinition(
        name=f"{job}_schedule",
        job_name=job,
        cron_schedule=cron,
        execution_timezone=company.timezone,
        execution_fn=begin,
        default_status=(
            dg.DefaultScheduleStatus.RUNNING
            if company.schedule_on
            else dg.DefaultScheduleStatus.STOPPED
        ),
        description=description,
    )
