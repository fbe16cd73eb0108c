"""Which groups there should be, who is in them, and what they are called in deskbird."""

from typing import Any

import pytest
from plan.world import World

from hris_pipeline.groups import Nested
from hris_pipeline.groups.names import Unit, assign


def derived(world: World) -> None:
    with world.warehouse.write(["p"]) as con:
        world.extract(con)
        world.derive(con)


def test_groups_are_the_named_units_of_synced_kinds_with_the_members_that_deskbird_is_to_have() -> (
    None
):
    world = World()
    sales, empty = (
        world.unit("team", "1", " \u2067Sale\u0301s\u200b\u2069 "),
        world.unit("department", "1", "Empty"),
    )
    world.unit("location", "1", "Berlin")
    world.unit("team", "2", "  ")
    world.parents[empty] = "7"
    world.hire("1", "2", groups=(sales, ("location", "1"), ("team", "2")))
    world.hire("soon", groups=(sales,), start_date="2027-01-01")
    world.hire("gone", groups=(sales, empty), status="inactive")
    world.unit("department", "2", "Nobody was ever in it")
    world.hire("held back", groups=(sales,), given_name=None, family_name=None)
    derived(world)
    assert world.query("select * from core.groups order by hris_ref") == [
        ("p:department:1", "department", "Empty", "p:department:7", 0),
        ("p:team:1", "team", "Sal\u00e9s", None, 2),
    ]
    assert world.query("select * from core.memberships order by all") == [
        ("p:team:1", "p:1"), ("p:team:1", "p:2"), ("p:team:1", "p:soon"),
    ]  # fmt: skip


def test_a_unit_that_is_listed_twice_is_one_group() -> None:
    world = World()
    world.hire("1", groups=(world.unit("team", "1", "Sales"), ("team", "1")))
    with world.warehouse.write(["p"]) as con:
        world.extract(con)
        con.execute("insert into hris_p.org_units values ('team', '1', 'Marketing', null)")
        world.derive(con)
        assert con.execute("select hris_ref, name, member_count from core.groups").fetchall() == [
            ("p:team:1", "Marketing", 1)
        ]
        assert con.execute("select * from core.memberships").fetchall() == [("p:team:1", "p:1")]


# --- names ----------------------------------------------------------------------------------------

