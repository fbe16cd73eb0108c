"""Who works here: statuses, clean text, parallel employments, and what is held back."""

import datetime as dt
from typing import Any

import pytest
from plan.world import World

UTC = dt.UTC


def people_of(
    world: World, columns: str = "hris_ref, status, wanted"
) -> dict[str, tuple[Any, ...]]:
    """``core.people`` after a fresh build, by id in the HRIS."""
    with world.warehouse.write(["p"]) as con:
        world.extract(con)
        world.derive(con)
        found = con.execute(f"select {columns} from core.people").fetchall()
    return {ref.removeprefix("p:"): tuple(values) for ref, *values in found}


def held_back(world: World) -> dict[str, set[str]]:
    """The rules that each record breaks, by id in the HRIS or by group."""
    found: dict[str, set[str]] = {}
    for ref, rule in world.query("select hris_ref, rule from core.quarantine"):
        found.setdefault(ref.removeprefix("p:"), set()).add(rule)
    return found


# --- status ---------------------------------------------------------------------------------------

TODAY, YESTERDAY, TOMORROW = "2026-03-02", "2026-03-01", "2026-03-03"
STATUS_CASES = {
    "works here": ("active", "2020-01-01", None, "active", True),
    "no dates at all": ("active", None, None, "active", True),
    "empty text is no date": ("active", "", "", "active", True),
    "a moment counts as its day": ("active", "2020-01-01T00:00:00+01:00", None, "active", True),
    "first day is today": ("active", TODAY, None, "active", True),
    "starts tomorrow": ("active", TOMORROW, None, "upcoming", False),
    "last day is today": ("active", "2020-01-01", TODAY, "active", True),
    "last day was yesterday": ("active", "2020-01-01", YESTERDAY, "ended", False),
    "last day is tomorrow": ("active", "2020-01-01", TOMORROW, "active", True),
    "on leave": ("leave", "2020-01-01", None, "on_leave", True),
    "on leave, then gone": ("leave", "2020-01-01", YESTERDAY, "ended", False),
    "on leave before the first day": ("leave", TOMORROW, None, "upcoming", False),
    "onboarding without a first day": ("onboarding", None, None, "upcoming", False),
    "onboarding, and the first day has come": ("onboarding", TODAY, None, "active", True),
    "the word says ended": ("inactive", "2020-01-01", None, "ended", False),
    "the word says ended, the last day is over": (
        "inactive",
        "2020-01-01",
        YESTERDAY,
        "ended",
        False,
    ),
    "the word turned on the last day itself": ("inactive", "2020-01-01", TODAY, "active", True),
    "the word says ended before the last day": (
        "inactive",
        "2020-01-01",
        TOMORROW,
        "ended",
        False,
    ),
    "hire that was called off": ("inactive", TOMORROW, None, "ended", False),
    "one word for both, the first day still to come": ("off", TOMORROW, None, "upcoming", False),
    "one word for both, for a few days still to come": (
        "off",
        TOMORROW,
        "2026-03-20",
        "upcoming",
        False,
    ),
    "one word for both, the first day has come": ("off", TODAY, None, "ended", False),
    "one word for both, no first day": ("off", None, None, "ended", False),
    "one word for both, gone": ("off", "2020-01-01", YESTERDAY, "ended", False),
    "one word for both, turned on the last day itself": (
        "off",
        "2020-01-01",
        TODAY,
        "active",
        True,
    ),
    "one word for both, called off": ("off", TOMORROW, YESTERDAY, "ended", False),
    "spelt otherwise": ("  ACTIVE ", "2020-01-01", None, "active", True),
}


@pytest.fixture(scope="module")
def statuses() -> dict[str, tuple[Any, ...]]:
    world = World()
    for name, (word, first_day, last_day, *_) in STATUS_CASES.items():
        world.hire(name, status=word, start_date=first_day, end_date=last_day)
        world.people[name].email = f"{name.replace(' ', '-').replace(',', '')}@acme.test"
    return people_of(world)


