"""The same person under a new id, and another person under an old one: names are weighed on both
sides.
"""

import datetime as dt
import json
from copy import deepcopy
from itertools import combinations
from typing import Any

import pytest
from identity.test_identity import review
from plan.world import UNGUARDED, World

from hris_pipeline.identity import decisions


@pytest.fixture(scope="module")
def settled() -> World:
    """Rita, John and their manager, each with a user and in a team."""
    world = World(guards=UNGUARDED)
    team = world.unit("team", "1", "Sales")
    world.hire("boss", family_name="Boss", groups=(team,))
    world.hire("18", given_name="Rita", family_name="Return", groups=(team,), manager_id="boss")
    world.hire("4", given_name="John", family_name="Smith", groups=(team,), manager_id="boss")
    world.settle()
    return world


@pytest.fixture
def world(settled: World) -> World:
    return settled.copy()


def change(world: World, id_: str, **values: Any) -> None:
    for name, value in values.items():
        setattr(world.people[id_], name, value)


def decide(world: World, ref: str, user: str, decision: Any) -> None:
    with world.warehouse.write() as con:
        decisions.decide(
            con, ref, user, decision, connections=["p"], because=None, by="a test", now=world.now
        )


# --- case 91: the same person under a new id ------------------------------------------------------

LEFT = {"status": "inactive", "end_date": "2026-03-01"}
OLD_PROFILE = {
    "altered": {"email": "1@acme.test_a1b2c"},
    "altered at its beginning": {"email": "old.2@acme.test"},
    "emptied": {"email": None},
    "kept": {},
    "renamed too": {
        "email": "old.5@acme.test",
        "given_name": "ZZ (old)",
        "family_name": "Return OLD",
    },
    "made anonymous": {"email": None, "given_name": None, "family_name": None},
}


@pytest.mark.parametrize("same_night", [False, True], ids=["later", "the same night"])
def test_c91_a_new_profile_that_got_the_old_ones_address_is_the_same_person(
    same_night: bool,
) -> None:
    world = World(guards=UNGUARDED)
    team = world.unit("team", "1", "Sales")
    world.hire("boss", family_name="Boss", groups=(team,))
    for number in range(len(OLD_PROFILE)):
        world.hire(
            f"old {number}",
            given_name="Rita",
            family_name=f"Return {number}",
            groups=(team,),
            manager_id="boss",
        )
        change(world, f"old {number}", email=f"{number}@acme.test")
    world.settle()
    users, members = deepcopy(world.users), set(world.group_of("team", "1").members)
    for number in range(len(OLD_PROFILE)):
        change(world, f"old {number}", **LEFT)
    if not same_night:
        world.settle()
        assert [user.active for user in world.users.values()].count(True) == 1
    for number, old in enumerate(OLD_PROFILE.values()):
        change(world, f"old {number}", **old)
        world.hire(
            f"new {number}",
            given_name="Rita",
            family_name=f"Return {number}",
            manager_id="boss",
            groups=(team,),
        )
        change(world, f"new {number}", email=f"{number}@acme.test", start_date="2026-03-02")
    _, applied, night = world.night()
    assert (night.in_line, applied.failed, review(world)) == (True, 0, {})
    for user in users.values():
        user.external_id = str(user.external_id).replace("old", "new")
    assert (world.users, world.group_of("team", "1").members) == (users, members)
    assert "user deactivate" not in str(world.kinds_of_changes())
    assert world.make_plan().changes == 0
    world.lose_state()
    assert world.make_plan().changes == 0  # the markers alone say the same
    assert review(world) == {}


