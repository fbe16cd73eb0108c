"""Personio v2: persons in pages, the employments of each person by themselves, the names of units
in lists of their own.

v2 gives no total. An extract is proven by its last page, together with the total that one v1
request gives to the same credential where that is permitted. The structs name the mapped attributes
only; a key that is absent is ``UNSET``. By the vendor's document most keys cannot be null: one that
somebody has no value for is left out, like one that the credential may not read, so that only a key
that nobody has is taken for unknown.
"""

import contextlib
import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from hris_pipeline.contracts.extracts import Extract, Progress, Proof
from hris_pipeline.contracts.probes import Probe
from hris_pipeline.errors import HrisError
from hris_pipeline.hris.api import AGAIN, Api, PageWalk, in_order, probed, probed_first
from hris_pipeline.hris.extract import EmployeeFile, OrgUnitFile, only_changes
from hris_pipeline.hris.systems.personio import v1
from hris_pipeline.http import RateLimiter, backoff

PERSONS = "/v2/persons"
PERSON_LIMIT = 50  # the most that Personio gives at once, as for employments
UNIT_LIMIT = 100
RIGHT = "the right to read Persons (personio:persons:read)"
BETA = {"Beta": "true"}  # without it these paths do not exist
# Personio is known to answer 404 now and then for a person whom it has just listed
ASKS_FOR_A_PERSON = 3

COLUMNS = ("id", "employment_id", *v1.ATTRIBUTES)

Text = str | int | float | bool | None | UnsetType
T = TypeVar("T", bound="Identified")


class Identified(Struct, frozen=True):
    """Whatever is listed has an id."""

    id: int | str


class Reference(Struct, frozen=True):
    """A link to another resource."""

    id: Text = UNSET


class OrgUnitReference(Struct, frozen=True):
    """A link to a team or department; samples write the type in lower case, enumerations in upper
    case.
    """

    id: int | str
    type: str | None = None


class Termination(Struct, frozen=True):
    """How an employment ends."""

    termination_date: Text = UNSET


class Employment(Identified, frozen=True):
    """The mapped attributes of one employment."""

    status: Text = UNSET
    employment_start_date: Text = UNSET
    employment_end_date: Text = UNSET
    termination: Termination | UnsetType | None = UNSET
    supervisor: Reference | UnsetType | None = UNSET
    office: Reference | UnsetType | None = UNSET
    legal_entity: Reference | UnsetType | None = UNSET
    org_units: list[OrgUnitReference] | UnsetType | None = UNSET
    cost_centers: list[Identified] | UnsetType | None = UNSET
    updated_at: Text = UNSET


class Position(Struct, frozen=True):
    """What somebody's job is called."""

    title: Text = UNSET


class NamedEmployment(Employment, frozen=True):
    """The same with what holds the title."""

    position: Position | UnsetType | None = UNSET


class Person(Identified, frozen=True):
    """The mapped attributes of one person."""

    email: Text = UNSET
    first_name: Text = UNSET
    last_name: Text = UNSET
    status: Text = UNSET
    updated_at: Text = UNSET
    employments: list[Reference] | UnsetType | None = UNSET


class Custom(Struct, frozen=True):
    """An attribute that the account has made for itself."""

    id: int | str | None = None
    global_id: str | None = None
    value: Any = UNSET


class NamedPerson(Person, frozen=True):
    """The same with such attributes."""

    custom_attributes: list[Custom] | UnsetType | None = UNSET


class Unit(Identified, frozen=True):
    """An org unit, cost centre, workplace or legal entity: of a legal entity's bank details, say,
    nothing is decoded.
    """

    name: Text = UNSET
    parent_id: Text = UNSET


class Link(Struct, frozen=True):
    """A link to a page."""

    href: str | None = None


class Links(Struct, frozen=True):
    """The links of a page; there is no next one on the last."""

    next: Link | str | None = None


class Meta(Struct, frozen=True):
    """What a page says of its place."""

    links: Links | None = None


