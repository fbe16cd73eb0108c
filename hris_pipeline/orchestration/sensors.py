"""News for people: a check whose verdict changed, runs that fail or succeed again, a night that did
not happen. Each once.

A cursor moves on only after the message was accepted, so a message that could not be sent is sent
again at the next tick. No message holds personal data: sentences of checks and errors, counts and
ids of runs only.
"""

import datetime as dt
import json
import logging
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

import dagster as dg

from hris_pipeline import alerts, clock, settings
from hris_pipeline.errors import PipelineError
from hris_pipeline.orchestration import backoff, outcomes
from hris_pipeline.orchestration.checks import FATAL
from hris_pipeline.orchestration.decision import decision_job
from hris_pipeline.orchestration.internals import WILL_RETRY_TAG, ticks_back_from
from hris_pipeline.orchestration.job_names import changes_job, nightly_job
from hris_pipeline.orchestration.jobs import COMPANY
from hris_pipeline.settings import Company

LATE = dt.timedelta(hours=26)  # a night and the time it may take
SLACK = dt.timedelta(hours=2)  # after its tick, before a night can be missed
BATCH = 20  # failed runs told in one message
_log = logging.getLogger("hris_pipeline.news")


def tell(company: Company, title: str, lines: Sequence[str]) -> None:
    """Put news in the log and send it to the company's ``alerts``; :class:`PipelineError` where it
    was not accepted.
    """
    body = "\n".join(lines)
    _log.warning("%s: %s", title, body)
    urls = settings.alert_urls(company)
    if urls:
        alerts.send(urls, title, body)


