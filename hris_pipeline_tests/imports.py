"""Who may import whom, as a rule that `make lint` enforces: ``python -m
hris_pipeline_tests.imports``.

A *room* is a module or package directly in ``hris_pipeline/``. An import counts wherever it stands:
within a function, and for type checking too.
"""

import ast
import graphlib
import sys
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[1] / "hris_pipeline"
Graph = Mapping[str, AbstractSet[str]]
"""The modules that each module imports, by their names without ``hris_pipeline.``."""

CORE = {
    "people",
    "groups",
    "managers",
    "identity",
    "history",
    "export",
    "absences",
    "photos",
    "plan",
}
LAYERS: tuple[AbstractSet[str], ...] = (
    {"errors", "contracts", "rules", "wording", "cycles", "texts", "arrow"},
    {"settings", "clock"},
    {"warehouse"},
    CORE,
    {"operations", "reports"},
    {"orchestration", "presentation"},
    {"cli", "definitions", "sandbox"},
)
"""A room may import those of its own layer and of the layers before it."""

EDGES = {"http", "alerts", "hris", "deskbird"}
EDGES_BEGIN = 4
"""The first layer that may import an edge: what carries something out, or puts rooms together."""

FORBIDDEN: Mapping[tuple[str, str], str] = {
    ("reports", "operations"): "a report only reads",
    ("presentation", "warehouse"): "what is drawn was read by a report",
}
"""Pairs of rooms that the layers alone would allow."""

LIBRARIES: Mapping[str, AbstractSet[str]] = {
    "reports": {"dagster", "rich", "typer"},
    "operations": {"dagster", "rich", "typer"},
    "presentation": {"dagster", "duckdb"},
    "cli": {"duckdb"},
}
"""Libraries that a room does not know: reports and operations have no screen, what is drawn asks no
database.
"""

EXCEPTIONS: dict[tuple[str, str], str] = {}
"""Imports that break a rule for now: who imports whom, and what has to come first."""


def graph(house: Path = HOUSE) -> dict[str, set[str]]:
    """What each module of the package imports of the package."""
    modules = {_name(file, house): file for file in house.rglob("*.py")}
    return {name: _imports(name, file, modules) for name, file in modules.items()}


def libraries(house: Path = HOUSE) -> list[str]:
    """One line for each library that a room must not import."""
    files = [(room, file) for room in LIBRARIES for file in sorted((house / room).rglob("*.py"))]
    return [
        f"{_name(file, house)} must not import {name}: {room} does not know it"
        for room, file in files
        for name in sorted({each.partition(".")[0] for each in _named(file)} & LIBRARIES[room])
    ]


def broken(found: Graph, exceptions: Mapping[tuple[str, str], str] = EXCEPTIONS) -> list[str]:
    """One line for each import that breaks a rule, each circle, each room without a place."""
    pairs = sorted((one, other) for one, others in found.items() for other in others)
    lines = [
        f"{one} must not import {other}: {why}"
        for one, other in pairs
        if (why := _forbidden(one, other)) and (one, other) not in exceptions
    ]
    lines += [
        f"{one} does not import {other}, or may: the exception has to go"
        for one, other in exceptions
        if (one, other) not in pairs or not _forbidden(one, other)
    ]
    rooms = {_room(name) for name in found} - {""}
    lines += [f"{room} has no layer" for room in sorted(rooms - EDGES - set().union(*LAYERS))]
    circles = (_as_run(found), _between_rooms(found))
    return lines + [
        f"a circle: {' -> '.join(circle)}" for one in circles if (circle := _circle(one))
    ]


def _forbidden(one: str, other: str) -> str | None:
    """Why one module may not import another."""
    room, used = _room(one), _room(other)
    if room == used:
        return _forbidden_between_systems(one, other)
    if "" in (room, used):
        return "the package itself holds nothing"
    if (room, used) in FORBIDDEN:
        return FORBIDDEN[room, used]
    if room in EDGES:
        source = used in CORE and other == f"{used}.source"
        if _layer(used) <= 1 or source or used == "http":
            return None
        return "an edge knows what lies below the warehouse, and the source.py of the core"
    if used in EDGES:
        return (
            None
            if _layer(room) >= EDGES_BEGIN
            else "only operations and what lies above know edges"
        )
    if room in CORE and used in {"settings", "clock"}:
        return "the core is told what is set and what time it is"
    return f"{used} lies above {room}" if _layer(used) > _layer(room) else None


def _forbidden_between_systems(one: str, other: str) -> str | None:
    """HR systems do not know each other, and what they share knows none of them."""
    system, used = (
        name.split(".")[2:3] if name.startswith("hris.systems.") else [] for name in (one, other)
    )
    return (
        "an HR system is known to the registry only, by its name"
        if used and system != used
        else None
    )


def _layer(room: str) -> int:
    return next((number for number, rooms in enumerate(LAYERS) if room in rooms), len(LAYERS))


def _as_run(found: Graph) -> dict[str, set[str]]:
    """With the packages that an import runs first: ``a.b`` runs ``a``, unless it is imported from
    within.
    """
    above = {name: {name[:at] for at, letter in enumerate(name) if letter == "."} for name in found}
    return {
        one: (
            {*others, *(package for other in others for package in above.get(other, ()))}
            - {one, *above[one]}
            | (set(others) & above[one])
        )
        for one, others in found.items()
    }


def _between_rooms(found: Graph) -> dict[str, set[str]]:
    rooms: dict[str, set[str]] = {}
    for one, others in found.items():
        rooms.setdefault(_room(one), set()).update(_room(other) for other in others)
    return {room: used - {room} for room, used in rooms.items()}


def _circle(found: Graph) -> list[str] | None:
    try:
        graphlib.TopologicalSorter(found).prepare()
    except graphlib.CycleError as circle:
        return list(reversed(circle.args[1]))
    return None


def _room(name: str) -> str:
    return name.partition(".")[0]


def _name(file: Path, house: Path) -> str:
    parts = file.relative_to(house).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(name: str, file: Path, modules: Mapping[str, Path]) -> set[str]:
    """The modules that a file imports; of ``from package import name`` the one with the name."""
    own = {
        each.removeprefix("hris_pipeline.")
        for each in _named(file)
        if f"{each}.".startswith("hris_pipeline.")
    }
    held = {each if each in modules else each.rpartition(".")[0] for each in own}
    return {each for each in held if each in modules and each != name}


def _named(file: Path) -> set[str]:
    """Everything that a file imports, by its whole name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{file} imports by a relative path. Write the whole name.")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


if __name__ == "__main__":
    if lines := [*broken(graph()), *libraries()]:
        sys.exit("\n".join(lines))
