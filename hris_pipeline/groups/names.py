"""Names for groups in deskbird, where a name is unique across all kinds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from unicodedata import normalize


@dataclass(frozen=True)
class Unit:
    """A group that needs a name: its unit's name in the HRIS, and the name its group has in
    deskbird, if there is one.
    """

    hris_ref: str
    kind: str
    name: str
    precedence: int  # of its kind in the company file: the first keeps the plain name
    present: str | None = None


def key(name: str) -> str:
    """What two names must not share."""
    return normalize("NFC", name).strip().lower()


def assign(
    units: Iterable[Unit], taken: Iterable[str], *, pattern: str, on_collision: str
) -> dict[str, str]:
    """A unique name for each unit, by ``hris_ref``; ``taken`` are the keys of names that are not
    ours to give.

    A name once given is kept. Of those that need one, the kind that comes first in the company file
    gets the plain name, another kind ``on_collision``, a second one of the same kind also its id
    (case 44).

    >>> units = [
    ...     Unit("p:team:1", "team", "Sales", 0),
    ...     Unit("p:team:3", "team", "Sales", 0),
    ...     Unit("p:department:2", "department", "Sales", 1),
    ... ]
    >>> assign(units, [], pattern="{name}", on_collision="{name} ({kind})")
    {'p:team:1': 'Sales', 'p:team:3': 'Sales (team)', 'p:department:2': 'Sales (department)'}
    """
    used = set(taken)
    names: dict[str, str] = {}
    ordered = sorted(units, key=lambda unit: (unit.precedence, unit.hris_ref))
    variants = {unit.hris_ref: _variants(unit, pattern, on_collision) for unit in ordered}
    for unit in ordered:
        if (
            unit.present is not None
            and normalize("NFC", unit.present) in variants[unit.hris_ref]
            and key(unit.present) not in used
        ):
            names[unit.hris_ref] = normalize("NFC", unit.present)
            used.add(key(unit.present))
    for unit in ordered:
        if unit.hris_ref not in names:
            name = next(
                name
                for name in chain(variants[unit.hris_ref], _numbered(unit))
                if key(name) not in used
            )
            names[unit.hris_ref] = name
            used.add(key(name))
    return names


def _variants(unit: Unit, pattern: str, on_collision: str) -> tuple[str, str, str]:
    words = {"name": unit.name, "kind": unit.kind.replace("_", " ")}
    collided = on_collision.format_map(words)
    return pattern.format_map(words), collided, f"{collided} {unit.hris_ref.rsplit(':', 1)[-1]}"


def _numbered(unit: Unit) -> Iterator[str]:
    yield f"{unit.name} ({unit.hris_ref})"
    number = 2
    while True:
        yield f"{unit.name} ({unit.hris_ref}) {number}"
        number += 1
