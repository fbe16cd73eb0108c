"""Which group in deskbird is which unit's: what is renamed, adopted, emptied, deleted and left
alone.
"""

import json
from typing import Any

import pytest
from plan.world import GUARDS, UNGUARDED, Group, Killed, World

from hris_pipeline.contracts.writes import UserRef


def move(
    world: World,
    old: tuple[str, str],
    new: tuple[str, str],
    *,
    only: tuple[str, ...] | None = None,
) -> None:
    """People go from one unit to another."""
    for id_, person in world.people.items():
        if only is None or id_ in only:
            person.groups = tuple(new if unit == old else unit for unit in person.groups)


def evidence(world: World, object_: str, action: str) -> list[dict[str, Any]]:
    return [
        json.loads(row["evidence"])
        for row in world.rows()
        if (row["object"], row["action"]) == (object_, action)
    ]


def members(group: Group, world: World) -> set[str]:
    return {str(world.users[member].external_id).removeprefix("p:") for member in group.members}


def links(world: World) -> list[tuple[str, str]]:
    return world.query("select hris_ref, deskbird_id from state.group_links order by all")


def review(world: World) -> list[tuple[str, str]]:
    return world.query("select hris_ref, rule from state.review order by all")


def empty(world: World) -> list[str]:
    return [ref for (ref,) in world.query("select hris_ref from state.empty_groups order by all")]


# --- a unit that comes back under another id (case 43) --------------------------------------------


@pytest.mark.parametrize("members_readable", [True, False])
@pytest.mark.parametrize("markers_readable", [True, False])
def test_c43_another_id_and_another_name_with_the_same_members_is_a_rename(
    members_readable: bool, markers_readable: bool
) -> None:
    world = World(
        guards=UNGUARDED, members_readable=members_readable, markers_readable=markers_readable
    )
    old, kept = world.unit("team", "1", "Sales"), world.unit("department", "1", "Everybody")
    world.hire("1", "2", "3", "4", groups=(old, kept))
    world.settle()
    before = world.group_of("team", "1")
    del world.units[old]
    new = world.unit("team", "77", "Revenue")
    move(world, old, new)
    world.people["4"].groups = (kept,)
    world.hire("5", groups=(new,))
    world.make_plan()
    if not markers_readable:
        assert set(world.kinds_of_changes()) == {
            "user create p:5", "group link p:team:77", "group rename p:team:77",
            "membership add p:5 p:team:77", "membership remove p:4 p:team:77",
        }  # fmt: skip
    else:
        assert set(world.kinds_of_changes()) == {
            "user create p:5", "group rename p:team:77", "membership add p:5 p:team:77",
            "membership remove p:4 p:team:77",
        }  # fmt: skip
    (found,) = evidence(world, "group", "rename")
    assert found == {
        "kind": "team", "rule": "members", "was": "p:team:1", "common_members": 3,
        "unit_members": 4, "group_members": 4,
    }  # fmt: skip
    _, night = world.apply()
    assert night.in_line
    assert world.groups[before.id] == Group(before.id, "Revenue", "p:team:77", before.members)
    assert members(before, world) == {"1", "2", "3", "5"}
    assert ("p:team:77", before.id) in links(world)
    assert len(world.groups) == len(links(world)) == 2
    assert world.make_plan().changes == 0
    world.lose_state()
    if markers_readable and members_readable:
        assert world.make_plan().changes == 0


def test_c43_a_plan_that_is_made_again_says_the_same() -> None:
    world = World(guards=UNGUARDED)
    old = world.unit("team", "1", "Sales")
    world.hire("1", "2", groups=(old,))
    world.settle()
    move(world, old, world.unit("team", "2", "Revenue"))
    first = world.make_plan().plan_id
    told = evidence(world, "group", "rename")
    assert told[0]["rule"] == "members"
    assert world.make_plan().plan_id == first
    assert evidence(world, "group", "rename") == told
    _, night = world.apply()
    assert night.in_line
    assert [(group.name, group.external_id) for group in world.groups.values()] == [
        ("Revenue", "p:team:2")
    ]


