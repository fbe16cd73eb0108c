"""The service under its path: token, rate, faults and the log of requests."""

import json
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

import msgspec
from scim2_models import (
    Error,
    PatchOp,
    Resource,
    ResourceType,
    SCIMException,
    UnauthorizedException,
)
from scim2_server.applications.asgi import ASGIApplication
from scim2_server.conditions import Conditions
from scim2_server.handler import AsyncScimHandler
from scim2_server.memory import AsyncInMemoryStorage
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse

from hris_pipeline.sandbox.deskbird import answers as scim_answers
from hris_pipeline.sandbox.deskbird.behaviour import FORMS, Answers, Behaviour, Dialect, Paging
from hris_pipeline.sandbox.deskbird.desk import Deskbird
from hris_pipeline.sandbox.deskbird.patches import named_members
from hris_pipeline.sandbox.deskbird.service import DeskbirdService, RefusedByBehaviourError
from hris_pipeline.sandbox.faults import (
    Answer,
    Fault,
    Faults,
    Faulty,
    Request,
    body_of,
    firing,
    send_answer,
)
from hris_pipeline.sandbox.server import Receive, Scope, Send

PREFIX = "/v2/scim"
TOKEN = "deskbird-sandbox-token"  # noqa: S105 - the sandbox's, on loopback only
KINDS: Mapping[str, str] = {
    "drop_page": (
        "answers a list page without its resources (or without its last `value`); `totalResults` "
        "stays"
    ),
    "overlap": (
        "answers a list page from `value` (1) resources further ahead, so that some come twice and "
        "others never"
    ),
    "grow": "somebody makes a user or a group by hand before the list page is answered",
    "shrink": (
        "somebody deletes the first user or group of the list for good before the list page is "
        "answered"
    ),
}


class _AsyncDeskbird(AsyncInMemoryStorage):
    """The storage for the event loop, with its lock: nothing here waits, and hands from other
    threads must not come between.
    """

    @asynccontextmanager
    async def operation(self) -> AsyncGenerator[None]:
        with self.storage.operation():
            yield


class _Handler(AsyncScimHandler):
    """Carries out a PATCH of a group on those members alone that it names, whatever the size of the
    group.
    """

    def __init__(self, service: DeskbirdService, storage: _AsyncDeskbird) -> None:
        super().__init__(service, storage)
        self.desk = service.desk

    async def patch_resource(
        self,
        resource_type: ResourceType,
        resource_id: str,
        patch_op: "PatchOp[Any]",
        conditions: Conditions,
    ) -> Resource[Any]:
        named = named_members(patch_op) if resource_type.name == "Group" else None
        if named is None:
            return await super().patch_resource(resource_type, resource_id, patch_op, conditions)
        current = self.desk.part(resource_type, resource_id, named)
        version = current.meta.version if current.meta is not None else None
        patched = self.service.apply_patch(current, patch_op, conditions)
        if patched is None:
            return current
        return self.desk.update_part(resource_type, patched, named, expected_version=version)


class _Rate:
    """At most ``limit`` requests in any one second."""

    def __init__(self, limit: float | None) -> None:
        self.limit = limit
        self._taken: deque[float] = deque()

    def takes(self) -> bool:
        """Whether one more is taken now."""
        if self.limit is None:
            return True
        now = time.monotonic()
        while self._taken and now - self._taken[0] >= 1:
            self._taken.popleft()
        if len(self._taken) >= self.limit:
            return False
        self._taken.append(now)
        return True


