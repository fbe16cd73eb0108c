"""The same company as Merge gives it: saved pages of its employees and groups, beside the Personio
pages of ``generate.py``.

    python -m benchmarks.generate_merge data/benchmark/100000

Each file holds one page of 100 records a line, with every field that Merge's document names. What
is not filled here is null, as it is for most HR systems; the ids and names are those of the
Personio pages, so that both give the same people and groups.
"""

import argparse
import itertools
import json
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from benchmarks.generate import KINDS, Company, Person, Slot, Writer, filled, group_id
from hris_pipeline.hris.systems.merge.service import PAGE_SIZE

STATUSES = {"active": "ACTIVE", "leave": "ACTIVE", "onboarding": "PENDING", "inactive": "INACTIVE"}
FILES = EMPLOYEES, GROUPS = "merge_employees.jsonl", "merge_groups.jsonl"
WRITTEN = "2026-11-01T23:10:00.123456Z"


def merge_id(table: int, number: int) -> str:
    """Merge's own id of a record: looks like a random UUID, and is none."""
    return str(
        uuid.UUID(int=(table << 96) | (number * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF), version=4)
    )


def employee_id(number: int) -> str:
    """Merge's id of the person with a number of Personio's."""
    return merge_id(1, number)


def unit_id(kind: str, number: int) -> str:
    """Merge's id of a group."""
    return merge_id(2, group_id(kind, number))


def group(company: Company, kind: str, number: int) -> bytes:
    """One group, in JSON."""
    return msgspec.json.encode(
        {
            "id": unit_id(kind, number),
            "remote_id": str(group_id(kind, number)),
            "created_at": WRITTEN,
            "modified_at": WRITTEN,
            "parent_group": None,
            "name": company.group_name(kind, number),
            "type": kind.upper(),
            "is_commonly_used_as_team": kind == "team",
            "remote_was_deleted": False,
            "field_mappings": {
                "organization_defined_targets": {},
                "linked_account_defined_targets": {},
            },
            "remote_data": None,
        }
    )


class MergeWriter:
    """Turns people into Merge's JSON."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.personio = Writer(company)
        nothing = dict.fromkeys(
            ("preferred_name", "username", "personal_email", "mobile_phone_number", "home_location",
             "team", "pay_group", "ssn", "gender", "ethnicity", "marital_status", "date_of_birth",
             "hire_date", "avatar", "custom_fields")
        )  # fmt: skip
        self.text, self.slots = filled(
            {
                "id": Slot("id"),
                "remote_id": Slot("remote_id"),
                "created_at": WRITTEN,
                "modified_at": WRITTEN,
                "employee_number": Slot("remote_id"),
                "company": Slot("company"),
                "first_name": Slot("first"),
                "last_name": Slot("last"),
                "display_full_name": None,
                "groups": Slot("groups"),
                "work_email": Slot("email"),
                "employments": [Slot("employment")],
                "work_location": Slot("location"),
                "manager": Slot("manager"),
                "start_date": Slot("started"),
                "remote_created_at": WRITTEN,
                "employment_status": Slot("status"),
                "termination_date": Slot("ended"),
                **nothing,
                "remote_was_deleted": False,
                "field_mappings": {
                    "organization_defined_targets": {},
                    "linked_account_defined_targets": {},
                },
                "remote_data": None,
            }
        )

    def employee(self, person: Person) -> str:
        """One employee, in JSON."""
        bits, of_personio = person.bits, self.personio
        _, manager = self.company.manager(person)
        values: dict[str, object] = {
            "id": f'"{employee_id(person.id)}"',
            "remote_id": f'"{person.id}"',
            "company": f'"{merge_id(3, bits % 4)}"',
            "first": of_personio.firsts[person.first],
            "last": of_personio.lasts[person.last],
            "groups": (
                msgspec.json.encode(
                    [
                        unit_id(kind, number)
                        for kind, number in zip(KINDS, person.groups, strict=True)
                    ]
                ).decode()
            ),
            "email": of_personio.email(person),
            "employment": f'"{merge_id(4, person.id)}"',
            "location": f'"{merge_id(5, bits % 8)}"',
            "manager": "null" if manager is None else f'"{employee_id(manager)}"',
            "started": self.midnight(of_personio.hired(person)),
            "status": (
                '"sabbatical"' if person.defect == "status" else f'"{STATUSES[person.status]}"'
            ),
            "ended": self.midnight(of_personio.ended(person)),
        }
        return self.text % tuple([values[slot] for slot in self.slots])

    @staticmethod
    def midnight(day: str) -> str:
        """A day as Merge gives it: midnight UTC, of the same date."""
        return day if day == "null" else f'{day[:11]}T00:00:00Z"'


def write(path: Path, records: Iterable[str | bytes]) -> None:
    """One page a line; the cursor of the next is its number."""
    texts = (record if isinstance(record, str) else record.decode() for record in records)
    pages: Iterator[tuple[str, ...]] = iter(lambda: tuple(itertools.islice(texts, PAGE_SIZE)), ())
    with path.open("w", encoding="utf-8") as file:
        page, number = next(pages, ()), 0
        while page:
            following, number = next(pages, ()), number + 1
            cursor = f'"{number}"' if following else "null"
            file.write(f'{{"next":{cursor},"previous":null,"results":[{",".join(page)}]}}\n')
            page = following


def generate(folder: Path) -> None:
    """Write both files beside the company's other ones."""
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    company = Company(about["people"], about["seed"])
    writer = MergeWriter(company)
    write(
        folder / GROUPS,
        (group(company, kind, number) for kind in KINDS for number in range(company.counts[kind])),
    )
    write(
        folder / EMPLOYEES,
        (writer.employee(company.person(index)) for index in range(company.people)),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    generate(parser.parse_args().folder)
