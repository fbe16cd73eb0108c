"""The plan: which changes, in which order, in how few requests."""

import datetime as dt
import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from plan.world import UNGUARDED, InMemory, World

from hris_pipeline.plan.order import Move, free_before_take
from hris_pipeline.warehouse import Warehouse


@pytest.fixture(scope="module")
def settled() -> World:
    """A boss and four reports in two teams; no guard in the way."""
    world = World(guards=UNGUARDED)
    sales, it = world.unit("team", "s", "Sales"), world.unit("team", "i", "IT")
    world.hire("boss")
    world.hire("1", "2", manager_id="boss", groups=(sales,))
    world.hire("3", "4", manager_id="boss", groups=(it,))
    world.settle()
    return world


@pytest.fixture
def world(settled: World) -> World:
    return settled.copy()


def requests_of(world: World) -> dict[int, list[str]]:
    """The rows of the current plan by their request."""
    found: dict[int, list[str]] = {}
    for row, change in zip(world.rows(), world.kinds_of_changes(), strict=True):
        found.setdefault(row["request"], []).append(change)
    return found


# --- an ordinary night, and how few requests it takes ---------------------------------------------


def test_one_request_for_each_user_and_each_group_that_is_new_or_changed(world: World) -> None:
    sales, it = ("team", "s"), ("team", "i")
    law = world.unit("team", "l", "Law")
    world.people["1"].status = "inactive"
    world.people["2"].groups = (it,)
    world.people["2"].family_name = "New"
    world.people["2"].manager_id = "4"
    world.people["3"].groups = (it, law)
    world.units[it] = "Information Technology"
    world.hire("5", manager_id="6", groups=(sales, law))
    world.hire("6", manager_id="boss", groups=(sales,))
    summary = world.make_plan()
    assert requests_of(world) == {
        1: ["user create p:6", "manager set p:6"],
        2: ["user create p:5", "manager set p:5"],
        3: ["user update p:2", "manager set p:2"],
        4: ["group rename p:team:i", "membership add p:2 p:team:i"],
        5: ["group create p:team:l", "membership add p:3 p:team:l", "membership add p:5 p:team:l"],
        6: [
            "membership remove p:2 p:team:s",
            "membership add p:5 p:team:s",
            "membership add p:6 p:team:s",
        ],
        7: ["user deactivate p:1"],
    }
    rows = world.rows()
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["stage"] for row in rows] == sorted(row["stage"] for row in rows)
    assert all(row["reason"].endswith(".") and json.loads(row["evidence"]) for row in rows)
    assert {row["plan_id"] for row in rows} == {summary.plan_id}
    applied, night = world.apply()
    assert len(world.writes) == 7
    assert (applied.applied, night.in_line, night.left) == (summary.changes, True, 0)
    assert world.user_of("1").active is False
    # a deactivation writes nothing else
    assert world.user_of("1").id in world.group_of(*sales).members
    assert world.make_plan().changes == 0


def test_c72_a_second_plan_is_empty_and_says_the_same_id(world: World) -> None:
    first = world.make_plan()
    world.now += dt.timedelta(hours=1)
    second = world.make_plan()
    assert (first.changes, second.changes) == (0, 0)
    assert first.plan_id == second.plan_id


def test_the_id_is_of_the_content_alone(world: World) -> None:
    world.people["1"].family_name = "New"
    world.people["2"].status, world.people["2"].end_date = "active", "2026-03-01"
    plan_id = world.make_plan().plan_id
    stored = world.rows()
    # neither time, nor evidence and reason, nor verdict, nor the order in which records come
    world.now += dt.timedelta(days=1)
    world.people["2"].end_date = "2026-02-27"
    world.people = dict(reversed(world.people.items()))
    world.rule(frozen=("p:1",), guards={})
    again = world.make_plan()
    assert (again.plan_id, again.blocked) == (plan_id, 1)
    assert [row["evidence"] for row in world.rows()] != [row["evidence"] for row in stored]
    # but what is written, and the plan that wrote before
    world.people["1"].family_name = "Newer"
    assert world.make_plan().plan_id != plan_id
    world.people["1"].family_name = "New"
    assert world.make_plan().plan_id == plan_id
    world.rule(company="other")
    assert world.make_plan().plan_id != plan_id
    world.rule(company="acme")
    world.execute("update state.plans set written = true where plan_id <> ?", [plan_id])
    assert world.make_plan().plan_id != plan_id


