"""A stand-in for Merge's HRIS API: one linked account, with the sample company's HR system behind
it, as strict as is known.

What it knows comes from Merge's OpenAPI documents and help pages: two credentials, cursors, pages
of 100, deleted and shell rows that stay hidden unless asked for, the HR system's words where Merge
has none, a limit by plan for each account token, an address that is shut out after more than 20
failing requests in 10 seconds. Where nothing is published it is strict: a parameter or value that
the documents do not name is a 400, a cursor whose list or other parameters changed is a 404.
``previous`` is always null.

Like Merge it answers from a copy. The copy follows the company at once, keeps who is gone from it
as deleted, and knows them again when they return. Bodies of errors are in the form of Django REST
framework, on which Merge is built.
"""

import base64
import bisect
import datetime as dt
import email.utils
import hashlib
import secrets
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hris_pipeline.sandbox.company import OrgUnit, Person, Snapshot, Tenant
from hris_pipeline.sandbox.faults import Answer, Fault, Faults, Faulty, firing
from hris_pipeline.sandbox.server import App, Message, Receive, Scope, Send

Plan = Literal["launch", "professional", "enterprise"]
Row = dict[str, Any]

PREFIX = "/api/hris/v1"
API_KEY = "sandbox-merge-key"
ACCOUNT_TOKEN = "sandbox-account-token"  # noqa: S105 - of a stand-in
LIMITS: Mapping[Plan, int] = {"launch": 100, "professional": 400, "enterprise": 600}
MOST = 100
FAILING = (20, 10.0)  # so many failing requests from one address in so many seconds
SYNCED_AFTER = dt.timedelta(minutes=30)  # Merge's sync ends this long after HR's changes
NOW_AFTER = dt.timedelta(hours=3)  # when it is asked, by its own clock

KINDS: Mapping[str, str] = {
    "account": 'the account\'s details have the fields of `value`: {"status": "RELINK_NEEDED"}',
    "sync": 'the sync of each model in `value` has these fields: {"Group": {"status": "FAILED"}}',
    "sync_ends": "Merge's syncs have just ended once more, at each request",
    "relinked": "the account was deleted and linked anew: all of Merge's ids are others",
    "change": "the rows with the ids or remote_ids `value.ids` (all) have the fields `value.with`",
    "hide": "the rows with the remote_ids `value` are shells: in no list, but named by others",
    "twice": "each page holds its first row twice",
    "repeat_page": "the same page again, and its cursor",
    "link": "`next` is a link that holds the cursor, as on one of Merge's pages",
    "empty_list": "answers as if there were nothing",
}

_NAMESPACE = uuid.UUID("0b0f6b2e-6f0f-4d53-8f0e-6a3d7c1a9d10")
_GROUP_TYPES = {"team": "TEAM", "department": "DEPARTMENT", "cost_center": "COST_CENTER"}
_STATUSES = {
    "ACTIVE": "ACTIVE",
    "LEAVE": "ACTIVE",
    "ONBOARDING": "PENDING",
    "INACTIVE": "INACTIVE",
}
_MODELS = {
    "employees": "Employee",
    "employments": "Employment",
    "groups": "Group",
    "teams": "Team",
    "locations": "Location",
    "companies": "Company",
}
_EXPANDS: Mapping[str, Mapping[str, str]] = {
    "employees": {
        "company": "companies",
        "employments": "employments",
        "groups": "groups",
        "home_location": "locations",
        "manager": "employees",
        "pay_group": "",
        "team": "teams",
        "work_location": "locations",
    },
    "employments": {"employee": "employees", "pay_group": ""},
    "groups": {"parent_group": "groups"},
    "teams": {"parent_team": "teams"},
}
_ORIGINS: Mapping[str, tuple[str, ...]] = {
    "employees": ("employment_status", "ethnicity", "gender", "marital_status"),
    "employments": ("employment_type", "flsa_status", "pay_frequency", "pay_period"),
    "groups": ("type",),
    "locations": ("country", "location_type"),
}

_Test = Callable[[Any, str], bool]


def _equal(value: Any, text: str) -> bool:
    return value is not None and str(value) == text


def _any_of(value: Any, text: str) -> bool:
    wanted = set(text.split(","))
    return bool(wanted & set(value)) if isinstance(value, list) else value in wanted


def _after(value: Any, text: str) -> bool:
    return value is not None and _moment(value) > _moment(text)


