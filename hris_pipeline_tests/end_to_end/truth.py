"""What deskbird must hold, from HR's records alone, and what it holds otherwise: written without
any code of the product.

The tests of whole nights compare with this a service's own store, read by the test itself, so that
a mistake of the product cannot hide in a comparison that the product makes.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hris_pipeline.sandbox.company import Person, Snapshot

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ATTRIBUTES = ("userName", "emails", "name.givenName", "name.familyName", "displayName", "manager")
KINDS = ("team", "department")


def works_here(person: Person, today: dt.date) -> bool:
    """Whether somebody is employed today."""
    job = person.current
    return (
        job is not None
        and job.status in {"ACTIVE", "LEAVE"}
        and job.start_date <= today <= (job.end_date or today)
    )


def manager_id(user: Mapping[str, Any]) -> str | None:
    """The id of a user's manager, None where there is none."""
    found = (user.get(ENTERPRISE) or {}).get("manager")
    return (found.get("value") if isinstance(found, dict) else found) or None


def work_email(user: Mapping[str, Any]) -> str | None:
    """The address a user is written to."""
    emails = [email for email in user.get("emails") or () if email]
    first = [email["value"] for email in emails if email.get("type") == "work"] + [
        email["value"] for email in emails
    ]
    return first[0] if first else None


def held(user: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a user that HR decides."""
    name = user.get("name") or {}
    return {
        "userName": user.get("userName"),
        "emails": work_email(user),
        "name.givenName": name.get("givenName"),
        "name.familyName": name.get("familyName"),
        "displayName": user.get("displayName"),
        "manager": manager_id(user),
    }


@dataclass(frozen=True)
class Difference:
    """One thing in which a service is not as HR has it: whose (a person's or a group's marker), and
    what of it.
    """

    whose: str
    what: str  # missing, twice, active, an attribute, members, member:<marker>
    holds: str = ""  # never a name or an address

    def __str__(self) -> str:
        return f"{self.whose}: {self.what}{self.holds and f' ({self.holds})'}"


def differences(
    snapshot: Snapshot,
    users: Iterable[Mapping[str, Any]],
    groups: Iterable[Mapping[str, Any]],
    *,
    kinds: Collection[str] = KINDS,
    attributes: Collection[str] = ATTRIBUTES,
    connection: str = "personio",
) -> Iterator[Difference]:
    """In what a service that holds these users and groups is not as the HR system has it.

    Users without a marker of ours are left out; so are people whose record vanished, of whom HR
    says nothing.
    """
    marked: dict[str, list[Mapping[str, Any]]] = {}
    for user in users:
        if str(user.get("externalId") or "").startswith(f"{connection}:"):
            marked.setdefault(str(user["externalId"]), []).append(user)
    employed = {
        f"{connection}:{p.id}": p for p in snapshot.persons.values() if works_here(p, snapshot.date)
    }
    yield from (Difference(ref, "twice") for ref, found in marked.items() if len(found) > 1)
    yield from (Difference(ref, "missing") for ref in employed if ref not in marked)
    one = {ref: found[0] for ref, found in marked.items()}
    for ref, user in one.items():
        if ref in employed:
            yield from _of_user(ref, employed[ref], user, one, employed, attributes, connection)
        elif user.get("active") is not False and int(ref.rpartition(":")[2]) in snapshot.persons:
            yield Difference(ref, "active")
    yield from _of_groups(
        snapshot, groups, {u["id"]: ref for ref, u in one.items()}, employed, kinds, connection
    )


def _of_user(
    ref: str,
    person: Person,
    user: Mapping[str, Any],
    users: Mapping[str, Mapping[str, Any]],
    employed: Mapping[str, Person],
    attributes: Collection[str],
    connection: str,
) -> Iterator[Difference]:
    job = person.current
    assert job is not None
    boss = f"{connection}:{job.supervisor}" if job.supervisor else None
    wanted = {
        "userName": person.email,
        "emails": person.email,
        "name.givenName": person.first_name,
        "name.familyName": person.last_name,
        "displayName": f"{person.first_name} {person.last_name}",
        "manager": users.get(boss, {}).get("id") if boss else None,
    }
    if user.get("active") is False:
        yield Difference(ref, "active")
        return
    has = held(user)
    for attribute in attributes:
        if attribute == "manager" and boss and boss not in employed:
            continue  # somebody who left, or whose record vanished: HR still names them
        if str(has[attribute]).casefold() != str(wanted[attribute]).casefold():
            yield Difference(ref, attribute, "empty" if has[attribute] is None else "")


def _of_groups(
    snapshot: Snapshot,
    groups: Iterable[Mapping[str, Any]],
    refs: Mapping[str, str],
    employed: Mapping[str, Person],
    kinds: Collection[str],
    connection: str,
) -> Iterator[Difference]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for group in groups:
        found.setdefault(str(group.get("externalId")), []).append(group)
    for unit in snapshot.units:
        if unit.kind not in kinds:
            continue
        ref = f"{connection}:{unit.kind}:{unit.id}"
        wanted = {
            who
            for who, p in employed.items()
            if p.current and getattr(p.current, unit.kind) == unit.id
        }
        if len(found.get(ref, ())) > 1:
            yield Difference(ref, "twice")
        if ref not in found:
            if wanted:
                yield Difference(ref, "missing")
            continue
        group, *_ = found[ref]
        if not str(group.get("displayName")).startswith(unit.name):
            yield Difference(ref, "displayName")
        has = {refs[m["value"]] for m in group.get("members") or () if m and m["value"] in refs}
        yield from (Difference(ref, f"member:{who}", "not in it") for who in sorted(wanted - has))
        yield from (
            Difference(ref, f"member:{who}", "still in it")
            for who in sorted((has & set(employed)) - wanted)
        )