@pytest.mark.parametrize("name", STATUS_CASES)
def test_the_status_follows_from_the_word_and_the_dates(
    statuses: dict[str, tuple[Any, ...]], name: str
) -> None:
    assert statuses[name] == STATUS_CASES[name][3:]


@pytest.mark.parametrize(
    ("zone", "moment", "expected"),
    [
        # 23:59 of the last day there
        ("Pacific/Auckland", dt.datetime(2026, 3, 2, 10, 59, tzinfo=UTC), "active"),
        ("Pacific/Auckland", dt.datetime(2026, 3, 2, 11, 0, tzinfo=UTC), "ended"),
        ("America/Los_Angeles", dt.datetime(2026, 3, 3, 7, 59, tzinfo=UTC), "active"),
        ("America/Los_Angeles", dt.datetime(2026, 3, 3, 8, 0, tzinfo=UTC), "ended"),
        ("Europe/Berlin", dt.datetime(2026, 3, 2, 22, 59, tzinfo=UTC), "active"),
        ("Europe/Berlin", dt.datetime(2026, 3, 2, 23, 0, tzinfo=UTC), "ended"),
    ],
)
def test_c35_the_last_day_ends_at_midnight_in_the_companys_zone(
    zone: str, moment: dt.datetime, expected: str
) -> None:
    world = World()
    world.timezone, world.now = zone, moment
    world.hire("1", end_date=TODAY)
    assert people_of(world, "hris_ref, status")["1"] == (expected,)


def test_c33_prehire_days_bring_people_in_before_their_first_day() -> None:
    world = World()
    for days in (1, 10, 11):
        world.hire(str(days), start_date=str(dt.date(2026, 3, 2) + dt.timedelta(days)))
    world.hire("unknown", status="onboarding", start_date=None)
    world.prehire_days = 10
    found = people_of(world)
    assert {id_: wanted for id_, (_, wanted) in found.items()} == {
        "1": True,
        "10": True,
        "11": False,
        "unknown": False,
    }


# --- quarantine -----------------------------------------------------------------------------------

HELD_BACK = {
    "unknown word": ({"status": "sabbatical"}, {"status_is_known"}),
    "no word": ({"status": None}, {"status_is_known"}),
    "no address": ({"email": None}, {"email_is_present"}),
    "empty address": ({"email": "  "}, {"email_is_present"}),
    "no at sign": ({"email": "someone.acme.test"}, {"email_is_valid"}),
    "two at signs": ({"email": "some@one@acme.test"}, {"email_is_valid"}),
    "no domain": ({"email": "someone@acme"}, {"email_is_valid"}),
    "blank inside": ({"email": "some one@acme.test"}, {"email_is_valid"}),
    "two addresses": ({"email": "one@acme.test;two@acme.test"}, {"email_is_valid"}),
    "line break within it": ({"email": "one@acme.test\nx"}, {"email_is_valid"}),
    "a private address only": (
        {"email": "", "given_name": "Only", "family_name": "Private"},
        {"email_is_present"},
    ),
    "two dots": ({"email": "some..one@acme.test"}, {"email_is_valid"}),
    "two dots in the domain": ({"email": "someone@acme..test"}, {"email_is_valid"}),
    "a dot first": ({"email": ".someone@acme.test"}, {"email_is_valid"}),
    "a dot before the at sign": ({"email": "someone.@acme.test"}, {"email_is_valid"}),
    "a dot last": ({"email": "someone@acme.test."}, {"email_is_valid"}),
    "nothing before the at sign": ({"email": "@acme.test"}, {"email_is_valid"}),
    "a name beside it": ({"email": "Some One <someone@acme.test>"}, {"email_is_valid"}),
    "a remark beside it": ({"email": "someone(private)@acme.test"}, {"email_is_valid"}),
    "a soft hyphen inside": ({"email": "some\u00adone@acme.test"}, {"email_is_valid"}),
    "a word instead": ({"email": "none"}, {"email_is_valid"}),
    "letters of any script": ({"email": "m\u00fcller+desk_1.x-y'z@b\u00fccher.example"}, set()),
    "no name": ({"given_name": None, "family_name": " "}, {"name_is_present"}),
    "no such day": ({"start_date": "2026-02-30"}, {"dates_are_readable"}),
    "no date": ({"end_date": "soon"}, {"dates_are_readable"}),
    "everything": (
        {"status": "?", "email": None, "given_name": None, "family_name": None, "start_date": "x"},
        {"status_is_known", "email_is_present", "name_is_present", "dates_are_readable"},
    ),
    "first name only": ({"family_name": None}, set()),
    "left, without an address": ({"status": "inactive", "email": None}, set()),
    "left, with rubbish": (
        {"status": "inactive", "email": "@", "given_name": None, "family_name": None},
        set(),
    ),
    "left, by date, without an address": ({"end_date": YESTERDAY, "email": None}, set()),
}