def _before(value: Any, text: str) -> bool:
    return value is not None and _moment(value) < _moment(text)


def _word(*words: str) -> _Test:
    def test(value: Any, text: str) -> bool:
        if text not in words:
            raise ValueError(text)
        return str(value).lower() == text if text.islower() else value == text

    return test


_OF_ALL: Mapping[str, tuple[str, _Test]] = {
    "created_after": ("created_at", _after),
    "created_before": ("created_at", _before),
    "modified_after": ("modified_at", _after),
    "modified_before": ("modified_at", _before),
    "remote_id": ("remote_id", _equal),
}
_FILTERS: Mapping[str, Mapping[str, tuple[str, _Test]]] = {
    "employees": {
        "company_id": ("company", _equal),
        "display_full_name": ("display_full_name", _equal),
        "employee_number": ("employee_number", _equal),
        "employment_status": ("employment_status", _word("ACTIVE", "PENDING", "INACTIVE")),
        "employment_type": ("", _equal),
        "first_name": ("first_name", _equal),
        "groups": ("groups", _any_of),
        "home_location_id": ("home_location", _equal),
        "job_title": ("", _equal),
        "last_name": ("last_name", _equal),
        "manager_id": ("manager", _equal),
        "pay_group_id": ("pay_group", _equal),
        "personal_email": ("personal_email", _equal),
        "started_after": ("start_date", _after),
        "started_before": ("start_date", _before),
        "team_id": ("team", _equal),
        "terminated_after": ("termination_date", _after),
        "terminated_before": ("termination_date", _before),
        "work_email": ("work_email", _equal),
        "work_location_id": ("work_location", _equal),
    },
    "employments": {"employee_id": ("employee", _equal)},
    "groups": {
        "is_commonly_used_as_team": ("is_commonly_used_as_team", _word("true", "false")),
        "names": ("name", _any_of),
        "types": ("type", _any_of),
    },
    "teams": {"parent_team_id": ("parent_team", _equal)},
    "locations": {"location_type": ("location_type", _word("HOME", "WORK"))},
    "companies": {},
}
_SWITCHES = (
    "include_deleted_data",
    "include_remote_data",
    "include_shell_data",
    "include_sensitive_fields",
)


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _date(date: dt.date | None) -> str | None:
    return f"{date.isoformat()}T00:00:00Z" if date else None


def merge_id(name: str, ref: object, link: str = "first") -> str:
    """Merge's id of a record of a list; another one once the account was deleted and linked
    anew.
    """
    return str(uuid.uuid5(_NAMESPACE, f"{link}:{name}:{ref}"))


class _RefusedError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


def _error(detail: str) -> Answer:
    return "application/json", msgspec.json.encode({"detail": detail})


_BY_STATUS = {
    401: "Invalid token.",
    403: "You do not have permission to perform this action.",
    404: "Not found.",
    429: "Request was throttled.",
}


def _error_of(status: int, _path: str) -> Answer:
    if status in {502, 503, 504}:
        # a gateway's, which knows no JSON
        return "text/html", b"<html><body><h1>Bad gateway</h1></body></html>"
    return _error(_BY_STATUS.get(status, "A server error occurred."))


# --- the copy -------------------------------------------------------------------------------------


