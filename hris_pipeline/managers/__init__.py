"""Who reports to whom: ``core.manager_graph``, with the four problems by name.

SQL follows every line from the top. Whoever it does not reach hangs in or below a cycle; those few
are walked in plain Python. A cycle is cut nowhere, only named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from hris_pipeline.contracts.tables import MANAGER_GRAPH
from hris_pipeline.cycles import cycles
from hris_pipeline.warehouse import judge, run, stage

_REACHED, _GRAPH = (
    (Path(__file__).parent / name).read_text(encoding="utf-8")
    for name in ("reached.sql", "manager_graph.sql")
)


@dataclass(frozen=True)
class GraphCounts:
    """What came out, in numbers only."""

    people: int
    deepest: int
    problems: Mapping[str, int]


def spans_outside(manager_of: Mapping[str, str], cycle: set[str]) -> dict[str, int]:
    """For people below a cycle: how many people are below them. ``manager_of`` holds everyone in or
    below a cycle.
    """
    waiting = dict.fromkeys(manager_of, 0)
    for manager in manager_of.values():
        waiting[manager] = waiting.get(manager, 0) + 1
    below = dict.fromkeys(manager_of, 0)
    free = [person for person, reports in waiting.items() if reports == 0]
    while free:
        person = free.pop()
        manager = manager_of[person]
        if manager in cycle:
            continue
        below[manager] += below[person] + 1
        waiting[manager] -= 1
        if waiting[manager] == 0:
            free.append(manager)
    return {person: count for person, count in below.items() if person not in cycle}


def build(con: duckdb.DuckDBPyConnection) -> GraphCounts:
    """Build the graph inside the caller's transaction.

    Raises :class:`~hris_pipeline.errors.ContractError` where it would break its contract; the
    caller's rollback then leaves the last good one.
    """
    run(con, _REACHED)
    manager_of = dict(con.execute("from unreached").fetchall())
    cycle = {member for one in cycles(manager_of) for member in one}
    spans = spans_outside(manager_of, cycle)
    stage(
        con,
        "around_cycles",
        ("person_id", "all_reports", "in_cycle"),
        [(p, spans.get(p), p in cycle) for p in manager_of],
    )
    run(con, _GRAPH)
    people = judge.require(con, MANAGER_GRAPH, MANAGER_GRAPH.qualified)
    con.execute(
        "drop table reporting_lines; drop table reached; drop table unreached; drop table "
        "direct_spans; drop table spans; drop table around_cycles"
    )
    problems = dict(
        con.execute(
            "select problem, count(*) from core.manager_graph where problem is not null group by "
            "all order by all"
        ).fetchall()
    )
    row = con.execute("select coalesce(max(depth), 0) from core.manager_graph").fetchone()
    return GraphCounts(people, row[0] if row else 0, problems)
