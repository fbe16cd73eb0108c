"""Who reports to whom: depth, chain, spans, and what is wrong with a line."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan.world import STATUSES, World

from hris_pipeline import people
from hris_pipeline.cycles import cycles
from hris_pipeline.managers import spans_outside


def graph(lines: dict[str, str | None], **others: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """``core.manager_graph`` for reporting lines: manager, depth, chain, both spans, problem; ids
    without prefix.
    """
    world = World()
    for person, manager in lines.items():
        world.hire(person, manager_id=manager, **others.get(person, {}))
    with world.warehouse.write(["p"]) as con:
        world.extract(con)
        world.derive(con)
        rows = con.execute(
            """select
                   person_id[3:],
                   manager_id[3:],
                   depth,
                   [x[3:] for x in chain],
                   direct_reports,
                   all_reports,
                   problem
               from core.manager_graph"""
        ).fetchall()
    return {person: tuple(row) for person, *row in rows}


def test_depth_chain_and_spans_from_the_top() -> None:
    assert graph({"top": None, "a": "top", "b": "top", "c": "a", "d": "c"}) == {
        "top": (None, 0, [], 2, 4, None),
        "a": ("top", 1, ["top"], 1, 2, None),
        "b": ("top", 1, ["top"], 0, 0, None),
        "c": ("a", 2, ["a", "top"], 1, 1, None),
        "d": ("c", 3, ["c", "a", "top"], 0, 0, None),
    }


def test_c47_each_problem_by_its_name() -> None:
    found = graph(
        {
            "boss": None,
            "lost": "nobody",
            "left_behind": "gone",
            "gone": "boss",
            "own": "own",
            "below": "own",
            "report": "held",
            "held": "boss",
        },
        gone={"status": "inactive"},
        held={"given_name": None, "family_name": None},
    )
    assert found == {
        "boss": (None, 0, [], 0, 0, None),
        "lost": (None, 0, [], 0, 0, "missing"),
        "left_behind": ("gone", 0, [], 0, 0, "inactive"),
        "own": ("own", 0, [], 1, 1, "self"),
        "below": ("own", 1, ["own"], 0, 0, None),
        "report": (None, 0, [], 0, 0, "missing"),
    }


def test_c47_cycles_are_named_and_what_hangs_below_them_is_not() -> None:
    found = graph(
        {
            "a": "b",
            "b": "c",
            "c": "a",
            "below": "a",
            "deep": "below",
            "x": "y",
            "y": "x",
            "fine": None,
        }
    )
    assert {person: row[5] for person, row in found.items()} == {
        **dict.fromkeys(("a", "b", "c", "x", "y"), "cycle"),
        **dict.fromkeys(("below", "deep", "fine")),
    }
    assert found["a"] == ("b", None, None, 2, None, "cycle")
    assert found["below"] == ("a", None, None, 1, 1, None)
    assert found["deep"] == ("below", None, None, 0, 0, None)
    assert found["fine"] == (None, 0, [], 0, 0, None)


def test_a_chain_of_a_thousand() -> None:
    found = graph({str(n): str(n - 1) if n else None for n in range(1000)})
    assert found["999"][1] == 999
    assert found["999"][2][:2] == ["998", "997"]
    assert len(found["999"][2]) == 999
    assert found["0"][3:] == (1, 999, None)


@given(st.lists(st.integers(0, 12), max_size=12))
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_rings_are_found_as_plain_walking_finds_them(targets: list[int]) -> None:
    next_of = {str(n): str(target) for n, target in enumerate(targets)}

    def is_in_a_ring(start: str) -> bool:
        ref: str | None = start
        for _ in range(len(next_of)):
            ref = next_of.get(ref or "")
            if ref == start:
                return True
        return False

    found = cycles(next_of)
    members = [ref for cycle in found for ref in cycle]
    assert sorted(members) == sorted(ref for ref in next_of if is_in_a_ring(ref))
    assert all(
        next_of[one] == other
        for cycle in found
        for one, other in zip(cycle, [*cycle[1:], cycle[0]], strict=True)
    )


@pytest.mark.parametrize("shape", ["tail", "two tails", "no cycle member below"])
def test_spans_below_a_cycle(shape: str) -> None:
    lines = {"a": "b", "b": "a", "c": "a", "d": "c", "e": "d"}
    if shape == "two tails":
        lines |= {"f": "c", "g": "b"}
    expected = {"c": 2, "d": 1, "e": 0} | ({"c": 3, "f": 0, "g": 0} if shape == "two tails" else {})
    assert spans_outside(lines, {"a", "b"}) == expected


REFERENCES = {
    "zeros lost": ({"0007": None}, "7", "0007"),
    "zeros added": ({"7": None}, "0007", "7"),
    "a whole number with a fraction": ({"1001": None}, "1001.0", "1001"),
    "with a comma": ({"1001": None}, "1001,00", "1001"),
    "on the other side": ({"1001.0": None}, "1001", "1001.0"),
    "both": ({"0042": None}, "42.0", "0042"),
    "nothing but zeros": ({"000": None}, "0", "000"),
    "behind the name": ({"0001": None}, "Ada Byron (0001)", "0001"),
    "behind the name, in brackets": ({"0001": None}, "Byron, Ada [1]", "0001"),
    "before the name": ({"0001": None}, "0001 - Ada Byron", "0001"),
    "before the name, after a blank": ({"0001": None}, "1 Ada Byron", "0001"),
    "before the name, a code of letters": ({"ABY": None}, "aby - Ada Byron", "ABY"),
    "behind a dash": ({"0001": None}, "Ada Byron - 0001", "0001"),
    "in other letters": ({"Ab12": None}, "aB12", "Ab12"),
    "as it stands comes first": ({"7": None, "0007": None}, "7", "7"),
    "in brackets as it stands comes first": ({"1": None, "0001": None}, "Ada (0001)", "0001"),
    "two fit": ({"07": None, "007": None}, "7", None),
    "a name beside nobody's id": ({"0001": None}, "Ada Byron (0002)", None),
    "a name alone": ({"ada": None}, "Ada Byron", None),
    "a number of digits that is another": ({"1001": None}, "10010", None),
    "another fraction": ({"1001": None}, "1001.5", None),
}


@pytest.mark.parametrize(("ids", "written", "meant"), REFERENCES.values(), ids=REFERENCES)
def test_c101_a_manager_is_found_where_exactly_one_id_fits(
    ids: dict[str, None], written: str, meant: str | None
) -> None:
    found = graph({**ids, "report": written})["report"]
    assert (found[0], found[-1]) == (meant, None if meant else "missing")


def test_c101_managers_found_by_another_spelling_are_counted_and_the_others_left_as_they_are() -> (
    None
):
    world = World()
    for person, manager in {
        "0001": None,
        "2": "1",
        "3": "1.0",
        "4": "0001",
        "5": "nobody",
    }.items():
        world.hire(person, manager_id=manager)
    with world.warehouse.write(["p"]) as con:
        world.extract(con)
        rules = people.PeopleParameters(
            world.timezone, world.prehire_days, world.kinds, {"p": STATUSES}
        )
        counts = people.build(con, rules, world.now)
        found = dict(con.execute("select hris_ref, manager_ref from core.people").fetchall())
    assert counts.managers_resolved == 2
    assert found == {
        "p:0001": None,
        "p:2": "p:0001",
        "p:3": "p:0001",
        "p:4": "p:0001",
        "p:5": "p:nobody",
    }