class Page(Struct, Generic[T], frozen=True):
    """One page of a list; a few endpoints leave the underscores out."""

    underscored_data: list[T] | UnsetType = field(default=UNSET, name="_data")
    plain_data: list[T] | UnsetType = field(default=UNSET, name="data")
    underscored_meta: Meta | None = field(default=None, name="_meta")
    plain_meta: Meta | None = field(default=None, name="meta")

    @property
    def data(self) -> list[T] | None:
        """The records; None where the answer holds no list at all."""
        data = self.underscored_data if self.plain_data is UNSET else self.plain_data
        return None if data is UNSET else data

    @property
    def next(self) -> str | None:
        """The link to the next page, None on the last."""
        meta = self.underscored_meta or self.plain_meta
        link = meta.links.next if meta and meta.links else None
        return (link.href if isinstance(link, Link) else link) or None


PERSON_PAGE = msgspec.json.Decoder(Page[Person])
EMPLOYMENT_PAGE = msgspec.json.Decoder(Page[Employment])
NAMED_PERSON_PAGE = msgspec.json.Decoder(Page[NamedPerson])
NAMED_EMPLOYMENT_PAGE = msgspec.json.Decoder(Page[NamedEmployment])
UNIT_PAGE = msgspec.json.Decoder(Page[Unit])


@dataclass(frozen=True)
class UnitList:
    """Where the names of one kind of group are listed."""

    path: str
    right: str
    query: Mapping[str, str | int]
    headers: Mapping[str, str]


ORG_UNITS_RIGHT = "the right to read Org units (personio:org-units:read)"
UNIT_LISTS = {
    "team": UnitList("/v2/org-units", ORG_UNITS_RIGHT, {"type": "team"}, BETA),
    "department": UnitList("/v2/org-units", ORG_UNITS_RIGHT, {"type": "department"}, BETA),
    "cost_center": UnitList(
        "/v2/cost-centers", "the right to read Cost centers (personio:cost-centers:read)", {}, BETA
    ),
    "location": UnitList("/v2/workplaces", "the right to read Workplaces", {}, BETA),
    "legal_entity": UnitList("/v2/legal-entities", "the right to read Legal entities", {}, {}),
}


@dataclass(frozen=True)
class How:
    """How to read: requests a second on each path, workers, and whether v1 is asked for the
    total.
    """

    rate: float
    concurrency: int
    total_from_v1: bool
    named: Mapping[str, str] = attribute(default_factory=dict)
    """Further attributes, and Personio's keys for them."""

    @property
    def person_page(self) -> msgspec.json.Decoder[Any]:
        """What decodes a page of people."""
        return NAMED_PERSON_PAGE if set(self.named.values()) - {v1.POSITION} else PERSON_PAGE

    @property
    def employment_page(self) -> msgspec.json.Decoder[Any]:
        """What decodes a page of employments."""
        return NAMED_EMPLOYMENT_PAGE if v1.POSITION in self.named.values() else EMPLOYMENT_PAGE


class _NotFound(Exception):  # noqa: N818 - says what happened
    """A person who was just listed is answered with 404."""


def read(
    api: Api,
    directory: Path,
    kinds: Sequence[str],
    how: How,
    progress: Progress,
    *,
    since: dt.datetime | None = None,
) -> tuple[Extract, Extract]:
    """Employees, one row for each employment, and the org units of the kinds asked for."""
    if since is None:
        return _read(api, directory, kinds, how, progress, only={})
    only = {"updated_at.gt": f"{since:%Y-%m-%dT%H:%M:%SZ}"}
    return only_changes(
        since,
        *_read(api, directory, kinds, replace(how, total_from_v1=False), progress, only=only),
    )


