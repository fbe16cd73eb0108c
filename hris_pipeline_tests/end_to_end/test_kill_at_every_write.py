"""Case 62: a night that is killed at any point of its writing, and the night after it."""

import datetime as dt
import json
import multiprocessing
import multiprocessing.connection
import os
import pickle
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hris_pipeline import plan, settings
from hris_pipeline.deskbird import journal
from hris_pipeline.operations import companies
from hris_pipeline.operations.parameters import plan_rules
from hris_pipeline.sandbox.company import Employment, OrgUnit, Person, Tenant, generate
from hris_pipeline.sandbox.deskbird import DeskbirdApp, deskbird_app
from hris_pipeline.sandbox.server import serve
from hris_pipeline.warehouse import Warehouse
from hris_pipeline_tests.end_to_end import kill_points
from hris_pipeline_tests.end_to_end.deployment import NIGHT, Deployment, content, deployed
from hris_pipeline_tests.end_to_end.kill_points import (
    AFTER_ANSWERED,
    AFTER_SENT,
    BEFORE_ANSWERED,
    POINTS,
)

# the start of one process looks after the ended ones of all threads
ONE_AT_A_TIME = threading.Lock()
LATER = NIGHT + dt.timedelta(days=1)
SECTIONS = {
    "sync": {"groups": ["team", "department", "cost_center", "location", "legal_entity"]},
    "guards": dict.fromkeys(
        ("deactivate_user", "create_user", "update_attribute", "group_members")
    ),
    "deskbird": {"concurrency": 1, "scim_url": "${SCIM_URL}"},
}


