"""Scope: who is synced, what becomes of those who fall out, and that a misspelt rule takes nobody
away.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from plan.world import UNGUARDED, World

from hris_pipeline import people, plan
from hris_pipeline.rules import Rule, Scope, Vocabulary, parse

WORDS = Vocabulary(("p",), ("team", "department", "location"))
Given = Mapping[str, Any]


def rule(given: Given) -> Rule:
    found, mistakes = parse(given, WORDS)
    assert not mistakes
    return found


def scope(world: World, include: tuple[Given, ...] = (), exclude: tuple[Given, ...] = ()) -> None:
    """What the company file says from now on."""
    world.scope = Scope(tuple(map(rule, include)), tuple(map(rule, exclude)))


def derive(world: World) -> people.PeopleCounts:
    with world.warehouse.write(["p"]) as con:
        world.extract(con)
        return world.derive(con)


def decided(world: World) -> dict[str, tuple[bool, bool, str | None]]:
    """in_scope, wanted and the rule that decided, by id."""
    derive(world)
    return {
        ref.removeprefix("p:"): tuple(values)
        for ref, *values in world.query(
            "select hris_ref, in_scope, wanted, scope_rule from core.people"
        )
    }


@pytest.fixture(scope="module")
def settled_world() -> World:
    """100 people who are in deskbird: 60 in Sales, 30 in Support, 10 in Lab."""
    world = World()
    teams = [("Sales", 60), ("Support", 30), ("Lab", 10)]
    number = 0
    for id_, (name, size) in enumerate(teams, 1):
        team = world.unit("team", str(id_), name)
        for _ in range(size):
            number += 1
            world.hire(
                f"{number:03}",
                groups=(team,),
                family_name=f"Family {number}",
                given_name=f"Given {number}",
            )
    world.settle()
    return world


@pytest.fixture
def world(settled_world: World) -> World:
    return settled_world.copy()


# --- who is in scope ------------------------------------------------------------------------------


def test_without_rules_everybody_is_in_scope() -> None:
    world = World()
    world.hire("1", "2")
    assert set(decided(world).values()) == {(True, True, None)}
    assert world.query("select count(*) from state.rule_matches") == [(0,)]


def test_include_rules_are_alternatives_and_exclude_rules_win() -> None:
    world = World()
    sales, lab = world.unit("team", "1", "Sales"), world.unit("team", "2", "Lab")
    world.hire("both", groups=(sales, lab))
    world.hire("sales", groups=(sales,))
    world.hire("lab", groups=(lab,))
    world.hire("none")
    world.hire("gone", status="inactive", groups=(sales,))
    scope(world, ({"team": "Sales"}, {"team": "Lab"}), ({"hris_ref": "p:lab"}, {"team": "none"}))
    assert decided(world) == {
        "both": (True, True, "include 1"),
        "sales": (True, True, "include 1"),
        "lab": (False, False, "exclude 1"),
        "none": (False, False, "exclude 2"),
        "gone": (True, False, "include 1"),
    }
    scope(world, ({"team": "Lab"},))
    assert decided(world)["sales"] == (False, False, "no include rule matches")
    scope(world, (), ({"team": "Lab"},))
    assert decided(world)["sales"] == (True, True, "no exclude rule matches")


def test_each_rules_matches_are_counted_every_night_without_those_who_left() -> None:
    world = World()
    sales = world.unit("team", "1", "Sales")
    world.hire("1", "2", groups=(sales,))
    world.hire("3", groups=(sales,), status="inactive")
    world.hire("4")
    scope(world, ({"team": "Sales"}, {"team": "Slaes"}), ({"hris_ref": "p:2"},))
    counts = derive(world).scope
    assert counts.matches == {"include 1": 2, "include 2": 0, "exclude 1": 1}
    assert (counts.out_of_scope, counts.matching_nobody) == (2, ("include 2",))
    derive(world)  # the same night once more
    assert world.query("select rule, matched from state.rule_matches order by all") == [
        ("exclude 1", 1),
        ("include 1", 2),
        ("include 2", 0),
    ]


def test_c12_somebody_of_whom_a_rules_attribute_is_not_known_stays_as_they_were() -> None:
    world = World()
    sales = world.unit("team", "1", "Sales")
    world.hire("in", groups=(sales,))
    world.hire("out")
    scope(world, ({"team": "Sales"},))
    assert (decided(world)["in"][:2], decided(world)["out"][:2]) == ((True, True), (False, False))
    for person in world.people.values():
        person.groups, person.absent = (), ("team",)
    world.hire("new", absent=("team",))
    assert decided(world) == {
        "in": (True, True, "not known: as it was"),
        "out": (False, False, "not known: as it was"),
        "new": (True, False, "not known yet"),  # neither created nor, if there, deactivated
    }
    assert derive(world).scope.undecided == 1
    assert world.make_plan().by_type == {"user create": 1}


def test_somebody_new_of_whom_nothing_is_known_is_left_alone_every_night() -> None:
    world = World()
    world.hire("1", absent=("team",))
    scope(world, ({"team": "Sales"},))
    for _ in range(3):
        assert decided(world)["1"] == (True, False, "not known yet")


def test_an_exclude_rule_that_cannot_be_judged_lets_nobody_in() -> None:
    world = World()
    world.hire("1", absent=("team",))
    scope(world, ({"email_domain": "acme.test"},), ({"team": "Lab"},))
    assert decided(world)["1"] == (True, False, "not known yet")
    scope(world, ({"email_domain": "other.test"},), ({"team": "Lab"},))
    assert decided(world)["1"] == (False, False, "no include rule matches")


def test_c32_a_mail_domain_outside_the_allow_list_is_skipped_and_counted() -> None:
    world = World()
    world.hire("1", "2")
    world.hire("3")
    world.people["3"].email = "3@contractor.example"
    stranger = world.stranger("3@contractor.example")
    scope(world, ({"email_domain": "acme.test"},))
    summary = world.make_plan()
    assert world.kinds_of_changes() == ["user create p:1", "user create p:2"]
    assert derive(world).scope.out_of_scope == 1
    assert summary.review == 0
    world.settle()
    assert stranger.external_id is None


# --- falling out of scope -------------------------------------------------------------------------


def test_who_falls_out_of_scope_is_deactivated_and_comes_back_with_everything(
    world: World,
) -> None:
    world.rule(guards=UNGUARDED)
    before = world.group_of("team", "3").members.copy()
    scope(world, (), ({"team": "Lab"},))
    world.night()
    assert not any(world.user_of(f"{id_:03}").active for id_ in range(91, 101))
    assert world.group_of("team", "3").members == before
    reasons = {row["reason"] for row in world.rows()}
    assert reasons == {"The person is no longer in the company file's scope."}
    assert world.make_plan().changes == 0
    scope(world)
    world.night()
    assert world.user_of("100").active
    assert world.make_plan().changes == 0


def test_a_group_gets_no_members_from_people_out_of_scope() -> None:
    world = World(guards=UNGUARDED)
    team, empty = world.unit("team", "1", "Sales"), world.unit("team", "2", "Freelancers")
    world.hire("1", groups=(team,))
    world.hire("2", groups=(team, empty))
    scope(world, (), ({"hris_ref": "p:2"},))
    world.settle()
    assert world.group_of("team", "1").members == {world.user_of("1").id}
    assert [group.name for group in world.groups.values()] == ["Sales"]


# --- a rule that means something else all of a sudden ---------------------------------------------


def held(world: World) -> tuple[set[str], int]:
    guards = list(world.held().values())
    return set(guards), len(guards)


def test_c76_a_typo_that_empties_the_scope_is_blocked(world: World) -> None:
    scope(world, ({"team": ["Sales", "Support", "Lab"]},))
    world.night()
    scope(world, ({"team": "Slaes"},))
    summary, *_ = world.night()
    assert [(v.guard, v.count, v.base) for v in summary.tripped if v.guard == "scope_lost"] == [
        ("scope_lost", 0, 100)
    ]
    assert held(world) == ({"scope_lost"}, 100)
    assert all(user.active for user in world.users.values())


def test_c76_a_typo_on_the_first_night_with_rules_is_blocked_too(world: World) -> None:
    scope(world, ({"team": "Slaes"},))
    world.make_plan()
    assert held(world) == ({"scope_lost"}, 100)


def test_c76_a_typo_in_one_of_several_rules_takes_nobody_away(world: World) -> None:
    scope(world, ({"team": "Sales"}, {"team": "Support"}, {"team": "Lab"}))
    world.night()
    world.guard("deactivate_user", None)
    scope(world, ({"team": "Sales"}, {"team": "Support"}, {"team": "Lav"}))
    summary = world.make_plan()
    assert [(v.guard, v.subject, v.count) for v in summary.tripped] == [
        ("scope_lost", "include 3", 10)
    ]
    assert held(world) == ({"scope_lost"}, 10)


def test_a_rule_that_suddenly_matches_nobody_blocks_for_as_many_nights_as_it_takes(
    world: World,
) -> None:
    scope(world, ({"team": "Sales"}, {"team": "Lab"}))
    world.guard("deactivate_user", None)
    world.guard("scope_lost", None)
    world.night()  # Support is out by decision
    world.guard("scope_lost", {})
    world.night()
    world.units["team", "3"] = "Laboratory"
    for renamed in (1, 0, 0):
        _, applied, night = world.night()
        assert held(world) == ({"scope_lost"}, 10)
        assert (applied.applied, applied.blocked, night.in_line) == (renamed, 10, True)
    assert world.user_of("100").active


def test_what_scope_lost_holds_back_can_be_approved_and_is_over_then(world: World) -> None:
    world.guard("deactivate_user", None)
    scope(world, ({"team": ["Sales", "Support"]}, {"team": "New"}))  # New is nobody's yet
    summary = world.make_plan()
    assert [(v.guard, v.subject, v.count) for v in summary.tripped] == [
        ("scope_lost", "include 2", 10)
    ]
    with world.warehouse.write() as con:
        assert (
            plan.approve(
                con,
                summary.plan_id,
                only="scope_lost",
                because=None,
                by="me",
                now=world.now,
                hours=72,
            )
            == 10
        )
    world.night()
    assert not world.user_of("100").active
    world.night()
    sales, support = world.people["001"].groups, world.people["061"].groups
    assert sales != support
    world.people["001"].groups = ()
    world.make_plan()  # the rule for New still matches nobody, as it did on the last good night
    assert world.held() == {}
    assert "user deactivate p:001" in world.kinds_of_changes()


def test_an_exclude_rule_that_suddenly_matches_more_than_half_is_blocked(world: World) -> None:
    world.guard("deactivate_user", None)
    scope(world, (), ({"team": "Lab*"},))
    world.night()  # 10 of 100 are taken out
    assert not world.user_of("100").active
    world.night()
    world.units["team", "1"] = "Labour"
    summary = world.make_plan()
    assert [(v.guard, v.subject, v.count, v.base) for v in summary.tripped] == [
        ("scope_lost", "exclude 1", 60, 90)
    ]
    assert {guard for change, guard in world.held().items() if "deactivate" in change} == {
        "scope_lost"
    }


def test_an_exclude_rule_that_always_matched_more_than_half_is_nothing_new(world: World) -> None:
    world.rule(guards={**world.rules.guards, "deactivate_user": None, "scope_lost": None})
    scope(world, (), ({"team": "Sales"},))
    world.night()  # by decision
    world.guard("scope_lost", {})
    world.night()
    world.people["100"].groups = world.people["001"].groups
    world.make_plan()
    assert world.held() == {}
    assert "user deactivate p:100" in world.kinds_of_changes()


def test_somebody_who_really_left_is_deactivated_while_a_scope_rule_is_misspelt(
    world: World,
) -> None:
    scope(world, ({"team": ["Sales", "Support", "Lab"]},))
    world.night()
    scope(world, ({"team": ["Sales", "Support"]}, {"team": "Lav"}))
    world.guard("deactivate_user", None)
    world.people["100"].status = "inactive"
    world.make_plan()
    assert held(world) == ({"scope_lost"}, 9)
    assert "user deactivate p:100" in world.kinds_of_changes()


def test_guard_scope_lost_can_be_switched_off(world: World) -> None:
    world.rule(guards={**world.rules.guards, "scope_lost": None, "deactivate_user": None})
    scope(world, ({"team": ["Sales", "Support"]}, {"team": "Lav"}))
    assert (world.make_plan().blocked, world.make_plan().by_type["user deactivate"]) == (0, 10)
