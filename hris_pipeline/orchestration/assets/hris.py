"""What the HR systems gave: one set of tables per connection, read completely or not at all."""

import datetime as dt
from pathlib import Path
from typing import cast

import dagster as dg

from hris_pipeline.contracts.extracts import ChangesConnection, Extract
from hris_pipeline.contracts.tables import EMPLOYEES, ORG_UNITS, Table
from hris_pipeline.errors import PipelineError
from hris_pipeline.hris.extract import nothing_read
from hris_pipeline.hris.registry import SYSTEMS
from hris_pipeline.orchestration import checks
from hris_pipeline.orchestration.job_names import changes_job, nightly_job
from hris_pipeline.orchestration.step import Events, Step, assets
from hris_pipeline.orchestration.tables import code_version, result, spec
from hris_pipeline.settings import Company
from hris_pipeline.warehouse import loading


def source(company: Company, connection: str) -> dg.AssetSpec:
    """The HR system itself: where the lineage begins."""
    system = SYSTEMS[company.hris[connection].system]
    return dg.AssetSpec(
        [company.name, "sources", connection],
        group_name=f"{company.name}_hris",
        description=(
            f"{system.title}, connection '{connection}' of {company.name}: where the data comes "
            f"from. Completeness: {system.capabilities.completeness}."
        ),
        kinds={system.name},
    )


def extract(company: Company, connection: str) -> dg.AssetsDefinition:
    """``hris_<connection>.employees`` and ``org_units`` from one read of the HR system."""
    schema = f"hris_{connection}"
    tables = {"employees": EMPLOYEES.at(schema), "org_units": ORG_UNITS.at(schema)}
    code = code_version(company, "hris", "http.py", "arrow.py", "contracts", "warehouse/loading.py")
    system = company.hris[connection].system

    @assets(
        company,
        name=schema,
        description=f"Reads people and organisational units from connection '{connection}'.",
        specs=[
            spec(
                company,
                table,
                deps=[source(company, connection).key],
                stage="hris",
                kinds={system, "duckdb"},
                code=code,
            )
            for table in tables.values()
        ],
        checks=[
            *(
                checks.check(company.name, table, checks.EXTRACT_IS_PROVEN)
                for table in tables.values()
            ),
            checks.check(company.name, tables["employees"], checks.SOURCE_STILL_CHANGES),
        ],
    )
    def extract(here: Step) -> Events:
        between_nights = here.job == changes_job(company.name)
        with here.scratch() as folder:
            extracts = (
                _changes(here, connection, folder)
                if between_nights
                else _everything(here, connection, folder)
            )
            with here.warehouse.write((connection,)) as con:
                loading.publish_extracts(con, connection, extracts, here.now)
                published = [
                    result(con, company, tables[one.resource], _counts(one)) for one in extracts
                ]
                changed_at = loading.unchanged_since(con, connection, "employees") or here.now
        yield from published
        for one in extracts:
            yield checks.verdict(
                company.name,
                tables[one.resource],
                checks.EXTRACT_IS_PROVEN,
                # of a partial one no proof is expected
                passed=one.partial or one.proof == "proven",
                severity=checks.WARN,
                why=one.why,
                counts=_counts(one),
            )
        yield _source_still_changes(
            company, connection, tables["employees"], (here.now - changed_at).days
        )

    return extract


_NO_CHANGES = (
    "Not read: this system cannot say what changed since a moment. The next night reads it "
    "completely."
)
_OVERLAP = dt.timedelta(hours=1)  # clocks differ; what comes twice does no harm (case 19)


def _everything(here: Step, connection: str, folder: Path) -> tuple[Extract, ...]:
    return here.connections.open(here.resolved, connection).read(folder, here.progress)


def _changes(here: Step, connection: str, folder: Path) -> tuple[Extract, ...]:
    """What changed since the last complete read; nothing where the system cannot say.

    Either way nothing is proven until the next night: a day may have ended since, and with it
    somebody's last one.
    """
    if not SYSTEMS[here.company.hris[connection].system].reads_changes:
        return nothing_read(folder, _NO_CHANGES)
    with here.warehouse.write((connection,)) as con:
        last = loading.read_completely_at(con, connection)
    if last is None:
        raise PipelineError(
            f"Connection '{connection}' of {here.company.name} was never read completely, so "
            "changes could be added to nothing. Nothing was read. Run "
            f"{nightly_job(here.company.name)} first."
        )
    account = cast("ChangesConnection", here.connections.open(here.resolved, connection))
    return account.read(folder, here.progress, last - _OVERLAP)


def _source_still_changes(
    company: Company, connection: str, table: Table, days: int
) -> dg.AssetCheckResult:
    limit = company.hris[connection].quiet_days
    passed = limit is None or days < limit
    why = (
        f"Connection '{connection}' has given exactly the same people for {days} days. See whether "
        "its data feed stands still. Nothing is held back. If that is usual here, raise "
        f"hris.{connection}.quiet_days (now {limit})."
    )
    counts = {"days_without_change": days}
    return checks.verdict(
        company.name,
        table,
        checks.SOURCE_STILL_CHANGES,
        passed=passed,
        severity=checks.WARN,
        why=None if passed else why,
        counts=counts,
    )


def _counts(extract: Extract) -> dict[str, int]:
    counts = {
        "pages": extract.pages,
        "records": extract.records,
        "attributes_vanished": len(extract.vanished),
    }
    return counts if extract.expected is None else {**counts, "records_expected": extract.expected}
