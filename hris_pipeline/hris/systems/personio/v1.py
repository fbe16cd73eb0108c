"""Personio v1: one flat employee, every attribute in an envelope, asked for by name; the total it
gives is the proof.

The structs name the mapped attributes only, so nothing else of a page ever becomes an object. A key
that is absent is ``UNSET``.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from hris_pipeline.contracts.extracts import Extract, Progress
from hris_pipeline.contracts.probes import Probe
from hris_pipeline.hris import flat
from hris_pipeline.hris.api import Api, PageWalk, ahead, probed
from hris_pipeline.hris.extract import (
    REQUIRED,
    EmployeeFile,
    OrgUnitFile,
    only_changes,
    twice_unless_proven,
)

if TYPE_CHECKING:
    import httpx  # noqa: TID251 - an edge

PATH = "/v1/company/employees"
ATTRIBUTES_PATH = f"{PATH}/attributes"
RIGHT = "the right to read Employees"
LIMIT = 100  # the most that Personio gives at once

ATTRIBUTES = {
    "email": "email",
    "given_name": "first_name",
    "family_name": "last_name",
    "status": "status",
    "start_date": "hire_date",
    "end_date": "termination_date",
    "manager_id": "supervisor",
    "updated_at": "last_modified_at",
}
"""Our column to Personio's attribute."""
GROUPS = {
    "team": "team",
    "department": "department",
    "cost_center": "cost_centers",
    "location": "office",
    "legal_entity": "subcompany",
}
"""Our kind of group to Personio's attribute."""
POSITION = "position"
"""The attribute that holds the title, unless the company file names another one."""
LABELS = {
    "email": "Email",
    "given_name": "First name",
    "family_name": "Last name",
    "status": "Status",
    "start_date": "Hire date",
    "end_date": "Termination date",
    "manager_id": "Supervisor",
    "updated_at": "Last modified",
    "team": "Team",
    "department": "Department",
    "cost_center": "Cost center",
    "location": "Office",
    "legal_entity": "Subcompany",
    "title": "Position",
}
"""Our columns and kinds of group in Personio's own words: what is ticked for a credential."""

Text = str | int | float | bool | None | UnsetType
Empty = Annotated[str, Meta(max_length=0)] | None | UnsetType  # what stands where an object might


class Plain(Struct, frozen=True, gc=False):
    """The envelope of a text, number or date."""

    value: Text = UNSET


class Id(Struct, frozen=True, gc=False):
    """The envelope of the employee's own id."""

    value: int | str


ABSENT = Plain()


class SupervisorAttributes(Struct, frozen=True, gc=False):
    """Of the supervisor only the id: an envelope again."""

    id: Plain = ABSENT


class Supervisor(Struct, frozen=True, gc=False):
    """The nested employee."""

    attributes: SupervisorAttributes


class SupervisorEnvelope(Struct, frozen=True, gc=False):
    """The supervisor, or one of the ways to say that there is none."""

    value: Supervisor | list[Supervisor] | Empty = UNSET


class UnitAttributes(Struct, frozen=True, gc=False):
    """A unit's id and name, without envelopes."""

    id: int | str
    name: Text = UNSET


class Unit(Struct, frozen=True, gc=False):
    """A team, department, cost centre, office or subcompany."""

    attributes: UnitAttributes


class UnitEnvelope(Struct, frozen=True, gc=False):
    """One unit, a list of them, or one of the ways to say that there is none."""

    value: Unit | list[Unit] | Empty = UNSET


NO_SUPERVISOR = SupervisorEnvelope()
NO_UNIT = UnitEnvelope()


class Employee(Struct, frozen=True, gc=False):
    """The mapped attributes of one employee."""

    id: Id
    email: Plain = ABSENT
    first_name: Plain = ABSENT
    last_name: Plain = ABSENT
    status: Plain = ABSENT
    hire_date: Plain = ABSENT
    termination_date: Plain = ABSENT
    last_modified_at: Plain = ABSENT
    supervisor: SupervisorEnvelope = NO_SUPERVISOR
    team: UnitEnvelope = NO_UNIT
    department: UnitEnvelope = NO_UNIT
    cost_centers: UnitEnvelope = NO_UNIT
    office: UnitEnvelope = NO_UNIT
    subcompany: UnitEnvelope = NO_UNIT


class Record(Struct, frozen=True, gc=False):
    """One element of a page."""

    attributes: Employee


class Metadata(Struct, frozen=True):
    """What a page says of the whole list."""

    total_elements: int | str | UnsetType | None = UNSET


class Failure(Struct, frozen=True):
    """What an answer with ``success: false`` says; its message is not read, because it may hold a
    value.
    """

    code: int | str | UnsetType | None = UNSET


class Page(Struct, frozen=True):
    """One answer."""

    success: bool
    data: list[Record] | UnsetType = UNSET
    metadata: Metadata | UnsetType | None = UNSET
    limit: int | str | UnsetType | None = UNSET
    error: Failure | UnsetType | None = UNSET

    @property
    def total(self) -> int | None:
        """The number of people that Personio announces."""
        return (
            _number(self.metadata.total_elements) if isinstance(self.metadata, Metadata) else None
        )


