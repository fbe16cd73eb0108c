"""A night is never silent about what it no longer gets: what came before, or was asked for, and
comes for nobody.
"""

import json
from typing import Any

import pytest
from plan.world import GUARDS, UNGUARDED, World

from hris_pipeline.plan import sentence
from hris_pipeline.plan.arrivals import Expected

SPEAKING = {**UNGUARDED, "attribute_vanished": {}}


@pytest.fixture(scope="module")
def settled() -> World:
    """Twenty people in a team and a department, all but one with a manager; in line."""
    world = World(guards=UNGUARDED)
    team, department = world.unit("team", "t", "Team"), world.unit("department", "d", "Department")
    for n in range(20):
        world.hire(f"{n:02}", manager_id="00" if n else None, groups=(team, department))
    world.settle()
    world.rule(guards=SPEAKING)
    return world


@pytest.fixture
def world(settled: World) -> World:
    return settled.copy()


def standing(world: World) -> list[tuple[Any, ...]]:
    return [(v.subject, v.code, v.count, v.base) for v in world.make_plan().tripped if v.stands]


def everybody(world: World, **values: Any) -> None:
    for person in world.people.values():
        for name, value in values.items():
            setattr(person, name, value)


def test_c103_a_kind_of_group_whose_key_is_gone_is_told_and_nothing_is_cleared(
    world: World,
) -> None:
    everybody(world, groups=(("team", "t"),), absent=("department",))
    for _ in range(3):
        summary, applied, night = world.night()
        assert [(v.subject, v.code, v.count, v.base) for v in summary.tripped] == [
            ("department", "vanished", 20, 20)
        ]
        assert (summary.changes, applied.applied, night.in_line) == (0, 0, True)
    everybody(world, groups=(("team", "t"), ("department", "d")), absent=())
    assert world.make_plan().tripped == ()
    assert world.query(
        "select code, silent_since from state.arrivals where subject = 'department' and kind = "
        "'group_kind'"
    ) == [(None, None)]


def test_c103_it_ends_once_the_company_file_stops_mapping_it_or_the_guard_is_switched_off(
    world: World,
) -> None:
    everybody(world, groups=(("team", "t"),), absent=("department",))
    assert standing(world) == [("department", "vanished", 20, 20)]
    world.guard("attribute_vanished", None)
    assert standing(world) == []
    world.guard("attribute_vanished", {})
    world.kinds = ("team",)
    world.rule(kinds=("team",))
    assert standing(world) == []


@pytest.mark.parametrize("absent", [(), ("manager_id",)])
def test_c11_c103_managers_that_come_for_nobody_stay(world: World, absent: tuple[str, ...]) -> None:
    everybody(world, manager_id=None, absent=absent)
    assert standing(world) == [("manager", "vanished", 19, 20)]
    assert set(world.held().values()) == (set() if absent else {"attribute_vanished"})
    world.apply()
    assert world.user_of("01").manager == world.user_of("00").id


def test_c11_a_first_name_that_nobody_has_any_more_changes_no_name_and_an_address_flows(
    world: World,
) -> None:
    world.rule(cleared=("given_name",))
    everybody(world, given_name=None)
    world.people["01"].email = "new@acme.test"
    assert standing(world) == [("given_name", "vanished", 20, 20)]
    applied, _ = world.apply()
    assert applied.applied == 1
    user = world.user_of("01")
    assert (user.email, user.given_name, user.display_name) == (
        "new@acme.test", "Given", "Given Family",
    )  # fmt: skip


def test_c103_without_last_days_nobody_comes_or_comes_back(world: World) -> None:
    world.people["05"].end_date = "2026-03-01"
    world.settle()
    everybody(world, end_date=None, absent=("end_date",))
    world.hire("new", absent=("end_date",))
    assert standing(world) == [("end_date", "vanished", 20, 20)]
    assert set(world.held()) == {"user reactivate p:05", "user create p:new"}


def test_c12_one_persons_department_that_is_really_cleared_is_cleared(world: World) -> None:
    world.people["01"].groups = (("team", "t"),)
    assert standing(world) == []
    assert world.kinds_of_changes() == ["membership remove p:01 p:department:d"]