def test_earlier_plans_can_be_looked_at(world: World) -> None:
    world.people["1"].family_name = "New"
    plan_id = world.make_plan().plan_id
    rows = world.rows()
    world.apply()
    world.make_plan()
    assert world.rows() == []
    assert world.rows(plan_id) == rows


def test_the_file_on_disk_and_its_optimizer_say_the_same(world: World, tmp_path: Any) -> None:
    on_disk = World(tmp_path, guards=UNGUARDED)
    in_memory = World(guards=UNGUARDED)
    assert (type(on_disk.warehouse), type(in_memory.warehouse)) == (Warehouse, InMemory)
    for each in (on_disk, in_memory):
        team = each.unit("team", "s", "Sales")
        each.stranger("2@acme.test", display_name="Else")
        each.hire("1", "2", "3", manager_id="1", groups=(team,))
        each.make_plan()
    assert on_disk.rows() == in_memory.rows()
    assert on_disk.apply() == in_memory.apply()
    assert on_disk.make_plan() == in_memory.make_plan()


# --- creations ------------------------------------------------------------------------------------


def test_c48_creations_go_top_down_so_that_the_manager_goes_with_the_post() -> None:
    world = World(guards=UNGUARDED)
    for n in range(12):
        world.hire(f"{n:02}", manager_id=f"{n + 1:02}" if n < 11 else None)
    _, _, night = world.night()
    assert (len(world.users), len(world.writes), night.in_line) == (12, 12, True)
    for n in range(11):
        assert world.user_of(f"{n:02}").manager == world.user_of(f"{n + 1:02}").id


def test_what_needs_new_people_comes_after_the_deepest_of_them(world: World) -> None:
    for n in range(1005):  # deeper than any company, as broken data may be
        world.hire(f"new {n}", manager_id=f"new {n - 1}" if n else None)
        world.people[f"new {n}"].email = f"new{n}@acme.test"
    world.people["1"].manager_id = "new 1004"
    world.make_plan()
    stages = {
        change: row["stage"]
        for change, row in zip(world.kinds_of_changes(), world.rows(), strict=True)
    }
    assert (
        stages["user create p:new 0"] < stages["user create p:new 1004"] < stages["manager set p:1"]
    )


def test_new_people_who_report_to_each_other_in_a_ring_cost_one_more_write() -> None:
    world = World(guards=UNGUARDED)
    for person, manager in {
        "a": "b",
        "b": "c",
        "c": "a",
        "below": "c",
        "x": "y",
        "y": "x",
    }.items():
        world.hire(person, manager_id=manager)
    world.make_plan()
    assert list(requests_of(world).values())[-2:] == [["manager set p:a"], ["manager set p:x"]]
    _, night = world.apply()
    assert (len(world.writes), night.in_line) == (8, True)
    assert {id_: world.user_of(id_).manager for id_ in ("a", "b", "c", "below", "x", "y")} == {
        "a": world.user_of("b").id, "b": world.user_of("c").id, "c": world.user_of("a").id,
        "below": world.user_of("c").id, "x": world.user_of("y").id, "y": world.user_of("x").id,
    }  # fmt: skip


# --- what must be free before it is taken ---------------------------------------------------------


