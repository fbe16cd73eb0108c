"""Coming and going: first and last days in each person's own zone, hires that were called off, text
that must not flap.
"""

import datetime as dt
from typing import Any

import pytest
from people.registry import Registry
from plan.world import World

UTC = dt.UTC
ZONES = {"Auckland": "Pacific/Auckland", "la-1": "America/Los_Angeles"}
TODAY, YESTERDAY, TOMORROW = "2026-03-02", "2026-03-01", "2026-03-03"


def status(hr: Registry, person: str = "p:1") -> tuple[str, bool]:
    """A person's status, and whether deskbird should have them."""
    found = hr.night()[person]
    return found["status"], found["wanted"]


# --- case 35: whose midnight ----------------------------------------------------------------------


def located(*places: str) -> Registry:
    """One person in each place, all with the same last day."""
    hr = Registry()
    hr.units = {
        "p:location:7": " auckland",
        "p:location:la-1": "West Coast",
        "p:location:8": "Berlin",
        "q:location:7": "Rome",
    }
    hr.rule(timezones=ZONES)
    for place in places:
        hr.put(
            f"p:{place}",
            f"{place}@acme.test",
            end_date=TODAY,
            groups=(("location", place), ("team", "1")),
        )
    return hr


@pytest.mark.parametrize(
    ("moment", "active"),
    [
        (dt.datetime(2026, 3, 2, 10, 59, tzinfo=UTC), {"7", "8", "la-1"}),  # 23:59 in Auckland
        (dt.datetime(2026, 3, 2, 11, 0, tzinfo=UTC), {"8", "la-1"}),
        (dt.datetime(2026, 3, 2, 22, 59, tzinfo=UTC), {"8", "la-1"}),  # 23:59 in Berlin
        (dt.datetime(2026, 3, 2, 23, 0, tzinfo=UTC), {"la-1"}),
        (dt.datetime(2026, 3, 3, 7, 59, tzinfo=UTC), {"la-1"}),  # 23:59 in Los Angeles
        (dt.datetime(2026, 3, 3, 8, 0, tzinfo=UTC), set()),
    ],
)
def test_c35_the_last_day_ends_at_midnight_where_the_person_works(
    moment: dt.datetime, active: set[str]
) -> None:
    hr = located("7", "8", "la-1")
    hr.now = moment
    found = hr.night()
    assert {
        person.removeprefix("p:") for person, row in found.items() if row["status"] == "active"
    } == active
    assert {person: row["timezone"] for person, row in found.items()} == {
        "p:7": "Pacific/Auckland", "p:8": "Europe/Berlin", "p:la-1": "America/Los_Angeles",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "last_day", "still_there", "gone"),
    [
        # the clocks go forward at 2:00 on 29 March 2026 in Berlin: the day has 23 hours
        (
            "Europe/Berlin",
            "2026-03-29",
            dt.datetime(2026, 3, 29, 21, 59, tzinfo=UTC),
            dt.datetime(2026, 3, 29, 22, 0, tzinfo=UTC),
        ),
        (
            "Europe/Berlin",
            "2026-03-28",
            dt.datetime(2026, 3, 28, 22, 59, tzinfo=UTC),
            dt.datetime(2026, 3, 28, 23, 0, tzinfo=UTC),
        ),
        # and back at 3:00 on 25 October: it has 25
        (
            "Europe/Berlin",
            "2026-10-25",
            dt.datetime(2026, 10, 25, 22, 59, tzinfo=UTC),
            dt.datetime(2026, 10, 25, 23, 0, tzinfo=UTC),
        ),
        (
            "Europe/Berlin",
            "2026-10-24",
            dt.datetime(2026, 10, 24, 21, 59, tzinfo=UTC),
            dt.datetime(2026, 10, 24, 22, 0, tzinfo=UTC),
        ),
        # in Auckland the other way round: back on 5 April, forward on 27 September
        (
            "Pacific/Auckland",
            "2026-04-05",
            dt.datetime(2026, 4, 5, 11, 59, tzinfo=UTC),
            dt.datetime(2026, 4, 5, 12, 0, tzinfo=UTC),
        ),
        (
            "Pacific/Auckland",
            "2026-09-27",
            dt.datetime(2026, 9, 27, 10, 59, tzinfo=UTC),
            dt.datetime(2026, 9, 27, 11, 0, tzinfo=UTC),
        ),
        # in Havana the clocks go forward at midnight: 8 March 2026 begins at 1:00
        (
            "America/Havana",
            "2026-03-07",
            dt.datetime(2026, 3, 8, 4, 59, tzinfo=UTC),
            dt.datetime(2026, 3, 8, 5, 0, tzinfo=UTC),
        ),
    ],
)
def test_c35_nights_in_which_the_clocks_change(
    zone: str, last_day: str, still_there: dt.datetime, gone: dt.datetime
) -> None:
    hr = located("7")
    hr.rule(timezones={"Auckland": zone})
    hr.change("p:7", end_date=last_day)
    for moment, expected in ((still_there, "active"), (gone, "ended")):
        hr.now = moment
        assert status(hr, "p:7")[0] == expected


