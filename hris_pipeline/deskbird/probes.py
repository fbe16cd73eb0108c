"""What ``hris-pipeline doctor`` tries of deskbird: the token, what is announced, and whether what
we send is understood.

Nothing that exists is written to. A PATCH goes to an id that nobody has: an answer of 404 says that
the message was taken for one, 400 that it was not. Because a service may look for the user before
it reads the message, one that is no PATCH at all is sent too: where that gets 404 as well, an
answer proves nothing, and only the first real write can tell.
"""

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from typing import Any, Literal

import httpx  # noqa: TID251 - an edge
import msgspec

from hris_pipeline.contracts.probes import Probe
from hris_pipeline.contracts.writes import UserRef, Write
from hris_pipeline.deskbird.dialects import (
    ENTERPRISE,
    GROUP,
    PATCH_OP,
    USER,
    Dialect,
    other,
    quoted,
    requests_for,
)
from hris_pipeline.deskbird.scim import Service, ServiceProviderConfig, is_web_page, refused
from hris_pipeline.http import Unanswered

SUPPORT = "Ask deskbird's support, with this line."
_NOT_UNDERSTOOD = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.NOT_IMPLEMENTED,
    }
)
_NO_PATCH = {"schemas": [PATCH_OP], "Operations": "none"}

Setting = Literal["auto", "rfc", "entra"]


def probes(service: Service, dialect: Setting, *, patch: bool = True) -> Iterator[Probe]:
    """Everything in turn; ends after the first list where that is refused. Never raises for an
    answer, or for none.

    ``patch`` false sends no PATCH at all: while the company is paused.
    """
    for endpoint, what in (("/Users", "users"), ("/Groups", "groups")):
        probe = _list(service, endpoint, what)
        yield probe
        if probe.problem:
            return
    yield from _guarded("what deskbird announces of itself", lambda: _announced(service))
    yield from _guarded("filters that find a user or a group again", lambda: _filters(service))
    if not patch:
        told = "They were not tried, because the company is paused."
        yield Probe(
            "changes of users and groups",
            told,
            "Run it again after `hris-pipeline resume`.",
            needed=False,
        )
        return
    for endpoint, writes in (("/Users", _USER_WRITES), ("/Groups", _GROUP_WRITES)):
        yield from _guarded(
            f"changes of {endpoint[1:].lower()}",
            partial(_patches, service, endpoint, writes, dialect),
        )


def _guarded(what: str, ask: Callable[[], Iterator[Probe]]) -> Iterator[Probe]:
    """The probes of one kind; that no answer came is one of them."""
    try:
        yield from ask()
    except Unanswered as problem:
        yield Probe(
            what,
            f"deskbird did not answer: {problem}, {problem.attempts} tries.",
            "Run it again later.",
            needed=False,
        )


def _list(service: Service, endpoint: str, what: str) -> Probe:
    """The first record of a list."""
    name = f"deskbird's {what} (GET {endpoint})"
    try:
        response = service.client.ask(
            "GET", service.url + endpoint, params={"startIndex": 1, "count": 1}
        )
    except Unanswered as problem:
        return Probe(
            name,
            f"deskbird did not answer: {problem}, {problem.attempts} tries.",
            "Check deskbird.scim_url and whether deskbird is in maintenance.",
        )
    if response.status_code != HTTPStatus.OK:
        refusal = refused(response.status_code, what)
        return Probe(name, refusal.problem, refusal.remedy)
    total = _json(response).get("totalResults")
    if not isinstance(total, int):
        kind = "a web page" if is_web_page(response) else "something that is no SCIM list"
        return Probe(
            name,
            f"deskbird answered with {kind}.",
            "Check deskbird.scim_url, and that nothing between here and deskbird answers in its "
            "place (a proxy, a sign-in page).",
        )
    return Probe(f"{name}: {total:,} there")


def _announced(service: Service) -> Iterator[Probe]:
    """``ServiceProviderConfig`` and ``Schemas``; neither is needed."""
    what = "what deskbird announces of itself (GET /ServiceProviderConfig)"
    response = service.client.ask("GET", f"{service.url}/ServiceProviderConfig")
    if response.status_code == HTTPStatus.OK:
        yield Probe(f"{what}: {_features(response)}")
    else:
        announced = f"It announces nothing (HTTP {response.status_code})."
        yield Probe(
            what,
            announced,
            "Nothing to do: what it takes is found out by the first writes.",
            needed=False,
        )
    response = service.client.ask("GET", f"{service.url}/Schemas")
    listed = _json(response).get("Resources") if response.status_code == HTTPStatus.OK else None
    known = (
        {each.get("id") for each in listed if isinstance(each, dict)}
        if isinstance(listed, list)
        else None
    )
    if known is None:
        told = f"It tells no schemas (HTTP {response.status_code})."
        yield Probe(
            "schemas (GET /Schemas)",
            told,
            "Nothing to do: they are documented as SCIM's own.",
            needed=False,
        )
        return
    names = {USER: "User", GROUP: "Group", ENTERPRISE: "enterprise User, which holds the manager"}
    absent = [name for urn, name in names.items() if urn not in known]
    if absent:
        told = f"It does not name {' and '.join(absent)} among its schemas."
        yield Probe(
            "schemas (GET /Schemas)",
            told,
            "Look at the first plan's result: what does not stick is named.",
            needed=False,
        )
    else:
        yield Probe(f"schemas (GET /Schemas): {', '.join(names.values())}")


def _features(response: httpx.Response) -> str:
    try:
        config = msgspec.json.decode(response.content, type=ServiceProviderConfig)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "nothing that can be read"
    return ", ".join(
        f"{name} {'yes' if getattr(config, name).supported else 'no'}"
        for name in ("patch", "filter", "bulk", "etag", "sort")
    )


