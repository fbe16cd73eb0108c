"""Stand-ins served over real HTTP, all behind one server: each test gets its own under a path
prefix.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from hris_pipeline.sandbox.company import Tenant, generate, load_company
from hris_pipeline.sandbox.faults import Faults
from hris_pipeline.sandbox.hris.personio import CREDENTIAL, Credential, personio_app
from hris_pipeline.sandbox.server import serve


@dataclass
class Personio:
    """A Personio of one test's own, and a client that is logged in."""

    url: str
    tenant: Tenant
    faults: Faults
    http: httpx.Client = field(repr=False)

    def log_in(self, credential: Credential = CREDENTIAL, **form: str) -> httpx.Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": credential.client_id,
            "client_secret": credential.client_secret,
            **form,
        }
        answer = self.http.post("/v2/auth/token", data=form)
        if answer.status_code == 200:
            self.http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer

    def get(self, path: str, status: int = 200, /, **params: Any) -> Any:
        answer = self.http.get(path, params=params or None, headers={"Beta": "true"})
        assert answer.status_code == status
        return answer.json()

    def walk(self, path: str, /, **params: Any) -> list[Any]:
        """All records of a v2 list, page after page."""
        page = self.get(path, **params)
        records = list(page["_data"])
        while "next" in page["_meta"]["links"]:
            page = self.get(page["_meta"]["links"]["next"]["href"])
            records += page["_data"]
        return records

    def employees(self, limit: int = 100, **params: Any) -> list[Any]:
        """All records of v1, page after page."""
        records: list[Any] = []
        while True:
            page = self.get("/v1/company/employees", limit=limit, offset=len(records), **params)
            records += page["data"]
            if (
                not page["data"]
                or page["metadata"]["current_page"] >= page["metadata"]["total_pages"] - 1
            ):
                return records


@pytest.fixture(scope="session")
def personio_host() -> Iterator[tuple[str, dict[str, Any]]]:
    apps: dict[str, Any] = {}

    async def dispatch(scope, receive, send):
        prefix = "/" + scope["path"].split("/")[1]
        await apps[prefix]({**scope, "root_path": prefix}, receive, send)

    with serve(dispatch) as server:
        yield server.url, apps


_numbers = itertools.count(1)


@pytest.fixture
def make_personio(personio_host) -> Iterator[Callable[..., Personio]]:
    url, apps = personio_host
    made: list[tuple[str, httpx.Client]] = []

    def make(
        tenant: Tenant | None = None, *, rates: bool = False, log_in: bool = True, **options: Any
    ) -> Personio:
        prefix = f"/tenant{next(_numbers)}"
        tenant, faults = tenant or generate(23), Faults()
        apps[prefix] = personio_app(tenant, faults=faults, rates=rates, **options)
        client = httpx.Client(base_url=url + prefix, timeout=10)
        made.append((prefix, client))
        personio = Personio(url + prefix, tenant, faults, client)
        if log_in:
            assert personio.log_in().status_code == 200
            faults.forget()
        return personio

    yield make
    for prefix, client in made:
        client.close()
        del apps[prefix]


@pytest.fixture
def personio(make_personio) -> Personio:
    """A generated company of 23 people, no rate limits."""
    return make_personio()


@pytest.fixture
def sample_personio(make_personio) -> Personio:
    """The sample company, no rate limits."""
    return make_personio(load_company())
