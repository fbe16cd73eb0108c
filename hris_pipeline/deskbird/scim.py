"""deskbird's SCIM 2.0 service: what it holds, read completely or not at all, and the connection
that writes use.

Lists are read as Okta's import does it (``startIndex`` and ``count``), single records by the
filters that Entra ID's client sends. Only the attributes we need are decoded. Errors say what to do
next and carry nothing of what was read.
"""

import contextlib
import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

import httpx  # noqa: TID251 - an edge
import msgspec
import pyarrow as pa

from hris_pipeline.arrow import ArrowFile
from hris_pipeline.contracts.tables import (
    DESKBIRD_GROUP_MEMBERS,
    DESKBIRD_GROUPS,
    DESKBIRD_USERS,
    Table,
)
from hris_pipeline.deskbird import records
from hris_pipeline.deskbird.dialects import quoted
from hris_pipeline.deskbird.listing import (
    NOTES,
    PAGE,
    Fault,
    Note,
    PageWalk,
    Paging,
    RejectedError,
    Trouble,
)
from hris_pipeline.deskbird.records import Decoded, Group, Record, Unreadable, User
from hris_pipeline.errors import DeskbirdError, PipelineError
from hris_pipeline.http import Client, RateLimiter, RetryPolicy, Unanswered

__all__ = [
    "Group",
    "Observation",
    "Progress",
    "Service",
    "User",
    "is_web_page",
    "refused",
    "segment",
]

Progress = Callable[[str, int, int | None], None]
"""Called with what is read or written, how many so far, and how many there are."""

PASSES = 3  # times a list is read before it counts as one that cannot be read
_PASSES: Mapping[Fault, int] = {"repeats": 2, "rejected": 2}  # of what looks like no moving list
_PASSES_TOGETHER = 12  # the same of a list in no stable order, whose passes are put together
# so many of them in a row that show nothing new are the end: what is missing does not come any more
_IDLE_PASSES = 4
# what pages are ordered by, where they need it
_SORTS = {"users": ("id", "userName"), "groups": ("id", "displayName")}
# what a service answers that does not know sortBy, startIndex or cursor
_NOT_THIS_WAY = {400, 422, 501}
_FEWER = (50, 10)  # records asked for at once of a service that refuses to give so many
_IN_VAIN = 3  # groups, one after the other, that show no more by themselves than in the list
_BATCH = 10_000  # rows kept in memory before they go to the file
_NEXT = "Nothing was changed in deskbird, and the tables of the last good run are still there."


Resource = Literal["users", "groups"]


# --- what the service says of itself --------------------------------------------------------------


class _Supported(msgspec.Struct, frozen=True):
    supported: bool = False


class _Filter(msgspec.Struct, frozen=True, rename="camel"):
    supported: bool = False
    max_results: int = 0  # records on one page at most


class _Pagination(msgspec.Struct, frozen=True, rename="camel"):
    """RFC 9865."""

    cursor: bool = False
    index: bool = True
    max_page_size: int | None = None


class ServiceProviderConfig(msgspec.Struct, frozen=True):
    """What the service announces of itself; by default nothing but PATCH."""

    patch: _Supported = _Supported(supported=True)
    bulk: _Supported = _Supported()
    etag: _Supported = _Supported()
    filter: _Filter = _Filter()
    sort: _Supported = _Supported()
    pagination: _Pagination | None = None


# --- reading --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Observation:
    """A list that was read to its end, and what it shows deskbird to give back at all.

    ``readable`` holds our names (columns of ``deskbird.users`` or ``deskbird.groups``, and
    ``members``) of what came back for anybody; what is not in it is write-only as far as anyone can
    tell, and never to be read as empty.
    """

    resource: Resource
    pages: int
    records: int
    members: int  # memberships; 0 for users
    readable: frozenset[str]
    etags: bool  # whether every record came with a version
    passes: int  # 1, unless the list moved while it was read
    notes: tuple[Note, ...] = ()  # what is odd about the list all the same
    unreadable: tuple[Unreadable, ...] = ()  # records of which it cannot be told whose they are
    partial: frozenset[str] = frozenset()  # groups with a member of whom it is not said who that is

    @property
    def remarks(self) -> str | None:
        """What is odd about the list, in a sentence."""
        told = "; ".join(NOTES[note] for note in self.notes)
        return (
            f"deskbird's list of {self.resource} was read to its own end, but {told}."
            if told
            else None
        )


