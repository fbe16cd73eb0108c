"""When nights begin, and what people are told: each change of a verdict, each failed run and each
missed night once.
"""

import contextlib
import datetime as dt
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from hris_pipeline import clock, settings
from hris_pipeline.errors import SettingsError
from hris_pipeline.operations import companies
from hris_pipeline.orchestration import instance as instances
from hris_pipeline.orchestration.internals import SCHEDULE_NAME_TAG, ticks_from
from hris_pipeline.sandbox.faults import Fault
from hris_pipeline_tests.orchestration.office import BRIEF, NIGHT, problems

REAL = dt.datetime.now(dt.UTC)


@contextlib.contextmanager
def served(handler: type[BaseHTTPRequestHandler]):
    """Somebody's own service on the loopback address; its port."""
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class Quiet(BaseHTTPRequestHandler):
    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def inbox(monkeypatch):
    """Somebody's webhook: what it was sent; ``status`` may be changed."""

    class Inbox(Quiet):
        messages: ClassVar[list[dict[str, str]]] = []
        status = 200

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            if Inbox.status == 200:
                Inbox.messages.append(json.loads(body))
            self.answer(Inbox.status)

    with served(Inbox) as port:
        monkeypatch.setenv("ALERT_URL", f"json://127.0.0.1:{port}/news")
        yield Inbox


@pytest.fixture
def told(make_office, inbox):
    """A company that sends its news to the inbox."""
    return make_office(schedule="30 4 * * *", more='alerts: ["${ALERT_URL}"]\n')


def tick(office, name: str, cursor: str | None):
    """Evaluate one of the company's sensors as the daemon does; its answer."""
    defs = office.defs()
    with dg.build_sensor_context(
        instance=office.instance, cursor=cursor, definitions=defs
    ) as context:
        return defs.resolve_sensor_def(f"{office.name}_{name}_sensor").evaluate_tick(context)


def start(office, moment: dt.datetime, job: str = "nightly"):
    """Evaluate one of the company's schedules at a tick as the daemon does; its answer."""

    class Tick(dg.ScheduleEvaluationContext):
        instance = office.instance  # Dagster's builder takes none in memory

    return (
        office.defs()
        .resolve_schedule_def(f"{office.name}_{job}_schedule")
        .evaluate_tick(Tick(None, moment))
    )


# --- schedules ------------------------------------------------------------------------------------


def test_a_night_begins_at_the_same_wall_time_on_both_sides_of_a_clock_change(make_office):
    office = make_office(schedule="30 4 * * *")
    schedule = office.defs().resolve_schedule_def("acme_nightly_schedule")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert schedule.job_name == "acme_nightly"
    berlin = ZoneInfo("Europe/Berlin")
    for around in (
        dt.datetime(2026, 3, 28, 12, tzinfo=berlin),
        dt.datetime(2026, 10, 24, 12, tzinfo=berlin),
    ):
        ticks = ticks_from(around, schedule.cron_schedule, schedule.execution_timezone)
        nights = [next(ticks).astimezone(berlin) for _ in range(3)]
        assert [night.strftime("%H:%M") for night in nights] == ["04:30"] * 3
        assert [night.day for night in nights] == [around.day + 1, around.day + 2, around.day + 3]
        keys = []
        for night in nights:
            keys += [request.run_key for request in start(office, night).run_requests]
        assert keys == [f"acme:{night:%Y-%m-%d}" for night in nights]


def test_several_nights_a_day_each_have_a_run_key(make_office):
    office = make_office(schedule="0 */6 * * *")
    keys = set()
    for hour in (0, 6, 12, 18):
        moment = dt.datetime(2026, 3, 2, hour, tzinfo=ZoneInfo("Europe/Berlin"))
        keys |= {request.run_key for request in start(office, moment).run_requests}
    assert len(keys) == 4


def test_a_company_without_a_schedule_has_none_and_misses_no_night(office):
    repository = office.defs().get_repository_def()
    assert repository.schedule_defs == []
    assert {sensor.name for sensor in repository.sensor_defs} == {
        "acme_check_sensor",
        "acme_run_sensor",
    }


# --- checks ---------------------------------------------------------------------------------------


