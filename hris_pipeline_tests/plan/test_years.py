"""Random years of a company's life, night by night, with every law checked after each of them."""

import datetime as dt
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hris_pipeline_tests.plan.world import UNGUARDED, User, World

Unit = tuple[str, str]
UNITS: tuple[Unit, ...] = (("team", "1"), ("team", "2"), ("department", "1"), ("department", "2"))
FIRST, LAST = ("Ada", "Bo", "Cem", "Dia"), ("Alm", "Berg", "Cole")
NAMES = [(first, last) for first in FIRST for last in LAST]
READS, HOURS = 3, 60  # of the rule for the missing


def ref(id_: str) -> str:
    return f"p:{id_}"


class Company(RuleBasedStateMachine):
    """HR works on its system by day, somebody's hands are in deskbird, and by night the two are
    brought in line.
    """

    @initialize(managers=st.booleans(), members=st.booleans())
    def found(self, managers: bool, members: bool) -> None:
        self.world = World(guards=UNGUARDED, managers_readable=managers, members_readable=members)
        # each unit, as which it exists now
        self.units = {unit: self.world.unit(*unit, f"{unit[0]} {unit[1]}") for unit in UNITS}
        self.numbers = iter(range(1, 1000))
        self.unseen: dict[str, int] = {}  # nights since a record was deleted
        self.strangers: set[str] = set()
        for _ in range(3):
            self._hire(NAMES[0], (UNITS[0],))
        self.sleep()

    def _hire(
        self, name: tuple[str, str], groups: Iterable[Unit], address: str | None = None
    ) -> str:
        id_, groups = str(next(self.numbers)), tuple(self.units.get(unit, unit) for unit in groups)
        boss = next(iter(self.world.people), None)
        self.world.hire(
            id_, given_name=name[0], family_name=f"{name[1]}{id_}", groups=groups, manager_id=boss
        )
        if address:
            self.world.people[id_].email = address
        return id_

    def _pick(self, data: st.DataObject, *statuses: str) -> Any:
        found = [
            person
            for person in self.world.people.values()
            if not statuses or person.status in statuses
        ]
        return data.draw(st.sampled_from(found), label="person") if found else None

    # --- what HR does -----------------------------------------------------------------------------

    @rule(
        name=st.sampled_from(NAMES),
        groups=st.lists(st.sampled_from(UNITS), unique=True, max_size=2),
    )
    def hire(self, name: tuple[str, str], groups: list[Unit]) -> None:
        self._hire(name, groups)

    @rule(data=st.data(), how=st.sampled_from(["word", "date"]))
    def leave(self, data: st.DataObject, how: str) -> None:
        if person := self._pick(data, "active"):
            if how == "word":
                person.status = "inactive"
            else:
                person.end_date = str(self.world.now.date() - dt.timedelta(days=1))

    @rule(data=st.data())
    def come_back_under_the_old_record(self, data: st.DataObject) -> None:
        if person := self._pick(data):
            person.status, person.end_date = "active", None

    @rule(data=st.data())
    def come_back_under_a_new_record(self, data: st.DataObject) -> None:
        """The old record stays and is ended; the new one has the same name and address (cases 27
        and 28).
        """
        if (person := self._pick(data)) and not self._shared(person.email):
            person.status = "inactive"
            id_ = self._hire((person.given_name, "x"), person.groups, person.email)
            self.world.people[id_].family_name = person.family_name

    @rule(data=st.data())
    def reuse_the_address_of_who_left(self, data: st.DataObject) -> None:
        """Somebody else gets it (case 25)."""
        if (person := self._pick(data, "inactive")) and not self._shared(person.email):
            self._hire(("Newcomer", "N"), (UNITS[1],), person.email)

    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def rename(self, data: st.DataObject, name: tuple[str, str]) -> None:
        """A new name and a new address (case 21)."""
        if (person := self._pick(data, "active")) and not self._shared(person.email):
            person.given_name, person.family_name = name[0], f"{name[1]}{person.id}"
            person.email = f"{person.id}.{next(self.numbers)}@acme.test"

    @rule(data=st.data())
    def swap_addresses(self, data: st.DataObject) -> None:
        """Case 26."""
        one, two = self._pick(data, "active"), self._pick(data, "active")
        if one and two and not self._shared(one.email) and not self._shared(two.email):
            one.email, two.email = two.email, one.email

    @rule(data=st.data(), groups=st.lists(st.sampled_from(UNITS), unique=True, max_size=2))
    def move(self, data: st.DataObject, groups: list[Unit]) -> None:
        if person := self._pick(data):
            person.groups = tuple(self.units[unit] for unit in groups)

    @rule(data=st.data())
    def report_to_somebody_else(self, data: st.DataObject) -> None:
        person, boss = self._pick(data), self._pick(data)
        if person and boss:
            person.manager_id = boss.id

    @rule(unit=st.sampled_from(UNITS))
    def rename_a_unit(self, unit: Unit) -> None:
        self.world.units[self.units[unit]] = f"{unit[0]} {unit[1]} {next(self.numbers)}"

    @rule(one=st.sampled_from(UNITS), two=st.sampled_from(UNITS))
    def swap_the_names_of_units(self, one: Unit, two: Unit) -> None:
        names, one, two = self.world.units, self.units[one], self.units[two]
        names[one], names[two] = names[two], names[one]

    @rule(unit=st.sampled_from(UNITS), same_name=st.booleans())
    def reorganise(self, unit: Unit, same_name: bool) -> None:
        """A unit is closed, and everybody goes to a new one, of another id and perhaps of the same
        name (case 43).
        """
        old, new = self.units[unit], (unit[0], f"{unit[1]}-{next(self.numbers)}")
        name = self.world.units.pop(old)
        self.units[unit] = self.world.unit(*new, name if same_name else f"{unit[0]} {new[1]}")
        for person in self.world.people.values():
            person.groups = tuple(new if group == old else group for group in person.groups)

    @precondition(lambda self: len(self.world.people) > 2)
    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        """The record is gone without a word (case 38)."""
        person = self._pick(data)
        del self.world.people[person.id]
        self.unseen[person.id] = 0

    # --- what hands do in deskbird ----------------------------------------------------------------

    @rule(data=st.data(), what=st.sampled_from(["rename", "deactivate", "take out", "put in"]))
    def meddle(self, data: st.DataObject, what: str) -> None:
        ours = [user for user in self.world.users.values() if user.external_id]
        if not ours:
            return
        user: User = data.draw(st.sampled_from(ours), label="user")
        groups = list(self.world.groups.values())
        readable = "members" in self.world.readable["groups"]
        if what == "rename":
            user.given_name = "Meddled"
        elif what == "deactivate":
            user.active = False
        elif groups and readable:  # where members are not shown, nobody could see it
            group = data.draw(st.sampled_from(groups), label="group")
            (group.members.discard if what == "take out" else group.members.add)(user.id)

    @rule()
    def lose_the_warehouse(self) -> None:
        """All that outlives a night is gone; the markers in deskbird tell again who is who (case
        74).
        """
        self.world.lose_state()
        self.unseen = dict.fromkeys(self.unseen, 0)
        self.sleep()

    @rule()
    def invite_a_guest(self) -> None:
        self.strangers.add(self.world.stranger(f"guest{next(self.numbers)}@elsewhere.test").id)

    # --- the night and its laws -------------------------------------------------------------------

    @rule()
    def sleep(self) -> None:
        world = self.world
        guests = {id_: deepcopy(world.users[id_]) for id_ in self.strangers}
        active = {user.id for user in world.users.values() if user.active}
        for id_ in self.unseen:
            self.unseen[id_] += 1
        plan, applied, night = world.night()
        assert applied.failed == applied.stale == 0
        assert night.in_line, world.kinds_of_changes()
        self._check_deactivations(active, plan.plan_id)
        assert {id_: world.users[id_] for id_ in guests} == guests, (
            "a user that is not ours was changed"
        )
        world.now -= dt.timedelta(days=1)  # the same night once more
        assert world.make_plan().changes == 0, world.kinds_of_changes()
        world.now += dt.timedelta(days=1)

    def _check_deactivations(self, active: set[str], plan_id: str) -> None:
        ended = {
            ref(p.id) for p in self.world.people.values() if p.status == "inactive" or p.end_date
        }
        gone = {
            ref(id_)
            for id_, nights in self.unseen.items()
            if nights >= READS and (nights - 1) * 24 >= HOURS
        }
        for row in self.world.rows(plan_id):
            if row["action"] == "deactivate":
                assert row["hris_ref"] in ended | gone, "deactivated without an end"
                active.discard(row["deskbird_id"])
        assert all(self.world.users[id_].active for id_ in active), (
            "deactivated without a change in the plan"
        )

    @invariant()
    def one_user_for_one_person(self) -> None:
        if hasattr(self, "world"):
            persons = self.world.query(
                "select person_id, list_prepend(hris_ref, other_refs) from core.people"
            )
            person_of = {each: person for person, refs in persons for each in refs}
            users = [
                person_of.get(user.external_id or "", user.id) for user in self.world.users.values()
            ]
            assert len(users) == len(set(users)), "two users for one person"

    @rule()
    def everybody_is_there(self) -> None:
        """After a night: every active person is in deskbird with the right groups and manager."""
        self.sleep()
        world = self.world
        held = "select hris_ref from state.review union all select hris_ref from core.quarantine"
        waiting = {each for (each,) in world.query(held)}
        users = {user.external_id: user for user in world.users.values() if user.external_id}
        for each, groups, manager, problem in world.query(
            """select p.hris_ref, p.group_refs, m.hris_ref, g.problem
               from core.people p join core.manager_graph g using (person_id)
               left join core.people m on m.person_id = g.manager_id where p.wanted"""
        ):
            if each in waiting:
                continue
            user = users[each]
            assert user.active
            members_of = {
                group.external_id for group in world.groups.values() if user.id in group.members
            }
            assert members_of >= set(groups)
            if manager in users and problem in (None, "cycle") and manager not in waiting:
                assert user.manager == users[manager].id

    def _shared(self, address: str | None) -> bool:
        """Whether several records have the address: what becomes of it is other tests' matter."""
        return sum(person.email == address for person in self.world.people.values()) > 1


Company.TestCase.settings = settings(
    max_examples=3,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=False,
)
test_years = Company.TestCase
