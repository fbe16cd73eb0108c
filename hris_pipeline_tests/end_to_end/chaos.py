"""The fault campaign: random nights of a small company under random faults on both sides, and kills.

    python -m hris_pipeline_tests.end_to_end.chaos --minutes 30 --seed 7

By day HR and the people in deskbird do what they do; by night `hris-pipeline sync` runs against a Personio and a deskbird that
fail in every way they know, and now and then its process is killed. The laws are checked after each night; every few nights
nothing fails, and then all must be well. The same seed gives the same campaign, but for what a kill comes upon; a night that
breaks a law is printed with what replays it.
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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hris_pipeline.sandbox.company import Employment, OrgUnit, Person, generate
from hris_pipeline.sandbox.faults import Fault
from hris_pipeline_tests.end_to_end import kill_points
from hris_pipeline_tests.end_to_end.deployment import NIGHT, Deployment, Ended, deployed, manager_id

PEOPLE = 18
CALM = 4  # every so many nights nothing goes wrong
KINDS = ("team", "department")
SECTIONS = {"sync": {"groups": list(KINDS)}}
MISSING = dt.timedelta(hours=60)  # of the company file's default rule
STATUSES = (429, 500, 502, 503, 504, 403, 404)
OF_PERSONIO = (
    "status", "reset", "html", "truncated", "cut", "success_false", "repeat_page", "drop_page", "shift", "empty_list",
    "missing_attribute", "null_attribute", "extra_attribute", "tokens_expired",
)  # fmt: skip
OF_DESKBIRD = ("status", "reset", "answer_lost", "html", "truncated", "cut", "drop_page", "overlap", "grow")
PERSONIO_PATHS = {"v1": ("/v1/company/employees*", "/v1/auth*"), "v2": ("/v2/persons*", "/v2/org-units*", "/v2/auth*")}
DESKBIRD_PATHS = ("*/Users*", "*/Groups*")
METHODS = ("", "GET ", "POST ", "PATCH ")


@dataclass
class Report:
    """What a campaign came to."""

    seed: int
    nights: int = 0
    calm: int = 0
    kills: int = 0
    faults: int = 0  # that something ran into
    writes: int = 0
    exits: Counter[int] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        exits = ", ".join(f"{n} x exit {code}" for code, n in sorted(self.exits.items()))
        line = (
            f"seed {self.seed}: {self.nights} nights ({self.calm} of them calm), {self.faults} faults injected, "
            f"{self.kills} kills, {self.writes} writes; {exits}; {len(self.violations)} violations"
        )
        return "\n".join([line, *(f"  {violation}" for violation in self.violations)])


class Campaign:
    """One company's nights, all drawn from one seed."""

    def __init__(self, acme: Deployment, seed: int, processes: Any) -> None:
        self.acme, self.dice, self.processes = acme, random.Random(seed), processes
        self.report = Report(seed)
        self.api = str(acme.account["api"])
        self.numbers = iter(range(1000, 1_000_000))
        self.vanished: dict[str, int] = {}  # ref -> the first night without the record
        self.guests: dict[str, dict[str, Any]] = {}
        self.night = 0

    # --- by day -----------------------------------------------------------------------------------------------------------------

    def day(self) -> None:
        """HR's work on its system, and hands in deskbird."""
        works = (self.hire, self.leave, self.rename, self.move, self.promote, self.vanish, self.come_back, self.rename_a_unit)
        for work in self.dice.choices(works, weights=(4, 2, 2, 3, 2, 1, 1, 1), k=self.dice.randrange(6)):
            work()
        if self.dice.random() < 0.3:
            self.dice.choice((self.meddle, self.invite))()

    def someone(self, *statuses: str) -> Person | None:
        found = [p for p in self.acme.tenant.snapshot.persons.values() if p.current and p.current.status in statuses]
        return self.dice.choice(found) if found else None

    def unit(self, kind: str) -> int:
        return self.dice.choice([unit.id for unit in self.acme.tenant.snapshot.units if unit.kind == kind])

    def hire(self) -> None:
        number, moment = next(self.numbers), self.acme.tenant.snapshot.moment
        boss = self.someone("ACTIVE")
        units = {"team": self.unit("team"), "department": self.unit("department"), "supervisor": boss.id if boss else None}
        employment = Employment(1, "ACTIVE", self.today, None, **units)
        self.acme.tenant.add(
            Person(number, "New", f"Hire {number}", f"n{number}@nordlicht.example", (employment,), moment, moment)
        )

    def leave(self) -> None:
        if person := self.someone("ACTIVE"):
            self.acme.tenant.change(person.id, status="INACTIVE", end_date=self.today - dt.timedelta(days=1))

    def come_back(self) -> None:
        if person := self.someone("INACTIVE"):
            self.acme.tenant.change(person.id, status="ACTIVE", end_date=None)

    def rename(self) -> None:
        if person := self.someone("ACTIVE", "LEAVE"):
            number = next(self.numbers)
            self.acme.tenant.change(person.id, last_name=f"Other {number}", email=f"o{number}@nordlicht.example")

    def move(self) -> None:
        if person := self.someone("ACTIVE"):
            self.acme.tenant.change(person.id, team=self.unit("team"), department=self.unit("department"))

    def promote(self) -> None:
        one, boss = self.someone("ACTIVE"), self.someone("ACTIVE")
        if one and boss and boss.id < one.id:  # so no line leads back to itself
            self.acme.tenant.change(one.id, supervisor=boss.id)

    def vanish(self) -> None:
        if (person := self.someone("ACTIVE", "INACTIVE")) and len(self.acme.tenant.snapshot.persons) > PEOPLE // 2:
            self.acme.tenant.remove(person.id)
            self.vanished[f"personio:{person.id}"] = self.night

    def rename_a_unit(self) -> None:
        unit = self.dice.choice([unit for unit in self.acme.tenant.snapshot.units if unit.kind in KINDS])
        self.acme.tenant.set_unit(OrgUnit(unit.kind, unit.id, f"Unit {next(self.numbers)}"))

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

    # --- by night ---------------------------------------------------------------------------------------------------------------

    def one_night(self) -> None:
        """A day and the night after it; what breaks a law goes into the report."""
        self.night += 1
        self.acme.tenant.set_date((NIGHT + dt.timedelta(days=self.night)).date())
        self.day()
        self.acme.forget_requests()
        self.clear()
        before = {user["id"]: user for user in self.acme.deskbird.desk.users()}
        self.guests = {id_: user for id_, user in before.items() if not user.get("externalId")}
        employed = set(self.acme.tenant.snapshot.persons)
        kind = "calm" if self.night % CALM == 0 else self.dice.choice(("faulty", "killed"))
        ended = self.killed() if kind == "killed" else self.calm() if kind == "calm" else self.faulty()
        for ref in employed - set(self.acme.tenant.snapshot.persons):  # a list that moves under the reader moves for good
            self.vanished[f"personio:{ref}"] = self.night
        self.report.nights += 1
        self.report.exits[ended.code] += 1
        self.report.writes += len(self.acme.writes())
        wrong = [*self.told_badly(ended), *self.laws(before), *(self.all_is_well(ended) if kind == "calm" else ())]
        replay = f"night {self.night} ({kind}), replay with --seed {self.report.seed} --nights {self.night}"
        self.report.violations += [f"{replay}: {what}" for what in wrong]

    def clear(self) -> None:
        self.acme.personio.clear()
        self.acme.deskbird.faults.clear()

    def faulty(self) -> Ended:
        """Some faults on either side, or on both."""
        for _ in range(self.dice.randrange(1, 4)):
            after, times = self.dice.choice((0, 0, 0, 1, 2)), self.dice.choice((1, 2, 3, None, None))
            status = self.dice.choice(STATUSES)
            if self.dice.random() < 0.4:
                kind = self.dice.choice(OF_PERSONIO)
                value = {"status": status, "drop_page": 1, "missing_attribute": "department", "null_attribute": "department"}
                on = self.dice.choice(PERSONIO_PATHS[self.api])
                self.acme.personio.add(Fault(on, kind, after, times, value.get(kind, "extra" if "attribute" in kind else None)))
            else:
                kind, on = self.dice.choice(OF_DESKBIRD), self.dice.choice(METHODS) + self.dice.choice(DESKBIRD_PATHS)
                value = {"status": status, "drop_page": 1, "overlap": 1}
                self.acme.deskbird.faults.add(Fault(on, kind, after, times, value.get(kind), 0 if status == 429 else None))
        ended = self.acme.sync(night=self.night)
        faults = [*self.acme.personio.all(), *self.acme.deskbird.faults.all()]
        self.report.faults += sum(fault.seen > fault.after for fault in faults)
        return ended

    def calm(self) -> Ended:
        """A night in which nothing fails; what a guard holds back is looked at and approved, as people would."""
        self.report.calm += 1
        for _ in range(4):
            ended = self.acme.sync(night=self.night)
            if ended.code != 3:
                break
            ((plan_id,),) = self.acme.ask("select plan_id from state.plans order by number desc limit 1")
            self.acme.run("approve", "acme", str(plan_id), night=self.night)
        return ended

    def killed(self) -> Ended:
        """The whole command in a process of its own, killed at any moment, or as deskbird is about to answer a request."""
        at_a_request, patience = self.dice.random() < 0.7, self.dice.uniform(0.3, 5)
        due, delay, seen = self.dice.randrange(1, 14), self.dice.choice((0.0, 0.0, 0.005, 0.05)), 0
        out = self.acme.folder / "killed.txt"
        moment = (NIGHT + dt.timedelta(days=self.night)).isoformat()
        process = self.processes.Process(
            target=kill_points.command, args=(self.acme.environment, ["sync", "acme", "--as-of", moment], str(out))
        )
        serve = self.acme.deskbird.app

        async def deadly(scope: Any, receive: Any, send: Any) -> None:
            nonlocal seen
            seen += 1

            async def answer(message: Any) -> None:
                if at_a_request and seen >= due and process.is_alive():
                    time.sleep(delay)
                    with contextlib.suppress(ProcessLookupError):  # it may have ended by itself meanwhile
                        os.kill(process.pid, signal.SIGKILL)
                await send(message)

            await serve(scope, receive, answer)

        self.acme.deskbird.app = deadly
        try:
            process.start()
            if not multiprocessing.connection.wait([process.sentinel], 120 if at_a_request else patience):
                process.kill()
                process.join()
            code = process.exitcode
            self.report.kills += code == -signal.SIGKILL
        finally:
            self.acme.deskbird.app = serve
        return Ended(code, "", out.read_text() if out.exists() else "")

    # --- the laws ---------------------------------------------------------------------------------------------------------------

    def told_badly(self, ended: Ended) -> Iterator[str]:
        """Every end is one that people can read."""
        if ended.code not in {0, 1, 3, -signal.SIGKILL}:
            yield f"exit code {ended.code}"
        if "does not know (" in ended.err or "unexpected" in ended.err:
            yield f"it stumbled: {ended.sentence}"

    def laws(self, before: dict[str, dict[str, Any]]) -> Iterator[str]:
        """What holds after every night, whatever went wrong in it."""
        users = {user["id"]: user for user in self.acme.deskbird.desk.users()}
        marks = Counter(user["externalId"] for user in users.values() if user.get("externalId"))
        yield from (f"{n} users for {ref}" for ref, n in marks.items() if n > 1)
        names = Counter(group["externalId"] for group in self.acme.deskbird.desk.groups() if group.get("externalId"))
        yield from (f"{n} groups for {ref}" for ref, n in names.items() if n > 1)
        for id_, guest in self.guests.items():
            if users.get(id_, guest) != guest and guest["userName"].startswith("guest"):
                yield f"user {id_}, who is not ours, was changed"
        for id_, user in before.items():
            if user.get("active") and id_ in users and not users[id_].get("active") and not self.may_go(user.get("externalId")):
                yield f"{user.get('externalId')} was deactivated without a reason"
        if any(request.method == "DELETE" and "/Users" in request.path for request in self.acme.deskbird.writes()):
            yield "a user was deleted"

    def may_go(self, ref: str | None) -> bool:
        """Whether there is a reason to deactivate: an end, or three days in no record."""
        if ref in self.vanished:
            return dt.timedelta(days=self.night - self.vanished[ref]) >= MISSING
        person = self.acme.tenant.snapshot.persons.get(int(str(ref).partition(":")[2] or 0))
        return person is not None and (person.current is None or not self.works_here(person))

    def works_here(self, person: Person) -> bool:
        job = person.current
        return (
            job is not None and job.status in {"ACTIVE", "LEAVE"} and job.start_date <= self.today <= (job.end_date or self.today)
        )

    def all_is_well(self, ended: Ended) -> Iterator[str]:
        """After a calm night everybody is there, with groups and manager, and a second one has nothing to do."""
        if ended.code != 0:
            yield f"a calm night ended with {ended.code}: {ended.sentence}"
            return
        users = {user.get("externalId"): user for user in self.acme.deskbird.desk.users()}
        members = {
            group.get("externalId"): {member["value"] for member in group.get("members") or ()}
            for group in self.acme.deskbird.desk.groups()
        }
        persons = self.acme.tenant.snapshot.persons
        for person in persons.values():
            if not self.works_here(person):
                continue
            ref, user, job = f"personio:{person.id}", users.get(f"personio:{person.id}"), person.current
            if user is None or not user.get("active") or user["userName"] != person.email:
                yield f"{ref} is not there as HR has it"
                continue
            for kind in KINDS:
                if user["id"] not in members.get(f"personio:{kind}:{getattr(job, kind)}", set()):
                    yield f"{ref} is not in its {kind}"
            boss = persons.get(job.supervisor or 0) if job else None
            if boss and self.works_here(boss) and manager_id(user) != users[f"personio:{boss.id}"]["id"]:
                yield f"{ref} does not report to personio:{boss.id}"
        self.acme.forget_requests()
        again = self.acme.sync(night=self.night)
        if again.code != 0 or self.acme.writes():
            yield f"a second run had something to do: exit {again.code}, {len(self.acme.writes())} writes"


