"""Judging rows by their contract with pandera, in chunks, so that memory stays bounded.

Pandera's errors and failure cases carry the values they complain about; what leaves this module is
refs, rule names and counts.
"""

# ruff: noqa: PLC0415 - pandera and pandas take a second to import; who reads a plan judges nothing

from collections.abc import Iterator
from typing import TYPE_CHECKING

import duckdb

from hris_pipeline.contracts.tables import Column, RowRule, Table
from hris_pipeline.errors import ContractError

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

CHUNK = 100_000  # rows


def _rules_schema(rules: tuple[RowRule, ...]) -> "pa.DataFrameSchema":
    import pandera.pandas as pa

    columns: dict[str, pa.Column] = {}
    for rule in rules:
        check = (
            pa.Check(lambda values: values.notna(), error=rule.name, ignore_na=False)
            if rule.pattern is None
            else pa.Check.str_matches(f"(?:{rule.pattern})$", error=rule.name)
        )
        column = columns.setdefault(rule.column, pa.Column("str", nullable=True, checks=[]))
        column.checks.append(check)
    return pa.DataFrameSchema(columns)


def table_schema(table: Table) -> "pa.DataFrameSchema":
    """The pandera contract of a finished table: which columns there are, which may be null, which
    values they may take.
    """
    import pandera.pandas as pa

    return pa.DataFrameSchema(
        {
            column.name: pa.Column(
                None,
                nullable=column.nullable,
                required=True,
                checks=(
                    [pa.Check.isin(allowed, error=f"{column.name}_is_known")]
                    if (allowed := column.values)  # noqa: PD011
                    else []
                ),
            )
            for column in table.columns
        },
        strict=True,
    )


def violations(
    con: duckdb.DuckDBPyConnection, query: str, ref: str, rules: tuple[RowRule, ...]
) -> list[tuple[str, str]]:
    """The rows of ``query`` that break a rule, as (value of column ``ref``, rule name).

    ``query`` yields ``ref`` and the columns the rules name, all text. Raises :class:`ContractError`
    where pandera could not judge (it then reports a failure without a row, and the bad rows would
    pass).
    """
    import pandera.pandas as pa

    schema, found = _rules_schema(rules), []
    for frame in _chunks(con, query):
        for name in schema.columns:
            frame[name] = frame[name].astype("str")
        try:
            schema.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as problem:
            cases = problem.failure_cases[["check", "index"]]
            _refuse_unjudged(cases)
            refs = frame[ref].loc[cases["index"].astype("int64")].to_numpy()
            found += list(zip(refs.tolist(), cases["check"].tolist(), strict=True))
    return found


def require(con: duckdb.DuckDBPyConnection, table: Table, relation: str) -> int:
    """Hold ``relation`` against the contract of ``table``; return its number of rows, or raise
    :class:`ContractError`.
    """
    import pandera.pandas as pa

    total = 0
    schema = table_schema(table)
    for frame in _chunks(con, f"select {', '.join(map(_judged, table.columns))} from {relation}"):
        total += len(frame)
        try:
            schema.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as problem:
            counts = problem.failure_cases.groupby(["column", "check"], dropna=False).size()
            what = ", ".join(
                f"{column}: {check} ({count})" for (column, check), count in counts.items()
            )
            raise ContractError(
                f"{table.schema}.{table.name} would break its contract: {what}. The last good "
                "table is left in place."
            ) from None
    if table.key:
        key = ", ".join(f'"{column}"' for column in table.key)
        twice = "select count(*) from (select {0} from {1} group by all having count(*) > 1)"
        # a tenth of the memory that the keys would need
        row = con.execute(twice.format(f"hash({key})", relation)).fetchone()
        if row and row[0]:  # or two keys of one digest
            row = con.execute(twice.format(key, relation)).fetchone()
        if row and row[0]:
            raise ContractError(
                f"{table.schema}.{table.name} would hold {row[0]} keys twice ({key}). The last "
                "good table is left in place."
            )
    return total


def _chunks(con: duckdb.DuckDBPyConnection, query: str) -> Iterator["pd.DataFrame"]:
    """The rows of a query, a chunk at a time; through Arrow, so that no text becomes a Python
    object.
    """
    con.complete()  # DuckDB begins no second result while the last statement's may hold rows
    for batch in con.sql(query).to_arrow_reader(CHUNK):
        if batch.num_rows:
            yield batch.to_pandas(date_as_object=False)


def _judged(column: Column) -> str:
    """A column as the contract needs to see it: its value where only some are allowed, else only
    whether there is one.
    """
    name = f'"{column.name}"'
    return name if column.values else f"case when {name} is not null then true end as {name}"  # noqa: PD011 - no data frame


def _refuse_unjudged(cases: "pd.DataFrame") -> None:
    if cases["index"].isna().any():
        checks = ", ".join(
            sorted({str(check) for check in cases.loc[cases["index"].isna(), "check"]})
        )
        raise ContractError(
            f"core.people could not be judged ({checks}). The last good table is left in place; "
            "this is a fault of the pipeline, please report it."
        ) from None
