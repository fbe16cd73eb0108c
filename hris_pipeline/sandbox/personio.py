"""A stand-in for Personio, both generations of its API, as strict as the real one where that is
known.

What it knows comes from Personio's documents and from clients that ran against live accounts: page
limits that answer 400, a whitelist of attributes per credential, the beta header, tokens that
expire, rates (measured; none are published for v2). What somebody does not have is left out of v2's
record where Personio's document does not allow null (``unset="null"`` sends null instead); v1
always sends the attribute, with ``""``, null or ``[]``.

Beside Personio's paths and those of :mod:`hris_pipeline.sandbox.faults`: ``GET`` and ``POST
/_sandbox/day`` (``{"day": 2}``) and ``DELETE /_sandbox/tokens``, which ends all tokens at once.
"""

import base64
import datetime as dt
import functools
import hashlib
import hmac
import secrets
import struct
import time
import urllib.parse
import uuid
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hris_pipeline.errors import PipelineError
from hris_pipeline.sandbox.company import (
    Employment,
    Kind,
    OrgUnit,
    Person,
    Snapshot,
    Tenant,
    days_of,
)
from hris_pipeline.sandbox.faults import Answer, Fault, Faults, Faulty, firing
from hris_pipeline.sandbox.server import App

T = TypeVar("T")

KINDS: Mapping[str, str] = {
    "success_false": "answers 200 with v1's body of a failure",
    "repeat_page": "v2: the next link is the page itself; v1: the first page again",
    "foreign_next": "v2: the next link leads to the host `value`",
    "relative_next": "v2: the next link is relative, which is legal",
    "drop_page": "leaves the last `value` records (all) out of a page; totals and links stay",
    "shift": (
        "before this page somebody on an earlier page is 'removed' (or 'added', by `value`), so "
        "that all later ones move"
    ),
    "empty_list": "answers as if there were nobody and nothing",
    "missing_attribute": "as if the attribute `value` (v1's name) were not on the whitelist",
    "null_attribute": "the attribute `value` is null for everybody",
    "extra_attribute": "an attribute `value` that nobody knows",
    "int_to_str": "ids change their type: v1's to text, v2's to numbers",
    "last_working_date": "v2 spells last_working_day as Personio's samples do",
    "large_picture": "answers a profile picture of `value` bytes",
    "tokens_expired": "all tokens end just before this request",
}
_OF_ATTRIBUTES = (
    "missing_attribute",
    "null_attribute",
    "extra_attribute",
    "int_to_str",
    "last_working_date",
)

SCOPES = frozenset(
    {
        "personio:persons:read",
        "personio:org-units:read",
        "personio:cost-centers:read",
        "personio:workplaces:read",
        "personio:legal-entities:read",
        "employees:read",
    }
)
_OTHER_SCOPES = frozenset(
    {
        "personio:absences:read",
        "personio:attendances:read",
        "personio:webhooks:read",
        "absences:read",
    }
)

PHONE = "dynamic_30512"
"""The account's own attribute for the phone at work."""
# v1's names; key, label, type
_STANDARD = (
    ("id", "ID", "integer"),
    ("first_name", "First name", "standard"),
    ("last_name", "Last name", "standard"),
    ("preferred_name", "Name (preferred)", "standard"),
    ("email", "Email", "standard"),
    ("gender", "Gender", "standard"),
    ("status", "Status", "standard"),
    ("position", "Position", "standard"),
    ("supervisor", "Supervisor", "standard"),
    ("employment_type", "Employment type", "standard"),
    ("weekly_working_hours", "Weekly hours", "standard"),
    ("hire_date", "Hire date", "date"),
    ("contract_end_date", "Contract ends", "date"),
    ("termination_date", "Termination date", "date"),
    ("last_working_day", "Last day of work", "date"),
    ("created_at", "Created at", "date"),
    ("last_modified_at", "Last modified", "date"),
    ("subcompany", "Subcompany", "standard"),
    ("office", "Office", "standard"),
    ("department", "Department", "standard"),
    ("team", "Team", "standard"),
    ("cost_centers", "Cost center", "standard"),
    ("profile_picture", "Profile Picture", "standard"),
    ("dynamic_24407", "Personnel number", "standard"),
    (PHONE, "Work phone", "standard"),
)
ATTRIBUTES = tuple(key for key, _, _ in _STANDARD)
WIDEST = 2000  # pixels; no limit is documented
_DOCUMENTED = "https://developer.personio.de/reference/errors#"
_NAMESPACE = uuid.UUID("6f1c1f52-6d0a-4c8e-9a52-5f0a6d1b7c11")
_ZONE = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Credential:
    """An API credential of the tenant and the rights ticked for it."""

    client_id: str = "papi-11111111-sandbox"
    client_secret: str = field(default="sandbox-secret", repr=False)
    scopes: frozenset[str] = SCOPES


CREDENTIAL = Credential()


def cost_center_uuid(cost_center: int) -> str:
    """The id that v2 gives the cost centre that v1 knows by this number."""
    return str(uuid.uuid5(_NAMESPACE, f"cost_center:{cost_center}"))


def picture(person: Person, width: int) -> bytes:
    """A person's profile picture: a square PNG of one colour, which goes by the person and by which
    picture it is.
    """
    colour = hashlib.sha256(f"{person.id}:{person.photo}".encode()).digest()[:3]

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, width, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + colour * width) * width)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def employment_uuid(person: int, number: int) -> str:
    """v2's id of a person's employment."""
    return str(uuid.uuid5(_NAMESPACE, f"employment:{person}:{number}"))