class _Copy:
    """What Merge holds of the company: rows by list and Merge's id."""

    def __init__(self, link: str, *, teams: bool, detects_deletions: bool) -> None:
        self.link = link
        self.teams = teams
        self.detects_deletions = detects_deletions
        self.snapshot: Snapshot | None = None
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in _MODELS}
        self.words: dict[str, str] = {}  # the HR system's own words for the statuses
        self.found: dict[tuple[Any, ...], list[Row]] = {}  # what was filtered of this state of it

    def id(self, name: str, ref: object) -> str:
        """Merge's id of a record."""
        return merge_id(name, ref, self.link)

    def follow(self, snapshot: Snapshot) -> None:
        """Sync: new rows, changed ones, and those that are gone."""
        if snapshot is self.snapshot:
            return
        self.snapshot = snapshot
        self.found.clear()
        now = _stamp(snapshot.moment + SYNCED_AFTER)
        made: dict[str, Iterable[Row]] = {
            "employees": (self._employee(person) for person in snapshot.persons.values()),
            "employments": (
                row for person in snapshot.persons.values() for row in self._employments(person)
            ),
            "groups": (self._group(unit) for unit in snapshot.units if unit.kind in _GROUP_TYPES),
            "teams": (
                (self._team(unit) for unit in snapshot.units if unit.kind == "team")
                if self.teams
                else ()
            ),
            "locations": (
                self._location(unit) for unit in snapshot.units if unit.kind == "location"
            ),
            "companies": (
                self._company(unit) for unit in snapshot.units if unit.kind == "legal_entity"
            ),
        }
        for name, rows in made.items():
            self.rows[name] = self._merged(self.rows[name], {row["id"]: row for row in rows}, now)

    def _merged(self, before: Mapping[str, Row], rows: dict[str, Row], now: str) -> dict[str, Row]:
        for ref, row in rows.items():
            known = before.get(ref)
            if known is not None:
                same = all(
                    known[key] == value
                    for key, value in row.items()
                    if key not in {"created_at", "modified_at"}
                )
                row |= {
                    "created_at": known["created_at"],
                    "modified_at": known["modified_at"] if same else now,
                }
        for ref, known in before.items():
            if ref not in rows:
                fresh = self.detects_deletions and not known["remote_was_deleted"]
                rows[ref] = (
                    {**known, "remote_was_deleted": True, "modified_at": now} if fresh else known
                )
        return dict(sorted(rows.items(), key=lambda item: (item[1]["created_at"], item[0])))

    def _row(
        self, table: str, ref: object, created: dt.datetime, modified: dt.datetime, **fields: Any
    ) -> Row:
        return {
            "id": self.id(table, ref),
            "remote_id": str(ref),
            "created_at": _stamp(created),
            "modified_at": _stamp(modified),
            **fields,
            "remote_was_deleted": False,
            "field_mappings": {
                "organization_defined_targets": {},
                "linked_account_defined_targets": {},
            },
            "remote_data": None,
        }

    def _unit(self, table: str, unit: OrgUnit, **fields: Any) -> Row:
        begun = dt.datetime(2019, 1, 7, 8, tzinfo=dt.UTC)
        row = self._row(table, unit.id, begun, begun, **fields)
        # a remote_id is one of its kind only
        return row | {"id": self.id(table, f"{unit.kind}:{unit.id}")}

    def _ref(self, name: str, kind: str, unit: int | None) -> str | None:
        return None if unit is None else self.id(name, f"{kind}:{unit}")

    def _employee(self, person: Person) -> Row:
        now = person.current
        self.words[self.id("employees", person.id)] = now.status.lower() if now else "inactive"
        groups: list[str | None] = []
        if now is not None:
            named = [
                ("team", now.team),
                ("department", now.department),
                *(("cost_center", one) for one, _ in now.cost_centers),
            ]
            groups = [self._ref("groups", kind, unit) for kind, unit in named if unit is not None]
        return self._row(
            "employees",
            person.id,
            person.created_at,
            person.updated_at,
            employee_number=f"P{person.id:06}",
            company=self._ref("companies", "legal_entity", now.legal_entity) if now else None,
            first_name=person.first_name,
            last_name=person.last_name,
            preferred_name=None,
            display_full_name=f"{person.first_name} {person.last_name}",
            username=None,
            groups=groups,
            work_email=person.email,
            personal_email=None,
            mobile_phone_number=person.phone or None,
            employments=[
                self.id("employments", f"{person.id}.{e.number}") for e in person.recent_first
            ],
            home_location=None,
            work_location=self._ref("locations", "location", now.location) if now else None,
            manager=(
                self.id("employees", now.supervisor) if now and now.supervisor is not None else None
            ),
            team=self._ref("teams", "team", now.team) if now and self.teams else None,
            pay_group=None,
            ssn=None,
            gender=None,
            ethnicity=None,
            marital_status=None,
            date_of_birth=None,
            hire_date=None,
            start_date=_date(now.start_date) if now else None,
            remote_created_at=_stamp(person.created_at),
            employment_status=_STATUSES.get(now.status, now.status) if now else "INACTIVE",
            termination_date=_date(now.end_date) if now else None,
            avatar=None,
            custom_fields=None,
        )

    def _employments(self, person: Person) -> list[Row]:
        nothing = dict.fromkeys(
            ("pay_rate", "pay_period", "pay_frequency", "pay_currency", "pay_group", "flsa_status")
        )
        return [
            self._row(
                "employments",
                f"{person.id}.{each.number}",
                person.created_at,
                person.updated_at,
                employee=self.id("employees", person.id),
                job_title=each.position or None,
                **nothing,
                effective_date=_date(each.start_date),
                employment_type="CONTRACTOR" if each.external else "FULL_TIME",
            )
            for each in person.recent_first
        ]

    def _group(self, unit: OrgUnit) -> Row:
        kind = _GROUP_TYPES[unit.kind]
        return self._unit(
            "groups",
            unit,
            parent_group=None,
            name=unit.name,
            type=kind,
            is_commonly_used_as_team=unit.kind == "team",
        )

    def _team(self, unit: OrgUnit) -> Row:
        return self._unit("teams", unit, name=unit.name, parent_team=None)

    def _location(self, unit: OrgUnit) -> Row:
        nothing = dict.fromkeys(
            ("phone_number", "street_1", "street_2", "city", "state", "zip_code")
        )
        return self._unit(
            "locations",
            unit,
            name=unit.name,
            **nothing,
            country=unit.country or None,
            location_type="WORK",
        )

    def _company(self, unit: OrgUnit) -> Row:
        return self._unit("companies", unit, legal_name=unit.name, display_name=unit.name, eins=[])


