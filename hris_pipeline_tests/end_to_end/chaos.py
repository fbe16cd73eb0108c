"""The fault campaign: random nights of a small company under random faults on both sides, and
kills.

    python -m hris_pipeline_tests.end_to_end.chaos --minutes 30 --seed 7 --faults=refused_*,-kill

By day HR and the people in deskbird do what they do; by night `hris-pipeline sync` runs against a
Personio and a deskbird that fail in every way they know, refuse records and show lists oddly
(``oddities.py``), and now and then its process is killed. The laws are checked after each night;
every few nights nothing fails, and then all must be well.

The laws, beside readable ends and no duplicates: nobody is deactivated without a reason; *a refused
record never stops another one*; *a night that says "in line" is in line* by a comparison with
deskbird's own store (``truth.py``); no group loses whom HR keeps, and nobody leaves a group before
the next one has them, unless the service itself did damage and the night said so.

The same seed gives the same campaign, but for what a kill comes upon; a night that breaks a law is
printed with what replays it. Every fault has a name and can be switched off by it; the other dice
stay as they are.
"""

import argparse
import contextlib
import datetime as dt
import json
import multiprocessing
import multiprocessing.connection
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from hris_pipeline.sandbox.company import Employment, OrgUnit, Person, generate
from hris_pipeline.sandbox.faults import Fault
from hris_pipeline_tests.end_to_end import kill_points, oddities
from hris_pipeline_tests.end_to_end.deployment import NIGHT, Deployment, Ended, deployed
from hris_pipeline_tests.end_to_end.oddities import Night, World
from hris_pipeline_tests.end_to_end.truth import KINDS, Difference, differences, works_here

PEOPLE = 18
CALM = 4  # every so many nights nothing goes wrong
SECTIONS = {"sync": {"groups": list(KINDS)}}
TO_LEARN = 3  # runs of the first night in which an odd service is to be understood
MISSING = dt.timedelta(hours=60)  # of the company file's default rule
STATUSES = (429, 500, 502, 503, 504, 403, 404)
OF_PERSONIO = (
    "status", "reset", "html", "truncated", "cut", "success_false", "repeat_page", "drop_page",
    "shift", "empty_list", "missing_attribute", "null_attribute", "extra_attribute",
    "tokens_expired",
)  # fmt: skip
OF_DESKBIRD = (
    "status",
    "reset",
    "answer_lost",
    "html",
    "truncated",
    "cut",
    "drop_page",
    "overlap",
    "grow",
)
PERSONIO_PATHS = {
    "v1": ("/v1/company/employees*", "/v1/auth*"),
    "v2": ("/v2/persons*", "/v2/org-units*", "/v2/auth*"),
}
DESKBIRD_PATHS = ("*/Users*", "*/Groups*")
METHODS = ("", "GET ", "POST ", "PATCH ")
NAMES = (
    *(f"personio_{kind}" for kind in OF_PERSONIO),
    *(f"deskbird_{kind}" for kind in OF_DESKBIRD),
    "kill",
    *oddities.names(),
)
ADDRESS = ("userName", "emails")
IGNORED = 204  # the status of a refusal that is none to look at
KEPT_BACK = {"userName", "emails", "name.givenName", "name.familyName", "displayName", "manager"}
"""What a refusal may keep back for good: it is tried again when HR wants another value."""


class Allowed:
    """Which faults may happen: names or shell patterns, by commas; ``-`` before one switches it
    off.

    What is switched off is drawn all the same, so that the other dice stay as they are; where only
    some are named, the oddities of a night are drawn among them.
    """

    def __init__(self, text: str | None = None) -> None:
        said = [part.strip() for part in (text or "").split(",") if part.strip()]
        self.only = [part for part in said if part[0] != "-"]
        self.never = [part[1:] for part in said if part[0] == "-"]
        for pattern in (*self.only, *self.never):
            if not any(fnmatchcase(name, pattern) for name in NAMES):
                raise SystemExit(f"There is no fault {pattern}; there are {', '.join(NAMES)}.")

    def drawn(self, name: str) -> bool:
        """Whether the dice know it."""
        return not self.only or any(fnmatchcase(name, part) for part in self.only)

    def __call__(self, name: str) -> bool:
        """Whether it may happen."""
        return self.drawn(name) and not any(fnmatchcase(name, part) for part in self.never)


