"""One change in the cells of a row: whom it is about, and what it changes; with names, or by
reference.
"""

from dataclasses import replace

from hris_pipeline.presentation import clean
from hris_pipeline.reports.plan import Change
from hris_pipeline.wording import count


def who(change: Change) -> tuple[str, str]:
    """The name of whom or what it is about, and its id."""
    return clean(change.who or "(no name)"), change.hris_ref or change.deskbird_id or ""


def what(change: Change) -> list[tuple[str, str, str]]:
    """(attribute, before, after) of what it changes, in words; before is empty for what is new."""
    if change.object == "membership":
        group = (
            f"{clean(change.group or change.group_ref or change.group_deskbird_id)} "
            f"({words(change.kind)})"
        )
        return [("", group, "")] if change.action == "remove" else [("", "", group)]
    if change.object == "manager":
        return [("", _manager(change.manager_before), _manager(change.manager_after) or "nobody")]
    if change.object == "user" and change.action == "create":
        return [("", "", _value("email", change.after.get("email")))]
    if change.object == "user" and change.action == "link":
        return [
            (
                "",
                "",
                (
                    "the user with this e-mail"
                    if change.evidence.get("rule") == "email"
                    else "our marker"
                ),
            )
        ]
    if change.object == "group" and change.action == "create":
        members = change.evidence.get("members")
        named = f" with {count(members, 'member')}" if isinstance(members, int) else ""
        return [("", "", f"{words(change.kind)}{named}")]
    names = sorted({*change.before, *change.after})
    if change.after.get("user_name") == change.after.get("email") is not None:
        names.remove("user_name")  # it is the address, once more
    return [
        (
            "" if name == "active" else words(name),
            _value(name, change.before.get(name)),
            _value(name, change.after.get(name)),
        )
        for name in names
    ]


def without_dates(change: Change) -> Change:
    """The same; the reason does not say when somebody's employment ended."""
    ended = change.reason_code == "ended_on_a_day"
    if change.reason_code is None:
        ended = change.evidence.get("status") == "ended" and bool(change.evidence.get("end_date"))
    return replace(change, reason="The HRIS says that the employment ended.") if ended else change


def what_by_reference(change: Change) -> list[tuple[str, str, str]]:
    """The same without a name, an address or another value of a person: which attribute changes,
    and references.
    """
    if change.object == "membership":
        group = change.group_ref or change.group_deskbird_id or ""
        return [("", group, "")] if change.action == "remove" else [("", "", group)]
    if change.object == "manager":
        before, after = (
            ref or side.get("manager_ref") or side.get("manager_deskbird_id") or ""
            for (ref, _), side in (
                (change.manager_before, change.before),
                (change.manager_after, change.after),
            )
        )
        return [("", before, after or "nobody")]
    if change.object == "user" and change.action == "create":
        return []
    said = what(change)
    if (change.object, change.action) in {("user", "link"), ("group", "create")}:
        return said
    # without a name: active
    return [(name, "", "") if name else (name, before, after) for name, before, after in said]


def _manager(person: tuple[str | None, str | None]) -> str:
    ref, name = person
    return clean(name or ref or "")


def words(name: str | None) -> str:
    """An attribute, or a kind of group, in words."""
    return {"cost_center": "cost centre"}.get(name or "", (name or "group").replace("_", " "))


def _value(name: str, value: object) -> str:
    if name == "active":
        return "active" if value else "inactive"
    if name == "photo" and value:
        return str(value)[:15]  # of the digest enough to tell two pictures apart
    return "nothing" if value is None or value == "" else clean(value)
