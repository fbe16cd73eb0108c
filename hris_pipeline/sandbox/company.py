"""A company as its HR system knows it: people, their employments, and the units they belong to.

A :class:`Tenant` holds one immutable :class:`Snapshot` and swaps it for another, so that a test may
change the company while a server answers from it. :func:`load_company` reads the sample company
from its files, :func:`generate` makes one of any size.
"""

import csv
import datetime as dt
import functools
import random
import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, cast

import yaml

from hris_pipeline.errors import PipelineError

Kind = Literal["team", "department", "cost_center", "location", "legal_entity"]
Status = Literal["ACTIVE", "LEAVE", "ONBOARDING", "INACTIVE"]

KINDS: tuple[Kind, ...] = ("team", "department", "cost_center", "location", "legal_entity")
RANK: Mapping[str, int] = {"ACTIVE": 3, "LEAVE": 2, "ONBOARDING": 1, "INACTIVE": 0}
SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sandbox"


@dataclass(frozen=True, slots=True)
class OrgUnit:
    """A team, department, cost centre, location or legal entity; ``id`` is unique within its
    kind.
    """

    kind: Kind
    id: int
    name: str
    country: str = ""  # ISO code; legal entities and locations


@dataclass(frozen=True, slots=True)
class Employment:
    """One employment of a person; units by id, ``supervisor`` by person id."""

    number: int  # 1, 2, ...: tells the employments of a person apart
    status: Status
    start_date: dt.date
    end_date: dt.date | None = None  # last day, inclusive
    position: str = ""
    weekly_hours: float = 40
    department: int | None = None
    team: int | None = None
    cost_centers: tuple[tuple[int, int], ...] = ()  # id and weight in per cent
    location: int | None = None
    legal_entity: int | None = None
    supervisor: int | None = None
    full_time_hours: float = 40
    external: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """One person; employments in order of their numbers."""

    id: int
    first_name: str
    last_name: str
    email: str | None
    employments: tuple[Employment, ...]
    created_at: dt.datetime
    updated_at: dt.datetime
    photo: int | None = None  # which one: another number is another picture; None for none
    phone: str = ""  # at work

    @property
    def current(self) -> Employment | None:
        """The one that counts: ACTIVE (or an unknown word) before LEAVE, ONBOARDING, INACTIVE; then
        the latest start.
        """
        return max(
            self.employments,
            key=lambda e: (RANK.get(e.status, 3), e.start_date, e.number),
            default=None,
        )

    @property
    def recent_first(self) -> tuple[Employment, ...]:
        """The employments, latest start first."""
        return tuple(sorted(self.employments, key=lambda e: (e.start_date, e.number), reverse=True))


@dataclass(frozen=True)
class Snapshot:
    """The company at one moment; never changed. ``persons`` are in the order of their ids."""

    date: dt.date
    persons: Mapping[int, Person] = field(repr=False)
    units: tuple[OrgUnit, ...] = field(repr=False)

    @functools.cached_property
    def unit_names(self) -> Mapping[tuple[str, int], str]:
        """(kind, id) to name."""
        return {(unit.kind, unit.id): unit.name for unit in self.units}

    @property
    def moment(self) -> dt.datetime:
        """When HR's changes of this date were made: just after midnight, before any night's
        sync.
        """
        return dt.datetime.combine(self.date, dt.time(0, 30), dt.UTC)

    def of_kind(self, kind: Kind) -> list[OrgUnit]:
        """The units of one kind in the order of their ids."""
        return sorted((unit for unit in self.units if unit.kind == kind), key=lambda unit: unit.id)

    def with_persons(self, persons: Iterable[Person]) -> "Snapshot":
        """The same company with these people in the place of its own."""
        return replace(
            self,
            persons={person.id: person for person in sorted(persons, key=lambda person: person.id)},
        )


_PERSON_FIELDS = frozenset(f.name for f in fields(Person)) - {"id", "employments"}


def changed(person: Person, moment: dt.datetime, **values: Any) -> Person:
    """The person with other values; those that belong to an employment go to the one that
    counts.
    """
    own = {name: value for name, value in values.items() if name in _PERSON_FIELDS}
    of_employment = {name: value for name, value in values.items() if name not in _PERSON_FIELDS}
    employments = person.employments
    if of_employment:
        current = person.current
        employments = tuple(replace(e, **of_employment) if e is current else e for e in employments)
    return replace(person, employments=employments, **{"updated_at": moment, **own})


