"""What both edges share: pacing, waiting and retrying over httpx.

Nothing here knows a system. Errors that leave this module are our own and carry no URL query,
header or body, because those hold personal data and secrets.
"""

# ruff: noqa: PLC0415 - httpx is imported with the first request: a command that only reads has none

import contextlib
import datetime as dt
import email.utils
import functools
import logging
import math
import random
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import httpx  # noqa: TID251 - an edge

# its INFO line prints whole URLs, queries included
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

RETRIED = frozenset({408, 429, 500, 502, 503, 504})
STOPPED = "stopped"
"""The word of :class:`NoAnswer` for a request that was not sent, because the client was stopped or
the deadline comes first.
"""


def _slashed(response: "httpx.Response") -> "httpx.URL | None":
    """Where a redirect leads that only adds a slash to the path or takes one away; None of any
    other, which is not followed.
    """
    import httpx  # noqa: TID251 - an edge

    if response.status_code not in {307, 308}:
        return None
    asked = response.request.url
    try:
        told = asked.join(response.headers.get("location", ""))
    except httpx.InvalidURL:
        return None
    same = (
        told.host == asked.host
        and told.path != asked.path
        and told.path.rstrip("/") == asked.path.rstrip("/")
    )
    # a service behind a gateway may not know its own scheme and port
    return asked.copy_with(path=told.path, query=asked.query or None) if same else None


class RateLimiter:
    """Hands out evenly spaced slots to all workers: ``rate`` requests a second (None: no limit),
    never a burst.

    A smooth pacer reaches 98 % of a limit without a single 429, where a bucket that starts full
    does not. A 429 moves the next slot (``pause``); without a ``Retry-After`` the spacing grows
    too, and shrinks back to what was asked for while all goes well.
    """

    def __init__(self, rate: float | None) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._spacing = self._interval
        self._next = 0.0
        self._widened = -math.inf
        self._lock = threading.Lock()

    def reserve(self) -> float:
        """Take the next free slot: seconds until it comes."""
        with self._lock:
            now = time.monotonic()
            slot = max(now, self._next)
            self._next = slot + self._spacing
            if self._spacing > self._interval:
                self._spacing = max(self._interval, self._spacing * 0.98)
        return slot - now

    def wait(self) -> None:
        """Sleep until the next free slot."""
        seconds = self.reserve()
        if seconds > 0:
            time.sleep(seconds)

    def pause(self, seconds: float) -> None:
        """Let nobody go for ``seconds``, because the other side said so."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def slow_down(self, *, at_most: float = 5.0) -> None:
        """Widen the spacing: a 429 came that did not say how long to wait. Workers refused together
        widen it once.

        Never beyond 5 seconds, nor beyond ``at_most``: what one refused request waits at the
        longest.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._widened < 0.25:
                return
            self._widened = now
            self._spacing = max(self._interval, min(max(self._spacing, 0.01) * 1.5, at_most, 5.0))


def retry_after(response: "httpx.Response", *, at_most: float) -> float | None:
    """Seconds that ``Retry-After`` (seconds or a date) asks for, at most ``at_most``; None where it
    is missing or unreadable.
    """
    text = response.headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(text)
        except (TypeError, ValueError, OverflowError):
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        try:
            seconds = (moment - dt.datetime.now(dt.UTC)).total_seconds()  # noqa: TID251 - a server's wall time, not the night's
        except OverflowError:  # a zone that leads out of the calendar
            return None
    return None if math.isnan(seconds) else min(max(seconds, 0.0), at_most)


def _bounded(begun: "httpx.Response", at_most: int) -> "httpx.Response":
    """An answer that is still coming, with its body as far as it is wanted."""
    import httpx  # noqa: TID251 - an edge

    body = bytearray()
    for piece in begun.iter_bytes(64 * 1024):
        body += piece
        if len(body) > at_most:
            break
    headers = {
        name: value
        for name, value in begun.headers.items()
        if name not in {"content-encoding", "content-length"}
    }
    return httpx.Response(begun.status_code, headers=headers, content=bytes(body[: at_most + 1]))


def backoff(attempt: int, *, first: float = 0.5, at_most: float = 30.0) -> float:
    """Seconds before try number ``attempt`` + 1: doubling, with jitter so that workers do not come
    back together.
    """
    return random.uniform(0.5, 1.0) * min(first * float(2 ** min(attempt - 1, 30)), at_most)  # noqa: S311 - no secret


class NoAnswer(Exception):  # noqa: N818 - says what happened
    """A request that got no answer, so that nobody knows whether it was carried out. Carries a
    word, never the request.
    """


class Unanswered(Exception):  # noqa: N818 - says what happened
    """A request that got no usable answer in all its tries; ``status`` is the last one, None where
    none came.
    """

    def __init__(self, why: str, status: int | None, attempts: int) -> None:
        super().__init__(why)
        self.status = status
        self.attempts = attempts


class OutOfTime(Unanswered):
    """A request that is not tried again, because a run's deadline would pass before."""


