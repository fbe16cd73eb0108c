"""Case 78: a plan is undone, field by field, or it is said what cannot be; and what was undone is
not done again by itself.
"""

from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan.test_laws import IDS, UNITS, key
from plan.world import UNGUARDED, Killed, World

from hris_pipeline import plan
from hris_pipeline.errors import PipelineError

_LAWS = settings(settings.get_profile("laws"), max_examples=3)
Done = tuple[World, str]  # a world, and the id of the plan that was carried out in it last


@pytest.fixture(scope="module")
def five() -> World:
    """Five people in two teams, as deskbird holds them already."""
    world = World()
    sales, it = world.unit("team", "1", "Sales"), world.unit("team", "2", "IT")
    world.hire("1", groups=(sales,))
    world.hire("2", "3", manager_id="1", groups=(sales,))
    world.hire("4", "5", groups=(it,))
    world.settle()
    return world


@pytest.fixture
def world(five: World) -> World:
    return five.copy()


@pytest.fixture(scope="module")
def renamed(five: World) -> Done:
    """One of them got another family name tonight."""
    world = five.copy()
    world.people["2"].family_name = "Married"
    return world, night(world)


@pytest.fixture(scope="module")
def renamed_and_undone(renamed: Done) -> World:
    world, plan_id = again(renamed)
    undo(world, plan_id)
    return world


@pytest.fixture(scope="module")
def renamed_and_left(five: World) -> Done:
    """One of them got another family name tonight, and one has left."""
    world = five.copy()
    world.people["2"].family_name = "Married"
    world.people["5"].status = "inactive"
    return world, night(world)


def again(done: Done) -> Done:
    """A world of one's own after a night that is shared, and the id of that night's plan."""
    world, plan_id = done
    return world.copy(), plan_id


def held(world: World) -> dict[str, Any]:
    """What deskbird holds; of groups not by their ids, which a deleted one does not get back."""
    groups = {
        (group.name, group.external_id): set(group.members) for group in world.groups.values()
    }
    return {"users": deepcopy(world.users), "groups": groups}


def night(world: World) -> str:
    """A night, and its plan's id."""
    summary, _, _ = world.night()
    return summary.plan_id


def undo(world: World, plan_id: str) -> str:
    """Plan the inverse of a plan, carry it out, and return the plan's id."""
    summary = world.undo(plan_id)
    applied, ended = world.apply(summary.plan_id)
    assert (applied.failed, applied.stale, applied.blocked, ended.left) == (0, 0, 0, 0)
    assert ended.in_line
    return summary.plan_id


def not_undone(world: World) -> list[tuple[str, str, str | None]]:
    """What the latest plan says cannot be undone."""
    return world.query(
        """select why, hris_ref, attribute
           from state.not_undone
           where plan_id = (select plan_id from state.plans order by number desc limit 1)
           order by all"""
    )


@cache
def settled(managers_readable: bool, members_readable: bool, markers_readable: bool) -> World:
    """A company in line, with users that nobody has linked yet; not to be changed, only copied."""
    world = World(
        guards=UNGUARDED,
        managers_readable=managers_readable,
        members_readable=members_readable,
        markers_readable=markers_readable,
    )
    units = [world.unit(*unit, f"Unit {number}") for number, unit in enumerate(UNITS)]
    for number, id_ in enumerate(IDS):
        world.hire(
            id_, groups=tuple(units[: number % 4]), manager_id=IDS[number - 1] if number else None
        )
    world.people["6"].status = "inactive"
    world.stranger("7@acme.test", "seven", given_name="Zoe\u0308")
    world.stranger("8@ACME.test", family_name=None)
    world.settle()
    return world