class _Application(ASGIApplication):
    """scim2-server under deskbird's path, behind a bearer token and a rate, with the oddities of
    its lists and answers.
    """

    def __init__(
        self, service: DeskbirdService, token: str, rate: _Rate, retry_after: int | str | None
    ) -> None:
        storage = _AsyncDeskbird(service.desk)
        super().__init__(storage, service.provider, service)
        self.handler = _Handler(service, storage)
        self.desk = service.desk
        self.scim = service
        self.token = token
        self.rate = rate
        self.retry_after = retry_after
        self.numbers = scim_answers.Numbers()

    @staticmethod
    def get_base_url(scope: dict[str, Any]) -> str:
        host = dict(scope["headers"]).get(b"host", b"").decode()
        return f"{scope['scheme']}://{host}{PREFIX}"

    @staticmethod
    def get_path(scope: dict[str, Any]) -> str:
        path = str(scope["path"])
        return (
            path.removeprefix(PREFIX)
            if path.startswith(f"{PREFIX}/")
            else f"/not-under{path}/of/scim"
        )

    def check_auth(self, request: ScimRequest) -> None:
        scheme, _, token = (request.header("Authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or token != self.token:
            raise UnauthorizedException

    def handle_exception(self, request: ScimRequest, exception: Exception) -> ScimResponse:
        """The error as SCIM has it; what the caller did wrong is not logged, since its text may
        hold an address.
        """
        if isinstance(exception, RefusedByBehaviourError):
            response = self.service.error_response(exception)
            response.headers[_SHAPE] = exception.shape
            return response
        if isinstance(exception, SCIMException):
            return self.service.error_response(exception)
        return super().handle_exception(request, exception)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if str(scope["path"]).endswith("/_sandbox/behaviour"):
            await self._order(scope["method"], receive, send)
            return
        request = await self.read_request(scope, receive)
        if not self.rate.takes():
            response = ScimResponse(
                HTTPStatus.TOO_MANY_REQUESTS,
                Error(status=429, detail="too many requests").model_dump(),
            )
            if self.retry_after is not None:
                response.headers["Retry-After"] = str(self.retry_after)
        else:
            self._read_numbers(request)
            response = await self._serve_with(firing(scope), request)
        await self._send(request, response, send)

    async def _order(self, method: str, receive: Receive, send: Send) -> None:
        """Tell or change the behaviour: GET, PUT (what is not named is as by default), DELETE."""
        status, body = 200, b""
        try:
            if method == "PUT":
                self.scim.behave(msgspec.json.decode(await body_of(receive), type=Behaviour))
            elif method == "DELETE":
                self.scim.behave(Behaviour())
        except msgspec.DecodeError as problem:
            status, body = 422, msgspec.json.encode({"problem": str(problem)})
        await send_answer(
            send, status, "application/json", body or msgspec.json.encode(self.scim.behaviour)
        )

    def _read_numbers(self, request: ScimRequest) -> None:
        """Read ids that are shown as numbers back into those they stand for."""
        if odd := self.scim.behaviour.odd:
            self.numbers.learn([*self.desk.users(), *self.desk.groups()], odd)
        # what was shown as a number once stays one, so it is taken back as long
        if self.numbers.ids:
            request.path = self.numbers.back(request.path)
            request.query = {key: self.numbers.back(value) for key, value in request.query.items()}
            request.body = self.numbers.back(request.body.decode()).encode()

    async def _serve_with(self, faults: Iterable[Fault], request: ScimRequest) -> ScimResponse:
        """Serve a request with the faults and the oddities of lists that it is to have."""
        name = {"/users": "User", "/groups": "Group"}.get(request.path.lower())
        if request.method != "GET" or not name:
            return await self.serve(request)
        mine = {fault.kind: fault for fault in faults}
        if "grow" in mine:
            self._grow(name)
        if "shrink" in mine and (first := self.desk.first(name)) is not None:
            self.desk.remove(first)
        paging, asked = self.scim.behaviour.paging, request.query
        try:
            request.query, start = scim_answers.asked_for(asked, paging)
        except ValueError:  # no number: the package says so
            return await self.serve(request)
        if "overlap" in mine:
            request.query["startIndex"] = str(max(1, start - int(mine["overlap"].value or 1)))
        response = await self.serve(request)
        if response.body is not None and response.status == HTTPStatus.OK:
            response.body["startIndex"] = start
            if "drop_page" in mine:
                dropped = mine["drop_page"].value
                response.body["Resources"] = (
                    response.body["Resources"][: -int(dropped)] if dropped else []
                )
                response.body["itemsPerPage"] = len(response.body["Resources"])
            scim_answers.page(response.body, asked, start, paging, self.scim.dice)
        return response

    async def _send(self, request: ScimRequest, response: ScimResponse, send: Send) -> None:
        """Send an answer in the shape that the behaviour asks for."""
        behaviour, headers = self.scim.behaviour, response.headers
        answers, body = behaviour.answers, response.body
        shape = headers.pop(
            _SHAPE, answers.errors if response.status >= HTTPStatus.BAD_REQUEST else None
        )
        if response.status == HTTPStatus.CREATED and answers.created != "resource":
            body = None
            if answers.created == "nothing":
                del headers["Location"]
            elif answers.created == "relative_location":
                headers["Location"] = PREFIX + headers["Location"].partition(PREFIX)[2]
        if shape is not None:
            kind, content = scim_answers.error(body, shape)
        elif body is None:
            kind, content = headers["Content-Type"], b""
        else:
            if request.path.lower() == "/serviceproviderconfig":
                body = scim_answers.announced(body, behaviour.paging)
            elif "Resources" not in body and "id" in body and scim_answers.is_odd(behaviour):
                body = scim_answers.shown(body, behaviour, self.scim.dice, in_list=False)
            text = self.numbers.out(json.dumps(body))
            if answers.urls == "relative":
                text = scim_answers.relative(text, request.base_url)
            kind, content = scim_answers.encoded(text, answers)
        headers["Content-Type"] = kind
        extra = [
            (key.lower().encode(), value.encode("latin-1"))
            for key, value in headers.items()
            if key != "Content-Type"
        ]
        await send_answer(send, int(response.status), kind, content, extra=extra)

    def _grow(self, name: str) -> None:
        mark = len(self.desk.resources)
        if name == "User":
            self.desk.add_user(f"by-hand-{mark}@example.com", "By", "Hand")
        else:
            self.desk.add_group(f"By hand {mark}")


_SHAPE = "x-sandbox-shape"  # of a refusal, within the stand-in only


def _scim_error(status: int, _path: str) -> Answer:
    body = Error(status=status, detail="a fault of the sandbox").model_dump()
    return "application/scim+json", json.dumps(body).encode()


class DeskbirdApp(Faulty):
    """An ASGI app: deskbird's SCIM service with its faults and its log of requests, and what it
    holds as ``desk``.
    """

    def __init__(
        self,
        app: Callable[[Scope, Receive, Send], Any],
        faults: Faults,
        desk: Deskbird,
        service: DeskbirdService,
    ) -> None:
        super().__init__(app, faults, kinds=KINDS, error=_scim_error)
        self.desk = desk
        self._service = service

    @property
    def behaviour(self) -> Behaviour:
        """How it behaves."""
        return self._service.behaviour

    def behave(self, behaviour: Behaviour | None = None, **changes: Any) -> None:
        """Behave otherwise from the next request on: as a behaviour says (None: as now), with these
        of its fields changed.
        """
        self._service.behave(msgspec.structs.replace(behaviour or self.behaviour, **changes))

    def writes(self) -> list[Request]:
        """The requests so far that were no reads."""
        return [
            request for request in self.faults.requests() if request.method not in {"GET", "HEAD"}
        ]


def deskbird_app(
    storage: Deskbird | Path | str | None = None,
    *,
    token: str = TOKEN,
    requests_per_second: float | None = 25,
    retry_after: int | str | None = 1,
    dialect: Dialect = "rfc",
    faults: Faults | None = None,
    ignores: Iterable[str] = (),
    readable_manager: bool = True,
    readable_members: bool = True,
    etags: bool = True,
    page_limit: int = 100,
    member_limit: int = 100,
    patch_answer: Literal[200, 204] = 204,
    delete_users: bool = False,
    behaviour: Behaviour | None = None,
) -> DeskbirdApp:
    """A deskbird company's SCIM service under ``/v2/scim``.

    ``storage`` is a SQLite file, None for memory only, or a :class:`Deskbird` made before.
    ``requests_per_second`` None sets no limit; beyond it the answer is 429, with ``Retry-After``
    unless that is None. ``dialect="entra"`` takes nothing but the PATCH forms of Entra without its
    flag. ``ignores`` are attributes (``manager``, ``members``, ``externalId``, ...) whose writes
    are acknowledged and forgotten; ``readable_... = False`` are written but never given back. A
    page holds at most ``page_limit``, whatever was asked for. ``delete_users`` lets DELETE remove a
    user for good, which deskbird's clients do not do.

    ``behaviour`` says all of that, and every other deviation there is, at once; it takes the place
    of the arguments from ``dialect`` on, and :meth:`DeskbirdApp.behave` changes it while the
    service runs.

    >>> app = deskbird_app(None, requests_per_second=None)
    >>> made = app.desk.add_user("ada@example.com", "Ada", "Lovelace")
    >>> app.desk.user("ada@example.com")["id"] == made
    True
    """
    desk = storage if isinstance(storage, Deskbird) else Deskbird(storage)
    hidden: dict[Literal["manager", "members"], bool] = {
        "manager": not readable_manager,
        "members": not readable_members,
    }
    service = DeskbirdService(
        desk,
        behaviour
        or Behaviour(
            forms=FORMS[dialect],
            paging=Paging(size=page_limit),
            answers=Answers(patched=patch_answer, tags="honoured" if etags else "none"),
            ignores=frozenset(ignores),
            hides=frozenset(name for name, is_hidden in hidden.items() if is_hidden),
            member_limit=member_limit,
            put=dialect != "entra",
            delete_users=delete_users,
        ),
    )
    application = _Application(service, token, _Rate(requests_per_second), retry_after)
    return DeskbirdApp(application, faults or Faults(), desk, service)
