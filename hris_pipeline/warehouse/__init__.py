"""The warehouse: one DuckDB file per company, opened late and closed early.

DuckDB lets one process write or many read, so a connection never lives across a request to the
outside. Everything that must appear together is written in one :meth:`Warehouse.write` block, which
is one transaction: either all of it is published or nothing.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from hris_pipeline.contracts.tables import CORE, DESKBIRD, EMPLOYEES, ORG_UNITS, PHOTOS
from hris_pipeline.errors import WarehouseError
from hris_pipeline.warehouse.connection import define, know_addresses, prepare, run, stage

__all__ = ["SCHEMA_VERSION", "Warehouse", "prepare", "run", "scratch", "stage"]

SCHEMA_VERSION = 7
ROW_GROUP = 20_480
"""Rows that one thread works on: few enough that a company of 50,000 people keeps several busy."""
_HERE = Path(__file__).parent
_Config = dict[str, str | bool | int | float | list[str]]
_idle: list[tuple[_Config, duckdb.DuckDBPyConnection]] = []
"""The DuckDB of the last block, without its file: to start one costs five times as much as to
attach a small file.
"""
_USE = "set search_path = 'warehouse.main,memory.main'"
"""What is named without a schema is the file's; the macros are the DuckDB's own."""
_STATE, _HISTORY = (
    (_HERE / f"{name}.sql").read_text(encoding="utf-8") for name in ("state", "people_history")
)


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """An empty folder that is ours alone, for what is read before it is loaded; gone when the block
    ends.

    Raises :class:`WarehouseError` where it cannot be made, or the disk is full.
    """
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        yield folder
    except OSError as problem:
        raise WarehouseError(
            f"{folder} cannot be used ({problem.strerror or type(problem).__name__}). Nothing that "
            "was read is used. Make room there or make the folder writable, then run again."
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Warehouse:
    """The file ``<folder>/<company>.duckdb``.

    ``memory`` bounds DuckDB's own memory; what does not fit is spilled to ``<folder>/.spill``. A
    file held by somebody else is waited for, up to ``patience`` seconds.
    """

    def __init__(
        self, folder: Path, company: str, *, memory: str = "700MB", patience: float = 30.0
    ) -> None:
        self.path = folder / f"{company}.duckdb"
        self.company = company
        self._memory = memory
        self._patience = patience

    @contextlib.contextmanager
    def write(self, connections: Sequence[str] = ()) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction: committed at the end of the block, rolled back if it raises.

        ``connections`` names HRIS connections whose schemas must exist. Raises
        :class:`WarehouseError` where the file is open elsewhere, was written by another version, or
        the disk is full.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._open(read_only=False) as con:
                self.path.chmod(0o600)
                with self._explained():
                    self._migrate(con, connections)
                    con.begin()
                try:
                    yield con
                except BaseException:
                    with contextlib.suppress(duckdb.Error):
                        con.rollback()
                    raise
                with self._explained():
                    con.commit()
        except duckdb.Error as problem:
            raise self._explain(problem) from None

    @contextlib.contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection; :class:`WarehouseError` where there is no file yet."""
        if not self.path.exists():
            raise WarehouseError(
                f"There is no data of company '{self.company}' yet. Run `hris-pipeline sync "
                f"{self.company}` first."
            )
        try:
            with self._open(read_only=True) as con:
                self._check_version(con)
                yield con
        except duckdb.Error as problem:
            raise self._explain(problem) from None

    def publish_copy(self) -> Path:
        """Put ``<company>.read.duckdb`` in place by atomic rename, for people with a DuckDB shell
        open. Returns its path.
        """
        target = self.path.with_name(f"{self.company}.read.duckdb")
        fresh = target.with_suffix(".new")
        try:
            with self._open(read_only=True):  # keeps writers out while the file is copied
                fresh.unlink(missing_ok=True)
                shutil.copyfile(self.path, fresh)
                fresh.chmod(0o600)
                fresh.replace(target)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise WarehouseError(
                f"{target.name} could not be written. The night's own tables are untouched. Check "
                "the disk's room."
            ) from None
        return target

    @contextlib.contextmanager
    def _open(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        """The file, attached to a DuckDB of the block's own, which the next block may have if this
        one ends well.
        """
        spill = self.path.parent / ".spill"
        config: _Config = {
            "memory_limit": self._memory,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "preserve_insertion_order": "false",
        }
        try:
            settings, engine = _idle.pop()
        except IndexError:
            settings = None
        if settings != config:
            engine = duckdb.connect(config=config)
            define(engine)
        con, kept = engine.cursor(), []  # what is temporary ends with the cursor
        try:
            self._attach(con, read_only=read_only)
            yield know_addresses(con)
            # all is committed: what the file lacks is in the log beside it
            with contextlib.suppress(duckdb.Error):
                con.execute("use memory; detach warehouse")
                kept = [(config, engine)]
        finally:
            con.close()
            if not kept:
                engine.close()
            _idle[:] = kept

    def _attach(self, con: duckdb.DuckDBPyConnection, *, read_only: bool) -> None:
        path, mode = str(self.path).replace("'", "''"), ", read_only" if read_only else ""
        deadline = time.monotonic() + self._patience
        old_mask = os.umask(0o077)  # a new file is ours alone from its first byte
        try:
            while True:
                try:
                    con.execute(f"attach '{path}' as warehouse (row_group_size {ROW_GROUP}{mode})")
                except duckdb.Error as problem:
                    if not _is_locked(problem) or time.monotonic() > deadline:
                        raise self._explain(problem) from None
                    time.sleep(0.1)
                else:
                    con.execute(_USE)
                    return
        finally:
            os.umask(old_mask)

    def _migrate(self, con: duckdb.DuckDBPyConnection, connections: Sequence[str]) -> None:
        version = self._version(con)
        if version is not None and version > SCHEMA_VERSION:
            raise self._another_version(version)
        con.begin()
        if version != SCHEMA_VERSION:
            con.execute(_STATE)
            if version is not None:
                self._upgrade(con, version)
            con.execute("insert into state.schema_version values (?)", [SCHEMA_VERSION])
            for table in (*CORE, *DESKBIRD):
                con.execute(table.ddl())
            con.execute(_HISTORY)
        for connection in connections:
            con.execute(f'create schema if not exists "hris_{connection}"')
            con.execute(EMPLOYEES.at(f"hris_{connection}").ddl())
            con.execute(ORG_UNITS.at(f"hris_{connection}").ddl())
            con.execute(PHOTOS.at(f"hris_{connection}").ddl())
        con.commit()

    def _upgrade(self, con: duckdb.DuckDBPyConnection, version: int) -> None:
        """Bring a file of an older version up to date (case 80): each version's own steps, and
        empty columns that tables lack.

        The tables of a night are made anew by the next one; so what they lack may be empty until
        then.
        """
        for step in range(version + 1, SCHEMA_VERSION + 1):
            con.execute((_HERE / f"to_version_{step}.sql").read_text(encoding="utf-8"))
        there = {
            (schema, table, column)
            for schema, table, column in con.execute(
                "select table_schema, table_name, column_name from information_schema.columns"
            ).fetchall()
        }
        connections = sorted({schema for schema, _, _ in there if schema.startswith("hris_")})
        for contract in (
            *CORE,
            *DESKBIRD,
            *(table.at(schema) for schema in connections for table in (EMPLOYEES, ORG_UNITS)),
        ):
            if any((contract.schema, contract.name) == where[:2] for where in there):
                for column in contract.columns:
                    if (contract.schema, contract.name, column.name) not in there:
                        empty = " default []" if column.type.endswith("[]") else ""
                        con.execute(
                            f'alter table {contract.qualified} add column "{column.name}" '
                            f"{column.type}{empty}"
                        )

    def _version(self, con: duckdb.DuckDBPyConnection) -> int | None:
        """The version of the file's schema; None of a new file."""
        try:
            row = con.execute("select max(version) from state.schema_version").fetchone()
        except duckdb.CatalogException:
            return None
        return int(row[0]) if row and row[0] is not None else None

    def _check_version(self, con: duckdb.DuckDBPyConnection) -> None:
        version = self._version(con)
        if version is not None and version < SCHEMA_VERSION:
            raise WarehouseError(
                f"{self.path.name} was written by an older version of this project. Nothing was "
                f"read. Run `hris-pipeline sync {self.company} --dry-run` first: it brings the "
                "file up to date."
            )
        if version != SCHEMA_VERSION:
            raise self._another_version(version)

    def _another_version(self, version: int | None) -> WarehouseError:
        return WarehouseError(
            f"{self.path.name} was written by another version of this project (its schema version "
            f"is {version}, this one's is {SCHEMA_VERSION}). Nothing was read or written. Use "
            "that version, or move the file away: links are found again by deskbird's markers."
        )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as problem:
            raise self._explain(problem) from None

    def _explain(self, problem: duckdb.Error) -> WarehouseError:
        """Our sentence for a DuckDB error, whose own text carries values."""
        text, file = str(problem).lower(), self.path.name
        if (
            isinstance(problem, duckdb.OutOfMemoryException)
            or "no space left" in text
            or "disk" in text
        ):
            return WarehouseError(
                f"There is no room for {file}: the disk or the memory is full. The last good "
                "tables are untouched. Free some and try again."
            )
        if _is_locked(problem):
            return WarehouseError(
                f"{file} is open in another process. Nothing was written. Close it (a DuckDB "
                f"shell, perhaps; read {self.path.stem}.read.duckdb instead) and try again."
            )
        again = f"`hris-pipeline sync {self.company} --dry-run`"
        if "replaying wal" in text or "corrupt wal" in text:
            return WarehouseError(
                f"{file}.wal, the log of the last changes beside {file}, is damaged. Nothing was "
                "read, and nothing was written to deskbird. Restore both files from a backup, or "
                f"move {file}.wal away and run {again}: the tables are then as the run before "
                "left them, and the next plan starts from what deskbird shows."
            )
        if any(word in text for word in _DAMAGED):
            return WarehouseError(
                f"{file} is damaged, or is no DuckDB file. Nothing was read, and nothing was "
                f"written to deskbird. Restore it from a backup, or move {file} and {file}.wal "
                f"away and run {again}: links are found again by deskbird's markers, and nobody "
                "is deactivated until one night has ended in line."
            )
        if isinstance(problem, duckdb.SerializationException) or "version number" in text:
            return WarehouseError(
                f"{file} was written by another version of DuckDB. Nothing was read or written. "
                "Move it away, or open it with the version that wrote it."
            )
        if "permission" in text or "cannot open file" in text or "read-only" in text:
            return WarehouseError(
                f"{file} cannot be opened for writing. Nothing was written. Check who owns the "
                "file and its folder."
            )
        return WarehouseError(
            f"{file} could not be used ({type(problem).__name__}). The last good tables are "
            "untouched."
        )


_DAMAGED = ("corrupt", "not a valid duckdb", "could not read enough bytes", "checksum")
"""How DuckDB's own text tells a damaged file, which has no class of error of its own."""


def _is_locked(problem: duckdb.Error) -> bool:
    """Whether another process holds the file, or this one does with other settings."""
    text = str(problem).lower()
    return (
        isinstance(problem, duckdb.ConnectionException)
        or "could not set lock" in text
        or "already attached" in text
    )
