"""Faults that a sandbox can be told to have, and the log of what it was asked.

A :class:`Fault` says on which requests, after how many of them and how often something goes wrong.
The kinds that any web service may suffer from (:data:`GENERIC`) are carried out here, by
:class:`Faulty`, a piece of ASGI middleware around the whole stand-in; those that only the stand-in
can carry out (a page that repeats, an attribute that is gone) it gets from :func:`firing`.

Over HTTP, beside the stand-in's own paths:

* ``GET``, ``POST`` (a JSON list, added), ``DELETE /_sandbox/faults``
* ``GET``, ``DELETE /_sandbox/requests``: what was asked, as ``{method, path, query, status}``;
  status null: no answer went out
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from hris_pipeline.sandbox.server import ABORT, App, Message, Receive, Scope, Send

GENERIC: Mapping[str, str] = {
    "status": (
        "answers with status `value` (and `retry_after`, seconds or a date) instead of doing the "
        "work"
    ),
    "reset": "closes the connection without doing the work or answering",
    "timeout": (
        "waits `value` seconds (60) before it does the work; a caller that has gone by then is not "
        "served"
    ),
    "answer_lost": "does the work, then closes the connection without an answer",
    "html": "answers 200 with a web page instead of doing the work",
    "truncated": "does the work and answers with half of the body, as if that were all of it",
    "cut": "does the work and closes the connection in the middle of the body",
}
FIRING = "hris_pipeline.sandbox.faults"  # scope["extensions"][FIRING]: the faults this request has
_PAGE = (
    b"<!doctype html><html><head><title>Sign in</title></head><body><h1>Please sign "
    b"in</h1></body></html>"
)

Answer = tuple[str, bytes]  # content type and body


class Fault(msgspec.Struct, kw_only=False):
    """One thing that goes wrong.

    ``on`` is a shell pattern over the path (``*`` crosses slashes), with or without a method before
    it: ``/v2/persons``, ``PATCH /Users/*``. The first ``after`` requests that match pass; then it
    fires ``times`` times (null: for ever).
    """

    on: str
    kind: str
    after: int = 0
    times: int | None = 1
    value: Any = None
    retry_after: int | str | None = None
    seen: int = 0  # matching requests so far

    def matches(self, method: str, path: str) -> bool:
        """Whether the request is one that ``on`` means."""
        wanted, _, pattern = self.on.rpartition(" ")
        return wanted in {"", method} and fnmatchcase(path, pattern)

    def fires(self) -> bool:
        """Count a matching request; whether it is one that goes wrong."""
        self.seen += 1
        return self.seen > self.after and (
            self.times is None or self.seen <= self.after + self.times
        )


class Request(msgspec.Struct):
    """One request that a sandbox was asked, and the status it answered; None where no answer went
    out.
    """

    method: str
    path: str
    query: str
    status: int | None


class Faults:
    """The faults that are switched on, and the log of requests. Safe to use from the test's thread
    while the server runs.
    """

    def __init__(self, *faults: Fault) -> None:
        self._faults = list(faults)
        self._requests: deque[Request] = deque(maxlen=500_000)
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Switch more faults on."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._faults.clear()

    def all(self) -> list[Fault]:
        """The faults that are switched on, spent ones included."""
        with self._lock:
            return list(self._faults)

    def fire(self, method: str, path: str) -> tuple[Fault, ...]:
        """Count one request against every fault that matches it; those that it has to suffer."""
        with self._lock:
            if not self._faults:
                return ()
            return tuple(
                fault for fault in self._faults if fault.matches(method, path) and fault.fires()
            )

    def log(self, request: Request) -> None:
        """Remember one request."""
        with self._lock:
            self._requests.append(request)

    def requests(self, on: str = "*") -> list[Request]:
        """The requests so far, oldest first; ``on`` selects as in :class:`Fault`."""
        wanted = Fault(on, "status")
        with self._lock:
            return [
                request
                for request in self._requests
                if wanted.matches(request.method, request.path)
            ]

    def forget(self) -> None:
        """Empty the log of requests."""
        with self._lock:
            self._requests.clear()


def firing(scope: Scope) -> tuple[Fault, ...]:
    """The faults that the app itself has to carry out for this request."""
    faults: tuple[Fault, ...] = scope.get("extensions", {}).get(FIRING, ())
    return faults


def _plain_error(status: int, path: str) -> Answer:
    return "text/plain", f"{status} for {path}".encode()


class Faulty:
    """An app with faults: middleware that carries out the generic kinds, logs requests and takes
    orders under ``/_sandbox``.

    ``kinds`` are the app's own kinds (name to what it does), ``error`` makes the body of a
    ``status`` fault in the app's style.
    """

    def __init__(
        self,
        app: App,
        faults: Faults,
        *,
        kinds: Mapping[str, str] | None = None,
        error: Callable[[int, str], Answer] = _plain_error,
    ) -> None:
        self.app = app
        self.faults = faults
        self.kinds = {**GENERIC, **(kinds or {})}
        self.error = error
        self._refuse_unknown(faults.all())

    def _refuse_unknown(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            if fault.kind not in self.kinds:
                raise ValueError(
                    f"unknown kind of fault {fault.kind!r}; there are "
                    f"{', '.join(sorted(self.kinds))}"
                )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            return
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
        if path in {"/_sandbox/faults", "/_sandbox/requests"}:
            await self._order(scope["method"], path, receive, send)
        elif path.startswith("/_sandbox/"):
            await self.app(scope, receive, send)
        else:
            await self._serve(path, scope, receive, send)

    async def _order(self, method: str, path: str, receive: Receive, send: Send) -> None:
        """The sandbox's own paths, which no fault touches and no log shows."""
        about_faults = path.endswith("faults")
        status, body = 200, b"[]"
        if method == "DELETE":
            (self.faults.clear if about_faults else self.faults.forget)()
        elif method == "POST" and about_faults:
            try:
                wanted = msgspec.json.decode(await body_of(receive), type=list[Fault])
                self._refuse_unknown(wanted)
                self.faults.add(*wanted)
            except (msgspec.DecodeError, ValueError) as problem:
                status, body = 422, msgspec.json.encode({"problem": str(problem)})
        elif method != "GET":
            status, body = 405, b"{}"
        if method == "GET" or (method == "POST" and status == 200):
            body = msgspec.json.encode(
                self.faults.all() if about_faults else self.faults.requests()
            )
        await send_answer(send, status, "application/json", body)

    async def _serve(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        entry = Request(method, path, scope.get("query_string", b"").decode("latin-1"), None)
        self.faults.log(entry)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            await send(message)

        faults = self.faults.fire(method, path)
        if not faults:
            await self.app(scope, receive, noting)
            return
        own = tuple(fault for fault in faults if fault.kind not in GENERIC)
        if own:
            scope.setdefault("extensions", {})[FIRING] = own
        generic = next((fault for fault in faults if fault.kind in GENERIC), None)
        if generic is None:
            await self.app(scope, receive, noting)
        else:
            await self._suffer(generic, path, scope, receive, noting)

    async def _suffer(
        self, fault: Fault, path: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Carry out one generic fault."""
        match fault.kind:
            case "status":
                status = int(fault.value or 500)
                extra = (
                    []
                    if fault.retry_after is None
                    else [(b"retry-after", str(fault.retry_after).encode("latin-1"))]
                )
                await body_of(receive)
                await send_answer(send, status, *self.error(status, path), extra=extra)
            case "html":
                await body_of(receive)
                await send_answer(send, 200, "text/html; charset=utf-8", _PAGE)
            case "reset":
                await _cut(scope, receive)
            case "timeout":
                body = await body_of(receive)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(
                        _gone(receive), float(60 if fault.value is None else fault.value)
                    )
                    return
                await self.app(scope, _replay(body, receive), send)
            case "answer_lost":
                await _collect(self.app, scope, receive)
                await _cut(scope, receive)
            case "truncated" | "cut":
                status, headers, body = await _collect(self.app, scope, receive)
                kept = body[: len(body) // 2]
                length = len(kept) if fault.kind == "truncated" else len(body)
                headers = [
                    *((k, v) for k, v in headers if k.lower() != b"content-length"),
                    (b"content-length", b"%d" % length),
                ]
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send(
                    {"type": "http.response.body", "body": kept, "more_body": fault.kind == "cut"}
                )
                if fault.kind == "cut":
                    await asyncio.sleep(0.02)  # lets the half go out before the connection does
                    await _cut(scope, receive)


async def body_of(receive: Receive) -> bytes:
    """The whole body of a request."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """``receive`` for an app whose request body was read before."""
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again


async def _gone(receive: Receive) -> None:
    """Wait until the caller has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut(scope: Scope, receive: Receive) -> None:
    """Close the connection at once and wait until the server has noticed."""
    scope["extensions"][ABORT]()
    await _gone(receive)


async def _collect(
    app: App, scope: Scope, receive: Receive
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Let the app answer into memory: status, headers, body."""
    status, headers, parts = 500, [], []

    async def keep(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message.get("headers", []))
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, keep)
    return status, headers, b"".join(parts)


async def send_answer(
    send: Send, status: int, kind: str, body: bytes, *, extra: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Send one whole answer."""
    headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body)), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
