"""What a PATCH or a filter speaks of, without carrying it out."""

from collections.abc import Iterable
from typing import Any, cast

from scim2_models import PatchOp
from scim2_models.path import CompareOperator, Comparison, LogicalExpr, LogicalOperator

from hris_pipeline.sandbox.deskbird.forms import name_of


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


def only_eq_and_and(node: Any) -> bool:
    """Whether a filter holds nothing but ``eq`` and ``and``."""
    if isinstance(node, Comparison):
        return node.op == CompareOperator.eq
    if isinstance(node, LogicalExpr):
        return node.op == LogicalOperator.and_ and all(only_eq_and_and(term) for term in node.terms)
    inner = getattr(node, "val_filter", None)  # emails[type eq "work"].value eq "..."
    return inner is not None and only_eq_and_and(inner)


def names_touched(operation: Any) -> set[str]:
    """The attributes that one operation of a PATCH changes, by their names in small letters."""
    path, value = operation.path, operation.value
    keys = [str(path)] if path is not None else list(value) if isinstance(value, dict) else []
    return {name_of(key).partition("[")[0] for key in keys}


def covers(what: str, touched: Iterable[str]) -> bool:
    """Whether an attribute is among those that are changed, as a part or as the whole of one."""
    wanted = what.lower()
    return any(
        name == wanted or name.startswith(f"{wanted}.") or wanted.startswith(f"{name}.")
        for name in touched
    )


def members_written(message: "PatchOp[Any]") -> int:
    """How many members a PATCH holds that speaks of all of them at once."""
    written = 0
    for operation in message.operations or ():
        value = (
            operation.value.get("members") if isinstance(operation.value, dict) else operation.value
        )
        written += len(value) if isinstance(value, list) else 1
    return written