class Loose(Struct, frozen=True, gc=False):
    """The envelope of an attribute that the company file names: whatever the account has made
    it.
    """

    value: Any = UNSET


NOT_THERE = Loose()


class Attribute(Struct, frozen=True):
    """An attribute that the credential may read; custom ones have a key of their own and may have a
    well-known id.
    """

    key: str
    universal_id: str | None = None


class AttributeList(Struct, frozen=True):
    """All of them."""

    data: list[Attribute]


PAGE = msgspec.json.Decoder(Page)
ATTRIBUTE_LIST = msgspec.json.Decoder(AttributeList)
VALUES: dict[str, Callable[[Employee], Any]] = {
    column: attrgetter(f"{key}.value") for column, key in ATTRIBUTES.items()
}
UNITS: dict[str, Callable[[Employee], Any]] = {
    kind: attrgetter(f"{key}.value") for kind, key in GROUPS.items()
}


def read(
    api: Api,
    directory: Path,
    kinds: Sequence[str],
    progress: Progress,
    *,
    named: Mapping[str, str],
    since: dt.datetime | None = None,
) -> tuple[Extract, Extract]:
    """Employees, and the org units that they name. Where the proof fails the whole pass is repeated
    once (case 4).

    ``named`` are further attributes, and Personio's keys for them.
    """
    if since is not None:
        return only_changes(since, *_pass(api, directory, kinds, progress, named, since=since))
    return twice_unless_proven(lambda: _pass(api, directory, kinds, progress, named))


def total(api: Api, accept: Collection[int] = (401, 403, 404)) -> int | None:
    """The number of people that Personio announces in v1; None where it refuses with a status of
    ``accept``.
    """
    where = f"{PATH} (total)"
    # the least that can be asked for
    query = [("limit", 1), ("offset", 0), ("attributes[]", "status")]
    response = api.get(PATH, where=where, right=RIGHT, accept=accept, params=query)
    if not response.is_success:
        return None
    found = _page(api, response, where).total
    if found is None:
        raise api.error(f"gave no total at {PATH}")
    return found


def probes(api: Api, kinds: Sequence[str], named: Mapping[str, str]) -> Iterator[Probe]:
    """The credential, the list of people with its total, and each attribute that is read."""
    credential = probed("the API credential (POST /v1/auth)", api.log_in)
    yield credential
    if credential.problem:
        return
    people = probed(f"people and their total (GET {PATH})", lambda: total(api, accept=()))
    yield people
    if not people.problem:
        yield from try_attributes(api, kinds, named)


def readable(api: Api, right: str) -> set[str | None]:
    """The attributes that the credential may read, by their keys and well-known ids: Personio lists
    them for each credential.
    """
    response = api.get(ATTRIBUTES_PATH, where=ATTRIBUTES_PATH, right=right)
    listed = api.read(response, ATTRIBUTE_LIST, ATTRIBUTES_PATH).data
    return {name for attribute in listed for name in (attribute.key, attribute.universal_id)}


def try_attributes(api: Api, kinds: Sequence[str], named: Mapping[str, str]) -> Iterator[Probe]:
    """Each attribute that is read and may not be; one probe where all may be."""
    names: set[str | None] = set()
    what = f"the list of readable attributes (GET {ATTRIBUTES_PATH})"
    probe = probed(what, lambda: names.update(readable(api, RIGHT)), needed=False)
    if probe.problem:
        yield probe
        return
    wanted = {**ATTRIBUTES, **{kind: GROUPS[kind] for kind in kinds}, **named}
    said = {**named, **LABELS}
    missing = [column for column, key in wanted.items() if key not in names]
    if len(missing) < len(wanted):
        words = ", ".join(said[column] for column in wanted if column not in missing)
        yield Probe(f"{probe.what}: {words}")
    for column in missing:
        yield Probe(
            f"the attribute '{said[column]}'",
            f"This credential may not read the attribute '{said[column]}'.",
            f"Tick '{said[column]}' among the readable employee attributes of this credential "
            f"under {api.rights_at}.",
            needed=column in REQUIRED,
            attribute=column,
        )


