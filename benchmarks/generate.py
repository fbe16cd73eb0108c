"""A company of any size for the benchmarks: saved Personio v1 pages, and what deskbird holds of the
same company.

    python benchmarks/generate.py --people 100000 --out data/benchmark/100000

The same arguments give the same bytes. Hardly more than counters is kept in memory, so a million
people (3.8 GB) need little more of it than a thousand. What is written:

``pages.jsonl``
    One page a line, as ``GET /v1/company/employees?limit=100`` answers it, with most of the
    standard attribute set and two custom attributes, as a tenant with a wide whitelist gives it:
    3.8 kB a person. Three kinds of group with one group for 12 people, reporting lines 6 to 8 deep,
    a few cycles, and 0.6 % of the people with an e-mail that is missing, not valid or another one's
    too.
``users.parquet``, ``groups.parquet``, ``group_members.parquet``
    What deskbird holds, in the columns of the contracts ``deskbird.users``, ``.groups`` and
    ``.group_members``: the same company but for about one user in a hundred (missing, changed, or
    inactive and unknown to the HR system).
``about.json``
    The counts, and the moment (``now``) at which the company is to be looked at.
"""

import argparse
import datetime as dt
import itertools
import json
import math
import unicodedata
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from hris_pipeline.contracts.tables import (
    DESKBIRD_GROUP_MEMBERS,
    DESKBIRD_GROUPS,
    DESKBIRD_USERS,
    Table,
)

NOW = "2026-11-02T03:00:00+00:00"
TODAY = dt.date(2026, 11, 2)
PAGE = 100
KINDS = ("team", "department", "cost_center")
PEOPLE_PER_GROUP = {"team": 18, "department": 60, "cost_center": 90}  # 1/18 + 1/60 + 1/90 = 1/12
DEFECTS = ("missing", "invalid", "first_of_two", "second_of_two", "status")

FIRST = (
    "Ada", "Ágnes", "Alexander", "Amélie", "Anna", "Antonia", "Ben", "Björn", "Björg", "Carla",
    "Chloë", "Clara", "David", "Dorothée", "Elena", "Elif", "Emil", "Émile", "Emma", "Eszter",
    "Felix", "Finn", "Françoise", "Greta", "Gülay", "Håkon", "Hannah", "Henri", "Ida", "Ines",
    "Isabel", "Iñaki", "Jakob", "Jana", "Jörg", "Jonas", "José", "Jürgen", "Karla", "Katarzyna",
    "Lea", "Léon", "Levin", "Lina", "Łukasz", "Luca", "Maja", "Manuel", "Mara", "Marie", "Márton",
    "Mateo", "Mia", "Milan", "Mohammed", "Nele", "Nina", "Noah", "Núria", "Oğuz", "Olga", "Oskar",
    "Paula", "Paul", "Piotr", "Renée", "Robin", "Rosa", "Sara", "Şebnem", "Sofia", "Søren", "Sören",
    "Stefan", "Tim", "Tomáš", "Ümit", "Valentina", "Vera", "Viktor", "Walter", "Wanda", "Xaver",
    "Yara", "Yusuf", "Zoë", "Zoltán",
)  # fmt: skip
LAST = (
    "Bauer", "Becker", "Bianchi", "Björklund", "Braun", "Çelik", "Černý", "da Silva", "Demir",
    "Dubois", "Dvořák", "Fernández", "Fischer", "Fontaine", "García", "González", "Groß", "Günther",
    "Hansen", "Hartmann", "Hoffmann", "Horváth", "Ivanov", "Jäger", "Jensen", "Kaya", "Keller",
    "Klein", "Koch", "König", "Kovács", "Kowalski", "Krüger", "Lange", "Lefèvre", "Lehmann",
    "López", "Maier", "Martín", "Meyer", "Moreau", "Muñoz", "Möller", "Müller", "Nagy", "Neumann",
    "Nguyễn", "Novák", "Nowak", "Núñez", "O'Connor", "Öztürk", "Papadopoulos", "Peeters", "Pérez",
    "Richter", "Rodríguez", "Rossi", "Roth", "Russo", "Sánchez", "Schäfer", "Schmidt", "Schneider",
    "Schröder", "Schulz", "Schwarz", "Şahin", "Silva", "Sørensen", "Szabó", "Tóth", "van Dijk",
    "Vogel", "Wagner", "Weber", "Weiß", "Werner", "Wiśniewski", "Wolf", "Zieliński", "Zimmermann",
    "Østergård",
)  # fmt: skip
JOBS = (
    "Account Manager",
    "Software Engineer",
    "Buyer",
    "Data Analyst",
    "Customer Support Agent",
    "Team Lead",
    "Accountant",
    "Product Manager",
)
AREAS = (
    "Sales",
    "Finance",
    "Logistics",
    "Platform",
    "Support",
    "Research",
    "Marketing",
    "Purchasing",
    "Legal",
    "Facilities",
)
OFFICES = ("München", "Berlin", "Wien", "Zürich", "Lyon", "Madrid", "Kraków", "Amsterdam")
COMPANIES = ("Nordwind GmbH", "Nordwind Austria GmbH", "Nordwind SAS", "Nordwind B.V.")
FOLDED = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "å": "a", "'": None})


