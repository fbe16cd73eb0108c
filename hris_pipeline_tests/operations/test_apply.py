"""What stops a run between two writes."""

import datetime as dt

import pytest

from hris_pipeline.contracts.pauses import Pause
from hris_pipeline.http import NEVER, Deadline
from hris_pipeline.operations import companies
from hris_pipeline.operations.apply import Brake

PAUSE = Pause("ada", dt.datetime(2026, 3, 2, 3, tzinfo=dt.UTC).isoformat(), "Mr Berg asked for it")
OUT_OF_TIME = "The run of acme has reached its deadline."


@pytest.fixture
def company(tmp_path):
    (tmp_path / "acme.yaml").write_text("""\
timezone: Europe/Berlin
hris: {personio: {system: personio, client_id: "${ID}", client_secret: "${SECRET}"}}
deskbird: {scim_token: "${TOKEN}"}
""")
    return companies.load("acme", tmp_path)


def test_nothing_stops_a_run_that_is_neither_paused_nor_late(company):
    brake = Brake(company, NEVER, OUT_OF_TIME, lambda: None)
    assert (brake(), brake.paused) == (False, None)


def test_a_pause_that_was_met_holds_to_the_end_of_the_run_and_its_reason_is_not_told(company):
    seen = iter([None, None, PAUSE])
    brake = Brake(company, NEVER, OUT_OF_TIME, lambda: next(seen, None))
    assert brake() is False
    stop = brake()
    assert stop == (
        "acme is paused since 2026-03-02 04:00 by ada; this change was not sent; "
        "`hris-pipeline resume acme` ends it."
    )
    assert (stop.code, brake.paused) == ("paused", PAUSE)
    assert brake() == stop  # although it was resumed meanwhile


def test_a_pause_counts_before_a_deadline_and_a_deadline_says_who_goes_on(company):
    assert Brake(company, Deadline(0), OUT_OF_TIME, lambda: PAUSE)().code == "paused"
    stop = Brake(company, Deadline(0), OUT_OF_TIME, lambda: None)()
    assert stop == f"{OUT_OF_TIME} This change was not sent. The next run goes on."
    assert stop.code == "deadline"
