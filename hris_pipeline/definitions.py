"""Everything that Dagster is to know: a set of assets, jobs, a schedule and sensors for each company. Wiring only."""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from hris_pipeline import settings
from hris_pipeline.errors import SettingsError
from hris_pipeline.orchestration.assets import core, deskbird, hris
from hris_pipeline.orchestration.jobs import jobs
from hris_pipeline.orchestration.resources import resources
from hris_pipeline.orchestration.schedules import nightly_schedule
from hris_pipeline.orchestration.sensors import check_sensor, night_sensor, run_sensor
from hris_pipeline.settings import Company

_log = logging.getLogger(__name__)


def company_assets(company: Company) -> list[dg.AssetsDefinition]:
    """Every table of one company, as an asset."""
    return [
        *(hris.extract(company, connection) for connection in company.hris),
        core.people_tables(company),
        core.group_tables(company),
        core.manager_graph(company),
        deskbird.users(company),
        deskbird.groups(company),
        deskbird.changes(company),
        deskbird.applied_changes(company),
    ]


def company_defs(company: Company) -> dg.Definitions:
    """One company."""
    assets = company_assets(company)
    outside = [
        *(hris.source(company, connection) for connection in company.hris),
        deskbird.source(company),
        deskbird.destination(company),
    ]
    schedule, night = nightly_schedule(company), night_sensor(company)
    return dg.Definitions(
        assets=[*assets, *outside],
        jobs=jobs(company, assets),
        schedules=[schedule] if schedule else [],
        sensors=[
            check_sensor(company, {check.key for asset in assets for check in asset.check_specs}),
            run_sensor(company),
            *([night] if night else []),
        ],
    )


def broken_file(name: str, problem: SettingsError) -> dg.Definitions:
    """What shows of a company whose file has a mistake: the mistake, where its assets would be. The other companies go on."""
    _log.error("Company %s is left out. %s", name, problem)
    where = re.sub(r"[^A-Za-z0-9_]", "_", name)
    file = dg.AssetSpec([where, "company_file"], group_name="broken_company_files", description=str(problem), kinds={"yaml"})
    return dg.Definitions(assets=[file])


def build_defs(companies: Sequence[Company] | None = None, overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """All definitions, made anew.

    :param companies: these, instead of those in the companies folder
    :param overrides: resources by key, in the place of the real ones
    """
    parts = [company_defs(company) for company in companies or ()]
    if companies is None:
        for name in settings.company_names():
            try:
                parts.append(company_defs(settings.load(name)))
            except SettingsError as problem:
                parts.append(broken_file(name, problem))
    shared = dg.Definitions(resources=resources(overrides), executor=dg.in_process_executor)
    return dg.Definitions.merge(shared, *parts)


defs = build_defs()