@dataclass
class Tenant:
    """A company that may change while it is served; every change swaps in a new snapshot."""

    snapshot: Snapshot
    folder: Path | None = None  # where its days lie
    day: int = 1
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def swap(self, snapshot: Snapshot) -> None:
        """Put another snapshot in the place of the present one."""
        with self._lock:
            self.snapshot = snapshot

    def add(self, *persons: Person) -> None:
        """Add people, or replace those with the same ids."""
        with self._lock:
            self.swap(
                self.snapshot.with_persons(
                    {**self.snapshot.persons, **{p.id: p for p in persons}}.values()
                )
            )

    def remove(self, *ids: int) -> None:
        """Delete people; who reports to them keeps the id."""
        with self._lock:
            self.swap(
                self.snapshot.with_persons(
                    p for p in self.snapshot.persons.values() if p.id not in ids
                )
            )

    def change(self, person_id: int, **values: Any) -> None:
        """Change one person's own values (``email``, ...) or those of the employment that counts
        (``status``, ``team``, ...).
        """
        with self._lock:
            self.add(changed(self.snapshot.persons[person_id], self.snapshot.moment, **values))

    def set_unit(self, unit: OrgUnit) -> None:
        """Add a unit, or replace the one with its kind and id."""
        with self._lock:
            others = tuple(u for u in self.snapshot.units if (u.kind, u.id) != (unit.kind, unit.id))
            self.swap(replace(self.snapshot, units=(*others, unit)))

    def set_date(self, date: dt.date) -> None:
        """Let the calendar move: starts begin, last days pass."""
        with self._lock:
            self.swap(on_date(self.snapshot, date))

    def go_to(self, day: int) -> None:
        """Put the files' state of another day in the place of the present one."""
        if self.folder is None:
            raise PipelineError("This company has no files, so it has no other day to go to.")
        with self._lock:
            self.swap(load_company(self.folder, day).snapshot)
            self.day = day


def on_date(snapshot: Snapshot, date: dt.date) -> Snapshot:
    """The company on another date: who was to start by then is ACTIVE, whose last day has passed is
    INACTIVE.
    """
    moment = replace(snapshot, date=date).moment
    persons = []
    for person in snapshot.persons.values():
        employments = tuple(_on_date(employment, date) for employment in person.employments)
        moved = employments != person.employments
        persons.append(
            replace(person, employments=employments, updated_at=moment) if moved else person
        )
    return replace(snapshot, date=date).with_persons(persons)


def _on_date(employment: Employment, date: dt.date) -> Employment:
    if employment.end_date is not None and employment.end_date < date:
        return (
            employment
            if employment.status == "INACTIVE"
            else replace(employment, status="INACTIVE")
        )
    if employment.status == "ONBOARDING" and employment.start_date <= date:
        return replace(employment, status="ACTIVE")
    return employment


# --- the sample company, from files ---------------------------------------------------------------