# 7 and 8 have users that nobody has linked, 9 has none
_person = st.sampled_from([*IDS, "7", "8", "9"])
_change = st.one_of(
    st.tuples(
        st.just("email"),
        _person,
        st.sampled_from([f"{id_}@acme.test" for id_ in (*IDS, "new", "newer")]),
    ),
    st.tuples(st.just("given_name"), _person, st.sampled_from(["Ann", "Zo\u00eb"])),
    st.tuples(st.just("family_name"), _person, st.sampled_from(["Li", None])),
    st.tuples(st.just("status"), _person, st.sampled_from(["active", "active", "inactive"])),
    st.tuples(st.just("manager_id"), _person, st.sampled_from([*IDS, "9", None])),
    st.tuples(st.just("groups"), _person, st.lists(st.sampled_from(UNITS), unique=True).map(tuple)),
    st.tuples(
        st.just("unit"), st.sampled_from(UNITS), st.sampled_from(["Sales", "Unit 0", "Unit 1"])
    ),
)


@given(
    st.lists(_change, min_size=2, max_size=9),
    st.sampled_from([(True, True, True), (False, False, False)]),
    st.booleans(),
)
@_LAWS
def test_c78_law_what_was_undone_is_as_it_was_and_stays_so(
    changes: list[tuple[Any, ...]], readable: tuple[bool, bool, bool], delete_empty_groups: bool
) -> None:
    world = settled(*readable).copy()
    world.rule(delete_empty_groups=delete_empty_groups)
    for what, whose, value in changes:
        if what == "unit":
            world.units[whose] = value
        else:
            if whose not in world.people:
                world.hire(whose)
            setattr(world.people[whose], what, value)
    before = held(world)
    plan_id = night(world)
    after = held(world)
    if not world.query(
        f"select 1 from state.outcomes where plan_id = '{plan_id}' and outcome = 'applied'"
    ):
        return

    undone = undo(world, plan_id)
    taken = {ref for (why, ref, _) in not_undone(world) if why == "taken"}
    now = held(world)
    for id_, user in now["users"].items():
        if id_ not in before["users"]:  # a user is never deleted
            assert not user.active
            assert not any(id_ in members for members in now["groups"].values())
            continue
        if user.external_id in taken:  # by a user that the plan created, who keeps the address
            user.email, user.user_name = before["users"][id_].email, before["users"][id_].user_name
        assert user == before["users"][id_]
    assert now["groups"] == before["groups"]

    world.make_plan()
    assert {row["guard"] for row in world.rows()} <= {"undone"}
    if not taken:
        undo(world, undone)  # undoing that brings everything back
        assert held(world) == after
        world.make_plan()
        assert world.rows() == []


def test_c78_every_kind_of_change_goes_back_and_what_cannot_is_listed(world: World) -> None:
    world.stranger("7@acme.test", "seven", given_name="Other")
    before = held(world)
    world.people["2"].email, world.people["2"].family_name = "new@acme.test", "Married"
    world.people["3"].manager_id, world.people["3"].groups = "4", (("team", "2"),)
    world.people["5"].status = "inactive"
    world.units["team", "1"] = "Sales and more"
    world.hire("6", groups=(world.unit("department", "9", "New"), ("team", "1")))
    world.hire("7")
    plan_id = night(world)
    summary = world.undo(plan_id)
    assert world.kinds_of_changes() == [
        "user update p:2",
        "manager set p:3",
        "user reactivate p:5",
        "user update p:7",
        "group delete p:department:9",
        "group rename p:team:1",
        "membership remove p:6 p:team:1",
        "membership add p:3 p:team:1",
        "membership remove p:3 p:team:2",
        "user deactivate p:6",
    ]
    assert summary.blocked == 0
    assert not_undone(world) == [
        ("bookings", "p:5", None),
        ("created", "p:6", None),
        ("invitation", "p:6", None),
    ]
    assert all(row["reason"].startswith(f"Undoes plan {plan_id}: ") for row in world.rows())

    world.apply(summary.plan_id)
    created = world.user_of("6")
    assert not created.active
    del world.users[created.id]
    assert held(world) == before


