"""A stand-in for BambooHR: its list of employees and its list of changes, as strict as the vendor's
document says.

Pages begin behind a person and not at a number, so one whose boundary has gone is refused
(``BadPage``); a filter that does not exist is 422; a field that the key's owner may not see is null
and named in ``_restrictedFields``; whoever is filtered or sorted by one is left out. A division is
what the sample company calls a legal entity; cost centres and leave BambooHR does not know.

Beside BambooHR's paths those of :mod:`hris_pipeline.sandbox.faults`. Its limit of requests is not
published, so none is kept: a fault of kind ``status`` with 429 or 503 and ``retry_after`` is what
hitting it looks like.
"""

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import re
import secrets
import urllib.parse
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hris_pipeline.sandbox.company import Kind, Person, Snapshot, Tenant
from hris_pipeline.sandbox.faults import Answer, Fault, Faults, Faulty, firing
from hris_pipeline.sandbox.server import App

API_KEY = "sandbox-key"
PATH = "/api/v1/employees"
MOST, USUAL = 2500, 250  # employees on a page

KINDS: Mapping[str, str] = {
    "repeat_page": "the next cursor is the one that was used",
    "drop_page": "leaves the last `value` records (all) out of a page; the total stays",
    "shift": "before this page the last person of the page before is deleted",
    "other_total": "the total of this page is `value`",
    "empty_list": "answers as if there were nobody",
    "ids_as_numbers": "ids are numbers, as in BambooHR's older endpoints",
}
DEFAULT = (
    "employeeId",
    "firstName",
    "lastName",
    "preferredName",
    "photoUrl",
    "jobTitleName",
    "status",
)
OPTIONAL = (
    "departmentId",
    "departmentName",
    "displayName",
    "divisionId",
    "divisionName",
    "employeeNumber",
    "hireDate",
    "locationId",
    "locationName",
    "originalHireDate",
    "reportsToId",
    "reportsToName",
    "teams",
    "terminationDate",
    "workEmail",
    "workPhone",
)
_SORTABLE = frozenset(
    {"employeeId", "firstName", "lastName", "preferredName", "jobTitleName", "status"}
)
_UNFILTERED = frozenset({"employeeId", "photoUrl", "teams"})
_SUBSTRING = re.compile("name|email|number", re.IGNORECASE)  # the rest is compared as a whole
_WORDS = {"ACTIVE": "Active", "LEAVE": "Active", "ONBOARDING": "Inactive", "INACTIVE": "Inactive"}


class _RefusedError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def _error(code: str, message: str) -> Answer:
    return "application/json", msgspec.json.encode({"error": {"code": code, "message": message}})


def _error_of(status: int, path: str) -> Answer:
    return _error(
        {429: "TooManyRequests", 503: "ServiceUnavailable"}.get(status, "Error"),
        f"{status} for {path}",
    )


@dataclass(frozen=True)
class _Place:
    """Where a page begins: behind the person ``after``, or in front of ``before``."""

    person: int
    backwards: bool