@pytest.mark.parametrize("prehire_days", [0, 7])
def test_c91_the_address_can_move_before_the_old_record_has_ended(
    world: World, prehire_days: int
) -> None:
    """The old profile gets another address on its last day, the new one begins the day after."""
    world.prehire_days = prehire_days
    user = world.user_of("18")
    held = user.email
    today, tomorrow = world.now.date(), world.now.date() + dt.timedelta(days=1)
    change(world, "18", email="old.18@acme.test", end_date=str(today))
    world.hire("68", given_name="Rita", family_name="Return", start_date=str(tomorrow))
    change(world, "68", email=held)
    users = len(world.users)
    _, _, night = world.night()
    assert (night.in_line, user.email, user.user_name, len(world.users)) == (
        True,
        held,
        held,
        users,
    )
    assert world.query("select hris_ref, code from state.contradictions") == [
        ("p:18", "address_handed_on")
    ]
    world.now += dt.timedelta(days=1)
    _, _, night = world.night()
    assert (night.in_line, user.external_id, user.active, user.email) == (True, "p:68", True, held)
    assert (len(world.users), review(world)) == (users, {})
    assert world.query("from state.contradictions where code = 'address_handed_on'") == []
    assert world.make_plan().changes == 0


def test_c91_somebody_of_the_same_name_who_stays_takes_another_address_at_once(
    world: World,
) -> None:
    held = world.user_of("18").email
    change(world, "18", email="rita.18@acme.test")
    world.hire("68", given_name="Rita", family_name="Return")
    change(world, "68", email=held)
    world.night()
    assert (world.user_of("18").email, world.user_of("68").email) == ("rita.18@acme.test", held)
    assert world.query("from state.contradictions") == []


def test_c91_the_evidence_names_the_old_record_and_what_agrees(world: World) -> None:
    change(world, "18", **LEFT, email=None)
    world.hire("68", given_name="RITA", family_name="Return")
    change(world, "68", email="18@acme.test")
    world.make_plan()
    (link,) = [row for row in world.rows() if row["action"] == "link"]
    assert json.loads(link["evidence"]) == {
        "rule": "successor", "predecessor": "p:18",
        "agrees": ["email", "given_name", "family_name"], "differs": [],
    }  # fmt: skip


def test_c91_a_run_that_was_killed_after_the_marker_moved_leaves_nobody_in_review(
    world: World,
) -> None:
    user = world.user_of("18")
    change(world, "18", **LEFT, email=None)
    world.hire("68", given_name="Rita", family_name="Return", start_date="2026-03-02")
    change(world, "68", email="18@acme.test")
    user.external_id = "p:68"  # written, and nothing of it written down
    world.night()
    assert (review(world), user.active) == ({}, True)
    assert world.make_plan().changes == 0


def test_c91_without_markers_to_read_the_user_is_the_successors_alone(settled: World) -> None:
    world = World(guards=UNGUARDED, markers_readable=False)
    world.hire("18", "2", given_name="Rita", family_name="Return")
    world.settle()
    change(world, "18", **LEFT, email=None)
    world.hire("68", given_name="Rita", family_name="Return")
    change(world, "68", email="18@acme.test")
    world.night()
    assert (review(world), len(world.users)) == ({}, 2)
    assert all(user.active for user in world.users.values())
    assert world.make_plan().changes == 0


@pytest.mark.parametrize("name", [("Rosa", "Return"), ("Rita", "Other"), (None, "R.")])
def test_c91_of_another_name_it_is_somebody_else(
    world: World, name: tuple[str | None, str]
) -> None:
    change(world, "18", **LEFT, email=None)
    world.hire("68", given_name=name[0], family_name=name[1])
    change(world, "68", email="18@acme.test")
    world.night()
    assert review(world) == {"p:68": "email_belongs_to_another_person"}
    assert (world.user_of("18").active, world.user_of("18").given_name) == (False, "Rita")


def test_c91_while_the_old_record_is_current_nobody_takes_its_user(world: World) -> None:
    change(world, "18", email="old.18@acme.test", status="sabbatical")  # held back: nobody knows
    world.hire("68", given_name="Rita", family_name="Return")
    change(world, "68", email="18@acme.test")
    world.night()
    assert review(world) == {"p:68": "email_belongs_to_another_person"}
    assert world.user_of("18").active


