"""Who goes first when one change frees what another takes (an e-mail address, a group's name)."""

from collections.abc import Iterable
from dataclasses import dataclass

from hris_pipeline.managers.rings import rings


@dataclass(frozen=True)
class Move:
    """Something that gives up one unique value and takes another; a creation gives up none."""

    ref: str
    gives: str | None
    takes: str


def free_before_take(moves: Iterable[Move]) -> tuple[dict[str, int], tuple[str, ...]]:
    """The level at which each move may happen (lower first), and who must step aside because a ring leaves nobody free.

    A ring of swaps is broken by one member only, which goes through a temporary value; the rest then follows in order.

    >>> free_before_take([Move("a", "1", "2"), Move("b", "2", "3")])
    ({'b': 0, 'a': 1}, ())
    >>> free_before_take([Move("a", "1", "2"), Move("b", "2", "1")])
    ({'b': 0, 'a': 1}, ('a',))
    """
    ordered = sorted(moves, key=lambda move: move.ref)
    holder = {move.gives: move.ref for move in ordered if move.gives is not None}
    waits_for = {move.ref: holder[move.takes] for move in ordered if holder.get(move.takes, move.ref) != move.ref}
    aside = tuple(min(ring) for ring in rings(waits_for))
    levels: dict[str, int] = {}
    for move in ordered:
        path = [move.ref]
        while path[-1] not in levels and (before := waits_for.get(path[-1])) is not None and before not in aside:
            path.append(before)
        level = levels.get(path[-1], 0)
        for step, ref in enumerate(reversed(path)):
            levels.setdefault(ref, level + step)
    return dict(sorted(levels.items(), key=lambda item: (item[1], item[0]))), aside
