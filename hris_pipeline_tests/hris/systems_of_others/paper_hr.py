"""Paper HR, which no vendor sells: the least that a package of yours says of an HR system."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import UNSET, Struct, UnsetType, field
from pydantic import Field

from hris_pipeline.contracts.extracts import Extract, Progress
from hris_pipeline.contracts.probes import Probe
from hris_pipeline.hris import flat
from hris_pipeline.hris.api import Api, PageWalk, probed_first
from hris_pipeline.hris.system import Account, Capabilities, System
from hris_pipeline.settings import Settings

PATH = "/people"
RIGHTS = "Settings > API in Paper HR"

Text = str | UnsetType | None  # UNSET: its key did not come, which is not the same as empty


class Team(Struct, frozen=True):
    """The team of somebody."""

    id: str
    name: Text = UNSET


class Person(Struct, frozen=True):
    """One person: our columns and kinds of group, by the system's own names."""

    id: str
    email: Text = UNSET
    given_name: Text = field(name="first_name", default=UNSET)
    family_name: Text = field(name="last_name", default=UNSET)
    status: Text = field(name="state", default=UNSET)
    start_date: Text = field(name="first_day", default=UNSET)
    end_date: Text = field(name="last_day", default=UNSET)
    manager_id: Text = field(name="manager", default=UNSET)
    team: Team | UnsetType | None = UNSET


COLUMNS = tuple(each.name for each in msgspec.structs.fields(Person) if each.name != "team")
LABELS = {each.name: each.encode_name for each in msgspec.structs.fields(Person)}


class Page(Struct, frozen=True):
    """One page of the list, and how many people there are."""

    total: int
    people: list[Person]


PAGE = msgspec.json.Decoder(Page)


class Options(Settings):
    """What only a Paper HR connection has."""

    page_size: int = Field(default=100, ge=1, le=100, description="people on one page")


@dataclass(frozen=True)
class PaperHR(Account[Options]):
    """One account, ready to be read."""

    def read(self, directory: Path, progress: Progress) -> tuple[Extract, ...]:
        """Read everybody; the total that comes with each page proves that nobody is missing."""
        with self._api() as api:
            return flat.extracts(
                api,
                PATH,
                self._pages,
                directory,
                columns=COLUMNS,
                kinds=self.kinds,
                labels=LABELS,
                remedy=f"Switch on {{attributes}} under {RIGHTS}.",
                progress=progress,
            )

    def probes(self) -> Iterator[Probe]:
        """Try the key, and the list of people by its first page."""
        with self._api() as api:
            what = f"the API key, and people (GET {PATH})"
            yield probed_first(api, what, lambda: self._page(PageWalk(api, PATH)).people)[0]

    def _pages(self, walk: PageWalk) -> Iterator[tuple[Sequence[flat.Row], int]]:
        more = True
        while more:
            page = self._page(walk)
            yield [_row(person) for person in page.people], page.total
            more = bool(page.people) and len(walk.seen) < page.total

    def _page(self, walk: PageWalk) -> Page:
        query = {"page": walk.pages + 1, "size": self.options.page_size}
        response = walk.api.get(PATH, where=walk.where, right="access to people", params=query)
        return walk.api.read(response, PAGE, walk.where)

    def _api(self) -> Api:
        signature = {"X-Api-Key": self.credentials["api_key"]}
        client = self.client(requests_per_second=10)
        return Api("Paper HR", self.name, self.base_url, client, RIGHTS, signature)


def _row(person: Person) -> flat.Row:
    row = {name: getattr(person, name) for name in COLUMNS}
    team = person.team
    return {**row, "team": {team.id: team.name} if isinstance(team, Team) else team}


SYSTEM = System(
    name="paper",
    title="Paper HR",
    credentials=("api_key",),
    options=Options,
    default_base_url="https://api.paper.example",
    group_kinds=("team",),
    statuses={"employed": "active", "on leave": "on_leave", "left": "ended"},
    capabilities=Capabilities(
        authentication="an API key",
        leavers="stay listed as left",
        completeness="proven by the total that comes with each page",
        rate="10 requests a second",
        manager="yes",
        department="no",
        cost_center="no",
    ),
    connect=PaperHR,
    labels=LABELS,
)
