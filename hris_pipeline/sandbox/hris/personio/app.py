"""Personio's routes, doors and pages, over the company as a credential sees it."""

import base64
import datetime as dt
import functools
import hashlib
import hmac
import secrets
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hris_pipeline.errors import PipelineError
from hris_pipeline.sandbox.company import Kind, OrgUnit, Person, Tenant, days_of
from hris_pipeline.sandbox.faults import Fault, Faults, Faulty, firing
from hris_pipeline.sandbox.hris.personio.account import (
    ATTRIBUTES,
    CREDENTIAL,
    OTHER_SCOPES,
    SCOPES,
    STANDARD,
    Credential,
)
from hris_pipeline.sandbox.hris.personio.filters import (
    _BY_TIME,
    PERSON_FILTERS,
    _moment,
    _Parse,
    _Read,
    condition,
)
from hris_pipeline.sandbox.hris.personio.pictures import WIDEST, picture
from hris_pipeline.sandbox.hris.personio.rates import Bucket, Window
from hris_pipeline.sandbox.hris.personio.refusals import (
    _BY_STATUS,
    BAD_FILTER,
    BAD_VALUE,
    NOT_FOUND,
    OAuthError,
    RefusedError,
    error_answer,
    error_of,
    no_endpoint,
)
from hris_pipeline.sandbox.hris.personio.view import (
    ZONE,
    Look,
    View,
    cost_center_uuid,
    employment_uuid,
)
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
OF_ATTRIBUTES = (
    "missing_attribute",
    "null_attribute",
    "extra_attribute",
    "int_to_str",
    "last_working_date",
)


class _Cursor(msgspec.Struct):
    """Where a walk stands: which list, with which filters, how many records a page, how many were
    given.
    """

    path: str
    query: list[tuple[str, str]]
    limit: int
    offset: int


@dataclass
class _Token:
    credential: Credential
    scopes: frozenset[str]
    ends: float  # on the app's clock