@pytest.mark.parametrize(
    ("moves", "levels", "aside"),
    [
        ([], {}, ()),
        (
            [Move("a", "1", "2"), Move("b", "2", "3"), Move("c", "3", "4")],
            {"c": 0, "b": 1, "a": 2},
            (),
        ),
        ([Move("a", None, "2"), Move("b", "2", "3")], {"b": 0, "a": 1}, ()),
        (
            [Move("a", "1", "2"), Move("b", "2", "3"), Move("c", "3", "1")],
            {"c": 0, "b": 1, "a": 2},
            ("a",),
        ),
        (
            [Move("b", "2", "1"), Move("a", "1", "2"), Move("n", None, "3")],
            {"b": 0, "n": 0, "a": 1},
            ("a",),
        ),
        (
            [Move("a", "1", "5"), Move("a", "2", "5"), Move("b", "3", "1"), Move("c", "4", "2")],
            {"a": 0, "b": 1, "c": 1},
            (),
        ),
    ],
)
def test_free_before_take(
    moves: list[Move], levels: dict[str, int], aside: tuple[str, ...]
) -> None:
    for order in (moves, moves[::-1]):
        assert free_before_take(order) == (levels, aside)


def test_c26_addresses_that_are_swapped_go_round_in_a_ring(world: World) -> None:
    ids = {id_: world.user_of(id_).id for id_ in world.people}
    ring = ("1", "2", "3")
    for one, other in zip(ring, ("2", "3", "1"), strict=True):
        world.people[one].email = f"{other}@acme.test"
    # and a chain beside it
    world.people["4"].email, world.people["boss"].email = "new@acme.test", "4@acme.test"
    world.hire("5")
    world.people["5"].email = "boss@acme.test"
    summary, applied, night = world.night()
    assert (applied.applied, night.in_line) == (summary.changes, True)
    assert [write.hris_ref for write in world.writes] == [
        "p:1",
        "p:3",
        "p:4",
        "p:2",
        "p:boss",
        "p:1",
        "p:5",
    ]
    assert str(world.writes[0].set["email"]).endswith("@acme.test")
    assert {id_: world.user_of(id_).id for id_ in ids} == ids
    for person in world.people.values():
        assert (world.user_of(person.id).email, world.user_of(person.id).user_name) == (
            person.email,
            person.email,
        )


def test_a_run_that_ends_in_the_middle_of_a_ring_is_brought_to_its_end(world: World) -> None:
    world.people["1"].email, world.people["2"].email = "2@acme.test", "1@acme.test"
    for writes in (1, 2):
        half = world.copy()
        half.make_plan()
        half.apply(stop_after=writes)
        _, _, night = half.night()
        assert night.in_line
        assert (half.user_of("1").email, half.user_of("2").email) == ("2@acme.test", "1@acme.test")


def test_group_names_that_are_swapped_or_passed_on_go_round_too(world: World) -> None:
    sales, it = ("team", "s"), ("team", "i")
    law = world.unit("team", "l", "Law")
    world.people["1"].groups += (law,)
    world.settle()
    members = {unit: set(world.group_of(*unit).members) for unit in (sales, it, law)}
    world.units.update({sales: "IT", it: "Sales", law: "Ethics"})
    world.people["2"].groups += (world.unit("team", "n", "Law"),)
    summary, applied, night = world.night()
    assert (applied.applied, night.in_line) == (summary.changes, True)
    assert {unit: world.group_of(*unit).name for unit in world.units} == world.units
    assert {unit: world.group_of(*unit).members for unit in members} == members


# --- groups and members ---------------------------------------------------------------------------


def test_c41_groups_come_with_their_first_member_and_stay_when_the_last_leaves(
    world: World,
) -> None:
    empty = world.unit("department", "e", "Empty")
    world.hire("gone", groups=(empty,), status="inactive")
    assert world.make_plan().changes == 0
    world.people["1"].groups += (empty,)
    world.settle()
    assert world.group_of(*empty).members == {world.user_of("1").id}
    world.people["1"].groups = world.people["1"].groups[:1]
    world.settle()
    assert world.group_of(*empty).members == set()
    assert world.make_plan().changes == 0