class _Rolling:
    """At most so many in any span of ``seconds``."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self.times: deque[float] = deque()

    def room(self, now: float) -> bool:
        """Whether there is room for one more."""
        while self.times and self.times[0] <= now - self.seconds:
            self.times.popleft()
        return len(self.times) < self.most

    def note(self, now: float) -> None:
        """One more."""
        self.times.append(now)


# --- the app --------------------------------------------------------------------------------------


@dataclass
class _Call:
    """One request that passed the door."""

    request: Request
    copy: _Copy
    faults: tuple[Fault, ...]
    query: dict[str, str] = field(default_factory=dict)

    def has(self, kind: str) -> Fault | None:
        """The fault of this kind that the request has to suffer."""
        return next((fault for fault in self.faults if fault.kind == kind), None)


class _Merge:
    """One organisation at Merge with one linked account."""

    def __init__(
        self,
        tenant: Tenant,
        *,
        plan: Plan | None,
        teams: bool,
        detects_deletions: bool,
        retry_after: bool,
        clock: Callable[[], float],
    ) -> None:
        self.tenant = tenant
        self.retry_after = retry_after
        self.clock = clock
        self.teams = teams
        self.detects_deletions = detects_deletions
        self.copies: dict[str, _Copy] = {}
        self.rate = _Rolling(LIMITS[plan], 60) if plan else None
        self.ends = 0
        self.key = secrets.token_bytes(16)

    def routes(self) -> list[Route]:
        """Merge's paths."""
        lists = [name for name in _MODELS if name != "teams" or self.teams]
        return [
            *(Route(f"{PREFIX}/{name}", self.door(self.list_of(name))) for name in lists),
            Route(f"{PREFIX}/groups/types", self.door(self.group_types, account=False)),
            *(Route(f"{PREFIX}/{name}/{{id}}", self.door(self.one_of(name))) for name in lists),
            Route(f"{PREFIX}/sync-status", self.door(self.sync_status)),
            Route(f"{PREFIX}/account-details", self.door(self.account_details)),
            Route(f"{PREFIX}/linked-accounts", self.door(self.linked_accounts, account=False)),
        ]

    def door(
        self, answer: Callable[[_Call], Any], *, account: bool = True
    ) -> Callable[[Request], Any]:
        """An endpoint behind the key, the account token and the limit."""

        async def endpoint(request: Request) -> Response:
            try:
                self.admit(request, account=account)
                faults = firing(request.scope)
                copy = self.copy(relinked=any(fault.kind == "relinked" for fault in faults))
                call = _Call(request, copy, faults, dict(request.query_params))
                body = msgspec.json.encode(answer(call))
                now = email.utils.format_datetime(
                    self.tenant.snapshot.moment + NOW_AFTER, usegmt=True
                )
                return Response(body, headers={"date": now}, media_type="application/json")
            except _RefusedError as refusal:
                kind, body = _error(refusal.detail)
                return Response(body, refusal.status, refusal.headers, kind)

        return endpoint

    def admit(self, request: Request, *, account: bool) -> None:
        """Check the key, the account token and the limit, in this order."""
        kind, _, key = request.headers.get("authorization", "").partition(" ")
        if not key:
            raise _RefusedError(401, "Authentication credentials were not provided.")
        if kind != "Bearer" or key != API_KEY:
            raise _RefusedError(401, "Invalid token.")
        if account and request.headers.get("x-account-token") != ACCOUNT_TOKEN:
            raise _RefusedError(401, "Invalid account token.")
        now = self.clock()
        if account and self.rate is not None and not self.rate.room(now):
            seconds = self.rate.times[0] + self.rate.seconds - now
            headers = {"retry-after": str(max(1, round(seconds + 0.5)))} if self.retry_after else {}
            raise _RefusedError(429, "Request was throttled.", headers)
        if account and self.rate is not None:
            self.rate.note(now)

    def copy(self, *, relinked: bool) -> _Copy:
        """Merge's copy, in line with the company as it is now."""
        link = "anew" if relinked else "first"
        if link not in self.copies:
            self.copies[link] = _Copy(
                link, teams=self.teams, detects_deletions=self.detects_deletions
            )
        self.copies[link].follow(self.tenant.snapshot)
        return self.copies[link]

    # --- lists ---

    def list_of(self, name: str) -> Callable[[_Call], Row]:
        """``GET`` of a list."""

        def answer(call: _Call) -> Row:
            size = self.page_size(call.query.pop("page_size", None))
            cursor = call.query.pop("cursor", None)
            rows = [] if call.has("empty_list") else self.selected(name, call)
            start = self.start(name, call, cursor, rows)
            page = [self.shown(name, row, call) for row in rows[start : start + size]]
            last = rows[start + size - 1] if start + size < len(rows) else None
            after = (
                None
                if last is None
                else self.cursor(name, call, f"{last['created_at']}|{last['id']}")
            )
            if call.has("repeat_page"):
                after = cursor or self.cursor(name, call, "|")
            if call.has("twice"):
                page = page[:1] + page
            if call.has("link") and after:
                after = f"https://api.merge.dev{PREFIX}/{name}?cursor={quote(after, safe='')}"
            return {"next": after, "previous": None, "results": page}

        return answer

    def one_of(self, name: str) -> Callable[[_Call], Row]:
        """``GET`` of one row; 404 for a shell."""

        def answer(call: _Call) -> Row:
            self.check(name, call)
            row = self.changed(call.copy.rows[name].get(call.request.path_params["id"]), call)
            if row is None:
                raise _RefusedError(404, "Not found.")
            return self.shown(name, row, call)

        return answer

    def page_size(self, text: str | None) -> int:
        """1 to 100; how many come unasked is not published."""
        if text is None:
            return MOST
        if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MOST:
            raise _RefusedError(400, f"page_size must be between 1 and {MOST}.")
        return int(text)

    def check(self, name: str, call: _Call) -> None:
        """400 for a parameter or a value that the list does not know, or a parameter that is there
        twice.
        """
        if len(call.request.query_params) < len(call.request.query_params.multi_items()):
            raise _RefusedError(400, "A parameter was given more than once.")
        known = {*_OF_ALL, *_FILTERS[name], *_SWITCHES[:3]}
        known |= {"expand"} if name in _EXPANDS else set()
        known |= {"show_enum_origins", "remote_fields"} if name in _ORIGINS else set()
        known |= (
            {"include_sensitive_fields"}
            if name == "employees"
            else {"order_by"}
            if name == "employments"
            else set()
        )
        for key, text in call.query.items():
            if key not in known:
                raise _RefusedError(400, f"Unknown parameter {key}.")
            if key in _SWITCHES and text not in {"true", "false"}:
                raise _RefusedError(400, f"{key} must be true or false.")
        words = {"expand": _EXPANDS.get(name, {}), "show_enum_origins": _ORIGINS.get(name, ())}
        for key, choices in words.items():
            given = [each for each in call.query.get(key, "").split(",") if each]
            if not set(given) <= set(choices):
                raise _RefusedError(400, f"{key} has a value that is not known.")

    def selected(self, name: str, call: _Call) -> list[Row]:
        """The rows that a request means; found once for each state of the copy."""
        self.check(name, call)
        changes = tuple(
            (fault.kind, msgspec.json.encode(fault.value))
            for fault in call.faults
            if fault.kind in {"change", "hide"}
        )
        key = (
            name,
            changes,
            *sorted(
                (k, v) for k, v in call.query.items() if k not in {"expand", "show_enum_origins"}
            ),
        )
        if key not in call.copy.found:
            call.copy.found[key] = self.find(name, call)
        return call.copy.found[key]

    def find(self, name: str, call: _Call) -> list[Row]:
        """Filter all rows of a list."""
        tests = {**_OF_ALL, **_FILTERS[name]}
        asked = [(tests[key], text) for key, text in call.query.items() if key in tests]
        deleted = call.query.get("include_deleted_data") == "true"
        rows = (self.changed(row, call) for row in call.copy.rows[name].values())
        try:
            found = [
                row
                for row in rows
                if row is not None
                and (deleted or not row["remote_was_deleted"])
                and all(test(row.get(column), text) for (column, test), text in asked)
            ]
        except ValueError:
            raise _RefusedError(400, "A parameter has a value that cannot be read.") from None
        order = call.query.get("order_by")
        return (
            sorted(found, key=lambda row: row["effective_date"], reverse=order.startswith("-"))
            if order
            else found
        )

    def changed(self, row: Row | None, call: _Call) -> Row | None:
        """A row after the faults that change rows; None for one that is hidden."""
        if row is None:
            return None
        for fault in call.faults:
            if fault.kind == "hide" and row["remote_id"] in fault.value:
                return None
            if fault.kind == "change" and not {row["id"], row["remote_id"]}.isdisjoint(
                fault.value["ids"] or {row["id"]}
            ):
                row = {**row, **fault.value["with"]}
        return row

    def shown(self, name: str, row: Row, call: _Call) -> Row:
        """A row with what was asked to be expanded, and with the HR system's own words."""
        expanded = [each for each in call.query.get("expand", "").split(",") if each]
        origins = [each for each in call.query.get("show_enum_origins", "").split(",") if each]
        if not expanded and not origins:
            return row
        row = dict(row)
        for key in expanded:
            others = call.copy.rows.get(_EXPANDS[name][key], {})
            given = row[key]
            row[key] = (
                [others.get(each, each) for each in given]
                if isinstance(given, list)
                else others.get(given, given)
            )
        for key in origins:
            row[key] = (
                call.copy.words[row["id"]]
                if key == "employment_status"
                else row[key] and str(row[key]).lower()
            )
        return row

    def cursor(self, name: str, call: _Call, position: str) -> str:
        """A cursor that holds for this list and these parameters only."""
        asked = msgspec.json.encode([name, sorted(call.query.items()), position])
        digest = hashlib.blake2b(asked, key=self.key, digest_size=8).digest()
        return base64.b64encode(digest + position.encode()).decode()

    def start(self, name: str, call: _Call, cursor: str | None, rows: Sequence[Row]) -> int:
        """Where the page begins: after the row that the cursor names, whether it is still there or
        not.
        """
        if cursor is None:
            return 0
        try:
            position = base64.b64decode(cursor, validate=True)[8:].decode()
        except ValueError:
            position = ""
        if not position or cursor != self.cursor(name, call, position):
            raise _RefusedError(404, "Invalid cursor")
        created, _, ref = position.partition("|")
        if "order_by" in call.query:
            return next(
                (place + 1 for place, row in enumerate(rows) if row["id"] == ref), len(rows)
            )
        return bisect.bisect_right(
            rows, (created, ref), key=lambda row: (row["created_at"], row["id"])
        )

    # --- the account ---

    def group_types(self, call: _Call) -> Row:
        """``GET /groups/types``."""
        rows = call.copy.rows["groups"].values()
        return {"types": sorted({row["type"] for row in rows if not row["remote_was_deleted"]})}

    def sync_status(self, call: _Call) -> Row:
        """``GET /sync-status``: one row for each model."""
        if set(call.query) - {"cursor", "page_size"}:
            raise _RefusedError(400, "Unknown parameter.")
        size = self.page_size(call.query.get("page_size"))
        changes: dict[str, Any] = {}
        for fault in call.faults:
            if fault.kind == "sync":
                changes |= fault.value
            self.ends += fault.kind == "sync_ends"
        began = self.tenant.snapshot.moment + dt.timedelta(minutes=self.ends)
        rows = []
        for model in (
            *(model for name, model in _MODELS.items() if name != "teams" or self.teams),
            "TimeOff",
            "Benefit",
        ):
            state = "DISABLED" if model == "Benefit" else "DONE"
            row = {
                "model_name": model,
                "model_id": f"hris.{model}",
                "last_sync_start": _stamp(began),
                "next_sync_start": _stamp(began + dt.timedelta(days=1)),
                "last_sync_result": state,
                "last_sync_finished": _stamp(began + SYNCED_AFTER),
                "status": state,
                "is_initial_sync": False,
            }
            row |= changes.get(model, {}) | changes.get("*", {})
            rows.append({key: value for key, value in row.items() if value is not None})
        cursor = call.query.get("cursor")
        start = int(base64.b64decode(cursor)) if cursor else 0
        after = (
            base64.b64encode(str(start + size).encode()).decode()
            if start + size < len(rows)
            else None
        )
        return {"next": after, "previous": None, "results": rows[start : start + size]}

    def account_details(self, call: _Call) -> Row:
        """``GET /account-details``."""
        row = self.account() | {"integration": "Personio", "integration_slug": "personio"}
        change = call.has("account")
        return row | (change.value if change else {})

    def linked_accounts(self, _call: _Call) -> Row:
        """``GET /linked-accounts``: the organisation's accounts; needs no account token."""
        integration = {
            "name": "Personio",
            "categories": ["hris"],
            "color": "#000000",
            "slug": "personio",
            "passthrough_available": True,
        }
        return {
            "next": None,
            "previous": None,
            "results": [self.account() | {"integration": integration}],
        }

    def account(self) -> Row:
        """What both of them say of the account."""
        return {
            "id": str(uuid.uuid5(_NAMESPACE, "account")),
            "category": "hris",
            "end_user_origin_id": "sample-company",
            "end_user_organization_name": "Nordlicht",
            "end_user_email_address": "hr@nordlicht.example",
            "status": "COMPLETE",
            "webhook_listener_url": (
                "https://api.merge.dev/api/integrations/webhook-listener/sandbox"
            ),
            "is_duplicate": None,
            "account_type": "PRODUCTION",
            "completed_at": "2025-01-07T08:00:00.000000Z",
        }


