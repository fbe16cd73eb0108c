"""What the HR systems give each night, attribute by attribute: a night is never silent about what
it no longer gets.

An attribute, a kind of group, the names of units or the managers that came before, or that the
company file names, and that come for nobody, trip guard ``attribute_vanished`` although no change
is wanted. It stands until they come back or the company file stops mapping them. All functions run
inside the caller's transaction.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

import duckdb

from hris_pipeline.contracts.attributes import OPT_IN
from hris_pipeline.warehouse import run

_ARRIVALS = (Path(__file__).parent / "arrivals.sql").read_text(encoding="utf-8")
ATTRIBUTES = ("email", "given_name", "family_name", "status", "start_date", "end_date", "manager")
DATES = ("status", "start_date", "end_date")
"""Without them it cannot be told who comes from who left."""

COLUMNS = (
    *("connection", "subject", "kind", "came", "of", "is_named", "is_offered", "code"),
    *("last_came", "last_of", "last_came_at", "silent_since"),
)
"""Of ``state.arrivals``."""

FROM_SIZE = 10
"""So many references make a share that can fall, where the company file gives no size to the guard
of attributes.
"""

_EXPECTED = ("connection", "subject", "kind", "is_named", "is_offered")
Code = Literal["vanished", "never_came", "unresolved", "fell"]


@dataclass(frozen=True)
class Expected:
    """What the company file maps of one connection."""

    attributes: Collection[str] = ATTRIBUTES
    kinds: Collection[str] | None = None  # of group, that its system delivers; None: all
    # attributes and kinds that the company file itself names, rather than a default
    named: Collection[str] = ()
    where: Mapping[str, str] = field(default_factory=dict)  # where each is switched on, in words


@dataclass(frozen=True)
class Silent:
    """One thing that does not come as it should."""

    connection: str
    subject: str
    kind: str
    code: Code
    came: int
    of: int
    last_came: int
    last_of: int
    since: dt.datetime


def refresh(
    con: duckdb.DuckDBPyConnection,
    expected: Mapping[str, Expected],
    kinds: Sequence[str],
    *,
    managers: bool,
    from_size: float,
    now: dt.datetime,
) -> None:
    """Count what came tonight, by connection, and keep it in ``state.arrivals``."""
    rows: list[tuple[str, str, str, bool, bool]] = []
    for connection, of in expected.items():
        rows += [
            (connection, name, "attribute", name in of.named, True)
            for name in of.attributes
            if managers or name != "manager"
        ]
        if managers and "manager" in of.attributes:
            rows.append((connection, "manager", "manager", False, True))
        for kind in kinds:
            offered = of.kinds is None or kind in of.kinds
            rows += [
                (connection, kind, table, kind in of.named, offered)
                for table in ("group_kind", "list")
            ]
    mapped = [dict(zip(_EXPECTED, row, strict=True)) for row in rows]
    con.execute(
        "set variable arrivals = ?", [{"expected": mapped, "now": now, "from_size": from_size}]
    )
    sql = _ARRIVALS
    for mark, table in (("{records}", "employees"), ("{units}", "org_units")):
        sql = sql.replace(
            mark,
            " union all by name ".join(
                f"""select '{name}' as connection, * from "hris_{name}".{table}"""
                for name in expected
            ),
        )
    run(con, sql)


def silent(con: duckdb.DuckDBPyConnection, kinds: Sequence[str]) -> list[Silent]:
    """What comes for nobody although it should, the company file's kinds of group first, in their
    order.
    """
    found = con.execute(
        """select connection,
               subject,
               kind,
               code,
               came,
               of,
               coalesce(last_came, 0),
               coalesce(last_of, 0),
               silent_since
           from state.arrivals
           where code in ('vanished', 'never_came', 'unresolved', 'fell')
           order by connection, kind"""
    ).fetchall()
    order = [*kinds, *ATTRIBUTES, *OPT_IN]
    every = [
        Silent(*cast("tuple[str, str, str, Code, int, int, int, int, dt.datetime]", row))
        for row in found
    ]
    return sorted(
        every, key=lambda one: order.index(one.subject) if one.subject in order else len(order)
    )


def not_given(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Kinds of group that the company file has by default and that nobody is in anywhere; news, and
    no fault.
    """
    found = con.execute(
        "select subject from state.arrivals where code = 'not_given' and kind = 'group_kind' group "
        "by subject order by subject"
    ).fetchall()
    return [subject for (subject,) in found]