class _BambooHR:
    """One company's BambooHR."""

    def __init__(
        self, tenant: Tenant, api_key: str, hidden: Collection[str], empty_date: str | None
    ) -> None:
        self.tenant = tenant
        self.api_key = api_key
        self.hidden = frozenset(hidden)
        self.empty_date = empty_date
        self.secret = secrets.token_bytes(16)
        self.deleted: dict[int, dt.datetime] = {}
        self.known = frozenset(tenant.snapshot.persons)

    def routes(self) -> list[Route]:
        """The paths."""
        return [
            Route(f"{PATH}/changed", self.door(self.list_changes), methods=["GET"]),
            Route(PATH, self.door(self.list_employees), methods=["GET"]),
        ]

    def door(
        self, answer: Callable[[Request, tuple[Fault, ...]], Response]
    ) -> Callable[[Request], Any]:
        """An endpoint behind HTTP Basic: the key is the user, any password will do."""

        async def endpoint(request: Request) -> Response:
            kind, _, text = request.headers.get("authorization", "").partition(" ")
            try:
                user = (
                    base64.b64decode(text, validate=True).partition(b":")[0]
                    if kind.lower() == "basic"
                    else b""
                )
            except binascii.Error:
                user = b""
            if not hmac.compare_digest(user, self.api_key.encode()):
                return Response(b"", 401, {"x-bamboohr-error-message": "Invalid API key"})
            self.notice()
            try:
                return answer(request, firing(request.scope))
            except _RefusedError as refusal:
                media, body = _error(refusal.code, str(refusal))
                return Response(body, refusal.status, media_type=media)

        return endpoint

    def notice(self) -> None:
        """Remember who has been deleted since the last request."""
        snapshot = self.tenant.snapshot
        self.deleted |= dict.fromkeys(self.known - snapshot.persons.keys(), snapshot.moment)
        self.known |= snapshot.persons.keys()

    # --- GET /employees ---

    def list_employees(self, request: Request, faults: tuple[Fault, ...]) -> Response:
        """One page of those who match, and how many match in all."""
        has = {fault.kind: fault for fault in faults}
        query = request.query_params
        limit = self.limit(query.get("page[limit]"))
        place = self.place(query.get("page[after]"), query.get("page[before]"))
        if "shift" in has and place is not None:
            self.tenant.remove(place.person)
        snapshot = self.tenant.snapshot
        wanted = [name for name in OPTIONAL if name in self.asked(request)]
        everybody = (
            []
            if "empty_list" in has
            else [self.values(snapshot, person) for person in snapshot.persons.values()]
        )
        found = self.ordered(self.matching(everybody, request), query.get("sort") or "employeeId")
        first, last = self.bounds(found, place, limit)
        page = found[first:last]
        lost = has.get("drop_page")
        kept = (
            page
            if lost is None
            else page[: 0 if lost.value is None else max(0, len(page) - int(lost.value))]
        )
        after = self.cursor(page[-1], backwards=False) if last < len(found) else None
        if "repeat_page" in has:
            after = query.get("page[after]") or self.cursor(found[0], backwards=False)
        before = self.cursor(page[0], backwards=True) if first and page else None
        total = int(has["other_total"].value) if "other_total" in has else len(found)
        kept = [self.record(values, wanted) for values in kept]
        if "ids_as_numbers" in has:
            kept = [{**record, "employeeId": int(record["employeeId"])} for record in kept]
        links = {"self": {"href": str(request.url)}}
        for rel, name, cursor in (
            ("next", "page[after]", after),
            ("prev", "page[before]", before),
        ):
            if cursor is not None:
                rest = [
                    (key, text)
                    for key, text in query.multi_items()
                    if key not in {"page[after]", "page[before]"}
                ]
                links[rel] = {
                    "href": (
                        f"{request.url.replace(query='')}?"
                        f"{urllib.parse.urlencode([*rest, (name, cursor)])}"
                    )
                }
        meta = {
            "total": total,
            "page": {"limit": limit, "nextCursor": after, "prevCursor": before},
        }
        return _json({"data": kept, "meta": meta, "_links": links})

    def limit(self, text: str | None) -> int:
        """How many on a page; 400 for anything but 1 to 2500."""
        if text is None:
            return USUAL
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST):
            raise _RefusedError(400, "BadRequest", f"page[limit] must be 1 to {MOST}")
        return int(text)

    def asked(self, request: Request) -> frozenset[str]:
        """The fields asked for, by comma or in brackets; of plain repeats only the last counts."""
        plain = request.query_params.getlist("fields")[-1:]
        names = [
            name
            for text in (*plain, *request.query_params.getlist("fields[]"))
            for name in text.split(",")
        ]
        return frozenset(names)

    def record(self, values: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
        """Somebody's record: the default fields, those wanted, and which of them may not be
        seen.
        """
        names = (*DEFAULT, *wanted)
        restricted = [name for name in names if name in self.hidden]
        return {name: None if name in self.hidden else values[name] for name in names} | {
            "_restrictedFields": restricted
        }

    def values(self, snapshot: Snapshot, person: Person) -> dict[str, Any]:
        """All that is known of somebody, by BambooHR's names."""
        job = person.current
        manager = (
            snapshot.persons.get(job.supervisor) if job and job.supervisor is not None else None
        )
        values: dict[str, Any] = {
            "employeeId": str(person.id),
            "firstName": person.first_name,
            "lastName": person.last_name,
            "preferredName": None,
            "photoUrl": f"https://images.bamboohr.example/{person.id}.jpg",
            "jobTitleName": job.position if job else None,
            "status": _WORDS.get(job.status, job.status) if job else "Inactive",
            "displayName": f"{person.first_name} {person.last_name}",
            "employeeNumber": f"{person.id:06}",
            "workEmail": person.email,
            "workPhone": person.phone or None,
            "hireDate": job.start_date.isoformat() if job else self.empty_date,
            "originalHireDate": min((e.start_date for e in person.employments), default=None),
            "terminationDate": (
                job.end_date.isoformat() if job and job.end_date else self.empty_date
            ),
            "reportsToId": str(job.supervisor) if job and job.supervisor is not None else None,
            "reportsToName": f"{manager.first_name} {manager.last_name}" if manager else None,
            "teams": (
                [{"id": job.team, "label": snapshot.unit_names["team", job.team]}]
                if job and job.team is not None
                else []
            ),
        }
        kinds: tuple[tuple[str, Kind], ...] = (
            ("department", "department"),
            ("division", "legal_entity"),
            ("location", "location"),
        )
        for name, kind in kinds:
            unit = getattr(job, kind) if job else None
            values[f"{name}Id"] = None if unit is None else str(unit)
            values[f"{name}Name"] = None if unit is None else snapshot.unit_names[kind, unit]
        return values

    def matching(self, records: list[dict[str, Any]], request: Request) -> list[dict[str, Any]]:
        """Those whom every filter lets through; 422 for a filter that there is not."""
        for key, text in request.query_params.multi_items():
            if not key.startswith("filter["):
                continue
            name = key.removeprefix("filter[").partition("]")[0]
            if name == "ids":
                ids = {
                    each for value in request.query_params.getlist(key) for each in value.split(",")
                }
                records = [record for record in records if record["employeeId"] in ids]
            elif name in _UNFILTERED or name not in {*DEFAULT, *OPTIONAL}:
                raise _RefusedError(422, "UnprocessableEntity", "unknown filter")
            elif name == "status" and text not in {"active", "inactive"}:
                raise _RefusedError(400, "BadRequest", "filter[status] must be active or inactive")
            else:
                records = [
                    record
                    for record in records
                    if name not in self.hidden and _matches(name, record[name], text)
                ]
        return records

    def ordered(self, records: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
        """In the order that ``sort`` asks for, employees with the same values by id; 400 for a
        field that cannot be sorted by.
        """
        records = sorted(records, key=lambda record: int(record["employeeId"]))
        for text in reversed(sort.split(",")):
            name = text.removeprefix("-")
            if name not in _SORTABLE:
                raise _RefusedError(400, "BadRequest", "unknown sort field")
            if name in self.hidden:
                return []
            if name != "employeeId":
                records.sort(key=partial(_by, name), reverse=text.startswith("-"))
            elif text.startswith("-"):
                records.reverse()
        return records

    def bounds(
        self, found: list[dict[str, Any]], place: _Place | None, limit: int
    ) -> tuple[int, int]:
        """Where the page begins and ends; 400 where the person at its boundary is not there any
        more.
        """
        if place is None:
            return 0, min(limit, len(found))
        at = next(
            (i for i, record in enumerate(found) if record["employeeId"] == str(place.person)),
            None,
        )
        if at is None:
            raise _RefusedError(400, "BadPage", "the employee at the page's boundary has changed")
        return (
            (max(0, at - limit), at)
            if place.backwards
            else (at + 1, min(at + 1 + limit, len(found)))
        )

    def cursor(self, record: Mapping[str, Any], *, backwards: bool) -> str:
        """A cursor as text that nobody can make or change."""
        body = f"{'prev' if backwards else 'next'}:{record['employeeId']}".encode()
        return base64.urlsafe_b64encode(self.seal(body) + body).decode()

    def seal(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, key=self.secret, digest_size=8).digest()

    def place(self, after: str | None, before: str | None) -> _Place | None:
        """What a cursor says; 400 for both at once, one that is not ours, or one of the other
        direction.
        """
        if after is None and before is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(after or before or "")
        except binascii.Error:
            raw = b""
        direction, _, ref = raw[8:].decode("latin-1").partition(":")
        wrong = (after is not None and before is not None) or direction != (
            "next" if before is None else "prev"
        )
        if wrong or not hmac.compare_digest(self.seal(raw[8:]), raw[:8]):
            raise _RefusedError(400, "BadPage", "malformed page cursor")
        return _Place(int(ref), backwards=before is not None)

    # --- GET /employees/changed ---

    def list_changes(self, request: Request, _faults: tuple[Fault, ...]) -> Response:
        """Who was made, changed or deleted since a moment, by id; XML for whoever does not ask for
        JSON.
        """
        try:
            since = dt.datetime.fromisoformat(request.query_params["since"])
        except (KeyError, ValueError):
            return Response(
                b"", 400, {"x-bamboohr-error-message": "since is missing or no ISO 8601 date"}
            )
        since = since if since.tzinfo else since.replace(tzinfo=dt.UTC)
        wanted = request.query_params.get("type", "all")
        if wanted not in {"inserted", "updated", "deleted", "all"}:
            return Response(b"", 400, {"x-bamboohr-error-message": "type is invalid"})
        changes = {
            person.id: ("Inserted" if person.created_at > since else "Updated", person.updated_at)
            for person in self.tenant.snapshot.persons.values()
            if person.updated_at > since
        } | {ref: ("Deleted", moment) for ref, moment in self.deleted.items() if moment > since}
        found = {
            str(ref): {"id": str(ref), "action": action, "lastChanged": moment.isoformat()}
            for ref, (action, moment) in changes.items()
            if wanted in {"all", action.lower()}
        }
        if "application/json" not in request.headers.get("accept", ""):
            return Response(
                b'<?xml version="1.0"?>\n<employees/>', 200, media_type="application/xml"
            )
        latest = max(
            (str(change["lastChanged"]) for change in found.values()), default=since.isoformat()
        )
        return _json({"latest": latest, "employees": found})


def _by(name: str, record: Mapping[str, Any]) -> tuple[bool, Any]:
    """The key that sorts by a field, records without it first."""
    return (record[name] is not None, record[name])


def _matches(name: str, value: Any, text: str) -> bool:
    own, asked = str(value or "").lower(), text.lower()
    return asked in own if _SUBSTRING.search(name) else asked == own


def _json(content: Any) -> Response:
    return Response(msgspec.json.encode(content), 200, media_type="application/json")


async def _unknown(_request: Request, _error_raised: Exception) -> Response:
    return Response(b"", 404, {"x-bamboohr-error-message": "Not found"})


def bamboohr_app(
    company: Tenant,
    *,
    faults: Faults | None = None,
    api_key: str = API_KEY,
    hidden: Collection[str] = (),
    empty_date: str | None = None,
) -> App:
    """BambooHR for one company, as an ASGI app.

    ``hidden`` are the fields, by BambooHR's names, that the key's owner may not see; ``empty_date``
    is what stands for no date: null, or ``0000-00-00`` as in older endpoints. ``company`` may be
    changed, and ``faults`` switched on and off, while it serves.
    """
    bamboohr = _BambooHR(company, api_key, hidden, empty_date)
    app = Starlette(routes=bamboohr.routes(), exception_handlers={404: _unknown, 405: _unknown})
    return Faulty(app, faults if faults is not None else Faults(), kinds=KINDS, error=_error_of)
