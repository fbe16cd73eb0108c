"""Where files lie: a folder of this machine, or one on an SFTP server. Either can be listed, and a
file of it be fetched.

Names come from the listing only; one that could lead out of the folder is none. What is fetched
gets a name of our own.
"""

import asyncio
import contextlib
import datetime as dt
import os
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from hris_pipeline.hris.systems.files.options import Sftp

T = TypeVar("T")

CHUNK = 1 << 20  # bytes


class Refused(Exception):  # noqa: N818 - no error yet: `read` makes one of it, `probes` a probe
    """What is wrong with the feed, going on from its name ("has no file ..."), and what to do next.
    Holds no value of a file.
    """

    def __init__(self, what: str, then: str) -> None:
        super().__init__(what)
        self.what = what
        self.then = then


@dataclass(frozen=True)
class Entry:
    """One file as a listing shows it: bytes, and when it was last changed."""

    name: str
    size: int
    modified: dt.datetime


class Place(Protocol):
    """A folder with files, to be used in a ``with`` block."""

    @property
    def title(self) -> str:
        """What errors call it."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def entries(self) -> dict[str, Entry]:
        """The plain files in it, by name."""
        ...

    def fetch(self, name: str, to: Path, most: int) -> int:
        """Copy a file of the listing to a new file that only its owner can read; the number of its
        bytes, ``most`` of them.
        """
        ...


def is_plain(name: str) -> bool:
    """Whether a name from a listing stays in its folder and on its line."""
    return name not in {"", ".", ".."} and not set("/\\\0") & set(name) and name.isprintable()


def _too_large(name: str, most: int) -> Refused:
    return Refused(
        f"has a file {name} of more than {most / 2**20:g} MB",
        "If that is right, raise options.max_mb.",
    )


def _not_there(name: str) -> Refused:
    return Refused(
        f"lost its file {name} while it was read", "Run it again once the sender has written it."
    )


def new_file(path: Path) -> int:
    """A descriptor of a new file that only its owner can read."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


@dataclass(frozen=True)
class Folder:
    """A folder of this machine."""

    path: str

    @property
    def title(self) -> str:
        """Its path."""
        return self.path

    def __enter__(self) -> Self:
        self.entries()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def entries(self) -> dict[str, Entry]:
        """The files in it."""
        files: dict[str, Entry] = {}
        with self._reached(), os.scandir(self.path) as found:
            for each in found:
                with contextlib.suppress(FileNotFoundError):  # gone since it was listed
                    if each.is_file() and is_plain(each.name):
                        stat = each.stat()
                        files[each.name] = Entry(
                            each.name,
                            stat.st_size,
                            dt.datetime.fromtimestamp(stat.st_mtime, dt.UTC),
                        )
        return files

    def fetch(self, name: str, to: Path, most: int) -> int:
        """Copy one of them."""
        done = 0
        try:
            with (
                (Path(self.path) / name).open("rb") as file,
                os.fdopen(new_file(to), "wb") as copy,
            ):
                while chunk := file.read(CHUNK):
                    done += len(chunk)
                    if done > most:
                        raise _too_large(name, most)
                    copy.write(chunk)
        except FileNotFoundError:
            raise _not_there(name) from None
        except OSError as problem:
            why = problem.strerror or type(problem).__name__
            raise Refused(
                f"could not copy its file {name} ({why})",
                "Give the pipeline's user the right to read it, and room.",
            ) from None
        return done

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise Refused(
                f"has no folder {self.path}",
                "Make it, mount it, or correct options.path in the company file.",
            ) from None
        except OSError as problem:
            why = problem.strerror or type(problem).__name__
            raise Refused(
                f"cannot list the folder {self.path} ({why})",
                "Give the pipeline's user the right to read it.",
            ) from None