# --- case 92: another person under an old id ------------------------------------------------------

ZOE = {
    "given_name": "Zoe",
    "family_name": "Quint",
    "email": "zoe@acme.test",
    "start_date": "2026-03-02",
}
FACTS = ("given_name", "family_name", "email", "start_date")
UNKNOWN: list[tuple[str, ...]] = [
    (),
    ("given_name",),
    ("family_name",),
    ("start_date",),
    ("given_name", "start_date"),
]
HOW = [
    (frozenset(new), unknown, left)
    for size in range(5)
    for new in combinations(FACTS, size)
    for unknown in UNKNOWN
    for left in (False, True)
]
"""What is new of somebody, what is not known any more, and whether the person had left."""


def test_c92_an_id_given_to_somebody_else_waits_and_one_fact_that_agrees_is_enough() -> None:
    world = World(guards=UNGUARDED)
    team = world.unit("team", "1", "Sales")
    ids = [str(number) for number in range(len(HOW))]
    for id_ in ids:
        world.hire(id_, given_name=f"John {id_}", family_name=f"Smith {id_}", groups=(team,))
    world.settle()
    for id_, (_, _, left) in zip(ids, HOW, strict=True):
        change(world, id_, **(LEFT if left else {}))
    world.settle()
    before = deepcopy(world.users)
    for id_, (new, unknown, _) in zip(ids, HOW, strict=True):
        zoe = {name: f"Zoe {name}{id_}" for name in FACTS} | {
            "email": f"zoe{id_}@acme.test",
            "start_date": "2026-03-20",
        }
        change(world, id_, status="active", end_date=None)
        change(world, id_, **{name: zoe[name] for name in new} | dict.fromkeys(unknown))
    waits = {
        f"p:{id_}": "id_given_to_somebody_else"
        for id_, (new, unknown, _) in zip(ids, HOW, strict=True)
        if set(FACTS) - new <= set(unknown)
    }
    world.night()
    assert review(world) == waits
    theirs = {id_: user for id_, user in before.items() if user.external_id in waits}
    assert {id_: world.users[id_] for id_ in theirs} == theirs
    assert not [row for row in world.rows() if row["deskbird_id"] in theirs]
    assert len(world.users) == len(ids)
    # as long as it takes, and whatever becomes of the newcomers meanwhile
    for ref in waits:
        change(world, ref[2:], groups=(), manager_id="1")
    world.now += dt.timedelta(days=30)
    world.night()
    assert review(world) == waits
    assert {id_: world.users[id_] for id_ in theirs} == theirs


def test_c92_without_first_days_the_names_and_the_address_decide() -> None:
    world = World(guards=UNGUARDED)
    world.hire("3", "4", start_date=None, given_name="John", family_name="Smith")
    world.settle()
    (user,) = [user for user in world.users.values() if user.email == "4@acme.test"]
    before = deepcopy(user)
    change(world, "3", family_name="Married", email="married@acme.test")
    change(world, "4", given_name="Zoe", family_name="Quint", email="zoe@acme.test")
    world.night()
    assert (review(world), user) == ({"p:4": "id_given_to_somebody_else"}, before)
    assert world.query("select candidates from state.review") == [([user.id],)]
    assert world.user_of("3").family_name == "Married"


def test_c92_a_link_gives_the_user_to_the_newcomer_and_separate_makes_one_of_their_own(
    world: World,
) -> None:
    john = world.user_of("4")
    change(world, "4", **ZOE)
    world.night()
    other = world.copy()
    decide(world, "p:4", john.id, "link")
    world.night()
    assert (john.email, john.given_name, review(world)) == ("zoe@acme.test", "Zoe", {})
    johns = deepcopy(other.users[john.id])
    decide(other, "p:4", john.id, "separate")
    other.night()
    assert other.users[john.id] == johns
    assert [(user.email, user.external_id) for user in other.users.values()][-1] == (
        "zoe@acme.test",
        "p:4",
    )
    assert (other.make_plan().changes, review(other)) == (0, {})