def test_c87_a_check_that_fails_is_told_once_and_so_is_its_recovery(told, inbox):
    assert problems(told.job("dry_run")) == []
    first = tick(told, "check", None)
    assert inbox.messages == []  # all hold: no news
    told.tenant.change(23, email=None)
    told.job("dry_run")
    second = tick(told, "check", first.cursor)
    assert len(inbox.messages) == 1
    assert inbox.messages[0]["title"] == "acme: 1 check changed, 0 fail"
    assert (
        inbox.messages[0]["message"]
        == "core/quarantine: records_are_not_quarantined warns. Held back: 1 email_is_present."
    )
    told.job("dry_run")
    third = tick(told, "check", second.cursor)
    assert len(inbox.messages) == 1  # still so
    told.tenant.change(23, email="person.23@nordlicht.example")
    told.job("dry_run")
    fourth = tick(told, "check", third.cursor)
    assert [message["message"] for message in inbox.messages[1:]] == [
        "core/quarantine: records_are_not_quarantined holds again."
    ]
    tick(told, "check", fourth.cursor)
    assert len(inbox.messages) == 2


def test_a_message_that_was_not_accepted_is_sent_again(told, inbox):
    told.tenant.change(23, email=None)
    told.job("dry_run")
    inbox.status = 500
    with pytest.raises(Exception, match=r"did not reach 1 of 1 addresses"):
        tick(told, "check", None)
    inbox.status = 200
    tick(told, "check", None)
    assert len(inbox.messages) == 1


def test_a_check_that_could_not_be_judged_keeps_its_last_verdict(told, inbox):
    told.job("dry_run")
    cursor = tick(told, "check", None).cursor
    told.faults.add(Fault("*/employees", "status", times=None, value=500))
    assert len(problems(told.job("dry_run"))) == 1
    assert tick(told, "check", cursor).cursor == cursor
    assert inbox.messages == []


def test_news_without_alerts_goes_to_the_log(make_office, caplog):
    office = make_office()
    office.tenant.change(5, email=None)
    office.job("dry_run")
    tick(office, "check", None)
    assert "core/quarantine: records_are_not_quarantined warns" in caplog.text


def test_news_gets_out_while_another_variable_is_missing(told, inbox, monkeypatch):
    cursor = tick(told, "run", None).cursor
    monkeypatch.delenv("SANDBOX_SECRET")
    told.materialise("hris_personio/employees")
    tick(told, "run", cursor)
    assert (
        "needs the environment variable SANDBOX_SECRET, which is not set"
        in inbox.messages[0]["message"]
    )


# --- runs -----------------------------------------------------------------------------------------


def test_each_failed_run_that_somebody_started_is_told_once_with_its_sentence(told, inbox):
    told.faults.add(Fault("*/employees", "status", times=None, value=500))
    assert problems(told.materialise("hris_personio/employees"))  # before anybody listened
    cursor = tick(told, "run", None).cursor
    assert tick(told, "run", cursor).cursor == cursor
    assert inbox.messages == []
    failed = [told.job("dry_run"), told.materialise("hris_personio/employees")]
    cursor = tick(told, "run", cursor).cursor
    assert len(inbox.messages) == 2
    assert (
        f"Run {failed[0].run_id} of acme_dry_run failed. Personio connection 'personio'"
        in inbox.messages[0]["message"]
    )
    assert f"Run {failed[1].run_id} of single assets failed." in inbox.messages[1]["message"]
    tick(told, "run", cursor)
    assert len(inbox.messages) == 2


def ended(
    office, status: dg.DagsterRunStatus, *, scheduled: bool = True, job: str = "nightly"
) -> dg.DagsterRun:
    """A run that has ended so, as the daemon's."""
    tags = {SCHEDULE_NAME_TAG: f"{office.name}_{job}_schedule"} if scheduled else {}
    job = office.defs().resolve_job_def(f"{office.name}_{job}")
    return office.instance.create_run_for_job(job, status=status, tags={**job.run_tags, **tags})


FAILURE, SUCCESS = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