TEAM, DEPARTMENT, OTHER = (
    ("p:team:1", "team", "Sales", 0),
    ("p:department:2", "department", "Sales", 1),
    ("p:team:3", "team", "Sales", 0),
)
NAMES: dict[str, tuple[list[Any], list[str], dict[str, str]]] = {
    "alone": ([TEAM], [], {"p:team:1": "Sales"}),
    "the kind that comes first keeps the plain name": (
        [DEPARTMENT, TEAM], [], {"p:team:1": "Sales", "p:department:2": "Sales (department)"},
    ),
    "a second one of the same kind also its id": (
        [OTHER, TEAM, DEPARTMENT], ["sales (department)"],
        {"p:team:1": "Sales", "p:team:3": "Sales (team)", "p:department:2": "Sales (department) 2"},
    ),
    "a hand-made group keeps its name": ([TEAM], ["sales"], {"p:team:1": "Sales (team)"}),
    "nothing is left but a number": (
        [TEAM],
        ["sales", "sales (team)", "sales (team) 1", "sales (p:team:1)", "sales (p:team:1) 2"],
        {"p:team:1": "Sales (p:team:1) 3"},
    ),
    "a name once given is kept": (
        [(*TEAM, None), (*DEPARTMENT, "Sales")], [],
        {"p:department:2": "Sales", "p:team:1": "Sales (team)"},
    ),
    "and so is the longer one, when the plain one falls free": (
        [(*TEAM, "Sales (team)")], [], {"p:team:1": "Sales (team)"},
    ),
    "a name that is none of its own is given up": (
        [(*TEAM, "Something else")], [], {"p:team:1": "Sales"},
    ),
    "two that hold the same one cannot both keep it": (
        [(*TEAM, "Sales"), (*OTHER, "Sales")], [],
        {"p:team:1": "Sales", "p:team:3": "Sales (team)"},
    ),
    "case and composition make no other name": (
        [
            ("p:team:1", "team", "\u00c9quipe", 0),
            ("p:department:2", "department", "e\u0301quipe ", 1),
        ],
        [],
        {"p:team:1": "\u00c9quipe", "p:department:2": "e\u0301quipe  (department)"},
    ),
    "kinds of two words": (
        [("p:cost_center:1", "cost_center", "1", 0)], ["1"], {"p:cost_center:1": "1 (cost center)"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_c44_names_are_unique(name: str) -> None:
    units, taken, expected = NAMES[name]
    for order in (units, units[::-1]):
        found = assign(
            [Unit(*unit) for unit in order],
            taken,
            pattern="{name}",
            on_collision="{name} ({kind})",
        )
        assert found == expected


def test_the_pattern_of_the_company_file_is_used() -> None:
    units = [Unit(*TEAM), Unit(*DEPARTMENT)]
    assert assign(units, [], pattern="HR {kind}: {name}", on_collision="{name}!") == {
        "p:team:1": "HR team: Sales",
        "p:department:2": "HR department: Sales",
    }


def test_c45_a_hand_made_group_of_the_same_name_is_left_alone_in_any_alphabet() -> None:
    world = World()
    by_hand = [
        world.hand_made_group("sales"),
        world.hand_made_group("\u039f\u0394\u039f\u03a3"),
        world.hand_made_group("\u0130stanbul "),
    ]
    units = ("Sales", "\u039f\u0394\u039f\u03a3", "\u0130stanbul")
    world.hire(
        "1",
        groups=tuple(world.unit("team", str(number), name) for number, name in enumerate(units)),
    )
    world.settle()
    assert [world.groups[group.id] for group in by_hand] == by_hand
    assert {group.name for group in world.groups.values() if group.external_id} == {
        f"{name} (team)" for name in units
    }
    assert world.make_plan().changes == 0


# --- nested units ---------------------------------------------------------------------------------


def nested_names(nested: Nested) -> dict[str, str]:
    """The names of an organisation of every awkward shape."""
    world = World()
    world.nested = nested
    units = {
        "board": ("Board", None), "sales": ("Sales", "board"), "north": ("North", "sales"),
        "orphan": ("Orphan", "nowhere"), "child": ("Child", "orphan"), "own": ("Own", "own"),
        "one": ("One", "two"), "two": ("Two", "one"), "under": ("Under", "one"),
        "below": ("Below", "nameless"), "nameless": (" ", "board"),
    }  # fmt: skip
    for id_, (name, parent) in units.items():
        key = world.unit("team", id_, name)
        if parent:
            world.parents[key] = parent
    world.unit("department", "sales", "Sales")
    world.hire("1", groups=tuple(world.units))
    derived(world)
    assert world.query("select * from core.memberships where group_ref = 'p:team:north'") == [
        ("p:team:north", "p:1")
    ]
    return {
        ref.removeprefix("p:"): name
        for ref, name in world.query(
            "select hris_ref, name from core.groups where member_count = 1"
        )
    }


def test_a_nested_unit_is_called_by_its_own_name() -> None:
    names = nested_names("flat")
    assert names["team:north"] == "North"
    assert names["team:sales"] == names["department:sales"] == "Sales"
    assert len(names) == 11


def test_a_nested_unit_is_called_by_its_path_where_the_company_file_says_so() -> None:
    assert nested_names("path") == {
        "team:board": "Board", "team:sales": "Board / Sales", "team:north": "Board / Sales / North",
        "team:orphan": "Orphan", "team:child": "Orphan / Child", "team:own": "Own",
        "team:one": "One", "team:two": "Two", "team:under": "Under", "team:below": "Below",
        "department:sales": "Sales",
    }  # fmt: skip


def test_a_parent_that_is_no_group_is_part_of_the_path_and_its_new_name_renames_what_is_below() -> (
    None
):
    world = World()
    world.nested = "path"
    top, middle, below = (
        world.unit("department", id_, name)
        for id_, name in (("1", "Top"), ("2", "Middle"), ("3", "Below"))
    )
    world.parents |= {middle: "1", below: "2"}
    world.hire("1", groups=(below,))
    world.settle()
    assert [group.name for group in world.groups.values()] == ["Top / Middle / Below"]
    world.units[top] = "Summit"
    world.make_plan()
    assert world.kinds_of_changes() == ["group rename p:department:3"]
    world.nested = "flat"
    world.settle()
    assert [group.name for group in world.groups.values()] == ["Below"]


def test_any_kind_that_a_system_offers_becomes_groups() -> None:
    world = World()
    kinds = ("squad", "location", "legal_entity", "business_unit")
    world.kinds = kinds
    world.rule(kinds=kinds, cleared=kinds)
    units = tuple(world.unit(kind, "1", "Berlin") for kind in kinds)
    world.hire("1", "2", groups=units)
    world.settle()
    assert {group.name for group in world.groups.values()} == {
        "Berlin", "Berlin (location)", "Berlin (legal entity)", "Berlin (business unit)",
    }  # fmt: skip
    world.people["1"].groups = units[1:]
    world.make_plan()
    assert world.kinds_of_changes() == ["membership remove p:1 p:squad:1"]
