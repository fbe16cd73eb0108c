"""The company as one credential sees it: the records of both generations of the API."""

import datetime as dt
import functools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from hris_pipeline.sandbox.company import Employment, Kind, OrgUnit, Person, Snapshot
from hris_pipeline.sandbox.hris.personio.account import ATTRIBUTES, PHONE, STANDARD

_NAMESPACE = uuid.UUID("6f1c1f52-6d0a-4c8e-9a52-5f0a6d1b7c11")
ZONE = ZoneInfo("Europe/Berlin")


def cost_center_uuid(cost_center: int) -> str:
    """The id that v2 gives the cost centre that v1 knows by this number."""
    return str(uuid.uuid5(_NAMESPACE, f"cost_center:{cost_center}"))


def employment_uuid(person: int, number: int) -> str:
    """v2's id of a person's employment."""
    return str(uuid.uuid5(_NAMESPACE, f"employment:{person}:{number}"))


@dataclass(frozen=True)
class Look:
    """What may be seen of the company, and how: the whitelist and the faults that change
    records.
    """

    base: str  # scheme, host and prefix of the request: links are absolute
    readable: frozenset[str]
    nulled: frozenset[str] = frozenset()
    extra: frozenset[str] = frozenset()
    odd: frozenset[str] = frozenset()
    unset: Literal["absent", "null"] = "absent"