class _Reader:
    """Reads rows of ``company.csv`` and of the days' files: the same columns, units by name (cost
    centres by number).
    """

    def __init__(self, units: Collection[OrgUnit], file: Path) -> None:
        self.file = file
        self.units = {(unit.kind, unit.name): unit.id for unit in units}
        self.cost_centers = {unit.id for unit in units if unit.kind == "cost_center"}
        self.columns: Mapping[str, tuple[str, Callable[[str], Any]]] = {
            "employment": ("number", int),
            "first_name": ("first_name", str),
            "last_name": ("last_name", str),
            "email": ("email", lambda text: text or None),
            "status": ("status", _status),
            "start_date": ("start_date", dt.date.fromisoformat),
            "end_date": ("end_date", lambda text: dt.date.fromisoformat(text) if text else None),
            "position": ("position", str),
            "weekly_hours": ("weekly_hours", float),
            "department": ("department", functools.partial(self._unit, "department")),
            "team": ("team", functools.partial(self._unit, "team")),
            "cost_centers": ("cost_centers", self._shares),
            "office": ("location", functools.partial(self._unit, "location")),
            "legal_entity": ("legal_entity", functools.partial(self._unit, "legal_entity")),
            "manager": ("supervisor", lambda text: int(text) if text else None),
        }

    def _unit(self, kind: Kind, name: str) -> int | None:
        return self.units[kind, name] if name else None

    def _shares(self, text: str) -> tuple[tuple[int, int], ...]:
        """``4100=60 4300=40``, or ``4100`` for the whole."""
        shares = tuple(
            (int(unit), int(weight or 100))
            for unit, _, weight in (part.partition("=") for part in text.split())
        )
        if not self.cost_centers.issuperset(unit for unit, _ in shares):
            raise KeyError(text)
        return shares

    def values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What a row says about a person and an employment, by our field names; only the columns
        that are there.
        """
        out: dict[str, Any] = {}
        for column, given in row.items():
            if column in {"id", "ids", "note"}:
                continue
            try:
                name, parse = self.columns[column]
                out[name] = parse("" if given is None else str(given))
            except (ValueError, KeyError):
                raise PipelineError(
                    f"{self.file.name}, person {row.get('id')}: {column} cannot be read. The "
                    "sandbox did not start; correct it."
                ) from None
        return out


def _status(text: str) -> str:
    if text not in RANK:
        raise ValueError(text)
    return text


_EMPLOYMENT_FIELDS = frozenset(f.name for f in fields(Employment))


def _employment(values: Mapping[str, Any]) -> Employment:
    return Employment(
        **{
            "number": 1,
            **{name: value for name, value in values.items() if name in _EMPLOYMENT_FIELDS},
        }
    )


def _person(person_id: int, values: Mapping[str, Any], moment: dt.datetime) -> Person:
    own = {name: value for name, value in values.items() if name in _PERSON_FIELDS}
    return Person(
        id=person_id,
        **{"email": None, "created_at": moment, "updated_at": moment, **own},
        employments=(_employment(values),),
    )


def load_company(folder: Path = SAMPLE, day: int = 1) -> Tenant:
    """The company in ``folder`` on one of its days: ``org_units.csv``, ``company.csv``, then each
    ``day_N.yaml`` up to ``day``.

    :class:`~hris_pipeline.errors.PipelineError` when a file is missing or a row cannot be read.
    """
    try:
        with (folder / "org_units.csv").open(encoding="utf-8", newline="") as file:
            units = tuple(
                OrgUnit(cast("Kind", row["kind"]), int(row["id"]), row["name"], row["country"])
                for row in csv.DictReader(file)
            )
        with (folder / "company.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        days = [
            yaml.safe_load((folder / f"day_{number}.yaml").read_text(encoding="utf-8"))
            for number in range(1, day + 1)
        ]
    except OSError as problem:
        raise PipelineError(
            f"{problem.filename} cannot be read ({problem.strerror}). The sandbox did not start."
        ) from None
    reader = _Reader(units, folder / "company.csv")
    date = days[0]["date"]
    persons: dict[int, Person] = {}
    for row in rows:
        person_id, values = int(row["id"]), reader.values(row)
        known = persons.get(person_id)
        if known is not None:
            persons[person_id] = replace(
                known, employments=(*known.employments, _employment(values))
            )
            continue
        hired = dt.datetime.combine(values["start_date"], dt.time(8), dt.UTC) - dt.timedelta(
            days=30
        )
        last_touched = dt.datetime.combine(date, dt.time(0, 30), dt.UTC) - dt.timedelta(
            days=3 + person_id % 200
        )
        touched = min(max(hired, last_touched), dt.datetime.combine(date, dt.time(0, 30), dt.UTC))
        picture = 1 if person_id % 3 == 0 else None
        # numbers that nobody has
        phone = f"+49 40 66969 {person_id % 1000:03}" if person_id % 20 else ""
        made = _person(person_id, values, touched)
        persons[person_id] = replace(
            made, created_at=min(hired, last_touched), photo=picture, phone=phone
        )
    snapshot = Snapshot(date, {}, units).with_persons(persons.values())
    for number, changes in enumerate(days[1:], start=2):
        snapshot = _apply(snapshot, changes, folder / f"day_{number}.yaml")
    return Tenant(snapshot, folder, day)


def _apply(snapshot: Snapshot, changes: Mapping[str, Any], file: Path) -> Snapshot:
    """The company after one more day: the calendar moves, units change, then people."""
    snapshot = on_date(snapshot, changes["date"])
    moment = snapshot.moment
    units = {(unit.kind, unit.id): unit for unit in snapshot.units}
    for row in changes.get("org_units", ()):
        before = units.get((row["kind"], row["id"]), OrgUnit(row["kind"], row["id"], row["name"]))
        units[row["kind"], row["id"]] = replace(
            before, name=row["name"], country=row.get("country", before.country)
        )
    reader = _Reader(tuple(units.values()), file)
    persons = dict(snapshot.persons)
    for row in changes.get("hires", ()):
        persons[row["id"]] = _person(row["id"], reader.values(row), moment)
    for row in (*changes.get("leavers", ()), *changes.get("changes", ())):
        for person_id in row.get("ids") or (row["id"],):
            persons[person_id] = changed(persons[person_id], moment, **reader.values(row))
    for row in changes.get("rehires", ()):
        person = persons[row["id"]]
        latest, values = person.recent_first[0], reader.values(row)
        own = {name: values.pop(name) for name in _PERSON_FIELDS & values.keys()}
        again = replace(latest, **{"number": latest.number + 1, "end_date": None, **values})
        persons[row["id"]] = replace(
            person, employments=(*person.employments, again), **{"updated_at": moment, **own}
        )
    return on_date(
        replace(snapshot, units=tuple(units.values())).with_persons(persons.values()),
        changes["date"],
    )


# --- a company of any size ------------------------------------------------------------------------

_FIRST = (
    "Ada",
    "Bjørn",
    "Dörte",
    "Élodie",
    "Femke",
    "Gülşah",
    "Iñaki",
    "Jürgen",
    "Lucía",
    "Mehmet",
    "Noor",
    "Óscar",
    "Paweł",
    "Zoë",
)
_LAST = (
    "Bakker",
    "Çetin",
    "Domínguez",
    "Eberle",
    "Fröhlich",
    "García",
    "Hübner",
    "Jansen",
    "Müller",
    "Núñez",
    "Özgür",
    "Schäfer",
    "Vos",
)
_PLACES = (
    ("Berlin", "DE"),
    ("Amsterdam", "NL"),
    ("Madrid", "ES"),
    ("Hamburg", "DE"),
    ("Utrecht", "NL"),
    ("Valencia", "ES"),
)


def generate(n: int, seed: int = 0, date: dt.date = dt.date(2026, 3, 2)) -> Tenant:
    """A company of ``n`` people: about one group for 12 of them, reporting lines 6 to 8 deep, a few
    per cent not plainly active.

    The same ``n`` and ``seed`` give the same company. Everybody who leads somebody is active.
    """
    dice = random.Random(seed)  # noqa: S311 - no secret
    offices = max(2, min(n // 100, 60))
    sizes: Mapping[Kind, int] = {
        "team": max(2, n // 20),
        "department": max(2, n // 60),
        "cost_center": max(2, n // 80),
    }
    units = [
        OrgUnit(kind, 1000 + i, f"{kind.replace('_', ' ').title()} {i + 1}")
        for kind, size in sizes.items()
        for i in range(size)
    ]
    units += [
        OrgUnit("location", 100 + i, f"{_PLACES[i % 6][0]} {i // 6 + 1}", _PLACES[i % 6][1])
        for i in range(offices)
    ]
    units += [
        OrgUnit("legal_entity", 10 + i, f"Sample {country}", country)
        for i, country in enumerate(("DE", "NL", "ES"))
    ]
    span = max(2, round(n ** (1 / 6.5)))
    leaders = (n - 2) // span + 1  # people with an index below this one lead somebody
    persons = []
    for i in range(n):
        status: Status = "ACTIVE"
        if i >= leaders:
            status = dice.choices(("ACTIVE", "LEAVE", "ONBOARDING", "INACTIVE"), (90, 3, 2, 5))[0]
        team = dice.randrange(sizes["team"])
        office = dice.randrange(offices)
        start = date - dt.timedelta(days=dice.randrange(30, 4000))
        employment = Employment(
            number=1,
            status=status,
            start_date=(
                date + dt.timedelta(days=dice.randrange(1, 60)) if status == "ONBOARDING" else start
            ),
            end_date=(
                date - dt.timedelta(days=dice.randrange(1, 29)) if status == "INACTIVE" else None
            ),
            position="Specialist",
            team=1000 + team,
            department=1000 + team % sizes["department"],
            cost_centers=((1000 + team % sizes["cost_center"], 100),),
            location=100 + office,
            legal_entity=10 + office % 3,
            supervisor=None if i == 0 else 1 + (i - 1) // span,
        )
        first, last = dice.choice(_FIRST), dice.choice(_LAST)
        touched = dt.datetime.combine(start, dt.time(9), dt.UTC)
        persons.append(
            Person(
                1 + i,
                first,
                last,
                f"person.{1 + i}@nordlicht.example",
                (employment,),
                touched,
                touched,
            )
        )
    return Tenant(Snapshot(date, {}, tuple(units)).with_persons(persons))


def days_of(folder: Path) -> int:
    """How many days the company in ``folder`` has."""
    numbers = {
        int(found[1])
        for path in folder.glob("day_*.yaml")
        if (found := re.fullmatch(r"day_(\d+)\.yaml", path.name))
    }
    return max(numbers, default=0)