def much_happens(tenant: Tenant) -> None:
    """A day after which the plan holds nearly every kind of change."""
    tenant.set_unit(OrgUnit("team", 1000, "Team One"))
    tenant.set_unit(OrgUnit("department", 1002, "Department 3"))
    moment = tenant.snapshot.moment
    for number in range(9):
        # the last two lead each other
        leader = {7: 109, 8: 108}.get(number, 101 + (number - 1) // 3 if number else 1)
        units = {
            "team": 1000,
            "department": 1002,
            "cost_centers": ((1001, 100),),
            "location": 100,
            "legal_entity": 10,
        }
        employment = Employment(1, "ACTIVE", dt.date(2026, 3, 1), **units, supervisor=leader)
        ref = 101 + number
        tenant.add(
            Person(
                ref,
                "Nova",
                f"Hire {ref}",
                f"hire.{ref}@nordlicht.example",
                (employment,),
                moment,
                moment,
            )
        )
    one, two = (tenant.snapshot.persons[ref].email for ref in (12, 13))
    tenant.change(12, email=two)
    tenant.change(13, email=one)
    for ref in (14, 15):
        tenant.change(ref, last_name=f"Newname {ref}", email=f"newname.{ref}@nordlicht.example")
    for ref in (20, 21, 22):
        tenant.change(ref, supervisor=1)
    for ref in range(2, 28):
        person = tenant.snapshot.persons[ref].current
        assert person is not None
        tenant.change(ref, department=1002, team=2001 - person.team, location=201 - person.location)
    for ref in (30, 31):
        tenant.change(ref, status="INACTIVE", end_date=dt.date(2026, 3, 1))


@dataclass
class Eve:
    """A company with a plan, just before it is carried out; every kill has copies to itself."""

    acme: Deployment
    folder: Path
    url: str
    apps: dict[str, Any]
    processes: Any
    prepared: bytes

    def copy(self, name: str) -> "Copy":
        folder = self.folder / name
        (folder / "data").mkdir(parents=True)
        shutil.copyfile(self.acme.data / "acme.duckdb", folder / "data" / "acme.duckdb")
        shutil.copyfile(self.folder / "eve.sqlite", folder / "deskbird.sqlite")
        made = Copy(
            self, folder, deskbird_app(folder / "deskbird.sqlite", requests_per_second=None)
        )
        self.apps[f"/{name}"] = made
        return made


class Copy:
    """One copy: its deskbird and its warehouse. As an ASGI app it remembers the writes, and may
    kill who sends them.
    """

    def __init__(self, eve: Eve, folder: Path, deskbird: DeskbirdApp) -> None:
        self.eve, self.folder, self.deskbird = eve, folder, deskbird
        self.sent: list[tuple[str, str, bytes]] = []
        self.kill = 0  # after which write the process is killed that sends it
        self.pid = 0
        variables = {
            settings.DATA_VARIABLE: str(folder / "data"),
            "SCIM_URL": f"{eve.url}/{folder.name}/v2/scim",
        }
        self.environment = {**eve.acme.environment, **variables}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "GET":
            await self.deskbird(scope, receive, send)
            return
        message = await receive()
        assert not message.get("more_body")
        number = len(self.sent) + 1
        self.sent.append((scope["method"], scope["path"], message["body"]))
        pending = [message]

        async def again() -> Any:
            return pending.pop() if pending else await receive()

        async def answer(out: Any) -> None:
            if self.kill == number:
                os.kill(self.pid, signal.SIGKILL)
            else:
                await send(out)

        await self.deskbird(scope, again, answer)

    @property
    def journal(self) -> list[journal.Entry]:
        return journal.read(self.folder / "data" / "acme.journal")

    def left_behind(self) -> str:
        """All that a next night can know of a killed one: deskbird, and the creations whose answers
        are in the journal.
        """
        created = {
            (e.kind, e.hris_ref)
            for e in self.journal
            if e.phase == "answered" and "create" in e.kind
        }
        return repr((content(self.deskbird.desk), sorted(created)))

    def carry_out(self, request: int = 0, point: str = POINTS[0]) -> int:
        """Carry the plan out in a process that may be killed on the way; its exit code."""
        return self.run(kill_points.carry_out, LATER.isoformat(), self.eve.prepared, request, point)

    def next_night(self) -> dict[str, Any]:
        told = self.folder / "told.json"
        assert self.run(kill_points.next_night, LATER.isoformat(), str(told)) == 0
        ended: dict[str, Any] = json.loads(told.read_text())
        return ended

    def sync(self, name: str) -> tuple[int, str]:
        """The whole command in a process of its own: exit code and output."""
        out = self.folder / f"{name}.txt"
        code = self.run(
            kill_points.command, ["sync", "acme", "--as-of", LATER.isoformat()], str(out)
        )
        return code, out.read_text()

    def run(self, target: Any, *arguments: Any) -> int:
        process = self.eve.processes.Process(target=target, args=(self.environment, *arguments))
        with ONE_AT_A_TIME:
            process.start()
        self.pid = process.pid
        multiprocessing.connection.wait([process.sentinel], 120)
        with ONE_AT_A_TIME:
            code: int = process.exitcode
            process.close()
        return code

    def close(self) -> None:
        self.deskbird.desk.close()
        del self.eve.apps[f"/{self.folder.name}"]
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def eve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Eve]:
    """Forty people in line, a day on which much happens, and the plan for it."""
    folder = tmp_path_factory.mktemp("eve")
    apps: dict[str, Any] = {}

    async def dispatch(scope: Any, receive: Any, send: Any) -> None:
        prefix = "/" + scope["path"].split("/")[1]
        await apps[prefix]({**scope, "path": scope["path"].removeprefix(prefix)}, receive, send)

    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(
        ["pytest", "hris_pipeline.cli", "hris_pipeline.orchestration.runs"]
    )
    desk = deskbird_app(folder / "deskbird.sqlite", requests_per_second=None)
    with (
        deployed(folder, generate(40), deskbird=desk, more=SECTIONS) as acme,
        serve(dispatch) as server,
    ):
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("SCIM_URL", f"{acme.deskbird_url}/v2/scim")
            assert acme.sync().code == 0
            much_happens(acme.tenant)
            desk.desk.edit(acme.user(34)["id"], {"active": False})
            assert acme.sync("--dry-run", night=1).code == 2
            rules = plan_rules(companies.resolve(companies.load("acme")))
        desk.desk.close()
        shutil.copyfile(folder / "deskbird.sqlite", folder / "eve.sqlite")
        with Warehouse(acme.data, "acme").write(rules.connections) as con:
            prepared = plan.prepare(con, rules, now=LATER)
        yield Eve(acme, folder, server.url, apps, processes, pickle.dumps(prepared))


@pytest.fixture(scope="module")
def undisturbed(eve: Eve) -> Iterator[Copy]:
    """The plan carried out without a kill."""
    copy = eve.copy("undisturbed")
    assert copy.carry_out() == 0
    yield copy
    copy.close()