@dataclass
class _Seen:
    """What the records of a pass show."""

    readable: set[str] = field(default_factory=set)
    etags: bool = True
    unreadable: list[Unreadable] = field(default_factory=list)
    partial: set[str] = field(default_factory=set)
    pages: int = 0
    notes: set[Note] = field(default_factory=set)

    def and_then(self, later: "_Seen") -> "_Seen":
        """This pass and another one."""
        both = {one.key: one for one in (*self.unreadable, *later.unreadable)}
        return _Seen(
            self.readable | later.readable,
            self.etags and later.etags,
            list(both.values()),
            self.partial | later.partial,
            self.pages + later.pages,
            self.notes | later.notes,
        )


@dataclass
class _Largest:
    """The groups that show the most members, and whom."""

    size: int = 1
    groups: dict[str, set[str]] = field(default_factory=dict)

    def see(self, group: str, members: Sequence[str]) -> None:
        """Look at one more group."""
        if len(members) > self.size:
            self.size = len(members)
            self.groups.clear()
        if len(members) == self.size:
            self.groups[group] = set(members)


class _ListFile(ArrowFile):
    """The file of one table; it bears its name only once it is whole."""

    def __init__(self, path: Path, table: Table) -> None:
        super().__init__(path.with_name(path.name + ".part"), table)
        self.target = path
        self._waiting: list[dict[str, Any]] = []
        self.rows = 0

    def __enter__(self) -> Self:
        self._waiting.clear()
        self.rows = 0
        return super().__enter__()

    def add(self, row: dict[str, Any]) -> None:
        """Add a row, keyed by column name."""
        self._waiting.append(row)
        self.rows += 1
        if len(self._waiting) >= _BATCH:
            self.finish()

    def finish(self) -> None:
        """Write the rows that wait for their batch to be full."""
        self.write(pa.RecordBatch.from_pylist(self._waiting, schema=self.schema))
        self._waiting.clear()

    def publish(self) -> None:
        """Give it its name."""
        self.path.replace(self.target)

    def set_aside(self, number: int) -> Path:
        """Keep it under another name, to be put together with others."""
        return self.path.replace(self.target.with_name(f"{self.target.name}.{number}"))


@dataclass
class _Kept:
    """Passes over a list in no stable order, to be put together: what one misses, another may
    show.
    """

    files: list[tuple[Path, Path | None]] = field(default_factory=list)
    seen: list[_Seen] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    total: int | None = None
    idle: int = 0  # passes in a row that brought nothing new

    def add(self, keys: Iterable[str], total: int | None) -> None:
        """Count what a pass brought."""
        before = len(self.keys)
        self.keys.update(keys)
        self.total = total
        self.idle = self.idle + 1 if len(self.keys) == before else 0

    @property
    def is_whole(self) -> bool:
        """Whether they hold all that there are, and the last pass showed nobody else."""
        return len(self.keys) == self.total and self.idle > 0

    def forget(self) -> None:
        """Begin anew."""
        for pair in self.files:
            for path in filter(None, pair):
                path.unlink(missing_ok=True)
        self.__init__()  # type: ignore[misc]


