"""BambooHR, natively: its paged list of employees, whose total proves that everybody came.

The vendor's pages: documentation.bamboohr.com (List Employees, Get Changed Employee IDs). What the
key's owner may not see comes as null with its name in ``_restrictedFields``: unknown, which is not
empty. The vendor's error messages are never shown, because they may quote values; the code beside
them says enough.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import UNSET, Struct, UnsetType, field
from pydantic import Field

from hris_pipeline.contracts.extracts import Extract, Progress
from hris_pipeline.contracts.probes import Probe
from hris_pipeline.hris import flat
from hris_pipeline.hris.api import Api, PageWalk, basic, peek, probed, probed_first
from hris_pipeline.hris.extract import REQUIRED
from hris_pipeline.hris.system import Account, Capabilities, System
from hris_pipeline.settings import Settings

PATH = "/api/v1/employees"
CHANGED = f"{PATH}/changed"
# the most that BambooHR gives at once: most companies come in one page, which nothing can move
LIMIT = 2500
IDS = 100  # people asked for by their ids in one request, to keep its URL short
# nobody has changed since: the least that can be asked for
NEVER = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
RIGHT = "access to employees and to their fields"
ACCESS_LEVELS = "Settings > Access Levels in BambooHR, for whoever made the key"
KEYS = "API Keys in the menu of whoever made it, in BambooHR"

Text = str | int | UnsetType | None
Day = str | UnsetType | None


class Team(Struct, frozen=True, gc=False):
    """One of somebody's teams."""

    id: int | str
    label: Text = UNSET


class Employee(Struct, frozen=True, gc=False):
    """The mapped fields of one employee: our column or kind of group, and BambooHR's name for
    it.
    """

    id: int | str = field(name="employeeId")
    given_name: Text = field(name="firstName", default=UNSET)
    family_name: Text = field(name="lastName", default=UNSET)
    status: Text = UNSET
    email: Text = field(name="workEmail", default=UNSET)
    start_date: Day = field(name="hireDate", default=UNSET)
    end_date: Day = field(name="terminationDate", default=UNSET)
    manager_id: Text = field(name="reportsToId", default=UNSET)
    department: Text = field(name="departmentId", default=UNSET)
    department_name: Text = field(name="departmentName", default=UNSET)
    division: Text = field(name="divisionId", default=UNSET)
    division_name: Text = field(name="divisionName", default=UNSET)
    location: Text = field(name="locationId", default=UNSET)
    location_name: Text = field(name="locationName", default=UNSET)
    team: list[Team] | UnsetType | None = field(name="teams", default=UNSET)
    title: Text = field(name="jobTitleName", default=UNSET)
    phone: Text = field(name="workPhone", default=UNSET)
    restricted: frozenset[str] = field(name="_restrictedFields", default=frozenset())


NAMES = {each.name: each.encode_name for each in msgspec.structs.fields(Employee)}
# come with everybody, whatever is asked for
UNASKED = ("id", "given_name", "family_name", "status")
ASKED = ("email", "start_date", "end_date", "manager_id")
NAMED = ("title", "phone")  # of sync.attributes
LABELS = {
    "given_name": "First Name",
    "family_name": "Last Name",
    "status": "Status",
    "email": "Work Email",
    "start_date": "Hire Date",
    "end_date": "Termination Date",
    "manager_id": "Reporting to",
    "team": "Teams",
    "department": "Department",
    "division": "Division",
    "location": "Location",
    "title": "Job Title",
    "phone": "Work Phone",
}
"""Our columns and kinds of group in BambooHR's own words."""


class Place(Struct, frozen=True):
    """Where the next page begins: null on the last."""

    nextCursor: str | None  # noqa: N815 - BambooHR's name


class Meta(Struct, frozen=True):
    """What a page says of the whole list."""

    total: int
    page: Place


class Page(Struct, frozen=True):
    """One page."""

    data: list[Employee]
    meta: Meta


class Changes(Struct, frozen=True):
    """What happened to whom, by id; nobody may be an empty list."""

    employees: dict[str, dict[str, str]] | list[str]


PAGE, CHANGES = msgspec.json.Decoder(Page), msgspec.json.Decoder(Changes)
REFUSAL = msgspec.json.Decoder(dict[str, dict[str, str]])


class Options(Settings):
    """What only a BambooHR connection has."""

    requests_per_second: float = Field(
        default=5.0,
        gt=0,
        description="BambooHR publishes no limit; it asks to wait when it is hit",
    )