def test_c43_a_unit_that_only_leavers_name_any_more_has_been_renamed_too() -> None:
    world = World(guards=UNGUARDED)
    old = world.unit("team", "1", "Sales")
    world.hire("1", "2", "3", groups=(old,))
    world.settle()
    world.people["3"].status = "inactive"
    move(world, old, world.unit("team", "2", "Revenue"), only=("1", "2"))
    world.make_plan()
    assert "group rename p:team:2" in world.kinds_of_changes()
    world.settle()
    assert len(world.groups) == 1
    assert world.make_plan().changes == 0
    world.hire("4", groups=(old,))
    world.settle()
    assert sorted((group.name, str(group.external_id)) for group in world.groups.values()) == [
        ("Revenue", "p:team:2"), ("Sales", "p:team:1"),
    ]  # fmt: skip


def test_c43_too_few_members_in_common_are_another_group() -> None:
    settled = World(guards=UNGUARDED)
    old, other = settled.unit("team", "1", "Sales"), settled.unit("team", "3", "Other")
    settled.hire("1", "2", "3", "4", groups=(old,))
    settled.hire("5", "6", groups=(other,))
    settled.settle()
    for stay, come in (("1",), ("5",)), (("1", "2"), ("5", "6")):
        world = settled.copy()
        del world.units[old]
        new = world.unit("team", "2", "Revenue")
        for id_ in ("1", "2", "3", "4"):
            world.people[id_].groups = (new,) if id_ in stay else (other,)
        for id_ in come:
            world.people[id_].groups = (new,)
        world.make_plan()
        assert "group create p:team:2" in world.kinds_of_changes(), (stay, come)
        world.settle()
        assert members(world.group_of("team", "1"), world) == set()


def test_c43_another_kind_or_two_heirs_are_no_rename() -> None:
    world = World(guards=UNGUARDED)
    old, other = world.unit("team", "1", "Sales"), world.unit("team", "2", "Other")
    world.hire("1", "2", "3", "4", groups=(old,))
    world.hire("5", "6", groups=(other,))
    world.settle()
    del world.units[old], world.units[other]
    one, two = world.unit("team", "3", "North"), world.unit("team", "4", "South")
    move(world, old, one, only=("1", "2"))
    move(world, old, two, only=("3", "4"))
    move(world, other, world.unit("department", "9", "Elsewhere"))
    world.make_plan()
    actions = [change for change in world.kinds_of_changes() if change.startswith("group")]
    assert sorted(actions) == [
        "group create p:department:9",
        "group create p:team:3",
        "group create p:team:4",
    ]


def test_c43_kind_and_name_go_before_members() -> None:
    world = World(guards=UNGUARDED)
    sales, it = world.unit("team", "1", "Sales"), world.unit("team", "2", "IT")
    world.hire("1", "2", groups=(sales,))
    world.hire("3", "4", groups=(it,))
    world.settle()
    ids = {group.name: group.id for group in world.groups.values()}
    world.units.clear()
    swapped = world.unit("team", "8", "Sales"), world.unit("team", "9", "IT")
    move(world, sales, swapped[1])
    move(world, it, swapped[0])
    world.settle()
    assert {group.name: group.id for group in world.groups.values()} == ids
    assert members(world.groups[ids["IT"]], world) == {"1", "2"}


# --- rename, equal names, many members (cases 42, 44, 50) -----------------------------------------


def test_c42_a_rename_under_the_same_id_moves_nobody() -> None:
    world = World()
    world.hire("1", "2", groups=(world.unit("department", "1", "Engineering"),))
    world.settle()
    world.unit("department", "1", "Engineering & Data")
    world.make_plan()
    assert world.kinds_of_changes() == ["group rename p:department:1"]
    (row,) = world.rows()
    assert (json.loads(row["before"]), json.loads(row["after"])) == (
        {"name": "Engineering"},
        {"name": "Engineering & Data"},
    )
    assert world.apply()[1].in_line


def test_c44_a_team_and_a_department_of_one_name_are_two_groups_with_keys_of_their_own() -> None:
    world = World()
    world.hire(
        "1", groups=(world.unit("team", "1", "Sales"), world.unit("department", "1", "Sales"))
    )
    world.settle()
    assert {(group.name, group.external_id) for group in world.groups.values()} == {
        ("Sales", "p:team:1"), ("Sales (department)", "p:department:1"),
    }  # fmt: skip
    assert world.make_plan().changes == 0


