"""One run per company at a time, by a lock on ``data/<company>.lock`` that the kernel frees when
its process dies.

Dagster's pools keep runs of one company apart that go through its queue; a run from the command
line does not, so every run takes this lock before its first asset and keeps it to its end. The file
says who holds it. Whom it still names when nobody holds the lock is the run that died with it.
"""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from filelock import BaseFileLock, FileLock, Timeout, lock_descriptor

from hris_pipeline import clock
from hris_pipeline.errors import BusyError, WarehouseError

PATIENCE = 60.0  # seconds that a second run waits for the first


def on_file(
    path: Path, patience: float, begin: Callable[[int], None] | None = None
) -> BaseFileLock:
    """The lock on a file, not taken yet. Its process alone holds it, and the kernel frees it.

    :param patience: the seconds to wait for it before :class:`~filelock.Timeout`
    :param begin: called with the file's descriptor when the lock is taken
    """
    return FileLock(
        path,
        timeout=patience,
        mode=0o600,
        thread_local=False,  # a run may end in another thread than it began in
        fallback_to_soft=False,  # such a lock would outlive its process
        on_acquired=begin,
    )


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lock."""

    run_id: str
    pid: int
    since: str  # ISO, UTC


def holder(path: Path) -> Holder | None:
    """What the lock file says; None where it says nothing (any more)."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Holder)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock right now."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not lock_descriptor(handle, blocking=False)
    finally:
        os.close(handle)


@dataclass
class Locks:
    """The company locks of one run: taken at its first asset, kept to its end. ``patience`` in
    seconds.
    """

    folder: Path
    patience: float = PATIENCE
    _held: dict[str, BaseFileLock] = field(default_factory=dict)

    def hold(self, company: str, run_id: str) -> bool:
        """Take the company's lock unless this run has it already; True where it was taken just now.

        :raises BusyError: another run still holds it after ``patience``; the sentence names that
        run.
        """
        if company in self._held:
            return False
        path = self.folder / f"{company}.lock"
        lock = on_file(path, self.patience, lambda file: _sign(file, run_id))
        try:
            lock.acquire()
        except Timeout:
            raise _busy(company, holder(path), self.patience) from None
        except OSError as problem:
            raise WarehouseError(
                f"{path.name} cannot be written in {self.folder} ({problem.strerror}). Nothing was "
                "done. Make room or give this user the right to write there, then run again."
            ) from None
        self._held[company] = lock
        return True

    def release(self) -> None:
        """Let all locks go, in good order: the files then name nobody."""
        for lock in self._held.values():
            with contextlib.suppress(OSError):
                os.truncate(lock.lock_file, 0)
            lock.release()
        self._held.clear()


def _sign(file: int, run_id: str) -> None:
    """Write who holds the lock into its file."""
    os.ftruncate(file, 0)
    os.pwrite(
        file,
        msgspec.json.encode(Holder(run_id, os.getpid(), clock.now().isoformat(timespec="seconds"))),
        0,
    )


def _busy(company: str, other: Holder | None, waited: float) -> BusyError:
    who = (
        f"run {other.run_id} (process {other.pid}, since {other.since})" if other else "another run"
    )
    return BusyError(
        f"Company '{company}' is busy: {who} holds {company}.lock and did not end within "
        f"{waited:g} s. Nothing was done. Wait until that run has ended, or end it in the Dagster "
        "UI, then try again."
    )
