"""Writing roles and main offices, which SCIM cannot carry, and remembering what was written."""

import datetime as dt
from collections.abc import Callable

from hris_pipeline import export
from hris_pipeline.errors import PipelineError
from hris_pipeline.export import Selection
from hris_pipeline.operations.parameters import export_rules
from hris_pipeline.operations.warehouses import warehouse_of
from hris_pipeline.settings import Company


def export_csv(
    company: Company, deliver: Callable[[str], None], *, everybody: bool, now: dt.datetime
) -> Selection:
    """Hand the file to ``deliver``; where that fails, no row counts as exported."""
    if not company.export.roles:
        raise PipelineError(
            f"{company.file} has no rules under export, so there is no role or main office to "
            "write. Nothing was written. example.yaml.txt shows how such rules look."
        )
    connections = tuple(company.hris)
    with warehouse_of(company).write(connections) as con:
        selection = export.select(con, export_rules(company), connections, now, everybody=everybody)
        export.remember(con, selection.rows, now)
        deliver(export.as_csv(selection.rows))
    return selection