def test_c50_one_change_in_a_group_of_thousands_is_one_write() -> None:
    world = World(guards=UNGUARDED)
    everybody = world.unit("department", "1", "Everybody")
    world.hire(*map(str, range(2500)), groups=(everybody,))
    world.settle()
    world.people["7"].groups = ()
    world.hire("new", groups=(everybody,))
    world.night()
    (write,) = [write for write in world.writes if write.kind == "update_group"]
    assert (len(write.add), len(write.remove)) == (1, 1)
    assert write.remove == (UserRef("p:7", world.user_of("7").id),)


# --- groups made by hand (case 45) ----------------------------------------------------------------


def test_c45_the_conflict_with_a_group_made_by_hand_stands_in_the_evidence() -> None:
    world = World()
    by_hand = world.hand_made_group("Sales")
    world.hire("1", groups=(world.unit("team", "1", "Sales"), world.unit("team", "2", "Free")))
    world.make_plan()
    told = {
        row["hris_ref"]: (json.loads(row["evidence"]), row["reason"])
        for row in world.rows()
        if row["object"] == "group"
    }
    assert told["p:team:1"][0] == {"kind": "team", "members": 1, "name_held_by": by_hand.id}
    assert "made by hand" in told["p:team:1"][1]
    assert told["p:team:2"][0] == {"kind": "team", "members": 1}


@pytest.mark.parametrize("markers_readable", [True, False])
@pytest.mark.parametrize("unit", ["team:sales", "p:team:1"])
@pytest.mark.parametrize("by", ["name", "id"])
def test_c45_a_rule_makes_a_group_made_by_hand_ours(
    unit: str, by: str, markers_readable: bool
) -> None:
    world = World(markers_readable=markers_readable)
    by_hand = world.hand_made_group("Vertrieb")
    stranger = world.stranger("guest@other.test")
    by_hand.members.add(stranger.id)
    world.hire("1", "2", groups=(world.unit("team", "1", "Sales"), world.unit("team", "2", "IT")))
    world.rule(link_groups={unit: "VERTRIEB" if by == "name" else by_hand.id})
    world.make_plan()
    assert {
        change
        for change in world.kinds_of_changes()
        if change.endswith("p:team:1") and change.startswith("group")
    } == {
        "group link p:team:1", "group rename p:team:1",
    }  # fmt: skip
    assert {found["rule"] for found in evidence(world, "group", "link")} == {"rule"}
    _, night = world.apply()
    assert night.in_line
    assert (by_hand.name, by_hand.external_id) == ("Sales", "p:team:1")
    assert by_hand.members == {stranger.id, world.user_of("1").id, world.user_of("2").id}
    assert world.make_plan().changes == 0
    assert review(world) == []


def test_c45_a_rule_never_overwrites_another_systems_marker() -> None:
    world = World()
    foreign = world.hand_made_group("Sales", external_id="entra-object-id")
    world.hire("1", groups=(world.unit("team", "1", "Sales"),))
    world.rule(link_groups={"team:Sales": "Sales"})
    world.night()
    assert foreign.external_id == "entra-object-id"
    assert members(foreign, world) == {"1"}
    assert len(world.groups) == 1
    assert world.make_plan().changes == 0
    assert links(world) == [("p:team:1", foreign.id)]


def test_c45_a_rule_that_comes_later_replaces_the_group_that_was_made_and_says_so() -> None:
    world = World(guards=UNGUARDED)
    by_hand = world.hand_made_group("Sales")
    world.hire("1", groups=(world.unit("team", "1", "Sales"),))
    world.settle()
    made = world.group_of("team", "1")
    assert made.name == "Sales (team)"
    world.rule(link_groups={"team:Sales": "Sales"})
    world.settle()
    assert (by_hand.name, by_hand.external_id, members(by_hand, world)) == (
        "Sales",
        "p:team:1",
        {"1"},
    )
    assert world.make_plan().changes == 0
    assert review(world) == [("p:team:1", "link_groups_leaves_another_group")]
    del world.groups[made.id]
    assert world.make_plan().changes == 0
    assert review(world) == []