def test_the_plan_has_200_changes_of_every_kind_and_as_many_requests_as_it_says(
    eve: Eve, undisturbed: Copy
) -> None:
    ((rows, requests),) = eve.acme.ask(
        "select count(*), count(distinct request) from deskbird.changes where verdict = 'planned'"
    )
    assert rows >= 200
    # groups that exchange people take two requests each: nobody leaves the one before having joined
    # the other
    paths = [path for _, path, _ in undisturbed.sent if path.startswith("/v2/scim/Groups/")]
    split = len(paths) - len(set(paths))
    assert len(undisturbed.sent) == requests + split == len(undisturbed.journal) / 2
    assert split == 2
    kinds = {(kind, action) for kind, action, _ in eve.acme.changes()}
    assert kinds >= {
        ("user", "create"), ("user", "update"), ("user", "reactivate"), ("user", "deactivate"),
        ("manager", "set"), ("group", "create"), ("group", "rename"), ("membership", "add"),
        ("membership", "remove"),
    }  # fmt: skip


def test_c62_a_kill_at_every_write_is_made_good_by_the_next_night_and_no_write_is_repeated(
    eve: Eve, undisturbed: Copy
) -> None:
    """Each request is interrupted at each of three points, by a SIGKILL to the process that sends
    it.

    Kills that leave the same behind, in deskbird and of the answers to creations, share their next
    night.
    """
    writes, wanted = len(undisturbed.sent), content(undisturbed.deskbird.desk)
    nights: dict[str, str] = {}

    def interrupted(request: int, point: str) -> str | None:
        where = f"{point}_{request}"
        copy = eve.copy(where)
        try:
            code = copy.carry_out(request, point)
            sent, entries = len(copy.sent), len(copy.journal)
            expected = {
                AFTER_SENT: (request - 1, 2 * request - 1),
                BEFORE_ANSWERED: (request, 2 * request - 1),
                AFTER_ANSWERED: (request, 2 * request),
            }[point]
            if (code, (sent, entries)) != (-signal.SIGKILL, expected):
                return f"{where}: exit code {code} after {sent} writes and {entries} entries"
            if nights.setdefault(copy.left_behind(), where) != where:
                return None
            night = copy.next_night()
            if (night["in_line"], night["left"]) != (True, 0):
                return f"{where}: the next night ended with {night}"
            if content(copy.deskbird.desk) != wanted:
                return f"{where}: deskbird does not hold what it holds without a kill"
            repeated = [write[:2] for write, times in Counter(copy.sent).items() if times > 1]
            if repeated or len(copy.sent) > writes:
                return f"{where}: {len(copy.sent)} writes where {writes} do, repeated {repeated}"
            return None
        finally:
            copy.close()

    places = [(request, point) for request in range(1, writes + 1) for point in POINTS]
    with ThreadPoolExecutor(2) as pool:
        assert [
            wrong for wrong in pool.map(lambda place: interrupted(*place), places) if wrong
        ] == []
    assert len(nights) >= writes


def test_c62_c73_a_killed_sync_is_made_good_by_two_at_once_that_do_not_interleave(
    eve: Eve, undisturbed: Copy
) -> None:
    """The whole command, eight writes at a time, killed from outside; then twice at the same
    moment.
    """
    copy = eve.copy("killed_sync")
    try:
        text = eve.acme.file.read_text().replace('"concurrency": 1', '"concurrency": 8')
        (copy.folder / "companies").mkdir()
        (copy.folder / "companies" / "acme.yaml").write_text(text)
        copy.environment[settings.COMPANIES_VARIABLE] = str(copy.folder / "companies")
        copy.kill = len(undisturbed.sent) // 2
        assert copy.sync("killed")[0] == -signal.SIGKILL
        copy.kill = 0
        assert copy.journal
        with ThreadPoolExecutor(2) as pool:
            ended = list(pool.map(copy.sync, ("one", "two")))
        assert [code for code, _ in ended] == [0, 0], ended
        assert sum("Nothing to change: deskbird is in line." in out for _, out in ended) == 1
        assert content(copy.deskbird.desk) == content(undisturbed.deskbird.desk)
        assert max(Counter(copy.sent).values()) == 1
        assert copy.journal == []
    finally:
        copy.close()