@dataclass
class Report:
    """What a campaign came to."""

    seed: int
    nights: int = 0
    calm: int = 0
    kills: int = 0
    faults: int = 0  # that something ran into
    oddities: Counter[str] = field(default_factory=Counter)
    service: tuple[str, ...] = ()  # what is odd in the service itself
    writes: int = 0
    refused: int = 0  # writes that were answered with an error
    exits: Counter[int] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        exits = ", ".join(f"{n} x exit {code}" for code, n in sorted(self.exits.items()))
        line = (
            f"seed {self.seed} (service: {', '.join(self.service) or 'strict'}): "
            f"{self.nights} nights ({self.calm} of them calm), {self.faults} faults injected, "
            f"{self.oddities.total()} oddities, {self.kills} kills, {self.writes} writes "
            f"({self.refused} refused); {exits}; {len(self.violations)} violations"
        )
        return "\n".join([line, *(f"  {violation}" for violation in self.violations)])


class Campaign:
    """One company's nights, all drawn from one seed."""

    def __init__(
        self, acme: Deployment, seed: int, processes: Any, allowed: Allowed, again: str
    ) -> None:
        self.acme, self.dice, self.processes, self.allowed = (
            acme,
            random.Random(seed),
            processes,
            allowed,
        )
        # the report, and what a replay needs beside seed and nights
        self.report, self.again = Report(seed), again
        self.service, odd = oddities.service(seed, allowed)
        self.report.service = tuple(odd)
        self.tonight = Night(self.service)
        # (whose, what) that was refused, and HR wants nothing else since
        self.kept_back: set[tuple[str, str]] = set()
        # (whose, what) that was ignored without a word by a service that does not show it
        self.unseen: set[tuple[str, str]] = set()
        self.api = str(acme.account["api"])
        self.numbers = iter(range(1000, 1_000_000))
        self.vanished: dict[str, int] = {}  # ref -> the first night without the record
        self.guests: dict[str, dict[str, Any]] = {}
        self.busy: set[str] = set()  # people and groups of whom HR wants something new tonight
        self.night = 0

    # --- by day -----------------------------------------------------------------------------------

    def day(self) -> None:
        """HR's work on its system, and hands in deskbird."""
        self.busy.clear()
        works = (
            self.hire,
            self.leave,
            self.rename,
            self.move,
            self.promote,
            self.vanish,
            self.come_back,
            self.rename_a_unit,
        )
        for work in self.dice.choices(
            works, weights=(4, 2, 2, 3, 2, 1, 1, 1), k=self.dice.randrange(6)
        ):
            work()
        if self.dice.random() < 0.3:
            self.dice.choice((self.meddle, self.invite))()

    def someone(self, *statuses: str) -> Person | None:
        found = [
            p
            for p in self.acme.tenant.snapshot.persons.values()
            if p.current and p.current.status in statuses
        ]
        return self.dice.choice(found) if found else None

    def unit(self, kind: str) -> int:
        return self.dice.choice(
            [unit.id for unit in self.acme.tenant.snapshot.units if unit.kind == kind]
        )

    def wants(self, person: Person, **changes: Any) -> None:
        """HR changes a person; what was refused of them before is wanted anew."""
        ref = f"personio:{person.id}"
        self.touch(person)
        self.acme.tenant.change(person.id, **changes)
        self.touch(self.acme.tenant.snapshot.persons[person.id])
        self.kept_back = {
            (whose, what)
            for whose, what in self.kept_back
            if ref not in {whose, what.partition(":")[2]}
        }

    def touch(self, person: Person) -> None:
        """Note that HR wants something new of a person, and of their groups."""
        self.busy.add(f"personio:{person.id}")
        if person.current:
            self.busy |= {f"personio:{kind}:{getattr(person.current, kind)}" for kind in KINDS}

    def hire(self) -> None:
        number, moment = next(self.numbers), self.acme.tenant.snapshot.moment
        boss = self.someone("ACTIVE")
        units = {
            "team": self.unit("team"),
            "department": self.unit("department"),
            "supervisor": boss.id if boss else None,
        }
        employment = Employment(1, "ACTIVE", self.today, None, **units)
        person = Person(
            number,
            "New",
            f"Hire {number}",
            f"n{number}@nordlicht.example",
            (employment,),
            moment,
            moment,
        )
        self.acme.tenant.add(person)
        self.touch(person)

    def leave(self) -> None:
        if person := self.someone("ACTIVE"):
            self.wants(person, status="INACTIVE", end_date=self.today - dt.timedelta(days=1))

    def come_back(self) -> None:
        if person := self.someone("INACTIVE"):
            self.wants(person, status="ACTIVE", end_date=None)

    def rename(self) -> None:
        if person := self.someone("ACTIVE", "LEAVE"):
            number = next(self.numbers)
            self.wants(person, last_name=f"Other {number}", email=f"o{number}@nordlicht.example")

    def move(self) -> None:
        if person := self.someone("ACTIVE"):
            self.wants(person, team=self.unit("team"), department=self.unit("department"))

    def promote(self) -> None:
        one, boss = self.someone("ACTIVE"), self.someone("ACTIVE")
        if one and boss and boss.id < one.id:  # so no line leads back to itself
            self.wants(one, supervisor=boss.id)

    def vanish(self) -> None:
        if (person := self.someone("ACTIVE", "INACTIVE")) and len(
            self.acme.tenant.snapshot.persons
        ) > PEOPLE // 2:
            self.acme.tenant.remove(person.id)
            self.vanished[f"personio:{person.id}"] = self.night

    def rename_a_unit(self) -> None:
        unit = self.dice.choice(
            [unit for unit in self.acme.tenant.snapshot.units if unit.kind in KINDS]
        )
        self.acme.tenant.set_unit(OrgUnit(unit.kind, unit.id, f"Unit {next(self.numbers)}"))
        self.kept_back.discard((f"personio:{unit.kind}:{unit.id}", "displayName"))
        self.busy.add(f"personio:{unit.kind}:{unit.id}")

    def meddle(self) -> None:
        if ours := [user for user in self.acme.deskbird.desk.users() if user.get("externalId")]:
            user = self.dice.choice(ours)
            change = self.dice.choice(({"active": False}, {"displayName": "Meddled"}))
            self.acme.deskbird.desk.edit(user["id"], change)

    def invite(self) -> None:
        address = f"guest{next(self.numbers)}@elsewhere.example"
        self.acme.deskbird.desk.add_user(address, "Gus", "Guest")

    @property
    def today(self) -> dt.date:
        return self.acme.tenant.snapshot.date

    # --- by night ---------------------------------------------------------------------------------

    def one_night(self) -> None:
        """A day and the night after it; what breaks a law goes into the report."""
        self.night += 1
        self.acme.tenant.set_date((NIGHT + dt.timedelta(days=self.night)).date())
        self.day()
        self.acme.forget_requests()
        self.clear()
        before = Before(self.users(), self.groups())
        self.guests = {
            id_: user for id_, user in before.users.items() if not user.get("externalId")
        }
        employed = set(self.acme.tenant.snapshot.persons)
        kind = self.dice.choices(("faulty", "odd", "killed"), (3, 4, 4))[0]
        count = {"odd": self.dice.choice((1, 2, 2, 3))}.get(kind, int(self.dice.random() < 0.4))
        kind = (
            "calm"
            if self.night % CALM == 0
            else "faulty"
            if kind == "killed" and not self.allowed("kill")
            else kind
        )
        world, dice = self.world(before), random.Random(self.dice.random())
        self.tonight = oddities.draw(
            dice,
            self.service,
            world,
            0 if kind == "calm" else count,
            self.allowed,
            self.allowed.drawn,
        )
        self.acme.deskbird.behave(self.tonight.behaviour)
        self.acme.deskbird.faults.add(*self.tonight.faults)
        ended = {"killed": self.killed, "calm": self.calm, "odd": self.odd, "faulty": self.faulty}[
            kind
        ]()
        self.acme.deskbird.behave(self.service)
        # a list that moves under the reader moves for good
        for ref in employed - set(self.acme.tenant.snapshot.persons):
            self.vanished[f"personio:{ref}"] = self.night
        self.report.nights += 1
        self.report.exits[ended.code] += 1
        self.report.oddities.update(self.tonight.names)
        self.count_writes()
        wrong = [
            *self.told_badly(ended),
            *self.laws(before, ended),
            *(self.all_is_well(ended) if kind == "calm" else ()),
        ]
        odd = f" {'+'.join(self.tonight.names)}" if self.tonight.names else ""
        replay = (
            f"night {self.night} ({kind}{odd}), replay with --seed {self.report.seed} --nights "
            f"{self.night}{self.again}"
        )
        self.report.violations += [f"{replay}: {what}" for what in wrong]

    def users(self) -> dict[str, dict[str, Any]]:
        return {user["id"]: user for user in self.acme.deskbird.desk.users()}

    def groups(self) -> dict[str, dict[str, Any]]:
        return {group["id"]: group for group in self.acme.deskbird.desk.groups()}

    def world(self, before: "Before") -> World:
        """What tonight's oddities may choose from."""
        people = [f"personio:{id_}" for id_ in self.acme.tenant.snapshot.persons]
        units = [unit for unit in self.acme.tenant.snapshot.units if unit.kind in KINDS]
        known = {user.get("externalId") for user in before.users.values()}
        return World(
            people,
            [ref for ref in people if ref not in known],
            [f"personio:{unit.kind}:{unit.id}" for unit in units],
            sum(user.get("active") is not False for user in before.users.values()),
            NIGHT,
            sorted(self.busy),
        )

    def count_writes(self) -> None:
        writes = self.acme.writes()
        self.report.writes += len(writes)
        self.report.refused += sum(status is not None and status >= 400 for _, _, status in writes)

    def odd(self) -> Ended:
        """A night in which nothing fails but what the oddities refuse or show."""
        return self.acme.sync(night=self.night)

    def clear(self) -> None:
        self.acme.personio.clear()
        self.acme.deskbird.faults.clear()

    def faulty(self) -> Ended:
        """Some faults on either side, or on both."""
        for _ in range(self.dice.randrange(1, 4)):
            after, times = (
                self.dice.choice((0, 0, 0, 1, 2)),
                self.dice.choice((1, 2, 3, None, None)),
            )
            status = self.dice.choice(STATUSES)
            if self.dice.random() < 0.4:
                kind = self.dice.choice(OF_PERSONIO)
                value = {
                    "status": status,
                    "drop_page": 1,
                    "missing_attribute": "department",
                    "null_attribute": "department",
                }
                on = self.dice.choice(PERSONIO_PATHS[self.api])
                fault = Fault(
                    on,
                    kind,
                    after,
                    times,
                    value.get(kind, "extra" if "attribute" in kind else None),
                )
                self.acme.personio.add(*[fault] * self.allowed(f"personio_{kind}"))
            else:
                kind, on = (
                    self.dice.choice(OF_DESKBIRD),
                    self.dice.choice(METHODS) + self.dice.choice(DESKBIRD_PATHS),
                )
                value = {"status": status, "drop_page": 1, "overlap": 1}
                fault = Fault(on, kind, after, times, value.get(kind), 0 if status == 429 else None)
                self.acme.deskbird.faults.add(*[fault] * self.allowed(f"deskbird_{kind}"))
        ended = self.acme.sync(night=self.night)
        faults = [*self.acme.personio.all(), *self.acme.deskbird.faults.all()]
        self.report.faults += sum(fault.seen > fault.after for fault in faults)
        return ended

    def calm(self) -> Ended:
        """A night in which nothing fails; what a guard holds back is looked at and approved, as
        people would.
        """
        self.report.calm += 1
        for _ in range(4):
            ended = self.acme.sync(night=self.night)
            if ended.code != 3:
                break
            ((plan_id,),) = self.acme.ask(
                "select plan_id from state.plans order by number desc limit 1"
            )
            self.acme.run("approve", "acme", str(plan_id), night=self.night)
        return ended

    def killed(self) -> Ended:
        """The whole command in a process of its own, killed at any moment, or as deskbird is about
        to answer a request.
        """
        at_a_request, patience = self.dice.random() < 0.7, self.dice.uniform(0.3, 5)
        due, delay, seen = self.dice.randrange(1, 14), self.dice.choice((0.0, 0.0, 0.005, 0.05)), 0
        out = self.acme.folder / "killed.txt"
        moment = (NIGHT + dt.timedelta(days=self.night)).isoformat()
        process = self.processes.Process(
            target=kill_points.command,
            args=(self.acme.environment, ["sync", "acme", "--as-of", moment], str(out)),
        )
        serve = self.acme.deskbird.app

        async def deadly(scope: Any, receive: Any, send: Any) -> None:
            nonlocal seen
            seen += 1

            async def answer(message: Any) -> None:
                if at_a_request and seen >= due and process.is_alive():
                    time.sleep(delay)
                    # it may have ended by itself meanwhile
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process.pid, signal.SIGKILL)
                await send(message)

            await serve(scope, receive, answer)

        self.acme.deskbird.app = deadly
        try:
            process.start()
            if not multiprocessing.connection.wait(
                [process.sentinel], 120 if at_a_request else patience
            ):
                process.kill()
                process.join()
            code = process.exitcode
            self.report.kills += code == -signal.SIGKILL
        finally:
            self.acme.deskbird.app = serve
        return Ended(code, "", out.read_text() if out.exists() else "")

    # --- the laws ---------------------------------------------------------------------------------

    def told_badly(self, ended: Ended) -> Iterator[str]:
        """Every end is one that people can read."""
        if ended.code not in {0, 1, 3, -signal.SIGKILL}:
            yield f"exit code {ended.code}"
        if "does not know (" in ended.err or "unexpected" in ended.err:
            yield f"it stumbled: {ended.sentence}"

    def laws(self, before: "Before", ended: Ended) -> Iterator[str]:
        """What holds after every night, whatever went wrong in it."""
        users, groups = self.users(), self.groups()
        marks = Counter(user["externalId"] for user in users.values() if user.get("externalId"))
        yield from (f"{n} users for {ref}" for ref, n in marks.items() if n > 1)
        names = Counter(group["externalId"] for group in groups.values() if group.get("externalId"))
        yield from (f"{n} groups for {ref}" for ref, n in names.items() if n > 1)
        for id_, guest in self.guests.items():
            if users.get(id_, guest) != guest and guest["userName"].startswith("guest"):
                yield f"user {id_}, who is not ours, was changed"
        for id_, user in before.users.items():
            if (
                user.get("active")
                and id_ in users
                and not users[id_].get("active")
                and not self.may_go(user.get("externalId"))
            ):
                yield f"{user.get('externalId')} was deactivated without a reason"
        if any(
            request.method == "DELETE" and "/Users" in request.path
            for request in self.acme.deskbird.writes()
        ):
            yield "a user was deleted"
        wrong = list(differences(self.acme.tenant.snapshot, users.values(), groups.values()))
        if self.hr_was_clear():
            waits = self.unexcused(wrong, users, ended)
            if ended.code == 0:
                yield from (f"it said in line, but {each}" for each in waits)
            elif (
                not self.failing()
                and ended.code in {1, 3}
                and set(self.tonight.names) <= oddities.REFUSALS
            ):
                yield from (f"a refusal stopped {each}" for each in waits)
            if not self.tonight.damages:
                yield from self.lost(before, users, groups, ended)
        self.keep_back(wrong)

    def hr_was_clear(self) -> bool:
        """Whether HR's system said the truth tonight."""
        return not any(fault.seen > fault.after for fault in self.acme.personio.all())

    def failing(self) -> bool:
        """Whether deskbird failed tonight in a way that is nobody's own."""
        return any(fault.seen > fault.after for fault in self.acme.deskbird.faults.all())

    # what may be otherwise than HR has it

    def refused_tonight(self, difference: Difference) -> bool:
        """Whether it was refused; the address is both userName and work e-mail, and is written as
        one.
        """
        asked = {"*", *(ADDRESS if difference.what in ADDRESS else (difference.what,))}
        return any(
            fnmatchcase(difference.whose, whose) and what in asked
            for whose, what in self.tonight.refused
        )

    def unexcused(
        self, wrong: list[Difference], users: Mapping[str, Mapping[str, Any]], ended: Ended
    ) -> list[Difference]:
        """The differences that nothing explains: no refusal, no odd record, no guard, nobody they
        depend on.
        """
        tonight, blocked = self.tonight, self.blocked() if ended.code in {1, 3} else set()
        active = sum(user.get("active") is not False for user in users.values())
        full = tonight.behaviour.seats is not None and active >= tonight.behaviour.seats
        absent = {
            each.whose for each in wrong if each.what in {"missing", "active"}
        } | tonight.blind
        found = []
        for each in wrong:
            member = each.what.partition(":")[2]
            if (
                self.refused_tonight(each)
                or (each.whose, each.what) in self.kept_back | self.unseen
                or (full and each.what in {"missing", "active"})
                or (tonight.unknown and each.what == "missing")
                or {each.whose, member} & (tonight.blind | blocked)
                or (member and member in absent)
                or (member and self.stays_for(each, wrong))
                or (each.whose, "missing")
                in {(other.whose, other.what) for other in wrong if self.refused_tonight(other)}
                or (each.what == "manager" and self.boss(each.whose) in absent)
            ):
                continue
            found.append(each)
        return found

    def stays_for(self, difference: Difference, wrong: Iterable[Difference]) -> bool:
        """Whether a member stays in a group because the next group of the kind refuses them, or
        cannot be read.
        """
        return any(
            other.what == difference.what
            and other.whose.split(":")[1] == difference.whose.split(":")[1]
            and (
                self.refused_tonight(other)
                or (other.whose, other.what) in self.kept_back
                or other.whose in self.tonight.blind
            )
            for other in wrong
        )

    def boss(self, ref: str) -> str:
        person = self.acme.tenant.snapshot.persons[int(ref.rpartition(":")[2])]
        return f"personio:{person.current.supervisor if person.current else None}"

    def blocked(self) -> set[str]:
        """Whom the last plan's guards hold back."""
        rows = self.acme.ask(
            "select hris_ref, group_ref from deskbird.changes where verdict = 'blocked'"
        )
        return {ref for row in rows for ref in row if ref}

    def keep_back(self, wrong: Iterable[Difference]) -> None:
        """Remember what was refused tonight and may stay so until HR wants something else."""
        now = {(each.whose, each.what) for each in wrong}
        refused = {(each.whose, each.what) for each in wrong if self.refused_tonight(each)}
        self.kept_back = (self.kept_back & now) | {
            (whose, what)
            for whose, what in refused
            if what in KEPT_BACK or what.startswith("member:")
        }
        ignores = any(refusal.status == IGNORED for refusal in self.tonight.behaviour.refusals)
        away = {
            each
            for each in self.unseen
            if not self.works_here(each[1].partition(":")[2] or each[0])
        }
        self.unseen = (
            (self.unseen & now)
            | away
            | {each for each in refused if ignores and self.hides(each[1])}
        )

    def works_here(self, ref: str) -> bool:
        """Whether HR says so tonight: of whoever does not, nothing is compared until they come
        back.
        """
        person = self.acme.tenant.snapshot.persons.get(int(ref.rpartition(":")[2]))
        return person is not None and works_here(person, self.today)

    def hides(self, what: str) -> bool:
        """Whether the service never shows it."""
        hidden = {"manager": "manager", "members": "member:"}
        return what.startswith(tuple(hidden[name] for name in self.service.hides & hidden.keys()))

    def lost(
        self,
        before: "Before",
        users: Mapping[str, Mapping[str, Any]],
        groups: Mapping[str, Mapping[str, Any]],
        ended: Ended,
    ) -> Iterator[str]:
        """Whom a group lost though HR keeps them there, and who left one before the next one had
        them.
        """
        after = {group.get("externalId"): _members(group) for group in groups.values()}
        refs = {
            id_: str(user.get("externalId"))
            for id_, user in users.items()
            if user.get("active") is not False
        }
        people = {
            f"personio:{p.id}": p
            for p in self.acme.tenant.snapshot.persons.values()
            if works_here(p, self.today)
        }
        for group in before.groups.values():
            mark = str(group.get("externalId"))
            _, _, rest = mark.partition(":")
            kind = rest.partition(":")[0]
            for gone in _members(group) - after.get(mark, set()):
                person = people.get(refs.get(gone, ""))
                if person is None or person.current is None or kind not in KINDS:
                    continue
                unit = getattr(person.current, kind)
                wanted = f"personio:{kind}:{unit}"
                if wanted == mark:
                    yield f"{mark} lost {refs[gone]}, whom HR keeps there"
                elif unit is not None and gone not in after.get(wanted, set()):
                    # what nobody can see, no night can tell
                    told = ended.code != 0 or "members" in self.service.hides
                    if not (told and self.ignored(wanted, refs[gone])):
                        yield f"{refs[gone]} left {mark} and is not in {wanted}"

    def ignored(self, group: str, member: str) -> bool:
        """Whether deskbird said tonight that it took a member into a group, and did not."""
        return any(
            refusal.what == "member"
            and refusal.status == IGNORED
            and fnmatchcase(member, refusal.who)
            and fnmatchcase(group, refusal.group)
            for refusal in self.tonight.behaviour.refusals
        )

    def may_go(self, ref: str | None) -> bool:
        """Whether there is a reason to deactivate: an end, or three days in no record."""
        if ref in self.vanished:
            return dt.timedelta(days=self.night - self.vanished[ref]) >= MISSING
        person = self.acme.tenant.snapshot.persons.get(int(str(ref).partition(":")[2] or 0))
        return person is not None and (person.current is None or not works_here(person, self.today))

    def all_is_well(self, ended: Ended) -> Iterator[str]:
        """After a calm night everything is as HR has it, and a second one has nothing to do."""
        if ended.code != 0:
            yield f"a calm night ended with {ended.code}: {ended.sentence}"
            return
        self.acme.forget_requests()
        again = self.acme.sync(night=self.night)
        if again.code != 0 or self.acme.writes():
            yield (
                f"a second run had something to do: exit {again.code}, {len(self.acme.writes())} "
                "writes"
            )


