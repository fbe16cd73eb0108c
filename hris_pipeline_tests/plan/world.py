"""A whole company and its deskbird as tables alone: what the planner's laws are tested on, without
a single request.
"""

import contextlib
import datetime as dt
import functools
import shutil
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Self
from unicodedata import normalize

import duckdb

from hris_pipeline import groups, managers, people, plan
from hris_pipeline.contracts.writes import Result, UserRef, Write
from hris_pipeline.deskbird.journal import Entry
from hris_pipeline.rules import Scope
from hris_pipeline.warehouse import Warehouse, prepare, stage

STATUSES = {
    "active": "active",
    "leave": "on_leave",
    "onboarding": "upcoming",
    "inactive": "ended",
    "off": "not_active",
}
GUARDS: dict[str, Any] = {
    "deactivate_user": {
        "max_percent": 5,
        "max_count": 5,
        "window_days": 7,
        "window_percent": 10,
        "max_hard": 100,
    },
    "create_user": {"max_percent": 20, "max_count": 25, "from_size": 10},
    "link_user": {"max_percent": 20, "max_count": 25},
    "update_attribute": {"max_percent": 30, "from_size": 10},
    "group_members": {"max_loss_percent": 50, "from_size": 10},
    "incomplete_extract": {},
    "first_contact": {},
    "scope_lost": {},
    "attribute_vanished": {},
    "protected": {},
    "frozen": {},
}
UNGUARDED = dict.fromkeys(GUARDS)
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
KINDS = ("team", "department", "cost_center")
_COPIES = count(1)


@dataclass
class Person:
    """One employee as an HRIS gives it."""

    id: str
    email: str | None
    given_name: str | None = "Given"
    family_name: str | None = "Family"
    status: str | None = "active"
    start_date: str | None = "2020-01-01"
    end_date: str | None = None
    manager_id: str | None = None
    groups: tuple[tuple[str, str], ...] = ()
    absent: tuple[str, ...] = ()
    employment_id: str | None = None
    updated_at: str | None = None
    attributes: dict[str, str | None] | None = None  # what sync.attributes names


@dataclass
class User:
    """One user as deskbird holds it."""

    id: str
    user_name: str
    email: str | None
    given_name: str | None = "Given"
    family_name: str | None = "Family"
    display_name: str | None = "Given Family"
    active: bool = True
    manager: str | None = None
    external_id: str | None = None
    photo: str | None = None  # its digest, which is never read back
    title: str | None = None
    phone: str | None = None


@dataclass
class Group:
    """One group as deskbird holds it."""

    id: str
    name: str
    external_id: str | None = None
    members: set[str] = field(default_factory=set)


class InMemory(Warehouse):
    """The warehouse without its file: the same tables, quick to make and to copy."""

    def __init__(self, con: duckdb.DuckDBPyConnection | None = None) -> None:
        super().__init__(Path("nowhere"), "acme")
        self._con = con or duckdb.connect(
            config={"threads": 1, "preserve_insertion_order": "false"}
        )
        if con is None:
            prepare(self._con)
            self._migrate(self._con, ["p"])

    def copy(self) -> "InMemory":
        """The same tables once more, in the same process."""
        con, name = self._con.cursor(), f"copy_{next(_COPIES)}"
        (source,) = self._con.execute("select current_database()").fetchone() or ("",)
        con.execute(
            f"attach ':memory:' as {name}; copy from database {source} to {name}; use {name}"
        )
        return InMemory(prepare(con))

    @contextlib.contextmanager
    def write(self, connections: Any = ()) -> Iterator[duckdb.DuckDBPyConnection]:
        self._con.begin()
        try:
            yield self._con
        except BaseException:
            self._con.rollback()
            raise
        self._con.commit()

    @contextlib.contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        yield self._con


class Killed(BaseException):
    """The process is gone: nothing of the night is written down but the journal."""


