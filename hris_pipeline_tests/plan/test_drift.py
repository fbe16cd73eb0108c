"""What people change in deskbird by hand, and what deskbird does not keep."""

import datetime as dt
from typing import Any

import pytest
from plan.world import NOON, UNGUARDED, Killed, World


@pytest.fixture(scope="module")
def settled() -> World:
    """Eight people, their boss and two teams, in line."""
    world = World(guards=UNGUARDED)
    sales, support = world.unit("team", "s", "Sales"), world.unit("team", "u", "Support")
    world.hire("boss", "other", groups=(support,))
    world.hire(*"123456", groups=(sales,), manager_id="boss")
    world.settle()
    return world


@pytest.fixture
def world(settled: World) -> World:
    return settled.copy()


def drift(world: World) -> list[str]:
    """The changes of the current plan that repair what was changed by hand."""
    rows = zip(world.kinds_of_changes(), world.rows(), strict=True)
    return [
        change for change, row in rows if '"drift":true' in str(row["evidence"]).replace(" ", "")
    ]


def ignored_drift(world: World) -> list[tuple[Any, ...]]:
    return world.query("select hris_ref, attribute, why from state.ignored_drift order by all")


def by_hand(world: World) -> list[str]:
    """Somebody changes one thing of each sort in deskbird; the changes that repair it."""
    user = {id_: world.user_of(id_) for id_ in ("boss", "other", *"123456")}
    user["1"].family_name = "Byhand"
    user["2"].email = user["2"].user_name = "elsewhere@acme.test"
    user["3"].active = False
    user["4"].manager = user["other"].id
    user["5"].manager = None
    user["boss"].manager = user["1"].id
    world.group_of("team", "s").members ^= {user["6"].id, user["boss"].id}
    world.group_of("team", "u").name = "By hand"
    return [
        "group rename p:team:u",
        "manager clear p:boss",
        "manager set p:4",
        "manager set p:5",
        "membership add p:6 p:team:s",
        "membership remove p:boss p:team:s",
        "user reactivate p:3",
        "user update p:1",
        "user update p:2",
    ]


EVERYTHING = (
    "email",
    "given_name",
    "family_name",
    "display_name",
    "active",
    "manager",
    "group_names",
    "team",
)


def test_c46_what_somebody_changed_by_hand_is_seen_named_and_repaired(world: World) -> None:
    repairs = by_hand(world)
    summary, applied, night = world.night()
    assert (sorted(world.kinds_of_changes()), sorted(drift(world)), summary.drift) == (
        repairs,
        repairs,
        9,
    )
    assert {
        row["reason"].startswith("Changed in deskbird by hand; the HR system still ")
        for row in world.rows()
    } == {True}
    assert (applied.applied, night.in_line) == (9, True)
    assert world.query("from state.external_changes") == []
    assert world.make_plan().changes == 0


def test_c46_what_the_company_file_keeps_is_listed_and_plans_nothing_night_after_night(
    world: World,
) -> None:
    world.rule(drift_kept=EVERYTHING)
    repairs = by_hand(world)
    for _ in range(2):
        summary, _, night = world.night()
        # an address is two values
        assert (summary.changes, summary.drift, summary.kept, night.in_line) == (0, 0, 10, True)
    assert {why for _, _, why in ignored_drift(world)} == {"kept"}
    world.rule(drift_kept=("team",))
    world.make_plan()  # the company file has changed
    assert sorted(drift(world)) == [repair for repair in repairs if "membership" not in repair]


def test_kept_drift_is_planned_again_once_the_hris_wants_something_else(world: World) -> None:
    world.rule(drift_kept=EVERYTHING)
    by_hand(world)
    assert world.night()[0].kept == 10
    world.people["1"].family_name, world.people["4"].manager_id = "Wanted", None
    world.people["boss"].groups += (("team", "s"),)  # what somebody did is right by now ...
    summary, _, night = world.night()
    assert (sorted(world.kinds_of_changes()), summary.drift, summary.kept) == (
        ["manager clear p:4", "user update p:1"],
        0,
        7,
    )
    assert night.in_line
    # ... and then no more: that is no drift
    world.people["boss"].groups = world.people["boss"].groups[:1]
    assert world.night()[0].by_type == {"membership remove": 1}


def test_what_the_hris_changed_is_no_drift_even_where_somebody_changed_it_too(
    world: World,
) -> None:
    world.user_of("1").family_name = "Byhand"
    world.people["1"].family_name = "Wanted"
    world.people["2"].given_name = "Wanted"
    world.user_of("2").family_name = "Byhand"
    assert world.make_plan().changes == 3
    assert sorted((row["hris_ref"], str(row["after"])) for row in world.rows()) == [
        ("p:1", '{"display_name":"Given Wanted","family_name":"Wanted"}'),
        ("p:2", '{"display_name":"Wanted Family","given_name":"Wanted"}'),
        ("p:2", '{"family_name":"Family"}'),
    ]
    assert [
        row["hris_ref"]
        for row in world.rows()
        if row["reason"].startswith("Changed in deskbird by hand")
    ] == ["p:2"]
    applied, night = world.apply()
    assert (applied.applied, night.in_line) == (3, True)


