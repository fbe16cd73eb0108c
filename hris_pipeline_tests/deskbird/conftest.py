"""A sandbox deskbird on loopback and a service that talks to it."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hris_pipeline.deskbird.scim import Service
from hris_pipeline.http import RetryPolicy
from hris_pipeline.sandbox.deskbird import PREFIX, TOKEN, deskbird_app
from hris_pipeline.sandbox.faults import Faults
from hris_pipeline.sandbox.server import serve
from hris_pipeline_tests.deskbird.scim_edge import HASTY, Edge


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Edge]]:
    """Start a deskbird; options are those of :func:`deskbird_app`, without its rate limit."""
    with contextlib.ExitStack() as stack:

        def begin(
            *,
            concurrency: int = 4,
            patience: RetryPolicy = HASTY,
            timeout: float = 5.0,
            **options: Any,
        ) -> Edge:
            app = deskbird_app(**{"faults": Faults(), "requests_per_second": None, **options})
            server = stack.enter_context(serve(app))
            service = Service(
                server.url + PREFIX,
                TOKEN,
                requests_per_second=None,
                concurrency=concurrency,
                patience=patience,
                timeout=timeout,
            )
            stack.enter_context(service)
            return Edge(app, service, tmp_path / "acme.journal")

        yield begin
