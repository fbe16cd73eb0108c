"""A deployment whose one connection, called ``personio`` like everywhere in these tests, reads the
company through Merge.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hris_pipeline.sandbox.company import Tenant
from hris_pipeline.sandbox.deskbird import DeskbirdApp
from hris_pipeline.sandbox.faults import Faults
from hris_pipeline.sandbox.hris.merge import ACCOUNT_TOKEN, API_KEY, merge_app
from hris_pipeline.sandbox.server import serve
from hris_pipeline_tests.end_to_end.deployment import Deployment, deployed


@contextlib.contextmanager
def through_merge(
    folder: Path,
    tenant: Tenant,
    faults: Faults | None = None,
    deskbird: DeskbirdApp | None = None,
    **options: Any,
) -> Iterator[Deployment]:
    """A company that is up; ``options`` are the connection's."""
    with serve(merge_app(tenant, faults=faults, plan=None)) as merge:
        account = {
            "system": "merge",
            "base_url": f"{merge.url}/api",
            "api_key": API_KEY,
            "account_token": ACCOUNT_TOKEN,
            "options": {"requests_per_minute": 100_000, **options},
        }
        with deployed(
            folder, tenant, deskbird=deskbird, more={"hris": {"personio": account}}
        ) as company:
            yield company