def _read(
    api: Api,
    directory: Path,
    kinds: Sequence[str],
    how: How,
    progress: Progress,
    *,
    only: Mapping[str, str],
) -> tuple[Extract, Extract]:
    """One walk over the people whom the filters ``only`` ask for, and over all units."""
    with (
        EmployeeFile(directory, (*COLUMNS, *how.named), kinds, omits_empty=True) as file,
        OrgUnitFile(directory) as unit_file,
    ):
        # before the first page: who is deleted meanwhile and makes the others move up would else go
        # unnoticed
        total = (
            _total(api)
            if how.total_from_v1
            else _Total(remark=" Its total was not asked for (total_from_v1 is false).")
        )
        unit_walks = _units(api, unit_file, kinds, progress)
        walk = PageWalk(api, PERSONS)
        pacer = RateLimiter(how.rate)  # Personio limits each path by itself
        people = (
            person
            for page in _pages(api, walk, {"limit": PERSON_LIMIT, **only}, how.person_page, RIGHT)
            for person in page
        )
        left_out = doubled = 0
        asked = in_order(
            partial(_employments, api, pacer, how.employment_page),
            people,
            workers=how.concurrency,
            stop=api.client.stop,
        )
        with contextlib.closing(asked):
            for done, (person, found) in enumerate(asked, 1):
                if found is None:
                    left_out += 1
                else:
                    employments, duplicates = found
                    doubled += duplicates
                    file.add(
                        columns(person, employments, how.named),
                        {kind: groups(kind, employments) for kind in kinds},
                    )
                progress("employees", done, total.expected)
        file.flush()
        if not only:
            v1.demand(api, file.vanished)
    proof, why = _judge(walk, left_out, doubled, total)
    return (
        Extract(
            "employees",
            file.path,
            walk.pages,
            len(walk.seen) - left_out,
            total.expected,
            proof,
            why,
            file.vanished,
        ),
        _unit_extract(unit_file, unit_walks),
    )


def probes(api: Api, kinds: Sequence[str], how: How) -> Iterator[Probe]:
    """The credential; people, and one person's employments; each list of units; v1's total; each
    attribute that is read.
    """
    credential = probed("the API credential (POST /v2/auth/token)", api.log_in)
    yield credential
    if credential.problem:
        return
    what = f"people (GET {PERSONS})"
    people, found = probed_first(api, what, lambda: _first(api, PERSONS, {}, PERSON_PAGE, RIGHT))
    yield people
    if found:
        yield _try_employments(api, found[0], how)
    for path in dict.fromkeys(UNIT_LISTS[kind].path for kind in kinds):
        # one right for all of them
        sharing = [kind for kind in kinds if UNIT_LISTS[kind].path == path]
        what = (
            f"names of {' and '.join(f'each {kind}' for kind in sharing).replace('_', ' ')} (GET "
            f"{path})"
        )
        yield probed(what, partial(_first_units, api, sharing))
    yield from _try_v1(api, kinds, how)


def _try_employments(api: Api, person: Person, how: How) -> Probe:
    found: list[object] = []
    ask = partial(_employments, api, RateLimiter(how.rate), EMPLOYMENT_PAGE, person)
    probe = probed(
        f"employments of one person (GET {PERSONS}/.../employments)", lambda: found.append(ask())
    )
    if found == [None]:
        not_given = "Personio lists a person whose employments it does not give."
        return replace(probe, problem=not_given, remedy=AGAIN.format(title=api.title))
    return probe


def _try_v1(api: Api, kinds: Sequence[str], how: How) -> Iterator[Probe]:
    """What only v1 can tell: the total, and which attributes the credential may read."""
    if how.total_from_v1:
        what, total = f"the total that proves a read complete (GET {v1.PATH})", _total(api)
        if total.expected is None:
            yield Probe(
                what,
                "Personio does not give this credential the total of people.",
                f"Switch on {v1.RIGHT} for this credential under {api.rights_at}, or set "
                "options.total_from_v1 to false: then the last page alone proves a read.",
                needed=False,
            )
            return  # the list of attributes wants the same right
        yield Probe(what)
    yield from v1.try_attributes(api, kinds, how.named)


def _first(
    api: Api,
    path: str,
    query: Mapping[str, Any],
    decoder: msgspec.json.Decoder[Page[T]],
    right: str,
    **more: Any,
) -> list[T]:
    """The first record of a list, none where it is empty."""
    for records in _pages(api, PageWalk(api, path), {"limit": 1, **query}, decoder, right, **more):
        return records
    return []


def _first_units(api: Api, kinds: Iterable[str]) -> None:
    for kind in kinds:
        source = UNIT_LISTS[kind]
        try:
            _first(
                api,
                source.path,
                source.query,
                UNIT_PAGE,
                source.right,
                accept={404},
                headers=source.headers,
            )
        except _NotFound:
            raise _not_there(api, kind, source.path) from None


