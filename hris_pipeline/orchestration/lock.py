"""One run per company at a time, by a lock on ``data/<company>.lock`` that the kernel frees when its process dies.

Dagster's pools keep runs of one company apart that go through its queue; a run from the command line does not, so every run takes
this lock before its first asset and keeps it to its end. The file says who holds it. Whom it still names when nobody holds the
lock is the run that died with it.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from hris_pipeline import clock
from hris_pipeline.errors import BusyError, WarehouseError

PATIENCE = 60.0  # seconds that a second run waits for the first


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
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


@dataclass
class Locks:
    """The company locks of one run: taken at its first asset, kept to its end. ``patience`` in seconds."""

    folder: Path
    patience: float = PATIENCE
    _held: dict[str, int] = field(default_factory=dict)

    def hold(self, company: str, run_id: str) -> bool:
        """Take the company's lock unless this run has it already; True where it was taken just now.

        :raises BusyError: another run still holds it after ``patience``; the sentence names that run.
        """
        if company in self._held:
            return False
        path = self.folder / f"{company}.lock"
        handle = self._opened(path)
        deadline = time.monotonic() + self.patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(handle)
                    raise _busy(company, holder(path), self.patience) from None
                time.sleep(min(0.1, self.patience))
        os.ftruncate(handle, 0)
        os.pwrite(handle, msgspec.json.encode(Holder(run_id, os.getpid(), clock.now().isoformat(timespec="seconds"))), 0)
        self._held[company] = handle
        return True

    def release(self) -> None:
        """Let all locks go, in good order: the files then name nobody."""
        for handle in self._held.values():
            with contextlib.suppress(OSError):
                os.ftruncate(handle, 0)
            os.close(handle)
        self._held.clear()

    def _opened(self, path: Path) -> int:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise WarehouseError(
                f"{path.name} cannot be written in {self.folder} ({problem.strerror}). Nothing was done. "
                "Make room or give this user the right to write there, then run again."
            ) from None


@contextlib.contextmanager
def locked(folder: Path, company: str, who: str, patience: float = PATIENCE) -> Iterator[None]:
    """Hold one company's lock for a block, for what is no Dagster run; ``who`` stands where else the run id does."""
    locks = Locks(folder, patience)
    locks.hold(company, who)
    try:
        yield
    finally:
        locks.release()


def _busy(company: str, other: Holder | None, waited: float) -> BusyError:
    who = f"run {other.run_id} (process {other.pid}, since {other.since})" if other else "another run"
    return BusyError(
        f"Company '{company}' is busy: {who} holds {company}.lock and did not end within {waited:g} s. Nothing was done. "
        "Wait until that run has ended, or end it in the Dagster UI, then try again."
    )
