"""What people change in deskbird by hand, and what deskbird does not keep."""

from typing import Any

import pytest
from plan.world import UNGUARDED, Killed, World


@pytest.fixture(scope="module")
def settled() -> World:
    """Five people, their boss and two teams, in line."""
    world = World(guards=UNGUARDED)
    sales, support = world.unit("team", "s", "Sales"), world.unit("team", "u", "Support")
    world.hire("boss", "other", groups=(support,))
    world.hire("1", "2", "3", groups=(sales,), manager_id="boss")
    world.settle()
    return world


@pytest.fixture
def world(settled: World) -> World:
    return settled.copy()


def drift(world: World) -> list[str]:
    """The changes of the current plan that repair what was changed by hand."""
    rows = zip(world.kinds_of_changes(), world.rows(), strict=True)
    return [change for change, row in rows if '"drift":true' in str(row["evidence"]).replace(" ", "")]


def left_alone(world: World) -> list[tuple[Any, ...]]:
    return world.query("select hris_ref, attribute, why from state.left_alone order by all")


def by_hand(world: World, what: str) -> str:
    """Somebody changes one thing in deskbird; the one change that repairs it."""
    user, boss, sales = world.user_of("1"), world.user_of("boss"), world.group_of("team", "s")
    if what == "family_name":
        user.family_name = "Byhand"
    elif what == "email":
        user.email = user.user_name = "elsewhere@acme.test"
    elif what == "active":
        user.active = False
    elif what == "manager":
        user.manager = world.user_of("other").id
    elif what == "no manager":
        user.manager = None
    elif what == "a manager":
        boss.manager = user.id
        return "manager clear p:boss"
    elif what == "member out":
        sales.members.discard(user.id)
        return "membership add p:1 p:team:s"
    elif what == "member in":
        sales.members.add(boss.id)
        return "membership remove p:boss p:team:s"
    elif what == "group name":
        sales.name = "By hand"
        return "group rename p:team:s"
    return {"active": "user reactivate p:1", "manager": "manager set p:1", "no manager": "manager set p:1"}.get(
        what, "user update p:1"
    )


WHAT = ["family_name", "email", "active", "manager", "no manager", "a manager", "member out", "member in", "group name"]
KEY = {"no manager": "manager", "a manager": "manager", "member out": "team", "member in": "team", "group name": "group_names"}


@pytest.mark.parametrize("what", WHAT)
def test_c46_what_somebody_changed_by_hand_is_seen_named_and_repaired(world: World, what: str) -> None:
    repair = by_hand(world, what)
    summary, applied, night = world.night()
    assert (world.kinds_of_changes(), drift(world), summary.drift) == ([repair], [repair], 1)
    assert world.rows()[0]["reason"].startswith("Changed in deskbird by hand; the HR system still ")
    assert (applied.applied, night.in_line) == (1, True)
    assert world.night()[0].changes == 0
    assert world.query("from state.changed_by_hand") == []


@pytest.mark.parametrize("what", WHAT)
def test_c46_what_the_company_file_keeps_is_listed_and_plans_nothing_night_after_night(world: World, what: str) -> None:
    world.rule(drift_kept=(KEY.get(what, what),))
    by_hand(world, what)
    for _ in range(3):
        summary, _, night = world.night()
        # an address is two values: userName and e-mail
        assert (summary.changes, summary.drift, summary.kept, night.in_line) == (0, 0, 2 if what == "email" else 1, True)
    assert {why for _, _, why in left_alone(world)} == {"kept"}
    world.rule(drift_kept=())
    assert world.make_plan().drift == 1  # the company file has changed


def test_kept_drift_is_planned_again_once_the_hris_wants_something_else(world: World) -> None:
    world.rule(drift_kept=("family_name", "manager", "team"))
    for what in ("family_name", "manager", "member in", "member out"):
        by_hand(world, what)
    assert world.night()[0].kept == 4
    world.people["1"].family_name, world.people["1"].manager_id = "Wanted", None
    summary, _, night = world.night()
    assert (sorted(world.kinds_of_changes()), summary.drift, summary.kept) == (["manager clear p:1", "user update p:1"], 0, 2)
    assert night.in_line
    world.people["boss"].groups += (("team", "s"),)  # what somebody did is right by now ...
    assert (world.night()[0].changes, len(left_alone(world))) == (0, 1)
    world.people["boss"].groups = world.people["boss"].groups[:1]  # ... and then no more: that is no drift
    assert world.night()[0].by_type == {"membership remove": 1}


