"""How a table appears in the UI: its asset, made from its contract, and what a run tells about it
in numbers.
"""

import functools
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from hris_pipeline.contracts.tables import Column, Table
from hris_pipeline.settings import Company

Metadata = Mapping[str, dg.MetadataValue[Any] | str | int]

OWNERS = ("team:people-data",)
_PACKAGE = Path(__file__).parents[1]
_VOLATILE = {
    "quarantine": ("last_seen",),
    "changes": ("plan_id",),
    "applied_changes": ("plan_id", "applied_at"),
    "photos": ("content", "record_updated_at", "asked_at"),
}


def key(company: str, table: Table) -> dg.AssetKey:
    """``[company, schema, table]``: the place of the DuckDB table, and the asset's name."""
    return dg.AssetKey([company, table.schema, table.name])


def spec(
    company: Company,
    table: Table,
    *,
    deps: Iterable[dg.AssetKey],
    stage: str,
    kinds: set[str],
    code: str,
) -> dg.AssetSpec:
    """The asset of one table. Its columns, their meaning and what may hold personal data come from
    the contract.
    """
    return dg.AssetSpec(
        key(company.name, table),
        deps=list(deps),
        description=f"{table.row[0].upper()}{table.row[1:]}.",
        group_name=f"{company.name}_{stage}",
        kinds=kinds,
        owners=OWNERS,
        code_version=code,
        tags={"pii": "true"} if any(column.personal for column in table.columns) else {},
        metadata={
            "dagster/column_schema": dg.TableSchema(
                columns=[_shown(column, table) for column in table.columns]
            ),
            "dagster/table_name": f"{table.schema}.{table.name}",
        },
    )


def _shown(column: Column, table: Table) -> dg.TableColumn:
    rules = [f"{rule.name}: {rule.doc}" for rule in table.rules if rule.column == column.name]
    values = [f"one of {', '.join(column.values)}"] if column.values else []
    return dg.TableColumn(
        column.name,
        type=column.type,
        description=column.doc,
        constraints=dg.TableColumnConstraints(
            column.nullable, unique=table.key == (column.name,), other=[*rules, *values]
        ),
        tags={"pii": ""} if column.personal else {},
    )


def code_version(company: Company, *sources: str) -> str:
    """Changes when a Python or SQL file below ``sources`` (paths in the package) or the company
    file does.
    """
    return hashlib.sha256(
        "".join((company.fingerprint(), *map(_digest, sources))).encode()
    ).hexdigest()[:16]


@functools.cache
def _digest(source: str) -> str:
    where = _PACKAGE / source
    files = (
        [where]
        if where.is_file()
        else sorted(file for file in where.rglob("*") if file.suffix in {".py", ".sql"})
    )
    if not files:
        raise FileNotFoundError(f"There is no source file at {where}.")
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def result(
    con: duckdb.DuckDBPyConnection, company: Company, table: Table, counts: Metadata
) -> dg.MaterializeResult[None]:
    """What a run tells about a table that it publishes; to be yielded once the transaction is
    committed.

    The data version is a digest of the content, whatever its order, so that an unchanged table
    leaves nothing below it stale.
    """
    columns = ", ".join(
        f'"{name}"' for name in table.names if name not in _VOLATILE.get(table.name, ())
    )
    row = con.execute(
        f"select count(*), coalesce(sum(hash({columns})), 0) from {table.qualified}"
    ).fetchone() or (0, 0)
    return dg.MaterializeResult(
        asset_key=key(company.name, table),
        data_version=dg.DataVersion(f"{row[0]:x}-{row[1]:x}"),
        metadata={"dagster/row_count": row[0], **_lineage(company, table), **counts},
    )


def _lineage(company: Company, table: Table) -> dict[str, dg.TableColumnLineage]:
    """Which columns each column is made of; ``hris`` in a contract stands for every connection's
    schema.
    """
    found: dict[str, list[dg.TableColumnDep]] = {}
    for column in table.columns:
        for source in column.comes_from:
            schema, name, attribute = source.split(".")
            schemas = (
                [f"hris_{connection}" for connection in company.hris]
                if schema == "hris"
                else [schema]
            )
            for place in schemas:
                dep = dg.TableColumnDep(dg.AssetKey([company.name, place, name]), attribute)
                found.setdefault(column.name, []).append(dep)
    return {"dagster/column_lineage": dg.TableColumnLineage(found)} if found else {}