def test_what_was_undone_is_blocked_every_night_and_that_is_in_line(world: World) -> None:
    world.people["2"].family_name = "Married"
    world.people["5"].status = "inactive"
    world.people["3"].manager_id = "4"
    world.people["4"].groups = ()
    world.hire("6", groups=(("team", "1"),))
    undo(world, night(world))
    for _ in range(2):
        writes = len(world.writes)
        _, applied, ended = world.night()
        assert set(world.held().values()) == {"undone"}
        assert len(world.held()) == len(world.rows())
        assert {change.split()[1] for change in world.held()} == {
            "update",
            "deactivate",
            "set",
            "remove",
            "reactivate",
            "add",
        }
        assert (applied.applied, ended.in_line, len(world.writes)) == (0, True, writes)


def test_only_what_was_undone_is_blocked_attribute_by_attribute(renamed_and_undone: World) -> None:
    world = renamed_and_undone.copy()
    world.people["2"].given_name = "Another"
    world.people["3"].family_name = "Too"
    _, applied, ended = world.night()
    assert world.held() == {"user update p:2": "undone"}
    user = world.user_of("2")
    assert (user.given_name, user.family_name) == ("Another", "Family")
    assert world.user_of("3").family_name == "Too"
    assert (applied.applied, ended.in_line) == (2, True)


def test_another_value_in_the_hris_flows_and_the_old_one_coming_back_later_does_too(
    renamed_and_left: Done,
) -> None:
    world, plan_id = again(renamed_and_left)
    undo(world, plan_id)
    world.people["2"].family_name = "Divorced"
    world.people["5"].status = "active"
    night(world)
    assert world.held() == {}
    assert world.user_of("2").family_name == "Divorced"
    assert world.query("from state.undone") == []
    world.people["2"].family_name = "Married"
    world.people["5"].status = "inactive"
    night(world)
    assert (world.user_of("2").family_name, world.user_of("5").active) == ("Married", False)


def test_what_the_hris_does_not_deliver_releases_nothing(world: World) -> None:
    world.people["2"].manager_id = "4"
    undo(world, night(world))
    world.people["2"].manager_id, world.people["2"].absent = None, ("manager_id",)
    night(world)
    world.people["2"].manager_id, world.people["2"].absent = "4", ()
    world.make_plan()
    assert world.held() == {"manager set p:2": "undone"}


def test_an_approval_releases_what_was_undone_for_good(world: World) -> None:
    world.people["2"].family_name = "Married"
    world.hire("6", groups=(("team", "1"),))
    undo(world, night(world))
    world.night()
    plan_id = world.rows()[0]["plan_id"]
    with world.warehouse.write() as con:
        plan.approve(con, plan_id, only="undone", because=None, by="me", now=world.now, hours=72)
    night(world)
    assert (world.user_of("2").family_name, world.user_of("6").active) == ("Married", True)
    assert world.user_of("6").id in world.group_of("team", "1").members
    assert world.query("from state.undone") == []
    world.user_of("2").family_name = "By hand"  # so that it would be planned once more
    world.make_plan()
    assert world.held() == {}


def test_an_approval_from_before_an_undoing_releases_nothing_after_it(
    renamed_and_undone: World,
) -> None:
    world = renamed_and_undone.copy()
    plan_id = world.make_plan().plan_id
    with world.warehouse.write() as con:
        plan.approve(con, plan_id, only=None, because=None, by="me", now=world.now, hours=72)
    undo(world, night(world))
    night(world)
    assert world.held() == {"user update p:2": "undone"}
    assert world.user_of("2").family_name == "Family"


def test_switched_off_the_guard_lets_what_was_undone_be_done_again(
    renamed_and_undone: World,
) -> None:
    world = renamed_and_undone.copy()
    world.guard("undone", None)
    world.night()
    assert world.held() == {}
    assert world.user_of("2").family_name == "Married"


