"""A company's nightly export, as an HR system without an API would write it: one CSV file, written
whole or not at all.

One row for each employment and cost centre, semicolons, UTF-8 with a BOM as Excel likes it, German
dates, 31.12.9999 for a contract without an end, and a last row with the number of rows.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hris_pipeline.sandbox.company import Employment, Person, Snapshot, Tenant

UNITS = {
    "team": "Team",
    "department": "Department",
    "cost_center": "Cost center",
    "location": "Office",
    "legal_entity": "Company",
}
HEADER = (
    "Personnel number",
    "Contract",
    "E-mail",
    "First name",
    "Last name",
    "Status",
    "First day",
    "Last day",
    "Manager",
    "Position",
    "Phone",
    *(header for name in UNITS.values() for header in (f"{name} ID", name)),
)
STATUSES = {"ACTIVE": "working", "LEAVE": "on leave", "ONBOARDING": "joining", "INACTIVE": "left"}
NEVER = dt.date(9999, 12, 31)

OPTIONS: dict[str, Any] = {
    "columns": {
        "id": "Personnel number",
        "employment_id": "Contract",
        "email": "E-mail",
        "given_name": "First name",
        "family_name": "Last name",
        "status": "Status",
        "start_date": "First day",
        "end_date": "Last day",
        "manager_id": "Manager",
        "title": "Position",
        "phone": "Phone",
        "groups": {kind: {"id": f"{name} ID", "name": name} for kind, name in UNITS.items()},
    },
    "statuses": {
        "working": "active",
        "on leave": "on_leave",
        "joining": "upcoming",
        "left": "ended",
    },
    "dates": {"default": "%d.%m.%Y"},
    "proof": {"trailer": {"starts_with": "TOTAL"}},
}
"""What a company file says of such a file, but for its ``path``."""


def write_csv(tenant: Tenant, path: Path) -> int:
    """Write the company as it is now to ``path``, by renaming a finished file; the number of its
    rows, the last one left out.
    """
    company = tenant.snapshot
    rows = [row for person in company.persons.values() for row in _rows(person, company)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerows((HEADER, *rows, ("TOTAL", len(rows))))
    draft = path.with_name(f".{path.name}")
    draft.write_bytes(text.getvalue().encode("utf-8-sig"))
    draft.replace(path)
    return len(rows)


def _rows(person: Person, company: Snapshot) -> Iterator[tuple[Any, ...]]:
    for employment in person.employments:
        centers: list[int | None] = [unit for unit, _ in employment.cost_centers]
        for center in centers or [None]:
            yield (
                person.id,
                employment.number,
                person.email,
                person.first_name,
                person.last_name,
                STATUSES.get(employment.status, employment.status),
                _written(employment.start_date),
                _written(employment.end_date or NEVER),
                employment.supervisor,
                employment.position,
                person.phone,
                *_units(employment, center, company),
            )


def _units(
    employment: Employment, center: int | None, company: Snapshot
) -> Iterator[int | str | None]:
    for kind in UNITS:
        unit = center if kind == "cost_center" else getattr(employment, kind)
        yield unit
        yield None if unit is None else company.unit_names.get((kind, unit))


def _written(date: dt.date) -> str:
    return f"{date:%d.%m}.{date.year:04}"
