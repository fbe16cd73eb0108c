"""When a company's night begins: its cron line in its own time zone."""

from zoneinfo import ZoneInfo

import dagster as dg

from hris_pipeline.orchestration import backoff
from hris_pipeline.orchestration.assets.deskbird import nightly_job
from hris_pipeline.settings import Company


def nightly_schedule(company: Company) -> dg.ScheduleDefinition | None:
    """``<company>_nightly_schedule``, on from the first day; None where the company file says ``schedule: null``.

    The run key is the date of the night (date and time where the cron line has several a day), so that a tick that is evaluated
    again, as after an edit of the cron line, starts nothing twice. Nights that keep failing are tried less often
    (:mod:`hris_pipeline.orchestration.backoff`).
    """
    if company.schedule is None:
        return None
    minute, hour, *_ = company.schedule.split()
    once_a_day = minute.isdigit() and hour.isdigit()
    zone = ZoneInfo(company.timezone)

    def night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        moment = context.scheduled_execution_time.astimezone(zone)
        until = backoff.waits_until(backoff.last_nights(context.instance, nightly_job(company.name)), zone)
        if until and moment < until:
            return dg.SkipReason(
                f"The last nights failed, so that the next one is tried at {until:%Y-%m-%d %H:%M} or later. "
                f"`hris-pipeline sync {company.name}` starts one now."
            )
        return dg.RunRequest(run_key=f"{company.name}:{moment.date() if once_a_day else moment.isoformat()}")

    return dg.ScheduleDefinition(
        name=f"{company.name}_nightly_schedule",
        job_name=nightly_job(company.name),
        cron_schedule=company.schedule,
        execution_timezone=company.timezone,
        execution_fn=night,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"The night of {company.name}, at {company.schedule} in {company.timezone}.",
    )