def test_c78_a_link_is_taken_off_and_not_made_again_until_the_address_is_another(
    world: World,
) -> None:
    stranger = world.stranger("7@acme.test", family_name="Before")
    world.hire("7", groups=(("team", "1"),), manager_id="1")
    before = held(world)
    plan_id = night(world)
    assert (stranger.external_id, stranger.family_name) == ("p:7", "Family")
    undo(world, plan_id)
    assert held(world) == before
    assert world.query("from state.links where hris_ref = 'p:7'") == []
    night(world)
    assert held(world) == before
    assert set(world.held().values()) == {"undone"}
    world.people["7"].email = "seven@acme.test"
    night(world)
    assert world.user_of("7").id != stranger.id


def test_c78_a_deleted_group_comes_back_with_its_former_members(world: World) -> None:
    world.rule(delete_empty_groups=True)
    group = world.group_of("team", "2")
    group.members.add(world.stranger("guest@acme.test", active=False).id)
    before = held(world)
    world.people["4"].groups = world.people["5"].groups = ()
    plan_id = night(world)
    assert group.id not in world.groups
    undo(world, plan_id)
    assert held(world) == before
    night(world)
    assert held(world) == before
    assert {change.split()[1] for change in world.held()} == {"remove", "delete"}


def test_a_group_that_others_are_in_by_now_is_kept(world: World) -> None:
    world.hire("6", groups=(world.unit("department", "9", "New"),))
    plan_id = night(world)
    group = world.group_of("department", "9")
    guest = world.stranger("guest@acme.test")
    group.members.add(guest.id)
    undo(world, plan_id)
    assert group.members == {guest.id}
    assert ("stays", "p:department:9", None) in not_undone(world)


def test_what_somebody_changed_since_is_left_and_listed(world: World) -> None:
    world.people["2"].family_name, world.people["2"].given_name = "Married", "Ann"
    world.people["3"].manager_id = "4"
    world.people["5"].status = "inactive"
    plan_id = night(world)
    world.user_of("2").family_name = "By hand"
    world.user_of("3").manager = None
    del world.users[world.user_of("5").id]
    undo(world, plan_id)
    assert not_undone(world) == [
        ("conflict", "p:2", "family_name"),
        ("conflict", "p:3", "manager"),
        ("gone", "p:5", None),
    ]
    assert (world.user_of("2").family_name, world.user_of("2").given_name) == ("By hand", "Given")


def test_a_change_made_between_the_plan_and_its_carrying_out_makes_it_stale(
    renamed_and_left: Done,
) -> None:
    world, plan_id = again(renamed_and_left)
    summary = world.undo(plan_id)
    world.user_of("2").family_name = "By hand"
    applied, _ = world.apply(summary.plan_id)
    assert (applied.stale, applied.applied) == (1, 1)
    assert (world.user_of("2").family_name, world.user_of("5").active) == ("By hand", True)


def test_the_hris_need_not_want_what_an_undoing_does(renamed: Done) -> None:
    world, plan_id = again(renamed)
    summary = world.undo(plan_id)
    world.people["2"].family_name = "Otherwise"
    world.make_plan()  # a dry run in between
    applied, _ = world.apply(summary.plan_id)
    assert (applied.stale, applied.applied) == (0, 1)
    assert world.user_of("2").family_name == "Family"
    night(world)
    assert world.user_of("2").family_name == "Otherwise"


def test_c75_undoing_goes_through_the_same_guards(world: World) -> None:
    world.hire("6", "7", "8")
    plan_id = night(world)
    world.rule(frozen=("p:6",), protected=("7@acme.test",))
    summary = world.undo(plan_id)
    assert world.held() == {"user deactivate p:6": "frozen", "user deactivate p:7": "protected"}
    world.guard("deactivate_user", {"max_percent": 1, "max_count": 0})
    summary = world.undo(plan_id)
    assert world.held()["user deactivate p:8"] == "deactivate_user"
    with world.warehouse.write() as con:
        plan.approve(
            con, summary.plan_id, only=None, because=None, by="me", now=world.now, hours=72
        )
    world.apply(summary.plan_id)
    assert [world.user_of(id_).active for id_ in "678"] == [True, True, False]


