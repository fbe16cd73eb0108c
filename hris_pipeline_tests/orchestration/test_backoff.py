"""When nights that keep failing are tried again."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from hris_pipeline.orchestration.backoff import Ended, next_attempt, waits_until
from hris_pipeline.orchestration.internals import ticks_from

BERLIN = ZoneInfo("Europe/Berlin")
START = dt.datetime(2026, 3, 2, 4, 0, tzinfo=BERLIN)
LATE = dt.timedelta(seconds=40)  # a run begins a little after its tick


def attempts(
    cron: str, until: dt.datetime, *, works_from: dt.datetime | None = None
) -> list[dt.datetime]:
    """The ticks at which a schedule starts a night that fails until ``works_from``."""
    nights: list[Ended] = []
    made = []
    for tick in ticks_from(START, cron, "Europe/Berlin"):
        if tick >= until:
            return made
        waits = waits_until(nights, BERLIN)
        if waits is None or tick >= waits:
            made.append(tick.astimezone(BERLIN))
            nights.insert(
                0,
                Ended(tick + LATE, works_from is not None and tick >= works_from, scheduled=True),
            )
    raise AssertionError


def hours(ticks: list[dt.datetime]) -> list[float]:
    """Hours since the first one, by the clocks on the wall."""
    return [
        (tick.replace(tzinfo=None) - START.replace(tzinfo=None)).total_seconds() / 3600
        for tick in ticks
    ]


def test_hourly_nights_that_fail_wait_six_then_twelve_hours_and_then_a_day():
    assert hours(attempts("0 * * * *", START + dt.timedelta(days=5))) == [
        0,
        1,
        7,
        19,
        43,
        67,
        91,
        115,
    ]


@pytest.mark.parametrize("month", [3, 10])
def test_a_daily_schedule_misses_no_night_also_when_the_clocks_change(month):
    tried = attempts("30 4 * * *", dt.datetime(2026, month, 31, 12, tzinfo=BERLIN))
    assert len(tried) == (30 if month == 3 else 30 + 214)
    assert {tick.strftime("%H:%M") for tick in tried} == {"04:30"}


def test_c67_a_maintenance_of_a_day_costs_an_hourly_schedule_four_attempts_until_a_success():
    works = START + dt.timedelta(hours=22)
    tried = attempts("0 * * * *", START + dt.timedelta(hours=48), works_from=works)
    assert hours(tried) == [0, 1, 7, 19, 43, 44, 45, 46, 47]


def test_what_a_person_starts_makes_nothing_wait_and_its_success_ends_the_waiting():
    failed = [Ended(START - dt.timedelta(hours=n), False, scheduled=True) for n in range(1, 4)]
    by_hand = Ended(START, False, scheduled=False)
    assert waits_until([by_hand] * 5, BERLIN) is None
    assert (
        waits_until([by_hand, *failed], BERLIN)
        == waits_until(failed, BERLIN)
        == failed[0].began + dt.timedelta(hours=11, minutes=50)
    )
    assert waits_until([Ended(START, True, scheduled=False), *failed], BERLIN) is None
    assert waits_until(failed[:1], BERLIN) is None
    assert waits_until([], BERLIN) is None


def test_the_next_attempt_is_a_tick_of_the_schedule():
    failed = [
        Ended(START + LATE, False, scheduled=True),
        Ended(START - dt.timedelta(hours=1), False, scheduled=True),
    ]
    assert next_attempt(failed, "0 * * * *", "Europe/Berlin") == START + dt.timedelta(hours=6)
    assert next_attempt(failed, "30 4 * * *", "Europe/Berlin") == START + dt.timedelta(
        hours=24, minutes=30
    )
    assert next_attempt(failed[:1], "0 * * * *", "Europe/Berlin") is None
