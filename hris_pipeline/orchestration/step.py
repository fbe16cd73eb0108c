"""One step of a run: its lock, its clock, its folder, and errors that people can read.

What leaves a step as an error is one of our sentences, or the type and the place of what nobody
expected: libraries put the values they stumble over into their errors, and Dagster keeps errors for
ever.
"""

import contextlib
import datetime as dt
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from hris_pipeline import plan, settings
from hris_pipeline.contracts.pauses import Pause
from hris_pipeline.deskbird import journal
from hris_pipeline.errors import DeadlineError, PipelineError
from hris_pipeline.http import Deadline, ending_by
from hris_pipeline.operations import companies, pause
from hris_pipeline.orchestration import outcomes
from hris_pipeline.orchestration.internals import DATA_VERSION_TAG
from hris_pipeline.orchestration.resources import (
    Clock,
    Connections,
    Deskbirds,
    Progress,
    Warehouses,
)
from hris_pipeline.settings import Company
from hris_pipeline.warehouse import Warehouse, scratch

Event = dg.MaterializeResult[None] | dg.AssetCheckResult
Events = Iterator[Event]
WRITES = "writes"
"""What progress calls the writes to deskbird."""
REQUIRED = {"clock", "warehouses", "connections", "deskbirds", "locks", "started", "progress"}
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
    def job(self) -> str:
        """The job it is part of (``job_names``); another name where somebody picked assets by
        hand.
        """
        return self.context.run.job_name

    @property
    def journal(self) -> Path:
        """Where this company's writes are journalled."""
        return self.warehouse.path.with_suffix(".journal")

    def paused(self) -> Pause | None:
        """The pause that is in force at this moment."""
        return pause.in_force(self.warehouse.path.parent, self.company.name)

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

    @cached_property
    def deadline(self) -> Deadline:
        """When the run has to end, by the company file's ``deadline``."""
        given = self.company.deadline
        ends = self.context.resources.started + (settings.seconds_of(given) or 0) if given else None
        return Deadline(None if ends is None else ends - time.monotonic())

    @property
    def progress(self) -> Progress:
        """Whom to tell how far it has got; between two records, so that a run whose deadline has
        passed stops there.
        """
        found: Progress = self.context.resources.progress

        def tell(what: str, done: int, total: int | None) -> None:
            found(what, done, total)
            # writes are asked before each of them whether to go on
            if self.deadline.passed and what != WRITES:
                where = f"{done:,} {what}" if total is None else f"{done:,} of {total:,} {what}"
                raise DeadlineError(
                    f"{self.out_of_time} It stood at {where}; nothing of this list is used. "
                    f"{self.then}"
                )

        return tell

    @property
    def out_of_time(self) -> str:
        """The sentence for a run whose deadline has passed."""
        return (
            f"The run of {self.company.name} has reached its deadline ({self.company.deadline} "
            "after it began) and stopped."
        )

    @property
    def then(self) -> str:
        """What to do about a deadline that has passed."""
        return "The next run goes on. If nights take so long, raise deadline in the company file."

    @property
    def config(self) -> Mapping[str, Any]:
        """The step's run config."""
        found: Mapping[str, Any] = self.context.op_execution_context.op_config
        return found

    def selected(self, event: Event) -> bool:
        """Whether the run was asked for what the event tells of."""
        if isinstance(event, dg.AssetCheckResult):
            assert event.asset_key is not None
            assert event.check_name is not None
            return (
                dg.AssetCheckKey(event.asset_key, event.check_name)
                in self.context.selected_asset_check_keys
            )
        return event.asset_key in self.context.selected_asset_keys

    @cached_property
    def resolved(self) -> Company:
        """The company with the environment's values in; only what goes outside needs it, so only
        that fails without.
        """
        return companies.resolve(self.company)

    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        """A folder of our own for what is read before it is loaded; gone when the block ends, and
        when the next run begins.
        """
        return scratch(_scratch(self.warehouse))


