"""Everything that Dagster is to know: a set of assets, jobs, a schedule and sensors for each
company. Wiring only.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from hris_pipeline import settings
from hris_pipeline.errors import PipelineError
from hris_pipeline.operations.companies import load
from hris_pipeline.orchestration.company import company_defs, shared_defs
from hris_pipeline.settings import Company

_log = logging.getLogger(__name__)


def broken_file(name: str, problem: PipelineError) -> dg.Definitions:
    """What shows of a company whose file has a mistake: the mistake, where its assets would be. The
    other companies go on.
    """
    _log.error("Company %s is left out. %s", name, problem)
    where = re.sub(r"[^A-Za-z0-9_]", "_", name)
    file = dg.AssetSpec(
        [where, "company_file"],
        group_name="broken_company_files",
        description=str(problem),
        kinds={"yaml"},
    )
    return dg.Definitions(assets=[file])


def build_defs(
    companies: Sequence[Company] | None = None, overrides: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """All definitions, made anew.

    :param companies: these, instead of those in the companies folder
    :param overrides: resources by key, in the place of the real ones
    """
    parts = [company_defs(company) for company in companies or ()]
    if companies is None:
        for name in settings.company_names():
            try:
                parts.append(company_defs(load(name)))
            except PipelineError as problem:
                parts.append(broken_file(name, problem))
    return dg.Definitions.merge(shared_defs(overrides), *parts)


defs = build_defs()
