"""Merge's employees, and the whole read: what Merge says of its syncs, units, people, and once more
what it says of its syncs.

The structs name the mapped fields only. Who somebody is rests on ``remote_id``, the HR system's own
id: Merge's ``id`` changes when an account is deleted and linked anew. A null of Merge's means any
of five things (no value, no such field in this HR system, no permission, no scope, ignored), so
what is null for everybody is taken for unknown; what others have a value for is empty.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from hris_pipeline import clock
from hris_pipeline.contracts.extracts import Extract, Progress, Proof
from hris_pipeline.hris.api import PageWalk
from hris_pipeline.hris.extract import EmployeeFile, OrgUnitFile, only_changes
from hris_pipeline.hris.systems.merge import syncs
from hris_pipeline.hris.systems.merge import units as unit_lists
from hris_pipeline.hris.systems.merge.service import DASHBOARD, PREFIX, Page, Record, Service, Text
from hris_pipeline.hris.systems.merge.units import Units

PATH = f"{PREFIX}/employees"
OVERLAP = dt.timedelta(minutes=10)
"""How much earlier than asked for changes are read: a row bears the moment of its writing, not that
at which it showed.
"""
DELETED = "remote_was_deleted"
"""The status of somebody whom the HR system has deleted: no HR system's own word, so that none of
theirs is taken for it.
"""

ATTRIBUTES = {
    "email": "work_email",
    "given_name": "first_name",
    "family_name": "last_name",
    "status": "employment_status",
    "start_date": "start_date",
    "end_date": "termination_date",
    "manager_id": "manager",
    "updated_at": "modified_at",
}
"""Our column to Merge's field."""
NAMED = {"title": "job_title", "phone": "mobile_phone_number"}
"""The same of sync.attributes. The title stands in the employment, and there is no other phone than
the mobile one.
"""
_MISSING = (
    "Let the HR system's credential behind the account read {attributes}, and switch it on "
    f"among the account's scopes under {DASHBOARD}; then let Merge sync anew."
)


class Reference(Record, frozen=True):
    """Another record, where it is given as a whole and not by its id."""

    remote_id: Text = None


Link = str | Reference | None


class Employee(Record, frozen=True):
    """The mapped fields of one person."""

    remote_id: Text = None
    work_email: Text = None
    first_name: Text = None
    last_name: Text = None
    employment_status: Text = None
    start_date: Text = None
    termination_date: Text = None
    modified_at: Text = None
    manager: Link = None
    groups: list[Link] | None = None
    team: Link = None
    work_location: Link = None
    company: Link = None
    remote_was_deleted: bool | None = None


class Employment(Record, frozen=True):
    """What somebody's job is called, and since when."""

    job_title: Text = None
    effective_date: Text = None


class NamedEmployee(Employee, frozen=True):
    """The same with what a company file may name."""

    mobile_phone_number: Text = None
    employments: list[Employment | str | None] | None = None


PAGE = msgspec.json.Decoder(Page[Employee])
NAMED_PAGE = msgspec.json.Decoder(Page[NamedEmployee])


@dataclass(frozen=True)
class How:
    """How to read: which kinds of group, and what the company file says of words that Merge has
    none for.
    """

    kinds: tuple[str, ...]
    group_types: Mapping[str, str]
    status_words: Mapping[str, str]  # the HR system's word in lower case to Merge's
    stale_hours: float
    since: dt.datetime | None = None
    named: tuple[str, ...] = ()  # of sync.attributes


@dataclass
class People:
    """What a walk over all people has to keep of them."""

    walk: PageWalk
    ids: dict[str, str] = field(default_factory=dict)  # Merge's id to the HR system's
    # the HR system's ids of those that it has not deleted
    live: set[str] = field(default_factory=set)
    shared: int = 0  # how many of them came with an id that another one has
    nameless: int = 0  # how many came without one
    deleted: int = 0


@dataclass(frozen=True)
class Pass:
    """One walk over everything."""

    people: People
    units: Units
    file: EmployeeFile
    unit_file: OrgUnitFile

    @property
    def models(self) -> list[str]:
        """What was read, in Merge's words."""
        return ["Employee", *self.units.models]