def test_c42_a_renamed_unit_is_one_rename_and_nobody_is_removed(world: World) -> None:
    before = deepcopy(world.group_of("team", "s"))
    world.units["team", "s"] = "Re\u0301tail"
    world.make_plan()
    assert world.kinds_of_changes() == ["group rename p:team:s"]
    (row,) = world.rows()
    assert (json.loads(row["before"]), json.loads(row["after"])) == (
        {"name": "Sales"},
        {"name": "R\u00e9tail"},
    )
    world.apply()
    after = world.group_of("team", "s")
    assert (after.id, after.name, after.members) == (before.id, "R\u00e9tail", before.members)


def test_c44_two_kinds_of_one_name_are_two_groups_and_keep_their_names(world: World) -> None:
    department = world.unit("department", "s", "Sales")
    world.people["3"].groups += (department,)
    world.settle()
    assert (world.group_of("team", "s").name, world.group_of(*department).name) == (
        "Sales",
        "Sales (department)",
    )
    world.units["team", "s"] = "Retail"  # the plain name falls free
    world.settle()
    assert world.group_of(*department).name == "Sales (department)"
    assert world.make_plan().changes == 0


def test_c46_a_hand_added_member_of_ours_is_taken_out_and_others_are_left(world: World) -> None:
    guest = world.stranger("guest@elsewhere.test")
    sales = world.group_of("team", "s")
    sales.members |= {guest.id, world.user_of("3").id}
    world.make_plan()
    assert world.kinds_of_changes() == ["membership remove p:3 p:team:s"]
    world.apply()
    assert guest.id in sales.members


def test_c50_at_most_a_hundred_members_a_request_and_one_request_for_one_change() -> None:
    world = World(guards=UNGUARDED)
    team = world.unit("team", "s", "Everybody")
    ids = [f"{n:04}" for n in range(5000)]
    world.hire(*ids, groups=(team,))
    summary = world.make_plan()
    sizes = [
        len(members)
        for request, members in requests_of(world).items()
        if "membership" in members[-1]
    ]
    assert (summary.by_type, sizes) == (
        {"group create": 1, "membership add": 5000, "user create": 5000},
        [101, *[100] * 49],  # the group itself, and a hundred
    )
    stages = [row["stage"] for row in world.rows() if row["object"] in {"group", "membership"}]
    # the rest waits for the id that the creation brings
    assert (stages.count(stages[0]), stages[0] < stages[-1]) == (101, True)
    # as if it had been carried out
    for id_ in ids:
        world.stranger(f"{id_}@acme.test", external_id=f"p:{id_}")
    group = world.hand_made_group("Everybody", external_id="p:team:s")
    group.members = set(world.users)
    world.people["0007"].groups = ()
    world.make_plan()
    assert world.kinds_of_changes() == ["membership remove p:0007 p:team:s"]


# --- managers -------------------------------------------------------------------------------------


def test_c47_a_line_with_a_problem_is_held_as_it_is_and_heals_when_the_manager_appears(
    world: World,
) -> None:
    boss = world.user_of("boss").id
    world.people["boss"].status = "inactive"  # the manager leaves
    world.people["2"].manager_id = "2"  # themselves
    world.people["3"].manager_id = "nobody"
    world.people["4"].manager_id = "soon"
    world.hire("soon", start_date="2026-03-05", manager_id="boss")
    world.settle()
    assert [world.user_of(id_).manager for id_ in "1234"] == [boss] * 4
    assert world.make_plan().changes == 0
    world.now += dt.timedelta(days=1)
    world.hire("nobody")
    world.people["boss"].status = "active"
    world.people["1"].manager_id = "3"
    world.people["3"].manager_id = "1"  # a ring of two who are there is set as the HRIS says
    world.settle()
    soon = world.user_of("soon")
    assert [world.user_of(id_).manager for id_ in "1234"] == [
        world.user_of("3").id,
        boss,
        world.user_of("1").id,
        soon.id,
    ]
    assert soon.manager == boss
    assert world.make_plan().changes == 0


