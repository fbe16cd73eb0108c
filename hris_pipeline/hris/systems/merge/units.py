"""The units of Merge: groups (or, of old, teams), locations and companies, by the ids that people
name them with.

People name units by Merge's own ids, which change when an account is deleted and linked anew. A
unit's id with us is therefore the HR system's (``remote_id``). Some systems give their units none
(BambooHR's groups, for example): then its name is its id, which is what such a system itself goes
by. Of a type that Merge has no word for, the id bears the type, because the HR system may count
each of its types from one.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from hris_pipeline.hris.api import PageWalk, in_order
from hris_pipeline.hris.systems.merge.service import PREFIX, Page, Record, Service, Text

TYPES = {
    "TEAM": "team",
    "DEPARTMENT": "department",
    "COST_CENTER": "cost_center",
    "BUSINESS_UNIT": "business_unit",
}
"""Merge's words for types of groups to our kinds. GROUP says nothing more than that it is one."""
OF_GROUPS = (*TYPES.values(), "group")
KINDS = (*OF_GROUPS, "location", "legal_entity")


class Unit(Record, frozen=True):
    """A group, team, location or company: each has some of these."""

    remote_id: Text = None
    name: Text = None
    display_name: Text = None  # companies
    legal_name: Text = None
    city: Text = None  # locations
    location_type: Text = None
    type: Text = None  # groups
    is_commonly_used_as_team: bool | None = None
    parent_group: str | Record | None = None
    parent_team: str | Record | None = None
    remote_was_deleted: bool | None = None

    @property
    def title(self) -> Text:
        """What people call it; a location without a name is called by its city."""
        return self.name or self.display_name or self.legal_name or self.city

    @property
    def parent(self) -> str | None:
        """Merge's id of the unit above it."""
        above = self.parent_group or self.parent_team
        return above.id if isinstance(above, Record) else above


UNIT_PAGE = msgspec.json.Decoder(Page[Unit])


@dataclass(frozen=True)
class UnitList:
    """One list of units."""

    model: str  # in Merge's word
    path: str
    kinds: tuple[str, ...]  # which it may hold


GROUPS = UnitList("Group", f"{PREFIX}/groups", OF_GROUPS)
TEAMS = UnitList("Team", f"{PREFIX}/teams", ("team",))
LOCATIONS = UnitList("Location", f"{PREFIX}/locations", ("location",))
COMPANIES = UnitList("Company", f"{PREFIX}/companies", ("legal_entity",))


def lists_of(kinds: Sequence[str]) -> list[UnitList]:
    """The lists that hold units of these kinds; no other is asked for."""
    return [source for source in (GROUPS, LOCATIONS, COMPANIES) if set(source.kinds) & set(kinds)]


@dataclass
class Units:
    """The units of the kinds that are wanted."""

    walks: list[PageWalk] = field(default_factory=list)
    models: list[str] = field(default_factory=list)  # whose lists are there
    known: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Merge's id to kind and id. What is deleted, hidden (a "shell") or of another kind is not
    here: nobody is in it.
    """
    names: dict[tuple[str, str], Text] = field(default_factory=dict)
    parents: dict[tuple[str, str], str | None] = field(default_factory=dict)
    # that came at all: of another one nobody can tell who would be in it
    kinds: set[str] = field(default_factory=set)
    shared: int = 0  # units whose remote_id another one of their kind has too

    @property
    def pages(self) -> int:
        """Pages of all lists."""
        return sum(walk.pages for walk in self.walks)

    @property
    def duplicates(self) -> int:
        """Units that were listed more than once."""
        return sum(walk.duplicates for walk in self.walks)

    def rows(self) -> Iterator[tuple[str, list[str], list[Text], list[str | None]]]:
        """Kind by kind: ids, names, and the ids of the units above, where those are of the same
        kind.
        """
        for kind in sorted(self.kinds):
            ids = [own for of, own in self.names if of == kind]
            above = [self.known.get(self.parents[kind, own] or "", ("", "")) for own in ids]
            parents = [parent if of == kind else None for of, parent in above]
            yield kind, ids, [self.names[kind, own] for own in ids], parents


def read(
    service: Service,
    kinds: Sequence[str],
    types: Mapping[str, str],
    progress: Callable[[int], None],
) -> Units:
    """All units of these kinds. ``types`` are the company file's kinds of group for types that
    Merge has no word for.
    """
    units = Units()
    known_types = {word.casefold(): kind for word, kind in types.items()}
    sources = lists_of(kinds)

    def collect(source: UnitList) -> tuple[PageWalk, list[Unit]]:
        walk = PageWalk(service.api, source.path)
        query = {"include_deleted_data": "true"}
        # 404: the HR system has no such thing
        pages = service.pages(walk, UNIT_PAGE, source.model, query, accept={404})
        return walk, [unit for page in pages for unit in page]

    def take(source: UnitList, walk: PageWalk, found: Sequence[Unit]) -> None:
        if walk.pages:
            units.walks.append(walk)
            units.models.append(source.model)
        for unit in found:
            _take(unit, _kind(unit, source, known_types), kinds, units)
        progress(sum(len(each.seen) for each in units.walks))

    if sources:
        for source, (walk, found) in in_order(
            collect, sources, workers=len(sources), stop=service.api.client.stop
        ):
            take(source, walk, found)
    if "team" in kinds and not any(walk.path == GROUPS.path and walk.seen for walk in units.walks):
        # deprecated by Merge, and by now not there for all; but some account may have nothing else
        take(TEAMS, *collect(TEAMS))
    return units


def _kind(unit: Unit, source: UnitList, types: Mapping[str, str]) -> str:
    if source is not GROUPS:
        return source.kinds[0]
    word = "" if unit.type is None else str(unit.type)
    return (
        TYPES.get(word)
        or types.get(word.casefold())
        or ("team" if unit.is_commonly_used_as_team else "group")
    )


def _take(unit: Unit, kind: str, kinds: Sequence[str], units: Units) -> None:
    """Put one unit among those that people may be in. A HOME is somebody's address, and so no
    group.
    """
    if unit.remote_was_deleted or unit.location_type == "HOME" or kind not in kinds:
        return
    own = (kind, _id(unit))
    if own in units.names and unit.remote_id:
        units.shared += 1
    units.known[unit.id] = own
    units.kinds.add(kind)
    units.names.setdefault(own, unit.title)
    units.parents.setdefault(own, unit.parent)


def _id(unit: Unit) -> str:
    plain = (
        str(unit.remote_id or "")
        or unicodedata.normalize("NFC", str(unit.title or "")).strip()
        or unit.id
    )
    word = str(unit.type or "")
    return plain if word in {*TYPES, "GROUP", ""} else f"{word}:{plain}"