class World:
    """An HRIS and a deskbird that can be changed at will, and nights in between."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        guards: dict[str, Any] | None = None,
        managers_readable: bool = True,
        members_readable: bool = True,
        markers_readable: bool = True,
    ) -> None:
        self.warehouse = Warehouse(folder, "acme") if folder else InMemory()
        self.people: dict[str, Person] = {}
        self.second_employments: list[Person] = []
        self.units: dict[tuple[str, str], str | None] = {}
        self.parents: dict[tuple[str, str], str] = {}
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.now = NOON
        self.timezone = "Europe/Berlin"
        self.proof = "proven"
        self.readable = {
            "users": ["email", "given_name", "family_name", "display_name"],
            "groups": ["name"],
        }
        if markers_readable:
            self.readable["users"].append("external_id")
            self.readable["groups"].append("external_id")
        if managers_readable:
            self.readable["users"].append("manager_deskbird_id")
        if members_readable:
            self.readable["groups"].append("members")
        self.rules = plan.PlanParameters(
            "acme",
            ("p",),
            KINDS,
            "{name}",
            "{name} ({kind})",
            True,
            False,
            GUARDS if guards is None else guards,
            cleared=("manager", *KINDS),
        )
        self.kinds = KINDS
        self.nested: groups.Nested = "flat"
        self._ids = count(1)
        self.writes: list[Write] = []
        self.refused: set[str] = set()  # hris_refs whose creation deskbird refuses
        # attributes, "manager", "members": what an update acknowledges and does not keep
        self.ignored: set[str] = set()
        self.prehire_days = 0
        self.scope = Scope()

    def copy(self, folder: Path | None = None) -> Self:
        """The same world once more; what becomes of one does not touch the other. One on disk is
        copied to ``folder``.
        """
        if isinstance(self.warehouse, InMemory):
            warehouse: Warehouse = self.warehouse.copy()
        else:
            assert folder is not None
            shutil.copytree(self.warehouse.path.parent, folder, dirs_exist_ok=True)
            warehouse = Warehouse(folder, "acme")
        kept = {name: value for name, value in vars(self).items() if name != "warehouse"}
        twin = object.__new__(type(self))
        vars(twin).update(deepcopy(kept), warehouse=warehouse)
        return twin

    # --- changing it ------------------------------------------------------------------------------

    def hire(self, *ids: str, **values: Any) -> None:
        """Employees with an address of their own, alike in all else."""
        for id_ in ids:
            self.people[id_] = Person(id_, f"{id_}@acme.test", **values)

    def unit(self, kind: str, id_: str, name: str | None) -> tuple[str, str]:
        """An organisational unit; what it returns goes into ``Person.groups``."""
        self.units[kind, id_] = name
        return kind, id_

    def stranger(self, address: str | None, user_name: str | None = None, **values: Any) -> User:
        """A user that somebody made by hand."""
        id_ = f"u{next(self._ids)}"
        self.users[id_] = User(id_, user_name or str(address), address, **values)
        return self.users[id_]

    def hand_made_group(self, name: str, external_id: str | None = None) -> Group:
        """A group that somebody made by hand."""
        id_ = f"g{next(self._ids)}"
        self.groups[id_] = Group(id_, name, external_id)
        return self.groups[id_]

    def rule(self, **values: Any) -> None:
        """Change the company file's rules for the plan."""
        self.rules = replace(self.rules, **values)

    def guard(self, name: str, limits: dict[str, Any] | None) -> None:
        """Change one guard."""
        self.rule(guards={**self.rules.guards, name: limits})

    def base(self, managed: int) -> None:
        """Pretend that the last night ended in line with so many managed users."""
        self.execute(
            "insert into state.nights values ('before', ?, ?, true, 'before')",
            [self.now - dt.timedelta(days=1), managed],
        )

    def execute(self, sql: str, values: list[Any] | None = None) -> None:
        """Change the warehouse by hand."""
        with self.warehouse.write(["p"]) as con:
            con.execute(sql, values)

    def lose_state(self) -> None:
        """Everything that outlives a night is gone."""
        kept = {"schema_version"}
        for (table,) in self.query(
            "select table_name from duckdb_tables() where schema_name = 'state' and database_name "
            "= current_database()"
        ):
            if table not in kept:
                self.execute(f'delete from state."{table}"')

    def user_of(self, id_: str) -> User:
        """The one user who carries the person's marker."""
        (found,) = [user for user in self.users.values() if user.external_id == f"p:{id_}"]
        return found

    def group_of(self, kind: str, id_: str) -> Group:
        """The one group that carries the unit's marker."""
        (found,) = [
            group for group in self.groups.values() if group.external_id == f"p:{kind}:{id_}"
        ]
        return found

    # --- a night ----------------------------------------------------------------------------------

    def extract(self, con: duckdb.DuckDBPyConnection) -> None:
        con.execute("delete from hris_p.employees; delete from hris_p.org_units")
        columns = (
            "id", "employment_id", "email", "given_name", "family_name", "status", "start_date",
            "end_date", "manager_id", "groups", "absent", "updated_at", "attributes",
        )  # fmt: skip
        rows = [
            (p.id, p.employment_id, p.email, p.given_name, p.family_name, p.status, p.start_date,
             p.end_date, p.manager_id, [{"kind": k, "id": i} for k, i in p.groups], list(p.absent),
             p.updated_at, p.attributes)
            for p in (*self.people.values(), *self.second_employments)
        ]  # fmt: skip
        stage(con, "hris_p.employees", columns, rows)
        units = [(*key, name, self.parents.get(key)) for key, name in self.units.items()]
        stage(con, "hris_p.org_units", ("kind", "id", "name", "parent_id"), units)
        for resource in ("employees", "org_units"):
            con.execute(
                "insert into state.extracts values ('p', ?, ?, 1, ?, null, ?, 'by the test', [])",
                [resource, self.now, len(self.people), self.proof],
            )

    def derive(self, con: duckdb.DuckDBPyConnection) -> people.PeopleCounts:
        rules = people.PeopleParameters(
            self.timezone, self.prehire_days, self.kinds, {"p": STATUSES}, scope=self.scope
        )
        counts = people.build(con, rules, self.now)
        groups.build(con, ["p"], self.kinds, nested=self.nested)
        managers.build(con)
        return counts

    def observe(self, con: duckdb.DuckDBPyConnection, *, by_hand: bool = True) -> None:
        """Read deskbird; ``by_hand``: before our own writes, so that what has changed is somebody
        else's doing.
        """
        if by_hand:
            plan.drift.remember(con, "users", "groups")
        con.execute(
            "delete from deskbird.users; delete from deskbird.groups; delete from "
            "deskbird.group_members"
        )
        shown = self.readable["users"]
        columns = (
            "deskbird_id", "user_name", "email", "given_name", "family_name", "display_name",
            "active", "manager_deskbird_id", "external_id", "attributes",
        )  # fmt: skip
        rows = [
            (u.id, u.user_name, u.email, u.given_name, u.family_name, u.display_name, u.active,
             u.manager if "manager_deskbird_id" in shown else None,
             u.external_id if "external_id" in shown else None,
             {name: value for name in ("title", "phone")
              if name in shown and (value := getattr(u, name))} or None)
            for u in self.users.values()
        ]  # fmt: skip
        stage(con, "deskbird.users", columns, rows)
        marked = "external_id" in self.readable["groups"]
        found = [(g.id, g.name, g.external_id if marked else None) for g in self.groups.values()]
        stage(con, "deskbird.groups", ("deskbird_id", "name", "external_id"), found)
        if "members" in self.readable["groups"]:
            members = [(g.id, member) for g in self.groups.values() for member in sorted(g.members)]
            stage(con, "deskbird.group_members", ("group_deskbird_id", "user_deskbird_id"), members)
        for resource, readable in self.readable.items():
            con.execute(
                "insert or replace into state.observations values (?, ?, 'run', 1, 1, ?)",
                [resource, self.now, readable],
            )
        if by_hand:
            plan.drift.note(con, self.now)

    def make_plan(self) -> plan.PlanSummary:
        """Read everything and plan."""
        with self.warehouse.write(["p"]) as con:
            self.extract(con)
            self.derive(con)
            self.observe(con)
            return plan.build(con, self.rules, now=self.now, run_id="run")

    def plan_again(self) -> plan.PlanSummary:
        """Plan once more from the tables as they are."""
        with self.warehouse.write(["p"]) as con:
            return plan.build(con, self.rules, now=self.now, run_id="run")

    def undo(self, plan_id: str) -> plan.PlanSummary:
        """Read deskbird and plan the inverse of what a plan has done."""
        with self.warehouse.write(["p"]) as con:
            self.observe(con)
            return plan.build(con, self.rules, now=self.now, run_id="run", undoes=plan_id)

    def apply(
        self,
        plan_id: str | None = None,
        *,
        stop_after: int | None = None,
        kill_after: int | None = None,
        unchanged: bool = False,
    ) -> tuple[plan.Applied, plan.Night]:
        """Carry the plan (the current one by default) out in deskbird, read back, close the night.

        ``stop_after`` writes the run is asked to stop; ``kill_after`` writes it dies, and only the
        journal knows of them. ``unchanged``: nobody has touched deskbird since the plan was made.
        """
        with self.warehouse.write() as con:
            self.observe(con)
            prepared = plan.prepare(con, self.rules, plan_id, now=self.now)
        results: list[Result] = []
        journal: list[Entry] = []
        ids = dict(prepared.ids)
        for number, write in enumerate(prepared.writes):
            if number == kill_after:
                self.journal = journal
                raise Killed
            if number == stop_after:
                break
            self.writes.append(write)
            result = self._carry_out(write, ids)
            results.append(result)
            kinds = {
                "create_user": "user_create+manager",
                "create_group": "group_create+members_add",
                "update_group": "group_update+members_remove+members_add",
                "delete_group": "group_delete",
            }
            kind = kinds.get(write.kind, "user_update")
            moment = self.now.isoformat()
            entry = Entry(
                prepared.plan_id,
                write.request,
                kind,
                write.hris_ref,
                write.deskbird_id,
                "sent",
                1,
                moment,
            )
            answered = Entry(
                prepared.plan_id,
                write.request,
                kind,
                write.hris_ref,
                result.deskbird_id,
                "answered",
                1,
                moment,
                result.http_status,
            )
            journal += [entry, answered]
        with self.warehouse.write() as con:
            plan.fold_journal(con, journal, self.now)
            applied = plan.finish(con, prepared, results, now=self.now, run_id="run")
            self.observe(con, by_hand=False)
            night = plan.close_night(
                con,
                self.rules,
                prepared.plan_id,
                now=self.now,
                run_id="run",
                unchanged=unchanged and not prepared.writes,
            )
        return applied, night

    def restart(self) -> None:
        """The next run begins: what the journal of a killed one tells is taken in."""
        with self.warehouse.write() as con:
            plan.fold_journal(con, self.journal, self.now)

    def night(self) -> tuple[plan.PlanSummary, plan.Applied, plan.Night]:
        """A whole night; the clock moves on by a day."""
        summary = self.make_plan()
        applied, night = self.apply(unchanged=True)
        self.now += dt.timedelta(days=1)
        return summary, applied, night

    def settle(self) -> None:
        """A night without guards, after which deskbird is in line."""
        guards = self.rules.guards
        self.rule(guards=UNGUARDED)
        _, applied, night = self.night()
        assert night.in_line, (applied, self.kinds_of_changes())
        assert applied.failed == applied.blocked == applied.stale == 0, applied
        self.rule(guards=guards)
        self.writes.clear()

    def rows(self, plan_id: str | None = None) -> list[dict[str, Any]]:
        """The current plan."""
        with self.warehouse.read() as con:
            return plan.rows(con, plan_id)

    def kinds_of_changes(self) -> list[str]:
        """What the current plan does, in its order: "user create p:1"."""
        return [
            f"{row['object']} {row['action']} "
            f"{row['hris_ref']}{' ' + row['group_ref'] if row['group_ref'] else ''}"
            for row in self.rows()
        ]

    def held(self) -> dict[str, str]:
        """The guard on each blocked change of the current plan."""
        return {
            change: row["guard"]
            for change, row in zip(self.kinds_of_changes(), self.rows(), strict=True)
            if row["verdict"] == "blocked"
        }

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """What the warehouse says."""
        with self.warehouse.read() as con:
            return con.execute(sql).fetchall()

    # --- deskbird, strict about what is unique ----------------------------------------------------

    def _carry_out(self, write: Write, ids: dict[str, str]) -> Result:
        if write.hris_ref in self.refused:
            return Result(write.request, "failed", 400, 1, None, "refused by the test")
        target = ids.get(write.hris_ref) if write.deskbird_id is None else write.deskbird_id
        if not write.kind.startswith("create") and target is None:
            return Result(write.request, "skipped", problem="it does not exist")
        if write.kind.endswith("user"):
            return self._write_user(write, target, ids)
        return self._write_group(write, target, ids)

    def _write_user(self, write: Write, user_id: str | None, ids: dict[str, str]) -> Result:
        known = {
            "hris_ref",
            "email",
            "user_name",
            "given_name",
            "family_name",
            "display_name",
            "active",
            "photo",
            "title",
            "phone",
        }
        assert write.set.keys() <= known
        manager = self._id(write.manager, ids) if write.manager else None
        unset = write.manager is not None and manager is None
        assert not unset or self.refused, "the manager was to be there by now"
        kept = () if write.kind == "create_user" else self.ignored
        values: Any = {name: value for name, value in write.set.items() if name not in kept}
        if write.kind == "create_user":
            user_id = f"u{next(self._ids)}"
            self._address_is_free(values["email"], user_id)
            self.users[user_id] = User(user_id, values["email"], values["email"])
            ids[write.hris_ref] = user_id
        user = self.users[user_id or ""]
        if "email" in values:
            values.setdefault("user_name", values["email"])
        for name, value in values.items():
            if name in ("email", "user_name"):
                # the address of a creation is known to be free
                if write.kind != "create_user" or value != values["email"]:
                    self._address_is_free(value, user.id)
                setattr(user, name, value)
            else:
                setattr(user, "external_id" if name == "hris_ref" else name, value)
        if manager and "manager" not in self.ignored:
            user.manager = manager
        if write.clear_manager:
            user.manager = None
        return Result(
            write.request,
            "applied",
            201 if write.kind == "create_user" else 204,
            1,
            user.id,
            unset_manager=unset,
        )

    def _write_group(self, write: Write, group_id: str | None, ids: dict[str, str]) -> Result:
        found = {
            reference.hris_ref: self._id(reference, ids)
            for reference in (*write.add, *write.remove)
        }
        gone = tuple(reference for reference, member in found.items() if member is None)
        assert not gone or self.refused, "the members were to be there by now"
        if write.kind == "create_group":
            if write.add and not any(found.values()):
                return Result(write.request, "skipped", problem="it would be empty", left_out=gone)
            group_id = f"g{next(self._ids)}"
            self.groups[group_id] = Group(group_id, "", str(write.set["hris_ref"]))
            ids[write.hris_ref] = group_id
        if write.kind == "delete_group":
            gone_group = self.groups.pop(group_id or "", None)
            return Result(write.request, "applied", 204 if gone_group else 404, 1, group_id)
        group = self.groups[group_id or ""]
        if "hris_ref" in write.set:
            group.external_id = str(write.set["hris_ref"])
        if "name" in write.set and ("name" not in self.ignored or write.kind == "create_group"):
            self._name_is_free(str(write.set["name"]), group.id)
            group.name = str(write.set["name"])
        assert len(write.add) + len(write.remove) <= 100
        if "members" in self.ignored and write.kind != "create_group":
            return Result(write.request, "applied", 204, 1, group.id)
        group.members |= {found[ref.hris_ref] or "" for ref in write.add} - {""}
        group.members -= {found[ref.hris_ref] for ref in write.remove}
        assert group.members <= self.users.keys()
        return Result(
            write.request,
            "applied",
            201 if write.kind == "create_group" else 204,
            1,
            group.id,
            left_out=gone,
        )

    def _id(self, reference: UserRef, ids: dict[str, str]) -> str | None:
        return reference.deskbird_id or ids.get(reference.hris_ref)

    def _address_is_free(self, address: str, own: str) -> None:
        others = [u for u in self.users.values() if u.id != own]
        assert not any(_same(address, held) for u in others for held in (u.user_name, u.email)), (
            "the address is taken"
        )

    def _name_is_free(self, name: str, own: str) -> None:
        assert not any(g.id != own and _same(g.name, name) for g in self.groups.values()), (
            "the group's name is taken"
        )


def _same(one: str | None, two: str | None) -> bool:
    return one is not None and two is not None and _compared(one) == _compared(two)


@functools.cache
def _compared(text: str) -> str:
    return normalize("NFC", text).strip().lower()
