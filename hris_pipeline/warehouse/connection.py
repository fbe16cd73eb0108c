"""What every connection to DuckDB needs before the core can work on it, and how Python rows get
into its tables.
"""

import contextlib
import functools
from collections.abc import Sequence
from pathlib import Path

import duckdb

from hris_pipeline.texts import SIGNS, domain_key

_TEXTS, _DIGESTS, _ODD_ADDRESSES = (
    (Path(__file__).parent / name).read_text(encoding="utf-8")
    for name in ("texts.sql", "digests.sql", "odd_addresses.sql")
)
_STAGED = 10_000
"""Rows that :func:`stage` inserts at once, so that memory stays bounded."""


def prepare(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Make a DuckDB fit for the core: its macros and what is said of the company's addresses.
    Returns the connection.
    """
    define(con)
    return know_addresses(con)


def define(con: duckdb.DuckDBPyConnection) -> None:
    """Set the clock's zone and define how texts are compared (``texts.sql``) and digests are made
    (``digests.sql``), once for all connections of one DuckDB.
    """
    con.execute("set global TimeZone = 'UTC'")
    run(con, _TEXTS)
    run(con, _DIGESTS)


def know_addresses(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Compare addresses as the company writes them (``odd_addresses.sql``). Returns the
    connection.
    """
    # a file of an older version has no such table yet
    with contextlib.suppress(duckdb.CatalogException):
        if con.execute("select exists (from state.address_forms)").fetchone() == (True,):
            run(con, _ODD_ADDRESSES)
    return con


def note_addresses(con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]) -> None:
    """Keep in ``state.address_forms`` how the addresses of a table can be written in other ways,
    where they can.
    """
    addresses = " union all ".join(
        f'select lower("{column}") as address from {relation}' for column in columns
    )
    found = con.execute(
        f"""select distinct
                case
                    when contains(address, 'xn--') then address[strpos(address, '@') + 1:]
                end as domain,
                regexp_matches(address, '[{SIGNS}]') as has_signs
            from ({addresses})
            where contains(address, 'xn--') or regexp_matches(address, '[{SIGNS}]')"""
    ).fetchall()
    forms = {("domain", domain, domain_key(domain)) for domain, _ in found if domain}
    forms |= {("signs", "", "") for _, has_signs in found if has_signs}
    if forms:
        con.executemany("insert or ignore into state.address_forms values (?, ?, ?)", sorted(forms))
        run(con, _ODD_ADDRESSES)


def run(con: duckdb.DuckDBPyConnection, script: str) -> None:
    """Execute a script that yields no rows. It is parsed once in a process: a seventh of what a
    small company's plan costs.
    """
    for statement in _parsed(script):
        con.execute(statement)


@functools.cache
def _parsed(script: str) -> list[duckdb.Statement]:
    return duckdb.extract_statements(script)


def stage(
    con: duckdb.DuckDBPyConnection,
    table: str,
    columns: Sequence[str],
    rows: Sequence[tuple[object, ...]],
) -> None:
    """Insert Python rows into a table, column by column: each column is one parameter, a list.

    Row by row takes a hundred times as long. Arrow takes half as long, but not before pandas is
    imported, which it looks for.
    """
    named = ", ".join(
        f'unnest(${number}) as "{column}"' for number, column in enumerate(columns, 1)
    )
    for first in range(0, len(rows), _STAGED):
        values = [list(column) for column in zip(*rows[first : first + _STAGED], strict=True)]
        con.execute(f"insert into {table} by name select {named}", values)