def columns(
    person: Person, employments: Sequence[Employment], named: Mapping[str, str] | None = None
) -> dict[str, list[Any]]:
    """A person's rows, as columns: one for each employment, or one without any employment; with the
    ``named`` attributes.
    """
    rows: Sequence[Employment | None] = employments or (None,)
    own: dict[str, Any] = {
        "id": str(person.id),
        "email": person.email,
        "given_name": person.first_name,
        "family_name": person.last_name,
    }
    of_employment: dict[str, list[Any]] = {
        "employment_id": [e and str(e.id) for e in rows],
        "status": [person.status if e is None or e.status is UNSET else e.status for e in rows],
        "start_date": [e and e.employment_start_date for e in rows],
        "end_date": [e and end_date(e) for e in rows],
        "manager_id": [e and _id(e.supervisor) for e in rows],
        "updated_at": [_latest(person.updated_at, e.updated_at if e else UNSET) for e in rows],
    }
    for name, key in (named or {}).items():
        if key == v1.POSITION:
            of_employment[name] = [_title(e) for e in rows]
        else:
            own[name] = _custom(person, key)
    return {**{name: [value] * len(rows) for name, value in own.items()}, **of_employment}


def _title(employment: Employment | None) -> Any:
    position = employment.position if isinstance(employment, NamedEmployment) else None
    return position.title if isinstance(position, Position) else position


def _custom(person: Person, key: str) -> Any:
    """A custom attribute by its key or well-known id; absent where the person has none of it."""
    found = person.custom_attributes if isinstance(person, NamedPerson) else None
    return next(
        (v1.text_of(each.value) for each in found or () if key in {str(each.id), each.global_id}),
        UNSET,
    )


def groups(kind: str, employments: Sequence[Employment]) -> list[Any]:
    """The ids of one kind of group, for each row of :func:`columns`."""
    return [_group_ids(kind, employment) for employment in employments] or [None]


def end_date(employment: Employment) -> Text:
    """The last day: the termination's, else the employment's own; absent only where neither key is
    there.
    """
    termination = employment.termination
    told = termination.termination_date if isinstance(termination, Termination) else termination
    own = employment.employment_end_date
    return told or own or (UNSET if told is UNSET and own is UNSET else None)


def _group_ids(kind: str, employment: Employment) -> Any:
    if kind == "location":
        return _id(employment.office)
    if kind == "legal_entity":
        return _id(employment.legal_entity)
    if kind == "cost_center":
        return (
            [each.id for each in employment.cost_centers]
            if employment.cost_centers
            else employment.cost_centers
        )
    if employment.org_units:
        return [each.id for each in employment.org_units if (each.type or "").lower() == kind]
    return employment.org_units


def _id(reference: Reference | UnsetType | None) -> Any:
    return reference.id if isinstance(reference, Reference) else reference


def _latest(*moments: Text) -> str | None:
    # all are UTC in the same form
    return max((str(each) for each in moments if each), default=None)


def _pages(
    api: Api,
    walk: PageWalk,
    query: Mapping[str, str | int] | None,
    decoder: msgspec.json.Decoder[Page[T]],
    right: str,
    *,
    accept: Collection[int] = (),
    headers: Mapping[str, str] | None = None,
    pacer: RateLimiter | None = None,
) -> Iterator[list[T]]:
    """The records of each page, without those that came before; a 404, where that is accepted, is
    :class:`_NotFound`.
    """
    url = walk.path
    while True:
        where = walk.where
        response = api.get(
            url,
            where=where,
            right=right,
            accept=accept,
            params=query,
            headers=headers,
            pacer=pacer,
        )
        if response.status_code == 404:
            raise _NotFound
        page = api.read(response, decoder, where)
        if page.data is None:
            raise api.error(f"answered without a list at {where}")
        records = page.data
        new = walk.take([str(record.id) for record in records])
        yield records if len(new) == len(records) else [records[i] for i in new]
        if page.next is None:
            return
        url, query = walk.follow(page.next, url), None


