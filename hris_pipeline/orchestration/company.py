"""One company: its assets, jobs, schedule and sensors, and the lineage from its HR systems to its
deskbird.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from hris_pipeline.orchestration.assets import applied, core, hris, observed, photos, plan
from hris_pipeline.orchestration.decision import decisions_of
from hris_pipeline.orchestration.jobs import COMPANY, jobs
from hris_pipeline.orchestration.resources import resources
from hris_pipeline.orchestration.schedules import schedules
from hris_pipeline.orchestration.sensors import check_sensor, night_sensor, run_sensor
from hris_pipeline.settings import Company


def company_assets(company: Company) -> list[dg.AssetsDefinition]:
    """Every table of one company, as an asset."""
    return [
        *(hris.extract(company, connection) for connection in company.hris),
        core.people_tables(company),
        core.group_tables(company),
        core.manager_graph(company),
        *photos.photos(company),
        observed.users(company),
        observed.groups(company),
        plan.changes(company),
        applied.applied_changes(company),
    ]


def company_defs(company: Company) -> dg.Definitions:
    """One company."""
    assets = company_assets(company)
    outside = [
        *(hris.source(company, connection) for connection in company.hris),
        observed.source(company),
        applied.destination(company),
    ]
    night = night_sensor(company)
    return dg.Definitions(
        assets=[*assets, *outside],
        jobs=[*jobs(company, assets), decisions_of(company, {COMPANY: company.name})],
        schedules=schedules(company),
        sensors=[
            check_sensor(company, {check.key for asset in assets for check in asset.check_specs}),
            run_sensor(company),
            *([night] if night else []),
        ],
    )


def shared_defs(overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """What all companies share: the resources, some of them replaced, and one process for all steps
    of a run.
    """
    return dg.Definitions(resources=resources(overrides), executor=dg.in_process_executor)
