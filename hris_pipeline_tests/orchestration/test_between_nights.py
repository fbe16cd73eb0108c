"""Case 19: between two nights only what changed is read; it creates and updates, and takes nothing
away.
"""

import datetime as dt

import pytest

from hris_pipeline.orchestration.checks import EXTRACT_IS_PROVEN, GUARDS_HOLD
from hris_pipeline_tests.orchestration.office import NIGHT, problem, problems, verdicts

HIRE, RENAMED, LEFT, VANISHED = 900, 3, 4, 5
LATER = NIGHT + dt.timedelta(days=1, hours=5)


def people_come_and_go(office) -> None:
    """What HR did by the next day."""
    persons = office.tenant.snapshot.persons
    office.tenant.set_date(LATER.date())
    moment = office.tenant.snapshot.moment
    like = persons[RENAMED]
    new = type(like)(
        HIRE,
        "Nina",
        "New",
        "nina.new@nordlicht.example",
        like.current and (like.current,),
        moment,
        moment,
    )
    office.tenant.add(new)
    office.tenant.change(RENAMED, last_name="Renamed")
    office.tenant.change(LEFT, status="INACTIVE", end_date=LATER.date() - dt.timedelta(days=1))
    office.tenant.remove(VANISHED)


def users(office) -> dict[str, tuple[str, bool]]:
    """Each of our users in deskbird: family name, and whether active."""
    found = office.desk.desk.users()
    return {
        user["externalId"]: (user["name"]["familyName"], user["active"])
        for user in found
        if user.get("externalId")
    }


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_c19_between_nights_changes_are_made_and_nothing_is_taken_away(make_office, api):
    office = make_office(api=api)
    assert problems(office.job()) == []
    people_come_and_go(office)
    before = len(office.faults.requests("*employees*" if api == "v1" else "*employments*"))

    result = office.job("changes", now=LATER)

    assert problems(result) == []
    now = users(office)
    assert now[f"personio:{HIRE}"] == ("New", True)
    assert now[f"personio:{RENAMED}"] == ("Renamed", True)
    assert now[f"personio:{LEFT}"][1]
    assert now[f"personio:{VANISHED}"][1]
    assert office.ask("select count(*) from state.missing") == [(0,)]
    held = (
        "select object, action, hris_ref, guard from deskbird.changes where verdict = 'blocked' "
        "and object = 'user'"
    )
    assert office.ask(held) == [("user", "deactivate", f"personio:{LEFT}", "incomplete_extract")]
    asked = len(office.faults.requests("*employees*" if api == "v1" else "*employments*")) - before
    assert asked == (1 if api == "v1" else 3)
    said = verdicts(result)
    # nobody is woken for what was asked for
    assert said[f"hris_personio/employees: {EXTRACT_IS_PROVEN}"]
    assert said[f"deskbird/changes: {GUARDS_HOLD}"]

    assert problems(office.job(now=NIGHT + dt.timedelta(days=2))) == []
    assert not users(office)[f"personio:{LEFT}"][1]
    assert office.ask("select hris_ref from state.missing") == [(f"personio:{VANISHED}",)]


def test_c19_changes_that_come_again_or_are_left_out_are_put_right_by_the_night(make_office):
    office = make_office()
    assert problems(office.job()) == []
    office.tenant.set_date(LATER.date())
    # a clock far behind
    office.tenant.change(RENAMED, last_name="Late", updated_at=NIGHT - dt.timedelta(days=90))
    for minutes in (0, 60):
        assert problems(office.job("changes", now=LATER + dt.timedelta(minutes=minutes))) == []
        assert users(office)[f"personio:{RENAMED}"][0] != "Late"
    assert problems(office.job(now=NIGHT + dt.timedelta(days=2))) == []
    assert users(office)[f"personio:{RENAMED}"][0] == "Late"


def test_changes_alone_are_added_to_nothing(make_office):
    office = make_office()
    assert "was never read completely, so changes could be added to nothing" in problem(
        office.job("changes")
    )
    assert office.writes() == []


def test_the_schedule_between_nights_starts_its_own_job(make_office):
    office = make_office(more='changes_schedule: "0 7-19 * * 1-5"\n')
    schedule = office.defs().resolve_schedule_def("acme_changes_schedule")
    assert (schedule.job_name, schedule.cron_schedule, schedule.execution_timezone) == (
        "acme_changes",
        "0 7-19 * * 1-5",
        "Europe/Berlin",
    )