@pytest.fixture(scope="module")
def beside_one_by_hand() -> World:
    """Two pairs of units that have a name in common, in line, and a group that somebody made by
    hand.
    """
    world = World(guards=UNGUARDED)
    world.hand_made_group("By hand")
    units = [
        world.unit(*unit)
        for unit in (("team", "1", "Sales"), ("department", "1", "Sales"), ("team", "2", "Twice"))
    ]
    world.hire("1", groups=(*units, world.unit("team", "3", "Twice")))
    world.settle()
    return world


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ({"team:Nobody": "By hand"}, [("team:Nobody", "link_groups_finds_nothing")]),
        ({"team:Sales": "Nothing"}, [("p:team:1", "link_groups_finds_nothing")]),
        ({"team:Twice": "By hand"}, [("p:team:2", "link_groups_finds_several")]),
        (
            {"team:Sales": "By hand", "department:Sales": "By hand"},
            [
                ("p:department:1", "link_groups_finds_several"),
                ("p:team:1", "link_groups_finds_several"),
            ],
        ),
        (
            {"team:Sales": "Sales (department)"},
            [("p:team:1", "link_groups_finds_the_group_of_another_unit")],
        ),
    ],
)
def test_a_rule_that_does_not_find_one_unit_and_one_group_changes_nothing_and_is_shown(
    beside_one_by_hand: World, rules: dict[str, str], found: list[tuple[str, str]]
) -> None:
    world = beside_one_by_hand.copy()
    (by_hand,) = [group for group in world.groups.values() if group.name == "By hand"]
    world.rule(link_groups=rules)
    assert world.make_plan().changes == 0
    assert review(world) == found
    assert by_hand == Group(by_hand.id, "By hand")


# --- groups that lose their last member (case 41) -------------------------------------------------


def test_c41_a_group_that_loses_its_last_member_is_emptied_kept_and_reported() -> None:
    world = World(guards=UNGUARDED)
    moved, left, full = (world.unit("team", id_, f"Team {id_}") for id_ in "123")
    world.hire("1", groups=(moved, full))
    world.hire("2", groups=(left,))
    world.settle()
    assert empty(world) == []
    since = world.now
    world.people["1"].groups = (full,)
    world.people["2"].status = "inactive"
    summary, _, night = world.night()
    assert night.in_line
    assert summary.empty_groups == 2
    assert empty(world) == ["p:team:1", "p:team:2"]
    assert world.group_of("team", "1").members == set()
    summary, *_ = world.night()
    assert (summary.changes, summary.empty_groups) == (0, 2)
    assert world.query("select distinct since from state.empty_groups") == [(since,)]
    world.people["1"].groups = (full, moved)
    world.night()
    assert empty(world) == ["p:team:2"]
    assert members(world.group_of("team", "1"), world) == {"1"}


@pytest.fixture(
    scope="module", params=[True, False], ids=["members readable", "members not readable"]
)
def deletes_empty_groups(request: pytest.FixtureRequest) -> World:
    """Two people whose groups may become empty, and a group that somebody made by hand and that is
    empty.
    """
    world = World(guards=UNGUARDED, members_readable=request.param)
    world.hand_made_group("Nobody's")
    world.hire("1", groups=(world.unit("team", "1", "Sales"),))
    world.hire(
        "2", groups=(world.unit("department", "1", "Print Shop"), world.unit("team", "2", "Stays"))
    )
    world.settle()
    world.rule(delete_empty_groups=True)
    assert world.make_plan().changes == 0
    return world


@pytest.mark.parametrize("gone", ["the unit is there", "the unit is gone"])
def test_c41_an_empty_group_of_ours_is_deleted_where_the_company_file_says_so(
    deletes_empty_groups: World, gone: str
) -> None:
    world = deletes_empty_groups.copy()
    team, department = ("team", "1"), ("department", "1")
    world.people["1"].status = "inactive"
    world.people["2"].groups = (("team", "2"),)
    if gone == "the unit is gone":
        world.people["1"].groups = ()
        del world.units[team], world.units[department]
    world.make_plan()
    assert world.kinds_of_changes() == [
        "membership remove p:2 p:department:1", "user deactivate p:1",
        "group delete p:department:1", "group delete p:team:1",
    ]  # fmt: skip
    _, night = world.apply()
    assert night.in_line
    assert {group.name for group in world.groups.values()} == {"Nobody's", "Stays"}
    assert [ref for ref, _ in links(world)] == ["p:team:2"]
    assert world.make_plan().changes == 0
    assert empty(world) == []
    world.people["1"].status, world.people["1"].groups = (
        "active",
        (world.unit("team", "1", "Sales"),),
    )
    world.settle()
    assert members(world.group_of("team", "1"), world) == {"1"}


