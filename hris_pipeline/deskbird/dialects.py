"""SCIM messages: the one place that turns a typed :class:`~hris_pipeline.plan.writes.Write` into HTTP requests. Pure.

There are two dialects: ``rfc`` (RFC 7644, and what Entra ID sends with its flag ``aadOptscim062020``) and ``entra`` (what it
sends without). Every shape here is one that Entra ID is documented to send, because that is what deskbird is documented to
understand.

``scim2-models`` and ``scim2-client`` do not serve here: the models refuse what Entra's dialect consists of (a bare string as
manager, a remove with a value), and the client has no engine for the installed httpx and hides the requests that have to be
paced and journalled one by one. The tests validate every RFC message with ``scim2-models``.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hris_pipeline.plan.writes import UserRef, Write

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MANAGER = f"{ENTERPRISE}:manager"
WORK_EMAIL = 'emails[type eq "work"].value'
PHOTO = 'photos[type eq "photo"].value'

Dialect = Literal["rfc", "entra"]
Kind = Literal[
    "user_create",
    "user_update",
    "user_active",
    "user_photo",
    "manager",
    "group_create",
    "group_update",
    "members_remove",
    "members_add",
    "group_delete",
]
"""What a service may understand in one dialect and not in the other; learnt and remembered each by itself."""

Ids = Callable[[UserRef], str | None]
Operation = dict[str, Any]

PATHS: Mapping[str, tuple[str, ...]] = {  # our column: where SCIM has it, in users and in groups
    "hris_ref": ("externalId",),
    "email": ("userName",),  # and the work e-mail, which is addressed by its own path
    "user_name": ("userName",),  # where it is another than the e-mail
    "given_name": ("name.givenName",),
    "family_name": ("name.familyName",),
    "display_name": ("displayName", "name.formatted"),
    "active": ("active",),
    "name": ("displayName",),
}
_ATTRIBUTES = frozenset({"user_update", "user_active", "group_update"})
_CREATES = frozenset({"user_create", "group_create"})
ALIKE: frozenset[Kind] = frozenset({"user_create", "group_create", "group_delete"})
"""Kinds whose own form is the same in both dialects."""


@dataclass(frozen=True)
class Request:
    """One request that writes: ``path`` is below the service's address and may hold ``{id}``, the user's or group's id."""

    method: Literal["POST", "PATCH", "DELETE"]
    path: str
    body: Mapping[str, Any] | None
    kinds: tuple[Kind, ...]

    @property
    def kind(self) -> str:
        """The kinds in one word, for the journal."""
        return "+".join(self.kinds)


def other(dialect: Dialect) -> Dialect:
    """The dialect to fall back to."""
    return "entra" if dialect == "rfc" else "rfc"


def kinds_of(write: Write) -> tuple[Kind, ...]:
    """The kinds that a write exercises, in the order they are carried out."""
    kinds: list[tuple[Kind, object]]
    if write.kind == "create_user":
        kinds = [("user_create", True), ("manager", write.manager)]
    elif write.kind == "update_user":
        kinds = [
            ("user_update", write.set.keys() - {"active", "photo"}),
            ("user_active", "active" in write.set),
            ("user_photo", "photo" in write.set),
            ("manager", write.manager or write.clear_manager),
        ]
    elif write.kind == "create_group":
        kinds = [("group_create", True), ("members_add", write.add)]
    elif write.kind == "delete_group":
        kinds = [("group_delete", True)]
    else:
        kinds = [("group_update", write.set), ("members_remove", write.remove), ("members_add", write.add)]
    return tuple(kind for kind, there in kinds if there)


def requests_for(
    write: Write, dialect: Dialect | Mapping[Kind, Dialect], ids: Ids, only: Collection[Kind] | None = None
) -> list[Request]:
    """The requests that carry out a write, in order; with ``only``, that part of it.

    ``dialect`` may differ by kind. References whose id ``ids`` does not know are left out; a request that
    would be empty is not made.
    """
    kinds = [kind for kind in kinds_of(write) if only is None or kind in only]
    spoken: Mapping[Kind, Dialect] = dict.fromkeys(kinds, dialect) if isinstance(dialect, str) else dialect
    endpoint = "/Users" if write.kind in {"create_user", "update_user"} else "/Groups"
    requests = []
    if kinds == ["group_delete"]:
        return [Request("DELETE", f"{endpoint}/{{id}}", None, ("group_delete",))]
    if kinds and kinds[0] in _CREATES:
        # the RFC's dialect sends the manager or the members along; Entra's client never does
        along = [kind for kind in kinds if kind in _CREATES or spoken[kind] == "rfc"]
        body = _user(write, ids, along) if endpoint == "/Users" else _group(write, ids, along)
        requests.append(Request("POST", endpoint, body, tuple(along)))
        kinds = [kind for kind in kinds if kind not in along]

    rfc = tuple(kind for kind in kinds if spoken[kind] == "rfc")
    attributes = tuple(kind for kind in kinds if spoken[kind] == "entra" and kind in _ATTRIBUTES)
    alone = [(kind,) for kind in kinds if spoken[kind] == "entra" and kind not in _ATTRIBUTES]
    for together in (rfc, attributes, *alone):
        operations = _operations(write, together, spoken[together[0]], ids) if together else []
        if operations:
            body = {"schemas": [PATCH_OP], "Operations": operations}
            requests.append(Request("PATCH", f"{endpoint}/{{id}}", body, together))
    return requests


def quoted(text: str) -> str:
    """A string as a filter or a path wants it: in quotes, with what is special in JSON escaped (RFC 7644, 3.4.2.2)."""
    return json.dumps(text, ensure_ascii=False)