def test_c92_when_the_record_is_corrected_nothing_has_happened(world: World) -> None:
    was = deepcopy(world.people["4"])
    change(world, "4", **ZOE)
    world.night()
    world.people["4"] = was
    assert (world.make_plan().changes, review(world)) == (0, {})


def test_c92_who_is_renumbered_too_does_not_take_the_other_ones_place(world: World) -> None:
    before = deepcopy(world.users)
    john, rita = world.people["4"], world.people["18"]
    john.id, rita.id = "18", "4"  # two ids change hands in one night
    john.start_date, rita.start_date = "2021-01-01", "2022-01-01"
    world.people = {"boss": world.people["boss"], "18": john, "4": rita}
    world.night()
    assert review(world) == dict.fromkeys(("p:4", "p:18"), "id_given_to_somebody_else")
    assert world.users == before


def test_c92_with_the_memory_lost_a_marker_alone_hands_nobody_over(world: World) -> None:
    before = deepcopy(world.users)
    world.lose_state()
    change(world, "4", **ZOE)
    world.night()
    assert (review(world), world.users) == ({"p:4": "id_given_to_somebody_else"}, before)


def test_c92_what_somebody_changed_in_deskbird_by_hand_is_repaired_as_ever(world: World) -> None:
    user = world.user_of("4")
    user.given_name, user.family_name, user.display_name = "By", "Hand", "By Hand"
    user.user_name = user.email = "hand@acme.test"
    change(world, "4", groups=())
    world.night()
    assert (user.given_name, user.email, review(world)) == ("John", "4@acme.test", {})


def test_c92_whose_profile_is_made_anonymous_after_the_last_day_is_deactivated_all_the_same(
    world: World,
) -> None:
    user = world.user_of("4")
    change(
        world,
        "4",
        given_name="Deleted",
        family_name="Employee",
        email="x7@acme.test",
        start_date=None,
        **LEFT,
    )
    world.night()
    assert (user.active, user.given_name, review(world)) == (False, "John", {})


# --- case 93: the address goes to somebody else in the night its owner leaves ---------------------


@pytest.mark.parametrize("owners", ["kept", "altered", "emptied"])
def test_c93_the_leaver_is_deactivated_and_only_the_newcomer_waits(
    world: World, owners: str
) -> None:
    change(world, "4", **LEFT)
    change(
        world,
        "4",
        email={"kept": "4@acme.test", "altered": "old.4@acme.test", "emptied": None}[owners],
    )
    world.hire("jane", given_name="Jane", family_name="Smythe")
    change(world, "jane", email="4@acme.test")
    _, applied, _ = world.night()
    assert (applied.applied, world.user_of("4").active, len(world.users)) == (1, False, 3)
    assert review(world) == {"p:jane": "email_belongs_to_another_person"}
    assert world.query("from core.quarantine") == []
    assert world.make_plan().changes == 0


def test_c93_on_the_last_day_itself_both_are_held_and_the_day_after_the_leaver_goes(
    world: World,
) -> None:
    change(world, "4", end_date=str(world.now.date()))
    world.hire("jane", given_name="Jane", family_name="Smythe")
    change(world, "jane", email="4@acme.test")
    world.night()
    assert world.user_of("4").active
    world.night()
    assert not world.user_of("4").active
    assert review(world) == {"p:jane": "email_belongs_to_another_person"}


def test_c93_who_only_vanished_keeps_the_user_while_somebody_waits_for_its_address(
    world: World,
) -> None:
    del world.people["4"]
    world.hire("jane", given_name="Jane", family_name="Smythe")
    change(world, "jane", email="4@acme.test")
    for _ in range(5):
        world.night()
    assert world.user_of("4").active  # nobody said that he left
