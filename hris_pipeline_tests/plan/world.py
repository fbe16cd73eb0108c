"""A whole company and its deskbird as tables alone: what the planner's laws are tested on, without a single request."""

import datetime as dt
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import duckdb

from hris_pipeline import groups, managers, people, plan
from hris_pipeline.plan.writes import Result, UserRef, Write
from hris_pipeline.warehouse import Warehouse

STATUSES = {"active": "active", "leave": "on_leave", "onboarding": "upcoming", "inactive": "ended"}
GUARDS: dict[str, Any] = {
    "deactivate_user": {"max_percent": 5, "max_count": 5, "window_days": 7, "window_percent": 10, "max_hard": 100},
    "create_user": {"max_percent": 20, "max_count": 25, "from_size": 10},
    "link_user": {"max_percent": 20, "max_count": 25},
    "update_attribute": {"max_percent": 30, "from_size": 10},
    "group_members": {"max_loss_percent": 50, "from_size": 10},
    "incomplete_extract": {},
    "first_contact": {},
    "scope_lost": {},
    "attribute_vanished": {},
}
UNGUARDED = dict.fromkeys(GUARDS)
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
KINDS = ("team", "department", "cost_center")


@dataclass
class Person:
    """One employee as an HRIS gives it."""

    id: str
    email: str | None
    given_name: str | None = "Given"
    family_name: str | None = "Family"
    status: str = "active"
    start_date: str | None = "2020-01-01"
    end_date: str | None = None
    manager_id: str | None = None
    groups: tuple[tuple[str, str], ...] = ()
    absent: tuple[str, ...] = ()


@dataclass
class User:
    """One user as deskbird holds it."""

    id: str
    user_name: str
    email: str | None
    given_name: str | None
    family_name: str | None
    display_name: str | None
    active: bool = True
    manager: str | None = None
    external_id: str | None = None


@dataclass
class Group:
    """One group as deskbird holds it."""

    id: str
    name: str
    external_id: str | None = None
    members: set[str] = field(default_factory=set)