@dataclass
class Server:
    """A folder on an SFTP server, whose key must be the one in the company file.

    asyncssh, because it takes the trusted keys as an argument and refuses any other, sets a limit
    to every wait, reads neither agent nor ``~/.ssh``, and is looked after; it also serves the
    tests.
    """

    settings: Sftp
    folder: str
    password: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner, init=False, repr=False)
    _connection: Any = field(default=None, init=False, repr=False)
    _client: Any = field(default=None, init=False, repr=False)

    @property
    def title(self) -> str:
        """Server and folder."""
        return f"{self.settings.host}:{self.settings.port}, folder {self.folder}"

    def __enter__(self) -> Self:
        # what a connection that was given up still says
        self._runner.get_loop().set_exception_handler(lambda *_: None)
        try:
            self._run(self._connect)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._connection is not None:
            self._connection.abort()  # nothing is under way, and a silent server is not waited for
            with contextlib.suppress(Exception):
                self._runner.run(asyncio.wait_for(self._connection.wait_closed(), 1))
        self._runner.close()

    def entries(self) -> dict[str, Entry]:
        """The files in the folder."""
        found = self._run(lambda: self._client.readdir(self.folder))
        return {
            each.filename: Entry(
                each.filename,
                each.attrs.size,
                dt.datetime.fromtimestamp(each.attrs.mtime or 0, dt.UTC),
            )
            for each in found
            # 1: a regular file
            if each.attrs.type == 1 and each.attrs.size is not None and is_plain(each.filename)
        }

    def fetch(self, name: str, to: Path, most: int) -> int:
        """Copy one of them."""
        return self._run(lambda: self._copy(name, to, most))

    async def _copy(self, name: str, to: Path, most: int) -> int:
        done = 0
        async with self._client.open(f"{self.folder.rstrip('/')}/{name}", "rb") as file:
            with os.fdopen(new_file(to), "wb") as copy:
                while chunk := await file.read(CHUNK):
                    done += len(chunk)
                    if done > most:
                        raise _too_large(name, most)
                    copy.write(chunk)
        return done

    async def _connect(self) -> None:
        import asyncssh  # noqa: PLC0415 - slow to import, and only for who fetches from a server

        keys = None
        if self.private_key is not None:
            try:
                keys = [
                    asyncssh.import_private_key(
                        self.private_key.replace("\\n", "\n"), self.passphrase
                    )
                ]
            except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
                raise Refused(
                    "has a private_key that cannot be read",
                    "Set it to the whole text of the key's file, line breaks (or \\n) included, "
                    "and passphrase where it has one.",
                ) from None
        trusted = [
            asyncssh.import_public_key(line)
            for line in self.settings.host_key.splitlines()
            if line.strip()
        ]
        self._connection = await asyncssh.connect(
            self.settings.host,
            self.settings.port,
            username=self.settings.user,
            password=self.password,
            client_keys=keys,
            known_hosts=(trusted, [], []),
            agent_path=None,
            gss_host=None,
            config=None,
            disable_trivial_auth=True,
        )
        self._client = await self._connection.start_sftp_client(path_errors="surrogateescape")

    def _run(self, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Ask, within the time that is allowed; whatever goes wrong becomes a sentence."""
        import asyncssh  # noqa: PLC0415 - as above

        async def bounded() -> T:
            task = asyncio.ensure_future(ask())
            done, _ = await asyncio.wait({task}, timeout=self.settings.timeout_seconds)
            if not done:
                task.cancel()
                # it may wait for the server once more, to let go of a file
                await asyncio.wait({task}, timeout=1)
                raise TimeoutError
            return task.result()

        host = f"{self.settings.host}:{self.settings.port}"
        try:
            return self._runner.run(bounded())
        except asyncssh.HostKeyNotVerifiable:
            raise Refused(
                f"did not log in at {host}, because its key is not sftp.host_key; no password was "
                "sent",
                "Ask whoever runs the server whether its key was changed; only if so, put the new "
                "one into the company file.",
            ) from None
        except asyncssh.PermissionDenied:
            raise Refused(
                f"was refused by {host}: it does not take the user with this password or key",
                "Compare user, password or private_key with what the server's operator has given "
                "you.",
            ) from None
        except asyncssh.SFTPNoSuchFile:
            raise Refused(
                f"has no such file or folder at {self.title}",
                "Correct options.path in the company file.",
            ) from None
        except asyncssh.SFTPPermissionDenied:
            raise Refused(
                f"may not read at {self.title}",
                "Ask the server's operator for the right to list and read it.",
            ) from None
        except TimeoutError:
            seconds = self.settings.timeout_seconds
            raise Refused(
                f"had no answer from {host} within {seconds:g} seconds", "Run it again later."
            ) from None
        except (asyncssh.Error, OSError) as problem:
            why = (
                f"{type(problem).__name__}"
                if not isinstance(problem, OSError)
                else problem.strerror or type(problem).__name__
            )
            then = (
                "Check host and port, and whether the server lets this machine in; run it again "
                "later."
            )
            raise Refused(f"could not read from {host} ({why})", then) from None
