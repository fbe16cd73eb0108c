"""SCIM messages: the one place that turns a typed :class:`~hris_pipeline.contracts.writes.Write`
into HTTP requests. Pure.

There are two dialects: ``rfc`` (RFC 7644, and what Entra ID sends with its flag
``aadOptscim062020``) and ``entra`` (what it sends without). Every shape here is one that Entra ID
is documented to send, because that is what deskbird is documented to understand. A service may
understand the one here and the other there, so each *form* (:data:`Form`: a kind of write by a
method and an operation) has a dialect of its own.

``scim2-models`` and ``scim2-client`` do not serve here: the models refuse what Entra's dialect
consists of (a bare string as manager, a remove with a value), and the client has no engine for the
installed httpx and hides the requests that have to be paced and journalled one by one. The tests
validate every RFC message with ``scim2-models``.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from hris_pipeline.contracts.attributes import ATTRIBUTES
from hris_pipeline.contracts.writes import MANAGER as MANAGER_ATOM
from hris_pipeline.contracts.writes import RECORD, Atom, UserRef, Write
from hris_pipeline.deskbird.paths import NAMED

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
"""What a write is about; the journal names its requests by it."""

Form = Literal[
    "user_create",
    "user_create.manager",  # rfc: inside the POST; entra: never, a PATCH follows
    "user_update.replace",
    # rfc: one replace without a path; entra: one operation with a path each, as "replace" has it
    "user_update.several",
    "user_update.add",
    "user_update.remove",
    "user_email.replace",
    "user_email.add",
    "user_element.replace",  # of any other list, such as phoneNumbers
    "user_element.add",
    "user_element.remove",
    "user_active",
    "user_photo",
    "manager.set",
    "manager.clear",
    "group_create",
    "group_create.members",  # as with the manager
    "group_update.replace",
    "group_update.several",
    "group_update.add",
    "group_update.remove",
    "members_add",
    "members_remove",
    "group_delete",
]
"""What a service may understand in one dialect and not in the other; each is proven, remembered and
doubted by itself.
"""

FORMS: tuple[Form, ...] = get_args(Form)

Ids = Callable[[UserRef], str | None]
Operation = dict[str, Any]

PATHS: Mapping[str, tuple[str, ...]] = {  # our column: where SCIM has it, in users and in groups
    "hris_ref": ("externalId",),
    # the work e-mail is addressed by a path of its own beside
    **{attribute.name: attribute.paths for attribute in ATTRIBUTES},
    "active": ("active",),
    "name": ("displayName",),
}
_CREATES = frozenset({"user_create", "group_create"})
ALIKE: frozenset[Form] = frozenset({"user_create", "group_create", "group_delete"})
"""Forms that are the same in both dialects."""

Dialects = Callable[[Form], Dialect]


@dataclass(frozen=True)
class Request:
    """One request that writes: ``path`` is below the service's address and may hold ``{id}``, the
    user's or group's id.

    ``carries`` says which atoms of the write it carries, by the form that carries them.
    """

    method: Literal["POST", "PATCH", "DELETE"]
    path: str
    body: Mapping[str, Any] | None
    kinds: tuple[Kind, ...]
    carries: Mapping[Form, tuple[Atom, ...]]

    @property
    def kind(self) -> str:
        """The kinds in one word, for the journal."""
        return "+".join(self.kinds)

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms it relies upon."""
        return tuple(self.carries)

    @property
    def atoms(self) -> frozenset[Atom]:
        """The parts of the write that it carries."""
        return frozenset(atom for atoms in self.carries.values() for atom in atoms)


@dataclass(frozen=True)
class _Operation:
    """One operation of a PATCH: which form it is, and what of the write it carries."""

    form: Form
    kind: Kind
    atoms: tuple[Atom, ...]
    body: Operation
    dialect: Dialect


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
        kinds = [
            ("group_update", write.set),
            ("members_remove", write.remove),
            ("members_add", write.add),
        ]
    return tuple(kind for kind, there in kinds if there)


def requests_for(
    write: Write, dialect: Dialect | Mapping[Form, Dialect] | Dialects, ids: Ids
) -> list[Request]:
    """The requests that carry out a write, in order.

    ``dialect`` may differ by form. References whose id ``ids`` does not know are left out; a
    request that would be empty is not made.
    """
    spoken = _by_form(dialect)
    endpoint = "/Users" if write.of_user else "/Groups"
    if write.kind == "delete_group":
        return [
            Request(
                "DELETE",
                f"{endpoint}/{{id}}",
                None,
                ("group_delete",),
                {"group_delete": (RECORD,)},
            )
        ]
    requests, rest = [], write
    if write.creates:
        post = _creation(write, spoken, ids)
        requests.append(post)
        # what the POST does not take along follows as a change
        rest = write.only(set(write.atoms) - post.atoms - {RECORD})
    operations = list(_operations(rest, spoken, ids))
    for together in _together(operations):
        body = {"schemas": [PATCH_OP], "Operations": [operation.body for operation in together]}
        kinds = [
            kind for kind in kinds_of(rest) if any(operation.kind == kind for operation in together)
        ]
        carries: dict[Form, tuple[Atom, ...]] = {}
        for operation in together:
            carries[operation.form] = tuple(
                dict.fromkeys((*carries.get(operation.form, ()), *operation.atoms))
            )
        requests.append(Request("PATCH", f"{endpoint}/{{id}}", body, tuple(kinds), carries))
    return requests