def test_what_the_hris_changed_is_no_drift_even_where_somebody_changed_it_too(world: World) -> None:
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
    assert [row["hris_ref"] for row in world.rows() if row["reason"].startswith("Changed in deskbird by hand")] == ["p:2"]
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
    world.people["1"].family_name = "Wanted"  # the HRIS goes back to what deskbird held before the kill
    assert (world.make_plan().drift, world.kinds_of_changes()) == (0, ["user update p:1", "user update p:2"])


def test_drift_that_waits_for_an_approval_is_still_drift_tomorrow(world: World) -> None:
    world.rule(guards={**UNGUARDED, "frozen": {}}, frozen=["p:1"])
    by_hand(world, "family_name")
    for _ in range(3):
        summary, _, _ = world.night()
        assert (summary.drift, summary.blocked) == (1, 1)
    world.user_of("1").family_name = "Family"  # somebody puts it right
    assert world.night()[0].changes == 0


def test_a_strangers_change_is_nobodys_business(world: World) -> None:
    stranger = world.stranger("guest@elsewhere.test")
    world.night()
    stranger.family_name = "Byhand"
    world.group_of("team", "s").members.add(stranger.id)
    summary, _, _ = world.night()
    assert (summary.changes, summary.drift, summary.kept) == (0, 0, 0)
    assert world.query("from state.changed_by_hand") == []


IGNORED = {"family_name": "family_name", "active": "active", "manager": "manager", "members": "member in", "name": "group name"}


@pytest.mark.parametrize("ignored", IGNORED)
def test_c65_what_deskbird_does_not_keep_three_nights_in_a_row_is_named_and_not_written_again(world: World, ignored: str) -> None:
    change = by_hand(world, IGNORED[ignored])
    world.ignored = {ignored}
    in_line = []
    for _ in range(3):
        summary, applied, night = world.night()
        assert (world.kinds_of_changes(), applied.applied) == ([change], 1)
        in_line.append((night.in_line, night.not_sticking))
    assert in_line == [(False, 0), (False, 0), (True, 1)]
    world.writes.clear()
    for _ in range(3):
        summary, _, night = world.night()
        assert (summary.changes, summary.not_sticking, night.in_line, night.not_sticking) == (0, 1, True, 1)
    assert world.writes == []
    assert [why for _, _, why in left_alone(world)] == ["does_not_stick"]
    assert world.query("select nights from state.not_sticking") == [(3,)]


def test_c65_a_value_that_did_not_stick_is_tried_again_when_another_one_is_wanted_or_once_it_is_kept(world: World) -> None:
    world.ignored = {"family_name"}
    world.people["1"].family_name = "Wanted"
    world.people["2"].family_name, world.people["2"].given_name = "Wanted", "Kept"
    for _ in range(3):
        world.night()
    assert len(left_alone(world)) == 2 + 0
    assert world.make_plan().changes == 0
    world.people["1"].family_name = "Another"
    assert (world.make_plan().changes, world.kinds_of_changes()) == (1, ["user update p:1"])
    world.ignored = set()
    assert world.night()[2].in_line
    assert (world.user_of("1").family_name, world.user_of("2").family_name) == ("Another", "Family")
    world.user_of("2").family_name = "Wanted"
    world.night()
    assert (left_alone(world), world.query("from state.not_sticking")) == ([], [])


def test_c65_a_night_that_kept_it_begins_the_count_anew(world: World) -> None:
    world.people["1"].family_name = "Wanted"
    for ignored in ({"family_name"}, {"family_name"}, set(), {"family_name"}, {"family_name"}):
        world.ignored = ignored
        world.user_of("1").family_name = "Family"
        assert world.night()[0].changes == 1
    assert left_alone(world) == []