def _sensor(
    name: str,
    description: str,
    seconds: int,
    evaluate: Callable[[dg.SensorEvaluationContext], str],
) -> dg.SensorDefinition:
    def evaluated(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        try:
            return dg.SkipReason(evaluate(context))
        except PipelineError as problem:  # the tick fails, the cursor stays
            raise dg.Failure(str(problem), allow_retries=False) from None

    return dg.SensorDefinition(
        name=name,
        evaluation_fn=evaluated,
        minimum_interval_seconds=seconds,
        description=description,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )


# --- checks ---------------------------------------------------------------------------------------


def check_sensor(company: Company, checks: Collection[dg.AssetCheckKey]) -> dg.SensorDefinition:
    """Tells of every check whose verdict changed; one that passes from the start is no news."""

    def evaluate(context: dg.SensorEvaluationContext) -> str:
        before: dict[str, str] = json.loads(context.cursor or "{}")
        now, news = dict(before), []
        for check in sorted(checks, key=str):
            name = f"{'/'.join(check.asset_key.path[1:])}: {check.name}"
            found = _verdict(context.instance, check)
            if found is None:
                continue
            verdict, why = found
            # it ended its run, of which the run sensor tells
            if verdict == "fails" and check.name in FATAL:
                continue
            now[name] = verdict
            if verdict != before.get(name, "holds"):
                news.append(
                    f"{name} "
                    f"{'holds again' if verdict == 'holds' else verdict}.{f' {why}' if why else ''}"
                )
        if news:
            worst = sum(verdict == "fails" for verdict in now.values())
            tell(
                company,
                f"{company.name}: {len(news)} check{'s' * (len(news) > 1)} changed, {worst} fail",
                news,
            )
        context.update_cursor(json.dumps(now, sort_keys=True))
        return f"{len(news)} verdicts changed" if news else "no verdict changed"

    about = "Tells of every check whose verdict changed, once, and of its recovery."
    return _sensor(f"{company.name}_check_sensor", about, 60, evaluate)


def _verdict(
    instance: dg.DagsterInstance, check: dg.AssetCheckKey
) -> tuple[str, str | None] | None:
    """``holds``, ``warns`` or ``fails``, and why; None where the check was never judged, or is
    being judged now.
    """
    record = instance.event_log_storage.get_latest_asset_check_execution_by_key([check]).get(check)
    event = record.event.dagster_event if record and record.event else None
    if event is None or event.event_type != dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        return None
    judged = event.asset_check_evaluation_data
    if judged.passed:
        return "holds", None
    return (
        "warns" if judged.severity == dg.AssetCheckSeverity.WARN else "fails"
    ), judged.description


# --- runs -----------------------------------------------------------------------------------------


class Series(NamedTuple):
    """The runs of a job that has a schedule: how they go is news when it changes, not run by
    run.
    """

    called: str
    job: str
    cron: str | None


def run_sensor(company: Company) -> dg.SensorDefinition:
    """Tells when nights begin to fail, when they begin to be tried less often, and when one
    succeeds again; nothing in between.

    The same of the runs between nights. A failed run of another job of the company, which somebody
    started, is told each time; of one that is tried again, only if that fails too. A decision that
    was refused is no news: whoever made it sees it.
    """
    watched = (
        Series("nights", nightly_job(company.name), company.schedule),
        Series("runs between nights", changes_job(company.name), company.changes_schedule),
    )
    untold = {*(series.job for series in watched), decision_job(company.name)}

    def evaluate(context: dg.SensorEvaluationContext) -> str:
        instance = context.instance
        ended = {series: backoff.last_runs(instance, series.job) for series in watched}
        if context.cursor is None:  # what failed before anybody listened is no news
            latest = instance.fetch_run_status_changes(
                dg.DagsterEventType.RUN_FAILURE, limit=1
            ).records
            states = {
                series.called: _state(company, series, runs) for series, runs in ended.items()
            }
            context.update_cursor(
                json.dumps({"seen": latest[0].storage_id if latest else 0, **states})
            )
            return "listening from now on"
        known = json.loads(context.cursor)
        known = known if isinstance(known, dict) else {"seen": known}  # of an earlier version
        since = dg.RunStatusChangeRecordsFilter(
            dg.DagsterEventType.RUN_FAILURE, after_storage_id=known["seen"]
        )
        told = 0
        for record in instance.fetch_run_status_changes(since, limit=BATCH, ascending=True).records:
            run = instance.get_run_by_id(record.run_id)
            # its process died without a word
            if run and _belongs(run, company.name) and outcomes.OUTCOME not in run.tags:
                outcomes.tag_failure(instance, run.run_id, outcomes.Outcome.STOPPED)
            is_news = run and _belongs(run, company.name) and run.job_name not in untold
            if run and is_news and run.tags.get(WILL_RETRY_TAG) != "true":
                line = f"Run {run.run_id} of {_what(run)} failed. {_why(instance, run.run_id)}"
                tell(company, f"{company.name}: a run failed", [line])
                told += 1
            known["seen"] = record.storage_id
            context.update_cursor(json.dumps(known))
        for series, runs in ended.items():
            state = _state(company, series, runs)
            if state != known.get(series.called, "well"):
                tell(company, *_news_of(company, series, instance, runs))
                told += 1
            known[series.called] = state
            context.update_cursor(json.dumps(known))
        return f"{told} messages"

    about = (
        "Tells when nights begin to fail, when they are tried less often, and of the first that "
        "succeeds again; each once."
    )
    return _sensor(f"{company.name}_run_sensor", about, 60, evaluate)


def _state(company: Company, series: Series, runs: Sequence[backoff.Ended]) -> str:
    """``well``, ``failing``, or ``backing off``."""
    if not backoff.failures(runs):
        return "well"
    waits = series.cron is not None and backoff.waits_until(runs, ZoneInfo(company.timezone))
    return "backing off" if waits else "failing"


def _news_of(
    company: Company, series: Series, instance: dg.DagsterInstance, runs: Sequence[backoff.Ended]
) -> tuple[str, list[str]]:
    """Title and lines of what is told when the state of a series has changed."""
    failed = backoff.failures(runs)
    if not failed:
        # none where Dagster's storage was lost
        began = [run.began.astimezone(ZoneInfo(company.timezone)) for run in runs[:1]]
        return f"{company.name}: {series.called} succeed again", [
            f"The one of {moment:%Y-%m-%d %H:%M} did." for moment in began
        ]
    why = f"Run {failed[0].run_id} of {series.job} failed. {_why(instance, failed[0].run_id)}"
    attempt = backoff.next_attempt(runs, series.cron, company.timezone) if series.cron else None
    if attempt is None:
        return f"{company.name}: a run failed", [why]
    scheduled = sum(run.scheduled for run in failed)
    then = (
        f"{scheduled} scheduled {series.called} in a row failed, so that they are tried less "
        f"often: next attempt at {attempt:%Y-%m-%d %H:%M}. `hris-pipeline sync {company.name}` "
        "starts a night now. The next news is the first that succeeds."
    )
    return f"{company.name}: {series.called} fail; the schedule backs off", [why, then]


def _belongs(run: dg.DagsterRun, company: str) -> bool:
    """Whose run it is: jobs say it, and runs of single assets by their keys."""
    return run.tags.get(COMPANY) == company or any(
        key.path[0] == company for key in run.asset_selection or ()
    )


def _what(run: dg.DagsterRun) -> str:
    return "single assets" if run.job_name.startswith("__") else run.job_name


def _why(instance: dg.DagsterInstance, run_id: str) -> str:
    """The sentence of the first step that failed; Dagster's own texts may hold anything and are not
    repeated.
    """
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        failure = entry.get_dagster_event().step_failure_data.user_failure_data
        if failure and failure.description:
            return str(failure.description)
    return (
        "No step of it gave a reason: its process may have died. The Dagster UI shows what is "
        "known."
    )


# --- nights ---------------------------------------------------------------------------------------


def night_sensor(company: Company) -> dg.SensorDefinition | None:
    """Tells of a night that did not happen, and of the first one that did again; None where the
    company has no schedule.

    A night is missed when its tick is long past and no nightly run has succeeded since, nor within
    26 hours.
    """
    if company.schedule is None or not company.schedule_on:
        return None
    cron, zone = company.schedule, ZoneInfo(company.timezone)

    def evaluate(context: dg.SensorEvaluationContext) -> str:
        now = clock.now()
        known = json.loads(context.cursor or "{}")
        # nobody expects nights from before the sensor
        since = dt.datetime.fromisoformat(known["since"]) if known else now
        succeeded = dg.RunsFilter(
            job_name=nightly_job(company.name), statuses=[dg.DagsterRunStatus.SUCCESS]
        )
        good = context.instance.get_run_records(
            succeeded, limit=1, order_by="update_timestamp", ascending=False
        )
        last = max(since, good[0].update_timestamp.astimezone(dt.UTC)) if good else since
        ticks = ticks_back_from(now - SLACK, cron, company.timezone)
        missed = last < next(ticks) and now - last > LATE
        told = bool(known.get("told"))
        if missed and not told:
            hours = (now - last).total_seconds() / 3600
            line = (
                f"No night has succeeded for {hours:.0f} hours. Look whether the Dagster daemon "
                "runs, and at the last runs."
            )
            tell(company, f"{company.name}: a night did not happen", [line])
        elif told and not missed:
            tell(
                company,
                f"{company.name}: nights happen again",
                [f"One succeeded at {last.astimezone(zone):%Y-%m-%d %H:%M}."],
            )
        context.update_cursor(json.dumps({"since": since.isoformat(), "told": missed}))
        return "the last night is missing" if missed else "the last night happened"

    about = "Tells of a night that did not happen, once, and of the first one that did again."
    return _sensor(f"{company.name}_night_sensor", about, 600, evaluate)