def _filters(service: Service) -> Iterator[Probe]:
    """The filters by which a user or group is looked up after an answer was lost, for a marker that
    nobody has.
    """
    marker = quoted(f"hris-pipeline-doctor:{uuid.uuid4()}")
    for endpoint, attributes in (
        ("/Users", ("externalId", "userName")),
        ("/Groups", ("externalId", "displayName")),
    ):
        what = (
            f"{endpoint[1:].lower()} found again by {' and by '.join(attributes)} (GET "
            f"{endpoint}?filter=...)"
        )
        wrong = [
            told
            for attribute in attributes
            if (told := _filter(service, endpoint, f"{attribute} eq {marker}"))
        ]
        remedy = (
            "It is not needed every night: only a write whose answer was lost is looked up so. "
            + SUPPORT
        )
        yield Probe(what, wrong[0], remedy, needed=False) if wrong else Probe(what)


def _filter(service: Service, endpoint: str, condition: str) -> str | None:
    """What is wrong with the answer to a filter that nobody fulfils."""
    response = service.client.ask(
        "GET", service.url + endpoint, params={"filter": condition, "count": 1}
    )
    name = condition.partition(" ")[0]
    if response.status_code == HTTPStatus.NOT_FOUND:
        return None  # an old service's way to say that there is none
    if response.status_code != HTTPStatus.OK:
        return f"The filter {name} eq is not understood (HTTP {response.status_code})."
    if _json(response).get("totalResults") != 0:
        return f"The filter {name} eq is ignored: it found somebody by a marker that nobody has."
    return None


_NOBODY = str(uuid.uuid4())
_USER_WRITES = (
    Write(
        1,
        1,
        "update_user",
        "doctor:1",
        _NOBODY,
        set={
            "email": "nobody@example.com",
            "given_name": "No",
            "family_name": "Body",
            "active": False,
        },
        before={
            "email": "no@example.com",
            "given_name": "Nobody",
            "family_name": "None",
            "active": True,
        },
        manager=UserRef("doctor:2", _NOBODY),
    ),
)
_GROUP_WRITES = (
    Write(
        1,
        1,
        "update_group",
        "doctor:team:1",
        _NOBODY,
        set={"name": "Nobody"},
        before={"name": "None"},
    ),
    Write(2, 1, "update_group", "doctor:team:1", _NOBODY, add=(UserRef("doctor:1", _NOBODY),)),
    Write(3, 1, "update_group", "doctor:team:1", _NOBODY, remove=(UserRef("doctor:1", _NOBODY),)),
)


def _patches(
    service: Service, endpoint: str, writes: tuple[Write, ...], setting: Setting
) -> Iterator[Probe]:
    """The forms of PATCH that would be sent, each to an id that nobody has."""
    what = (
        f"changes of {endpoint[1:].lower()} are understood (PATCH {endpoint}/{{an id that nobody "
        "has})"
    )
    target = f"{service.url}{endpoint}/{_NOBODY}"
    if service.client.ask("GET", target).status_code != HTTPStatus.NOT_FOUND:
        yield Probe(
            what,
            "An id that nobody has is not answered with 404, so nothing was sent there.",
            SUPPORT,
            needed=False,
        )
        return
    status = service.client.ask("PATCH", target, json=_NO_PATCH).status_code
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        yield Probe(
            what,
            f"The SCIM token may read but not change anything (HTTP {status}).",
            refused(status, "").remedy,
        )
        return
    if status not in _NOT_UNDERSTOOD | {HTTPStatus.NOT_FOUND}:
        told = (
            f"deskbird answers with HTTP {status} to what is no PATCH at all, so nothing more was "
            "sent."
        )
        yield Probe(what, told, SUPPORT, needed=False)
        return
    asked: tuple[Dialect, ...] = ("rfc", "entra") if setting == "auto" else (setting,)
    refusals = {dialect: _refusal(service, target, writes, dialect) for dialect in asked}
    taken = [dialect for dialect, refusal in refusals.items() if refusal is None]
    if not taken:
        told = "; ".join(f"{dialect}: {refusal}" for dialect, refusal in refusals.items())
        if setting == "auto":
            remedy = SUPPORT
        elif _refusal(service, target, writes, other(setting)) is None:
            remedy = (
                f"Set deskbird.scim_dialect to auto, or to {other(setting)}, which is understood."
            )
        else:
            remedy = f"The form of {other(setting)} is not understood either. {SUPPORT}"
        yield Probe(what, f"What would be sent is refused ({told}).", remedy)
    elif status == HTTPStatus.NOT_FOUND:
        told = (
            "deskbird looks for the user before it reads what is sent, so this cannot be told "
            "without writing."
        )
        yield Probe(
            what,
            told,
            "Nothing to do: the first write of each kind is read back before the rest follow.",
            needed=False,
        )
    else:
        yield Probe(
            f"{what}: {' and '.join(taken)} not refused; the first write of each kind is read back"
        )


def _refusal(
    service: Service, target: str, writes: tuple[Write, ...], dialect: Dialect
) -> str | None:
    """How one dialect is refused; None where nothing of it is."""
    for write in writes:
        for request in requests_for(write, dialect, lambda ref: ref.deskbird_id):
            status = service.client.ask("PATCH", target, json=request.body).status_code
            if status != HTTPStatus.NOT_FOUND:
                return f"{request.kind.replace('_', ' ')}, HTTP {status}"
    return None


def _json(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer; an empty one where it is none."""
    try:
        found = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
