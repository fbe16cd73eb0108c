"""The records of several HR systems, changed at will, and who they are night after night:
``people.build`` alone.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
from plan.world import KINDS, NOON, STATUSES, InMemory

from hris_pipeline import groups, managers, people
from hris_pipeline.contracts.tables import EMPLOYEES, ORG_UNITS
from hris_pipeline.warehouse import stage


@dataclass(frozen=True)
class Record:
    """One record as an HRIS gives it."""

    email: str | None
    given_name: str | None = "Ada"
    family_name: str | None = "Byron"
    status: str | None = "active"
    start_date: str | None = "2020-01-01"
    end_date: str | None = None
    manager_id: str | None = None
    groups: tuple[tuple[str, str], ...] = ()
    absent: tuple[str, ...] = ()


class Registry:
    """Records by ``hris_ref``; what the company file says is in ``rules``."""

    def __init__(self, *connections: str) -> None:
        self.connections = connections or ("p", "q")
        self.records: dict[str, Record] = {}
        self.units: dict[str, str] = {}  # by hris_ref
        self.now = NOON
        self.rules = people.PeopleParameters(
            "Europe/Berlin", 0, KINDS, dict.fromkeys(self.connections, STATUSES)
        )
        self.warehouse = InMemory()
        for connection in self.connections:
            with self.warehouse.write() as con:
                con.execute(f"create schema if not exists hris_{connection}")
                con.execute(EMPLOYEES.at(f"hris_{connection}").ddl())
                con.execute(ORG_UNITS.at(f"hris_{connection}").ddl())

    def put(
        self, ref: str, email: str | None, name: str | None = "Ada Byron", **values: Any
    ) -> None:
        """Add or replace a record; ``name`` is the first and the last name."""
        given, family = (name or " ").split(" ", 1)
        self.records[ref] = Record(email, given or None, family or None, **values)

    def change(self, ref: str, **values: Any) -> None:
        """Change a record."""
        self.records[ref] = replace(self.records[ref], **values)

    def rule(self, **values: Any) -> None:
        """Change what the company file says."""
        self.rules = replace(self.rules, **values)

    def night(self, order: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
        """Read all records (in that order), build, and give ``core.people`` by ``person_id``; the
        clock moves on by a day.
        """
        with self.warehouse.write() as con:
            for connection in self.connections:
                self._extract(
                    con,
                    connection,
                    [ref for ref in order or self.records if ref.startswith(f"{connection}:")],
                )
            self.counts = people.build(con, self.rules, self.now)
            found = con.execute("select * from core.people").fetchall()
            names = [column[0] for column in con.description or ()]
        self.now += dt.timedelta(days=1)
        rows = [dict(zip(names, row, strict=True)) for row in found]
        return {row["person_id"]: row for row in rows}

    def held(self) -> dict[str, set[str]]:
        """The rules that each record breaks."""
        found: dict[str, set[str]] = {}
        for ref, rule in self.query("select hris_ref, rule from core.quarantine"):
            found.setdefault(ref, set()).add(rule)
        return found

    def memberships(self) -> set[tuple[str, str]]:
        """Who is in which group."""
        with self.warehouse.write() as con:
            groups.build(con, self.connections, KINDS)
        return set(self.query("select person_id, group_ref from core.memberships"))

    def lines(self) -> dict[str, tuple[str | None, str | None]]:
        """Each person's manager and what is wrong with that."""
        with self.warehouse.write() as con:
            managers.build(con)
        return {person: (manager, problem) for person, manager, problem in self.query(
            "select person_id, manager_id, problem from core.manager_graph")}  # fmt: skip

    def query(self, sql: str) -> list[Any]:
        """What the warehouse says."""
        with self.warehouse.read() as con:
            return con.execute(sql).fetchall()

    def _extract(
        self, con: duckdb.DuckDBPyConnection, connection: str, refs: Sequence[str]
    ) -> None:
        con.execute(
            f"delete from hris_{connection}.employees; delete from hris_{connection}.org_units"
        )
        rows = [(ref.partition(":")[2], *_values(self.records[ref])) for ref in refs]
        stage(con, f"hris_{connection}.employees", ("id", *Record.__dataclass_fields__), rows)
        units = [
            (*ref.split(":")[1:], name)
            for ref, name in self.units.items()
            if ref.startswith(f"{connection}:")
        ]
        stage(con, f"hris_{connection}.org_units", ("kind", "id", "name"), units)


def _values(record: Record) -> Sequence[object]:
    values: Mapping[str, object] = vars(record)
    return [
        [{"kind": kind, "id": id_} for kind, id_ in record.groups] if name == "groups"
        else list(value)  # type: ignore[call-overload]
        if isinstance(value, tuple) else value
        for name, value in values.items()
    ]  # fmt: skip
