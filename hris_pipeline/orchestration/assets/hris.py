"""What the HR systems gave: one set of tables per connection, read completely or not at all."""

from collections.abc import Iterator

import dagster as dg

from hris_pipeline import contracts
from hris_pipeline.hris.extract import Extract
from hris_pipeline.orchestration import checks
from hris_pipeline.orchestration.step import REQUIRED, step
from hris_pipeline.orchestration.tables import code_version, result, spec
from hris_pipeline.settings import Company
from hris_pipeline.warehouse import loading


def source(company: Company, connection: str) -> dg.AssetSpec:
    """The HR system itself: where the lineage begins."""
    from hris_pipeline.hris.systems import SYSTEMS

    system = SYSTEMS[company.hris[connection].system]
    return dg.AssetSpec(
        [company.name, "sources", connection],
        group_name=f"{company.name}/sources",
        description=f"{system.title}, as connection '{connection}' of {company.name}: the HR system. {system.capabilities.completeness}.",
        kinds={system.name},
    )


def extract(company: Company, connection: str) -> dg.AssetsDefinition:
    """``hris_<connection>.employees`` and ``org_units`` from one read of the HR system."""
    schema = f"hris_{connection}"
    tables = {"employees": contracts.EMPLOYEES.at(schema), "org_units": contracts.ORG_UNITS.at(schema)}
    code = code_version(company, "hris", "http.py", "contracts.py", "warehouse/loading.py")
    system = company.hris[connection].system

    @dg.multi_asset(
        name=f"{company.name}__{schema}",
        description=f"Reads people and organisational units from connection '{connection}'.",
        specs=[
            spec(company, table, deps=[source(company, connection).key], stage=schema, kinds={system, "duckdb"}, code=code)
            for table in tables.values()
        ],
        check_specs=[checks.check(company.name, table, checks.EXTRACT_IS_PROVEN) for table in tables.values()],
        pool=company.name,
        required_resource_keys=REQUIRED,
    )
    def extract(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        with step(context, company) as here:
            with here.scratch() as folder:
                extracts = here.connections.open(here.resolved, connection).read(folder, here.progress)
                with here.warehouse.write((connection,)) as con:
                    loading.publish_extracts(con, connection, extracts, here.now)
                    published = [result(con, company, tables[one.resource], _counts(one)) for one in extracts]
            yield from published
            for one in extracts:
                yield checks.verdict(
                    company.name,
                    tables[one.resource],
                    checks.EXTRACT_IS_PROVEN,
                    passed=one.proof == "proven",
                    severity=checks.WARN,
                    why=one.why,
                    counts=_counts(one),
                )

    return extract


def _counts(extract: Extract) -> dict[str, int]:
    counts = {"pages": extract.pages, "records": extract.records, "attributes_vanished": len(extract.vanished)}
    return counts if extract.expected is None else {**counts, "records_expected": extract.expected}