@pytest.mark.parametrize(
    ("job", "called", "time"),
    [("nightly", "nights", "04:30"), ("changes", "runs between nights", "08:15")],
)
def test_c87_thirty_runs_that_fail_are_told_when_it_begins_when_they_back_off_and_when_it_is_over(
    make_office, inbox, monkeypatch, job, called, time
):
    more = 'alerts: ["${ALERT_URL}"]\nchanges_schedule: "15 8 * * *"\n'
    told = make_office(schedule="30 4 * * *", more=more)
    defs = told.defs()
    monkeypatch.setattr(told, "defs", lambda: defs)
    cursor = tick(told, "run", None).cursor
    for _ in range(30):
        ended(told, FAILURE, job=job)
        for _ in range(2):
            cursor = tick(told, "run", cursor).cursor
    titles = [message["title"] for message in inbox.messages]
    assert titles == ["acme: a run failed", f"acme: {called} fail; the schedule backs off"]
    assert f"2 scheduled {called} in a row failed" in inbox.messages[1]["message"]
    assert f" {time}. `hris-pipeline sync acme` starts a night now." in inbox.messages[1]["message"]
    ended(told, SUCCESS, scheduled=False, job=job)  # a `sync` by hand
    for _ in range(30):
        cursor = tick(told, "run", cursor).cursor
    assert [message["title"] for message in inbox.messages[2:]] == [f"acme: {called} succeed again"]
    ended(told, SUCCESS, job=job)
    tick(told, "run", cursor)
    assert len(inbox.messages) == 3


def test_news_that_was_not_accepted_is_sent_again_and_a_cursor_of_an_earlier_version_is_read(
    told, inbox
):
    ended(told, FAILURE)
    inbox.status = 500
    with pytest.raises(Exception, match=r"did not reach 1 of 1 addresses"):
        tick(told, "run", "0")
    inbox.status = 200
    cursor = tick(told, "run", "0").cursor
    tick(told, "run", cursor)
    assert [message["title"] for message in inbox.messages] == ["acme: a run failed"]


def test_after_two_failed_nights_the_schedule_skips_its_ticks_and_a_success_by_hand_ends_that(
    make_office,
):
    office = make_office(schedule="0 * * * *")

    def starts(hours: float) -> bool:
        now = dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)
        answer = start(office, now)
        assert (
            answer.run_requests
            or "`hris-pipeline sync acme` starts a night now." in answer.skip_message
        )
        return bool(answer.run_requests)

    ended(office, FAILURE)
    ended(office, FAILURE, scheduled=False)
    assert starts(0.5)
    ended(office, FAILURE)
    assert [starts(hours) for hours in (0.5, 5.7, 6)] == [False, False, True]
    ended(office, SUCCESS, scheduled=False)
    assert starts(0.5)


def test_runs_between_nights_wait_while_they_or_the_nights_keep_failing(make_office):
    for failing in ("changes", "nightly"):
        office = make_office(failing, schedule="30 4 * * *", more='changes_schedule: "0 * * * *"\n')
        soon, later = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours) for hours in (1, 7))
        ended(office, FAILURE, job=failing)
        assert start(office, soon, "changes").run_requests
        ended(office, FAILURE, job=failing)
        assert not start(office, soon, "changes").run_requests
        assert start(office, later, "changes").run_requests
        # no night waits for them
        assert bool(start(office, soon).run_requests) is (failing == "changes")


def test_c67_a_night_in_deskbirds_maintenance_is_put_off_told_once_and_its_recovery_once(
    told, inbox
):
    assert problems(told.job()) == []
    cursors = {name: tick(told, name, None).cursor for name in ("run", "check")}
    inbox.messages.clear()

    def listen() -> list[str]:
        for _ in range(2):
            cursors.update(
                {name: tick(told, name, cursor).cursor for name, cursor in cursors.items()}
            )
        return [message["title"] for message in inbox.messages]

    written = told.writes()
    told.desk.faults.add(Fault("*", "status", times=None, value=503))
    told.tenant.change(5, last_name="Otherwise")
    assert problems(told.job(now=NIGHT + dt.timedelta(days=1)))
    assert listen() == ["acme: a run failed"]
    told.desk.faults.clear()
    assert problems(told.job(now=NIGHT + dt.timedelta(days=2))) == []
    assert listen() == ["acme: a run failed", "acme: nights succeed again"]
    assert len(told.writes()) == len(written) + 1


def test_a_failed_run_is_told_to_its_own_company_only(told, make_office, inbox):
    other = make_office("globex")
    cursor = tick(told, "run", None).cursor
    other.faults.add(Fault("*/employees", "status", times=None, value=500))
    assert problems(other.materialise("hris_personio/employees"))
    tick(told, "run", cursor)
    assert inbox.messages == []


