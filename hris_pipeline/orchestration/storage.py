"""Where Dagster keeps its own records: ``dagster/`` in the data folder, wherever its processes are
started.

``dagster.yaml`` names these two classes, because Dagster itself would take a relative folder from
the working directory of each process, and the command line works from anywhere.

The databases are made once, by one process, under a lock. Dagster itself lets two processes make
them at once, which leaves them half made: tables without a revision, or with two. What was left so
is completed, and keeps what is in it.
"""

import contextlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from filelock import Timeout

from hris_pipeline.orchestration import lock
from hris_pipeline.orchestration.internals import (
    ConfigurableClassData,
    DagsterSqliteStorage,
    LocalArtifactStorage,
    RunStorageSqlMetadata,
    ScheduleStorageSqlMetadata,
    SqlEventLogStorageMetadata,
    get_alembic_config,
    sqlite_event_log,
    sqlite_run_storage,
    sqlite_schedule_storage,
    stamp_alembic_rev,
)
from hris_pipeline.orchestration.place import RUNS, WHOLE, records


@dataclass(frozen=True)
class _Database:
    """One of Dagster's databases: its file below the folder, its tables, and the module that has
    its revisions.
    """

    file: str
    tables: sa.MetaData
    module: str

    def url(self, folder: Path) -> str:
        return f"sqlite:///{folder / self.file}"


_DATABASES = (
    _Database(RUNS, RunStorageSqlMetadata, str(sqlite_run_storage.__file__)),
    _Database("history/runs/index.db", SqlEventLogStorageMetadata, str(sqlite_event_log.__file__)),
    _Database(
        "schedules/schedules.db", ScheduleStorageSqlMetadata, str(sqlite_schedule_storage.__file__)
    ),
)
LOCK = "made.lock"
PATIENCE = 60.0  # seconds that a process waits for another one that makes the databases


def make(folder: Path) -> None:
    """Make the databases, or complete them; nothing to do where they are whole.

    :class:`TimeoutError` where another process makes them for ever.
    """
    if _are_whole(folder):
        return
    try:
        with lock.on_file(folder / "history" / LOCK, PATIENCE):
            _make(folder)
    except Timeout:
        raise TimeoutError(f"another process makes {folder}") from None


def _make(folder: Path) -> None:
    if _are_whole(folder):
        return
    for database in _DATABASES:
        (folder / database.file).parent.mkdir(parents=True, exist_ok=True)
        _complete(database, folder)
    if _are_empty(folder):  # with runs in them it takes an instance, and Dagster does well without
        _migrate(folder)
    for database in _DATABASES:
        with contextlib.closing(sqlite3.connect(folder / database.file, timeout=PATIENCE)) as con:
            con.execute(f"pragma user_version = {WHOLE}")
            con.commit()


def _are_whole(folder: Path) -> bool:
    for database in _DATABASES:
        path = folder / database.file
        if not path.exists():
            return False
        with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE)) as con:
            if con.execute("pragma user_version").fetchone() != (WHOLE,):
                return False
    return True


def _are_empty(folder: Path) -> bool:
    """Whether nothing has been recorded yet."""
    for database, table in zip(_DATABASES, ("runs", "event_logs", "job_ticks"), strict=True):
        with contextlib.closing(sqlite3.connect(folder / database.file, timeout=PATIENCE)) as con:
            if con.execute(f"select 1 from {table} limit 1").fetchone():
                return False
    return True


def _migrate(folder: Path) -> None:
    """Note that the data of new databases need no migration, as Dagster does when it makes them."""
    made = DagsterSqliteStorage(str(folder))
    try:
        for storage in (made.run_storage, made.schedule_storage):
            storage.migrate()
            storage.optimize()
        made.event_log_storage.reindex_events()
        made.event_log_storage.reindex_assets()
    finally:
        made.dispose()


def _complete(database: _Database, folder: Path) -> None:
    """Add the tables, indexes and the revision that are missing."""
    config = get_alembic_config(database.module)
    head = ScriptDirectory.from_config(config).get_current_head()
    engine = sa.create_engine(
        database.url(folder), poolclass=sa.NullPool, connect_args={"timeout": PATIENCE}
    )
    with engine.connect() as con:
        con.execute(sa.text("pragma journal_mode = wal"))
        there = sa.inspect(con)
        tables = set(there.get_table_names())
        found = {table: {column["name"] for column in there.get_columns(table)} for table in tables}
        revisions = _revisions(con) if "alembic_version" in tables else []
        con.rollback()
        wanted = {
            table.name: set(table.columns.keys()) for table in database.tables.tables.values()
        }
        if any(not columns <= found[table] for table, columns in wanted.items() if table in found):
            # an older Dagster's: it stays one, with the revision that it has; `dagster instance
            # migrate` brings it up to date
            if len(revisions) > 1:
                _forget(con, revisions, head)
            return
        database.tables.create_all(con)
        for table in database.tables.tables.values():
            for index in table.indexes:
                index.create(con, checkfirst=True)
        con.commit()
        if revisions != [head]:
            _forget(con, revisions, None)
            stamp_alembic_rev(config, con)
            con.commit()


def _revisions(con: sa.Connection) -> list[str]:
    return [
        str(revision)
        for (revision,) in con.execute(sa.text("select version_num from alembic_version"))
    ]


def _forget(con: sa.Connection, revisions: list[str], revision: str | None) -> None:
    """Take revisions away, all of them or one: with two Alembic opens nothing any more."""
    for each in revisions if revision is None else [revision]:
        con.execute(
            sa.text("delete from alembic_version where version_num = :each"), {"each": each}
        )
    con.commit()


class Storage(DagsterSqliteStorage):
    """Runs, events and schedules in SQLite files."""

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        """Nothing to configure."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, _: Mapping[str, Any]
    ) -> "Storage":
        """Open it; Dagster's protocol."""
        make(records())
        return cls.from_local(str(records()), inst_data=inst_data)


class ArtifactStorage(LocalArtifactStorage):
    """The folder for what Dagster would store besides; nothing of ours goes there."""

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        """Nothing to configure."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, _: Mapping[str, Any]
    ) -> "ArtifactStorage":
        """Open it; Dagster's protocol."""
        return cls(str(records()), inst_data=inst_data)
