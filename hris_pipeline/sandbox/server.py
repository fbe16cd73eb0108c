"""Runs an ASGI app on the loopback address, in a thread: the sandbox's doors for tests, the demo
and the command line.
"""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from types import FrameType, TracebackType
from typing import Any, Self

import uvicorn

from hris_pipeline.errors import PipelineError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# scope["extensions"][ABORT]() cuts the connection without a word
ABORT = "hris_pipeline.sandbox.abort"


def _cuttable(app: App) -> App:
    """The same app, told how to cut the connection, which ASGI itself does not offer and a fault
    needs.
    """

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is not None:
            scope.setdefault("extensions", {})[ABORT] = transport.abort
        await app(scope, receive, send)

    return run


class _Uvicorn(uvicorn.Server):
    """Ends when it is asked to, not when it next looks whether it was: tests start and end a
    thousand of them.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._asked = asyncio.Event()

    def stop(self) -> None:
        """To be called from another thread."""
        self._loop.call_soon_threadsafe(self._asked.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    async def main_loop(self) -> None:
        """Wait for :meth:`stop`."""
        await self.on_tick(0)  # makes the headers of every answer
        await self._asked.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything; only where somebody is being answered, wait as uvicorn does."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)  # a connection is gone in the loop's next round
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)


class Server:
    """One ASGI app behind one socket; a context manager. ``url`` has no trailing slash and is known
    once it is entered.
    """

    def __init__(self, app: App, host: str, port: int) -> None:
        self.app = app
        self.host = host
        self.port = port
        self._uvicorn: _Uvicorn | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """``http://host:port``."""
        return f"http://{self.host}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether the server's thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    def __enter__(self) -> Self:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.host, self.port))
        except OSError as problem:
            listener.close()
            raise PipelineError(
                f"The sandbox could not listen on {self.host}:{self.port} ({problem.strerror}). "
                "End the program that uses the port, or choose another port."
            ) from None
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            _cuttable(self.app),
            log_config=None,
            # a stand-in lives in its company's days: it says itself what the time is, where that
            # matters
            date_header=False,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,
        )
        self._uvicorn = _Uvicorn(config)
        self._thread = threading.Thread(
            target=self._uvicorn.run,
            kwargs={"sockets": [listener]},
            daemon=True,
            name=f"sandbox:{self.port}",
        )
        self._thread.start()
        while not self._uvicorn.started:
            self._thread.join(0.002)
            if not self._thread.is_alive():
                listener.close()
                raise PipelineError(f"The sandbox's server on {self.url} ended before it started.")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._uvicorn is not None and self._thread is not None:
            self._uvicorn.stop()
            self._thread.join()
            self._uvicorn = self._thread = None


def serve(app: App, host: str = "127.0.0.1", port: int = 0) -> Server:
    """A server for ``app``, to be used in a ``with`` statement; port 0 takes a free one.

    :class:`~hris_pipeline.errors.PipelineError` on entering when the port is taken.
    """
    return Server(app, host, port)


def run_until_interrupted(*servers: Server, ready: Callable[[], None] | None = None) -> None:
    """Start all servers, call ``ready``, and serve until Ctrl-C or SIGTERM; then stop them all. For
    the main thread only.
    """
    stop = threading.Event()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {
        number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with contextlib.ExitStack() as stack:
            for server in servers:
                stack.enter_context(server)
            if ready is not None:
                ready()
            while not stop.wait(0.5):
                if not all(server.running for server in servers):
                    raise PipelineError(
                        "One of the sandbox's servers ended by itself; the others were stopped "
                        "too. Start the sandbox again."
                    )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
