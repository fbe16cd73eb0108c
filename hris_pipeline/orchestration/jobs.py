"""The jobs of a company: the night, the night up to its plan, what changed since, the carrying out
of a plan, its undoing.
"""

from collections.abc import Sequence

import dagster as dg

from hris_pipeline.contracts.tables import (
    APPLIED_CHANGES,
    CHANGES,
    DESKBIRD_GROUP_MEMBERS,
    DESKBIRD_GROUPS,
    DESKBIRD_USERS,
)
from hris_pipeline.orchestration.internals import UnresolvedAssetJobDefinition
from hris_pipeline.orchestration.job_names import (
    apply_job,
    changes_job,
    dry_run_job,
    nightly_job,
    undo_job,
)
from hris_pipeline.orchestration.tables import key
from hris_pipeline.settings import Company

COMPANY = "hris_pipeline/company"
"""Run tag: whose run it is."""


def jobs(
    company: Company, assets: Sequence[dg.AssetsDefinition]
) -> list[UnresolvedAssetJobDefinition]:
    """All of them."""
    everything = dg.AssetSelection.assets(*assets)
    last = dg.AssetSelection.assets(key(company.name, APPLIED_CHANGES))
    planned = (CHANGES, DESKBIRD_USERS, DESKBIRD_GROUPS, DESKBIRD_GROUP_MEMBERS)
    tags = {COMPANY: company.name}
    return [
        dg.define_asset_job(
            nightly_job(company.name),
            selection=everything,
            tags=tags,
            description=(
                f"A night of {company.name}: read the HR system and deskbird, plan, carry out, "
                "read back."
            ),
        ),
        dg.define_asset_job(
            dry_run_job(company.name),
            selection=everything - last,
            tags=tags,
            description=(
                f"A night of {company.name} up to its plan; nothing is changed in deskbird."
            ),
        ),
        dg.define_asset_job(
            changes_job(company.name),
            selection=everything,
            tags=tags,
            description=(
                f"Between two nights of {company.name}: only what changed in the HR system; "
                "nothing is taken away."
            ),
        ),
        dg.define_asset_job(
            apply_job(company.name),
            selection=last,
            tags=tags,
            description=(
                f"Carries out what a plan of {company.name} still has to do, against what deskbird "
                "holds now."
            ),
        ),
        dg.define_asset_job(
            undo_job(company.name),
            selection=dg.AssetSelection.assets(*(key(company.name, table) for table in planned)),
            tags=tags,
            description=(
                f"Reads deskbird and plans the inverse of what a plan of {company.name} has done "
                "(run config: undoes)."
            ),
        ),
    ]
