"""The journal: what was sent to deskbird and what was answered, on disk before it matters.

A file of JSON lines beside the DuckDB file (``<company>.journal``, mode 0600), ids only. What is
about to be sent is on the disk before it is sent; workers that write at the same moment share one
flush, so that eight of them cost hardly more than one. What was answered is in the file before it
is acted on, where a kill leaves it, and on the disk with the next flush; if the machine loses power
in between, the request counts as never answered, and the next run looks in deskbird. The warehouse
folds the file into its ledger at the end of a run or at the start of the next one, then calls
:func:`clear`.
"""

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from hris_pipeline.errors import WarehouseError


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line: ``phase`` of try number ``attempt`` of one HTTP request that carries out
    ``request`` of plan ``plan_id``.
    """

    plan_id: str
    request: int
    kind: str  # the kinds of dialects.Request, joined by "+"
    hris_ref: str
    deskbird_id: str | None  # of the user or group; from a create's answer on
    phase: Literal["sent", "answered"]
    attempt: int
    time: str  # ISO, UTC
    # answered only; null: the answer was lost, but deskbird has what was to be created
    status: int | None = None


class Journal:
    """An open journal; :meth:`write` may be called from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._encoder = msgspec.json.Encoder()
        self._turn = threading.Condition()
        self._written = self._durable = 0  # entries in the file; entries on the disk
        self._flushing = False
        self._problem: str | None = None
        self.flushes = 0
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":
                # a kill tore the last line: what follows must not be glued to it
                os.write(self._file, b"\n")
        except OSError as problem:
            raise _unwritable(path, problem.strerror) from None

    def write(self, entry: Entry) -> None:
        """Append an entry. ``sent`` returns when it is on the disk, ``answered`` leaves that to the
        next one.

        :raises WarehouseError: the disk is full or the file cannot be written; what was to be sent
        must not be.
        """
        with self._turn:
            self._append(self._encoder.encode(entry) + b"\n")
            self._written += 1
            mine = self._written
            while entry.phase == "sent" and self._durable < mine:
                if self._flushing:
                    self._turn.wait()
                else:
                    self._flush()
                self._check()

    def _append(self, line: bytes) -> None:
        self._check()
        try:
            while line:
                line = line[os.write(self._file, line) :]
        except OSError as problem:
            self._problem = problem.strerror or "unknown error"
        self._check()

    def _check(self) -> None:
        """A journal that failed once is not trusted again."""
        if self._problem:
            raise _unwritable(self.path, self._problem)

    def _flush(self) -> None:
        """Bring everything in the file to the disk; called, and left, with the turn held, which
        others have meanwhile.
        """
        upto = self._written
        self._flushing = True
        self._turn.release()
        problem = None
        try:
            os.fsync(self._file)
        except OSError as error:
            problem = error.strerror or "unknown error"
        finally:
            self._turn.acquire()
            self._flushing = False
            self._turn.notify_all()
        if problem:
            self._problem = problem
        else:
            self._durable = upto
            self.flushes += 1

    def close(self) -> None:
        """Bring the last answers to the disk and close the file; a worker that still writes is told
        so.
        """
        with self._turn:
            while self._flushing:
                self._turn.wait()
            self._problem = self._problem or "it is closed"
            try:
                os.fsync(self._file)
            except OSError as problem:
                raise _unwritable(self.path, problem.strerror) from None
            finally:
                os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read(path: Path) -> list[Entry]:
    """The entries, oldest first; none where there is no file.

    A line that a kill tore is left out: a torn ``sent`` was never sent, a torn ``answered`` leaves
    its request :func:`pending`.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise WarehouseError(
            f"The journal {path.name} cannot be read ({problem.strerror}); nothing was sent to "
            "deskbird."
        ) from None
    decoder = msgspec.json.Decoder(Entry)
    entries = []
    for line in lines:
        try:
            entries.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return entries


def pending(entries: Iterable[Entry]) -> list[Entry]:
    """The last ``sent`` of each request that was never answered: whether it was carried out, only
    deskbird can tell.
    """
    last: dict[tuple[str, int, str], Entry] = {}
    for entry in entries:
        last[entry.plan_id, entry.request, entry.kind] = entry
    return [entry for entry in last.values() if entry.phase == "sent"]


def clear(path: Path) -> None:
    """Remove a journal once its entries are committed elsewhere; a kill in between leaves it to be
    folded again.
    """
    path.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _unwritable(path: Path, why: str | None) -> WarehouseError:
    return WarehouseError(
        f"The journal {path.name} cannot be written ({why or 'unknown error'}); no further change "
        "was sent to deskbird. Make room or give this user the right to write there, then run "
        "again: the next run goes on where this one stopped."
    )