@dataclass
class _Call:
    """One request that passed the door."""

    request: Request
    view: View
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
        self.buckets: dict[tuple[str, str], Bucket] = {}
        self.windows: dict[tuple[str, str], Window] = {}
        self.views: dict[Look, View] = {}
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
                    raise no_endpoint(path)
                self.admit(request, template, scope, headers, faults)
                if any(fault.kind == "success_false" for fault in faults):
                    return _json(
                        error_answer(RefusedError(200, "An error occurred."), "/v1/")[1], headers
                    )
                made = answer(self.call(request, path, faults))
                response = _json(made) if isinstance(made, bytes) else made
            except RefusedError as refusal:
                kind, body = error_answer(refusal, path)
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
            raise RefusedError(status, *_BY_STATUS[status])

    def token(self, request: Request) -> tuple[str, _Token]:
        """The bearer token of a request; 401 when there is none or it has ended."""
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        token = self.tokens.get(text) if kind.lower() == "bearer" else None
        if token is None or token.ends <= self.clock():
            raise RefusedError(401, *_BY_STATUS[401])
        return text, token

    def pace(self, token: _Token, template: str, headers: dict[str, str]) -> None:
        """Take one from the path's bucket; 429, without ``Retry-After``, when it is empty."""
        if not self.rates:
            return
        key, now = (token.credential.client_id, template), self.clock()
        if template.startswith("/v1/"):  # 300 a minute, 15 at once
            within_minute = self.windows.setdefault(key, Window(300, 60, now)).take(now)
            passed = self.buckets.setdefault(key, Bucket(15, 15, now)).take(now) and within_minute
        else:  # measured on persons, assumed for the rest
            bucket = self.buckets.setdefault(key, Bucket(30, 100, now))
            passed = bucket.take(now)
            headers |= {
                "x-ratelimit-replenish-rate": str(int(bucket.rate)),
                "x-ratelimit-burst-capacity": str(bucket.burst),
                "x-ratelimit-requested-tokens": "1",
                "x-ratelimit-remaining": str(int(bucket.level)),
            }
        if not passed:
            raise RefusedError(429, *_BY_STATUS[429])

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
                for kind in OF_ATTRIBUTES
            }
            if faults
            else {}
        )
        look = Look(
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
            view = self.views[look] = View(snapshot, look)
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
            raise RefusedError(
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
            raise RefusedError(400, *BAD_VALUE) from None
        ours = hmac.compare_digest(
            hashlib.blake2b(raw[8:], key=self.key, digest_size=8).digest(), raw[:8]
        )
        if not ours or cursor.path != call.path:
            raise RefusedError(400, *BAD_VALUE)
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
            conditions = [condition(name, text, PERSON_FILTERS) for name, text in query]
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
            raise RefusedError(404, *NOT_FOUND)
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
            conditions = [condition(name, text, filters) for name, text in query]
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
        raise RefusedError(404, *NOT_FOUND)

    def org_unit_kind(self, call: _Call) -> Kind:
        """The parameter ``type``, which is required."""
        cursor = self.cursor(call)
        kind = call.request.query_params.get("type") or (
            dict(cursor.query).get("type") if cursor else None
        )
        if kind not in {"team", "department"}:
            raise RefusedError(400, *BAD_VALUE)
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
        conditions = [condition(name, text, filters) for name, text in query]
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
        conditions = [condition(name, text, filters) for name, text in query]
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
        raise RefusedError(404, *NOT_FOUND)

    def only(self, call: _Call, *known: str) -> None:
        """400 for a parameter that the list does not have."""
        if any(name not in {"limit", "cursor", *known} for name in call.request.query_params):
            raise RefusedError(400, *BAD_FILTER)

    def sorted(self, call: _Call, kind: Kind) -> list[OrgUnit]:
        """The units of a kind in the order that ``sort`` asks for; by id otherwise."""
        cursor = self.cursor(call)
        text = call.request.query_params.get("sort") or (
            dict(cursor.query).get("sort", "id") if cursor else "id"
        )
        if text.removeprefix("-") not in {"name", "id"}:
            raise RefusedError(400, *BAD_VALUE)
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
            raise RefusedError(400, "The limit may not be greater than 100.")
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
            raise RefusedError(404, "There was a problem.")
        if not (width.isascii() and width.isdigit() and 1 <= int(width) <= WIDEST):
            raise RefusedError(400, "The given data was invalid.")
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
            for key, label, kind in STANDARD
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
            ("", path), Bucket(rate, burst, now)
        ).take(now)

    async def v1_token(self, request: Request) -> Response:
        """``POST /v1/auth``: JSON or a form; 60 a minute."""
        if self.crowded("/v1/auth", 1, 60):
            return _response(RefusedError(429, *_BY_STATUS[429]), "/v1/auth")
        given = await _form_or_json(request)
        credential = self.known(given.get("client_id", ""), given.get("client_secret", ""))
        if credential is None:
            return _response(RefusedError(403, "Wrong credentials", anchor="v1.auth"), "/v1/auth")
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
            return _response(RefusedError(429, *_BY_STATUS[429]), "/v2/auth/token")
        try:
            credential, scopes = self.grant(
                request.headers.get("content-type", ""), await _form_or_json(request)
            )
        except OAuthError as refused:
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
            raise OAuthError(
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
            raise OAuthError(
                "invalid_request", told, "invalid_request.required_parameters_missing", about
            )
        if given["grant_type"] != "client_credentials":
            raise OAuthError(
                "unsupported_grant_type",
                "Grant type not supported.",
                meta={"grant_type": given["grant_type"]},
            )
        credential = self.known(given["client_id"], given["client_secret"])
        if credential is None:
            raise OAuthError("invalid_client", "Client authentication failed.")
        scopes = frozenset(given.get("scope", "").split()) or credential.scopes
        if not scopes <= SCOPES | OTHER_SCOPES:
            raise OAuthError("invalid_scope", "A requested scope is invalid.")
        if not scopes <= credential.scopes:
            raise OAuthError("invalid_grant", "Error in the authorization flow.")
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


def _response(refusal: RefusedError, path: str) -> Response:
    kind, body = error_answer(refusal, path)
    return Response(body, refusal.status, media_type=kind)


def _whole(text: str | None, usual: int, *, at_least: int) -> int:
    """A whole number of v1's query; 400 for anything else."""
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit()) or int(text) < at_least:
        raise RefusedError(400, "The given data was invalid.")
    return int(text)


def _local(text: str) -> dt.datetime:
    """v1's ``updated_since``: an ISO timestamp or date, in the tenant's zone where it names
    none.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(400, "The given data was invalid.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZONE)


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


async def _unknown(request: Request, _error_raised: Exception) -> Response:
    return _response(no_endpoint(_path(request)), _path(request))


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
    return Faulty(app, faults if faults is not None else Faults(), kinds=KINDS, error=error_of)