def _by_form(dialect: Dialect | Mapping[Form, Dialect] | Dialects) -> Dialects:
    if isinstance(dialect, str):
        return lambda _form: dialect
    if isinstance(dialect, Mapping):
        return lambda form: dialect.get(form, "rfc")
    return dialect


def _together(operations: list[_Operation]) -> list[list[_Operation]]:
    """The RFC's operations go in one PATCH, Entra's attributes in another; Entra's client sends
    everything else alone.
    """
    rfc = [operation for operation in operations if operation.dialect == "rfc"]
    entra = [operation for operation in operations if operation.dialect == "entra"]
    attributes = [
        operation
        for operation in entra
        if operation.kind in {"user_update", "user_active", "group_update"}
    ]
    alone: dict[Kind, list[_Operation]] = {}
    for operation in entra:
        if operation not in attributes:
            alone.setdefault(operation.kind, []).append(operation)
    return [together for together in (rfc, attributes, *alone.values()) if together]


def _creation(write: Write, spoken: Dialects, ids: Ids) -> Request:
    """The POST. The RFC's dialect sends the manager or the members along; Entra's client never
    does.
    """
    attributes: tuple[Atom, ...] = tuple(("attribute", column) for column in write.set)
    if write.of_user:
        manager = (
            ids(write.manager) if write.manager and spoken("user_create.manager") == "rfc" else None
        )
        carries: dict[Form, tuple[Atom, ...]] = {"user_create": (RECORD, *attributes)}
        kinds: tuple[Kind, ...] = ("user_create",)
        if manager:
            carries["user_create.manager"] = (MANAGER_ATOM,)
            kinds = ("user_create", "manager")
        return Request("POST", "/Users", _user(write, manager), kinds, carries)
    members = (
        [ref for ref in write.add if ids(ref)] if spoken("group_create.members") == "rfc" else []
    )
    carries = {"group_create": (RECORD, *attributes)}
    kinds = ("group_create",)
    if members:
        carries["group_create.members"] = tuple(("add", ref.hris_ref) for ref in members)
        kinds = ("group_create", "members_add")
    return Request("POST", "/Groups", _group(write, _members(members, ids)), kinds, carries)


def quoted(text: str) -> str:
    """A string as a filter or a path wants it: in quotes, with what is special in JSON escaped (RFC
    7644, 3.4.2.2).
    """
    return json.dumps(text, ensure_ascii=False)


def _user(write: Write, manager: str | None) -> dict[str, Any]:
    given = write.set
    names = {
        "givenName": given.get("given_name"),
        "familyName": given.get("family_name"),
        "formatted": given.get("display_name"),
    }
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
    for column, path in NAMED.items():
        if given.get(column) is not None:
            path.put(body, given[column])
    if manager:
        body[ENTERPRISE] = {"manager": {"value": manager}}
    return body


def _group(write: Write, members: list[dict[str, str]]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "schemas": [GROUP],
        "externalId": write.set.get("hris_ref", write.hris_ref),
        "displayName": write.set.get("name"),
    }
    if members:
        body["members"] = members
    return body


def _operations(write: Write, spoken: Dialects, ids: Ids) -> Iterator[_Operation]:
    """The operations that change a record. Members leave before others come, so that a full group
    has room.
    """
    yield from _attributes(
        write, [column for column in write.set if column not in {"active", "photo"}], spoken
    )
    if "active" in write.set:
        dialect = spoken("user_active")
        value = write.set["active"]
        word = ("True" if value else "False") if dialect == "entra" else value
        body: Operation = {"op": _op("replace", dialect), "path": "active", "value": word}
        yield _Operation("user_active", "user_active", (("attribute", "active"),), body, dialect)
    if "photo" in write.set:
        dialect = spoken("user_photo")
        yield _Operation(
            "user_photo", "user_photo", (("attribute", "photo"),), _photo(write, dialect), dialect
        )
    manager = ids(write.manager) if write.manager else None
    if manager:
        dialect = spoken("manager.set")
        body = {
            "op": _op("add", dialect),
            "path": MANAGER,
            "value": {"value": manager} if dialect == "rfc" else manager,
        }
        yield _Operation("manager.set", "manager", (MANAGER_ATOM,), body, dialect)
    elif write.clear_manager:
        dialect = spoken("manager.clear")
        yield _Operation(
            "manager.clear",
            "manager",
            (MANAGER_ATOM,),
            {"op": _op("remove", dialect), "path": MANAGER},
            dialect,
        )
    yield from _memberships(write, spoken, ids)