def _employments(
    api: Api, pacer: RateLimiter, decoder: msgspec.json.Decoder[Any], person: Person
) -> tuple[list[Employment], int] | None:
    """A person's employments and how many came twice; None where Personio does not give what it has
    just listed.
    """
    for attempt in range(1, ASKS_FOR_A_PERSON + 1):
        walk = PageWalk(api, f"{PERSONS}/{quote(str(person.id), safe='')}/employments", most=100)
        with contextlib.suppress(_NotFound):
            pages = _pages(
                api, walk, {"limit": PERSON_LIMIT}, decoder, RIGHT, accept={404}, pacer=pacer
            )
            found = [employment for page in pages for employment in page]
            if found or not person.employments:
                return found, walk.duplicates
        if attempt < ASKS_FOR_A_PERSON:
            api.client.rest(backoff(attempt, first=api.client.patience.first_wait))
    return None


def _units(api: Api, file: OrgUnitFile, kinds: Iterable[str], progress: Progress) -> list[PageWalk]:
    """Write the units of all kinds; the walks over their lists."""
    walks = []
    for kind in kinds:
        source = UNIT_LISTS[kind]
        walk = PageWalk(api, source.path)
        walks.append(walk)
        try:
            query = {"limit": UNIT_LIMIT, **source.query}
            for page in _pages(
                api, walk, query, UNIT_PAGE, source.right, accept={404}, headers=source.headers
            ):
                parents = [None if unit.parent_id is UNSET else unit.parent_id for unit in page]
                file.add(
                    kind, [str(unit.id) for unit in page], [unit.name for unit in page], parents
                )
                progress("org_units", sum(len(each.seen) for each in walks), None)
        except _NotFound:
            raise _not_there(api, kind, walk.where) from None
    return walks


def _not_there(api: Api, kind: str, where: str) -> HrisError:
    return api.error(
        f"does not have {where} for this credential (HTTP 404)",
        f"Switch on {UNIT_LISTS[kind].right} under {api.rights_at}, or take {kind} out of "
        "sync.groups in the company file.",
    )


def _unit_extract(file: OrgUnitFile, walks: Sequence[PageWalk]) -> Extract:
    doubled = sum(walk.duplicates for walk in walks)
    proof: Proof = "unproven" if doubled else "proven"
    why = "All lists were read to their last page."
    if doubled:
        why = f"Personio listed {doubled} units more than once, so others may be missing."
    return Extract(
        "org_units", file.path, sum(walk.pages for walk in walks), file.count, None, proof, why
    )


@dataclass(frozen=True)
class _Total:
    """What v1 says of the number of people: the number, why there is none though there should be,
    or a remark.
    """

    expected: int | None = None
    doubt: str = ""
    remark: str = ""


def _total(api: Api) -> _Total:
    try:
        expected = v1.total(api)
    except HrisError as problem:
        return _Total(
            doubt=(
                f"the total that would prove it could not be read ({problem.problem.rstrip('.')})"
            )
        )
    if expected is None:
        return _Total(
            remark=(
                " Its total could not be compared, because the credential may not read employees "
                "in v1."
            )
        )
    return _Total(expected, remark=" That is Personio's own total.")


def _judge(walk: PageWalk, left_out: int, doubled: int, total: _Total) -> tuple[Proof, str]:
    listed = len(walk.seen)
    reasons = {
        "an empty list proves nothing": not listed,
        f"Personio announced {total.expected}": (
            total.expected is not None and total.expected != listed
        ),
        f"Personio listed {walk.duplicates} of them more than once, so others may be missing": (
            walk.duplicates
        ),
        f"{left_out} of them were left out, because Personio did not give their employments": (
            left_out
        ),
        f"{doubled} employments came more than once, so others may be missing": doubled,
        total.doubt: total.doubt,
    }
    found = "; ".join(reason for reason, holds in reasons.items() if holds)
    if found:
        return "unproven", f"{listed} people were listed up to Personio's last page, but {found}."
    return (
        "proven",
        f"All {listed} people were read up to Personio's last page, none twice.{total.remark}",
    )
