"""Users and groups as deskbird gives them: decoded fast where a page is as RFC 7643 has it, record
by record where it is not.

Services differ: ids as numbers, nulls in lists, a member as a bare reference, a byte order mark.
What is said in another form is read, as long as nobody can doubt whose record it is; a record of
which that cannot be told is :class:`Unreadable`, and the others on its page are read all the same.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from email.message import Message
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar
from urllib.parse import unquote

import msgspec
from msgspec import UNSET, UnsetType

from hris_pipeline.deskbird.dialects import ENTERPRISE
from hris_pipeline.deskbird.paths import NAMED


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


_ROOTS = {root: f"raw_{root}" for root in dict.fromkeys(path.root for path in NAMED.values())}
if TYPE_CHECKING:
    _Named = msgspec.Struct
else:  # what a company file may name, decoded only where it does
    _Named = msgspec.defstruct(
        "_Named",
        [
            (field_, msgspec.Raw, msgspec.field(name=root, default=msgspec.Raw(b"null")))
            for root, field_ in _ROOTS.items()
        ],
        frozen=True,
        kw_only=True,
    )


class User(_Named, frozen=True, rename="camel"):
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
        """Whether deskbird shows any photo; which one, nobody can tell, because it may keep it
        under an address of its own.
        """
        return b'"value"' in bytes(self.photos)

    @property
    def is_odd(self) -> bool:
        """Whether it says something in a form that has to be looked at."""
        manager = self.enterprise.manager if self.enterprise else None
        return (
            not self.id
            or (isinstance(self.active, str) and self.active.lower() not in {"true", "false"})
            or (isinstance(manager, Value) and manager.value is None)
        )

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

    def named(self, names: Iterable[str]) -> dict[str, str | None]:
        """What the user has of those attributes that a company file has to name."""
        return {
            name: NAMED[name].find(msgspec.json.decode(getattr(self, _ROOTS[NAMED[name].root])))
            for name in names
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

    @property
    def is_odd(self) -> bool:
        """Whether it says something in a form that has to be looked at."""
        members = [] if self.members is UNSET else self.members or []
        return not self.id or None in [member.value for member in members]

    def values(self) -> dict[str, str | bool | None]:
        """By our column names."""
        return {
            "deskbird_id": self.id,
            "hris_ref": None,
            "name": self.display_name,
            "external_id": self.external_id,
            "version": self.meta.version if self.meta else None,
        }


Record = TypeVar("Record", User, Group)
Code = Literal[
    "no_record",
    "id_unknown",
    "marker_unknown",
    "address_unknown",
    "active_unknown",
    "name_unknown",
]
"""What of a record cannot be told."""


@dataclass(frozen=True)
class Unreadable:
    """A record of which it cannot be told whose it is, or whether it is active; what of it is known
    anyway.
    """

    code: Code
    key: str  # tells it from others on the list
    deskbird_id: str | None = None
    external_id: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)
    page: int = 0
    position: int = 0  # on the page, from 1


@dataclass(frozen=True)
class Decoded(Generic[Record]):
    """One page of a list."""

    total: int | None  # as it says; None where it does not
    records: list[Record]
    unreadable: list[Unreadable]
    next_cursor: str | None = None
    # groups with a member of whom it is not said who that is
    untold_members: frozenset[str] = frozenset()

    @property
    def keys(self) -> list[str]:
        """What tells its records from others, in no order that means anything."""
        return [record.id for record in self.records] + [one.key for one in self.unreadable]


class NotScimError(Exception):
    """Something that is no SCIM message at all. Carries nothing of it."""


class _Page(msgspec.Struct, Generic[Record], frozen=True, rename="pascal"):
    """One page of a list; ``Resources`` may be missing when it is empty."""

    total: int = msgspec.field(name="totalResults")
    resources: list[Record] | None = None
    next_cursor: str | None = msgspec.field(name="nextCursor", default=None)


_USERS, _GROUPS = msgspec.json.Decoder(_Page[User]), msgspec.json.Decoder(_Page[Group])


def page(content: bytes, content_type: str, kind: type[Record]) -> Decoded[Record]:
    """Decode a page of a list; :class:`NotScimError` where it is none."""
    decoder: msgspec.json.Decoder[_Page[Record]] = _USERS if kind is User else _GROUPS  # type: ignore[assignment]
    try:
        fast = decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _leniently(content, content_type, kind)
    records = fast.resources or []
    if any(record.is_odd for record in records):
        return _leniently(content, content_type, kind)
    return Decoded(fast.total if fast.total >= 0 else None, records, [], fast.next_cursor or None)


def one(content: bytes, content_type: str, kind: type[Record]) -> Record:
    """Decode a single record; :class:`NotScimError` where it is none, or where it cannot be told
    whose it is.
    """
    try:
        record = msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    else:
        if not record.is_odd:
            return record
    found, _ = _record(whole(content, content_type), kind)
    if isinstance(found, Unreadable):
        raise NotScimError
    return found


# --- in whatever form -----------------------------------------------------------------------------


class _Odd:
    """What cannot be read as what it should be."""


_ODD: Final = _Odd()
_ACTIVE = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _leniently(content: bytes, content_type: str, kind: type[Record]) -> Decoded[Record]:
    body = whole(content, content_type)
    resources, total = _get(body, "Resources"), _count(_get(body, "totalResults"))
    if not (resources is None or isinstance(resources, list)) or (
        resources is None and total is None
    ):
        raise NotScimError
    records: list[Record] = []
    unreadable: list[Unreadable] = []
    untold: set[str] = set()
    for position, raw in enumerate(resources or [], 1):
        found, complete = _record(raw, kind)
        if isinstance(found, Unreadable):
            unreadable.append(replace(found, position=position))
        else:
            records.append(found)
            if not complete:
                untold.add(found.id)
    cursor = _text(_get(body, "nextCursor"))
    return Decoded(
        total, records, unreadable, cursor if isinstance(cursor, str) else None, frozenset(untold)
    )


def whole(content: bytes, content_type: str) -> Mapping[str, Any]:
    """The body as an object, whatever its encoding; what cannot be decoded becomes a lone
    surrogate, as an escape may be one.

    :class:`NotScimError` where it is no object.
    """
    try:
        body = json.loads(_decoded(content, content_type), strict=False, parse_int=_integer)
    except (ValueError, RecursionError):
        raise NotScimError from None
    if not isinstance(body, dict):
        raise NotScimError
    return body


def _decoded(content: bytes, content_type: str) -> str:
    encoding = json.detect_encoding(content)  # by a byte order mark, or by zeros
    header = Message()
    header["content-type"] = content_type
    for name in (encoding, header.get_content_charset() or ""):
        try:
            return content.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("utf-8-sig", errors="surrogateescape")


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < 1000 else digits


def _get(of: object, name: str) -> Any:
    """A member of an object, whose name's case does not matter (RFC 7643, 2.1)."""
    if not isinstance(of, dict):
        return None
    if name in of:
        return of[name]
    return next((value for key, value in of.items() if key.lower() == name.lower()), None)


