"""One step of a run: its lock, its clock, its folder, and errors that people can read.

What leaves a step as an error is one of our sentences, or the type and the place of what nobody expected: libraries put the values
they stumble over into their errors, and Dagster keeps errors for ever.
"""

import contextlib
import datetime as dt
import shutil
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import dagster as dg
import duckdb

from hris_pipeline import plan, settings
from hris_pipeline.deskbird import journal
from hris_pipeline.errors import PipelineError, WarehouseError
from hris_pipeline.orchestration.resources import Clock, Connections, Deskbirds, Progress, Warehouses
from hris_pipeline.settings import Company
from hris_pipeline.warehouse import Warehouse

REQUIRED = {"clock", "warehouses", "connections", "deskbirds", "locks", "progress"}
"""The resources of every asset."""


@dataclass(frozen=True)
class Step:
    """What an asset works with."""

    context: dg.AssetExecutionContext
    company: Company  # as the file has it: references to the environment are not filled in
    warehouse: Warehouse

    def time(self) -> dt.datetime:
        """What the run's clock shows."""
        timer: Clock = self.context.resources.clock
        return timer.now(self.context.run.tags)

    @cached_property
    def now(self) -> dt.datetime:
        """The moment that the step takes for the present, from its beginning to its end."""
        return self.time()

    @property
    def run_id(self) -> str:
        """The run it is part of."""
        return self.context.run.run_id

    @property
    def journal(self) -> Path:
        """Where this company's writes are journalled."""
        return self.warehouse.path.with_suffix(".journal")

    @property
    def connections(self) -> Connections:
        """The HRIS accounts."""
        found: Connections = self.context.resources.connections
        return found

    @property
    def deskbirds(self) -> Deskbirds:
        """deskbird."""
        found: Deskbirds = self.context.resources.deskbirds
        return found

    @property
    def progress(self) -> Progress:
        """Whom to tell how far it has got."""
        found: Progress = self.context.resources.progress
        return found

    @cached_property
    def resolved(self) -> Company:
        """The company with the environment's values in; only what goes outside needs it, so only that fails without."""
        return settings.resolve(self.company)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder of our own for what is read before it is loaded; gone when the block ends, and when the next run begins."""
        folder = _scratch(self.warehouse)
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            yield folder
        except OSError as problem:
            raise WarehouseError(
                f"{folder} cannot be used ({problem.strerror}). Nothing was published. Make room there or make the folder writable, then run again."
            ) from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def step(context: dg.AssetExecutionContext, company: Company) -> Iterator[Step]:
    """Begin a step: the first one of a run takes the company's lock and brings in what a killed run left behind."""
    with told():
        warehouses: Warehouses = context.resources.warehouses
        begun = Step(context, company, warehouses.of(company.name))
        if context.resources.locks.hold(company.name, begun.run_id):
            shutil.rmtree(_scratch(begun.warehouse), ignore_errors=True)
            if begun.journal.exists():
                with begun.warehouse.write(tuple(company.hris)) as con:
                    fold(begun, con)
                journal.clear(begun.journal)
        yield begun


def fold(begun: Step, con: duckdb.DuckDBPyConnection) -> None:
    """Bring the journal into the warehouse's ledger; it is cleared once that is committed, and a kill in between folds it again."""
    plan.fold_journal(con, journal.read(begun.journal), begun.now)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn every error into a :class:`~dagster.Failure` whose text is safe to keep and to show. Nothing is tried again."""
    try:
        yield
    except dg.Failure:
        raise
    except PipelineError as problem:
        raise dg.Failure(str(problem), allow_retries=False) from None
    except Exception as problem:  # noqa: BLE001 - whatever it is, its text may hold values
        raise dg.Failure(unexpected(problem), allow_retries=False) from None


def unexpected(problem: BaseException) -> str:
    """What may be said about an error that is none of ours: its type and its place."""
    frames = traceback.extract_tb(problem.__traceback__)
    ours = [frame for frame in frames if "hris_pipeline" in frame.filename] or frames
    place = f"{Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else "an unknown place"
    return (
        f"The pipeline stumbled over something it does not know ({type(problem).__name__} in {place}). The last good tables are "
        "untouched. This is a fault of the pipeline: please report it with this sentence."
    )


def _scratch(warehouse: Warehouse) -> Path:
    return warehouse.path.with_name(f".{warehouse.company}.reading")
