"""Which groups there should be, and who is in them: ``core.groups`` and ``core.memberships``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from hris_pipeline.contracts.tables import GROUPS, MEMBERSHIPS
from hris_pipeline.warehouse import judge, run

Nested = Literal["flat", "path"]
_HERE = Path(__file__).parent
_NAMED_UNITS = (_HERE / "named_units.sql").read_text(encoding="utf-8")
_GROUPS = (_HERE / "groups.sql").read_text(encoding="utf-8")
_MEMBERSHIPS = (_HERE / "memberships.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class GroupCounts:
    """What came out, in numbers only."""

    groups: int
    memberships: int
    by_kind: Mapping[str, int]
    empty: int


def stage_kinds(con: duckdb.DuckDBPyConnection, kinds: Sequence[str]) -> None:
    """Make the temp table ``group_kinds``: the kinds of unit that become groups, in the company
    file's order.
    """
    con.execute(
        """create or replace temp table group_kinds as
           select unnest($kinds::varchar[]) as kind,
               generate_subscripts($kinds::varchar[], 1) as precedence""",
        {"kinds": list(kinds)},
    )


def stage_units(
    con: duckdb.DuckDBPyConnection,
    connections: Sequence[str],
    kinds: Sequence[str],
    *,
    nested: Nested = "flat",
) -> None:
    """Make the temp tables ``group_kinds``, ``units`` and ``named_units``.

    deskbird's groups are flat: over SCIM a group cannot hold another one. So a nested unit becomes
    a group like any other, by its own name (``flat``) or by its path (``path``: "Parent / Child"),
    with its direct members only.
    """
    con.execute("set variable nested_groups = ?", [nested])
    stage_kinds(con, kinds)
    union = " union all ".join(
        f"""select '{c}:' || kind || ':' || id as hris_ref, kind, name,
                '{c}:' || kind || ':' || parent_id as parent_ref
            from "hris_{c}".org_units"""
        for c in connections
    )
    con.execute(f"create or replace temp table units as {union}")
    run(con, _NAMED_UNITS)


def build(
    con: duckdb.DuckDBPyConnection,
    connections: Sequence[str],
    kinds: Sequence[str],
    *,
    nested: Nested = "flat",
) -> GroupCounts:
    """Build both tables inside the caller's transaction.

    Raises :class:`~hris_pipeline.errors.ContractError` where they would break their contract; the
    caller's rollback then leaves the last good ones.
    """
    stage_units(con, connections, kinds, nested=nested)
    run(con, _GROUPS)
    run(con, _MEMBERSHIPS)
    groups = judge.require(con, GROUPS, GROUPS.qualified)
    memberships = judge.require(con, MEMBERSHIPS, MEMBERSHIPS.qualified)
    by_kind = dict(
        con.execute("select kind, count(*) from core.groups group by all order by all").fetchall()
    )
    row = con.execute("select count(*) from core.groups where member_count = 0").fetchone()
    return GroupCounts(groups, memberships, by_kind, row[0] if row else 0)