@dataclass(frozen=True)
class Before:
    """What deskbird held before a night, by its own ids."""

    users: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, Mapping[str, Any]]


def _members(group: Mapping[str, Any]) -> set[str]:
    return {member["value"] for member in group.get("members") or ()}


@contextlib.contextmanager
def campaign(folder: Path, seed: int, faults: str | None = None) -> Iterator[Campaign]:
    """A company that is up and has had its first night."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(
        ["pytest", "hris_pipeline.cli", "hris_pipeline.orchestration.runs"]
    )
    api = ("v1", "v2")[seed % 2]
    with deployed(folder, generate(PEOPLE, seed), options={"api": api}, more=SECTIONS) as acme:
        made = Campaign(
            acme, seed, processes, Allowed(faults), f" --faults={faults}" if faults else ""
        )
        acme.deskbird.behave(made.service)
        runs = [acme.sync(night=0)]
        while runs[-1].code != 0 and made.report.service and len(runs) < TO_LEARN:
            runs.append(acme.sync(night=0))
        if runs[-1].code != 0:
            made.report.violations.append(
                f"first night, replay with --seed {seed} --nights 0{made.again}: run {len(runs)} "
                f"ended with {runs[-1].code}: {runs[-1].sentence or runs[-1].out[-300:]}"
            )
        yield made


def run(seed: int, go_on: Callable[[Report], bool], faults: str | None = None) -> Report:
    """A whole campaign, as long as ``go_on`` says."""
    with tempfile.TemporaryDirectory() as folder, campaign(Path(folder), seed, faults) as made:
        while go_on(made.report):
            made.one_night()
        return made.report


def main() -> None:
    """One campaign after another until the minutes are over, each from the next seed; exit code 1
    where a law was broken.
    """
    parser = argparse.ArgumentParser(
        prog="make chaos", description="Random nights under random faults."
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1, help="of the first campaign")
    parser.add_argument(
        "--nights", type=int, help="of each campaign (40); with it alone, one campaign is run"
    )
    parser.add_argument(
        "--total", type=int, help="campaigns until so many nights are over, whatever the minutes"
    )
    parser.add_argument(
        "--faults", help=f"only these, or with - before it all but these: {', '.join(NAMES)}"
    )
    asked = parser.parse_args()
    ends = time.monotonic() + asked.minutes * 60
    reports: list[Report] = []

    def goes_on() -> bool:
        if asked.total is not None:
            return sum(report.nights for report in reports) < asked.total
        return not reports or (asked.nights is None and time.monotonic() < ends)

    while goes_on():
        seed, nights = asked.seed + len(reports), 40 if asked.nights is None else asked.nights
        reports.append(
            run(seed, lambda report, nights=nights: report.nights < nights, asked.faults)
        )
        print(reports[-1], flush=True)
    names = ("nights", "faults", "kills", "writes", "refused")
    sums = {name: sum(getattr(report, name) for report in reports) for name in names}
    odd = sum((report.oddities for report in reports), Counter[str]())
    violations = sum(len(report.violations) for report in reports)
    print(json.dumps({**sums, "oddities": dict(sorted(odd.items())), "violations": violations}))
    sys.exit(violations > 0)


if __name__ == "__main__":
    main()
