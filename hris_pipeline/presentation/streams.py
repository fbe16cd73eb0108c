"""Standard output and error of a command, whoever reads them.

A reader may leave early (``hris-pipeline plan acme | head -1``), and a disk may be full. Python
reports that at whichever write meets it: in the middle of a command, which then ends too early and
with another exit code, or while the interpreter shuts down, as ``Exception ignored ...
BrokenPipeError``. Here the lowest layer of the stream meets it, once: what follows is dropped, the
command runs to its own end, and :attr:`Stream.problem` says what happened.
"""

import errno
import io
import os
import sys
from pathlib import Path
from typing import Any, TextIO


class _Target(io.FileIO):
    """A file descriptor that takes and drops everything after its first failed write."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self.problem: OSError | None = None

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        if self.problem is not None:
            return size
        try:
            return super().write(data)
        except OSError as problem:
            self.problem = problem
            return size


class Stream(io.TextIOWrapper):
    """Text for a file descriptor; characters that its encoding lacks are written as escapes."""

    def __init__(self, like: TextIO) -> None:
        self._target = _Target(like.fileno())
        super().__init__(
            io.BufferedWriter(self._target),
            encoding=like.encoding,
            errors="backslashreplace",
            line_buffering=bool(getattr(like, "line_buffering", False)),
        )

    @property
    def problem(self) -> str | None:
        """Why not all that was written has arrived; None where it has, and where the reader did not
        want the rest.
        """
        self.flush()
        problem = self._target.problem
        return (
            None
            if problem is None or problem.errno == errno.EPIPE
            else problem.strerror or type(problem).__name__
        )


def guard() -> None:
    """Put a :class:`Stream` in the place of standard output and of standard error; one that is
    closed takes and drops all.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end
        elif isinstance(stream, io.TextIOWrapper) and not isinstance(stream, Stream):
            stream.flush()
            setattr(sys, name, Stream(stream))


def output_problem() -> str | None:
    """What has kept standard output from arriving, in the system's words, besides a reader that
    left.
    """
    return sys.stdout.problem if isinstance(sys.stdout, Stream) else None
