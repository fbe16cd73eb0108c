"""A stand-in for Merge over real HTTP, and a client with both credentials."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from hris_pipeline.sandbox.company import Tenant, generate
from hris_pipeline.sandbox.faults import Fault, Faults
from hris_pipeline.sandbox.hris.merge import ACCOUNT_TOKEN, API_KEY, PREFIX, merge_app
from hris_pipeline.sandbox.server import serve

LISTS = ("/employees", "/employments", "/groups", "/teams", "/locations", "/companies")
SIGNED = {"Authorization": f"Bearer {API_KEY}", "X-Account-Token": ACCOUNT_TOKEN}


@dataclass
class MergeHost:
    """One stand-in of a test's own."""

    url: str
    tenant: Tenant
    faults: Faults
    http: httpx.Client = field(repr=False)

    def ask(self, path: str, /, **query: Any) -> httpx.Response:
        return self.http.get(f"{PREFIX}{path}", params=query or None)

    def get(self, path: str, status: int = 200, /, **query: Any) -> Any:
        answer = self.ask(path, **query)
        assert answer.status_code == status, answer.text
        return answer.json()

    def walk(self, path: str, /, **query: Any) -> list[Any]:
        """All rows of a list, page after page."""
        page = self.get(path, **query)
        rows = list(page["results"])
        while page["next"]:
            page = self.get(path, **{**query, "cursor": page["next"]})
            rows += page["results"]
        return rows

    def fault(self, on: str, kind: str, **more: Any) -> None:
        self.faults.add(Fault(f"{PREFIX}{on}", kind, **{"times": None, **more}))


@contextlib.contextmanager
def merge_host(tenant: Tenant | None = None, **more: Any) -> Iterator[MergeHost]:
    """A Merge whose company has 23 people, or the one given; no limits unless a plan is given."""
    tenant, faults = tenant or generate(23), Faults()
    with (
        serve(merge_app(tenant, faults=faults, **{"plan": None, **more})) as server,
        httpx.Client(base_url=server.url, headers=SIGNED, timeout=10) as client,
    ):
        yield MergeHost(server.url, tenant, faults, client)
