"""deskbird's SCIM service for the sandbox: the package scim2-server, and in front of it the rules
that deskbird has and it lacks.

What answers is scim2-server; here stand only

* :class:`Deskbird`, what it keeps: unique group names (case aside), members and managers that are
  users it has, and the doors that an administrator has in the real one (make, edit and delete by
  hand);
* :class:`DeskbirdService`, what it takes: two dialects of PATCH, at most 100 members a request,
  ``eq`` filters, no user's DELETE;
* :func:`deskbird_app`, the whole under ``/v2/scim``: bearer token, rate, faults and the log of
  requests.

deskbird publishes no list of what it supports, so the dialects are those of the clients it is
documented with: RFC 7644, and the provisioning service of Entra ID without its flag
``aadOptscim062020``.
"""

import functools
import json
import random
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal, cast

import msgspec
from scim2_models import (
    Bulk,
    ChangePassword,
    Context,
    Error,
    ETag,
    Filter,
    ForbiddenException,
    InvalidFilterException,
    InvalidValueException,
    NotFoundException,
    Patch,
    PatchOp,
    PreconditionFailedException,
    Required,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
    ScimPolicy,
    ScimProvider,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
    TooManyException,
    UnauthorizedException,
    Uniqueness,
    UniquenessException,
)
from scim2_models import Path as ScimPath
from scim2_models.path import CompareOperator, Comparison, LogicalExpr, LogicalOperator
from scim2_server.applications.asgi import ASGIApplication
from scim2_server.conditions import Conditions
from scim2_server.errors import MethodNotAllowedException
from scim2_server.handler import AsyncScimHandler
from scim2_server.memory import AsyncInMemoryStorage
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation, Target
from scim2_server.service import ScimService
from scim2_server.storage import SearchPage
from scim2_server.testserver.application import BEARER_TOKEN_SCHEME
from scim2_server.utils import load_default_resource_types, load_default_schemas, parametrize

from hris_pipeline.sandbox import scim_answers
from hris_pipeline.sandbox.behaviour import FORMS, Answers, Behaviour, Dialect, Paging, Refusal
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
from hris_pipeline.sandbox.scim_forms import from_entra, name_of, understood
from hris_pipeline.sandbox.scim_storage import SqliteStorage, clone, has_members
from hris_pipeline.sandbox.server import Receive, Scope, Send

__all__ = [
    "PREFIX",
    "TOKEN",
    "Deskbird",
    "DeskbirdApp",
    "Dialect",
    "deskbird_app",
    "from_entra",
    "named_members",
    "provider",
]

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

_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@functools.cache
def _described() -> ScimProvider:
    """Users with the enterprise extension and groups, by the package's own schemas; only that no
    two groups have one name.
    """
    schemas = load_default_schemas()
    group = schemas["urn:ietf:params:scim:schemas:core:2.0:Group"]
    next(
        attribute for attribute in group.attributes or () if attribute.name == "displayName"
    ).uniqueness = Uniqueness.server
    return ScimProvider.from_discovery(schemas.values(), load_default_resource_types().values())


@functools.cache
def provider(
    dialect: Dialect = "rfc", page_limit: int = 100, *, etags: bool = True, sort: bool = False
) -> ScimProvider:
    """What the service says of itself: users with the enterprise extension, groups, PATCH and
    filters; no bulk.
    """
    config = ServiceProviderConfig(
        patch=Patch(supported=True),
        filter=Filter(supported=True, max_results=page_limit),
        etag=ETag(supported=etags),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        sort=Sort(supported=sort),
        change_password=ChangePassword(supported=False),
        authentication_schemes=[BEARER_TOKEN_SCHEME],
    )
    # Entra sets the work e-mail of somebody who has none by its path alone
    unmatched = (
        ScimPolicy.UnmatchedPathFilter.create
        if dialect == "entra"
        else ScimPolicy.UnmatchedPathFilter.forbid
    )
    described = _described()
    policy = ScimPolicy(unmatched_path_filter=unmatched)
    return ScimProvider(described.models, described.resource_types, config=config, policy=policy)