def test_c13_no_manager_clears_and_an_absent_key_does_not(world: World) -> None:
    boss = world.user_of("boss").id
    world.people["1"].manager_id = None
    world.people["2"].manager_id, world.people["2"].absent = None, ("manager_id",)
    world.settle()
    assert [world.user_of(id_).manager for id_ in "12"] == [None, boss]


def test_managers_can_be_left_out_of_it(world: World) -> None:
    world.people["1"].manager_id = "2"
    world.rule(managers=False)
    assert world.make_plan().changes == 0


# --- absent, empty, gone --------------------------------------------------------------------------


def test_c13_absent_keys_change_nothing_and_empty_ones_do_what_is_documented(world: World) -> None:
    users, groups = deepcopy(world.users), deepcopy(world.groups)
    for person in world.people.values():
        person.manager_id, person.groups, person.family_name = None, (), None
        person.absent = ("manager_id", "team", "department", "cost_center", "family_name")
    assert world.make_plan().changes == 0
    assert (world.users, world.groups) == (users, groups)
    # empty: no manager, no team; half a name is kept where deskbird has the other half
    world.people["1"].absent = ()
    world.settle()
    user = world.user_of("1")
    assert (user.manager, user.given_name, user.family_name, user.display_name) == (
        None,
        "Given",
        "Family",
        "Given",
    )
    assert user.id not in world.group_of("team", "s").members


def test_c12_c41_one_persons_emptied_team_is_taken_away(world: World) -> None:
    world.people["1"].groups = ()
    world.make_plan()
    assert world.kinds_of_changes() == ["membership remove p:1 p:team:s"]


def test_a_group_that_lost_its_name_or_its_unit_is_left_as_it_is(world: World) -> None:
    world.units["team", "s"] = None
    del world.units["team", "i"]
    assert world.make_plan().changes == 0
    world.people["1"].groups = ()  # but whoever is no longer in it leaves it
    world.make_plan()
    assert world.kinds_of_changes() == ["membership remove p:1 p:team:s"]


def test_c38_who_vanished_is_listed_before_anything_else(world: World) -> None:
    user = world.user_of("1")
    del world.people["1"]
    world.people["2"].given_name = world.people["2"].family_name = None  # held back is not vanished
    since = world.now
    before = deepcopy(world.users)
    for nights in (1, 2):
        summary, _, night = world.night()
        assert (summary.missing, night.in_line) == (1, True)
        assert world.query(
            "select hris_ref, deskbird_id, missing_since, complete_reads from state.missing"
        ) == [("p:1", user.id, since, nights)]
    world.proof = "unproven"  # proves nothing
    world.night()
    world.make_plan()
    assert world.query("select complete_reads from state.missing") == [(2,)]
    assert world.users == before
    world.hire("1", manager_id="boss", groups=(("team", "s"),))
    assert world.make_plan().missing == 0


@pytest.mark.parametrize(
    ("reads", "hours", "gone"),
    [(2, 100, False), (3, 59, False), (3, 60, True), (4, 200, True)],
)
def test_c38_who_vanished_is_deactivated_once_reads_and_hours_are_both_reached(
    world: World, reads: int, hours: int, gone: bool
) -> None:
    user = world.user_of("1")
    members = {group.id: set(group.members) for group in world.groups.values()}
    del world.people["1"]
    first = world.now
    for number in range(reads):
        world.now = first + dt.timedelta(hours=hours * number / (reads - 1))
        world.make_plan()
    assert world.kinds_of_changes() == (["user deactivate p:1"] if gone else [])
    world.apply()
    assert user.active is not gone
    assert {group.id: set(group.members) for group in world.groups.values()} == members
    if gone:
        (row,) = world.query(
            "select evidence->>'complete_reads', reason from state.plan_changes where action = "
            "'deactivate'"
        )
        assert row[0] == str(reads)
        assert row[1].startswith(
            f"The HRIS has had no record of the person since {first.date()}, in {reads} complete "
            "reads"
        )


