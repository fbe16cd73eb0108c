"""A Personio on the loopback address, and an account that is read quickly."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from hris_pipeline.contracts.extracts import Connection, Extract
from hris_pipeline.hris.registry import SYSTEMS
from hris_pipeline.http import RetryPolicy
from hris_pipeline.sandbox.company import Tenant, generate
from hris_pipeline.sandbox.faults import Fault, Faults
from hris_pipeline.sandbox.hris.personio import (
    ATTRIBUTES,
    CREDENTIAL,
    SCOPES,
    Credential,
    personio_app,
)
from hris_pipeline.sandbox.server import App, Server, serve
from hris_pipeline_tests.hris.feed import Feed
from hris_pipeline_tests.hris.merge_account import MergeAccount, account

ALL_KINDS = ("team", "department", "cost_center", "location", "legal_entity")
PEOPLE = 230  # three pages in v1, five in v2


@pytest.fixture
def rows() -> Callable[[Path], list[dict[str, Any]]]:
    """Gives what an extract's file holds."""

    def read(path: Path) -> list[dict[str, Any]]:
        with path.open("rb") as file:
            return pa.ipc.open_stream(file).read_all().to_pylist()

    return read


@dataclass
class Account:
    """One sandbox, and reading from it."""

    url: str
    directory: Path
    tenant: Tenant
    faults: Faults
    credentials: dict[str, str]
    progress: list[tuple[str, int, int | None]] = field(default_factory=list)

    def read(
        self, api: str, kinds: tuple[str, ...] = ALL_KINDS, timeout: float = 10.0, **options: Any
    ) -> tuple[Extract, ...]:
        """Read everything, waiting for hardly anything."""
        return self.connection(api, kinds, timeout, **options).read(
            self.directory, lambda *news: self.progress.append(news)
        )

    def connection(
        self, api: str, kinds: tuple[str, ...] = ALL_KINDS, timeout: float = 10.0, **options: Any
    ) -> Connection:
        """The account, waiting for hardly anything."""
        system = SYSTEMS["personio"]
        return system.connect(
            "personio",
            base_url=self.url,
            credentials=self.credentials,
            options=system.options(api=api, **{"requests_per_second": 5000, **options}),
            kinds=kinds,
            patience=RetryPolicy(
                tries=3,
                refusals=400,
                first_wait=0.001,
                longest_wait=0.01,
                longest_retry_after=0.05,
                in_all=20,
            ),
            timeout=timeout,
        )

    def fault(self, on: str, kind: str, **more: Any) -> None:
        """Switch a fault on."""
        self.faults.add(Fault(on, kind, **more))

    def queries(self, on: str) -> list[str]:
        """The queries of the requests so far."""
        return [request.query for request in self.faults.requests(on)]


@pytest.fixture
def personio(tmp_path: Path) -> Iterator[Callable[..., Account]]:
    """Makes accounts of a Personio whose company has 230 people, or the one given."""
    servers: list[Server] = []

    def make(
        tenant: Tenant | None = None,
        *,
        attributes: tuple[str, ...] = ATTRIBUTES,
        scopes: frozenset[str] = SCOPES,
        **more: Any,
    ) -> Account:
        tenant = tenant or generate(PEOPLE)
        faults = Faults()
        credential = Credential(scopes=scopes)
        app = personio_app(
            tenant,
            faults=faults,
            rates=False,
            credentials=(credential,),
            attributes=attributes,
            **more,
        )
        server = serve(app)
        server.__enter__()
        servers.append(server)
        given = {"client_id": CREDENTIAL.client_id, "client_secret": CREDENTIAL.client_secret}
        return Account(server.url, tmp_path, tenant, faults, given)

    yield make
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture
def merge(tmp_path: Path) -> Iterator[Callable[..., MergeAccount]]:
    """Makes accounts of a Merge whose company has 230 people, or the one given."""
    with contextlib.ExitStack() as stack:
        yield lambda tenant=None, **more: stack.enter_context(account(tmp_path, tenant, **more))


def scripted_app(answers: dict[str, Any]) -> App:
    """An ASGI app that answers each path with what is given: bytes, or whatever JSON can say; all
    else 404.
    """

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        query = scope["query_string"].decode()
        path = scope["path"]
        answer = answers.get(f"{path}?{query}", answers.get(path))
        body = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send(
            {
                "type": "http.response.start",
                "status": 404 if answer is None else 200,
                "headers": headers,
            }
        )
        await send({"type": "http.response.body", "body": body})

    return app


TOKENS = {
    "/v1/auth": {"success": True, "data": {"token": "t"}},
    "/v2/auth/token": {"access_token": "t"},
}


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Callable[[dict[str, Any]], Account]]:
    """Makes accounts of a Personio that gives fixed answers by path."""
    servers: list[Server] = []

    def make(answers: dict[str, Any]) -> Account:
        server = serve(scripted_app({**TOKENS, **answers}))
        server.__enter__()
        servers.append(server)
        return Account(
            server.url, tmp_path, generate(1), Faults(), {"client_id": "a", "client_secret": "b"}
        )

    yield make
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    """A feed of files in a folder of its own."""
    (tmp_path / "inbox").mkdir()
    return Feed(tmp_path / "inbox", tmp_path / "scratch")
