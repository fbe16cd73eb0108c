"""Stopping every way of writing to a company's deskbird at once: the file
``data/<company>.paused``.

It is a file of its own and no table, so that it can be made and seen while somebody else holds the
DuckDB file, and outlives its loss. It is looked at before every single write. In doubt there is a
pause: a file that cannot be read stops writing too.
"""

import datetime as dt
import os
from pathlib import Path

import msgspec

from hris_pipeline.contracts.pauses import Pause
from hris_pipeline.errors import PipelineError


def begin(
    folder: Path, company: str, *, by: str, because: str | None, now: dt.datetime
) -> tuple[Pause, bool]:
    """Pause the company; the pause in force, and whether it is a new one. Nothing is written to
    deskbird from then on.
    """
    made = Pause(by, now.astimezone(dt.UTC).isoformat(timespec="seconds"), because)
    path = _path(folder, company)
    draft = path.with_suffix(f".paused.{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, msgspec.json.encode(made) + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(draft, path)  # whole or not at all, and never over another one
            new = True
        except FileExistsError:
            new = False
        finally:
            draft.unlink()
        _remember(folder)
    except OSError as problem:
        raise PipelineError(
            f"{path.name} cannot be written in {folder} ({problem.strerror}), so company "
            f"'{company}' is not paused. Make room or give this user the right to write there; to "
            "stop a run now, end it in the Dagster UI."
        ) from None
    return (made if new else in_force(folder, company) or made), new


def end(folder: Path, company: str) -> Pause | None:
    """End the pause; the one that was in force, None where there was none."""
    was, path = in_force(folder, company), _path(folder, company)
    if was is None:
        return None
    try:
        path.unlink(missing_ok=True)
        _remember(folder)
    except OSError as problem:
        raise PipelineError(
            f"{path} cannot be removed ({problem.strerror}), so company '{company}' is still "
            "paused. Remove it by hand."
        ) from None
    return was


def in_force(folder: Path, company: str) -> Pause | None:
    """The company's pause; None where there is none. Costs one look at the file system."""
    path = _path(folder, company)
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Pause)
        _ = found.at
    except FileNotFoundError:
        return None
    except (OSError, ValueError):  # what msgspec and datetime raise is one too
        return Pause("somebody", _touched(path), "its file cannot be read")
    return found


def _path(folder: Path, company: str) -> Path:
    return folder / f"{company}.paused"


def _touched(path: Path) -> str:
    try:
        seconds = path.stat().st_mtime
    except OSError:
        seconds = 0.0
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds")


def _remember(folder: Path) -> None:
    """Bring the folder itself to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