class World:
    """An HRIS and a deskbird that can be changed at will, and nights in between."""

    def __init__(self, folder: Path, *, guards: dict[str, Any] | None = None, managers_readable: bool = True, members_readable: bool = True) -> None:
        self.warehouse = Warehouse(folder, "acme")
        self.people: dict[str, Person] = {}
        self.units: dict[tuple[str, str], str] = {}
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.now = NOON
        self.proof = "proven"
        self.readable = {"users": ["external_id", "email", "given_name", "family_name", "display_name"], "groups": ["external_id", "name"]}
        if managers_readable:
            self.readable["users"].append("manager_deskbird_id")
        if members_readable:
            self.readable["groups"].append("members")
        self.rules = plan.PlanRules("acme", ("p",), KINDS, "{name}", "{name} ({kind})", True, False, GUARDS if guards is None else guards)
        self.kinds = KINDS
        self._ids = count(1)
        self.writes: list[Write] = []
        self.prehire_days = 0

    # --- a night ------------------------------------------------------------------------------------------------------------------

    def extract(self, con: duckdb.DuckDBPyConnection) -> None:
        con.execute("delete from hris_p.employees; delete from hris_p.org_units")
        for p in self.people.values():
            con.execute(
                "insert into hris_p.employees values (?, null, ?, ?, ?, ?, ?, ?, ?, ?, ?, null)",
                [p.id, p.email, p.given_name, p.family_name, p.status, p.start_date, p.end_date, p.manager_id,
                 [{"kind": k, "id": i} for k, i in p.groups], list(p.absent)],
            )  # fmt: skip
        for (kind, id_), name in self.units.items():
            con.execute("insert into hris_p.org_units values (?, ?, ?, null)", [kind, id_, name])
        for resource in ("employees", "org_units"):
            con.execute("insert into state.extracts values ('p', ?, ?, 1, ?, null, ?, 'by the test', [])", [resource, self.now, len(self.people), self.proof])

    def derive(self, con: duckdb.DuckDBPyConnection) -> None:
        people.build(con, people.PeopleRules("Europe/Berlin", self.prehire_days, self.kinds, {"p": STATUSES}), self.now)
        groups.build(con, ["p"], self.kinds)
        managers.build(con)

    def observe(self, con: duckdb.DuckDBPyConnection) -> None:
        con.execute("delete from deskbird.users; delete from deskbird.groups; delete from deskbird.group_members")
        for u in self.users.values():
            manager = u.manager if "manager_deskbird_id" in self.readable["users"] else None
            con.execute(
                "insert into deskbird.users values (?, null, ?, ?, ?, ?, ?, ?, ?, ?, null)",
                [u.id, u.user_name, u.email, u.given_name, u.family_name, u.display_name, u.active, manager, u.external_id],
            )
        for g in self.groups.values():
            con.execute("insert into deskbird.groups values (?, null, ?, ?, null)", [g.id, g.name, g.external_id])
            if "members" in self.readable["groups"]:
                for member in sorted(g.members):
                    con.execute("insert into deskbird.group_members values (?, ?)", [g.id, member])
        for resource, readable in self.readable.items():
            con.execute("insert or replace into state.observations values (?, ?, 'run', 1, 1, ?)", [resource, self.now, readable])

    def make_plan(self) -> plan.PlanSummary:
        """Read everything and plan."""
        with self.warehouse.write(["p"]) as con:
            self.extract(con)
            self.derive(con)
            self.observe(con)
            return plan.build(con, self.rules, now=self.now, run_id="run")

    def apply(self, plan_id: str | None = None, *, stop_after: int | None = None) -> tuple[plan.Applied, plan.Night]:
        """Carry the current plan out in deskbird, read back, close the night."""
        with self.warehouse.write() as con:
            self.observe(con)
            prepared = plan.prepare(con, self.rules, plan_id, now=self.now)
        results = []
        ids = dict(prepared.ids)
        for number, write in enumerate(prepared.writes):
            if stop_after is not None and number >= stop_after:
                break
            self.writes.append(write)
            results.append(self._carry_out(write, ids))
        with self.warehouse.write() as con:
            applied = plan.finish(con, prepared, results, now=self.now, run_id="run")
            self.observe(con)
            night = plan.close_night(con, self.rules, prepared.plan_id, now=self.now, run_id="run")
        return applied, night

    def night(self) -> tuple[plan.PlanSummary, plan.Applied, plan.Night]:
        """A whole night; the clock moves on by a day."""
        summary = self.make_plan()
        applied, night = self.apply()
        self.now += dt.timedelta(days=1)
        return summary, applied, night

    def rows(self) -> list[dict[str, Any]]:
        """The current plan."""
        with self.warehouse.read() as con:
            return plan.rows(con)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """What the warehouse says."""
        with self.warehouse.read() as con:
            return con.execute(sql).fetchall()

    # --- deskbird, strict about what is unique ----------------------------------------------------------------------------------------

    def _carry_out(self, write: Write, ids: dict[str, str]) -> Result:
        user_id = ids.get(write.hris_ref) if write.deskbird_id is None else write.deskbird_id
        if write.kind == "create_user":
            user_id = f"u{next(self._ids)}"
            s: Any = write.set
            self._address_is_free(s["email"], user_id)
            manager = self._id(write.manager, ids) if write.manager else None
            self.users[user_id] = User(user_id, s["email"], s["email"], s["given_name"], s["family_name"], s["display_name"], True, manager, s["hris_ref"])
            ids[write.hris_ref] = user_id
            return Result(write.request, "applied", 201, 1, user_id, None, unset_manager=write.manager is not None and manager is None)
        if write.kind == "update_user":
            user = self.users[user_id or ""]
            for name, value in write.set.items():
                if name == "email":
                    self._address_is_free(str(value), user.id)
                    user.email = user.user_name = str(value)
                elif name == "hris_ref":
                    user.external_id = str(value)
                elif name != "user_name":
                    setattr(user, name, value)
            if write.manager:
                user.manager = self._id(write.manager, ids)
                assert user.manager is not None
            if write.clear_manager:
                user.manager = None
            return Result(write.request, "applied", 204, 1, user_id)
        if write.kind == "create_group":
            group_id = f"g{next(self._ids)}"
            self._name_is_free(str(write.set["name"]), group_id)
            self.groups[group_id] = Group(group_id, str(write.set["name"]), str(write.set["hris_ref"]))
            ids[write.hris_ref] = group_id
            created = 201
        else:
            group_id, created = (write.deskbird_id or ids[write.hris_ref]), 204
            if "name" in write.set:
                self._name_is_free(str(write.set["name"]), group_id)
                self.groups[group_id].name = str(write.set["name"])
        assert len(write.add) + len(write.remove) <= 100
        for reference in write.add:
            member = self._id(reference, ids)
            assert member in self.users
            self.groups[group_id].members.add(member)
        for reference in write.remove:
            self.groups[group_id].members.discard(self._id(reference, ids) or "")
        return Result(write.request, "applied", created, 1, group_id)

    def _id(self, reference: UserRef, ids: dict[str, str]) -> str | None:
        return reference.deskbird_id or ids.get(reference.hris_ref)

    def _address_is_free(self, address: str, own: str) -> None:
        assert all(u.id == own or u.user_name.lower() != address.lower() for u in self.users.values()), "userName is taken"

    def _name_is_free(self, name: str, own: str) -> None:
        assert all(g.id == own or g.name.lower() != name.lower() for g in self.groups.values()), "group name is taken"