def read(
    service: Service, directory: Path, how: How, progress: Progress
) -> tuple[Extract, Extract]:
    """Employees and org units; in a second pass where Merge's own sync ended meanwhile, or a row
    came twice (case 4).
    """
    link = syncs.link(service)
    judge = syncs.Judge(link.now, how.stale_hours)
    before = syncs.syncs(service)
    syncs.refuse_first(service, before)
    found = _pass(service, directory, how, progress)
    if how.since is not None:
        return only_changes(how.since, *_extracts(found, (), (), ""))
    after = syncs.syncs(service)
    remark = ""
    if (
        list(syncs.moved(found.models, before, after))
        or found.people.walk.duplicates
        or found.units.duplicates
    ):
        before, remark = after, " A second pass gave no better result."
        found = _pass(service, directory, how, progress)
        after = syncs.syncs(service)
    syncs.refuse_first(service, after)
    ended = [
        f"Merge's sync of {model} ended while it was read"
        for model in syncs.moved(found.models, before, after)
    ]
    doubts = [
        *link.doubts,
        *ended,
        *judge.models(found.models[:1], after),
        *_people_doubts(found.people),
    ]
    unit_doubts = [
        *link.doubts,
        *ended,
        *judge.models(found.models[1:], after),
        *_unit_doubts(found.units),
    ]
    return _extracts(found, doubts, unit_doubts, remark)


def _pass(service: Service, directory: Path, how: How, progress: Progress) -> Pass:
    """Units first, because people name them by Merge's ids; managers are looked up once everybody
    is there.
    """
    units = unit_lists.read(
        service, how.kinds, how.group_types, lambda count: progress("org_units", count, None)
    )
    people = People(PageWalk(service.api, PATH))
    query, expanded = (
        {"include_deleted_data": "true"},
        (["employments"] if "title" in how.named else []),
    )
    if how.since is not None:
        after = (
            (how.since - OVERLAP)
            .astimezone(dt.UTC)
            .isoformat(timespec="seconds")
            .replace("+00:00", "Z")
        )
        query |= {"modified_after": after}
        expanded.insert(0, "manager")  # who is not among those who changed
    if expanded:
        query |= {"expand": ",".join(expanded)}
    columns = ("id", "employment_id", *ATTRIBUTES, *how.named)
    decoder: msgspec.json.Decoder[Any] = NAMED_PAGE if how.named else PAGE
    with OrgUnitFile(directory) as unit_file:
        for kind, ids, names, parents in units.rows():
            unit_file.add(kind, ids, names, parents)
        file = EmployeeFile(directory, columns, how.kinds, omits_empty=True, manager_ids=people.ids)
        with file:
            for page in service.pages(people.walk, decoder, "Employee", query):
                _add(page, people, file, units, how)
                progress("employees", len(people.walk.seen), None)
            file.flush()
            if how.since is None:
                service.api.demand(file.vanished, ATTRIBUTES, _MISSING)
    return Pass(people, units, file, unit_file)


def _add(
    page: Sequence[Employee], people: People, file: EmployeeFile, units: Units, how: How
) -> None:
    """Put one page into the file. Who came without an id cannot be told from others, and is left
    out.
    """
    known = [person for person in page if person.remote_id not in {None, ""}]
    ids = [str(person.remote_id) for person in known]
    people.nameless += sum(not person.remote_was_deleted for person in page) - sum(
        not p.remote_was_deleted for p in known
    )
    for person, own in zip(known, ids, strict=True):
        people.ids[person.id] = own
        if isinstance(person.manager, Reference) and person.manager.remote_id:
            people.ids.setdefault(person.manager.id, str(person.manager.remote_id))
        if person.remote_was_deleted:
            people.deleted += 1
        elif own in people.live:
            people.shared += 1
        else:
            people.live.add(own)
    columns: dict[str, Sequence[Any]] = {
        column: [UNSET if value is None else value for value in map(attrgetter(key), known)]
        for column, key in ATTRIBUTES.items()
    }
    columns |= {name: [_named(person, name) for person in known] for name in how.named}
    columns["id"] = ids
    columns["employment_id"] = [person.id for person in known]
    columns["status"] = [_status(person, how.status_words) for person in known]
    columns["manager_id"] = [_id(person.manager) for person in known]
    file.add(columns, _groups(known, units, how.kinds))