@pytest.fixture(scope="module")
def quarantine() -> tuple[dict[str, set[str]], set[str]]:
    world = World()
    for number, (name, (values, _)) in enumerate(HELD_BACK.items()):
        world.hire(name)
        world.people[name].email = f"person{number}@acme.test"
        for attribute, value in values.items():
            setattr(world.people[name], attribute, value)
    found = set(people_of(world))
    return held_back(world), found


@pytest.mark.parametrize("name", HELD_BACK)
def test_c14_c31_a_record_that_breaks_a_rule_is_held_back_by_its_name(
    quarantine: tuple[dict[str, set[str]], set[str]], name: str
) -> None:
    rules, flowing = quarantine
    assert rules.get(name, set()) == HELD_BACK[name][1]
    assert (name in flowing) == (not HELD_BACK[name][1])


def test_c23_people_who_share_an_address_are_held_back_and_the_rest_flows() -> None:
    world = World()
    for id_ in "12345":
        world.hire(id_, family_name=f"Family {id_}")
    world.people["1"].email, world.people["2"].email = "Shared@Acme.test", "shared@acme.test "
    world.people["3"].email, world.people["4"].email = (
        "someone@googlemail.com",
        "someone@gmail.com",
    )
    assert set(people_of(world)) == {"5"}
    assert held_back(world) == {id_: {"email_is_unique"} for id_ in "1234"}


def test_somebody_who_left_does_not_block_the_address_they_had() -> None:
    world = World()
    world.hire("1", status="inactive", family_name="Gone")
    world.hire("2", family_name="New")
    world.people["2"].email = "1@acme.test"
    assert set(people_of(world)) == {"1", "2"}


def test_quarantine_keeps_the_first_night_and_forgets_what_is_mended() -> None:
    world = World()
    world.hire("1", "2")
    world.people["1"].email = world.people["2"].email = None
    people_of(world)
    first = world.now
    world.now += dt.timedelta(days=1)
    world.people["2"].email = "2@acme.test"
    people_of(world)
    assert world.query(
        'select hris_ref, "table", rule, first_seen, last_seen from core.quarantine'
    ) == [("p:1", "core.people", "email_is_present", first, world.now)]
    world.people["1"].email = "1@acme.test"
    people_of(world)
    assert held_back(world) == {}


def test_a_group_without_a_name_is_held_back_only_where_somebody_is_in_it() -> None:
    world = World()
    nameless, unlisted, unsynced = world.unit("team", "1", " "), ("team", "2"), ("location", "9")
    world.unit("team", "3", None)
    world.hire("1", groups=(nameless, unlisted, unsynced))
    world.hire("2", status="inactive", groups=(("team", "4"),))
    assert set(people_of(world)) == {"1", "2"}
    assert held_back(world) == {ref: {"unit_has_a_name"} for ref in ("team:1", "team:2")}


# --- what a record says, and does not say ---------------------------------------------------------


