"""Asking one HR system over HTTP: what every connector shares, and nothing that only one of them
has.

Whatever goes wrong becomes an :class:`~hris_pipeline.errors.HrisError` that names the connection,
the path and the page, and never holds a value. There is no way to get an empty list out of a fault.
"""

import base64
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from hris_pipeline.contracts.probes import Probe
from hris_pipeline.errors import HrisError
from hris_pipeline.hris.extract import REQUIRED, Moved
from hris_pipeline.http import Client, RateLimiter, Unanswered

if TYPE_CHECKING:
    import httpx  # noqa: TID251 - an edge

T = TypeVar("T")
R = TypeVar("R")

AGAIN = "Run it again later; if it stays so, ask {title}'s support."


@dataclass
class Api:
    """One account of one HR system: every request of it is signed, and signed anew, once, where a
    token is refused.

    A context manager, which closes the client.
    """

    title: str  # what people call the system: Personio
    connection: str  # its name in the company file
    base_url: str  # without trailing slash
    client: Client
    rights_at: str  # where people switch rights on: Settings > Integrations > API credentials
    sign: Mapping[str, str] | Callable[["Api"], Mapping[str, str]] = field(repr=False)
    """The headers that say who asks; or what asks for a token, and makes them."""
    rate_option: str = "requests_per_second"  # what the company file calls how fast it is asked
    # where people make a credential, if that is not where they switch its rights on
    keys_at: str = ""
    _signature: Mapping[str, str] | None = field(default=None, repr=False)
    _renewed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()

    def error(self, what: str, then: str = AGAIN) -> HrisError:
        """The error for what happened ("answered ..."), and what to do next."""
        problem, remedy = (
            f"{self.title} connection '{self.connection}' {what}.",
            then.format(title=self.title),
        )
        undone = "Nothing of this extract is used; deskbird is left as it is."
        return HrisError(f"{problem} {undone} {remedy}", problem=problem, remedy=remedy)

    def moved(self, where: str, word: str) -> Moved:
        """The error for a list that has changed while its pages were read; ``word`` is what the
        system calls that.
        """
        error = self.error(
            f"could not go on at {where}, because its list had changed meanwhile ({word})"
        )
        return Moved(str(error), problem=error.problem, remedy=error.remedy)

    def ask(
        self,
        method: str,
        url: str,
        *,
        where: str,
        accept: Collection[int] = (),
        pacer: RateLimiter | None = None,
        **kwargs: Any,
    ) -> "httpx.Response":
        """One request without a signature, tried until it is answered: an answer with 2xx or a
        status of ``accept``.

        ``url`` is a path or whole; ``where`` is what errors call it.
        """
        try:
            response = self.client.ask(
                method, url if "://" in url else self.base_url + url, pacer=pacer, **kwargs
            )
        except Unanswered as problem:
            tries = (
                f"after {problem.attempts} tries" if problem.attempts > 1 else "at the first try"
            )
            if problem.status == 429:
                what = f"went on refusing {where} for too many requests ({tries})"
                raise self.error(
                    what, f"Lower {self.rate_option} in the company file, or run again later."
                ) from None
            then = (
                AGAIN
                if problem.status
                else f"Check base_url in the company file and the way to it. {AGAIN}"
            )
            raise self.error(
                f"gave no usable answer at {where} {tries} ({problem})", then
            ) from None
        status = response.status_code
        if response.is_success or status in accept or status in {401, 403}:
            return response
        if response.is_redirect:
            raise self.error(
                f"answered with a redirect (HTTP {status}) at {where}",
                "Check base_url in the company file.",
            )
        then = f"Check base_url in the company file. {AGAIN}" if status == 404 else AGAIN
        raise self.error(f"refused the request to {where} (HTTP {status})", then)

    def get(
        self,
        url: str,
        *,
        where: str,
        right: str,
        accept: Collection[int] = (),
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> "httpx.Response":
        """One signed GET. ``right`` is what the credential needs for it, in the system's words."""
        signature = self._current()
        for again in (False, True):
            response = self.ask(
                "GET",
                url,
                where=where,
                accept=accept,
                headers={**(headers or {}), **signature},
                **kwargs,
            )
            if response.status_code != 401 or 401 in accept:
                break
            renewed = None if again else self._renew(signature)
            if renewed is None:
                break
            signature = renewed
        status = response.status_code
        if status in {401, 403} and status not in accept:
            if status == 401 and not callable(self.sign):
                raise self.bad_credential(where, "HTTP 401")
            accepted = (
                " although it had accepted the credential itself" if callable(self.sign) else ""
            )
            raise self.error(
                f"refused {where} (HTTP {status}){accepted}",
                f"Switch on {right} for this credential under {self.rights_at}; if it is on, make "
                "a new credential there.",
            )
        return response

    def log_in(self) -> None:
        """Ask for a token now and not only with the first request."""
        self._current()

    def _current(self) -> Mapping[str, str]:
        with self._lock:
            if self._signature is None:
                self._signature = self.sign(self) if callable(self.sign) else self.sign
            return self._signature

    def _renew(self, refused: Mapping[str, str]) -> Mapping[str, str] | None:
        """A signature that is not ``refused``; None when there is no other, or the one allowed
        renewal is spent (case 10).
        """
        with self._lock:
            if self._signature == refused:
                if self._renewed or not callable(self.sign):
                    return None
                self._renewed = True
                self._signature = self.sign(self)
            return self._signature

    def bad_credential(self, where: str, why: str) -> HrisError:
        """The error for a credential that the system does not know."""
        place = self.keys_at or self.rights_at
        return self.error(
            f"refused the credential at {where} ({why})",
            f"Compare it with the one under {place}, or make a new one there, and set it in the "
            "environment.",
        )

    def demand(self, vanished: Collection[str], labels: Mapping[str, str], then: str) -> None:
        """Refuse an extract in which nobody has one of the
        :data:`~hris_pipeline.hris.extract.REQUIRED` columns.

        ``labels`` are the system's own for our columns, and take the place of ``{attributes}`` in
        ``then``, what to do next.
        """
        missing = [f"'{labels[column]}'" for column in REQUIRED if column in vanished]
        if missing:
            remedy = then.format(attributes=" and ".join(missing))
            raise self.error(f"gave no person the attribute {' or '.join(missing)}", remedy)

    def read(self, response: "httpx.Response", decoder: msgspec.json.Decoder[T], where: str) -> T:
        """The typed content of an answer (case 7)."""
        try:
            return decoder.decode(response.content)
        except msgspec.ValidationError as problem:  # its text holds types and a path, never a value
            raise self.error(
                f"answered in a form that this version does not know at {where}: {problem}"
            ) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            html = response.content.lstrip()[:1] == b"<" or "html" in response.headers.get(
                "content-type", ""
            )
            what = "HTML instead of JSON" if html else "JSON that is cut off or broken"
            raise self.error(f"answered {what} at {where}") from None


def peek(response: "httpx.Response", decoder: msgspec.json.Decoder[T]) -> T | None:
    """The typed content of a refusal; None where it is in another form, which is no error of its
    own.
    """
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
        return decoder.decode(response.content)
    return None


def probed(what: str, ask: Callable[[], object], *, needed: bool = True) -> Probe:
    """What comes of one request: a refusal, or no usable answer, is the probe's problem."""
    try:
        ask()
    except HrisError as refusal:
        return Probe(what, refusal.problem, refusal.remedy, needed)
    return Probe(what)


def probed_first(api: Api, what: str, ask: Callable[[], Iterable[T]]) -> tuple[Probe, list[T]]:
    """What comes of asking for the first of all people, and that person: nobody is a problem too
    (case 1).
    """
    found: list[T] = []
    probe = probed(what, lambda: found.extend(ask()))
    if not probe.problem and not found:
        nobody = f"{api.title} lists nobody to this credential, and an empty list proves nothing."
        probe = Probe(what, nobody, f"Let this credential see all people under {api.rights_at}.")
    return probe, found


class PageWalk:
    """A walk over the pages of one list: keeps it finite and counts who came twice.

    A page that comes again, a link that repeats, leads to another host, or a page too many is an
    error (case 5).
    """

    def __init__(self, api: Api, path: str, *, most: int = 50_000) -> None:
        self.api = api
        self.path = path
        self.pages = 0
        self.duplicates = 0
        self.seen: set[str] = set()
        self._most = most
        self._links: set[str] = set()
        self._pages: set[int] = set()

    @property
    def where(self) -> str:
        """The page that is to be asked for now, as errors call it."""
        return self.page(self.pages + 1)

    def page(self, number: int) -> str:
        """A page, as errors call it."""
        return f"{self.path} (page {number})"

    def take(self, ids: Sequence[str]) -> Sequence[int]:
        """Count one page by the ids on it; the positions of those that had not come before."""
        where = self.where
        self.pages += 1
        if self.pages > self._most:
            raise self.api.error(f"did not come to an end at {self.path} after {self._most} pages")
        if not ids:
            return ()
        digest = hash(tuple(ids))
        if digest in self._pages:
            raise self.api.error(f"gave a page at {where} that it had given before")
        self._pages.add(digest)
        fresh = set(ids)
        if len(fresh) == len(ids) and self.seen.isdisjoint(fresh):
            self.seen |= fresh
            return range(len(ids))
        new = []
        for position, each in enumerate(ids):
            if each not in self.seen:
                self.seen.add(each)
                new.append(position)
        self.duplicates += len(ids) - len(new)
        return new

    def follow(self, link: str, at: str) -> str:
        """The whole URL of a link to the next page, which may be relative to the URL ``at``."""
        import httpx  # noqa: PLC0415, TID251 - an edge; a command that only reads needs none

        after = f"after {self.path} (page {self.pages})"
        try:
            base = httpx.URL(self.api.base_url)
            url = httpx.URL(at if "://" in at else self.api.base_url + at).join(link)
        except (httpx.InvalidURL, ValueError):
            raise self.api.error(f"gave a link {after} that cannot be read") from None
        if _origin(url) != _origin(base) or url.userinfo:
            raise self.api.error(
                f"gave a link to another host {after}, which was not followed because that host "
                "would get the token",
                "Check base_url in the company file.",
            )
        return self.once(str(url))

    def once(self, link: str) -> str:
        """A link or cursor to the next page, which must not have come before."""
        if link in self._links:
            raise self.api.error(
                f"gave a link after {self.path} (page {self.pages}) that it had given before"
            )
        self._links.add(link)
        return link


def basic(user: str, password: str) -> dict[str, str]:
    """The headers of HTTP's basic authentication, in UTF-8."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def _origin(url: "httpx.URL") -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"https": 443, "http": 80}.get(url.scheme)


@contextlib.contextmanager
def ahead(stop: Callable[[], None]) -> Iterator[ThreadPoolExecutor]:
    """A thread that asks for what comes next while what came is worked on; ``stop`` has to end what
    sleeps, after an error.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="hris") as pool:
        try:
            yield pool
        except BaseException:
            stop()
            raise


def in_order(
    function: Callable[[T], R], items: Iterable[T], *, workers: int, stop: Callable[[], None]
) -> Generator[tuple[T, R]]:
    """Each item with what ``function`` makes of it, in the items' order, by several workers a
    bounded number of items ahead.

    To be closed (``contextlib.closing``): what waits is dropped then, and ``stop`` has to end what
    sleeps.
    """
    waiting: deque[tuple[T, Future[R]]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="hris") as pool:
        try:
            for item in items:
                waiting.append((item, pool.submit(function, item)))
                if len(waiting) >= workers * 4:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        except BaseException:
            stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
