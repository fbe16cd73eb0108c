"""What assets work with: thin doors to the warehouse, the HR systems and deskbird, each made anew
when a run starts.

Tests and benchmarks put their own in their place (``build_defs(overrides=...)``): anything with the
same methods will do. Secrets are read from the environment when a door is opened; none is ever part
of a resource or of run config.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from hris_pipeline import clock, settings
from hris_pipeline.contracts.extracts import Connection
from hris_pipeline.deskbird.scim import Service
from hris_pipeline.hris.registry import connect
from hris_pipeline.orchestration.lock import PATIENCE, Locks
from hris_pipeline.settings import Company
from hris_pipeline.warehouse import Warehouse

AS_OF = "hris_pipeline/as_of"
"""Run tag: the moment that a run takes for the present."""

Progress = Callable[[str, int, int | None], None]
"""Called with what is read or written, how many so far, and how many there are, where that is
known.
"""


class Clock:
    """The clock of a run."""

    def now(self, tags: Mapping[str, str]) -> dt.datetime:
        """The moment in the run's tag :data:`AS_OF`, else the present; in UTC."""
        return clock.parse(tags[AS_OF]).astimezone(dt.UTC) if AS_OF in tags else clock.now()


class Warehouses:
    """The DuckDB files, one for each company."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where they lie, absolute."""
        return (self._folder or settings.data_folder()).absolute()

    def of(self, company: str) -> Warehouse:
        """One company's; not opened yet."""
        return Warehouse(self.folder, company)


class Connections:
    """The HRIS accounts."""

    def open(self, company: Company, name: str) -> Connection:
        """One account of a resolved company file, ready to be read."""
        return connect(
            name,
            company.hris[name],
            company.kinds_read,
            company.sync.attributes,
            timezone=company.timezone,
        )


class Deskbirds:
    """deskbird's SCIM service, as each company has it."""

    def open(self, company: Company) -> Service:
        """The service of a resolved company file; to be closed."""
        return Service(
            company.deskbird.scim_url,
            company.deskbird.scim_token.get_secret_value(),
            requests_per_second=company.deskbird.requests_per_second,
            concurrency=company.deskbird.concurrency,
            attributes=company.sync.attributes,
        )


class NoImplicitStorage(dg.IOManager):
    """Assets keep their own tables: Dagster must not pickle people to disk."""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:  # noqa: ARG002
        """Refuse: an asset returns its :class:`~dagster.MaterializeResult` and nothing else."""
        raise dg.DagsterInvariantViolationError(
            f"{context.asset_key} returned a value, which would be pickled to disk"
        )

    def load_input(self, context: dg.InputContext) -> object:
        """Refuse: an asset reads the tables of others itself."""
        raise dg.DagsterInvariantViolationError(
            f"{context.asset_key} takes an input, which would be unpickled from disk"
        )


def company_locks(patience: float = PATIENCE) -> dg.ResourceDefinition:
    """The locks of a run; let go when it ends, whichever way."""

    def hold(_: dg.InitResourceContext) -> Iterator[Locks]:
        locks = Locks(settings.data_folder().absolute(), patience)
        try:
            yield locks
        finally:
            locks.release()

    return dg.ResourceDefinition(hold, description="One run of a company at a time")


def beginning() -> dg.ResourceDefinition:
    """When a run began, by a clock that nobody sets; for its deadline."""

    def begin(_: dg.InitResourceContext) -> float:
        return time.monotonic()

    return dg.ResourceDefinition(begin, description="When the run began")


def no_progress(what: str, done: int, total: int | None) -> None:
    """Nobody watches: the UI shows a run's steps itself."""


def resources(overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """All of them by key, some of them replaced."""
    return {
        "clock": Clock(),
        "warehouses": Warehouses(),
        "connections": Connections(),
        "deskbirds": Deskbirds(),
        "locks": company_locks(),
        "started": beginning(),
        "progress": no_progress,
        "io_manager": NoImplicitStorage(),
        **(overrides or {}),
    }