def test_c33_the_first_day_too_is_the_one_where_the_person_works() -> None:
    hr = located("7", "8", "la-1")
    for ref in hr.records:
        hr.change(ref, start_date=TOMORROW, end_date=None)
    hr.now = dt.datetime(2026, 3, 2, 11, 0, tzinfo=UTC)  # the third of March in Auckland
    assert {person for person, row in hr.night().items() if row["wanted"]} == {"p:7"}
    hr.rule(prehire_days=1)
    hr.now = dt.datetime(2026, 3, 2, 7, 59, tzinfo=UTC)  # the first of March in Los Angeles
    assert {person for person, row in hr.night().items() if row["wanted"]} == {"p:7", "p:8"}


def test_c35_a_location_that_is_not_synced_tells_the_zone_and_makes_no_group() -> None:
    hr = located("7")
    hr.units["p:team:1"] = "Sales"
    hr.change("p:7", end_date=None)
    assert hr.night()["p:7"]["timezone"] == "Pacific/Auckland"
    assert hr.memberships() == {("p:7", "p:team:1")}
    assert hr.query("select kind from core.groups") == [("team",)]
    assert hr.held() == {}


def test_places_that_nobody_named_and_people_without_one_go_by_the_companys_zone() -> None:
    hr = located("8")
    hr.put("p:nowhere", "nowhere@acme.test")
    hr.put("q:7", "rome@acme.test", groups=(("location", "7"),))  # another account's number 7
    hr.put("p:lost", "lost@acme.test", groups=(("location", "la-1"), ("location", "99")))
    assert {person: row["timezone"] for person, row in hr.night().items()} == {
        "p:8": "Europe/Berlin", "p:nowhere": "Europe/Berlin", "q:7": "Europe/Berlin",
        "p:lost": "America/Los_Angeles",
    }  # fmt: skip


def test_a_person_of_several_records_lives_where_the_primary_one_says() -> None:
    hr = located("8")
    hr.change("p:8", end_date=None)
    hr.put("q:1", "8@acme.test", groups=(("location", "la-1"),), start_date="2025-01-01")
    assert hr.night()["p:8"]["timezone"] == "Europe/Berlin"
    hr.rule(precedence={"default": ("q",)})
    assert hr.night()["p:8"]["timezone"] == "America/Los_Angeles"


# --- hires ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"status": "inactive", "start_date": TOMORROW}, "ended"),
        ({"status": "inactive", "start_date": TOMORROW, "end_date": TODAY}, "ended"),
        ({"status": "inactive", "start_date": "2026-04-01", "end_date": "2026-04-01"}, "ended"),
        ({"start_date": "2026-04-01", "end_date": "2026-03-20"}, "ended"),
        ({"start_date": "2026-04-01", "end_date": YESTERDAY}, "ended"),
        ({"status": "onboarding", "start_date": "2026-04-01", "end_date": "2026-03-31"}, "ended"),
        # one day is a contract too
        ({"start_date": "2026-04-01", "end_date": "2026-04-01"}, "upcoming"),
    ],
)
def test_c34_a_hire_that_was_called_off_does_not_come(
    values: dict[str, Any], expected: str
) -> None:
    hr = Registry()
    hr.rule(prehire_days=60)
    hr.put("p:1", "ada@acme.test", **{"start_date": "2026-04-01"} | values)
    assert status(hr) == (expected, expected == "upcoming")