@dataclass(frozen=True)
class BambooHR(Account[Options]):
    """One BambooHR account, ready to be read."""

    def read(
        self, directory: Path, progress: Progress, since: dt.datetime | None = None
    ) -> tuple[Extract, Extract]:
        """Read everybody, or only who changed since a moment;
        :class:`~hris_pipeline.errors.HrisError` leaves no file.
        """
        with self._api() as api:
            queries = [self._query]
            if since is not None:
                ids = _changed(api, since)
                queries = [
                    {**self._query, "filter[ids]": ",".join(ids[i : i + IDS])}
                    for i in range(0, len(ids), IDS)
                ]
            return flat.extracts(
                api,
                PATH,
                lambda walk: _pages(walk, queries),
                directory,
                columns=(*UNASKED, *ASKED, *self.attributes),
                kinds=self.kinds,
                labels=LABELS,
                remedy=f"Switch on {{attributes}} under {ACCESS_LEVELS}.",
                progress=progress,
                since=since,
            )

    def probes(self) -> Iterator[Probe]:
        """Try the key and the list of people by its first record, what of that may be seen, and the
        list of changes.
        """
        with self._api() as api:
            first, what = (
                {
                    **self._query,
                    "page[limit]": 1,
                },
                f"the API key, and people (GET {PATH})",
            )
            people, found = probed_first(api, what, lambda: _page(PageWalk(api, PATH), first).data)
            yield people
            for person in found:
                yield from _hidden(person, set(NAMED) - set(self.attributes))
            if found:
                what = f"who changed since the last read (GET {CHANGED})"
                yield probed(what, lambda: _changed(api, NEVER), needed=False)

    @property
    def _query(self) -> dict[str, str | int]:
        """Everybody with the mapped fields and no other, by the id: a changed name moves nobody to
        another page.
        """
        asked = (*ASKED, *self.attributes)
        fields = [
            NAMES[name]
            for name in NAMES
            if name in asked or name.removesuffix("_name") in self.kinds
        ]
        return {"page[limit]": LIMIT, "fields": ",".join(fields), "sort": "employeeId"}

    def _api(self) -> Api:
        client, signature = (
            self.client(self.options.requests_per_second),
            basic(self.credentials["api_key"], "any password"),
        )
        return Api(
            "BambooHR", self.name, self.base_url, client, ACCESS_LEVELS, signature, keys_at=KEYS
        )


def _hidden(person: Employee, unasked: Collection[str]) -> Iterator[Probe]:
    """The mapped fields that the key's owner may not see of somebody."""
    for name, word in LABELS.items():
        if NAMES[name] in person.restricted and name not in unasked:
            problem, remedy = (
                f"The key's owner may not see '{word}' of everybody.",
                f"Switch on '{word}' under {ACCESS_LEVELS}.",
            )
            yield Probe(
                f"the field '{word}'", problem, remedy, needed=name in REQUIRED, attribute=name
            )


def _changed(api: Api, since: dt.datetime) -> list[str]:
    """The ids of those who were made or changed since; who was deleted is left to a full read."""
    query = {"since": since.astimezone(dt.UTC).isoformat(timespec="seconds")}
    changes = api.read(
        api.get(CHANGED, where=CHANGED, right=RIGHT, params=query), CHANGES, CHANGED
    ).employees
    return (
        [ref for ref, change in changes.items() if change.get("action") != "Deleted"]
        if isinstance(changes, dict)
        else []
    )


def _pages(
    walk: PageWalk, queries: Iterable[dict[str, str | int]]
) -> Iterator[tuple[list[flat.Row], int]]:
    """The rows and the total of each page; ``Moved`` where BambooHR says that its list has changed
    meanwhile (case 4).
    """
    for query in queries:
        asked: dict[str, str | int] | None = query
        while asked:
            page = _page(walk, asked)
            yield [_row(person) for person in page.data], page.meta.total
            cursor = page.meta.page.nextCursor
            asked = {**query, "page[after]": walk.once(cursor)} if cursor else None


def _page(walk: PageWalk, query: dict[str, str | int]) -> Page:
    api, where = walk.api, walk.where
    response = api.get(PATH, where=where, right=RIGHT, accept={400}, params=query)
    if response.status_code == 400:
        code = (peek(response, REFUSAL) or {}).get("error", {}).get("code")
        raise (
            api.moved(where, code)
            if code == "BadPage"
            else api.error(f"refused the request to {where} (HTTP 400)")
        )
    return api.read(response, PAGE, where)


def _row(person: Employee) -> flat.Row:
    row = {
        name: UNSET if key in person.restricted else getattr(person, name)
        for name, key in NAMES.items()
    }
    row["id"] = str(person.id)
    for column in ("start_date", "end_date"):
        row[column] = None if row[column] == "0000-00-00" else row[column]
    for kind in ("department", "division", "location"):
        row[kind] = {row[kind]: row[f"{kind}_name"]} if row[kind] else row[kind]
    row["team"] = {team.id: team.label for team in row["team"]} if row["team"] else row["team"]
    return row


SYSTEM = System(
    name="bamboohr",
    title="BambooHR",
    credentials=("api_key",),
    options=Options,
    default_base_url="https://{company}.bamboohr.com",
    group_kinds=("team", "department", "division", "location"),
    statuses={"active": "active", "inactive": "not_active"},
    capabilities=Capabilities(
        authentication=(
            "an API key, made under API Keys in the menu of a user who may see everybody and every "
            "mapped field"
        ),
        leavers="stay listed as inactive; deleted people just disappear",
        completeness="proven by the total that it gives of those whom the key's owner may see",
        rate="unpublished; answers 429 or 503 and says how long to wait",
        manager="yes",
        team="yes",
        department="yes",
        cost_center="no",
        nested_groups="no",
        photo="yes",
        absences="yes",
        half_days="partly",  # the hours or the part of a day, not which half
        changed_since="yes",
        evidence="specification",
        delivers=("divisions and locations",),
        lacks=("leave: who is on it counts as active", "units in which nobody is"),
    ),
    connect=BambooHR,
    reads_changes=True,
    attributes_of=lambda _: NAMED,
    labels=LABELS,
    where=lambda _, name: (
        f"Switch on '{LABELS.get('manager_id' if name == 'manager' else name, name)}' under "
        f"{ACCESS_LEVELS}"
    ),
)
