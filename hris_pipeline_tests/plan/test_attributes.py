"""Attributes that a company file has to name (``sync.attributes``) are carried over like every
other one.
"""

from typing import Any

import pytest
from plan.world import World

from hris_pipeline.contracts.attributes import OPT_IN


def company(*, readable: bool = True, **rules: Any) -> World:
    """Two people with a title, one of them with a phone, as deskbird holds them already."""
    world = World()
    world.hire("1", attributes={"title": "Buyer", "phone": "040 1"})
    world.hire("2", attributes={"title": "Seller", "phone": None})
    if readable:
        world.readable["users"] += ["title", "phone"]
    world.rule(attributes=("title", "phone"), **rules)
    world.settle()
    return world


def written(world: World) -> list[tuple[str, str | None, str | None]]:
    """What users have, whose row the plan is about, before and after."""
    return [(row["hris_ref"], row["before"], row["after"]) for row in world.rows()]


@pytest.mark.parametrize("readable", [True, False])
def test_a_new_user_has_what_the_company_file_names_and_a_second_night_writes_nothing(
    readable: bool,
) -> None:
    world = company(readable=readable)
    assert [(world.user_of(id_).title, world.user_of(id_).phone) for id_ in "12"] == [
        ("Buyer", "040 1"),
        ("Seller", None),
    ]
    world.night()
    assert world.writes == []


def test_what_the_company_file_does_not_name_is_neither_planned_nor_kept() -> None:
    world = World()
    world.hire("1", attributes={"title": "Buyer"})
    world.readable["users"] += ["title", "phone"]
    world.settle()
    assert world.user_of("1").title is None
    world.user_of("1").title = "By hand"
    assert world.make_plan().changes == 0


@pytest.mark.parametrize("readable", [True, False])
def test_a_change_is_written_with_the_others_and_undone_with_them(readable: bool) -> None:
    world = company(readable=readable)
    world.people["1"].attributes = {"title": " Head  of Buying ", "phone": "040 2"}
    world.people["1"].family_name = "Married"
    plan_id = world.night()[0].plan_id
    (write,) = world.writes
    assert write.set == {
        "display_name": "Given Married",
        "family_name": "Married",
        "phone": "040 2",
        "title": "Head of Buying",
    }
    world.apply(world.undo(plan_id).plan_id)
    user = world.user_of("1")
    assert (user.title, user.phone, user.family_name) == ("Buyer", "040 1", "Family")
    world.make_plan()
    assert set(world.held().values()) == {"undone"}
    world.people["1"].attributes = {"title": "Director", "phone": "040 2"}
    world.night()
    assert (user.title, user.phone) == ("Director", "040 1")


def test_c12_what_is_empty_is_kept_unless_the_company_file_says_otherwise() -> None:
    world = company()
    world.people["1"].attributes = {"title": "", "phone": None}
    world.night()
    assert (world.user_of("1").title, world.writes) == ("Buyer", [])
    world.rule(cleared=("manager", "title"))
    world.night()
    assert (world.user_of("1").title, world.user_of("1").phone) == (None, "040 1")


def test_c13_what_was_not_delivered_is_not_cleared() -> None:
    world = company(cleared=("title", "phone"))
    world.people["1"].attributes, world.people["1"].absent = None, ("title", "phone")
    assert world.make_plan().changes == 0


def test_what_somebody_changed_by_hand_is_repaired_or_kept_as_the_company_file_says() -> None:
    world = company()
    world.user_of("1").title = "Boss"
    assert world.make_plan().drift == 1
    world.rule(drift_kept=("title",))
    assert (world.make_plan().changes, world.plan_again().kept) == (0, 1)
    world.rule(drift_kept=())
    world.night()
    assert world.user_of("1").title == "Buyer"


def test_what_deskbird_does_not_keep_is_given_up_after_three_nights() -> None:
    world = company()
    world.ignored = {"title"}
    world.people["1"].attributes = {"title": "Head", "phone": "040 1"}
    for _ in range(3):
        world.night()
    assert len(world.writes) == 3
    assert world.night()[0].not_retained == 1
    assert len(world.writes) == 3


def test_the_guard_counts_each_of_them_by_itself() -> None:
    world = company()
    world.base(2)
    world.guard("update_attribute", {"max_percent": 40, "from_size": 1})
    for id_ in "12":
        world.people[id_].attributes = {
            "title": "Everybody",
            "phone": "040 3" if id_ == "1" else None,
        }
    summary = world.make_plan()
    assert [(v.subject, v.count) for v in summary.guards if v.tripped] == [
        ("title", 2),
        ("phone", 1),
    ]
    assert set(world.held().values()) == {"update_attribute"}


def test_what_comes_for_nobody_any_more_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = company(cleared=("title", "phone"))
    from hris_pipeline.plan.arrivals import ATTRIBUTES, Expected  # noqa: PLC0415

    world.rule(expected={"p": Expected((*ATTRIBUTES, *OPT_IN), named=OPT_IN)})
    world.night()
    for person in world.people.values():
        person.attributes, person.absent = (
            {"phone": "040 1" if person.id == "1" else None},
            ("title",),
        )
    summary = world.make_plan()
    assert summary.changes == 0
    assert [(v.guard, v.subject, v.code) for v in summary.guards if v.tripped] == [
        ("attribute_vanished", "title", "vanished")
    ]


def test_what_a_person_was_called_is_in_the_history() -> None:
    world = company()
    world.people["1"].attributes = {"title": "Head", "phone": None}
    world.night()
    told = (
        "select attributes->>'title', attributes->>'phone' from state.people_history where "
        "person_id = 'p:1' order by seen_at"
    )
    assert world.query(told) == [("Buyer", "040 1"), ("Head", None)]


def test_of_several_records_the_first_that_has_one_counts() -> None:
    world = World()
    world.hire("1", attributes={"title": None, "phone": "040 1"})
    world.rule(attributes=OPT_IN)
    world.settle()
    assert world.query("select attributes from core.people") == [({"phone": "040 1"},)]