def _count(value: object) -> int | None:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text(value: object) -> str | _Odd | None:
    """A text, None where there is none."""
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and _is_whole(value) else _ODD


def _is_whole(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _about(value: object) -> str | None:
    """A text that tells nobody from anybody: what is broken in it is shown as broken."""
    if isinstance(value, str):
        return "".join(
            "\ufffd" if "\ud800" <= character <= "\udfff" else character for character in value
        )
    found = _text(value)
    return found if isinstance(found, str) else None


def _each(value: object) -> list[Any]:
    """The elements of a list, or of one that is given without its brackets."""
    found = value if isinstance(value, list) else [value]
    return [element for element in found if element is not None]


def _reference(value: object) -> str | _Odd | None:
    """The id in a reference: bare, in an object, or at the end of an address."""
    if isinstance(value, list):
        value = next(iter(_each(value)), None)
    if isinstance(value, Mapping):
        if not value:
            return None
        for name in ("value", "managerId", "id"):
            if (found := _get(value, name)) is not None:
                return _text(found)
        address = _text(_get(value, "$ref"))
        value = (
            unquote(address.split("?")[0].rstrip("/").rsplit("/", 1)[-1])
            if isinstance(address, str)
            else _ODD
        )
    return value if isinstance(value, _Odd) else _text(value)


def _record(raw: object, kind: type[Record]) -> tuple[Record | Unreadable, bool]:
    """A record, and whether all its members are told; :class:`Unreadable` where it cannot be told
    whose it is.
    """
    if not isinstance(raw, dict):
        return Unreadable("no_record", _key(raw)), True
    known, marker = _text(_get(raw, "id")), _text(_get(raw, "externalId"))
    user_name, emails = _text(_get(raw, "userName")), _emails(_get(raw, "emails"))
    address = next((email.value for email in emails if email.value), user_name)
    active = _active(_get(raw, "active"))
    name = _text(_get(raw, "displayName"))
    wrong: Code | None = None
    if not isinstance(known, str):
        wrong = "id_unknown"
    elif isinstance(marker, _Odd):
        wrong = "marker_unknown"
    elif kind is Group and isinstance(name, _Odd):
        wrong = "name_unknown"
    elif kind is User and isinstance(active, _Odd):
        wrong = "active_unknown"
    elif kind is User and not _address_is_told(raw, user_name, emails):
        wrong = "address_unknown"
    if wrong or not isinstance(known, str):
        of, ours = (value if isinstance(value, str) else None for value in (known, marker))
        told = address if isinstance(address, str) and wrong != "address_unknown" else None
        return Unreadable(wrong or "id_unknown", of or _key(raw), of, ours, told), True
    if kind is User:
        return _user(raw, known, emails, active), True  # type: ignore[arg-type]
    return _group(raw, known)  # type: ignore[return-value]


def _key(raw: object) -> str:
    """What tells a record from another one whose id is not known either; nothing of it can be read
    from this.
    """
    return "?" + hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()


def _emails(value: object) -> list[Email]:
    found = []
    for element in _each(value):
        given = _text(_get(element, "value") if isinstance(element, dict) else element)
        if isinstance(given, str):
            primary = _get(element, "primary")
            found.append(
                Email(
                    given,
                    _about(_get(element, "type")),
                    primary if isinstance(primary, bool | str) else None,
                )
            )
    return found


def _address_is_told(
    raw: dict[str, Any], user_name: str | _Odd | None, emails: Iterable[Email]
) -> bool:
    """Whether both addresses are read, or one is and the other is not given; a user that has none
    says so.
    """
    if isinstance(user_name, _Odd):
        return False
    given = _get(raw, "emails")
    return bool(list(emails)) or user_name is not None or given is None or given == []


def _active(value: object) -> bool | _Odd | None:
    if value is None or isinstance(value, bool):
        return value
    return _ACTIVE.get(str(value).strip().lower(), _ODD) if isinstance(value, str | int) else _ODD


def _user(raw: dict[str, Any], known: str, emails: list[Email], active: bool | None) -> User:
    name, manager = _get(raw, "name"), _reference(_get(_get(raw, ENTERPRISE), "manager"))
    return User(
        id=known,
        user_name=_about(_get(raw, "userName")),
        external_id=_about(_get(raw, "externalId")),
        display_name=_about(_get(raw, "displayName")),
        name=Name(_about(_get(name, "givenName")), _about(_get(name, "familyName"))),
        emails=emails,
        active=active,
        enterprise=Enterprise(manager if isinstance(manager, str) else None),
        photos=msgspec.Raw(json.dumps(_get(raw, "photos")).encode()),
        meta=_meta(raw),
        **{
            field_: msgspec.Raw(json.dumps(_get(raw, root)).encode())
            for root, field_ in _ROOTS.items()
        },
    )


def _group(raw: dict[str, Any], known: str) -> tuple[Group, bool]:
    given = _get(raw, "members")
    references = [_reference(member) for member in _each(given)]
    told = [Value(member) for member in references if isinstance(member, str)]
    members: list[Value] | UnsetType = UNSET if given is None else told
    name, marker = _about(_get(raw, "displayName")), _about(_get(raw, "externalId"))
    return Group(known, marker, name, members, _meta(raw)), len(told) == len(references)


def _meta(raw: dict[str, Any]) -> Meta:
    return Meta(_about(_get(_get(raw, "meta"), "version")))


def _true(value: bool | str | None) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")