def test_c20_text_is_clean_and_composed() -> None:
    world = World()
    world.hire(
        "1", given_name=" Zo\u0308e\u200b\x00 ", family_name="\u202eM\u0300\u00fcller\ufeff\t"
    )
    world.people["1"].email = " ZO\u0308E@Acme.TEST\u200b "
    world.hire("2", given_name="\U0001f600 \u0645\u0631\u064a\u0645", family_name="O'Brien-\u014c")
    found = people_of(world, "hris_ref, email, given_name, family_name, display_name")
    assert found["1"] == (
        "z\u00f6e@acme.test",
        "Z\u00f6e",
        "M\u0300\u00fcller",
        "Z\u00f6e M\u0300\u00fcller",
    )
    assert found["2"][1:] == (
        "\U0001f600 \u0645\u0631\u064a\u0645",
        "O'Brien-\u014c",
        "\U0001f600 \u0645\u0631\u064a\u0645 O'Brien-\u014c",
    )


def test_c13_what_the_hris_did_not_deliver_is_kept_apart_from_what_is_empty() -> None:
    world = World()
    team = world.unit("team", "1", "Sales")
    world.hire("absent", groups=(team,), absent=("team", "manager_id"))
    world.hire("empty", groups=())
    found = people_of(world, "hris_ref, unknown, group_refs, manager_ref")
    assert found == {
        "absent": (["manager_id", "team"], ["p:team:1"], None),
        "empty": ([], [], None),
    }


def test_c29_of_parallel_employments_the_one_that_counts_is_always_the_same() -> None:
    world = World()
    orders = {
        "active before leave": [("leave", "2021-01-01", "9"), ("active", "2019-01-01", "1")],
        "leave before upcoming": [("onboarding", "2027-01-01", "9"), ("leave", "2019-01-01", "1")],
        "unknown before ended": [
            ("inactive", "2021-01-01", "9"),
            ("sabbatical", "2019-01-01", "1"),
        ],
        "upcoming before unknown": [
            ("sabbatical", "2021-01-01", "9"),
            ("onboarding", "2027-01-01", "1"),
        ],
        "the latest of equals": [("active", "2019-01-01", "9"), ("active", "2021-01-01", "1")],
        "the first id of the same day": [
            ("active", "2021-01-01", "9"),
            ("active", "2021-01-01", "1"),
        ],
    }
    for number, (name, employments) in enumerate(orders.items()):
        for way in (1, -1):  # whatever the order in which they come
            id_ = f"{name} {way}"
            for status, first_day, employment in employments[::way]:
                world.hire(
                    id_,
                    status=status,
                    start_date=first_day,
                    family_name=f"Employment {employment}",
                    employment_id=employment,
                )
                world.people[id_].email = f"p{number}{way}@acme.test"
                world.second_employments.append(world.people.pop(id_))
    found = people_of(world, "hris_ref, family_name")
    assert {id_: name for id_, (name,) in found.items()} == {
        f"{name} {way}": "Employment 1"
        for name in orders
        if name != "unknown before ended"
        for way in (1, -1)
    }
    assert set(held_back(world)) == {"unknown before ended 1", "unknown before ended -1"}


def test_the_counts_say_what_came_out() -> None:
    world = World()
    world.hire("1", "2")
    world.hire("3", status="inactive")
    world.hire("4", start_date="2027-01-01")
    world.hire("5", status="?")
    with world.warehouse.write(["p"]) as con:
        world.extract(con)
        counts = world.derive(con)
    assert (counts.people, counts.wanted, counts.ended, counts.upcoming, counts.quarantined) == (
        4,
        2,
        1,
        1,
        1,
    )
    assert counts.by_rule == {"status_is_known": 1}


def test_c102_whoever_has_one_contract_twice_is_held_back_and_the_others_flow() -> None:
    world = World()
    for person in ("1", "2", "3"):
        world.hire(person)
    with world.warehouse.write(["p"]) as con:
        world.extract(con)
        for person, other in (("2", "'Other' as family_name"), ("3", "'c2' as employment_id")):
            con.execute(
                f"insert into hris_p.employees from (select * replace ({other}) from "
                f"hris_p.employees where id = '{person}')"
            )
        world.derive(con)
    assert world.query("select hris_ref from core.people order by all") == [("p:1",), ("p:3",)]
    assert held_back(world) == {"2": {"rows_agree"}}