@contextlib.contextmanager
def campaign(folder: Path, seed: int) -> Iterator[Campaign]:
    """A company that is up and has had its first night."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["pytest", "hris_pipeline.cli", "hris_pipeline.orchestration.runs"])
    api = ("v1", "v2")[seed % 2]
    with deployed(folder, generate(PEOPLE, seed), options={"api": api}, more=SECTIONS) as acme:
        made = Campaign(acme, seed, processes)
        first = acme.sync(night=0)
        assert first.code == 0, first.err
        yield made


def run(seed: int, go_on: Callable[[Report], bool]) -> Report:
    """A whole campaign, as long as ``go_on`` says."""
    with tempfile.TemporaryDirectory() as folder, campaign(Path(folder), seed) as made:
        while go_on(made.report):
            made.one_night()
        return made.report


def main() -> None:
    """One campaign after another until the minutes are over, each from the next seed; exit code 1 where a law was broken."""
    parser = argparse.ArgumentParser(prog="make chaos", description="Random nights under random faults.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1, help="of the first campaign")
    parser.add_argument("--nights", type=int, help="of each campaign (40); with it alone, one campaign is run")
    asked = parser.parse_args()
    ends = time.monotonic() + asked.minutes * 60
    reports: list[Report] = []
    while not reports or (asked.nights is None and time.monotonic() < ends):
        reports.append(run(asked.seed + len(reports), lambda report: report.nights < (asked.nights or 40)))
        print(reports[-1], flush=True)
    sums = {name: sum(getattr(report, name) for report in reports) for name in ("nights", "faults", "kills", "writes")}
    print(json.dumps({**sums, "violations": sum(len(report.violations) for report in reports)}))
    sys.exit(any(report.violations for report in reports))


if __name__ == "__main__":
    main()