def mixed(number: int) -> int:
    """64 well-mixed bits of a number (splitmix64)."""
    number = (number + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return number ^ (number >> 31)


def plain(name: str) -> str:
    """A name as it stands in an address: ASCII, lower case, no spaces."""
    return (
        unicodedata.normalize("NFKD", name.translate(FOLDED))
        .encode("ascii", "ignore")
        .decode()
        .lower()
        .replace(" ", "")
    )


PLAIN_FIRST, PLAIN_LAST = [plain(name) for name in FIRST], [plain(name) for name in LAST]


class Person(NamedTuple):
    """What both sides agree on about the person with number ``index``."""

    index: int
    id: int
    first: int
    last: int
    email: str  # as deskbird has it
    status: str
    defect: str | None
    groups: tuple[int, int, int]  # number of the team, department and cost centre
    bits: int  # more chance, for whoever needs it


class Company:
    """A company of ``people``; everything about anybody follows from the seed and the person's
    number.
    """

    def __init__(self, people: int, seed: int) -> None:
        self.people = people
        self.seed = seed << 32
        self.counts = {kind: max(1, people // size) for kind, size in PEOPLE_PER_GROUP.items()}
        self.branching = max(2, round(people ** (1 / 7)))  # seven levels at any size
        step = int(people * 0.618) | 1
        while math.gcd(step, people) != 1:
            step += 2
        self.step, self.back = step, pow(step, -1, people) if people > 1 else 0
        self.cycles = people // 10_000 + 1 if people >= 100 else 0

    def person(self, index: int) -> Person:
        """One person."""
        bits = mixed(self.seed + index)
        rest, first = divmod(bits, len(FIRST))
        rest, last = divmod(rest, len(LAST))
        rest, chance = divmod(rest, 1000)
        status = (
            "active"
            if chance < 930
            else "leave"
            if chance < 950
            else "onboarding"
            if chance < 960
            else "inactive"
        )
        bits = mixed(bits)
        rest, team = divmod(bits, self.counts["team"])
        rest, department = divmod(rest, self.counts["department"])
        cost_center = rest % self.counts["cost_center"]
        email = f"{PLAIN_FIRST[first]}.{PLAIN_LAST[last]}.{index}@nordwind.example"
        return Person(
            index,
            1_000_000 + index * 7,
            first,
            last,
            email,
            status,
            self.defect(index),
            (team, department, cost_center),
            mixed(bits),
        )

    def defect(self, index: int) -> str | None:
        """Six in a thousand records that cannot be used, and a few with a status nobody knows."""
        place = index % 1000
        if place in {137, 613}:
            return "missing"
        if place in {251, 877}:
            return "invalid"
        if place in {402, 403} and index // 1000 * 1000 + 403 < self.people:
            return "first_of_two" if place == 402 else "second_of_two"
        return "status" if index % 10_000 == 5555 else None

    def manager(self, person: Person) -> tuple[int | None, int | None]:
        """Number and id of the manager: both None at the top, the number None where nobody has that
        id.
        """
        place = person.index * self.step % self.people
        if place == 0:
            return None, None
        from_end = self.people - 1 - place
        # the last ones, who manage nobody, report to each other in threes
        if from_end < 3 * self.cycles:
            at = from_end // 3 * 3 + (from_end + 1) % 3
            number = (self.people - 1 - at) * self.back % self.people
        elif person.bits % 10_000 < 5:
            return None, 900_000_000 + person.index
        elif person.bits % 10_000 == 5:
            number = person.index
        else:
            number = (place - 1) // self.branching * self.back % self.people
        return number, 1_000_000 + number * 7

    def in_cycle(self, person: Person) -> bool:
        """Whether the person is in one of the cycles."""
        return self.people - 1 - person.index * self.step % self.people < 3 * self.cycles

    def group_name(self, kind: str, number: int) -> str:
        """A group's name; one team in a hundred is called like a department."""
        if kind == "cost_center":
            return f"{4000 + number} {AREAS[number % len(AREAS)]}"
        twin = kind == "team" and number % 100 == 0 and number < self.counts["department"]
        return (
            f"{'Team ' if kind == 'team' and not twin else ''}{AREAS[number % len(AREAS)]} {number}"
        )


def group_id(kind: str, number: int) -> int:
    """A group's id in Personio."""
    return {"team": 10_000_000, "department": 20_000_000, "cost_center": 30_000_000}[kind] + number


# --- Personio's side ------------------------------------------------------------------------------


class Slot(str):
    """A place in the template that each person fills."""

    __slots__ = ()


def template() -> tuple[str, tuple[str, ...]]:
    """One employee as JSON with ``%s`` where people differ, and these places' names in order."""

    def of(
        label: str, value: object, kind: str = "standard", universal: str | None = None
    ) -> dict[str, object]:
        return {"label": label, "value": value, "type": kind, "universal_id": universal}

    def named(kind: str, number: object, name: object, **more: object) -> dict[str, object]:
        return {"type": kind, "attributes": {"id": number, "name": name, **more}}

    week = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "08:00") | {
        "saturday": "00:00",
        "sunday": "00:00",
    }
    picture = Slot("picture")
    attributes: dict[str, dict[str, object]] = {
        "id": of("ID", Slot("id"), "integer"),
        "first_name": of("First name", Slot("first")),
        "last_name": of("Last name", Slot("last")),
        "email": of("Email", Slot("email")),
        "gender": of("Gender", Slot("gender")),
        "status": of("Status", Slot("status")),
        "position": of("Position", Slot("position")),
        "supervisor": of("Supervisor", Slot("supervisor")),
        "employment_type": of("Employment type", "internal"),
        "weekly_working_hours": of("Weekly hours", Slot("hours")),
        "hire_date": of("Hire date", Slot("hired"), "date"),
        "contract_end_date": of("Contract ends", None, "date"),
        "termination_date": of("Termination date", Slot("ended"), "date"),
        "probation_period_end": of("Probation period end", Slot("probation"), "date"),
        "created_at": of("Created at", Slot("created"), "date"),
        "last_modified_at": of("Last modified", Slot("modified"), "date"),
        "subcompany": of("Subcompany", named("Subcompany", Slot("company_id"), Slot("company"))),
        "office": of("Office", named("Office", Slot("office_id"), Slot("office"))),
        "department": of(
            "Department", named("Department", Slot("department_id"), Slot("department"))
        ),
        "team": of("Team", named("Team", Slot("team_id"), Slot("team"))),
        "cost_centers": of(
            "Cost center",
            [named("CostCenter", Slot("cost_center_id"), Slot("cost_center"), percentage=100)],
        ),
        "holiday_calendar": of(
            "Public holidays",
            named("HolidayCalendar", 101, "DE (Bayern) Feiertage", country="DE", state="Bayern"),
        ),
        "work_schedule": of(
            "Work schedule",
            named(
                "WorkSchedule", Slot("schedule_id"), "Full-time, 40 hours", valid_from=None, **week
            ),
        ),
        "vacation_day_balance": of("Vacation day balance", Slot("balance"), "decimal"),
        "fix_salary": of("Fix salary", Slot("salary"), "decimal") | {"currency": "EUR"},
        "last_working_day": of("Last day of work", Slot("ended"), "date"),
        "profile_picture": of("Profile Picture", picture),
        "dynamic_24407": of("Titel", Slot("title")),
        "dynamic_24418": of("Personnel number", Slot("number")),
    }
    for key, attribute in attributes.items():
        if not key.startswith("dynamic_"):
            attribute["universal_id"] = key
    return filled({"type": "Employee", "attributes": attributes})


def filled(record: object) -> tuple[str, tuple[str, ...]]:
    """A record as JSON with ``%s`` in the place of each :class:`Slot`, and the names of these in
    order.
    """
    slots: list[str] = []

    def marked(value: object) -> object:
        if isinstance(value, Slot):
            slots.append(str(value))
            return "\0"
        if isinstance(value, dict):
            return {key: marked(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [marked(inner) for inner in value]
        return value

    text = json.dumps(marked(record), separators=(",", ":"), ensure_ascii=False)
    return text.replace("%", "%%").replace('"\\u0000"', "%s"), tuple(slots)


def midnights() -> list[str]:
    """Every day from 2004 to 2026 as Personio writes it: local midnight, winter and summer time
    roughly.
    """
    days = (
        dt.date(2004, 1, 1) + dt.timedelta(days)
        for days in range((TODAY - dt.date(2004, 1, 1)).days)
    )
    return [f'"{day}T00:00:00+0{2 if 4 <= day.month <= 10 else 1}:00"' for day in days]


class Writer:
    """Turns people into Personio's JSON."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.text, slots = template()
        self.slots = slots
        self.days = midnights()
        encode = msgspec.json.Encoder().encode
        self.firsts, self.lasts = (
            [encode(name).decode() for name in names] for names in (FIRST, LAST)
        )
        self.group_names = {
            kind: [encode(company.group_name(kind, number)).decode() for number in range(count)]
            for kind, count in company.counts.items()
        }
        self.offices, self.companies, self.jobs = (
            [encode(x).decode() for x in names] for names in (OFFICES, COMPANIES, JOBS)
        )

    def email(self, person: Person) -> str:
        """The e-mail as HR has it, in JSON: now and then with capitals, and the defects."""
        match person.defect:
            case "missing":
                return "null" if person.bits & 1 else '""'
            case "invalid":
                return (
                    '"nobody"',
                    f'"{person.index}@@nordwind.example"',
                    f'"{person.index} @nordwind.example"',
                )[person.bits % 3]
            case "second_of_two":
                return f'"{self.company.person(person.index - 1).email}"'
        return f'"{person.email.title() if person.bits % 10 == 0 else person.email}"'

    def supervisor(self, person: Person) -> str:
        """The manager as a nested employee, in JSON."""
        _, identity = self.company.manager(person)
        if identity is None:
            return "null"
        inner = f'"id":{{"label":"ID","value":{identity},"type":"integer","universal_id":"id"}}'
        return f'{{"type":"Employee","attributes":{{{inner}}}}}'

    def hired(self, person: Person) -> str:
        """The first day, in JSON: of who is still to come, soon."""
        if person.status == "onboarding":
            return f'"{TODAY + dt.timedelta(14 + person.bits % 60)}T00:00:00+01:00"'
        return self.days[self.hiring(person)]

    def hiring(self, person: Person) -> int:
        """Of which of the days the record is."""
        return person.bits % (len(self.days) - 900)

    def ended(self, person: Person) -> str:
        """The last day, in JSON; null while there is none."""
        return self.days[-(30 + person.bits % 700)] if person.status == "inactive" else "null"

    def employee(self, person: Person) -> str:
        """One employee, in JSON."""
        bits, days = person.bits, self.days
        hiring = self.hiring(person)
        team, department, cost_center = person.groups
        values: dict[str, object] = {
            "id": person.id,
            "first": self.firsts[person.first],
            "last": self.lasts[person.last],
            "email": self.email(person),
            "gender": ('"female"', '"male"', '"diverse"', '""')[bits % 4],
            "status": '"sabbatical"' if person.defect == "status" else f'"{person.status}"',
            "position": self.jobs[bits % len(JOBS)],
            "supervisor": self.supervisor(person),
            "hours": '"40"' if bits % 5 else '"32"',
            "hired": self.hired(person),
            "ended": self.ended(person),
            "probation": days[hiring + 180],
            "created": days[hiring],
            "modified": days[-1 - bits % 90],
            "company_id": 7000 + bits % len(COMPANIES),
            "company": self.companies[bits % len(COMPANIES)],
            "office_id": 131_000 + bits % len(OFFICES),
            "office": self.offices[bits % len(OFFICES)],
            "department_id": group_id("department", department),
            "department": self.group_names["department"][department],
            "team_id": group_id("team", team),
            "team": self.group_names["team"][team],
            "cost_center_id": group_id("cost_center", cost_center),
            "cost_center": self.group_names["cost_center"][cost_center],
            "schedule_id": 9_007_199_254_740_993 + bits % 9,  # ids can exceed what a double holds
            "balance": bits % 60 / 2,
            "salary": 2500 + bits % 6000,
            "picture": (
                f'"https://api.personio.de/v1/company/employees/{person.id}/profile-picture"'
            ),
            "title": '"Dr"' if bits % 20 == 0 else '""',
            "number": f'"{person.index:07d}"',
        }
        return self.text % tuple([values[slot] for slot in self.slots])


# --- deskbird's side ------------------------------------------------------------------------------


def user_id(index: int) -> str:
    """A user's id in deskbird."""
    return f"usr-{index:08d}"


class Deskbird:
    """What deskbird holds of the company, but for about one user in a hundred."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.members = {
            kind: array("l", bytes(8 * count)) for kind, count in company.counts.items()
        }
        self.different = 0

    def state(self, person: Person) -> bool | None:
        """Whether the user is active; None where deskbird has no such user."""
        dice = mixed(person.bits) % 1000
        if person.status == "onboarding" or person.defect in {"second_of_two", "status"}:
            return None
        if person.status == "inactive":
            return True if dice < 10 else False if dice < 500 else None
        return None if dice < 3 else True

    def users(self, person: Person) -> Iterator[dict[str, Any]]:
        """The user of this person, and perhaps one of somebody whom HR no longer knows."""
        dice, active = mixed(person.bits) % 1000, self.state(person)
        first, last = FIRST[person.first], LAST[person.last]
        wanted = person.status in {"active", "leave"}
        self.different += (wanted and 0 <= dice < 10) or (
            person.status == "inactive" and active is True
        )
        if active is not None:
            number, _ = self.company.manager(person)
            manager = None
            if number is not None and number != person.index and not self.company.in_cycle(person):
                chief = self.company.person(number)
                if chief.status in {"active", "leave"} and self.state(chief):
                    manager = user_id(number)
            if wanted and 3 <= dice < 5:
                last = LAST[(person.last + 1) % len(LAST)]
            email = person.email.replace("@", ".old@") if wanted and 5 <= dice < 6 else person.email
            if wanted and 6 <= dice < 8:
                manager = user_id(0)
            yield {
                "deskbird_id": user_id(person.index),
                "hris_ref": f"personio:{person.id}",
                "user_name": email,
                "email": email,
                "given_name": first,
                "family_name": last,
                "display_name": f"{first} {last}",
                "active": active,
                "manager_deskbird_id": manager,
                "external_id": f"personio:{person.id}",
                "version": None,
            }
        if dice == 999:  # left so long ago that the HR system has forgotten the person
            self.different += 1
            ghost = f"{PLAIN_FIRST[person.first]}.gone.{person.index}@nordwind.example"
            yield {
                "deskbird_id": f"usr-gone-{person.index:08d}",
                "hris_ref": f"personio:{500_000_000 + person.index}",
                "user_name": ghost,
                "email": ghost,
                "given_name": first,
                "family_name": "Gone",
                "display_name": f"{first} Gone",
                "active": False,
                "manager_deskbird_id": None,
                "external_id": f"personio:{500_000_000 + person.index}",
                "version": None,
            }

    def memberships(self, person: Person) -> Iterator[dict[str, str]]:
        """The groups of an active user; one user in 500 is still in another team."""
        if not self.state(person):
            return
        for kind, number in zip(KINDS, person.groups, strict=True):
            held = number
            if person.status in {"active", "leave"}:
                self.members[kind][number] += 1
                if kind == "team" and 8 <= mixed(person.bits) % 1000 < 10:
                    held = (number + 1) % self.company.counts["team"]
            if not self.missing(kind, held):
                yield {
                    "group_deskbird_id": f"grp-{kind}-{held}",
                    "user_deskbird_id": user_id(person.index),
                }

    @staticmethod
    def missing(kind: str, number: int) -> bool:
        """Whether the group is still to be created."""
        return kind == "team" and number % 500 == 250

    def groups(self) -> Iterator[dict[str, str | None]]:
        """All groups that have a member; one department in 200 has still its old name. To be asked
        last.
        """
        teams = self.company.counts["team"]
        for kind in KINDS:
            for number in range(self.company.counts[kind]):
                if not self.members[kind][number] or self.missing(kind, number):
                    continue
                name = self.company.group_name(kind, number)
                if (
                    kind == "department"
                    and number % 100 == 0
                    and number < teams
                    and self.members["team"][number]
                ):
                    name = f"{name} (department)"  # the team of that name came first
                if kind == "department" and number % 200 == 77:
                    name = f"{name} (old)"
                ref = f"personio:{kind}:{group_id(kind, number)}"
                yield {
                    "deskbird_id": f"grp-{kind}-{number}",
                    "hris_ref": ref,
                    "name": name,
                    "external_id": ref,
                    "version": None,
                }


class Parquet:
    """A Parquet file with a contract's columns, written in batches."""

    TYPES: ClassVar = {
        "VARCHAR": pa.string(),
        "BOOLEAN": pa.bool_(),
        "MAP(VARCHAR, VARCHAR)": pa.map_(pa.string(), pa.string()),
    }

    def __init__(self, path: Path, table: Table) -> None:
        self.schema = pa.schema(
            [
                pa.field(column.name, self.TYPES[column.type], column.nullable)
                for column in table.columns
            ]
        )
        self.file = pq.ParquetWriter(path, self.schema)
        self.batch: list[Mapping[str, Any]] = []
        self.rows = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """One row more."""
        self.batch.append(row)
        if len(self.batch) == 50_000:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered."""
        self.file.write_table(pa.Table.from_pylist(self.batch, schema=self.schema))
        self.rows += len(self.batch)
        self.batch = []

    def close(self) -> int:
        """Finish the file; the number of rows."""
        self.flush()
        self.file.close()
        return self.rows


def generate(people: int, out: Path, seed: int = 1) -> dict[str, Any]:
    """Write the company to ``out`` and return what ``about.json`` says."""
    out.mkdir(parents=True, exist_ok=True)
    company = Company(people, seed)
    writer, deskbird = Writer(company), Deskbird(company)
    users = Parquet(out / "users.parquet", DESKBIRD_USERS)
    members = Parquet(out / "group_members.parquet", DESKBIRD_GROUP_MEMBERS)
    groups = Parquet(out / "groups.parquet", DESKBIRD_GROUPS)
    pages, defects = math.ceil(people / PAGE), dict.fromkeys(DEFECTS, 0)
    with (out / "pages.jsonl").open("w", encoding="utf-8") as file:
        numbers = iter(range(people))
        for page in range(pages):
            employees = []
            for index in itertools.islice(numbers, PAGE):
                person = company.person(index)
                employees.append(writer.employee(person))
                if person.defect:
                    defects[person.defect] += 1
                for user in deskbird.users(person):
                    users.add(user)
                for membership in deskbird.memberships(person):
                    members.add(membership)
            metadata = f'{{"total_elements":{people},"current_page":{page},"total_pages":{pages}}}'
            head = (
                f'{{"success":true,"metadata":{metadata},"offset":{page * PAGE},'
                f'"limit":{PAGE},"data":['
            )
            file.write(f"{head}{','.join(employees)}]}}\n")
    for group in deskbird.groups():
        groups.add(group)
    about = {
        "people": people,
        "seed": seed,
        "now": NOW,
        "pages": pages,
        "bytes": (out / "pages.jsonl").stat().st_size,
        "defective": sum(defects.values()),
        "defects": defects,
        "groups": company.counts,
        "people_in_cycles": 3 * company.cycles,
        "deskbird": {
            "users": users.close(),
            "groups": groups.close(),
            "group_members": members.close(),
        },
        "users_that_differ": deskbird.different,
    }
    (out / "about.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return about


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Generate a company of any size for the benchmarks."
    )
    parser.add_argument("--people", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.people < 1:
        parser.error("--people must be at least 1")
    print(json.dumps(generate(arguments.people, arguments.out, arguments.seed), indent=2))


if __name__ == "__main__":
    main()