def test_what_we_wrote_ourselves_is_no_drift_also_where_the_run_was_killed(world: World) -> None:
    world.people["1"].family_name = "Wanted"
    assert world.night()[0].drift == 0
    world.people["1"].family_name = world.people["2"].family_name = "Again"
    world.make_plan()
    with pytest.raises(Killed):
        world.apply(kill_after=1)
    world.restart()
    # the HRIS goes back to what deskbird held before the kill
    world.people["1"].family_name = "Wanted"
    assert (world.make_plan().drift, world.kinds_of_changes()) == (
        0,
        ["user update p:1", "user update p:2"],
    )


def test_drift_that_waits_for_an_approval_is_still_drift_tomorrow(world: World) -> None:
    world.rule(guards={**UNGUARDED, "frozen": {}}, frozen=["p:1"])
    world.user_of("1").family_name = "Byhand"
    for _ in range(2):
        summary, _, _ = world.night()
        assert (summary.drift, summary.blocked) == (1, 1)
    world.user_of("1").family_name = "Family"  # somebody puts it right
    assert world.make_plan().changes == 0


def test_a_strangers_change_is_nobodys_business(world: World) -> None:
    stranger = world.stranger("guest@elsewhere.test")
    world.night()
    stranger.family_name = "Byhand"
    world.group_of("team", "s").members.add(stranger.id)
    summary, _, _ = world.night()
    assert (summary.changes, summary.drift, summary.kept) == (0, 0, 0)
    assert world.query("from state.external_changes") == []


def test_c65_what_deskbird_does_not_keep_three_nights_in_a_row_is_named_and_not_written_again(
    world: World,
) -> None:
    repairs = by_hand(world)
    world.ignored = {"family_name", "email", "active", "manager", "members", "name"}
    world.user_of("boss").manager = None  # the stand-in does clear managers
    repairs.remove("manager clear p:boss")
    in_line = []
    for _ in range(3):
        _, applied, night = world.night()
        assert (sorted(world.kinds_of_changes()), applied.applied) == (repairs, 8)
        in_line.append((night.in_line, night.not_retained))
    assert in_line == [(False, 0), (False, 0), (True, 9)]
    world.writes.clear()
    for _ in range(2):
        summary, _, night = world.night()
        assert (summary.changes, summary.not_retained, night.in_line, night.not_retained) == (
            0,
            9,
            True,
            9,
        )
    assert world.writes == []
    assert {why for _, _, why in ignored_drift(world)} == {"not_retained"}
    assert world.query("select distinct nights from state.not_retained") == [(3,)]


def test_c65_runs_of_one_day_are_one_night_of_not_sticking(world: World) -> None:
    world.ignored = {"family_name"}
    world.people["1"].family_name = "Wanted"
    for hours in (0, 2, 11, 24, 26):
        world.now = NOON + dt.timedelta(hours=hours)
        world.night()
    assert world.query("select nights from state.not_retained") == [(2,)]


def test_c65_a_value_that_did_not_stick_is_tried_again_when_another_one_is_wanted(
    world: World,
) -> None:
    world.ignored = {"family_name"}
    world.people["1"].family_name = world.people["2"].family_name = "Wanted"
    world.night()
    world.execute("update state.not_retained set nights = 3")
    assert (world.make_plan().changes, len(ignored_drift(world))) == (0, 2)
    world.people["1"].family_name = "Another"
    world.user_of("2").family_name = "Wanted"  # it is so at last
    world.ignored = set()
    summary, _, night = world.night()
    assert (summary.changes, world.user_of("1").family_name, night.in_line) == (1, "Another", True)
    assert (ignored_drift(world), world.query("from state.not_retained")) == ([], [])


def test_c65_only_nights_in_a_row_count(world: World) -> None:
    world.ignored = {"family_name"}
    world.people["1"].family_name = world.people["2"].family_name = world.people[
        "3"
    ].family_name = "Wanted"
    world.night()
    world.execute("update state.not_retained set nights = 2")
    world.user_of("1").family_name = "Wanted"  # it is so tonight
    world.people["2"].family_name = "Another"
    world.rule(frozen=("p:3",), guards={**UNGUARDED, "frozen": {}})  # nothing is written tonight
    world.night()
    assert world.query("select hris_ref, nights from state.not_retained order by all") == [
        ("p:2", 1),
        ("p:3", 2),
    ]