def test_c38_who_vanished_stays_while_the_extract_is_not_proven(world: World) -> None:
    world.guard("incomplete_extract", {})
    del world.people["1"]
    for _ in range(4):
        world.make_plan()
        world.now += dt.timedelta(days=1)
    world.proof = "unproven"
    world.make_plan()
    assert [(row["action"], row["guard"]) for row in world.rows()] == [
        ("deactivate", "incomplete_extract")
    ]


@pytest.mark.parametrize("listed", ["p:1", "1@acme.test"])
def test_c39_who_vanished_and_is_protected_is_never_deactivated(world: World, listed: str) -> None:
    world.guard("protected", {})
    world.rule(protected=[listed])
    del world.people["1"]
    for _ in range(4):
        world.make_plan()
        world.now += dt.timedelta(days=1)
    world.make_plan()
    assert [(row["action"], row["guard"]) for row in world.rows()] == [("deactivate", "protected")]


def test_c28_who_comes_back_under_the_same_id_comes_back_whole(world: World) -> None:
    world.people["1"].status = "inactive"
    world.settle()
    assert not world.user_of("1").active
    world.people["1"].status = "active"
    summary, _, night = world.night()
    assert (summary.by_type, night.in_line) == ({"user reactivate": 1}, True)


def test_a_rehire_into_another_team_is_right_after_one_night(world: World) -> None:
    world.people["1"].status = "inactive"
    world.settle()
    world.people["1"].status, world.people["1"].groups, world.people["1"].manager_id = (
        "active",
        (("team", "i"),),
        "4",
    )
    world.settle()
    user = world.user_of("1")
    assert user.id in world.group_of("team", "i").members
    assert user.id not in world.group_of("team", "s").members
    assert user.manager == world.user_of("4").id


# --- what deskbird does not give back -------------------------------------------------------------


def test_what_deskbird_does_not_give_back_converges_too() -> None:
    world = World(guards=UNGUARDED, managers_readable=False, members_readable=False)
    sales, it = world.unit("team", "s", "Sales"), world.unit("team", "i", "IT")
    world.hire("boss", "1", "2", manager_id="boss", groups=(sales,))
    world.people["boss"].manager_id = None
    world.settle()
    assert world.make_plan().changes == 0
    world.people["1"].manager_id, world.people["1"].groups = "2", (it,)
    world.people["2"].manager_id = None
    world.make_plan()
    assert world.kinds_of_changes() == [
        "manager set p:1", "manager clear p:2",
        "group create p:team:i", "membership add p:1 p:team:i", "membership remove p:1 p:team:s",
    ]  # fmt: skip
    world.apply()
    assert (world.user_of("1").manager, world.user_of("2").manager) == (
        world.user_of("2").id,
        None,
    )
    assert world.user_of("1").id not in world.group_of(*sales).members
    assert world.make_plan().changes == 0
    # once it comes back, nothing needs to be remembered
    world.readable["users"].append("manager_deskbird_id")
    world.readable["groups"].append("members")
    world.night()
    assert world.query(
        "select count(*) from state.acknowledged_values where attribute = 'manager'"
    ) == [(0,)]
    assert world.query("select count(*) from state.acknowledged_members") == [(0,)]
    assert world.make_plan().changes == 0


def test_c115_who_is_possibly_a_member_is_added_again_where_wanted_and_removed_where_not() -> None:
    """deskbird hides the members of a group that came back under another id
    (warehouse/renumbered_members.sql).
    """
    world = World(guards=UNGUARDED, members_readable=False)
    sales, it = world.unit("team", "s", "Sales"), world.unit("team", "i", "IT")
    world.hire("1", "2", groups=(sales,))
    world.hire("3", "4", groups=(it,))
    world.settle()
    world.people["2"].groups = (it,)
    world.execute("update state.acknowledged_members set is_possible = true")
    world.make_plan()
    assert world.kinds_of_changes() == [
        "membership add p:2 p:team:i", "membership add p:3 p:team:i", "membership add p:4 p:team:i",
        "membership remove p:2 p:team:s", "membership add p:1 p:team:s",
    ]  # fmt: skip
    world.apply()
    assert world.query("select count(*) from state.acknowledged_members where is_possible") == [
        (0,)
    ]
    assert world.group_of(*sales).members == {world.user_of("1").id}
    assert world.make_plan().changes == 0


