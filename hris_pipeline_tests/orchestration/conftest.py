"""A whole company for each test: Personio and deskbird over real HTTP, a company file, a data
folder and a Dagster instance.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from hris_pipeline import settings
from hris_pipeline.orchestration.resources import company_locks
from hris_pipeline.sandbox.company import Tenant, generate
from hris_pipeline.sandbox.deskbird import TOKEN, deskbird_app
from hris_pipeline.sandbox.faults import Faults
from hris_pipeline.sandbox.hris.personio import CREDENTIAL, personio_app
from hris_pipeline.sandbox.server import serve
from hris_pipeline_tests.orchestration.office import HastyConnections, HastyDeskbirds, Office
from hris_pipeline_tests.records import in_memory


@pytest.fixture(scope="session")
def doors() -> Iterator[tuple[str, dict[str, Any]]]:
    """One server for all stand-ins, each under a path of its own."""
    apps: dict[str, Any] = {}

    async def dispatch(scope, receive, send):
        prefix = "/" + scope["path"].split("/")[1]
        await apps[prefix](
            {**scope, "path": scope["path"].removeprefix(prefix), "root_path": ""}, receive, send
        )

    with serve(dispatch) as server:
        yield server.url, apps


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with in_memory() as made:
        yield made


_numbers = itertools.count(1)


@contextlib.contextmanager
def offices(
    doors: tuple[str, dict[str, Any]], instance: dg.DagsterInstance, folder: Path
) -> Iterator[Callable[..., Office]]:
    """What makes companies, whose files and data lie in the folder; they are closed at the end."""
    url, apps = doors
    companies, data = folder / "companies", folder / "data"
    companies.mkdir()
    made: list[str] = []

    def make(
        name: str = "acme",
        tenant: Tenant | None = None,
        *,
        schedule: str | None = None,
        api: str = "v1",
        more: str = "",
    ) -> Office:
        number = next(_numbers)
        tenant, faults, desk = (
            tenant or generate(23),
            Faults(),
            deskbird_app(None, requests_per_second=None),
        )
        apps[f"/personio{number}"] = personio_app(tenant, faults=faults, rates=False)
        apps[f"/deskbird{number}"] = desk
        made.extend((f"/personio{number}", f"/deskbird{number}"))
        (companies / f"{name}.yaml").write_text(f"""
timezone: Europe/Berlin
schedule: {"null" if schedule is None else f'"{schedule}"'}
hris:
  personio:
    system: personio
    base_url: {url}/personio{number}
    client_id: {CREDENTIAL.client_id}
    client_secret: ${{SANDBOX_SECRET}}
    options: {{api: {api}, requests_per_second: 1000}}
deskbird:
  scim_url: {url}/deskbird{number}/v2/scim
  scim_token: {TOKEN}
{more}""")
        overrides = {
            "connections": HastyConnections(),
            "deskbirds": HastyDeskbirds(),
            "locks": company_locks(0.2),
        }
        return Office(name, tenant, faults, desk, companies, data, instance, overrides)

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(settings.COMPANIES_VARIABLE, str(companies))
        environment.setenv(settings.DATA_VARIABLE, str(data))
        environment.setenv("SANDBOX_SECRET", CREDENTIAL.client_secret)
        yield make
    for prefix in made:
        del apps[prefix]


@pytest.fixture
def make_office(doors, instance, tmp_path) -> Iterator[Callable[..., Office]]:
    with offices(doors, instance, tmp_path) as make:
        yield make


@pytest.fixture
def office(make_office) -> Office:
    """A generated company of 23 people."""
    return make_office()