def _pass(
    api: Api,
    directory: Path,
    kinds: Sequence[str],
    progress: Progress,
    named: Mapping[str, str],
    *,
    since: dt.datetime | None = None,
) -> tuple[Extract, Extract]:
    """One walk over all pages; with ``since``, over the one page on which Personio gives all that
    changed.
    """
    walk = PageWalk(api, PATH)
    names: dict[str, dict[int | str, Any]] = {kind: {} for kind in kinds}
    query = [
        ("attributes[]", key)
        for key in (*ATTRIBUTES.values(), *(GROUPS[kind] for kind in kinds), *named.values())
    ]
    decoder = _decoder(named)
    # a moment would be taken for one of the account's own time zone, which is not known
    if since is not None:
        query.append(("updated_since", f"{since - dt.timedelta(days=1):%Y-%m-%d}"))
    asked = urlencode(query)
    totals: list[int | None] = []
    file, unit_file = (
        EmployeeFile(directory, ("id", *ATTRIBUTES, *named), kinds),
        OrgUnitFile(directory),
    )

    def ask(offset: int, where: str) -> "httpx.Response":
        return api.get(f"{PATH}?limit={LIMIT}&offset={offset}&{asked}", where=where, right=RIGHT)

    with file, unit_file, ahead(api.client.stop) as pool:
        offset, coming = 0, pool.submit(ask, 0, walk.where)
        while True:
            page = _page(api, coming.result(), walk.where, decoder)
            count = len(page.data or ())
            # a smaller limit than asked for would else skip people
            offset += max(count, _number(page.limit) or LIMIT)
            last = (
                since is not None or not count or (page.total is not None and offset >= page.total)
            )
            if not last:
                coming = pool.submit(ask, offset, walk.page(walk.pages + 2))
            _add(page, walk, file, names, named)
            if page.total not in totals:
                totals.append(page.total)
            progress("employees", len(walk.seen), page.total)
            if last:
                break
        file.flush()
        if since is None:
            demand(api, file.vanished)
        for kind, found in names.items():
            unit_file.add(kind, [str(each) for each in found], list(found.values()))
    return flat.judged(walk, totals, file, unit_file)


def demand(api: Api, vanished: Sequence[str]) -> None:
    """Refuse an extract in which nobody has one of the attributes that nothing works without."""
    api.demand(
        vanished,
        LABELS,
        "Tick {attributes} among the readable employee attributes of this credential under "
        f"{api.rights_at}.",
    )


def _decoder(named: Mapping[str, str]) -> msgspec.json.Decoder[Page]:
    """What decodes a page with these attributes too, each in a field of our name for it."""
    if not named:
        return PAGE
    fields = [
        (name, Loose, msgspec.field(name=key, default=NOT_THERE)) for name, key in named.items()
    ]
    employee: Any = msgspec.defstruct(
        "NamedEmployee", fields, bases=(Employee,), frozen=True, gc=False
    )
    record: Any = msgspec.defstruct(
        "NamedRecord", [("attributes", employee)], frozen=True, gc=False
    )
    page = msgspec.defstruct(
        "NamedPage", [("data", list[record] | UnsetType, UNSET)], bases=(Page,), frozen=True
    )
    return msgspec.json.Decoder(page)


def text_of(value: Any) -> Any:
    """An attribute of any type as text; unknown where it is none."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return value if value is None or isinstance(value, str | int | float) else UNSET


def _page(
    api: Api, response: "httpx.Response", where: str, decoder: msgspec.json.Decoder[Page] = PAGE
) -> Page:
    page = api.read(response, decoder, where)
    if not page.success:
        code = page.error.code if isinstance(page.error, Failure) else UNSET
        raise api.error(
            "answered that it failed (success: "
            f"false{f', code {code}' if isinstance(code, int) else ''}) at {where}"
        )
    if page.data is UNSET:
        raise api.error(f"answered without a list of people at {where}")
    return page


def _add(
    page: Page,
    walk: PageWalk,
    file: EmployeeFile,
    names: dict[str, dict[int | str, Any]],
    named: Collection[str],
) -> None:
    """Put one page into the file, and the names of its units into ``names``."""
    people = [record.attributes for record in page.data or ()]
    ids = [str(person.id.value) for person in people]
    new = walk.take(ids)
    if len(new) < len(ids):
        people, ids = [people[i] for i in new], [ids[i] for i in new]
    columns: dict[str, Sequence[Any]] = {
        column: list(map(value, people)) for column, value in VALUES.items()
    }
    columns |= {name: [text_of(getattr(person, name).value) for person in people] for name in named}
    columns["id"] = ids
    columns["manager_id"] = [_supervisor(value) for value in columns["manager_id"]]
    file.add(
        columns, {kind: _units(map(UNITS[kind], people), found) for kind, found in names.items()}
    )


def _supervisor(value: Any) -> Any:
    if value.__class__ is list:
        value = value[0] if value else None
    return value.attributes.id.value if value.__class__ is Supervisor else value


def _units(values: Any, names: dict[int | str, Any]) -> list[Any]:
    """The ids in one column of units; their names go into ``names``."""
    ids: list[Any] = []
    for value in values:
        if value.__class__ is Unit:
            unit = value.attributes
            names[unit.id] = unit.name
            ids.append(unit.id)
        elif value.__class__ is list:
            units = [unit.attributes for unit in value]
            for unit in units:
                names[unit.id] = unit.name
            ids.append([unit.id for unit in units])
        else:
            ids.append(value)
    return ids


def _number(value: int | str | UnsetType | None) -> int | None:
    return (
        int(value)
        if isinstance(value, int) or (isinstance(value, str) and value.isdecimal())
        else None
    )
