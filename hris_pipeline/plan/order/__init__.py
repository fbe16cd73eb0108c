"""What goes before what: who frees an address or a name before who takes it, and what waits with
what is held back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from hris_pipeline.cycles import cycles
from hris_pipeline.warehouse import run, stage

_MOVES, _DEPENDENCIES, _HELD = (
    (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
    for name in ("moves", "dependencies", "held_changes")
)
_COLUMNS = ("phase", "request_key", "gives", "takes", "creates", "level", "steps_aside")


@dataclass(frozen=True)
class Move:
    """Something that gives up one unique value and takes another; a creation gives up none."""

    ref: str
    gives: str | None
    takes: str


def free_before_take(moves: Iterable[Move]) -> tuple[dict[str, int], tuple[str, ...]]:
    """The level at which each move may happen (lower first), and who must step aside because a
    cycle leaves nobody free.

    A cycle of swaps is broken by one member only, which goes through a temporary value; the rest
    then follows in order.

    >>> free_before_take([Move("a", "1", "2"), Move("b", "2", "3")])
    ({'b': 0, 'a': 1}, ())
    >>> free_before_take([Move("a", "1", "2"), Move("b", "2", "1")])
    ({'b': 0, 'a': 1}, ('a',))
    """
    ordered = sorted(moves, key=lambda move: move.ref)
    holder = {move.gives: move.ref for move in ordered if move.gives is not None}
    waits_for = {
        move.ref: holder[move.takes]
        for move in ordered
        if holder.get(move.takes, move.ref) != move.ref
    }
    aside = tuple(min(cycle) for cycle in cycles(waits_for))
    levels: dict[str, int] = {}
    for move in ordered:
        path = [move.ref]
        while (
            path[-1] not in levels
            and (before := waits_for.get(path[-1])) is not None
            and before not in aside
        ):
            path.append(before)
        level = levels.get(path[-1], 0)
        for step, ref in enumerate(reversed(path)):
            levels.setdefault(ref, level + step)
    return dict(sorted(levels.items(), key=lambda item: (item[1], item[0]))), aside


def stage_moves(con: duckdb.DuckDBPyConnection) -> None:
    """Make the temp table ``moves``: who frees what for whom, at which level, and who steps aside
    first (case 26).
    """
    con.execute(
        """create or replace temp table moves (phase varchar, request_key varchar, gives varchar,
               takes varchar,
           creates boolean, level integer, steps_aside boolean)"""
    )
    found = con.execute(_MOVES).fetchall()
    rows: list[tuple[object, ...]] = []
    for phase in sorted({row[0] for row in found}):
        moves = {row: Move(row[1], row[2], row[3]) for row in found if row[0] == phase}
        levels, aside = free_before_take(moves.values())
        rows += [(*row, levels[move.ref], move.ref in aside) for row, move in moves.items()]
    stage(con, "moves", _COLUMNS, rows)


def hold_dependents(con: duckdb.DuckDBPyConnection, *, anything: bool) -> None:
    """Make the temp table ``held_changes``: what ``holds`` says, and what needs any of that, where
    there is ``anything``.
    """
    if anything:
        run(con, _DEPENDENCIES)
        run(con, _HELD)
    else:
        con.execute("create or replace temp table held_changes (change bigint, guards varchar[])")