def _provider_of(behaviour: Behaviour) -> ScimProvider:
    paging = behaviour.paging
    return provider(
        "rfc" if behaviour.forms.attributes == "rfc" else "entra",
        paging.size,
        etags=behaviour.answers.tags != "none",
        sort=paging.sort in {"announced", "unannounced"},
    )


class Deskbird(SqliteStorage):
    """What one deskbird company holds, and an administrator's hands on it.

    ``path`` is a SQLite file, or None for memory only. The methods that an administrator has
    (``add_...``, ``seed``, ``edit``, ``remove``) may be called from any thread while it is being
    served, and are neither logged as requests nor limited in rate.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        super().__init__(path, provider())

    # -- rules ----------------------------------------------------------

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Store a new user or group; one without ``active`` is active."""
        with self.lock:
            return super().create(resource_type, self._admitted(resource))

    def update(
        self,
        resource_type: ResourceType,
        resource: Resource[Any],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        """Replace a user or group."""
        with self.lock:
            return super().update(
                resource_type, self._admitted(resource), expected_version=expected_version
            )

    def update_part(
        self,
        resource_type: ResourceType,
        part: Resource[Any],
        members: Iterable[str],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        """Change a group and those of its members that are given."""
        with self.lock:
            return super().update_part(
                resource_type, self._admitted(part), members, expected_version=expected_version
            )

    @staticmethod
    def _member_ids(resource: Resource[Any]) -> set[str]:
        return {member.value for member in resource.__dict__.get("members") or ()}

    def _admitted(self, resource: Resource[Any]) -> Resource[Any]:
        """A copy in deskbird's own form: references point at users it has, nobody is a member
        twice.
        """
        copy = clone(resource)
        users = self._resources.get("User", {})
        if has_members(copy):
            members = list(dict.fromkeys(member.value for member in copy.members or ()))
            if not all(value in users for value in members):
                raise InvalidValueException(
                    detail="members: each must be a user of this company; groups cannot be members"
                )
            copy.members = [
                {"value": value, "$ref": f"Users/{value}", "type": "User"} for value in members
            ] or None
        else:
            if copy.active is None:
                copy.active = True
            manager = _manager(copy)
            if manager is not None:
                if manager.value not in users:
                    raise InvalidValueException(detail="manager: must be a user of this company")
                manager.ref = f"Users/{manager.value}"
        return cast("Resource[Any]", copy)

    def _check_uniqueness(self, resource: Resource[Any], values: dict[str, Any]) -> None:
        try:
            super()._check_uniqueness(resource, values)
        except UniquenessException:
            # services quote the value, so a client that prints this text prints an address: ours
            # must not
            raise UniquenessException(
                detail=f"already taken: {', '.join(map(str, values.values()))}"
            ) from None

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        """Delete for good; a user leaves its groups and is nobody's manager any more."""
        with self.operation():
            super().delete(resource_type, resource_id, expected_version=expected_version)
            for resource in self.resources:
                if has_members(resource):
                    if resource_id in self._member_ids(resource):
                        part: Any = self.part(
                            self._kind(str(resource.id)), str(resource.id), [resource_id]
                        )
                        part.members = None
                        self.update_part(self._kind(part.id), part, [resource_id])
                elif (manager := _manager(resource)) is not None and manager.value == resource_id:
                    self.edit(str(resource.id), {f"{_ENTERPRISE}:manager": None})

    # -- an administrator's hands ---------------------------------------

    def add_user(
        self,
        email: str,
        given_name: str,
        family_name: str,
        *,
        active: bool = True,
        hris_ref: str | None = None,
        manager_id: str | None = None,
    ) -> str:
        """Make a user by hand (no ``hris_ref``: not ours; another system's mark: a foreign one);
        its id.
        """
        name = f"{given_name} {family_name}"
        user = {
            "userName": email,
            "externalId": hris_ref,
            "active": active,
            "displayName": name,
            "name": {"givenName": given_name, "familyName": family_name, "formatted": name},
            "emails": [{"value": email, "type": "work", "primary": True}],
        }
        return self._add(
            "User",
            user | ({_ENTERPRISE: {"manager": {"value": manager_id}}} if manager_id else {}),
        )

    def add_group(
        self, name: str, *, members: Iterable[str] = (), hris_ref: str | None = None
    ) -> str:
        """Make a group by hand with the users of these ids; its id."""
        return self._add(
            "Group",
            {
                "displayName": name,
                "externalId": hris_ref,
                "members": [{"value": key} for key in members],
            },
        )

    def _add(self, name: str, body: Mapping[str, Any]) -> str:
        kind = next(kind for kind in self.provider.resource_types if kind.name == name)
        model = cast("type[Resource[Any]]", self.provider.model_for(kind))
        return str(self.create(kind, model.model_validate(body)).id)

    def seed(
        self, users: Iterable[Mapping[str, Any]], groups: Iterable[Mapping[str, Any]] = ()
    ) -> dict[str, str]:
        """Make many at once; the id of every user by e-mail.

        Users hold the arguments of :meth:`add_user`, ``manager_email`` (of somebody before them, or
        here already) in the place of ``manager_id``; groups those of :meth:`add_group`, with
        e-mails as ``members``.
        """
        with self.operation():
            ids = {str(user["userName"]): str(user["id"]) for user in self.users()}
            for user in users:
                row = dict(user)
                manager = row.pop("manager_email", None)
                ids[row["email"]] = self.add_user(
                    **row, manager_id=ids[manager] if manager else None
                )
            for group in groups:
                self.add_group(
                    **{**group, "members": [ids[email] for email in group.get("members", ())]}
                )
            return ids

    def edit(self, resource_id: str, changes: Mapping[str, Any]) -> None:
        """Change a user or group by hand: SCIM paths and their new values, None to clear one."""
        with self.operation():
            kind = self._kind(resource_id)
            resource = self.get(kind, resource_id)
            for path, value in changes.items():
                parametrize(ScimPath, type(resource))(path).set(resource, value)
            self.update(kind, resource)

    def remove(self, resource_id: str) -> None:
        """Delete a user or group for good."""
        self.delete(self._kind(resource_id), resource_id)

    def _kind(self, resource_id: str) -> ResourceType:
        for kind in self.provider.resource_types:
            if resource_id in self._resources.get(kind.name, {}):
                return kind
        raise NotFoundException(detail="no such user or group")

    def users(self) -> list[dict[str, Any]]:
        """All users as SCIM has them, unreadable attributes included, by ``userName``."""
        return self._held("User", "userName")

    def groups(self) -> list[dict[str, Any]]:
        """All groups as SCIM has them, unreadable attributes included, by ``displayName``."""
        return self._held("Group", "displayName")

    def _held(self, name: str, order: str) -> list[dict[str, Any]]:
        with self.lock:
            held = self._resources.get(name, {}).values()
            found: list[dict[str, Any]] = [
                json.loads(resource.model_dump_json()) for resource in held
            ]
        return sorted(found, key=lambda resource: str(resource[order]))

    def user(self, email: str) -> dict[str, Any]:
        """The user of this ``userName``, case aside; KeyError where there is none."""
        return {str(user["userName"]).lower(): user for user in self.users()}[email.lower()]

    def group(self, name: str) -> dict[str, Any]:
        """The group of this name, case aside; KeyError where there is none."""
        return {str(group["displayName"]).lower(): group for group in self.groups()}[name.lower()]

    def held(self, name: str) -> Mapping[str, Resource[Any]]:
        """Users or groups (``User``, ``Group``) by id, as they are stored: not to be changed."""
        return self._resources.get(name, {})

    def first(self, name: str) -> str | None:
        """The id of what a list of users or groups (``User``, ``Group``) begins with."""
        with self.lock:
            return min(self._resources.get(name, {}), default=None)


def _manager(user: Any) -> Any:
    """The manager of a user, None where there is none."""
    extension = user[_ENTERPRISE]
    return extension.manager if extension is not None else None


def named_members(message: "PatchOp[Any]") -> list[str] | None:
    """The ids of all members that a PATCH of a group speaks of; None where it speaks of the members
    as a whole.
    """
    named: list[str] = []
    for operation in message.operations or ():
        path, value = operation.path, operation.value
        if path is None:
            if not isinstance(value, dict) or any("members" in key.lower() for key in value):
                return None
            continue
        binding = path.resolve()
        if binding is None:
            return None
        if binding.field_name != "members":
            continue
        if path.value_filter is not None:
            ids = _compared_ids(path.value_filter)
        elif operation.op == "add":
            entries = value if isinstance(value, list) else [value]
            ids = [item.get("value") if isinstance(item, dict) else None for item in entries]
        else:
            return None
        if ids is None or not all(isinstance(item, str) for item in ids):
            return None
        named += cast("list[str]", ids)
    return named


def _compared_ids(node: Any) -> list[Any] | None:
    """The ids in ``value eq "1" or value eq "2"``; None for any other filter."""
    if isinstance(node, LogicalExpr) and node.op == LogicalOperator.or_:
        found = [_compared_ids(term) for term in node.terms]
        return [key for ids in found for key in ids or ()] if None not in found else None
    if (
        isinstance(node, Comparison)
        and node.op == CompareOperator.eq
        and str(node.attr_path).lower() == "value"
    ):
        return [node.value]
    return None


def _only_eq_and_and(node: Any) -> bool:
    if isinstance(node, Comparison):
        return node.op == CompareOperator.eq
    if isinstance(node, LogicalExpr):
        return node.op == LogicalOperator.and_ and all(
            _only_eq_and_and(term) for term in node.terms
        )
    inner = getattr(node, "val_filter", None)  # emails[type eq "work"].value eq "..."
    return inner is not None and _only_eq_and_and(inner)


def _touched(operation: Any) -> set[str]:
    """The attributes that one operation of a PATCH changes, by their names in small letters."""
    path, value = operation.path, operation.value
    keys = [str(path)] if path is not None else list(value) if isinstance(value, dict) else []
    return {name_of(key).partition("[")[0] for key in keys}


def _covers(what: str, touched: Iterable[str]) -> bool:
    """Whether an attribute is among those that are changed, as a part or as the whole of one."""
    wanted = what.lower()
    return any(
        name == wanted or name.startswith(f"{wanted}.") or wanted.startswith(f"{name}.")
        for name in touched
    )


def _marks(resource: Any) -> frozenset[str]:
    named = getattr(resource, "user_name", None) or getattr(resource, "display_name", None)
    return frozenset(str(value) for value in (resource.external_id, named, resource.id) if value)


class _RefusedError(SCIMException):
    """A refusal that the behaviour asks for, with the shape of its body."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(detail="a refusal of the sandbox")
        self.status = refusal.status
        self.scim_type = refusal.scim_type or ""
        self.shape = refusal.error


class DeskbirdService(ScimService):
    """scim2-server's protocol, narrowed to what deskbird is documented to take, and widened by a
    :class:`Behaviour`.
    """

    def __init__(self, desk: Deskbird, behaviour: Behaviour) -> None:
        super().__init__(_provider_of(behaviour))
        self.desk = desk
        self.dice = random.Random(7)  # noqa: S311 - the same oddities each time
        # by id: version, forms by parameters
        self._rendered: dict[str, tuple[str | None, dict[Any, dict[str, Any]]]] = {}
        self.behave(behaviour)

    def behave(self, behaviour: Behaviour) -> None:
        """Behave otherwise from the next request on."""
        self.behaviour = behaviour
        self.provider = _provider_of(behaviour)
        self.config = cast("ServiceProviderConfig", self.provider.config)
        self._rendered.clear()
        self.desk.order = self._shuffled if behaviour.paging.order == "shuffled" else None

    def _shuffled(self, ids: list[str]) -> list[str]:
        return self.dice.sample(ids, len(ids))

    # -- what is taken --------------------------------------------------

    def authorize(self, request: ScimRequest, target: Target, resource_type: ResourceType) -> None:  # noqa: ARG002
        """Users are deactivated, not deleted; Entra sends no PUT."""
        if (
            target.operation is Operation.delete
            and resource_type.name == "User"
            and not self.behaviour.delete_users
        ):
            raise ForbiddenException(detail="users are deactivated, not deleted")
        if target.operation is Operation.replace and not self.behaviour.put:
            raise MethodNotAllowedException(allowed=["GET", "PATCH", "DELETE"])

    def read_creation(
        self, resource_type: ResourceType, body: bytes, content_type: str | None
    ) -> Resource[Any]:
        """The resource of a POST. In Entra's dialect manager and members follow as PATCHes of their
        own.
        """
        resource: Any = super().read_creation(resource_type, body, content_type)
        members = getattr(resource, "members", None) or ()
        self._limit(len(members))
        for along, name, there in (
            (self.behaviour.forms.post_members, "members", bool(members)),
            (
                self.behaviour.forms.post_manager,
                "manager",
                not has_members(resource) and _manager(resource) is not None,
            ),
        ):
            if there and along == "refused":
                raise InvalidValueException(detail=f"{name}: set by a PATCH")
            if there and along == "ignored":
                _put_back(resource, None, name)
        self._refuse_creation(resource)
        self._check_seats(None, resource)
        for name in self.behaviour.ignores:
            _put_back(resource, None, name)
        return cast("Resource[Any]", resource)

    def read_replacement(
        self, resource_type: ResourceType, body: bytes, content_type: str | None
    ) -> Resource[Any]:
        """The resource of a PUT."""
        resource = super().read_replacement(resource_type, body, content_type)
        self._limit(len(getattr(resource, "members", None) or ()))
        return resource

    def read_patch(
        self, resource_type: ResourceType, body: bytes, content_type: str | None
    ) -> "PatchOp[Any]":
        """The message of a PATCH, from whichever mixture of the dialects is understood."""
        read = understood(self.decode_body(body, content_type), self.behaviour.forms)
        if not read["Operations"]:  # all of it is acknowledged and forgotten
            model = parametrize(PatchOp, self.get_model(resource_type))
            return model.model_construct(operations=[])
        if self.behaviour.add_replaces:
            for operation in read["Operations"]:
                if operation["op"] == "add" and operation.get("path") == "members":
                    operation["op"] = "replace"
        message = super().read_patch(resource_type, json.dumps(read).encode(), content_type)
        if resource_type.name == "Group":
            named = named_members(message)
            self._limit(len(named) if named is not None else _members_written(message))
        return message

    def _limit(self, members: int) -> None:
        if members > self.behaviour.member_limit:
            raise TooManyException(
                detail=f"at most {self.behaviour.member_limit} members in a request"
            )

    def read_search(
        self, resource_types: list[ResourceType], payload: Any
    ) -> tuple[SearchRequest[Any], Any]:
        """A search; of filters only what the documented clients send: ``eq`` and ``and``."""
        search_request, position = super().read_search(resource_types, payload)
        if search_request.filter is not None and not _only_eq_and_and(search_request.filter.ast):
            raise InvalidFilterException(detail="only eq and and are understood")
        return search_request, position

    # -- what is refused ------------------------------------------------

    def _members_meant(self, refusal: Refusal, ids: Iterable[str]) -> list[str]:
        """Those of these members that a refusal means."""
        held = self.desk.held("User")
        return [id_ for id_ in ids if id_ in held and refusal.means(_marks(held[id_]))]

    def _refuse_creation(self, resource: Any) -> None:
        written = {name_of(key) for key in json.loads(resource.model_dump_json(exclude_none=True))}
        if not has_members(resource) and _manager(resource) is not None:
            written.add("manager")
        for refusal in self.behaviour.refusals:
            if "POST" not in refusal.methods:
                continue
            if refusal.what == "member":
                ids = [member.value for member in getattr(resource, "members", None) or ()]
                meant = (
                    self._members_meant(refusal, ids)
                    if refusal.on != "remove" and self._of_group(refusal, resource)
                    else []
                )
                if meant and refusal.forgets:
                    resource.members = [
                        member for member in resource.members if member.value not in meant
                    ] or None
                elif meant:
                    raise _RefusedError(refusal)
            elif refusal.means(_marks(resource)) and (
                refusal.what in {"*", "create"}
                or (refusal.what != "update" and _covers(refusal.what, written))
            ):
                if not refusal.forgets:
                    raise _RefusedError(refusal)
                _put_back(resource, None, refusal.what)

    @staticmethod
    def _of_group(refusal: Refusal, resource: Any) -> bool:
        return msgspec.structs.replace(refusal, who=refusal.group).means(_marks(resource) | {""})

    def _refuse_patch(
        self, current: Any, patch_op: "PatchOp[Any]", method: str = "PATCH"
    ) -> list[str]:
        """Refuse what is to be refused; the attributes that are to be forgotten."""
        forgotten: list[str] = []
        touched = {name for operation in patch_op.operations or () for name in _touched(operation)}
        for refusal in self.behaviour.refusals:
            if method not in refusal.methods:
                continue
            if refusal.what == "member":
                self._refuse_members(refusal, current, patch_op)
            elif refusal.means(_marks(current)) and (
                refusal.what in {"*", "update"}
                or (refusal.what != "create" and _covers(refusal.what, touched))
            ):
                if not refusal.forgets:
                    raise _RefusedError(refusal)
                forgotten += sorted(touched) if refusal.what in {"*", "update"} else [refusal.what]
        return forgotten

    def _refuse_members(self, refusal: Refusal, current: Any, patch_op: "PatchOp[Any]") -> None:
        if not has_members(current) or not self._of_group(refusal, current):
            return
        operations = patch_op.operations or []
        for operation in list(operations):
            if "members" not in _touched(operation) or refusal.on not in {
                "*",
                "remove" if operation.op == "remove" else "add",
            }:
                continue
            ids = named_members(patch_op.model_copy(update={"operations": [operation]})) or []
            meant = self._members_meant(refusal, ids)
            if meant and not refusal.forgets:
                raise _RefusedError(refusal)
            if meant and operation.op == "remove":
                operations.remove(operation)
            elif meant:
                operation.value = [
                    item for item in operation.value or () if item["value"] not in meant
                ]

    def _check_seats(self, before: Any, after: Any) -> None:
        """Refuse one more active user where all seats are taken."""
        seats = self.behaviour.seats
        if (
            seats is None
            or has_members(after)
            or after.active is False
            or (before is not None and before.active is not False)
        ):
            return
        users: Iterable[Any] = self.desk.held("User").values()
        if sum(user.active is not False for user in users) >= seats:
            raise _RefusedError(Refusal(status=self.behaviour.seats_status))

    def check_preconditions(
        self, resource: Resource[Any], method: str, conditions: Conditions
    ) -> bool:
        """Compare the tags, or find that none matches."""
        named = conditions.if_match is not None and conditions.if_match.strip() != "*"
        if named and self.behaviour.answers.tags in {"strong", "moving"}:
            raise PreconditionFailedException
        return super().check_preconditions(resource, method, conditions)

    # -- what is done ---------------------------------------------------

    def apply_patch(
        self, current: Resource[Any], patch_op: "PatchOp[Any]", conditions: Conditions
    ) -> Resource[Any] | None:
        """Apply a PATCH, except to what is refused or silently ignored."""
        before = clone(current)
        forgotten = self._refuse_patch(current, patch_op)
        touched = {name for operation in patch_op.operations or () for name in _touched(operation)}
        patched = super().apply_patch(current, patch_op, conditions)
        if patched is not None:
            self._check_seats(before, patched)
            for changed, cleared in self.behaviour.clears.items():
                if _covers(changed, touched):
                    _put_back(patched, None, cleared)
        return self._without_ignored(before, patched, forgotten)

    def apply_replacement(
        self, current: Resource[Any], replacement: Resource[Any], conditions: Conditions
    ) -> Resource[Any] | None:
        """Apply a PUT, except to what is silently ignored."""
        return self._without_ignored(
            current, super().apply_replacement(current, replacement, conditions)
        )

    def _without_ignored(
        self, before: Resource[Any] | None, after: Resource[Any] | None, more: Iterable[str] = ()
    ) -> Resource[Any] | None:
        if before is not None and after is not None:
            for name in (*self.behaviour.ignores, *more):
                _put_back(after, before, name)
        return after

    # -- what is answered -----------------------------------------------

    def publish(self, base_url: str, resource: Resource[Any]) -> Resource[Any]:
        """A copy as it is sent: with URLs for members and managers, the only references, without
        what cannot be read.
        """
        published: Any = clone(resource)
        kind = self.get_resource_type_of(resource)
        about = {"location": self.resource_location(base_url, kind, published.id)}
        published.__dict__["meta"] = published.meta.model_copy(update=about)
        if not self.etag_supported:
            published.meta.version = None
        if has_members(published):
            if "members" in self.behaviour.hides:
                published.__dict__["members"] = None
            references = published.members or ()
        else:
            manager = _manager(published)
            if manager is not None and "manager" in self.behaviour.hides:
                published[_ENTERPRISE].__dict__["manager"] = manager = None
            references = () if manager is None else (manager,)
        for reference in references:
            reference.__dict__["ref"] = self.reference_location(base_url, reference.ref)
        return cast("Resource[Any]", published)

    def patch_response(
        self, base_url: str, resource: Resource[Any], response_parameters: ResponseParameters[Any]
    ) -> ScimResponse:
        """204, or 200 with the resource where that is switched on or attributes are asked for."""
        meta = resource.meta
        asked = response_parameters.attributes or response_parameters.excluded_attributes
        if meta is None or asked or self.behaviour.answers.patched == 200:
            whole = self.desk.get(self.get_resource_type_of(resource), str(resource.id))
            published = self.publish(base_url, whole)
            return self.resource_response(
                published, Context.RESOURCE_REPLACEMENT_RESPONSE, response_parameters
            )
        return ScimResponse(
            HTTPStatus.NO_CONTENT,
            None,
            {"ETag": meta.version} if self.etag_supported and meta.version else {},
        )

    def search_response(
        self,
        base_url: str,
        resource_types: list[ResourceType],  # noqa: ARG002 - the package's signature
        page: SearchPage,
        search_request: SearchRequest[Any],
    ) -> ScimResponse:
        """A page. A resource is put into its form once for each of its versions, which makes
        reading a large company quick.
        """
        attributes = (
            tuple(map(str, search_request.attributes or ())),
            tuple(map(str, search_request.excluded_attributes or ())),
        )
        found = [
            self._form(base_url, resource, search_request, (base_url, *attributes))
            for resource in page.resources
        ]
        if scim_answers.is_odd(self.behaviour):
            found = [
                scim_answers.shown(each, self.behaviour, self.dice, in_list=True) for each in found
            ]
        body = {
            "schemas": [_LIST],
            "totalResults": page.total,
            "startIndex": search_request.start_index or 1,
            "itemsPerPage": len(found),
            "Resources": found,
        }
        return ScimResponse(HTTPStatus.OK, body)

    def _form(
        self, base_url: str, resource: Resource[Any], parameters: SearchRequest[Any], key: Any
    ) -> dict[str, Any]:
        version = resource.meta.version if resource.meta is not None else None
        known, forms = self._rendered.get(str(resource.id), (None, {}))
        if known != version:
            forms = {}
            self._rendered[str(resource.id)] = version, forms
        if key not in forms:
            published = self.publish(base_url, resource)
            forms[key] = published.model_dump(
                scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=parameters
            )
        return forms[key]


def _members_written(message: "PatchOp[Any]") -> int:
    """How many members a PATCH holds that speaks of all of them at once."""
    written = 0
    for operation in message.operations or ():
        value = (
            operation.value.get("members") if isinstance(operation.value, dict) else operation.value
        )
        written += len(value) if isinstance(value, list) else 1
    return written


def _put_back(resource: Any, before: Any, name: str) -> None:
    """Give one attribute (by its SCIM name) the value it had; what a new resource (``before`` None)
    must have is left to it.
    """
    if name == "manager":
        if not has_members(resource) and resource[_ENTERPRISE] is not None:
            resource[_ENTERPRISE].manager = clone(_manager(before)) if before is not None else None
        return
    first, _, rest = name.partition(".")
    for field, about in type(resource).model_fields.items():
        required = (
            before is None and type(resource).get_field_annotation(field, Required) == Required.true
        )
        if (about.serialization_alias or field).lower() != first.lower() or required:
            continue
        held = getattr(before, field) if before is not None else None
        if rest and getattr(resource, field) is not None:
            _put_back(getattr(resource, field), held, rest)
        else:
            resource.__dict__[field] = clone(held)


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
        if isinstance(exception, _RefusedError):
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
    >>> app.desk.add_user("ada@example.com", "Ada", "Lovelace") ==
    app.desk.user("ada@example.com")["id"] True
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