def test_a_group_that_was_deleted_by_hand_meanwhile_needs_no_deletion() -> None:
    world = World(guards=UNGUARDED)
    world.hire("1", groups=(world.unit("team", "1", "Sales"),))
    world.settle()
    world.rule(delete_empty_groups=True)
    world.people["1"].groups = ()
    world.make_plan()
    world.groups.clear()
    applied, night = world.apply()
    assert (applied.applied, applied.skipped, night.in_line) == (0, 2, True)


def test_a_group_is_not_deleted_while_anybody_is_active_in_it_or_expected_in_it() -> None:
    world = World(guards=UNGUARDED)
    units = [world.unit("team", id_, f"Team {id_}") for id_ in "1234"]
    world.hire("1", groups=(*units[:3],))
    world.hire("held", groups=(units[3],))
    world.settle()
    world.rule(delete_empty_groups=True)
    # has somebody who is not ours
    world.group_of("team", "1").members.add(world.stranger("guest@other.test").id)
    world.units[units[1]] = None  # has lost its name
    world.people["held"].email = "no address"  # is held back, and keeps what deskbird has
    world.people["1"].groups = (units[1],)
    world.make_plan()
    assert [change for change in world.kinds_of_changes() if "delete" in change] == [
        "group delete p:team:3"
    ]


def test_a_kind_that_the_hris_did_not_deliver_deletes_nothing() -> None:
    world = World(guards=UNGUARDED)
    world.hire("1", groups=(world.unit("team", "1", "Sales"),))
    world.hire("2", groups=(world.unit("team", "2", "IT"),))
    world.settle()
    world.rule(delete_empty_groups=True)
    world.people["1"].status = "inactive"
    for person in world.people.values():
        person.groups, person.absent = (), ("team",)
    world.make_plan()
    assert world.kinds_of_changes() == ["user deactivate p:1"]


def emptied(guards: dict[str, Any]) -> World:
    world = World(guards=guards)
    sales = world.unit("team", "1", "Sales")
    world.hire("1", groups=(sales,))
    world.hire("2", groups=(world.unit("team", "2", "IT"), world.unit("department", "1", "All")))
    world.settle()
    world.rule(delete_empty_groups=True, guards=guards)
    world.people["1"].status = "inactive"
    world.people["2"].groups = (("team", "2"),)
    return world


def test_nothing_is_deleted_on_the_strength_of_an_extract_that_is_not_proven() -> None:
    world = emptied({**UNGUARDED, "incomplete_extract": {}})
    world.proof = "unproven"
    world.make_plan()
    assert set(world.held().values()) == {"incomplete_extract"}
    assert {"group delete p:team:1", "group delete p:department:1"} <= world.held().keys()
    world.apply()
    assert len(world.groups) == 3
    assert empty(world) == []


def test_a_deletion_waits_with_the_change_that_would_empty_the_group() -> None:
    world = emptied({**UNGUARDED, "protected": {}, "frozen": {}})
    world.rule(protected=("p:1",), frozen=("p:2",))
    world.make_plan()
    assert world.held() == {
        "user deactivate p:1": "protected", "group delete p:team:1": "protected",
        "membership remove p:2 p:department:1": "frozen", "group delete p:department:1": "frozen",
    }  # fmt: skip
    assert empty(world) == []


def test_a_kind_that_nobody_has_any_more_deletes_nothing_by_itself() -> None:
    world = emptied({**UNGUARDED, "attribute_vanished": {}})
    world.make_plan()
    assert world.held() == {
        "membership remove p:2 p:department:1": "attribute_vanished",
        "group delete p:department:1": "attribute_vanished",
    }  # fmt: skip


def test_nothing_is_deleted_on_a_first_run() -> None:
    world = emptied(GUARDS)
    world.lose_state()
    world.make_plan()
    deletions = [change for change in world.kinds_of_changes() if change.startswith("group delete")]
    assert {world.held()[change] for change in deletions} == {"first_contact"}
    assert len(deletions) == 2


def test_the_journal_of_a_killed_run_takes_back_the_link_of_a_deleted_group() -> None:
    world = emptied(UNGUARDED)
    world.make_plan()
    with pytest.raises(Killed):
        world.apply(kill_after=3)
    left = sorted(str(group.external_id) for group in world.groups.values())
    assert len(left) == 2
    world.restart()
    assert [ref for ref, _ in links(world)] == left
    assert world.night()[2].in_line
    assert [group.external_id for group in world.groups.values()] == ["p:team:2"]
