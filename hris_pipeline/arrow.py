"""The files in which an edge hands over what it read: one table each, to be loaded as a whole.

Arrow is slow to load, and every edge imports this; so it is imported where a file is written.
"""

# ruff: noqa: PLC0415 - see above

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from hris_pipeline.contracts.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa


def schema(table: Table) -> "pa.Schema":
    """The Arrow schema of a table."""
    import pyarrow as pa

    types = {
        "VARCHAR": pa.string(),
        "VARCHAR[]": pa.list_(pa.string()),
        "BOOLEAN": pa.bool_(),
        "MAP(VARCHAR, VARCHAR)": pa.map_(pa.string(), pa.string()),
        "STRUCT(kind VARCHAR, id VARCHAR)[]": pa.list_(
            pa.struct([("kind", pa.string()), ("id", pa.string())])
        ),
    }
    return pa.schema([pa.field(column.name, types[column.type]) for column in table.columns])


class ArrowFile:
    """An Arrow IPC stream file of one table, readable by its owner only.

    Deleted when its ``with`` block ends in an error. Raises :class:`OSError` where the disk is
    full.
    """

    def __init__(self, path: Path, table: Table) -> None:
        self.path = path
        self.schema = schema(table)

    def __enter__(self) -> Self:
        import pyarrow as pa

        self.discard()  # never into a file that others may read, or through a link
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(handle, "wb")
        self._stream = pa.ipc.new_stream(self._file, self.schema)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        whole = False
        try:
            if kind is None:
                self.finish()
                self._stream.close()
                self._file.close()
                whole = True
        finally:
            if not whole:
                with contextlib.suppress(OSError):
                    self._file.close()
                self.discard()

    def write(self, batch: "pa.RecordBatch") -> None:
        """Write a batch of rows."""
        self._stream.write_batch(batch)

    def finish(self) -> None:
        """Write what waits for its batch to be full; for a subclass to say."""

    def discard(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)
