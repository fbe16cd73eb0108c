"""A Merge on the loopback address, and an account of it that is read quickly."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from hris_pipeline import clock
from hris_pipeline.contracts.extracts import Extract
from hris_pipeline.contracts.probes import Probe
from hris_pipeline.hris.registry import SYSTEMS
from hris_pipeline.hris.systems.merge import Merge
from hris_pipeline.hris.systems.merge.units import KINDS
from hris_pipeline.http import RetryPolicy
from hris_pipeline.sandbox.company import Tenant, generate
from hris_pipeline.sandbox.faults import Fault, Faults
from hris_pipeline.sandbox.hris.merge import ACCOUNT_TOKEN, API_KEY, PREFIX, merge_app
from hris_pipeline.sandbox.server import App, serve

# when the sample and the generated company are read
NIGHT = dt.datetime(2026, 3, 2, 3, 30, tzinfo=dt.UTC)
PEOPLE = 230
PATIENCE = RetryPolicy(
    tries=3, refusals=60, first_wait=0.001, longest_wait=0.01, longest_retry_after=0.05, in_all=20
)


@dataclass
class MergeAccount:
    """One stand-in, and reading from it."""

    url: str
    directory: Path
    tenant: Tenant
    faults: Faults
    credentials: dict[str, str] = field(
        default_factory=lambda: {"api_key": API_KEY, "account_token": ACCOUNT_TOKEN}
    )
    progress: list[tuple[str, int, int | None]] = field(default_factory=list)

    def connect(self, kinds: tuple[str, ...] = KINDS, **options: Any) -> Merge:
        system = SYSTEMS["merge"]
        return system.connect(  # type: ignore[call-arg, return-value]
            "merge",
            base_url=f"{self.url}/api",
            credentials=self.credentials,
            options=system.options(**{"requests_per_minute": 300_000, **options}),
            kinds=kinds,
            patience=PATIENCE,
            timeout=10.0,
        )

    def read(
        self, kinds: tuple[str, ...] = KINDS, since: dt.datetime | None = None, **options: Any
    ) -> tuple[Extract, Extract]:
        """Read, waiting for hardly anything."""
        return self.connect(kinds, **options).read(
            self.directory, lambda *news: self.progress.append(news), since
        )

    def probes(self, kinds: tuple[str, ...] = KINDS) -> list[Probe]:
        return list(self.connect(kinds).probes())

    def fault(self, on: str, kind: str, **more: Any) -> None:
        """Switch a fault on; ``on`` is a path below the API's prefix."""
        self.faults.add(Fault(f"{PREFIX}{on}", kind, **{"times": None, **more}))

    def change(self, on: str, *ids: int | str, **fields: Any) -> None:
        """Let the rows with these ids or remote_ids (all) have other fields."""
        self.fault(on, "change", value={"ids": [str(each) for each in ids], "with": fields})

    def first_page(self, on: str) -> list[dict[str, Any]]:
        """The first page of a list, as Merge gives it."""
        signed = {"Authorization": f"Bearer {API_KEY}", "X-Account-Token": ACCOUNT_TOKEN}
        results: list[dict[str, Any]] = httpx.get(f"{self.url}{PREFIX}{on}", headers=signed).json()[
            "results"
        ]
        return results

    def asked(self, on: str = "*") -> list[tuple[str, str]]:
        """Path below the prefix and query of the requests so far."""
        return [
            (each.path.removeprefix(PREFIX), each.query)
            for each in self.faults.requests(f"{PREFIX}{on}")
        ]


@contextlib.contextmanager
def account(
    directory: Path, tenant: Tenant | None = None, *, app: App | None = None, **more: Any
) -> Iterator[MergeAccount]:
    """A Merge whose company has 230 people, or the one given; or another app. The pipeline's clock
    stands at NIGHT.
    """
    tenant, faults = tenant or generate(PEOPLE), Faults()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(clock.VARIABLE, NIGHT.isoformat())
        with serve(app or merge_app(tenant, faults=faults, **{"plan": None, **more})) as server:
            yield MergeAccount(server.url, directory, tenant, faults)