@dataclass(frozen=True)
class _Files:
    """What a pass over a list writes: its records, and of groups the members."""

    records: _ListFile
    members: _ListFile | None = None

    @property
    def _all(self) -> tuple[_ListFile, ...]:
        return (self.records, self.members) if self.members else (self.records,)

    def __enter__(self) -> Self:
        for file in self._all:
            file.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._all:
            file.__exit__(kind, error, trace)

    def add_members(self, group: str, members: Iterable[str]) -> None:
        """Add members of a group."""
        if self.members:
            for member in members:
                self.members.add({"group_deskbird_id": group, "user_deskbird_id": member})

    def publish(self) -> None:
        """Give them their names."""
        for file in self._all:
            file.publish()

    def discard(self) -> None:
        """Throw them away."""
        for file in self._all:
            file.discard()

    def set_aside(self, number: int) -> tuple[Path, Path | None]:
        """Keep them for :meth:`together`."""
        return self.records.set_aside(number), (
            self.members.set_aside(number) if self.members else None
        )

    def together(self, resource: Resource, kept: _Kept, number: int) -> Observation:
        """Write what several passes showed, of each record what the latest did."""
        taken: set[str] = set()
        with self:
            for records_path, members_path in reversed(kept.files):
                fresh = set()
                for row in _rows(records_path):
                    if row["deskbird_id"] not in taken:
                        fresh.add(row["deskbird_id"])
                        self.records.add(row)
                if self.members and members_path:
                    for row in _rows(members_path):
                        if row["group_deskbird_id"] in fresh:
                            self.members.add(row)
                taken |= fresh
        self.publish()
        seen = functools.reduce(_Seen.and_then, kept.seen)
        seen.notes.add("order_is_unstable")
        return self.observation(resource, seen, number)

    def observation(self, resource: Resource, seen: _Seen, passes: int) -> Observation:
        """What was read, in numbers."""
        return Observation(
            resource,
            seen.pages,
            self.records.rows,
            self.members.rows if self.members else 0,
            frozenset(seen.readable),
            etags=seen.etags and self.records.rows > 0,
            passes=passes,
            notes=tuple(sorted(seen.notes)),
            unreadable=tuple(seen.unreadable),
            partial=frozenset(seen.partial),
        )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as batches:
        for batch in batches:
            yield from batch.to_pylist()


