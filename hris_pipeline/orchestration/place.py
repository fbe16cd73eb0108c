"""Where Dagster's home and its records are, found out without Dagster, whose import takes a
second.
"""

import os
from pathlib import Path

from hris_pipeline import settings
from hris_pipeline.errors import PipelineError

HOME = "DAGSTER_HOME"
RUNS = "history/runs.db"
"""Dagster's database of runs, below :func:`records`."""
WHOLE = 1
"""SQLite's ``user_version`` of a database that is made completely; neither Dagster nor Alembic uses
it.
"""


def home() -> Path:
    """Dagster's home, made absolute, as Dagster wants it: ``DAGSTER_HOME``, or the project's own
    root where that is unset.
    """
    given = os.environ.get(HOME)
    where = Path(given).absolute() if given else settings.project_root()
    try:
        where.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise PipelineError(
            f"DAGSTER_HOME, {where}, cannot be made ({problem.strerror}). Nothing was done. Set it "
            "to a folder of yours."
        ) from None
    os.environ[HOME] = str(where)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    return where


def records() -> Path:
    """``dagster/`` in ``HRIS_PIPELINE_DATA`` where that is set, else ``data/dagster/`` beside
    ``dagster.yaml``.
    """
    if os.environ.get(settings.DATA_VARIABLE):
        return settings.data_folder().resolve() / "dagster"
    return Path(os.environ[HOME]) / "data" / "dagster"