def assets(
    company: Company,
    *,
    name: str,
    description: str,
    specs: Sequence[dg.AssetSpec],
    checks: Sequence[dg.AssetCheckSpec],
    config: Mapping[str, dg.Field] | None = None,
) -> Callable[[Callable[[Step], Events]], dg.AssetsDefinition]:
    """Decorator: the tables that one function publishes, as assets in the company's pool.

    Selecting one of them by hand publishes its siblings too, because they come from one
    transaction; the UI is told of each.
    """

    def decorate(publish: Callable[[Step], Events]) -> dg.AssetsDefinition:
        @dg.multi_asset(
            name=f"{company.name}__{name}",
            description=description,
            specs=specs,
            check_specs=checks,
            config_schema=dict(config or {}),
            pool=company.name,
            required_resource_keys=REQUIRED,
            can_subset=True,
        )
        def run(context: dg.AssetExecutionContext) -> Events:
            with step_of(context, company) as here:
                for event in publish(here):
                    if here.selected(event):
                        yield event
                    else:
                        context.log_event(unselected(event))

        return run

    return decorate


def unselected(event: Event) -> dg.AssetMaterialization | dg.AssetCheckEvaluation:
    """The same news of a table or a check that was not asked for, but is there."""
    assert event.asset_key is not None
    if isinstance(event, dg.AssetCheckResult):
        assert event.check_name is not None
        return dg.AssetCheckEvaluation(
            event.asset_key,
            event.check_name,
            passed=event.passed,
            metadata=event.metadata,
            severity=event.severity,
            description=event.description,
        )
    tags = {DATA_VERSION_TAG: event.data_version.value} if event.data_version else {}
    return dg.AssetMaterialization(event.asset_key, metadata=dict(event.metadata or {}), tags=tags)


@contextlib.contextmanager
def step_of(context: dg.AssetExecutionContext, company: Company) -> Iterator[Step]:
    """A step, begun: the first one of a run takes the company's lock and brings in what a killed
    run left behind.
    """
    with as_failure(), _tagged(context):
        warehouses: Warehouses = context.resources.warehouses
        here = Step(context, company, warehouses.of(company.name))
        if context.resources.locks.hold(company.name, here.run_id):
            shutil.rmtree(_scratch(here.warehouse), ignore_errors=True)
            if here.journal.exists():
                with here.warehouse.write(tuple(company.hris)) as con:
                    fold(here, con)
                journal.clear(here.journal)
        with ending_by(here.deadline):
            yield here


@contextlib.contextmanager
def _tagged(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Put on the run that it failed, or was stopped, where its step does not come to its end."""
    try:
        yield
    except GeneratorExit:  # Dagster wants no more of it
        raise
    except BaseException as problem:
        outcome = (
            outcomes.Outcome.FAILED if isinstance(problem, Exception) else outcomes.Outcome.STOPPED
        )
        outcomes.tag_failure(context.instance, context.run.run_id, outcome)
        raise


def fold(here: Step, con: duckdb.DuckDBPyConnection) -> None:
    """Bring the journal into the warehouse's ledger; to be cleared once that is committed. A kill
    in between folds it again.
    """
    plan.fold_journal(con, journal.read(here.journal), here.now)


@contextlib.contextmanager
def as_failure() -> Iterator[None]:
    """Turn every error into a :class:`~dagster.Failure` whose text is safe to keep and to show.
    Nothing is tried again.
    """
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
    place = (
        f"{Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else "an unknown place"
    )
    return (
        f"The pipeline stumbled over something it does not know ({type(problem).__name__} in "
        f"{place}). The last good tables are untouched. This is a fault of the pipeline: please "
        "report it with this sentence."
    )


def _scratch(warehouse: Warehouse) -> Path:
    return warehouse.path.with_name(f".{warehouse.company}.reading")