def _memberships(write: Write, spoken: Dialects, ids: Ids) -> Iterator[_Operation]:
    leave = [ref for ref in write.remove if ids(ref)]
    come = [ref for ref in write.add if ids(ref)]
    if leave and spoken("members_remove") == "rfc":
        for ref, member in zip(leave, _members(leave, ids), strict=True):
            body: Operation = {
                "op": "remove",
                "path": f"members[value eq {quoted(member['value'])}]",
            }
            yield _Operation(
                "members_remove", "members_remove", (("remove", ref.hris_ref),), body, "rfc"
            )
    elif leave:
        body = {"op": "Remove", "path": "members", "value": _members(leave, ids)}
        atoms: tuple[Atom, ...] = tuple(("remove", ref.hris_ref) for ref in leave)
        yield _Operation("members_remove", "members_remove", atoms, body, "entra")
    if come:
        dialect = spoken("members_add")
        body = {"op": _op("add", dialect), "path": "members", "value": _members(come, ids)}
        atoms = tuple(("add", ref.hris_ref) for ref in come)
        yield _Operation("members_add", "members_add", atoms, body, dialect)


def _op(word: str, dialect: Dialect) -> str:
    return word if dialect == "rfc" else word.title()


def _paths(column: str, write: Write) -> tuple[str, ...]:
    return () if column == "email" and "user_name" in write.set else PATHS[column]


def _is_element(path: str) -> bool:
    """Whether a path means an element of a list."""
    return "[" in path


def _was_empty(write: Write, column: str) -> bool:
    return write.before.get(column, True) is None


def _attributes(write: Write, columns: Iterable[str], spoken: Dialects) -> Iterator[_Operation]:
    """The e-mail by its path, what was empty as one add each, what is cleared as one remove each,
    the rest as replacements.

    Two replacements and more are one operation without a path where the form for several takes
    that.
    """
    kind: Kind = "user_update" if write.of_user else "group_update"
    columns = list(columns)
    found = [plain for column in columns for plain in _plain(write, column)]
    several: Form = "user_update.several" if write.of_user else "group_update.several"
    replaced = [
        (path, column) for column, op, path in found if op == "replace" and not _is_element(path)
    ]
    as_one = len(replaced) > 1 and spoken(several) == "rfc"
    replace: Form = "user_update.replace" if write.of_user else "group_update.replace"
    if spoken(replace) == "rfc":
        # last, where a replace without a path stands too
        found.sort(key=lambda plain: (plain[2], plain[0]) in replaced)
    for column, op, path in found:
        if as_one and (path, column) in replaced:
            continue
        what = (
            "user_email"
            if path in {WORK_EMAIL, "emails"}
            else "user_element"
            if _is_element(path)
            else kind
        )
        form: Form = f"{what}.{op}"  # type: ignore[assignment]
        dialect, value = spoken(form), write.set[column]
        body: Operation = {"op": _op(op, dialect), "path": path}
        if what == "user_element" and dialect == "rfc" and op != "replace":
            # a filter that matches nothing is an error (noTarget); an element without its value is
            # none
            element = NAMED[column]
            body["path"] = element.root if op == "add" else element.element
            value = element.new_element(value)  # type: ignore[assignment]
        elif path == "emails" and dialect == "entra":
            body["path"] = WORK_EMAIL
        elif path == "emails":
            value = [_work_email(value)]  # type: ignore[assignment]
        if op != "remove":
            body["value"] = value
        yield _Operation(form, kind, (("attribute", column),), body, dialect)
    if as_one:
        atoms: tuple[Atom, ...] = tuple(
            dict.fromkeys(("attribute", column) for _, column in replaced)
        )
        body = {"op": "replace", "value": {path: write.set[column] for path, column in replaced}}
        yield _Operation(several, kind, atoms, body, "rfc")


def _plain(write: Write, column: str) -> Iterator[tuple[str, str, str]]:
    """Column, operation and path of what a column needs. A filter that matches nothing is an error
    in the RFC (noTarget).
    """
    value, was_empty = write.set[column], _was_empty(write, column)
    for path in _paths(column, write):
        # a userName is never empty
        op = "remove" if value is None else "add" if was_empty and path != "userName" else "replace"
        yield column, op, path
    if column == "email":
        yield column, "add" if was_empty else "replace", "emails" if was_empty else WORK_EMAIL


def _photo(write: Write, dialect: Dialect) -> Operation:
    """The photo as a whole: the RFC's replace does not mind whether there was one (RFC 7644,
    3.5.2.3).
    """
    value = write.set["photo"]
    if dialect == "entra":
        op = "Remove" if value is None else "Add" if _was_empty(write, "photo") else "Replace"
        return {"op": op, "path": PHOTO} | ({} if value is None else {"value": value})
    if value is None:
        return {"op": "remove", "path": "photos"}
    return {
        "op": "replace",
        "path": "photos",
        "value": [{"primary": True, "type": "photo", "value": value}],
    }


def _work_email(address: str | bool | None) -> dict[str, Any]:
    return {"primary": True, "type": "work", "value": address}


def _members(refs: Iterable[UserRef], ids: Ids) -> list[dict[str, str]]:
    return [{"value": found} for ref in refs if (found := ids(ref))]
