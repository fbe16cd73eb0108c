"""Where Dagster keeps its own records: ``dagster/`` in the data folder, wherever its processes are started.

``dagster.yaml`` names these two classes, because Dagster itself would take a relative folder from the working directory of each
process, and the command line works from anywhere.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData

from hris_pipeline import settings


def folder() -> Path:
    """``dagster/`` in ``HRIS_PIPELINE_DATA`` where that is set, else ``data/dagster/`` beside ``dagster.yaml``."""
    if os.environ.get(settings.DATA_VARIABLE):
        return settings.data_folder().resolve() / "dagster"
    return Path(os.environ["DAGSTER_HOME"]) / "data" / "dagster"


class Storage(DagsterSqliteStorage):
    """Runs, events and schedules in SQLite files."""

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        """Nothing to configure."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, _: Mapping[str, Any]) -> "Storage":
        """Open it; Dagster's protocol."""
        return cls.from_local(str(folder()), inst_data=inst_data)


class ArtifactStorage(LocalArtifactStorage):
    """The folder for what Dagster would store besides; nothing of ours goes there."""

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        """Nothing to configure."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, _: Mapping[str, Any]) -> "ArtifactStorage":
        """Open it; Dagster's protocol."""
        return cls(str(folder()), inst_data=inst_data)