def test_c34_who_was_created_early_and_then_called_off_is_deactivated_and_left_in_no_group() -> (
    None
):
    world = World()
    world.prehire_days = 30
    team = world.unit("team", "1", "Sales")
    world.hire("1", groups=(team,))
    world.hire("2", groups=(team,), start_date="2026-03-20", family_name="Second")
    world.settle()
    assert world.user_of("2").active
    world.people["2"].end_date = "2026-03-10"
    world.settle()
    assert not world.user_of("2").active
    assert world.night()[0].changes == 0


# --- leavers --------------------------------------------------------------------------------------


def test_c36_a_termination_of_weeks_ago_acts_tonight_and_its_correction_brings_all_back() -> None:
    world = World()
    team = world.unit("team", "1", "Sales")
    world.hire("1", groups=(team,))
    world.hire("2", groups=(team,), manager_id="1", family_name="Second")
    world.settle()
    before, members = vars(world.user_of("2")).copy(), set(world.group_of("team", "1").members)
    assert before["manager"]
    world.people["2"].end_date = "2026-02-01"
    world.settle()
    assert not world.user_of("2").active
    world.people["2"].end_date = None
    world.settle()
    assert vars(world.user_of("2")) == before
    assert world.group_of("team", "1").members == members


def test_c37_who_is_on_leave_for_years_stays() -> None:
    hr = Registry()
    hr.put("p:1", "ada@acme.test", status="leave")
    for _ in range(3):
        hr.now += dt.timedelta(days=400)
        assert status(hr) == ("on_leave", True)


def test_c14_an_unknown_word_is_held_back_and_deactivates_nobody() -> None:
    world = World()
    world.hire("1", "2")
    world.people["2"].family_name = "Second"
    world.settle()
    world.people["2"].status = "sabbatical"
    assert world.night()[0].changes == 0
    assert world.user_of("2").active


# --- text -----------------------------------------------------------------------------------------

LONG = "x" * 10_000_000
TEXTS = {
    "ten megabytes": LONG,
    "emoji": "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "right to left": "\u202b\u0645\u0631\u064a\u0645\u202c \u2067\u05d0\u2069",
    "decomposed": "Zoe\u0308 A\u030angstro\u0308m",
    "Angstrom sign": "\u212bngstr\u00f6m",
    "capital that grows": "\u0130stanbul",
    "zero width": "\u200bA\u200e\u2060da\ufeff",
    "null": "A\x00da\x00",
    "blanks": " \u00a0Ada \u2003Byron\u3000",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_c20_c22_strange_text_is_the_same_on_the_second_night(text: str) -> None:
    hr = Registry()
    address = "".join(letter for letter in text[:40] if letter.isalnum()).upper() or "X"
    hr.put("p:1", f" {address}@Acme.TEST\u00a0", None)
    hr.change("p:1", given_name=text, family_name=text)
    first = hr.night()["p:1"]
    assert not {"\x00", "\u200b", "\u202b", "\u2067", "\ufeff"} & set(first["display_name"])
    # what deskbird gives back of it comes through as it is
    hr.put("p:1", first["email"], None)
    hr.change("p:1", given_name=first["given_name"], family_name=first["family_name"])
    assert hr.night()["p:1"] == first


def test_c22_addresses_that_differ_in_form_only_are_one_address() -> None:
    forms = [
        "z\u00f6e@googlemail.com",
        " ZO\u0308E@GoogleMail.com",
        "zo\u0308e@gmail.com\u00a0",
        "Z\u00d6E@gmail.com\u200b",
    ]
    hr = Registry()
    for number, form in enumerate(forms):
        hr.put(f"p:{number}", form)
    found = hr.night()
    assert [(row["hris_ref"], row["other_refs"]) for row in found.values()] == [
        ("p:0", ["p:1", "p:2", "p:3"])
    ]
