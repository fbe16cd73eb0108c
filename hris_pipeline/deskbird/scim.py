"""deskbird's SCIM 2.0 service: what it holds, read completely or not at all, and the connection that writes use.

Lists are read as Okta's import does it (``startIndex`` and ``count``), single records by the filters that Entra ID's client
sends. Only the attributes we need are decoded. Errors say what to do next and carry nothing of what was read.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar
from urllib.parse import quote

import httpx  # noqa: TID251 - an edge
import msgspec
import pyarrow as pa
from msgspec import UNSET, UnsetType

from hris_pipeline.contracts import DESKBIRD_GROUP_MEMBERS, DESKBIRD_GROUPS, DESKBIRD_USERS, Table
from hris_pipeline.deskbird.dialects import ENTERPRISE, quoted
from hris_pipeline.errors import DeskbirdError, PipelineError
from hris_pipeline.http import Client, Pacer, Patience, Unanswered

Progress = Callable[[str, int, int | None], None]
"""Called with what is read or written, how many so far, and how many there are."""

PAGE = 100  # records asked for at once; a server may give fewer
PASSES = 3  # times a list is read before it counts as one that cannot be read
_BATCH = 10_000  # rows kept in memory before they go to the file
_ARROW = {"VARCHAR": pa.string(), "BOOLEAN": pa.bool_()}
_NEXT = "Nothing was changed in deskbird, and the tables of the last good run are still there."


# --- what deskbird answers: only what we need of it -----------------------------------------------------------------------------


class Meta(msgspec.Struct, frozen=True):
    """``meta`` of a record."""

    version: str | None = None


class Value(msgspec.Struct, frozen=True):
    """A reference to another record, or an element of a multi-valued attribute."""

    value: str | None = None


class Email(msgspec.Struct, frozen=True):
    """One element of ``emails``."""

    value: str | None = None
    type: str | None = None
    primary: bool | str | None = None


class Name(msgspec.Struct, frozen=True, rename="camel"):
    """``name`` of a user."""

    given_name: str | None = None
    family_name: str | None = None


class Enterprise(msgspec.Struct, frozen=True):
    """The enterprise extension of a user; some services give the manager as a bare string."""

    manager: Value | str | None = None


class User(msgspec.Struct, frozen=True, rename="camel"):
    """A user as deskbird gives it."""

    id: str
    user_name: str | None = None
    external_id: str | None = None
    display_name: str | None = None
    name: Name | None = None
    emails: list[Email] | None = None
    active: bool | str | None = None
    enterprise: Enterprise | None = msgspec.field(name=ENTERPRISE, default=None)
    photos: msgspec.Raw = msgspec.Raw(b"null")  # may be large, so it is not decoded
    meta: Meta | None = None

    @property
    def email(self) -> str | None:
        """The work e-mail; without one the primary, without that the first."""
        emails = [email for email in self.emails or () if email.value]
        work = [email for email in emails if (email.type or "").lower() == "work"]
        primary = [email for email in emails if _true(email.primary)]
        return next((email.value for email in (*work, *primary, *emails)), None)

    @property
    def is_active(self) -> bool:
        """Whether the user can log in; a service that does not say so has no inactive users."""
        return self.active is None or _true(self.active)

    @property
    def manager_id(self) -> str | None:
        """The manager's id, None where there is none or deskbird does not say."""
        manager = self.enterprise.manager if self.enterprise else None
        return (manager.value if isinstance(manager, Value) else manager) or None

    @property
    def has_photo(self) -> bool:
        """Whether deskbird shows any photo; which one, nobody can tell, because it may keep it under an address of its own."""
        return b'"value"' in bytes(self.photos)

    def values(self) -> dict[str, str | bool | None]:
        """By our column names."""
        return {
            "deskbird_id": self.id,
            "hris_ref": None,
            "user_name": self.user_name,
            "email": self.email,
            "given_name": self.name.given_name if self.name else None,
            "family_name": self.name.family_name if self.name else None,
            "display_name": self.display_name,
            "active": self.is_active,
            "manager_deskbird_id": self.manager_id,
            "external_id": self.external_id,
            "version": self.meta.version if self.meta else None,
        }