def test_a_reaped_run_is_told(told, inbox):
    cursor = tick(told, "run", None).cursor
    job = told.defs().resolve_job_def("acme_nightly")
    run = told.instance.create_run_for_job(
        job, status=dg.DagsterRunStatus.STARTED, tags=job.run_tags
    )
    instances.reap_orphans(told.instance, told.data, grace=-dt.timedelta(1))
    tick(told, "run", cursor)
    assert (
        f"Run {run.run_id} of acme_nightly failed. No step of it gave a reason"
        in inbox.messages[0]["message"]
    )


# --- nights ---------------------------------------------------------------------------------------


def test_c86_a_night_that_did_not_happen_is_told_once_and_so_is_its_recovery(
    told, inbox, monkeypatch
):
    def at(hours: float) -> None:
        monkeypatch.setenv(clock.VARIABLE, (REAL + dt.timedelta(hours=hours)).isoformat())

    at(0)
    cursor = tick(told, "night", None).cursor  # watched from here on
    at(20)
    cursor = tick(told, "night", cursor).cursor
    assert inbox.messages == []
    for hours in (28, 40, 60):  # at least one tick of 04:30 and two hours lie behind
        at(hours)
        cursor = tick(told, "night", cursor).cursor
    assert [message["title"] for message in inbox.messages] == ["acme: a night did not happen"]
    assert "succeeded for 28 hours" in inbox.messages[0]["message"]
    at(1)
    assert problems(told.job()) == []  # Dagster writes the real time
    cursor = tick(told, "night", cursor).cursor
    assert [message["title"] for message in inbox.messages[1:]] == ["acme: nights happen again"]
    tick(told, "night", cursor)
    assert len(inbox.messages) == 2


def test_a_dry_run_is_no_night_and_a_failed_one_neither(told, inbox, monkeypatch):
    cursor = tick(told, "night", None).cursor
    told.job("dry_run")
    told.faults.add(Fault("*/employees", "status", times=None, value=500))
    told.job()
    monkeypatch.setenv(clock.VARIABLE, (REAL + dt.timedelta(hours=30)).isoformat())
    tick(told, "night", cursor)
    assert len(inbox.messages) == 1


def test_a_night_on_working_days_only_is_not_missed_at_the_weekend(make_office, inbox, monkeypatch):
    office = make_office(schedule="30 4 * * 1-5", more='alerts: ["${ALERT_URL}"]\n')
    friday = dt.datetime(2026, 3, 6, 5, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    known = json.dumps({"since": friday.isoformat(), "told": False})
    # Saturday, Monday 03:00, 06:00, 07:00
    for hours, missed in ((40, 0), (70, 0), (73, 0), (74, 1)):
        monkeypatch.setenv(clock.VARIABLE, (friday + dt.timedelta(hours=hours)).isoformat())
        tick(office, "night", known)
        assert len(inbox.messages) == missed


# --- the heartbeat --------------------------------------------------------------------------------


def test_the_heartbeat_is_called_after_a_good_night_and_only_then(make_office, monkeypatch):
    calls = []

    class Monitor(Quiet):
        def do_GET(self):
            calls.append(self.path)
            self.answer(200)

    with served(Monitor) as port:
        monkeypatch.setenv("HEARTBEAT_URL", f"http://127.0.0.1:{port}/beat")
        office = make_office(more='heartbeat_url: "${HEARTBEAT_URL}"\n')
        office.job("dry_run")
        office.desk.faults.add(Fault("POST /v2/scim/Groups", "status", times=None, value=400))
        assert problems(office.job()) == []  # failed writes: no good night
        assert calls == []
        office.desk.faults.clear()
        assert problems(office.job(now=NIGHT + dt.timedelta(hours=1))) == []
        assert calls == ["/beat"]
        office.materialise("deskbird/applied_changes")  # by hand is no night
        assert calls == ["/beat"]


def test_a_monitor_that_does_not_answer_does_not_spoil_the_night(make_office, monkeypatch):
    monkeypatch.setenv("HEARTBEAT_URL", "http://127.0.0.1:1/beat")
    monkeypatch.setattr("hris_pipeline.alerts.RetryPolicy", lambda **_: BRIEF)
    office = make_office(more='heartbeat_url: "${HEARTBEAT_URL}"\n')
    assert problems(office.job()) == []


def test_alert_urls_name_the_missing_variable(told, monkeypatch):
    monkeypatch.delenv("ALERT_URL")
    with pytest.raises(
        SettingsError, match="alerts needs the environment variable ALERT_URL, which is not set"
    ):
        settings.alert_urls(companies.load("acme"))