def _named(person: Employee, name: str) -> Any:
    """The phone, or the title of the latest employment that has one and has begun."""
    if not isinstance(person, NamedEmployee):
        return UNSET
    jobs = [
        each
        for each in person.employments or ()
        if isinstance(each, Employment) and each.job_title is not None
    ]
    begun = [
        each
        for each in jobs
        if str(each.effective_date or "")[:10] <= clock.now().date().isoformat()
    ]
    latest = max(begun or jobs, key=lambda each: str(each.effective_date or ""), default=None)
    value = person.mobile_phone_number if name == "phone" else latest and latest.job_title
    return UNSET if value is None else value


def _id(link: Link) -> Any:
    return UNSET if link is None else link.id if isinstance(link, Reference) else link


def _status(person: Employee, words: Mapping[str, str]) -> Any:
    """Merge's word; the HR system's own where Merge has none for it and the company file says
    nothing of it (case 14).
    """
    if person.remote_was_deleted:
        return DELETED
    word = person.employment_status
    return (
        words.get(word.casefold(), word)
        if isinstance(word, str)
        else UNSET
        if word is None
        else word
    )


def _groups(people: Sequence[Employee], units: Units, kinds: Iterable[str]) -> dict[str, list[Any]]:
    """Who is in which units, kind by kind; of a kind that has no units at all nothing is known."""
    found: dict[str, list[Any]] = {
        kind: [None if kind in units.kinds else UNSET] * len(people) for kind in kinds
    }
    for row, person in enumerate(people):
        for link in (*(person.groups or ()), person.team, person.work_location, person.company):
            if link is not None and (unit := units.known.get(_id(link))):
                kind, own = unit
                # mostly none: a list for each of a million people would cost seconds
                others = found[kind][row]
                found[kind][row] = (
                    own
                    if others is None
                    else [*(others if isinstance(others, list) else [others]), own]
                )
    return found


def _people_doubts(people: People) -> list[str]:
    doubled, shared, nameless = people.walk.duplicates, people.shared, people.nameless
    return _said(
        {
            "an empty list proves nothing": not people.live,
            f"Merge listed {doubled} of them more than once, so others may be missing": doubled,
            f"{shared} of them share their remote_id with another one": shared,
            f"{nameless} of them were left out, for want of a remote_id (look for them under "
            f"{DASHBOARD})": (nameless),
        }
    )


def _unit_doubts(units: Units) -> list[str]:
    return _said(
        {
            f"Merge listed {units.duplicates} of them more than once, so others may be missing": (
                units.duplicates
            ),
            f"{units.shared} of them share kind and remote_id with another one": units.shared,
        }
    )


def _said(reasons: Mapping[str, object]) -> list[str]:
    return [reason for reason, holds in reasons.items() if holds]


def _extracts(
    found: Pass, doubts: Sequence[str], unit_doubts: Sequence[str], remark: str
) -> tuple[Extract, Extract]:
    people, units = found.people, found.unit_file
    listed, listed_units = len(people.walk.seen), units.count
    proof, why = _judged(doubts, f"{listed} people were listed", remark)
    if proof == "proven":
        why = (
            f"All {listed} people that Merge has, {people.deleted} of them marked as deleted, were "
            "read up to its last page, none twice, and its own sync is complete. Deleted people "
            "are marked as far as Merge's deletion detection goes."
        )
    unit_proof, unit_why = _judged(unit_doubts, f"{listed_units} units were listed", remark)
    if unit_proof == "proven":
        unit_why = (
            "All lists were read to their last page, and Merge's own sync of them is complete."
        )
    return (
        Extract(
            "employees",
            found.file.path,
            people.walk.pages,
            listed,
            None,
            proof,
            why,
            found.file.vanished,
        ),
        Extract(
            "org_units", units.path, found.units.pages, listed_units, None, unit_proof, unit_why
        ),
    )


def _judged(doubts: Sequence[str], listed: str, remark: str) -> tuple[Proof, str]:
    return (
        ("unproven", f"{listed} up to Merge's last page, but {'; '.join(doubts)}.{remark}")
        if doubts
        else ("proven", "")
    )