class Service:
    """A connection to deskbird's SCIM service: one pacer for everything that is asked of it, one
    httpx client per thread.

    :param url: ``deskbird.scim_url``
    :param attributes: ``sync.attributes``, which are read too
    :param transport: takes the place of the network in benchmarks
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        requests_per_second: float | None,
        concurrency: int,
        transport: httpx.BaseTransport | None = None,
        patience: RetryPolicy | None = None,
        timeout: float = 60.0,
        attributes: Sequence[str] = (),
    ) -> None:
        self.url = url.rstrip("/")
        self._attributes = attributes
        self.concurrency = concurrency
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/scim+json, application/json;q=0.9",
            "Content-Type": "application/scim+json",
        }
        self.client = Client(
            RateLimiter(requests_per_second),
            headers,
            timeout,
            patience or RetryPolicy(),
            transport,
        )
        self._config: ServiceProviderConfig | None = None
        self._expected: Mapping[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.client.close()

    def read_users(self, path: Path, progress: Progress) -> Observation:
        """Read all users into ``path`` (Arrow IPC stream, the columns of
        ``contracts.tables.DESKBIRD_USERS``, ``hris_ref`` null).

        :raises DeskbirdError: the list could not be read to its end, or did not hold still; there
        is no file then.
        """
        return self._observe("users", _Files(_ListFile(path, DESKBIRD_USERS)), progress)

    def read_groups(
        self,
        groups_path: Path,
        members_path: Path,
        progress: Progress,
        expected: Mapping[str, int] | None = None,
    ) -> Observation:
        """Read all groups and who is in them (``DESKBIRD_GROUPS`` and ``DESKBIRD_GROUP_MEMBERS``);
        else as for users.

        ``expected`` says how many members some groups should show. One that shows fewer, and as
        many as the largest one does, is read by itself too, where services often show more of a
        group than in their list.
        """
        self._expected = expected or {}
        files = _Files(
            _ListFile(groups_path, DESKBIRD_GROUPS),
            _ListFile(members_path, DESKBIRD_GROUP_MEMBERS),
        )
        return self._observe("groups", files, progress)

    def service_provider_config(self) -> ServiceProviderConfig:
        """What the service announces, asked once; a service that has no such page announces
        nothing.
        """
        if self._config is None:
            response = self._get("/ServiceProviderConfig", {}, "its configuration")
            self._config = ServiceProviderConfig()
            if response.status_code == HTTPStatus.OK:
                with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
                    self._config = msgspec.json.decode(response.content, type=ServiceProviderConfig)
            elif response.status_code == HTTPStatus.UNAUTHORIZED:
                raise refused(response.status_code, "its configuration")
        return self._config

    def read_user(self, deskbird_id: str) -> User | None:
        """One user, None where there is none (any more)."""
        return self._read_one(f"/Users/{segment(deskbird_id)}", User)

    def read_group(self, deskbird_id: str) -> Group | None:
        """One group with its members, None where there is none (any more)."""
        return self._read_one(f"/Groups/{segment(deskbird_id)}", Group)

    def find_user(self, hris_ref: str, email: str) -> tuple[User, bool] | None:
        """The user that bears our marker, or else the one with this userName; and whether it was
        found by the marker.
        """
        for user in self._search("/Users", User, f"externalId eq {quoted(hris_ref)}"):
            # a service that knows externalId only in filters is believed; one that ignores filters
            # is not
            if hris_ref == user.external_id or (
                user.external_id is None and _same(user.user_name, email)
            ):
                return user, True
        for user in self._search("/Users", User, f"userName eq {quoted(email)}"):
            if _same(user.user_name, email):
                return user, user.external_id == hris_ref
        return None

    def find_group(self, hris_ref: str, name: str) -> tuple[Group, bool] | None:
        """The group that bears our marker, or else the one of this name; without its members."""
        for group in self._search("/Groups", Group, f"externalId eq {quoted(hris_ref)}"):
            if hris_ref == group.external_id or (
                group.external_id is None and group.display_name == name
            ):
                return group, True
        for group in self._search("/Groups", Group, f"displayName eq {quoted(name)}"):
            if _same(group.display_name, name):
                return group, group.external_id == hris_ref
        return None

    # --- within ---

    def _observe(self, resource: Resource, files: _Files, progress: Progress) -> Observation:
        try:
            return self._passes(resource, files, progress)
        except (OSError, pa.ArrowException) as problem:
            reason = getattr(problem, "strerror", None) or type(problem).__name__
            raise PipelineError(
                f"deskbird's {resource} could not be kept in {files.records.target.parent.name}/ "
                f"({reason}). {_NEXT} Make room or give this user the right to write there, then "
                "run again."
            ) from None

    def _passes(self, resource: Resource, files: _Files, progress: Progress) -> Observation:
        """Read the list until a pass is whole, or several are together."""
        how, sorts, kept, number = Paging(), list(_SORTS[resource]), _Kept(), 0
        with contextlib.ExitStack() as stack:
            stack.callback(kept.forget)
            while True:
                try:
                    with files:
                        walk, seen = self._pass(resource, how, files, progress)
                except RejectedError as refusal:
                    how = self._otherwise(how, sorts, refusal)
                    continue
                number += 1
                trouble = walk.trouble()
                if trouble and trouble.fault in {"repeats", "rejected"} and self._is_one_page(walk):
                    trouble = None
                if trouble is None:
                    files.publish()
                    seen.notes |= walk.notes
                    return files.observation(resource, seen, number)
                if not walk.unordered or kept.total not in {None, walk.total}:
                    kept.forget()
                if walk.unordered:
                    kept.files.append(files.set_aside(number))
                    kept.seen.append(seen)
                    kept.add(walk.keys, walk.total)
                    if kept.is_whole:
                        return files.together(resource, kept, number)
                else:
                    files.discard()
                if (
                    number
                    >= (_PASSES_TOGETHER if kept.keys else _PASSES.get(trouble.fault, PASSES))
                    or kept.idle >= _IDLE_PASSES
                ):
                    raise _not_whole(resource, trouble, kept, number)
                how = self._better(how, sorts, trouble)

    def _pass(
        self, resource: Resource, how: Paging, files: _Files, progress: Progress
    ) -> tuple[PageWalk[Any], _Seen]:
        endpoint, kind = ("/Users", User) if resource == "users" else ("/Groups", Group)
        walk: PageWalk[Any] = PageWalk(
            lambda params: self._page(endpoint, params, kind, resource), how
        )
        seen, largest = _Seen(), _Largest()
        for page in walk.pages():
            for record in page.records:
                row: dict[str, Any] = dict(record.values())
                seen.readable.update(
                    column for column, value in row.items() if value not in {None, ""}
                )
                if isinstance(record, User) and self._attributes:
                    found = {
                        name: value
                        for name, value in record.named(self._attributes).items()
                        if value is not None
                    }
                    row["attributes"] = list(found.items()) or None
                    seen.readable.update(found)
                files.records.add(row)
                seen.etags = seen.etags and row["version"] is not None
                if isinstance(record, Group) and files.members:
                    members = record.member_ids
                    largest.see(record.id, members)
                    files.add_members(record.id, members)
            seen.unreadable += page.unreadable
            seen.partial |= page.untold_members
            total = walk.total if walk.total is not None and walk.total >= len(walk.keys) else None
            progress(resource, len(walk.keys), total)
        if not walk.pages_read or not walk.keys:
            progress(resource, 0, 0)
        missing = {
            group: self._expected.get(group, 0) - len(shown)
            for group, shown in largest.groups.items()
        }
        in_vain = 0
        for group in sorted(
            (group for group in missing if missing[group] > 0), key=lambda group: -missing[group]
        ):
            hidden = self._hidden_members(group, largest.groups[group])
            files.add_members(group, hidden)
            in_vain = 0 if hidden else in_vain + 1
            if in_vain == _IN_VAIN:
                break
        if files.members and files.members.rows:
            seen.readable.add("members")
        seen.pages = walk.pages_read
        return walk, seen

    def _hidden_members(self, group: str, shown: Collection[str]) -> list[str]:
        """Whom a group shows by itself and not in the list."""
        try:
            alone = self.read_group(group)
        except DeskbirdError:
            return []
        return [member for member in (alone.member_ids if alone else ()) if member not in shown]

    def _page(
        self, endpoint: str, params: Mapping[str, str | int], kind: type[Record], what: str
    ) -> Decoded[Record]:
        response = self._get(endpoint, dict(params), what)
        if response.status_code in _NOT_THIS_WAY:
            raise RejectedError(_scim_type(response), refused(response.status_code, what))
        return _read(response, what, lambda body, form: records.page(body, form, kind))

    def _otherwise(self, how: Paging, sorts: list[str], refusal: RejectedError) -> Paging:
        """Another way to ask, where one is refused altogether."""
        if how.sort:
            return replace(how, sort=sorts.pop(0) if sorts else None)
        if how.cursors:
            raise refusal.error from None
        if self._has_cursors():
            return self._by_cursors(how)
        most = self.service_provider_config().filter.max_results
        fewer = [count for count in (*([most] if most > 0 else []), *_FEWER) if count < how.count]
        if not fewer:
            raise refusal.error from None
        return replace(how, count=fewer[0])

    def _better(self, how: Paging, sorts: list[str], trouble: Trouble) -> Paging:
        """Another way to ask, where pages do not follow each other."""
        if how.cursors or trouble.fault not in {"repeats", "twice", "rejected"}:
            return how
        if self._has_cursors():
            return self._by_cursors(how)
        if trouble.fault == "twice" and not how.sort and sorts:
            return replace(how, sort=sorts.pop(0))
        return how

    def _has_cursors(self) -> bool:
        pagination = self.service_provider_config().pagination
        return pagination is not None and pagination.cursor

    def _by_cursors(self, how: Paging) -> Paging:
        pagination = self.service_provider_config().pagination
        most = pagination.max_page_size if pagination else None
        return replace(
            how, cursors=True, sort=None, count=min(PAGE, most) if most and most > 0 else PAGE
        )

    def _is_one_page(self, walk: PageWalk[Any]) -> bool:
        """Whether the service gave everything at once, and says that a page of it may hold more."""
        return (
            walk.is_one_page and len(walk.keys) < self.service_provider_config().filter.max_results
        )

    def _search(self, endpoint: str, kind: type[Record], condition: str) -> list[Record]:
        params = {"filter": condition}
        if endpoint == "/Groups":
            params["excludedAttributes"] = "members"
        response = self._get(endpoint, params, "a record")
        if response.status_code in {
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.NOT_IMPLEMENTED,
        }:
            # a filter it does not know (RFC 7644, 3.4.2.2), or an old service's way to say that
            # there is none
            return []
        found = _read(response, "a record", lambda body, form: records.page(body, form, kind))
        if found.unreadable:  # it might be the one
            raise _no_message(response, "a record")
        return found.records

    def _read_one(self, path: str, kind: type[Record]) -> Record | None:
        response = self._get(path, {}, "a record")
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        return _read(response, "a record", lambda body, form: records.one(body, form, kind))

    def _get(self, path: str, params: dict[str, Any], what: str) -> httpx.Response:
        try:
            return self.client.ask("GET", self.url + path, params=params)
        except Unanswered as problem:
            why = (
                f"deskbird did not answer when asked for {what}: {problem}, {problem.attempts} "
                "tries."
            )
            then = "Check deskbird.scim_url and whether deskbird is in maintenance, then run again."
            raise DeskbirdError(f"{why} {_NEXT} {then}", problem=why, remedy=then) from None


def segment(deskbird_id: str) -> str:
    """An id as one segment of a path."""
    return quote(deskbird_id, safe="")


def refused(status: int, what: str) -> DeskbirdError:
    """The sentence for an answer that is not the one asked for."""
    if status == HTTPStatus.UNAUTHORIZED:
        why = "deskbird refused the SCIM token (HTTP 401)."
        then = (
            "Check the variable that deskbird.scim_token names; deskbird makes a new one under "
            "Admin > API keys, kind SCIM."
        )
    elif status == HTTPStatus.FORBIDDEN:
        why = f"The SCIM token lacks the right to see {what} (HTTP 403)."
        then = (
            "Make a token of the kind SCIM in deskbird under Admin > API keys; the company's plan "
            "has to include SCIM."
        )
    elif status == HTTPStatus.NOT_FOUND:
        why = f"There is no SCIM service at deskbird.scim_url: it does not know {what} (HTTP 404)."
        then = "Check deskbird.scim_url; deskbird's own is https://api.deskbird.app/v2/scim."
    else:
        why = f"deskbird did not give {what} (HTTP {status})."
        then = "Check deskbird.scim_url; if it is right, ask deskbird's support."
    return DeskbirdError(f"{why} {_NEXT} {then}", problem=why, remedy=then)


def _not_whole(resource: Resource, trouble: Trouble, kept: _Kept, passes: int) -> DeskbirdError:
    """The sentence for a list that no pass showed completely."""
    why = trouble.why
    if kept.keys:
        why = (
            f"its pages are in no stable order, and all passes together show {len(kept.keys)} of "
            f"{kept.total}"
        )
    told = (
        f"deskbird's list of {resource} did not hold still or is incomplete: {why}, in {passes} "
        "passes."
    )
    then = (
        "Run again when nobody is changing much there; if it stays like this, ask deskbird's "
        "support."
    )
    return DeskbirdError(f"{told} {_NEXT} {then}", problem=told, remedy=then)


Shape = TypeVar("Shape")


def _read(response: httpx.Response, what: str, decode: Callable[[bytes, str], Shape]) -> Shape:
    if response.status_code != HTTPStatus.OK:
        raise refused(response.status_code, what)
    try:
        return decode(response.content, response.headers.get("content-type", ""))
    except records.NotScimError:
        raise _no_message(response, what) from None


def _no_message(response: httpx.Response, what: str) -> DeskbirdError:
    kind = "a web page" if is_web_page(response) else "something that is no SCIM message"
    why = f"deskbird answered with {kind} when asked for {what}."
    then = (
        "Check deskbird.scim_url, and that nothing between here and deskbird answers in its place "
        "(a proxy, a sign-in page)."
    )
    return DeskbirdError(f"{why} {_NEXT} {then}", problem=why, remedy=then)


class _Error(msgspec.Struct):
    scim_type: str | None = msgspec.field(name="scimType", default=None)


def _scim_type(response: httpx.Response) -> str | None:
    try:
        return msgspec.json.decode(response.content, type=_Error).scim_type
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def is_web_page(response: httpx.Response) -> bool:
    """Whether a gateway answered in the service's place."""
    return "html" in response.headers.get("content-type", "") or response.content[
        :100
    ].lstrip().startswith(b"<")


def _same(one: str | None, two: str) -> bool:
    return one is not None and one.casefold() == two.casefold()