def test_a_user_name_that_was_right_already_does_not_follow_the_address_back(world: World) -> None:
    world.user_of("2").email = "by-hand@acme.test"
    before = held(world)
    plan_id = night(world)
    assert world.user_of("2").email == "2@acme.test"
    undo(world, plan_id)
    assert held(world) == before


def test_two_who_swapped_their_addresses_swap_back(world: World) -> None:
    before = held(world)
    world.people["2"].email, world.people["3"].email = (
        world.people["3"].email,
        world.people["2"].email,
    )
    undo(world, night(world))
    assert held(world) == before
    night(world)
    assert held(world) == before
    assert set(world.held().values()) == {"undone"}


def test_an_address_that_somebody_has_taken_meanwhile_is_not_taken_back(world: World) -> None:
    world.people["2"].email = "new@acme.test"
    world.people["2"].family_name = "Married"
    plan_id = night(world)
    world.stranger("2@acme.test")
    undo(world, plan_id)
    assert not_undone(world) == [("taken", "p:2", "email"), ("taken", "p:2", "user_name")]
    assert (world.user_of("2").email, world.user_of("2").family_name) == (
        "new@acme.test",
        "Family",
    )


def test_a_killed_undoing_goes_on_and_is_remembered_all_the_same(renamed_and_left: Done) -> None:
    world, plan_id = again(renamed_and_left)
    before = set(world.users)
    summary = world.undo(plan_id)
    with pytest.raises(Killed):
        world.apply(summary.plan_id, kill_after=1)
    world.restart()
    world.apply(summary.plan_id)
    night(world)
    assert set(world.held()) == {"user update p:2", "user deactivate p:5"}
    assert {user.id: user.active for user in world.users.values()} == dict.fromkeys(before, True)


def test_a_sync_after_a_killed_undoing_does_not_do_again_what_was_undone(
    renamed_and_left: Done,
) -> None:
    world, plan_id = again(renamed_and_left)
    summary = world.undo(plan_id)
    with pytest.raises(Killed):
        world.apply(summary.plan_id, kill_after=1)
    world.restart()
    night(world)
    assert world.held() == {"user update p:2": "undone"}
    assert (world.user_of("2").family_name, world.user_of("5").active) == ("Family", False)


def test_nothing_to_undo_is_one_sentence_and_no_plan(world: World) -> None:
    nothing = world.make_plan().plan_id
    plans = world.query("select count(*) from state.plans")
    with pytest.raises(
        PipelineError,
        match=f"Plan {nothing} has changed nothing in deskbird, so there is nothing to undo",
    ):
        world.undo(nothing)
    with pytest.raises(
        PipelineError,
        match=r"There is no plan with the id 0000 for company 'acme'\. Nothing was planned\.",
    ):
        world.undo("0000")
    world.people["2"].family_name = "Married"
    plan_id = night(world)
    undone = undo(world, plan_id)
    with pytest.raises(
        PipelineError,
        match=f"Plan {plan_id} is undone already, by plan {undone}. Nothing was planned.",
    ):
        world.undo(plan_id)
    assert world.query("select count(*) from state.plans") == [(plans[0][0] + 2,)]


def test_a_sync_while_an_undoing_waits_makes_a_usual_plan(renamed: Done) -> None:
    world, plan_id = again(renamed)
    summary = world.undo(plan_id)
    world.people["3"].family_name = "Too"
    _, applied, _ = world.night()
    assert (applied.applied, world.user_of("3").family_name) == (1, "Too")
    applied, _ = world.apply(summary.plan_id)
    assert (applied.applied, key(world.user_of("2").family_name)) == (1, "family")