def test_c115_a_user_found_by_the_address_under_another_id_is_possibly_still_a_member() -> None:
    world = World(guards=UNGUARDED, members_readable=False)
    sales, it = world.unit("team", "s", "Sales"), world.unit("team", "i", "IT")
    world.hire("1", groups=(sales, it))
    world.hire("2", groups=(sales,))
    world.settle()
    user = world.users.pop(world.user_of("1").id)
    world.users["u99"] = replace(user, id="u99", external_id=None)
    for group in world.groups.values():
        group.members = {"u99" if member == user.id else member for member in group.members}
    world.people["1"].groups = (it,)
    for _ in range(3):
        world.night()
    assert world.group_of(*sales).members == {world.user_of("2").id}
    assert world.group_of(*it).members == {"u99"}
    assert world.make_plan().changes == 0


def test_c114_nobody_leaves_a_group_for_one_that_cannot_be_read() -> None:
    world = World(guards=UNGUARDED)
    sales, it, north = (
        world.unit("team", "s", "Sales"),
        world.unit("team", "i", "IT"),
        world.unit("department", "n", "North"),
    )
    world.hire("1", "2", "3", groups=(sales, north))
    world.hire("4", groups=(it,))
    world.settle()
    unread = world.groups.pop(world.group_of(*it).id)
    world.execute(f"""insert into state.unreadable_records by name
            select
                'groups' as resource,
                '{unread.id}' as deskbird_id,
                1 as page,
                1 as position,
                'marker' as code,
                'p:team:i' as hris_ref,
                now() as first_seen,
                now() as last_seen""")
    world.people["1"].groups = (it,)  # and no department any more
    world.people["2"].groups = (north,)
    world.make_plan()
    assert world.kinds_of_changes() == [
        "membership remove p:1 p:department:n",
        "membership remove p:2 p:team:s",
    ]
    world.execute("delete from state.unreadable_records")
    world.groups[unread.id] = unread
    world.night()
    assert world.group_of(*it).members == {world.user_of("1").id, world.user_of("4").id}
    assert world.group_of(*sales).members == {world.user_of("3").id}


def test_a_manager_who_was_acknowledged_twice_stops_no_plan() -> None:
    world = World(guards=UNGUARDED, managers_readable=False)
    world.hire("boss")
    world.hire("1", "2", manager_id="boss")
    world.settle()
    world.execute("insert into state.acknowledged_values from state.acknowledged_values")
    assert world.query(
        "select count(*) from state.acknowledged_values where attribute = 'manager'"
    ) == [(4,)]
    assert world.make_plan().changes == 0
    world.people["2"].manager_id = "1"
    world.make_plan()
    assert world.kinds_of_changes() == ["manager set p:2"]


def test_members_and_managers_who_could_not_be_created_are_tried_again() -> None:
    for readable in (True, False):
        world = World(guards=UNGUARDED, managers_readable=readable, members_readable=readable)
        world.hire("boss", "1", manager_id="boss", groups=(world.unit("team", "s", "Sales"),))
        world.people["boss"].manager_id = None
        world.refused = {"p:boss"}
        _, applied, night = world.night()
        assert (applied.applied, applied.failed, night.in_line) == (3, 3, False)
        assert world.query(
            "select object, action from deskbird.applied_changes "
            "where outcome = 'failed' order by all"
        ) == [
            ("manager", "set"), ("membership", "add"), ("user", "create"),
        ]  # fmt: skip
        world.refused = set()
        _, applied, night = world.night()
        assert (applied.applied, applied.failed, night.in_line) == (3, 0, True)
        assert world.user_of("1").manager == world.user_of("boss").id
        assert len(world.group_of("team", "s").members) == 2
        assert world.make_plan().changes == 0
