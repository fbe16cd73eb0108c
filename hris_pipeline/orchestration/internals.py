"""What this project uses of Dagster beyond its public API. No other file has such an import.

Dagster promises nothing about modules whose name begins with an underscore: any release may change
them. The project relies on them as they are in the one version that :data:`PINNED` names and
``pyproject.toml`` pins. To move Dagster, look through this list for what has a public way by now,
run the tests, and set both. ``dagster.yaml`` names such a module too: Dagster's documentation
gives the class no other name there.

Run tags (``SCHEDULE_NAME_TAG``, ``WILL_RETRY_TAG``, ``USER_TAG``)
    Dagster writes them on runs, and documents only ``dagster/max_retries``.
``DATA_VERSION_TAG``
    A result takes a ``DataVersion``; an ``AssetMaterialization`` that is logged has only the tag.
``RunFailureReason``
    Says that a run was interrupted. The event is public, the type of this value is not.
``UnresolvedAssetJobDefinition``
    What the public ``define_asset_job`` returns. Annotations need its name.
:func:`ticks_from`, :func:`ticks_back_from`
    The moments that a cron line means. Dagster starts the runs, so only its own arithmetic is
    right; ``docs/libraries.md`` says where cron libraries differ from it.
:func:`job_origin`, :func:`recorded_with`
    ``execute_in_process`` records a run without the place of its job, and the UI then leaves the
    run out of its Timeline.
The storages and Alembic's helpers
    Dagster has no public base class for a storage, and makes its databases without a lock
    (:mod:`hris_pipeline.orchestration.storage`).
"""

import contextlib
import datetime as dt
import functools
import sys
from collections.abc import Iterator

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_TAG
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.events import RunFailureReason
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.runs.schema import RunStorageSqlMetadata
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.schema import ScheduleStorageSqlMetadata
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dagster._core.storage.sql import get_alembic_config, stamp_alembic_rev
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._core.storage.tags import SCHEDULE_NAME_TAG, USER_TAG, WILL_RETRY_TAG
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._serdes import ConfigurableClassData
from dagster._utils.schedules import reverse_cron_string_iterator, schedule_execution_time_iterator

__all__ = [
    "DATA_VERSION_TAG",
    "PINNED",
    "SCHEDULE_NAME_TAG",
    "USER_TAG",
    "WILL_RETRY_TAG",
    "ConfigurableClassData",
    "DagsterSqliteStorage",
    "LocalArtifactStorage",
    "RemoteJobOrigin",
    "RunFailureReason",
    "RunStorageSqlMetadata",
    "ScheduleStorageSqlMetadata",
    "SqlEventLogStorageMetadata",
    "UnresolvedAssetJobDefinition",
    "get_alembic_config",
    "job_origin",
    "recorded_with",
    "sqlite_event_log",
    "sqlite_run_storage",
    "sqlite_schedule_storage",
    "stamp_alembic_rev",
    "ticks_back_from",
    "ticks_from",
]

PINNED = "1.13.27"
"""The version of Dagster in which all of this was read and tested."""


def ticks_from(moment: dt.datetime, cron: str, timezone: str) -> Iterator[dt.datetime]:
    """The moments that a cron line means, from this one on."""
    return schedule_execution_time_iterator(moment.timestamp(), cron, timezone, ascending=True)


def ticks_back_from(moment: dt.datetime, cron: str, timezone: str) -> Iterator[dt.datetime]:
    """The moments that a cron line means, from this one back."""
    return reverse_cron_string_iterator(moment.timestamp(), cron, timezone)


def job_origin(job: str, *, module: str, location: str, repository: str) -> RemoteJobOrigin:
    """Where the UI knows a job from."""
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name=module)
    place = ManagedGrpcPythonEnvCodeLocationOrigin(target, location)
    return RemoteJobOrigin(RemoteRepositoryOrigin(place, repository), job)


@contextlib.contextmanager
def recorded_with(instance: dg.DagsterInstance, origin: RemoteJobOrigin) -> Iterator[None]:
    """Give the run that is made in the block its job's origin; ``execute_in_process`` takes
    none.
    """
    recorded = functools.partial(instance.create_run_for_job, remote_job_origin=origin)
    instance.create_run_for_job = recorded  # type: ignore[method-assign]
    try:
        yield
    finally:
        del instance.create_run_for_job  # the class's own again
