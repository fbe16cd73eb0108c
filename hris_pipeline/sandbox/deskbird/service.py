"""What the service takes and what it refuses, as its behaviour says."""

import json
import random
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, cast

import msgspec
from scim2_models import (
    Context,
    ForbiddenException,
    InvalidFilterException,
    InvalidValueException,
    PatchOp,
    PreconditionFailedException,
    Required,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
    SearchRequest,
    ServiceProviderConfig,
    TooManyException,
)
from scim2_server.conditions import Conditions
from scim2_server.errors import MethodNotAllowedException
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation, Target
from scim2_server.service import ScimService
from scim2_server.storage import SearchPage
from scim2_server.utils import parametrize

from hris_pipeline.sandbox.deskbird import answers as scim_answers
from hris_pipeline.sandbox.deskbird.behaviour import Behaviour, Refusal
from hris_pipeline.sandbox.deskbird.desk import ENTERPRISE, Deskbird, manager_of
from hris_pipeline.sandbox.deskbird.forms import name_of, understood
from hris_pipeline.sandbox.deskbird.patches import (
    covers,
    members_written,
    named_members,
    names_touched,
    only_eq_and_and,
)
from hris_pipeline.sandbox.deskbird.provider import provider_of
from hris_pipeline.sandbox.deskbird.storage import clone, has_members

_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


def _marks(resource: Any) -> frozenset[str]:
    named = getattr(resource, "user_name", None) or getattr(resource, "display_name", None)
    return frozenset(str(value) for value in (resource.external_id, named, resource.id) if value)


class RefusedByBehaviourError(SCIMException):
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
        super().__init__(provider_of(behaviour))
        self.desk = desk
        self.dice = random.Random(7)  # noqa: S311 - the same oddities each time
        # by id: version, forms by parameters
        self._rendered: dict[str, tuple[str | None, dict[Any, dict[str, Any]]]] = {}
        self.behave(behaviour)

    def behave(self, behaviour: Behaviour) -> None:
        """Behave otherwise from the next request on."""
        self.behaviour = behaviour
        self.provider = provider_of(behaviour)
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
                not has_members(resource) and manager_of(resource) is not None,
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
            self._limit(len(named) if named is not None else members_written(message))
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
        if search_request.filter is not None and not only_eq_and_and(search_request.filter.ast):
            raise InvalidFilterException(detail="only eq and and are understood")
        return search_request, position

    # -- what is refused ------------------------------------------------

    def _members_meant(self, refusal: Refusal, ids: Iterable[str]) -> list[str]:
        """Those of these members that a refusal means."""
        held = self.desk.held("User")
        return [id_ for id_ in ids if id_ in held and refusal.means(_marks(held[id_]))]

    def _refuse_creation(self, resource: Any) -> None:
        written = {name_of(key) for key in json.loads(resource.model_dump_json(exclude_none=True))}
        if not has_members(resource) and manager_of(resource) is not None:
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
                    raise RefusedByBehaviourError(refusal)
            elif refusal.means(_marks(resource)) and (
                refusal.what in {"*", "create"}
                or (refusal.what != "update" and covers(refusal.what, written))
            ):
                if not refusal.forgets:
                    raise RefusedByBehaviourError(refusal)
                _put_back(resource, None, refusal.what)

    @staticmethod
    def _of_group(refusal: Refusal, resource: Any) -> bool:
        return msgspec.structs.replace(refusal, who=refusal.group).means(_marks(resource) | {""})

    def _refuse_patch(
        self, current: Any, patch_op: "PatchOp[Any]", method: str = "PATCH"
    ) -> list[str]:
        """Refuse what is to be refused; the attributes that are to be forgotten."""
        forgotten: list[str] = []
        touched = {
            name for operation in patch_op.operations or () for name in names_touched(operation)
        }
        for refusal in self.behaviour.refusals:
            if method not in refusal.methods:
                continue
            if refusal.what == "member":
                self._refuse_members(refusal, current, patch_op)
            elif refusal.means(_marks(current)) and (
                refusal.what in {"*", "update"}
                or (refusal.what != "create" and covers(refusal.what, touched))
            ):
                if not refusal.forgets:
                    raise RefusedByBehaviourError(refusal)
                forgotten += sorted(touched) if refusal.what in {"*", "update"} else [refusal.what]
        return forgotten

    def _refuse_members(self, refusal: Refusal, current: Any, patch_op: "PatchOp[Any]") -> None:
        if not has_members(current) or not self._of_group(refusal, current):
            return
        operations = patch_op.operations or []
        for operation in list(operations):
            if "members" not in names_touched(operation) or refusal.on not in {
                "*",
                "remove" if operation.op == "remove" else "add",
            }:
                continue
            ids = named_members(patch_op.model_copy(update={"operations": [operation]})) or []
            meant = self._members_meant(refusal, ids)
            if meant and not refusal.forgets:
                raise RefusedByBehaviourError(refusal)
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
            raise RefusedByBehaviourError(Refusal(status=self.behaviour.seats_status))

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
        touched = {
            name for operation in patch_op.operations or () for name in names_touched(operation)
        }
        patched = super().apply_patch(current, patch_op, conditions)
        if patched is not None:
            self._check_seats(before, patched)
            for changed, cleared in self.behaviour.clears.items():
                if covers(changed, touched):
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
            manager = manager_of(published)
            if manager is not None and "manager" in self.behaviour.hides:
                published[ENTERPRISE].__dict__["manager"] = manager = None
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


def _put_back(resource: Any, before: Any, name: str) -> None:
    """Give one attribute (by its SCIM name) the value it had; what a new resource (``before`` None)
    must have is left to it.
    """
    if name == "manager":
        if not has_members(resource) and resource[ENTERPRISE] is not None:
            resource[ENTERPRISE].manager = clone(manager_of(before)) if before is not None else None
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
