"""A record of deskbird's against a write: is there what was written, and is anything else different
than before? Pure.
"""

import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hris_pipeline.contracts.attributes import ATTRIBUTES, BY_NAME, derived_together
from hris_pipeline.contracts.writes import MANAGER, RECORD, Atom, UserRef, Write
from hris_pipeline.deskbird.dialects import ENTERPRISE
from hris_pipeline.deskbird.paths import NAMED
from hris_pipeline.deskbird.scim import Group, User

_READ_ELSEWHERE = {
    *(
        "id",
        "meta",
        "schemas",
        "groups",
        "externalId",
        "displayName",
        "emails",
        "active",
        "members",
        ENTERPRISE,
    ),
    *(
        path.partition(".")[0]
        for attribute in ATTRIBUTES
        if not attribute.opt_in
        for path in attribute.paths
    ),
}


@dataclass(frozen=True)
class Seen:
    """A record as it was read: what we know of it, and the whole of it as JSON."""

    record: User | Group
    whole: Mapping[str, Any]


def differences(
    write: Write,
    record: User | Group,
    ids: Callable[[UserRef], str | None],
    readable: Collection[str],
) -> tuple[set[Atom], set[Atom]]:
    """Which parts of a write the record does not hold; and which it says nothing about.

    Something that is wanted, not shown, and not known to be ``readable`` is hidden, not wrong.
    """
    if write.kind == "delete_group":
        return {RECORD}, set()
    wrong: set[Atom] = set()
    hidden: set[Atom] = set()

    def judge(atom: Atom, wanted: object, shown: object, read_as: str) -> None:
        if not alike(wanted, shown):
            (hidden if shown in {None, ""} and read_as not in readable else wrong).add(atom)

    held = held_by(record)
    for column, value in write.set.items():
        if column != "photo":
            judge(
                ("attribute", column),
                value,
                held[column],
                "external_id" if column == "hris_ref" else column,
            )
    if isinstance(record, User):
        if "photo" in write.set and record.has_photo != (write.set["photo"] is not None):
            hidden.add(("attribute", "photo"))  # which photo it is nobody compares
        if "email" in write.set:
            judge(
                ("attribute", "email"),
                write.set.get("user_name", write.set["email"]),
                record.user_name,
                "user_name",
            )
        if write.manager or write.clear_manager:
            judge(
                MANAGER,
                ids(write.manager) if write.manager else None,
                record.manager_id,
                "manager_deskbird_id",
            )
    else:
        members = set(record.member_ids)
        # A group may show its first members only. Whether somebody is missing, the read-back of all
        # groups judges.
        in_part = any(ids(ref) in members for ref in write.add)
        for ref in write.add:
            if ids(ref) not in members and not in_part:
                (hidden if members or "members" not in readable else wrong).add(
                    ("add", ref.hris_ref)
                )
        wrong |= {("remove", ref.hris_ref) for ref in write.remove if ids(ref) in members}
    return wrong, hidden - wrong


def collateral(
    write: Write, before: Seen, after: Seen, ids: Callable[[UserRef], str | None]
) -> set[str]:
    """What else has changed between two reads around a write: names of attributes, ``manager``,
    ``members``.

    Of attributes that we do not know, only what is gone counts: a service may change them of its
    own.
    """
    written = set(write.set) | ({"manager"} if write.manager or write.clear_manager else set())
    written |= {"external_id"} if "hris_ref" in written else set()
    # another value of what a service may derive from what is written is no surprise
    excused = written.union(*(derived_together(name) for name in written if name in BY_NAME))
    found = set()
    one, two = held_by(before.record), held_by(after.record)
    for column in one.keys() - {"deskbird_id", "hris_ref", "version", *NAMED}:
        name = "manager" if column == "manager_deskbird_id" else column
        cleared = two[column] in {None, ""} and name not in written
        if not alike(one[column], two[column]) and (name not in excused or cleared):
            found.add(name)
    if isinstance(before.record, Group) and isinstance(after.record, Group):
        found |= _members_lost(
            write, set(before.record.member_ids), set(after.record.member_ids), ids
        )
    return found | (
        _gone(before.whole, after.whole) - {NAMED[name].root for name in written & NAMED.keys()}
    )


def _members_lost(
    write: Write, one: set[str], two: set[str], ids: Callable[[UserRef], str | None]
) -> set[str]:
    """A group that shows only some of its members may show others afterwards; fewer than before, or
    none of them, is a loss.
    """
    asked = {ids(ref) for ref in (*write.add, *write.remove)}
    lost, come = (one - two) - asked, (two - one) - asked
    stay = one - asked
    # an empty group gains nobody by itself; a partial list may show somebody new in the place of
    # who left
    gained = bool(come) and not lost and len(come) > len(one & asked)
    fewer = len(two) < len(one) - len(one & {ids(ref) for ref in write.remove})
    return {"members"} if gained or (lost and (fewer or not stay & two)) else set()


def _gone(one: Mapping[str, Any], two: Mapping[str, Any]) -> set[str]:
    found = {
        key
        for key, value in one.items()
        if key not in _READ_ELSEWHERE and value and not two.get(key)
    }
    first, second = one.get(ENTERPRISE), two.get(ENTERPRISE)
    if isinstance(first, Mapping):
        kept = second if isinstance(second, Mapping) else {}
        found |= {
            key for key, value in first.items() if key != "manager" and value and not kept.get(key)
        }
    return found


def as_held(held: Mapping[str, str | bool | None], record: User | Group) -> bool:
    """Whether a record is in all that we know of it as it was read before."""
    now = held_by(record)
    return all(alike(value, now.get(column)) for column, value in held.items())


def held_by(record: User | Group) -> dict[str, str | bool | None]:
    """A record by our column names, the marker as ``hris_ref`` too."""
    named = record.named(NAMED) if isinstance(record, User) else {}
    return {**record.values(), **named, "hris_ref": record.external_id}


def shown(record: User | Group) -> set[str]:
    """What a record shows deskbird to give back."""
    columns = {column for column, value in held_by(record).items() if value not in {None, ""}}
    return columns | {"members"} if isinstance(record, Group) and record.member_ids else columns


def alike(wanted: object, shown: object) -> bool:
    """Whether deskbird holds what was sent: Unicode's two ways to write an umlaut and the case of
    an address do not count.
    """
    if isinstance(wanted, str) and isinstance(shown, str):
        one, two = (unicodedata.normalize("NFC", text).strip() for text in (wanted, shown))
        return one == two or ("@" in one and one.casefold() == two.casefold())
    return wanted == shown or (not wanted and not shown and not isinstance(wanted, bool))


def same_tag(one: str | None, two: str | None) -> bool:
    """Whether two tags name the same version once what gateways do to them is undone: weakness,
    quotes, a mark of compression.
    """
    return one is not None and two is not None and _bare(one) == _bare(two)


def _bare(tag: str) -> str:
    text = tag.strip()
    if text[:2].upper() == "W/":
        text = text[2:]
    text = text.replace('\\"', "").replace("&quot;", "").strip('" ')
    for mark in ("--gzip", "-gzip", ";gzip", "-br"):
        text = text.removesuffix(mark)
    return text