class _Guard:
    """Shuts an address out while too many of its requests fail; in front of everything, so that it
    sees every failure.
    """

    def __init__(self, app: App, clock: Callable[[], float]) -> None:
        self.app = app
        self.clock = clock
        self.failing: dict[str, _Rolling] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http" or "/_sandbox/" in scope["path"]:
            await self.app(scope, receive, send)
            return
        window = self.failing.setdefault(
            str((scope.get("client") or ("",))[0]), _Rolling(FAILING[0] + 1, FAILING[1])
        )
        if not window.room(self.clock()):
            kind, body = _error("Request was throttled.")
            await Response(body, 429, media_type=kind)(scope, receive, send)
            return

        async def noting(message: Message) -> None:
            if (
                message["type"] == "http.response.start"
                and message["status"] >= 400
                and message["status"] != 429
            ):
                window.note(self.clock())
            await send(message)

        await self.app(scope, receive, noting)


async def _unknown(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    kind, body = _error("Not found." if problem.status_code == 404 else "Method not allowed.")
    return Response(body, problem.status_code, media_type=kind)


def merge_app(
    company: Tenant,
    *,
    faults: Faults | None = None,
    plan: Plan | None = "professional",
    teams: bool = False,
    detects_deletions: bool = True,
    retry_after: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> App:
    """Merge for one company, as an ASGI app; the base URL of a company file is the server's and
    ``/api``.

    ``plan=None`` leaves out the limits. ``teams`` brings back the deprecated model; without it
    ``/teams`` is a 404, as in Merge's newest document. ``detects_deletions`` is Merge's add-on:
    without it who is gone stays as they were. ``retry_after`` sends that header with a 429.
    ``clock`` (seconds) moves the limits. ``company`` may be changed, and ``faults`` switched on and
    off, while it serves.
    """
    merge = _Merge(
        company,
        plan=plan,
        teams=teams,
        detects_deletions=detects_deletions,
        retry_after=retry_after,
        clock=clock,
    )
    app = Starlette(routes=merge.routes(), exception_handlers={404: _unknown, 405: _unknown})
    faulty = Faulty(app, faults if faults is not None else Faults(), kinds=KINDS, error=_error_of)
    return _Guard(faulty, clock) if plan else faulty
