"""Progress of long work, on standard error: bars on a terminal, a quiet line now and then
elsewhere.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

EVERY = 5.0
"""Seconds between two lines about the same work where there is no terminal."""

Report = Callable[[str, int, int | None], None]
"""What is being done, how much of it is done, how much there is in all (None: not known)."""


@contextlib.contextmanager
def shown(stream: TextIO | None = None) -> Iterator[Report]:
    """A function that shows progress while the block runs; it may be called from any thread."""
    stream = stream or sys.stderr
    if not stream.isatty():
        yield _Lines(stream)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(file=stream), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield report


class _Lines:
    """Plain lines: at the beginning of a piece of work, every few seconds, and at its end."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.told: dict[str, tuple[float, int]] = {}

    def __call__(self, what: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        at, last = self.told.get(what, (0.0, -1))
        if done == last or (at and now - at < EVERY and done != total):
            return
        self.told[what] = now, done
        of = "" if total is None else f" of {total:,}"
        self.stream.write(f"{what}: {done:,}{of}\n")
        self.stream.flush()
