"""PATCH messages in any mixture of the two dialects, as RFC 7644 has them. Pure.

:func:`understood` reads each operation by the row of
:class:`~hris_pipeline.sandbox.deskbird.behaviour.Forms` that it belongs to. Sources
of the forms: RFC 7644, 3.5.2, and Microsoft's tutorial on developing a SCIM endpoint.
"""

import json
from typing import Any

from scim2_models import (
    Error,
    InvalidPathException,
    InvalidSyntaxException,
    InvalidValueException,
    SCIMException,
)

from hris_pipeline.sandbox.deskbird.behaviour import ENTRA, Form, Forms, Row

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_OPS = {"add", "replace", "remove"}
_WORDS = {"True": True, "False": False}
Operation = dict[str, Any]


def understood(message: Any, forms: Forms) -> Any:
    """The message as the RFC has it; what ``forms`` does not understand is refused with 400, left
    out, or passed as it is.

    ``invalidSyntax`` for an ``op`` of the wrong case, ``invalidPath`` for a path that is missing or
    of the wrong kind, ``invalidValue`` for a value of the wrong kind.
    """
    if not isinstance(message, dict) or not isinstance(message.get("Operations"), list):
        raise InvalidSyntaxException(detail="a PATCH needs Operations")
    return {
        **message,
        "Operations": [read for each in message["Operations"] for read in _operation(each, forms)],
    }


def from_entra(message: Any) -> Any:
    """A message of Entra's client as RFC 7644 has it; every form that Entra without its flag does
    not send is refused.
    """
    return understood(message, ENTRA)


def name_of(path: str) -> str:
    """An attribute's path without the schema of the enterprise extension, in small letters."""
    return path.lower().removeprefix(f"{ENTERPRISE}:".lower())


def row_of(op: str, path: str) -> Row:
    """The row that an operation with a path belongs to."""
    name = name_of(path)
    if name == "active":
        return "active"
    if name.startswith("manager"):
        return "manager"
    if name.startswith("members"):
        return "remove_members" if op == "remove" else "add_members"
    return "empty" if op == "add" else "attributes"


def _operation(operation: Any, forms: Forms) -> list[Operation]:
    if not isinstance(operation, dict) or str(operation.get("op")).lower() not in _OPS:
        raise InvalidSyntaxException(detail="op must be add, replace or remove")
    op, path = operation["op"].lower(), operation.get("path")
    if isinstance(path, str) and path:
        row = row_of(op, path)
        return _or_else(forms, row, operation, lambda: _with_path(operation, op, path, row, forms))
    return _without_path(operation, op, forms)


def _or_else(forms: Forms, row: Row, operation: Operation, read: Any) -> list[Operation]:
    """What was read, or what becomes of an operation that is not understood."""
    try:
        operations: list[Operation] = read()
    except SCIMException as problem:
        match forms.exceptions.get(row, forms.otherwise):
            case "ignored":
                return []
            case "taken":
                op = operation["op"].lower()
                return [
                    {
                        key: held
                        for key, held in {**operation, "op": op}.items()
                        if key != "value" or op != "remove"
                    }
                ]
            case "untyped":
                raise SCIMException.from_error(Error(status=400, detail="bad request")) from None
            case _:
                raise problem from None
    return operations


def _check_case(op: str, form: Form, forms: Forms) -> None:
    """Refuse an ``op`` that is written in the other dialect's way."""
    if (
        forms.op == "strict"
        and form != "both"
        and op != (op.capitalize() if form == "entra" else op.lower())
    ):
        raise InvalidSyntaxException(detail="op must be add, replace or remove, in the right case")