class Group(msgspec.Struct, frozen=True, rename="camel"):
    """A group as deskbird gives it; ``members`` unset: it does not say."""

    id: str
    external_id: str | None = None
    display_name: str | None = None
    members: list[Value] | UnsetType | None = UNSET
    meta: Meta | None = None

    @property
    def member_ids(self) -> list[str]:
        """Ids of the members, each once."""
        members = [] if self.members is UNSET else self.members or []
        return list(dict.fromkeys(member.value for member in members if member.value))

    def values(self) -> dict[str, str | bool | None]:
        """By our column names."""
        return {
            "deskbird_id": self.id,
            "hris_ref": None,
            "name": self.display_name,
            "external_id": self.external_id,
            "version": self.meta.version if self.meta else None,
        }


Resource = Literal["users", "groups"]
Record = TypeVar("Record", User, Group)


class Page(msgspec.Struct, Generic[Record], frozen=True, rename="pascal"):
    """One page of a list; ``Resources`` may be missing when it is empty."""

    total: int = msgspec.field(name="totalResults")
    resources: list[Record] | None = None


class _Supported(msgspec.Struct, frozen=True):
    supported: bool = False


class ServiceProviderConfig(msgspec.Struct, frozen=True):
    """What the service announces of itself; by default nothing but PATCH."""

    patch: _Supported = _Supported(supported=True)
    bulk: _Supported = _Supported()
    etag: _Supported = _Supported()
    filter: _Supported = _Supported()
    sort: _Supported = _Supported()


def _true(value: bool | str | None) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


# --- reading --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Observation:
    """A list that was read to its end, and what it shows deskbird to give back at all.

    ``readable`` holds our names (columns of ``deskbird.users`` or ``deskbird.groups``, and ``members``) of what came back for
    anybody; what is not in it is write-only as far as anyone can tell, and never to be read as empty.
    """

    resource: Resource
    pages: int
    records: int
    members: int  # memberships; 0 for users
    readable: frozenset[str]
    etags: bool  # whether every record came with a version
    passes: int  # 1, unless the list moved while it was read


class _MovedError(Exception):
    """The list changed while it was read, or the service loses records; carries counts only."""


class _ArrowFile:
    """An Arrow IPC stream file of a table of the contract; it bears its name only once it is whole."""

    def __init__(self, path: Path, table: Table) -> None:
        self.path, self._part = path, path.with_name(path.name + ".part")
        self._schema = pa.schema([(column.name, _ARROW[column.type]) for column in table.columns])
        self._rows: list[dict[str, Any]] = []
        self.rows = 0

    def __enter__(self) -> Self:
        self._rows.clear()
        self.rows = 0
        self._part.unlink(missing_ok=True)
        self._file = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._stream = pa.ipc.new_stream(self._file, self._schema)
        return self

    def add(self, row: dict[str, Any]) -> None:
        """Add a row, keyed by column name."""
        self._rows.append(row)
        self.rows += 1
        if len(self._rows) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        self._stream.write_batch(pa.RecordBatch.from_pylist(self._rows, schema=self._schema))
        self._rows.clear()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            with self._file:
                if kind is None:
                    self._flush()
                    self._stream.close()
            if kind is None:
                self._part.replace(self.path)
        finally:
            self._part.unlink(missing_ok=True)