def _user(write: Write, ids: Ids, kinds: Collection[Kind]) -> dict[str, Any]:
    given = write.set
    names = {"givenName": given.get("given_name"), "familyName": given.get("family_name"), "formatted": given.get("display_name")}
    body: dict[str, Any] = {
        "schemas": [USER, ENTERPRISE],
        "externalId": given.get("hris_ref", write.hris_ref),
        "userName": given.get("email"),
        "active": given.get("active", True),
        "emails": [_work_email(given.get("email"))],
        "name": {key: value for key, value in names.items() if value is not None},
        "displayName": given.get("display_name"),
    }
    if not body["name"]:
        del body["name"]
    if body["displayName"] is None:
        del body["displayName"]
    manager = ids(write.manager) if write.manager and "manager" in kinds else None
    if manager:
        body[ENTERPRISE] = {"manager": {"value": manager}}
    return body


def _group(write: Write, ids: Ids, kinds: Collection[Kind]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "schemas": [GROUP],
        "externalId": write.set.get("hris_ref", write.hris_ref),
        "displayName": write.set.get("name"),
    }
    if "members_add" in kinds:
        body["members"] = _members(write.add, ids)
    return body


def _operations(write: Write, kinds: Collection[Kind], dialect: Dialect, ids: Ids) -> list[Operation]:
    """The operations of one PATCH. Members leave before others come, so that a full group has room."""
    columns = [column for column in write.set if column != "photo" and kind_of(column, write) in kinds]
    operations = _rfc_attributes(write, columns) if dialect == "rfc" else _entra_attributes(write, columns)
    add, remove = ("add", "remove") if dialect == "rfc" else ("Add", "Remove")
    if "user_photo" in kinds:
        operations.append(_photo(write, dialect))
    if "manager" in kinds:
        manager = ids(write.manager) if write.manager else None
        if manager:
            operations.append({"op": add, "path": MANAGER, "value": {"value": manager} if dialect == "rfc" else manager})
        elif write.clear_manager:
            operations.append({"op": remove, "path": MANAGER})
    if "members_remove" in kinds and (gone := _members(write.remove, ids)):
        if dialect == "rfc":
            operations += [{"op": remove, "path": f"members[value eq {quoted(member['value'])}]"} for member in gone]
        else:
            operations.append({"op": remove, "path": "members", "value": gone})
    if "members_add" in kinds and (come := _members(write.add, ids)):
        operations.append({"op": add, "path": "members", "value": come})
    return operations


def kind_of(column: str, write: Write) -> Kind:
    """The kind under which a write sends an attribute."""
    if write.kind in {"create_group", "update_group"}:
        return "group_create" if write.kind == "create_group" else "group_update"
    if write.kind == "create_user":
        return "user_create"
    return {"active": "user_active", "photo": "user_photo"}.get(column, "user_update")  # type: ignore[return-value]


def _paths(column: str, write: Write) -> tuple[str, ...]:
    return () if column == "email" and "user_name" in write.set else PATHS[column]


def _was_empty(write: Write, column: str) -> bool:
    return column != "active" and write.before.get(column, True) is None


def _rfc_attributes(write: Write, columns: Iterable[str]) -> list[Operation]:
    """The e-mail by its path, what was empty as one add each, what is cleared as one remove each, the rest as one replace."""
    operations: list[Operation] = []
    replaced: dict[str, Any] = {}
    for column in columns:
        value = write.set[column]
        if column == "email":
            if _was_empty(write, column):  # a filter that matches nothing is an error in the RFC (noTarget)
                operations.append({"op": "add", "path": "emails", "value": [_work_email(value)]})
            else:
                operations.append({"op": "replace", "path": WORK_EMAIL, "value": value})
        for path in _paths(column, write):
            if value is None:
                operations.append({"op": "remove", "path": path})
            elif _was_empty(write, column) and path != "userName":  # which is never empty
                operations.append({"op": "add", "path": path, "value": value})
            else:
                replaced[path] = value
    if len(replaced) == 1:
        ((path, value),) = replaced.items()
        operations.append({"op": "replace", "path": path, "value": value})
    elif replaced:
        operations.append({"op": "replace", "value": replaced})
    return operations


def _entra_attributes(write: Write, columns: Iterable[str]) -> list[Operation]:
    """One operation with a path for each attribute; a boolean is a word."""
    operations: list[Operation] = []
    for column in columns:
        value = write.set[column]
        if isinstance(value, bool):
            value = "True" if value else "False"
        was_empty = _was_empty(write, column)
        paths = [(path, was_empty and path != "userName") for path in _paths(column, write)]
        if column == "email":
            paths.append((WORK_EMAIL, was_empty))
        for path, add in paths:
            if value is None:
                operations.append({"op": "Remove", "path": path})
            else:
                operations.append({"op": "Add" if add else "Replace", "path": path, "value": value})
    return operations


def _photo(write: Write, dialect: Dialect) -> Operation:
    """The photo as a whole: the RFC's replace does not mind whether there was one (RFC 7644, 3.5.2.3)."""
    value = write.set["photo"]
    if dialect == "entra":
        op = "Remove" if value is None else "Add" if _was_empty(write, "photo") else "Replace"
        return {"op": op, "path": PHOTO} | ({} if value is None else {"value": value})
    if value is None:
        return {"op": "remove", "path": "photos"}
    return {"op": "replace", "path": "photos", "value": [{"primary": True, "type": "photo", "value": value}]}


def _work_email(address: str | bool | None) -> dict[str, Any]:
    return {"primary": True, "type": "work", "value": address}


def _members(refs: Iterable[UserRef], ids: Ids) -> list[dict[str, str]]:
    return [{"value": found} for ref in refs if (found := ids(ref))]