def _with_path(operation: Operation, op: str, path: str, row: Row, forms: Forms) -> list[Operation]:
    form, value = forms.of(row), operation.get("value")
    _check_case(operation["op"], form, forms)
    rest = {"op": op, "path": path}
    match row:
        case "active":
            return (
                [rest]
                if op == "remove"
                else [{**rest, "value": _active(value, form, words_only=forms.words_only)}]
            )
        case "manager":
            return _manager(rest, value, form)
        case "add_members" | "remove_members":
            return _members(rest, operation, form)
        case _:
            if (
                op != "remove"
                and form == "entra"
                and not isinstance(value, (str, bool, int, float))
            ):
                raise InvalidValueException(detail="a plain value is needed")
            return [rest] if op == "remove" else [{**rest, "value": value}]


def _active(value: Any, form: Form, *, words_only: bool) -> Any:
    if isinstance(value, bool):
        if words_only and form != "rfc":
            raise InvalidValueException(detail="active must be True or False, as a word")
        return value
    if form == "rfc" or value not in _WORDS:
        raise InvalidValueException(detail="active must be true or false")
    return _WORDS[value]


def _manager(rest: Operation, value: Any, form: Form) -> list[Operation]:
    if name_of(rest["path"]) != "manager":
        if form == "entra":
            raise InvalidPathException(detail="only the plain path manager is understood")
        return [rest] if rest["op"] == "remove" else [{**rest, "value": value}]
    if rest["op"] == "remove":
        return [rest]
    if isinstance(value, str) and form != "rfc":
        return [{**rest, "value": {"value": value}}]
    if not isinstance(value, dict) or form == "entra":
        raise InvalidValueException(detail="the manager has another form")
    return [{**rest, "value": value}]


def _members(rest: Operation, operation: Operation, form: Form) -> list[Operation]:
    op, path = rest["op"], rest["path"]
    value: Any = operation.get("value")
    whole = name_of(path) == "members"
    if not whole:  # members[value eq "ID"], members.value
        if form == "entra":
            raise InvalidPathException(detail="only the plain path members is understood")
        return [rest if op == "remove" else {**rest, "value": value}]
    if op == "replace":
        if form == "entra":
            raise InvalidPathException(detail="members can be added and removed, not replaced")
        return [{**rest, "value": value}]
    plain = isinstance(value, list) and all(
        isinstance(item, dict) and isinstance(item.get("value"), str) for item in value
    )
    if op == "add":
        if form == "entra" and not plain:
            raise InvalidValueException(detail="members must be a list of objects with a value")
        return [
            {
                **rest,
                "value": (
                    [{"value": item["value"]} for item in value]
                    if plain and form == "entra"
                    else value
                ),
            }
        ]
    if "value" not in operation and form != "entra":
        return [rest]
    if form == "rfc" or not plain:
        raise InvalidValueException(detail="members are removed in another form")
    return [{"op": op, "path": f"members[value eq {json.dumps(item['value'])}]"} for item in value]


def _without_path(operation: Operation, op: str, forms: Forms) -> list[Operation]:
    """An object of several attributes, each judged by its own row; the RFC's form only."""
    value = operation.get("value")

    def refuse() -> list[Operation]:
        raise InvalidPathException(detail="every operation needs a path")

    if not isinstance(value, dict) or op == "remove":
        return _or_else(forms, "attributes", operation, refuse)
    kept: dict[str, Any] = {}
    for key, item in value.items():
        row: Row = "attributes" if (row_of(op, key) == "empty") else row_of(op, key)
        one = {"op": operation["op"], "value": {key: item}}

        def read(key: str = key, item: Any = item, row: Row = row) -> list[Operation]:
            _check_case(operation["op"], forms.of(row), forms)
            if (
                forms.of(row) == "entra"
                or forms.of("attributes") == "entra"
                or ("." in key.rpartition(":")[2] and not forms.dotted_keys)
            ):
                return refuse()
            if row == "active":
                item = _active(item, forms.of(row), words_only=False)
            return [{"op": op, "value": {key: item}}]

        for each in _or_else(forms, row, one, read):
            kept |= each["value"]
    return [{"op": op, "value": kept}] if kept else []
