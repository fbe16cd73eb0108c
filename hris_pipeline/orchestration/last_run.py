"""How the last run of a job ended, read from Dagster's own table of runs.

``status`` prints a table. To ask Dagster for one line of it would take twice as long as all the
rest, so the line is read where Dagster keeps it (SQLite, in
:mod:`hris_pipeline.orchestration.storage`). Dagster itself is asked wherever this is in doubt: the
home names another storage, the database is missing or not made completely, or it cannot be read.
The columns are those of the version that :mod:`hris_pipeline.orchestration.internals` pins; a test
holds both answers against each other.
"""

import contextlib
import datetime as dt
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import yaml

from hris_pipeline.orchestration import place

_STORAGE = {"custom": {"module": "hris_pipeline.orchestration.storage", "class": "Storage"}}
_LAST = (
    "select run_id, status, create_timestamp from runs where pipeline_name = ? order by id desc "
    "limit 1"
)


@dataclass(frozen=True)
class Recorded:
    """A run as Dagster recorded it."""

    run_id: str
    status: str  # "SUCCESS", "FAILURE", ...
    created: dt.datetime


def last_run(job: str) -> Recorded | None:
    """The last run of the job; None where it has none."""
    home = place.home()
    with contextlib.suppress(OSError, ValueError, yaml.YAMLError, sqlite3.Error):
        if _keeps_records_with_us(home):
            return _read(place.records() / place.RUNS, job)
    return _ask(job)


def _keeps_records_with_us(home: Path) -> bool:
    config = yaml.safe_load((home / "dagster.yaml").read_text(encoding="utf-8"))
    return isinstance(config, dict) and config.get("storage") == _STORAGE


def _read(path: Path, job: str) -> Recorded | None:
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as con:
        if con.execute("pragma user_version").fetchone() != (place.WHOLE,):
            raise sqlite3.DatabaseError("not made completely")
        found = con.execute(_LAST, [job]).fetchone()
    if found is None:
        return None
    run_id, status, created = found
    return Recorded(run_id, status, dt.datetime.fromisoformat(created).replace(tzinfo=dt.UTC))


def _ask(job: str) -> Recorded | None:
    import dagster as dg  # noqa: PLC0415 - only where it is in doubt

    from hris_pipeline.orchestration.instance import open_instance  # noqa: PLC0415

    with open_instance() as instance:
        records = instance.get_run_records(dg.RunsFilter(job_name=job), limit=1)
    if not records:
        return None
    run = records[0].dagster_run
    return Recorded(run.run_id, run.status.value, records[0].create_timestamp.astimezone(dt.UTC))
