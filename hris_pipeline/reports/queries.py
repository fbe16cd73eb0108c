"""How a report asks the warehouse: the text of its queries, and rows by the names of their
columns.
"""

from pathlib import Path
from typing import Any

import duckdb

Row = dict[str, Any]


def sql(name: str) -> str:
    """The text of a ``.sql`` file of the reports: ``plan``, ``explain/found``."""
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")


def rows(con: duckdb.DuckDBPyConnection, query: str, parameters: object = None) -> list[Row]:
    """All rows of a query."""
    con.execute(query, parameters)
    names = [column[0] for column in con.description or ()]
    return [dict(zip(names, row, strict=True)) for row in con.fetchall()]


def first(con: duckdb.DuckDBPyConnection, query: str, parameters: object = None) -> Row | None:
    """The first row of a query; None where it has none."""
    found = rows(con, query, parameters)
    return found[0] if found else None