class _RefusedError(Exception):
    """An answer other than 200, in the words of the generation that was asked."""

    def __init__(self, status: int, detail: str, title: str = "", anchor: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.title = title
        self.anchor = anchor


class _OAuthError(Exception):
    """A v2 token request that is refused; always 400."""

    def __init__(
        self,
        error: str,
        told: str,
        anchor: str = "",
        meta: Mapping[str, Any] | None = None,
        *,
        link: str = "error_uri",
    ) -> None:
        super().__init__(told)
        self.error = error
        self.told = told
        self.meta = meta
        self.link = {link: f"{_DOCUMENTED}credentials.oauth2.{anchor or error}"}

    def answer(self) -> dict[str, Any]:
        """The body."""
        body = {
            "timestamp": _now(),
            "trace_id": str(uuid.uuid4()),
            "error": self.error,
            "error_description": self.told,
        }
        return body | self.link | ({} if self.meta is None else {"meta": self.meta})


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")  # noqa: TID251 - a server's wall time, not the night's


_BAD_VALUE = ("Provided request parameters are invalid.", "Bad request", "common.bad_request")
_BAD_FILTER = ("Provided filter encoding is invalid.", "Bad request", "common.bad_request")
_NOT_FOUND = (
    "There is no resource for the specified id.",
    "Resource not found",
    "common.resource_not_found",
)
_BY_STATUS = {
    401: ("Unauthorized Request", "Unauthorized", "common.unauthorized"),
    403: ("Access to this resource is forbidden.", "Forbidden", "common.forbidden"),
    404: _NOT_FOUND,
    429: ("Too many requests.", "Too Many Requests", "common.too_many_requests"),
    500: (
        "There was a problem while processing this request.",
        "Internal Server Error",
        "common.internal_server_error",
    ),
    502: (
        "There was a problem while processing this request.",
        "Bad Gateway",
        "common.bad_gateway",
    ),
    503: (
        "The server is temporarily unavailable.",
        "Service Unavailable",
        "common.service_unavailable",
    ),
    504: (
        "There was a problem while processing this request.",
        "Gateway Timeout",
        "common.gateway_timeout",
    ),
}


def _error(refusal: _RefusedError, path: str) -> Answer:
    """The body of a refusal: v1's envelope or v2's problem document."""
    if path.startswith("/v1/"):
        code = refusal.status if refusal.anchor != "v1.auth" else 0
        return "application/json", msgspec.json.encode(
            {"success": False, "error": {"code": code, "message": refusal.detail}}
        )
    problem = {
        "personio_trace_id": secrets.token_hex(16),
        "timestamp": _now(),
        "errors": [
            {
                "title": refusal.title,
                "detail": refusal.detail,
                "type": _DOCUMENTED + refusal.anchor,
            }
        ],
    }
    return "application/problem+json", msgspec.json.encode(problem)


def _error_of(status: int, path: str) -> Answer:
    return _error(
        _RefusedError(
            status,
            *_BY_STATUS.get(status, (f"Status {status}", f"Status {status}", "common.error")),
        ),
        path,
    )


# --- records --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Look:
    """What may be seen of the company, and how: the whitelist and the faults that change
    records.
    """

    base: str  # scheme, host and prefix of the request: links are absolute
    readable: frozenset[str]
    nulled: frozenset[str] = frozenset()
    extra: frozenset[str] = frozenset()
    odd: frozenset[str] = frozenset()
    unset: Literal["absent", "null"] = "absent"


class _View:
    """One snapshot of the company as records of both generations; each is made when it is first
    asked for, and kept.
    """

    def __init__(self, snapshot: Snapshot, look: _Look) -> None:
        self.snapshot = snapshot
        self.look = look
        self.persons = tuple(snapshot.persons.values())
        retyped = "int_to_str" in look.odd
        self._v1_id: Callable[[int], int | str] = str if retyped else int
        self._v2_id: Callable[[int], int | str] = int if retyped else str
        self._made: dict[tuple[str, int], Any] = {}

    def _put(self, record: dict[str, Any], key: str, value: Any, attribute: str) -> None:
        """Set a key of a v2 record, if the credential may read the attribute and there is a
        value.
        """
        if attribute not in self.look.readable:
            return
        if attribute in self.look.nulled or (value is None and self.look.unset == "null"):
            record[key] = None
        elif value is not None:
            record[key] = value

    def person(self, person: Person) -> bytes:
        """v2's record of a person, as JSON."""
        made = self._made.get(("person", person.id))
        if made is None:
            made = self._made["person", person.id] = msgspec.json.encode(self._person(person))
        return bytes(made)

    def _person(self, person: Person) -> dict[str, Any]:
        ref = self._v2_id(person.id)
        record: dict[str, Any] = {"id": ref}
        put = functools.partial(self._put, record)
        put("email", person.email, "email")
        put("created_at", _utc(person.created_at), "created_at")
        put("updated_at", _utc(person.updated_at), "last_modified_at")
        put("first_name", person.first_name, "first_name")
        put("last_name", person.last_name, "last_name")
        put("preferred_name", f"{person.first_name} {person.last_name}", "preferred_name")
        put("gender", "UNSPECIFIED", "gender")
        put(
            "profile_picture",
            None if person.photo is None else {"url": self._picture_url(person)},
            "profile_picture",
        )
        put("status", _person_status(person), "status")
        number: dict[str, Any] = {
            "id": "dynamic_24407",
            "type": "STRING",
            "label": "Personnel number",
            "value": f"P{person.id:06}",
        }
        phone: dict[str, Any] = {
            "id": PHONE,
            "type": "STRING",
            "label": "Work phone",
            "value": person.phone,
        }
        own = [
            each
            for each in (number, *([phone] if person.phone else []))
            if each["id"] in self.look.readable
        ]
        put("custom_attributes", own, "dynamic_24407")
        for name in self.look.extra:
            record[name] = "new"
        record["employments"] = [
            {"id": employment_uuid(person.id, e.number)} for e in person.recent_first
        ]
        record["_meta"] = {
            "links": {
                "employments": {"href": f"{self.look.base}/v2/persons/{person.id}/employments"}
            }
        }
        return record

    def _picture_url(self, person: Person) -> str:
        return f"{self.look.base}/v1/company/employees/{person.id}/profile-picture"

    def employments(self, person: Person) -> list[tuple[Employment, bytes]]:
        """v2's records of a person's employments, most recent first."""
        made: list[tuple[Employment, bytes]] | None = self._made.get(("employments", person.id))
        if made is None:
            made = [
                (e, msgspec.json.encode(self._employment(person, e))) for e in person.recent_first
            ]
            self._made["employments", person.id] = made
        return made

    def _employment(self, person: Person, employment: Employment) -> dict[str, Any]:
        ref, look = self._v2_id, self.look
        base = f"{look.base}/v2/persons"
        record: dict[str, Any] = {
            "id": employment_uuid(person.id, employment.number),
            "status": employment.status,
        }
        links = {"person": {"href": f"{base}/{person.id}"}}
        put = functools.partial(self._put, record)
        put("weekly_working_hours", _number(employment.weekly_hours), "weekly_working_hours")
        put(
            "full_time_weekly_working_hours",
            _number(employment.full_time_hours),
            "weekly_working_hours",
        )
        put("employment_start_date", employment.start_date, "hire_date")
        if "termination_date" in look.readable:
            ended = None if "termination_date" in look.nulled else employment.end_date
            record["employment_end_date"] = ended  # the one key whose null is documented
            put("termination", self._termination(ended) if ended else None, "termination_date")
        put("type", "EXTERNAL" if employment.external else "INTERNAL", "employment_type")
        put("created_at", _utc(person.created_at), "created_at")
        put("updated_at", _utc(person.updated_at), "last_modified_at")
        put("position", {"title": employment.position}, "position")
        if employment.supervisor is not None and "supervisor" in look.readable - look.nulled:
            links["supervisor"] = {"href": f"{base}/{employment.supervisor}"}
        put(
            "supervisor",
            None if employment.supervisor is None else {"id": ref(employment.supervisor)},
            "supervisor",
        )
        put(
            "office",
            None if employment.location is None else {"id": ref(employment.location)},
            "office",
        )
        entity = None if employment.legal_entity is None else {"id": ref(employment.legal_entity)}
        put("legal_entity", entity, "subcompany")
        put("sub_company", entity, "subcompany")
        units = (("team", employment.team), ("department", employment.department))
        seen = [(kind, unit) for kind, unit in units if kind in look.readable]
        if seen:
            record["org_units"] = [
                {"type": k, "id": ref(u)} for k, u in seen if u is not None and k not in look.nulled
            ]
        shares = [
            {"id": cost_center_uuid(unit), "weight": weight}
            for unit, weight in employment.cost_centers
        ]
        put("cost_centers", shares, "cost_centers")
        record["person"] = {"id": ref(person.id)}
        record["_meta"] = {"links": links}
        return record

    def _termination(self, end: dt.date) -> dict[str, Any]:
        last = "last_working_date" if "last_working_date" in self.look.odd else "last_working_day"
        return {
            "termination_date": end,
            last: end,
            "terminated_at": end - dt.timedelta(days=60),
            "type": "EMPLOYEE",
        }

    def employee(self, person: Person, wanted: frozenset[str] | None) -> dict[str, Any]:
        """v1's flat record of a person, from the employment that counts; ``wanted`` attributes
        only.
        """
        made: dict[str, Any] | None = self._made.get(("employee", person.id))
        if made is None:
            made = self._made["employee", person.id] = self._employee(person)
        attributes = (
            made if wanted is None else {key: value for key, value in made.items() if key in wanted}
        )
        return {"type": "Employee", "attributes": attributes}

    def _employee(self, person: Person) -> dict[str, Any]:
        employment = person.current
        values = _V1_NOTHING | {
            "id": self._v1_id(person.id),
            "first_name": person.first_name,
            "last_name": person.last_name,
            "preferred_name": f"{person.first_name} {person.last_name}",
            "email": person.email or "",
            "created_at": person.created_at.astimezone(_ZONE).isoformat(timespec="seconds"),
            "last_modified_at": person.updated_at.astimezone(_ZONE).isoformat(timespec="seconds"),
            "profile_picture": None if person.photo is None else self._picture_url(person),
            "dynamic_24407": f"P{person.id:06}",
            PHONE: person.phone,
        }
        if employment is not None:
            values |= {
                "status": employment.status.lower(),
                "position": employment.position,
                "supervisor": self._supervisor(employment.supervisor),
                "employment_type": "external" if employment.external else "internal",
                "weekly_working_hours": str(_number(employment.weekly_hours)),
                "hire_date": _midnight(employment.start_date),
                "termination_date": _midnight(employment.end_date),
                "last_working_day": _midnight(employment.end_date),
                "subcompany": self._unit("legal_entity", employment.legal_entity),
                "office": self._unit("location", employment.location),
                "department": self._unit("department", employment.department),
                "team": self._unit("team", employment.team),
                "cost_centers": [
                    self._unit("cost_center", unit, percentage=weight)
                    for unit, weight in employment.cost_centers
                ],
            }
        look = self.look
        record = {
            key: _envelope(key, label, None if key in look.nulled else values[key], kind)
            for key, label, kind in _STANDARD
            if key in look.readable
        }
        return record | {name: _envelope(name, name, "new", "standard") for name in look.extra}

    def _supervisor(self, ref: int | None) -> dict[str, Any] | None:
        if ref is None:
            return None
        attributes = {"id": _envelope("id", "ID", self._v1_id(ref), "integer")}
        known = self.snapshot.persons.get(ref)
        if known is not None:
            texts = (known.first_name, known.last_name, known.email or "")
            for (key, label, kind), text in zip(
                (_STANDARD[1], _STANDARD[2], _STANDARD[4]), texts, strict=True
            ):
                attributes[key] = _envelope(key, label, text, kind)
        return {"type": "Employee", "attributes": attributes}

    def _unit(self, kind: Kind, ref: int | None, **more: Any) -> dict[str, Any] | None:
        if ref is None:
            return None
        name = self.snapshot.unit_names[kind, ref]
        return {
            "type": _V1_TYPES[kind],
            "attributes": {"id": self._v1_id(ref), "name": name, **more},
        }

    def unit(self, unit: OrgUnit) -> bytes:
        """v2's record of a unit."""
        record: dict[str, Any] = {"id": self._v2_id(unit.id), "name": unit.name}
        match unit.kind:
            case "team" | "department":
                uri = f"/v2/org-units/{unit.id}?type={unit.kind}"
                record |= {
                    "type": unit.kind,
                    "resource_uri": uri,
                    "create_time": "2019-01-07T08:00:00Z",
                    "parent_id": None,
                }
            case "cost_center":
                record["id"] = cost_center_uuid(unit.id)
            case "legal_entity":
                record |= self._legal_entity(unit)
        return msgspec.json.encode(record)

    def _legal_entity(self, unit: OrgUnit) -> dict[str, Any]:
        assigned = [
            p.current
            for p in self.persons
            if p.current is not None and p.current.legal_entity == unit.id
        ]
        forms = {"DE": "GMBH", "NL": "BV", "ES": "SL"}
        return {
            "status": "ACTIVE",
            "valid_from": "2019-01-07",
            "country": unit.country,
            "type": forms.get(unit.country, "OTHER"),
            "bank_details": {
                "iban": f"{unit.country}00 0000 0000 0000 00",
                "bic": "SANDBOXX",
                "account_holder": unit.name,
            },
            "assigned_employees": {
                "active": sum(e.status != "INACTIVE" for e in assigned),
                "total": len(assigned),
            },
        }


_V1_TYPES = {
    "legal_entity": "Subcompany",
    "location": "Office",
    "department": "Department",
    "team": "Team",
    "cost_center": "CostCenter",
}
_V1_NOTHING: dict[str, Any] = {
    **dict.fromkeys(ATTRIBUTES),
    **dict.fromkeys(("gender", "position", "employment_type", "weekly_working_hours"), ""),
    "status": "inactive",
    "cost_centers": [],
}


def _envelope(key: str, label: str, value: Any, kind: str) -> dict[str, Any]:
    return {
        "label": label,
        "value": value,
        "type": kind,
        "universal_id": None if key.startswith("dynamic_") else key,
    }


def _person_status(person: Person) -> str:
    """v2 derives it from the latest employment, not from the one that counts."""
    latest = person.recent_first[:1]
    return "ACTIVE" if latest and latest[0].status != "INACTIVE" else "INACTIVE"


def _number(hours: float) -> int | float:
    return int(hours) if float(hours).is_integer() else hours


def _utc(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@functools.lru_cache(maxsize=50_000)
def _midnight(date: dt.date | None) -> str | None:
    """v1's form of a date: the local midnight with its offset."""
    return dt.datetime.combine(date, dt.time(), _ZONE).isoformat() if date else None


# --- filters, cursors, rates ----------------------------------------------------------------------


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.replace(microsecond=0)


def _status_word(text: str) -> str:
    if text not in {"ACTIVE", "INACTIVE"}:
        raise ValueError(text)
    return text


_Parse = Callable[[str], Any]
_Read = Callable[[Any], Any]
_BY_TIME = ("", "gt", "lt")

_PERSON_FILTERS: Mapping[str, tuple[_Parse, _Read, tuple[str, ...]]] = {
    "id": (str, lambda person: str(person.id), ("in",)),
    "email": (str.lower, lambda person: (person.email or "").lower(), ("in",)),
    "first_name": (str, lambda person: person.first_name, ("",)),
    "last_name": (str, lambda person: person.last_name, ("",)),
    "preferred_name": (str, lambda person: f"{person.first_name} {person.last_name}", ("",)),
    "status": (_status_word, _person_status, ("",)),
    "created_at": (_moment, lambda person: person.created_at, _BY_TIME),
    "updated_at": (_moment, lambda person: person.updated_at, _BY_TIME),
}


def _condition(
    name: str, text: str, filters: Mapping[str, tuple[_Parse, _Read, tuple[str, ...]]]
) -> Callable[[Any], bool]:
    """What one query parameter asks of a record; 400 for a filter, an operator or a value that is
    not known.
    """
    attribute, _, operator = name.partition(".")
    parse, read, operators = filters.get(attribute, (str, str, ()))
    if operator not in operators and not (operator == "" and operators == ("in",)):
        raise _RefusedError(400, *_BAD_FILTER)
    try:
        if operators == ("in",):
            some = {parse(part.strip()) for part in text.split(",")}
            return lambda record: read(record) in some
        wanted = parse(text)
    except ValueError:
        raise _RefusedError(400, *_BAD_VALUE) from None
    match operator:
        case "gt":
            return lambda record: bool(read(record) > wanted)
        case "lt":
            return lambda record: bool(read(record) < wanted)
        case _:
            return lambda record: bool(read(record) == wanted)


class _Cursor(msgspec.Struct):
    """Where a walk stands: which list, with which filters, how many records a page, how many were
    given.
    """

    path: str
    query: list[tuple[str, str]]
    limit: int
    offset: int


class _Bucket:
    """A token bucket: ``rate`` a second, at most ``burst`` at once."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self.level = float(burst)
        self.at = now

    def take(self, now: float) -> bool:
        """Whether one more request may pass now."""
        self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


class _Window:
    """So many requests in each span of ``seconds``."""

    def __init__(self, most: int, seconds: float, now: float) -> None:
        self.most = most
        self.seconds = seconds
        self.begin = now
        self.count = 0

    def take(self, now: float) -> bool:
        """Whether one more request may pass now."""
        if now - self.begin >= self.seconds:
            self.begin, self.count = now, 0
        self.count += 1
        return self.count <= self.most


@dataclass
class _Token:
    credential: Credential
    scopes: frozenset[str]
    ends: float  # on the app's clock


# --- the app --------------------------------------------------------------------------------------


@dataclass
class _Call:
    """One request that passed the door."""

    request: Request
    view: _View
    base: str
    path: str
    faults: tuple[Fault, ...]

    def has(self, kind: str) -> Fault | None:
        """The fault of this kind that the request has to suffer."""
        return next((fault for fault in self.faults if fault.kind == kind), None)


class _Personio:
    """One tenant behind Personio's two generations of API."""

    def __init__(
        self,
        tenant: Tenant,
        *,
        rates: bool,
        credentials: Sequence[Credential],
        attributes: Iterable[str],
        token_seconds: float,
        unset: Literal["absent", "null"],
        picture_etags: bool,
        clock: Callable[[], float],
    ) -> None:
        self.tenant = tenant
        self.rates = rates
        self.credentials = {credential.client_id: credential for credential in credentials}
        self.readable = frozenset(attributes) | {"id"}
        self.token_seconds = token_seconds
        self.unset = unset
        self.picture_etags = picture_etags
        self.tokens: dict[str, _Token] = {}
        self.clock = clock
        self.buckets: dict[tuple[str, str], _Bucket] = {}
        self.windows: dict[tuple[str, str], _Window] = {}
        self.views: dict[_Look, _View] = {}
        self.key = secrets.token_bytes(16)

    def routes(self) -> list[Route]:
        """Personio's paths, the most called first."""
        persons, org_units = "personio:persons:read", "personio:org-units:read"
        entities, places, centers = (
            "personio:legal-entities:read",
            "personio:workplaces:read",
            "personio:cost-centers:read",
        )
        v1 = "employees:read"
        table: tuple[tuple[str, Callable[[_Call], bytes | Response], str, bool], ...] = (
            ("/v2/persons/{id}/employments", self.list_employments, persons, False),
            ("/v2/persons", self.list_persons, persons, False),
            ("/v2/persons/{id}", self.one_person, persons, False),
            ("/v2/persons/{id}/employments/{employment}", self.one_employment, persons, False),
            ("/v2/org-units", self.list_org_units, org_units, True),
            ("/v2/org-units/{id}", self.one_org_unit, org_units, False),
            ("/v2/legal-entities", self.list_legal_entities, entities, False),
            ("/v2/legal-entities/{id}", self.one_legal_entity, entities, False),
            ("/v2/cost-centers", functools.partial(self.list_named, "cost_center"), centers, True),
            ("/v2/workplaces", functools.partial(self.list_named, "location"), places, True),
            ("/v1/company/employees", self.list_employees, v1, False),
            ("/v1/company/employees/attributes", self.list_attributes, v1, False),
            ("/v1/company/employees/custom-attributes", self.list_attributes, v1, False),
            ("/v1/company/employees/{id}", self.one_employee, v1, False),
            ("/v1/company/employees/{id}/profile-picture/{width}", self.picture, v1, False),
        )
        return [
            *(
                Route(path, self.door(path, answer, scope, beta=beta), methods=["GET"])
                for path, answer, scope, beta in table
            ),
            Route("/v2/auth/token", self.v2_token, methods=["POST"]),
            Route("/v2/auth/revoke", self.revoke, methods=["POST"]),
            Route("/v1/auth", self.v1_token, methods=["POST"]),
            Route("/_sandbox/day", self.day, methods=["GET", "POST"]),
            Route("/_sandbox/tokens", self.end_tokens, methods=["DELETE"]),
        ]

    # --- the door: token, rate, right, beta ---

    def door(
        self, template: str, answer: Callable[[_Call], bytes | Response], scope: str, *, beta: bool
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that checks everything Personio checks before it lets ``answer`` work."""

        async def endpoint(request: Request) -> Response:
            headers: dict[str, str] = {}
            path, faults = _path(request), firing(request.scope)
            try:
                if beta and request.headers.get("beta", "").lower() != "true":
                    raise _no_endpoint(path)
                self.admit(request, template, scope, headers, faults)
                if any(fault.kind == "success_false" for fault in faults):
                    return _json(
                        _error(_RefusedError(200, "An error occurred."), "/v1/")[1], headers
                    )
                made = answer(self.call(request, path, faults))
                response = _json(made) if isinstance(made, bytes) else made
            except _RefusedError as refusal:
                kind, body = _error(refusal, path)
                response = Response(body, refusal.status, media_type=kind)
            response.headers.update(headers)
            return response

        return endpoint

    def admit(
        self,
        request: Request,
        template: str,
        scope: str,
        headers: dict[str, str],
        faults: tuple[Fault, ...],
    ) -> None:
        """Check token, rate and right, in this order; ``headers`` gets what each answer carries."""
        if any(fault.kind == "tokens_expired" for fault in faults):
            self.tokens.clear()
        text, token = self.token(request)
        if template.startswith("/v1/"):
            headers["authorization"] = f"Bearer {text}"  # old clients took the next token from here
        self.pace(token, template, headers)
        if scope not in token.scopes:
            status = 401 if scope == "personio:persons:read" else 403
            raise _RefusedError(status, *_BY_STATUS[status])

    def token(self, request: Request) -> tuple[str, _Token]:
        """The bearer token of a request; 401 when there is none or it has ended."""
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        token = self.tokens.get(text) if kind.lower() == "bearer" else None
        if token is None or token.ends <= self.clock():
            raise _RefusedError(401, *_BY_STATUS[401])
        return text, token

    def pace(self, token: _Token, template: str, headers: dict[str, str]) -> None:
        """Take one from the path's bucket; 429, without ``Retry-After``, when it is empty."""
        if not self.rates:
            return
        key, now = (token.credential.client_id, template), self.clock()
        if template.startswith("/v1/"):  # 300 a minute, 15 at once
            within_minute = self.windows.setdefault(key, _Window(300, 60, now)).take(now)
            passed = self.buckets.setdefault(key, _Bucket(15, 15, now)).take(now) and within_minute
        else:  # measured on persons, assumed for the rest
            bucket = self.buckets.setdefault(key, _Bucket(30, 100, now))
            passed = bucket.take(now)
            headers |= {
                "x-ratelimit-replenish-rate": str(int(bucket.rate)),
                "x-ratelimit-burst-capacity": str(bucket.burst),
                "x-ratelimit-requested-tokens": "1",
                "x-ratelimit-remaining": str(int(bucket.level)),
            }
        if not passed:
            raise _RefusedError(429, *_BY_STATUS[429])

    def call(self, request: Request, path: str, faults: tuple[Fault, ...]) -> _Call:
        """The request with the company as this credential may see it, after the faults that change
        it.
        """
        scheme, host = request.scope["scheme"], request.headers.get("host", "")
        base = f"{scheme}://{host}{request.scope.get('root_path', '')}"
        for fault in faults:
            if fault.kind == "shift" and "/employments" not in path:  # which is asked once a person
                self.shift(str(fault.value or "removed"))
        by_kind = (
            {
                kind: frozenset(str(f.value) for f in faults if f.kind == kind)
                for kind in _OF_ATTRIBUTES
            }
            if faults
            else {}
        )
        look = _Look(
            base,
            self.readable - by_kind.get("missing_attribute", frozenset()),
            by_kind.get("null_attribute", frozenset()),
            by_kind.get("extra_attribute", frozenset()),
            frozenset(kind for kind in ("int_to_str", "last_working_date") if by_kind.get(kind)),
            self.unset,
        )
        snapshot = self.tenant.snapshot
        view = self.views.get(look)
        if view is None or view.snapshot is not snapshot:
            self.views = {kept: old for kept, old in self.views.items() if old.snapshot is snapshot}
            view = self.views[look] = _View(snapshot, look)
        return _Call(request, view, base, path, faults)

    def shift(self, what: str) -> None:
        """Let the first person of all vanish, or somebody come before them."""
        first = next(iter(self.tenant.snapshot.persons.values()), None)
        if first is None:
            return
        if what == "removed":
            self.tenant.remove(first.id)
        else:
            address = f"shift.{first.id - 1}@nordlicht.example"
            self.tenant.add(replace(first, id=first.id - 1, email=address))

    # --- v2 ---

    def page(
        self,
        call: _Call,
        every: Sequence[T],
        make: Callable[[T], bytes],
        query: Sequence[tuple[str, str]],
        *,
        most: int = 100,
        usual: int = 20,
    ) -> bytes:
        """One page of a v2 list; ``query`` is what the cursor has to carry on."""
        if call.has("empty_list"):
            every = ()
        cursor = self.cursor(call)
        limit = cursor.limit if cursor else usual
        text = call.request.query_params.get("limit")
        if text is not None:
            limit = int(text) if text.isascii() and text.isdigit() else 0
        if not 1 <= limit <= most:
            raise _RefusedError(
                400, "Provided value for limit is not valid", "Bad request", "common.bad_request"
            )
        offset = cursor.offset if cursor else 0
        records = every[offset : offset + limit]
        tail = call.request.scope["query_string"].decode("latin-1")
        here = call.base + call.path + (f"?{tail}" if tail else "")
        links = {"self": {"href": here}}
        after = self.next_link(
            call,
            here,
            _Cursor(call.path, list(query), limit, offset + limit),
            more=offset + limit < len(every),
        )
        if after is not None:
            links["next"] = {"href": after}
        lost = call.has("drop_page")
        if lost is not None:
            records = records[: 0 if lost.value is None else max(0, len(records) - int(lost.value))]
        meta = msgspec.json.encode({"links": links})
        return b'{"_data":[' + b",".join(map(make, records)) + b'],"_meta":' + meta + b"}"

    def next_link(self, call: _Call, here: str, cursor: _Cursor, *, more: bool) -> str | None:
        """Where the next page is, if there is one or a fault says so."""
        if call.has("repeat_page"):
            return here
        foreign = call.has("foreign_next")
        if not more and foreign is None:
            return None
        base = call.request.scope.get("root_path", "") if call.has("relative_next") else call.base
        if foreign is not None:
            base = str(foreign.value or "https://api.personio.invalid")
        return f"{base}{call.path}?cursor={self.sign(cursor)}"

    def sign(self, cursor: _Cursor) -> str:
        """A cursor as text that nobody can make or change."""
        body = msgspec.json.encode(cursor)
        digest = hashlib.blake2b(body, key=self.key, digest_size=8).digest()
        return "cur_" + base64.urlsafe_b64encode(digest + body).decode().rstrip("=")

    def cursor(self, call: _Call) -> _Cursor | None:
        """The cursor of a request; 400 when it is not one of ours or belongs to another list."""
        text = call.request.query_params.get("cursor")
        if text is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(
                text.removeprefix("cur_") + "=" * (-len(text.removeprefix("cur_")) % 4)
            )
            cursor = msgspec.json.decode(raw[8:], type=_Cursor)
        except (ValueError, msgspec.DecodeError):
            raise _RefusedError(400, *_BAD_VALUE) from None
        ours = hmac.compare_digest(
            hashlib.blake2b(raw[8:], key=self.key, digest_size=8).digest(), raw[:8]
        )
        if not ours or cursor.path != call.path:
            raise _RefusedError(400, *_BAD_VALUE)
        return cursor

    def query(self, call: _Call, *besides: str) -> list[tuple[str, str]]:
        """The filters of a request: its own and those its cursor holds."""
        cursor = self.cursor(call)
        own = [
            (name, text)
            for name, text in call.request.query_params.multi_items()
            if name not in {"limit", "cursor", *besides}
        ]
        return own or (cursor.query if cursor else [])

    def list_persons(self, call: _Call) -> bytes:
        """``GET /v2/persons``: 1 to 50 a page, usually 10."""
        query = self.query(call)
        every: Sequence[Person] = call.view.persons
        if query:
            conditions = [_condition(name, text, _PERSON_FILTERS) for name, text in query]
            every = [
                person for person in every if all(condition(person) for condition in conditions)
            ]
        return self.page(call, every, call.view.person, query, most=50, usual=10)

    def found(self, call: _Call) -> Person:
        """The person in the path; 404 when there is none."""
        text = str(call.request.path_params["id"])
        person = (
            call.view.snapshot.persons.get(int(text)) if text.isascii() and text.isdigit() else None
        )
        if person is None:
            raise _RefusedError(404, *_NOT_FOUND)
        return person

    def one_person(self, call: _Call) -> bytes:
        """``GET /v2/persons/{id}``."""
        return call.view.person(self.found(call))

    def list_employments(self, call: _Call) -> bytes:
        """``GET /v2/persons/{id}/employments``: most recent first, 1 to 50 a page, usually 10."""
        person = self.found(call)
        every = call.view.employments(person)
        query = self.query(call) if call.request.scope["query_string"] else []
        if query:
            filters: Mapping[str, tuple[_Parse, _Read, tuple[str, ...]]] = {
                "id": (str, lambda made: employment_uuid(person.id, made[0].number), ("in",)),
                "updated_at": (_moment, lambda _: person.updated_at, _BY_TIME),
            }
            conditions = [_condition(name, text, filters) for name, text in query]
            every = [made for made in every if all(condition(made) for condition in conditions)]
        return self.page(call, every, lambda made: made[1], query, most=50, usual=10)

    def one_employment(self, call: _Call) -> bytes:
        """``GET /v2/persons/{id}/employments/{employment}``."""
        person = self.found(call)
        for employment, record in call.view.employments(person):
            if (
                employment_uuid(person.id, employment.number)
                == call.request.path_params["employment"]
            ):
                return record
        raise _RefusedError(404, *_NOT_FOUND)

    def org_unit_kind(self, call: _Call) -> Kind:
        """The parameter ``type``, which is required."""
        cursor = self.cursor(call)
        kind = call.request.query_params.get("type") or (
            dict(cursor.query).get("type") if cursor else None
        )
        if kind not in {"team", "department"}:
            raise _RefusedError(400, *_BAD_VALUE)
        return "team" if kind == "team" else "department"

    def list_org_units(self, call: _Call) -> bytes:
        """``GET /v2/org-units?type=team|department``: beta; 1 to 100 a page, usually 20."""
        kind = self.org_unit_kind(call)
        self.only(call, "type", "sort", "include_parent_chain")
        return self.page(
            call, self.sorted(call, kind), call.view.unit, self.query(call, "include_parent_chain")
        )

    def one_org_unit(self, call: _Call) -> bytes:
        """``GET /v2/org-units/{id}?type=team|department``."""
        return self.one_unit(call, self.org_unit_kind(call))

    def list_named(self, kind: Kind, call: _Call) -> bytes:
        """``GET /v2/cost-centers`` and ``/v2/workplaces``: beta; 1 to 100 a page, usually 20."""
        query = self.query(call, "sort")
        filters: Mapping[str, tuple[_Parse, _Read, tuple[str, ...]]] = {
            "id": (
                str,
                lambda unit: cost_center_uuid(unit.id) if kind == "cost_center" else str(unit.id),
                ("in",),
            ),
            "name": (str, lambda unit: unit.name, ("",)),
        }
        conditions = [_condition(name, text, filters) for name, text in query]
        every = [
            unit
            for unit in self.sorted(call, kind)
            if all(condition(unit) for condition in conditions)
        ]
        return self.page(call, every, call.view.unit, query)

    def list_legal_entities(self, call: _Call) -> bytes:
        """``GET /v2/legal-entities``: newest first; 1 to 100 a page, usually 20."""
        query = self.query(call)
        filters: Mapping[str, tuple[_Parse, _Read, tuple[str, ...]]] = {
            "id": (str, lambda unit: str(unit.id), ("in",)),
            "country": (str, lambda unit: unit.country, ("in",)),
        }
        conditions = [_condition(name, text, filters) for name, text in query]
        every = call.view.snapshot.of_kind("legal_entity")[::-1]
        every = [unit for unit in every if all(condition(unit) for condition in conditions)]
        return self.page(call, every, call.view.unit, query)

    def one_legal_entity(self, call: _Call) -> bytes:
        """``GET /v2/legal-entities/{id}``."""
        return self.one_unit(call, "legal_entity")

    def one_unit(self, call: _Call, kind: Kind) -> bytes:
        """The unit in the path; 404 when there is none of that kind."""
        for unit in call.view.snapshot.of_kind(kind):
            if str(unit.id) == call.request.path_params["id"]:
                return call.view.unit(unit)
        raise _RefusedError(404, *_NOT_FOUND)

    def only(self, call: _Call, *known: str) -> None:
        """400 for a parameter that the list does not have."""
        if any(name not in {"limit", "cursor", *known} for name in call.request.query_params):
            raise _RefusedError(400, *_BAD_FILTER)

    def sorted(self, call: _Call, kind: Kind) -> list[OrgUnit]:
        """The units of a kind in the order that ``sort`` asks for; by id otherwise."""
        cursor = self.cursor(call)
        text = call.request.query_params.get("sort") or (
            dict(cursor.query).get("sort", "id") if cursor else "id"
        )
        if text.removeprefix("-") not in {"name", "id"}:
            raise _RefusedError(400, *_BAD_VALUE)
        by_name = text.endswith("name")
        units = call.view.snapshot.of_kind(kind)
        return sorted(
            units,
            key=lambda unit: (unit.name if by_name else "", unit.id),
            reverse=text.startswith("-"),
        )

    # --- v1 ---

    def list_employees(self, call: _Call) -> bytes:
        """``GET /v1/company/employees``: 1 to 100 a page, usually 50, from record ``offset``; all
        with ``updated_since``.
        """
        asked = call.request.query_params
        limit, offset = (
            _whole(asked.get("limit"), 50, at_least=1),
            _whole(asked.get("offset"), 0, at_least=0),
        )
        if limit > 100:
            raise _RefusedError(400, "The limit may not be greater than 100.")
        every: list[Person] = [] if call.has("empty_list") else list(call.view.persons)
        since, email = asked.get("updated_since"), asked.get("email")
        # when an attribute changed is not known here, so ``attributes[]`` only projects
        if since is not None:
            moment = _local(since)
            every = [person for person in every if person.updated_at > moment]
            records = every
        else:
            if email is not None:
                every = [
                    person for person in every if (person.email or "").lower() == email.lower()
                ]
            begin = 0 if call.has("repeat_page") else offset
            records = every[begin : begin + limit]
        lost = call.has("drop_page")
        if lost is not None:
            records = records[: 0 if lost.value is None else max(0, len(records) - int(lost.value))]
        names = asked.getlist("attributes[]") or asked.getlist("attributes")
        wanted = frozenset({"id", *names, *call.view.look.extra}) if names else None
        pages = 1 if since is not None else -(-len(every) // limit)
        metadata = {
            "total_elements": len(every),
            "current_page": 0 if since is not None else offset // limit,
            "total_pages": pages,
        }
        data = [call.view.employee(person, wanted) for person in records]
        return msgspec.json.encode(
            {"success": True, "metadata": metadata, "offset": offset, "limit": limit, "data": data}
        )

    def one_employee(self, call: _Call) -> bytes:
        """``GET /v1/company/employees/{id}``."""
        return msgspec.json.encode(
            {"success": True, "data": call.view.employee(self.found(call), None)}
        )

    def picture(self, call: _Call) -> Response:
        """``GET /v1/company/employees/{id}/profile-picture/{width}``: 404 without person, picture
        or right to the attribute.
        """
        person, width = self.found(call), str(call.request.path_params["width"])
        if "profile_picture" not in call.view.look.readable or person.photo is None:
            raise _RefusedError(404, "There was a problem.")
        if not (width.isascii() and width.isdigit() and 1 <= int(width) <= WIDEST):
            raise _RefusedError(400, "The given data was invalid.")
        large = call.has("large_picture")
        body = picture(person, int(width)).ljust(int(large.value) if large else 0, b"\0")
        headers = (
            {"etag": f'"{hashlib.sha256(body).hexdigest()[:16]}"'} if self.picture_etags else {}
        )
        if headers and call.request.headers.get("if-none-match") == headers["etag"]:
            return Response(None, 304, headers)
        return Response(body, 200, headers, "image/png")

    def list_attributes(self, call: _Call) -> bytes:
        """``GET /v1/company/employees/attributes``: the whitelist of the credential."""
        data: list[dict[str, Any]] = [
            {
                "key": key,
                "label": label,
                "type": kind,
                "universal_id": None if key.startswith("dynamic_") else key,
                "options": [],
            }
            for key, label, kind in _STANDARD
            if key in call.view.look.readable
        ]
        return msgspec.json.encode({"success": True, "data": data})

    # --- tokens ---

    def issue(self, credential: Credential, scopes: frozenset[str]) -> str:
        """A new token; it serves both generations, any number of times."""
        text = f"papi-{secrets.token_urlsafe(32)}"
        self.tokens[text] = _Token(credential, scopes, self.clock() + self.token_seconds)
        return text

    def known(self, client_id: str, client_secret: str) -> Credential | None:
        """The credential, if the secret is its own."""
        credential = self.credentials.get(client_id)
        if credential is None or not hmac.compare_digest(
            credential.client_secret.encode(), client_secret.encode()
        ):
            return None
        return credential

    def crowded(self, path: str, rate: float, burst: int) -> bool:
        """Whether too many tokens were asked for."""
        now = self.clock()
        return self.rates and not self.buckets.setdefault(
            ("", path), _Bucket(rate, burst, now)
        ).take(now)

    async def v1_token(self, request: Request) -> Response:
        """``POST /v1/auth``: JSON or a form; 60 a minute."""
        if self.crowded("/v1/auth", 1, 60):
            return _response(_RefusedError(429, *_BY_STATUS[429]), "/v1/auth")
        given = await _form_or_json(request)
        credential = self.known(given.get("client_id", ""), given.get("client_secret", ""))
        if credential is None:
            return _response(_RefusedError(403, "Wrong credentials", anchor="v1.auth"), "/v1/auth")
        token = self.issue(credential, credential.scopes)
        data = {
            "token": token,
            "expires_in": int(self.token_seconds),
            "scope": " ".join(sorted(credential.scopes)),
        }
        return _json(
            msgspec.json.encode({"success": True, "data": data}),
            {"authorization": f"Bearer {token}"},
        )

    async def v2_token(self, request: Request) -> Response:
        """``POST /v2/auth/token``: a form only; every failure is a 400; 150 a minute."""
        if self.crowded("/v2/auth/token", 1, 150):
            return _response(_RefusedError(429, *_BY_STATUS[429]), "/v2/auth/token")
        try:
            credential, scopes = self.grant(
                request.headers.get("content-type", ""), await _form_or_json(request)
            )
        except _OAuthError as refused:
            return Response(
                msgspec.json.encode(refused.answer()), 400, media_type="application/problem+json"
            )
        token, life = self.issue(credential, scopes), int(self.token_seconds)
        answer = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": life,
            "scope": " ".join(sorted(scopes)),
        }
        return _json(msgspec.json.encode(answer))

    def grant(
        self, content_type: str, given: Mapping[str, str]
    ) -> tuple[Credential, frozenset[str]]:
        """The credential and the scopes that a v2 token request is entitled to."""
        if not content_type.startswith("application/x-www-form-urlencoded"):
            told = 'Content type must be "application/x-www-form-urlencoded".'
            raise _OAuthError(
                "invalid_request",
                told,
                "invalid_request.invalid_request_content_type",
                link="type",
            )
        missing = [
            name for name in ("grant_type", "client_id", "client_secret") if not given.get(name)
        ]
        if missing:
            told = "Required parameters are missing or invalid."
            about = {"missing_parameters": missing}
            raise _OAuthError(
                "invalid_request", told, "invalid_request.required_parameters_missing", about
            )
        if given["grant_type"] != "client_credentials":
            raise _OAuthError(
                "unsupported_grant_type",
                "Grant type not supported.",
                meta={"grant_type": given["grant_type"]},
            )
        credential = self.known(given["client_id"], given["client_secret"])
        if credential is None:
            raise _OAuthError("invalid_client", "Client authentication failed.")
        scopes = frozenset(given.get("scope", "").split()) or credential.scopes
        if not scopes <= SCOPES | _OTHER_SCOPES:
            raise _OAuthError("invalid_scope", "A requested scope is invalid.")
        if not scopes <= credential.scopes:
            raise _OAuthError("invalid_grant", "Error in the authorization flow.")
        return credential, scopes

    async def revoke(self, request: Request) -> Response:
        """``POST /v2/auth/revoke``."""
        self.tokens.pop((await _form_or_json(request)).get("token", ""), None)
        return Response(b"")

    # --- the sandbox's own ---

    async def end_tokens(self, _request: Request) -> Response:
        """``DELETE /_sandbox/tokens``."""
        self.tokens.clear()
        return _json(b"{}")

    async def day(self, request: Request) -> Response:
        """``GET`` and ``POST /_sandbox/day``: which day of the company's files it is."""
        if request.method == "POST":
            try:
                self.tenant.go_to(
                    msgspec.json.decode(await request.body(), type=dict[str, int])["day"]
                )
            except (PipelineError, msgspec.DecodeError, KeyError) as problem:
                return Response(
                    msgspec.json.encode({"problem": str(problem)}),
                    422,
                    media_type="application/json",
                )
        days = days_of(self.tenant.folder) if self.tenant.folder is not None else 1
        return _json(
            msgspec.json.encode(
                {"day": self.tenant.day, "date": self.tenant.snapshot.date, "days": days}
            )
        )


def _path(request: Request) -> str:
    return str(request.scope["path"]).removeprefix(str(request.scope.get("root_path", "")))


def _json(body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, 200, headers, "application/json")


def _response(refusal: _RefusedError, path: str) -> Response:
    kind, body = _error(refusal, path)
    return Response(body, refusal.status, media_type=kind)


def _whole(text: str | None, usual: int, *, at_least: int) -> int:
    """A whole number of v1's query; 400 for anything else."""
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit()) or int(text) < at_least:
        raise _RefusedError(400, "The given data was invalid.")
    return int(text)


def _local(text: str) -> dt.datetime:
    """v1's ``updated_since``: an ISO timestamp or date, in the tenant's zone where it names
    none.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise _RefusedError(400, "The given data was invalid.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=_ZONE)


async def _form_or_json(request: Request) -> dict[str, str]:
    """The strings of a request's body, a form or a JSON object; empty when it is neither."""
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            given = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return {}
        return (
            {key: value for key, value in given.items() if isinstance(value, str)}
            if isinstance(given, dict)
            else {}
        )
    return dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace")))


def _no_endpoint(path: str) -> _RefusedError:
    return _RefusedError(
        404, f"The endpoint with {path} was not found.", "Not found", "common.endpoint_not_found"
    )


async def _unknown(request: Request, _error_raised: Exception) -> Response:
    return _response(_no_endpoint(_path(request)), _path(request))


def personio_app(
    company: Tenant,
    *,
    faults: Faults | None = None,
    rates: bool = True,
    credentials: Sequence[Credential] = (CREDENTIAL,),
    attributes: Iterable[str] = ATTRIBUTES,
    token_seconds: float = 86_400,
    unset: Literal["absent", "null"] = "absent",
    picture_etags: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> App:
    """Personio for one company, as an ASGI app.

    ``attributes`` is the whitelist in v1's names. ``rates=False`` leaves out the limits and their
    headers. ``unset`` says how v2 tells that somebody has no value: the key is absent (as its
    document wants) or null. ``picture_etags``: whether pictures come with a validator; none is
    documented. ``clock`` (seconds) ends tokens and refills rates. ``company`` may be changed, and
    ``faults`` switched on and off, while it serves.
    """
    personio = _Personio(
        company,
        rates=rates,
        credentials=credentials,
        attributes=attributes,
        token_seconds=token_seconds,
        unset=unset,
        picture_etags=picture_etags,
        clock=clock,
    )
    app = Starlette(routes=personio.routes(), exception_handlers={404: _unknown, 405: _unknown})
    return Faulty(app, faults if faults is not None else Faults(), kinds=KINDS, error=_error_of)
