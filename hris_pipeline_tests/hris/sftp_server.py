"""An SFTP server on the loopback address that is not ours: asyncssh's, with one user and one
folder.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

USER = "acme"
PASSWORD = "s3cret-sftp"
SILENCE = 30  # seconds before a silent server says anything


class _Door(asyncssh.SSHServer):
    def __init__(self, server: "SftpServer") -> None:
        self.server = server

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.server.connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self.server.passwords.append(password)
        return (username, password) == (USER, PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key == self.server.user_key.convert_to_public()


class _Files(asyncssh.SFTPServer):
    """The folder; ``more`` are names that a listing shows although no such file is in it."""

    def __init__(self, chan: Any, server: "SftpServer") -> None:
        super().__init__(chan, chroot=str(server.folder).encode())
        self.server = server

    async def scandir(self, path: bytes):
        if self.server.silent_list:
            await asyncio.sleep(SILENCE)
        async for entry in super().scandir(path):
            yield entry
        for name in self.server.more:
            attrs = asyncssh.SFTPAttrs(
                type=1, permissions=0o100644, size=9, atime=2**31, mtime=2**31
            )
            yield asyncssh.SFTPName(name, attrs=attrs)

    async def read(self, file_obj: Any, offset: int, size: int) -> bytes:
        if self.server.cut:
            self.server.connections[-1].abort()
        if self.server.silent:
            try:
                await asyncio.sleep(SILENCE)
            finally:
                file_obj.close()
        return super().read(file_obj, offset, size)


@dataclass
class SftpServer:
    """What the server is to do, and what it has seen."""

    folder: Path
    host_key: asyncssh.SSHKey = field(
        default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519")
    )
    user_key: asyncssh.SSHKey = field(
        default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519")
    )
    more: tuple[bytes, ...] = ()
    cut: bool = False
    silent: bool = False
    silent_list: bool = False
    port: int = 0
    passwords: list[str] = field(default_factory=list)
    connections: list[Any] = field(default_factory=list)

    @property
    def public_key(self) -> str:
        return self.host_key.export_public_key().decode().strip()

    @contextlib.contextmanager
    def serve(self) -> Iterator["SftpServer"]:
        """Serve until the block ends, in a thread."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()

        async def start() -> asyncssh.SSHAcceptor:
            return await asyncssh.listen(
                "127.0.0.1",
                0,
                server_factory=lambda: _Door(self),
                server_host_keys=[self.host_key],
                sftp_factory=lambda chan: _Files(chan, self),
            )

        async def stop(acceptor: asyncssh.SSHAcceptor) -> None:
            acceptor.close()
            for connection in self.connections:
                connection.abort()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        acceptor = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        self.port = acceptor.get_port()
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(stop(acceptor), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