class Deadline:
    """When a run has to end, by a clock that nobody sets; without ``seconds`` never."""

    def __init__(self, seconds: float | None = None) -> None:
        self._ends = math.inf if seconds is None else time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until then, below zero afterwards."""
        return self._ends - time.monotonic()

    @property
    def passed(self) -> bool:
        """Whether nothing more should be begun."""
        return self.left() <= 0


NEVER = Deadline()
_deadline: ContextVar[Deadline] = ContextVar("deadline", default=NEVER)


@contextlib.contextmanager
def ending_by(deadline: Deadline) -> Iterator[None]:
    """Every :class:`Client` that this thread makes within the block, deep within a connector too,
    keeps to this deadline.
    """
    before = _deadline.get()
    _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.set(before)


@dataclass(frozen=True)
class RetryPolicy:
    """How long to go on asking. Times in seconds."""

    tries: int = 6  # of a request that fails
    # 429 answers to one request: being told to wait is no failure, so it is bounded by the time in
    # all
    refusals: int = 1000
    first_wait: float = 0.5
    longest_wait: float = 30.0
    longest_retry_after: float = 300.0
    in_all: float = 900.0


@functools.cache
def _tls() -> ssl.SSLContext:
    """The one TLS context of the process: making one costs tens of milliseconds, and every worker
    has a client.
    """
    import httpx  # noqa: TID251 - an edge

    return httpx.create_ssl_context()


@functools.cache
def _read() -> "httpx.ByteStream":
    """The body of an answer that has been read."""
    import httpx  # noqa: TID251 - an edge

    return httpx.ByteStream(b"")


@dataclass
class Client:
    """A paced client with one httpx client per worker thread (one shared client gets slower with
    every worker).

    ``transport`` takes the place of the network in benchmarks. Usable as a context manager.
    """

    pacer: RateLimiter
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 60.0
    patience: RetryPolicy = field(default_factory=RetryPolicy)
    transport: "httpx.BaseTransport | None" = None
    deadline: Deadline = field(default_factory=_deadline.get)

    def __post_init__(self) -> None:
        self._local = threading.local()
        self._made: list[httpx.Client] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _client(self) -> "httpx.Client":
        import httpx  # noqa: TID251 - an edge

        client: httpx.Client | None = getattr(self._local, "client", None)
        if client is None or client.is_closed:
            client = httpx.Client(
                headers=dict(self.headers),
                timeout=self.timeout,
                transport=self.transport,
                verify=True if self.transport else _tls(),
                follow_redirects=False,
            )
            self._local.client = client
            with self._lock:
                self._made.append(client)
        return client

    def rest(self, seconds: float) -> bool:
        """Wait; False where the client was stopped meanwhile, or at once where the deadline would
        pass first.
        """
        if seconds > self.deadline.left():
            return False
        return not (self._stopped.is_set() if seconds <= 0 else self._stopped.wait(seconds))

    def once(
        self,
        method: str,
        url: str,
        *,
        pacer: RateLimiter | None = None,
        at_most: int | None = None,
        **kwargs: Any,
    ) -> "httpx.Response":
        """One paced request and its whole answer; :class:`NoAnswer` where the connection failed on
        the way.

        ``pacer`` takes the place of the client's own, for a system that limits each path by itself.
        ``at_most`` bounds the body, in bytes: of a longer one no more is read, and the answer holds
        one byte more than allowed.
        """
        import httpx  # noqa: TID251 - an edge

        if not self.rest((pacer or self.pacer).reserve()):
            raise NoAnswer(STOPPED)
        try:
            if at_most is None:
                response = self._client().request(method, url, **kwargs)
                if (slashed := _slashed(response)) and self.rest((pacer or self.pacer).reserve()):
                    response = self._client().request(method, slashed, **{**kwargs, "params": None})
            else:
                with self._client().stream(method, url, **kwargs) as begun:
                    response = _bounded(begun, at_most)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            raise NoAnswer(type(problem).__name__) from None
        # httpx ties the two in a ring, which would keep every page until the next garbage
        # collection
        response.stream = _read()
        return response

    def hold_back(
        self, response: "httpx.Response | None", attempt: int, pacer: RateLimiter | None = None
    ) -> float:
        """Seconds to wait after a failed try: what ``Retry-After`` asks for, but never less than
        the usual back-off, which grows.

        A 429 also holds back the other workers; one that names no time worth the name makes
        everybody slower.
        """
        patience = self.patience
        told = (
            retry_after(response, at_most=patience.longest_retry_after)
            if response is not None
            else None
        )
        usual = backoff(attempt, first=patience.first_wait, at_most=patience.longest_wait)
        if response is not None and response.status_code == 429:
            if told is None or told < usual:
                (pacer or self.pacer).slow_down(at_most=patience.longest_wait)
            if told is not None:
                (pacer or self.pacer).pause(told)
        return usual if told is None else max(told, usual)

    def ask(
        self, method: str, url: str, *, pacer: RateLimiter | None = None, **kwargs: Any
    ) -> "httpx.Response":
        """A request that may be repeated without harm: tried until it is answered with something
        else than a passing fault.

        :class:`Unanswered` after all tries, when the waiting would exceed the patience in all, or
        when the client is stopped.
        """
        started, failures, refusals = time.monotonic(), 0, 0
        while True:
            response: httpx.Response | None = None
            try:
                response = self.once(method, url, pacer=pacer, **kwargs)
                why = f"HTTP {response.status_code}"
            except NoAnswer as problem:
                why = f"no answer ({problem})"
            if response is not None and response.status_code not in RETRIED:
                return response
            status = response.status_code if response is not None else None
            refusals, failures = (
                (refusals + 1, failures) if status == 429 else (refusals, failures + 1)
            )
            wait = self.hold_back(response, failures + refusals, pacer)
            spent = failures >= self.patience.tries or refusals >= self.patience.refusals
            late = time.monotonic() - started + wait > self.patience.in_all
            if wait > self.deadline.left():
                raise OutOfTime(
                    f"{why}, and the run's deadline comes first", status, failures + refusals
                )
            if spent or late or not self.rest(wait):
                raise Unanswered(why, status, failures + refusals)

    def stop(self) -> None:
        """End all waiting, now and from now on: what is not under way is not asked any more."""
        self._stopped.set()

    def close(self) -> None:
        """Stop, and close all connections."""
        self.stop()
        with self._lock:
            for client in self._made:
                client.close()
            self._made.clear()