class Service:
    """A connection to deskbird's SCIM service: one pacer for everything that is asked of it, one httpx client per thread.

    :param url: ``deskbird.scim_url``
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
        patience: Patience | None = None,
        timeout: float = 60.0,
    ) -> None:
        self.url = url.rstrip("/")
        self.concurrency = concurrency
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/scim+json, application/json;q=0.9",
            "Content-Type": "application/scim+json",
        }
        self.client = Client(Pacer(requests_per_second), headers, timeout, patience or Patience(), transport)
        self._config: ServiceProviderConfig | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.client.close()

    def read_users(self, path: Path, progress: Progress) -> Observation:
        """Read all users into ``path`` (Arrow IPC stream, the columns of ``contracts.DESKBIRD_USERS``, ``hris_ref`` null).

        :raises DeskbirdError: the list could not be read to its end, or did not hold still; there is no file then.
        """
        return self._observe("users", _ArrowFile(path, DESKBIRD_USERS), None, progress)

    def read_groups(self, groups_path: Path, members_path: Path, progress: Progress) -> Observation:
        """Read all groups and who is in them (``contracts.DESKBIRD_GROUPS``, ``DESKBIRD_GROUP_MEMBERS``); else as for users."""
        members = _ArrowFile(members_path, DESKBIRD_GROUP_MEMBERS)
        return self._observe("groups", _ArrowFile(groups_path, DESKBIRD_GROUPS), members, progress)

    def service_provider_config(self) -> ServiceProviderConfig:
        """What the service announces, asked once; a service that has no such page announces nothing."""
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
        """The user that bears our marker, or else the one with this userName; and whether it was found by the marker."""
        for user in self._search("/Users", Page[User], f"externalId eq {quoted(hris_ref)}"):
            # a service that knows externalId only in filters is believed; one that ignores filters is not
            if hris_ref == user.external_id or (user.external_id is None and _same(user.user_name, email)):
                return user, True
        for user in self._search("/Users", Page[User], f"userName eq {quoted(email)}"):
            if _same(user.user_name, email):
                return user, user.external_id == hris_ref
        return None

    def find_group(self, hris_ref: str, name: str) -> tuple[Group, bool] | None:
        """The group that bears our marker, or else the one of this name; without its members."""
        for group in self._search("/Groups", Page[Group], f"externalId eq {quoted(hris_ref)}"):
            if hris_ref == group.external_id or (group.external_id is None and group.display_name == name):
                return group, True
        for group in self._search("/Groups", Page[Group], f"displayName eq {quoted(name)}"):
            if _same(group.display_name, name):
                return group, group.external_id == hris_ref
        return None

    # --- within ---

    def _observe(self, resource: Resource, records: _ArrowFile, members: _ArrowFile | None, progress: Progress) -> Observation:
        why = ""
        for number in range(1, PASSES + 1):
            try:
                with records, members or contextlib.nullcontext():
                    return self._pass(resource, number, records, members, progress)
            except _MovedError as moved:
                why = str(moved)
            except (OSError, pa.ArrowException) as problem:
                reason = getattr(problem, "strerror", None) or type(problem).__name__
                raise PipelineError(
                    f"deskbird's {resource} could not be kept in {records.path.parent.name}/ ({reason}). {_NEXT} "
                    "Make room or give this user the right to write there, then run again."
                ) from None
        raise DeskbirdError(
            f"deskbird's list of {resource} did not hold still or is incomplete: {why}, in {PASSES} passes. {_NEXT} "
            "Run again when nobody is changing much there; if it stays like this, ask deskbird's support."
        )

    def _pass(
        self, resource: Resource, number: int, records: _ArrowFile, members: _ArrowFile | None, progress: Progress
    ) -> Observation:
        readable: set[str] = set()
        etags, pages = True, 0
        listed: Iterator[tuple[int, Sequence[User | Group]]]
        listed = self._pages("/Users", Page[User], resource) if members is None else self._pages("/Groups", Page[Group], resource)
        for total, page in listed:
            pages += 1
            for record in page:
                row = record.values()
                records.add(row)
                readable.update(column for column, value in row.items() if value not in {None, ""})
                etags = etags and row["version"] is not None
                if isinstance(record, Group) and members:
                    for member in record.member_ids:
                        members.add({"group_deskbird_id": record.id, "user_deskbird_id": member})
            progress(resource, records.rows, total)
        memberships = members.rows if members else 0
        if memberships:
            readable.add("members")
        return Observation(resource, pages, records.rows, memberships, frozenset(readable), etags and records.rows > 0, number)

    def _pages(self, endpoint: str, shape: type[Page[Record]], what: str) -> Iterator[tuple[int, list[Record]]]:
        """The pages of a list, each with the total. Ends by :class:`_MovedError` unless they add up to it, each record once."""
        seen: set[str] = set()
        total: int | None = None
        while total is None or len(seen) < total:
            response = self._get(endpoint, {"startIndex": len(seen) + 1, "count": PAGE}, what)
            page = _decoded(response, shape, what)
            records = page.resources or []
            if total not in {None, page.total}:
                raise _MovedError(f"the total changed from {total} to {page.total}")
            total = page.total
            expected = len(seen) + len(records)
            seen.update(record.id for record in records)
            if len(seen) != expected:  # and so another one was pushed off its page; or the service pages wrongly
                raise _MovedError("a record came twice")
            yield total, records
            if not records:
                break
        if len(seen) != total:
            raise _MovedError(f"{len(seen)} of {total} came")

    def _search(self, endpoint: str, shape: type[Page[Record]], condition: str) -> list[Record]:
        params = {"filter": condition}
        if endpoint == "/Groups":
            params["excludedAttributes"] = "members"
        response = self._get(endpoint, params, "a record")
        if response.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.NOT_IMPLEMENTED}:
            return []  # a filter it does not know (RFC 7644, 3.4.2.2), or an old service's way to say that there is none
        return _decoded(response, shape, "a record").resources or []

    def _read_one(self, path: str, shape: type[Record]) -> Record | None:
        response = self._get(path, {}, "a record")
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        return _decoded(response, shape, "a record")

    def _get(self, path: str, params: dict[str, Any], what: str) -> httpx.Response:
        try:
            return self.client.ask("GET", self.url + path, params=params)
        except Unanswered as problem:
            raise DeskbirdError(
                f"deskbird did not answer when asked for {what}: {problem}, {problem.attempts} tries. {_NEXT} "
                "Check deskbird.scim_url and whether deskbird is in maintenance, then run again."
            ) from None


def segment(deskbird_id: str) -> str:
    """An id as one segment of a path."""
    return quote(deskbird_id, safe="")


def refused(status: int, what: str) -> DeskbirdError:
    """The sentence for an answer that is not the one asked for."""
    if status == HTTPStatus.UNAUTHORIZED:
        why = "deskbird refused the SCIM token (HTTP 401)."
        then = "Check the variable that deskbird.scim_token names; deskbird makes a new one under Admin > API keys, kind SCIM."
    elif status == HTTPStatus.FORBIDDEN:
        why = f"The SCIM token lacks the right to see {what} (HTTP 403)."
        then = "Make a token of the kind SCIM in deskbird under Admin > API keys; the company's plan has to include SCIM."
    elif status == HTTPStatus.NOT_FOUND:
        why = f"There is no SCIM service at deskbird.scim_url: it does not know {what} (HTTP 404)."
        then = "Check deskbird.scim_url; deskbird's own is https://api.deskbird.app/v2/scim."
    else:
        why = f"deskbird did not give {what} (HTTP {status})."
        then = "Check deskbird.scim_url; if it is right, ask deskbird's support."
    return DeskbirdError(f"{why} {_NEXT} {then}", problem=why, remedy=then)


Shape = TypeVar("Shape")


def _decoded(response: httpx.Response, shape: type[Shape], what: str) -> Shape:
    if response.status_code != HTTPStatus.OK:
        raise refused(response.status_code, what)
    try:
        return msgspec.json.decode(response.content, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError):  # their texts may quote what was sent
        kind = "a web page" if is_web_page(response) else "something that is no SCIM message"
        raise DeskbirdError(
            f"deskbird answered with {kind} when asked for {what}. {_NEXT} "
            "Check deskbird.scim_url, and that nothing between here and deskbird answers in its place (a proxy, a sign-in page)."
        ) from None


def is_web_page(response: httpx.Response) -> bool:
    """Whether a gateway answered in the service's place."""
    return "html" in response.headers.get("content-type", "") or response.content[:100].lstrip().startswith(b"<")


def _same(one: str | None, two: str) -> bool:
    return one is not None and one.casefold() == two.casefold()