class View:
    """One snapshot of the company as records of both generations; each is made when it is first
    asked for, and kept.
    """

    def __init__(self, snapshot: Snapshot, look: Look) -> None:
        self.snapshot = snapshot
        self.look = look
        self.persons = tuple(snapshot.persons.values())
        retyped = "int_to_str" in look.odd
        self._v1_id: Callable[[int], int | str] = str if retyped else int
        self._v2_id: Callable[[int], int | str] = int if retyped else str
        self._made: dict[tuple[str, int], Any] = {}

    def _put(self, record: dict[str, Any], key: str, value: Any, attribute: str) -> None:
        """Set a key of a v2 record, if the credential may read the attribute and there is a
        value.
        """
        if attribute not in self.look.readable:
            return
        if attribute in self.look.nulled or (value is None and self.look.unset == "null"):
            record[key] = None
        elif value is not None:
            record[key] = value

    def person(self, person: Person) -> bytes:
        """v2's record of a person, as JSON."""
        made = self._made.get(("person", person.id))
        if made is None:
            made = self._made["person", person.id] = msgspec.json.encode(self._person(person))
        return bytes(made)

    def _person(self, person: Person) -> dict[str, Any]:
        ref = self._v2_id(person.id)
        record: dict[str, Any] = {"id": ref}
        put = functools.partial(self._put, record)
        put("email", person.email, "email")
        put("created_at", _utc(person.created_at), "created_at")
        put("updated_at", _utc(person.updated_at), "last_modified_at")
        put("first_name", person.first_name, "first_name")
        put("last_name", person.last_name, "last_name")
        put("preferred_name", f"{person.first_name} {person.last_name}", "preferred_name")
        put("gender", "UNSPECIFIED", "gender")
        put(
            "profile_picture",
            None if person.photo is None else {"url": self._picture_url(person)},
            "profile_picture",
        )
        put("status", person_status(person), "status")
        number: dict[str, Any] = {
            "id": "dynamic_24407",
            "type": "STRING",
            "label": "Personnel number",
            "value": f"P{person.id:06}",
        }
        phone: dict[str, Any] = {
            "id": PHONE,
            "type": "STRING",
            "label": "Work phone",
            "value": person.phone,
        }
        own = [
            each
            for each in (number, *([phone] if person.phone else []))
            if each["id"] in self.look.readable
        ]
        put("custom_attributes", own, "dynamic_24407")
        for name in self.look.extra:
            record[name] = "new"
        record["employments"] = [
            {"id": employment_uuid(person.id, e.number)} for e in person.recent_first
        ]
        record["_meta"] = {
            "links": {
                "employments": {"href": f"{self.look.base}/v2/persons/{person.id}/employments"}
            }
        }
        return record

    def _picture_url(self, person: Person) -> str:
        return f"{self.look.base}/v1/company/employees/{person.id}/profile-picture"

    def employments(self, person: Person) -> list[tuple[Employment, bytes]]:
        """v2's records of a person's employments, most recent first."""
        made: list[tuple[Employment, bytes]] | None = self._made.get(("employments", person.id))
        if made is None:
            made = [
                (e, msgspec.json.encode(self._employment(person, e))) for e in person.recent_first
            ]
            self._made["employments", person.id] = made
        return made

    def _employment(self, person: Person, employment: Employment) -> dict[str, Any]:
        ref, look = self._v2_id, self.look
        base = f"{look.base}/v2/persons"
        record: dict[str, Any] = {
            "id": employment_uuid(person.id, employment.number),
            "status": employment.status,
        }
        links = {"person": {"href": f"{base}/{person.id}"}}
        put = functools.partial(self._put, record)
        put("weekly_working_hours", _number(employment.weekly_hours), "weekly_working_hours")
        put(
            "full_time_weekly_working_hours",
            _number(employment.full_time_hours),
            "weekly_working_hours",
        )
        put("employment_start_date", employment.start_date, "hire_date")
        if "termination_date" in look.readable:
            ended = None if "termination_date" in look.nulled else employment.end_date
            record["employment_end_date"] = ended  # the one key whose null is documented
            put("termination", self._termination(ended) if ended else None, "termination_date")
        put("type", "EXTERNAL" if employment.external else "INTERNAL", "employment_type")
        put("created_at", _utc(person.created_at), "created_at")
        put("updated_at", _utc(person.updated_at), "last_modified_at")
        put("position", {"title": employment.position}, "position")
        if employment.supervisor is not None and "supervisor" in look.readable - look.nulled:
            links["supervisor"] = {"href": f"{base}/{employment.supervisor}"}
        put(
            "supervisor",
            None if employment.supervisor is None else {"id": ref(employment.supervisor)},
            "supervisor",
        )
        put(
            "office",
            None if employment.location is None else {"id": ref(employment.location)},
            "office",
        )
        entity = None if employment.legal_entity is None else {"id": ref(employment.legal_entity)}
        put("legal_entity", entity, "subcompany")
        put("sub_company", entity, "subcompany")
        units = (("team", employment.team), ("department", employment.department))
        seen = [(kind, unit) for kind, unit in units if kind in look.readable]
        if seen:
            record["org_units"] = [
                {"type": k, "id": ref(u)} for k, u in seen if u is not None and k not in look.nulled
            ]
        shares = [
            {"id": cost_center_uuid(unit), "weight": weight}
            for unit, weight in employment.cost_centers
        ]
        put("cost_centers", shares, "cost_centers")
        record["person"] = {"id": ref(person.id)}
        record["_meta"] = {"links": links}
        return record

    def _termination(self, end: dt.date) -> dict[str, Any]:
        last = "last_working_date" if "last_working_date" in self.look.odd else "last_working_day"
        return {
            "termination_date": end,
            last: end,
            "terminated_at": end - dt.timedelta(days=60),
            "type": "EMPLOYEE",
        }

    def employee(self, person: Person, wanted: frozenset[str] | None) -> dict[str, Any]:
        """v1's flat record of a person, from the employment that counts; ``wanted`` attributes
        only.
        """
        made: dict[str, Any] | None = self._made.get(("employee", person.id))
        if made is None:
            made = self._made["employee", person.id] = self._employee(person)
        attributes = (
            made if wanted is None else {key: value for key, value in made.items() if key in wanted}
        )
        return {"type": "Employee", "attributes": attributes}

    def _employee(self, person: Person) -> dict[str, Any]:
        employment = person.current
        values = _V1_NOTHING | {
            "id": self._v1_id(person.id),
            "first_name": person.first_name,
            "last_name": person.last_name,
            "preferred_name": f"{person.first_name} {person.last_name}",
            "email": person.email or "",
            "created_at": person.created_at.astimezone(ZONE).isoformat(timespec="seconds"),
            "last_modified_at": person.updated_at.astimezone(ZONE).isoformat(timespec="seconds"),
            "profile_picture": None if person.photo is None else self._picture_url(person),
            "dynamic_24407": f"P{person.id:06}",
            PHONE: person.phone,
        }
        if employment is not None:
            values |= {
                "status": employment.status.lower(),
                "position": employment.position,
                "supervisor": self._supervisor(employment.supervisor),
                "employment_type": "external" if employment.external else "internal",
                "weekly_working_hours": str(_number(employment.weekly_hours)),
                "hire_date": _midnight(employment.start_date),
                "termination_date": _midnight(employment.end_date),
                "last_working_day": _midnight(employment.end_date),
                "subcompany": self._unit("legal_entity", employment.legal_entity),
                "office": self._unit("location", employment.location),
                "department": self._unit("department", employment.department),
                "team": self._unit("team", employment.team),
                "cost_centers": [
                    self._unit("cost_center", unit, percentage=weight)
                    for unit, weight in employment.cost_centers
                ],
            }
        look = self.look
        record = {
            key: _envelope(key, label, None if key in look.nulled else values[key], kind)
            for key, label, kind in STANDARD
            if key in look.readable
        }
        return record | {name: _envelope(name, name, "new", "standard") for name in look.extra}

    def _supervisor(self, ref: int | None) -> dict[str, Any] | None:
        if ref is None:
            return None
        attributes = {"id": _envelope("id", "ID", self._v1_id(ref), "integer")}
        known = self.snapshot.persons.get(ref)
        if known is not None:
            texts = (known.first_name, known.last_name, known.email or "")
            for (key, label, kind), text in zip(
                (STANDARD[1], STANDARD[2], STANDARD[4]), texts, strict=True
            ):
                attributes[key] = _envelope(key, label, text, kind)
        return {"type": "Employee", "attributes": attributes}

    def _unit(self, kind: Kind, ref: int | None, **more: Any) -> dict[str, Any] | None:
        if ref is None:
            return None
        name = self.snapshot.unit_names[kind, ref]
        return {
            "type": _V1_TYPES[kind],
            "attributes": {"id": self._v1_id(ref), "name": name, **more},
        }

    def unit(self, unit: OrgUnit) -> bytes:
        """v2's record of a unit."""
        record: dict[str, Any] = {"id": self._v2_id(unit.id), "name": unit.name}
        match unit.kind:
            case "team" | "department":
                uri = f"/v2/org-units/{unit.id}?type={unit.kind}"
                record |= {
                    "type": unit.kind,
                    "resource_uri": uri,
                    "create_time": "2019-01-07T08:00:00Z",
                    "parent_id": None,
                }
            case "cost_center":
                record["id"] = cost_center_uuid(unit.id)
            case "legal_entity":
                record |= self._legal_entity(unit)
        return msgspec.json.encode(record)

    def _legal_entity(self, unit: OrgUnit) -> dict[str, Any]:
        assigned = [
            p.current
            for p in self.persons
            if p.current is not None and p.current.legal_entity == unit.id
        ]
        forms = {"DE": "GMBH", "NL": "BV", "ES": "SL"}
        return {
            "status": "ACTIVE",
            "valid_from": "2019-01-07",
            "country": unit.country,
            "type": forms.get(unit.country, "OTHER"),
            "bank_details": {
                "iban": f"{unit.country}00 0000 0000 0000 00",
                "bic": "SANDBOXX",
                "account_holder": unit.name,
            },
            "assigned_employees": {
                "active": sum(e.status != "INACTIVE" for e in assigned),
                "total": len(assigned),
            },
        }


_V1_TYPES = {
    "legal_entity": "Subcompany",
    "location": "Office",
    "department": "Department",
    "team": "Team",
    "cost_center": "CostCenter",
}
_V1_NOTHING: dict[str, Any] = {
    **dict.fromkeys(ATTRIBUTES),
    **dict.fromkeys(("gender", "position", "employment_type", "weekly_working_hours"), ""),
    "status": "inactive",
    "cost_centers": [],
}


def _envelope(key: str, label: str, value: Any, kind: str) -> dict[str, Any]:
    return {
        "label": label,
        "value": value,
        "type": kind,
        "universal_id": None if key.startswith("dynamic_") else key,
    }


def person_status(person: Person) -> str:
    """v2 derives it from the latest employment, not from the one that counts."""
    latest = person.recent_first[:1]
    return "ACTIVE" if latest and latest[0].status != "INACTIVE" else "INACTIVE"


def _number(hours: float) -> int | float:
    return int(hours) if float(hours).is_integer() else hours


def _utc(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@functools.lru_cache(maxsize=50_000)
def _midnight(date: dt.date | None) -> str | None:
    """v1's form of a date: the local midnight with its offset."""
    return dt.datetime.combine(date, dt.time(), ZONE).isoformat() if date else None