def test_c13_a_key_that_is_absent_null_or_an_empty_list_for_one_person(world: World) -> None:
    # unknown: left as it is
    world.people["01"].absent, world.people["01"].groups = ("department",), (("team", "t"),)
    world.people["02"].groups = (("team", "t"),)  # empty, whether null, "" or []: taken away
    assert standing(world) == []
    assert world.kinds_of_changes() == ["membership remove p:02 p:department:d"]


def test_c101_managers_that_resolve_for_nobody_are_told(world: World) -> None:
    for person in world.people.values():
        person.manager_id = person.manager_id and f"Boss {person.manager_id}"
    assert standing(world) == [("manager", "unresolved", 19, 19)]
    assert world.make_plan().changes == 0
    first = World(guards=SPEAKING)  # also on a first night
    first.hire("1", "2", "3", manager_id="Boss")
    assert [(v.subject, v.code) for v in first.make_plan().tripped] == [("manager", "unresolved")]


@pytest.mark.parametrize("written", ["{}.0", "Family ({})", "0{}"])
def test_c101_managers_that_are_found_although_their_id_is_written_otherwise_are_not_told(
    world: World, written: str
) -> None:
    for person in world.people.values():
        person.manager_id = person.manager_id and written.format(person.manager_id)
    assert standing(world) == []
    assert world.make_plan().changes == 0
    first = World(guards=SPEAKING)  # also on a first night
    first.hire("1", "2", "3", "4", manager_id="0001")
    assert first.make_plan().tripped == ()


@pytest.mark.parametrize(("lost", "told"), [(9, []), (10, [("manager", "fell", 10, 19)])])
def test_c101_managers_whose_address_is_nobodys_are_told_where_they_are_many(
    world: World, lost: int, told: list[Any]
) -> None:
    for n in range(1, lost + 1):
        world.people[f"{n:02}"].manager_id, world.people[f"{n:02}"].absent = None, ("manager_id",)
    assert standing(world) == told
    assert world.make_plan().changes == 0


@pytest.mark.parametrize(("lost", "told"), [(9, []), (10, [("manager", "fell", 10, 19)])])
def test_c101_managers_that_resolve_for_far_fewer_are_told_until_they_do_again(
    world: World, lost: int, told: list[Any]
) -> None:
    for n in range(1, lost + 1):
        world.people[f"{n:02}"].manager_id = "Boss"
    for _ in range(2):
        assert standing(world) == told
    everybody(world, manager_id="00")
    assert standing(world) == []


def test_c105_a_kind_that_the_company_file_names_and_nobody_has_is_told_and_a_default_is_news() -> (
    None
):
    world = World(guards=SPEAKING)
    world.hire("1", groups=(world.unit("team", "t", "Team"),))
    world.rule(
        expected={
            "p": Expected(
                kinds=("team", "department"),
                named=("department",),
                where={"department": "Tick it there"},
            )
        }
    )
    summary = world.make_plan()
    assert [(v.subject, v.code) for v in summary.tripped] == [("department", "never_came")]
    assert summary.not_given == ("cost_center",)
    assert "Tick it there" in sentence(summary.tripped[0])
    world.people["1"].groups = (("team", "t"), world.unit("department", "d", "D"))
    assert world.make_plan().tripped == ()


def test_units_that_have_lost_their_names_are_told(world: World) -> None:
    world.units["team", "t"] = None
    assert [(subject, code) for subject, code, *_ in standing(world)] == [
        ("team names", "vanished")
    ]
    assert world.make_plan().changes == world.make_plan().blocked


def test_what_stands_is_no_news_of_an_undoing(world: World) -> None:
    world.people["01"].family_name = "New"
    summary, _, _ = world.night()
    everybody(world, groups=(("team", "t"),), absent=("department",))
    world.make_plan()
    undone = world.undo(summary.plan_id)
    assert undone.tripped == ()
    assert json.loads(str(world.rows()[0]["after"])) == {
        "display_name": "Given Family",
        "family_name": "Family",
    }


def test_the_guards_of_a_usual_company_say_nothing_of_arrivals(world: World) -> None:
    world.rule(guards=GUARDS)
    assert world.make_plan().guards == ()
