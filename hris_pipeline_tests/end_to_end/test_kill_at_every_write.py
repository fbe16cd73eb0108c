"""Case 62: a night that is killed at any point of its writing, and the night after it."""

import datetime as dt
import json
import multiprocessing
import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kill_points
import pytest
from deployment import NIGHT, Deployment, content, deployed
from kill_points import POINTS

from hris_pipeline.deskbird import journal
from hris_pipeline.sandbox.company import Employment, OrgUnit, Person, Tenant, generate
from hris_pipeline.sandbox.deskbird import Deskbird, DeskbirdApp, deskbird_app
from hris_pipeline.sandbox.server import serve

LATER = NIGHT + dt.timedelta(days=1)
NO_GUARDS = dict.fromkeys(("deactivate_user", "create_user", "update_attribute", "group_members"))


def much_happens(tenant: Tenant) -> None:
    """A day after which the plan holds every kind of change, 200 in all."""
    tenant.set_unit(OrgUnit("team", 1000, "Team One"))
    tenant.set_unit(OrgUnit("department", 1002, "Department 3"))
    moment = tenant.snapshot.moment
    for number in range(17):
        leader = {15: 117, 16: 116}.get(number, 101 + (number - 1) // 3 if number else 1)  # the last two lead each other
        employment = Employment(
            1, "ACTIVE", dt.date(2026, 3, 1), team=1000, department=1002, cost_centers=((1001, 100),), supervisor=leader
        )
        ref = 101 + number
        tenant.add(Person(ref, "Nova", f"Hire {ref}", f"hire.{ref}@nordlicht.example", (employment,), moment, moment))
    one, two = (tenant.snapshot.persons[ref].email for ref in (12, 13))
    tenant.change(12, email=two)
    tenant.change(13, email=one)
    for ref in range(14, 20):
        tenant.change(ref, last_name=f"Newname {ref}", email=f"newname.{ref}@nordlicht.example")
    for ref in range(20, 30):
        tenant.change(ref, supervisor=1)
    for ref in range(2, 21):
        person = tenant.snapshot.persons[ref].current
        tenant.change(ref, department=1002, team=2001 - person.team)
    for ref in (30, 31, 32, 33):
        tenant.change(ref, status="INACTIVE", end_date=dt.date(2026, 3, 1))
    for ref in (37, 38, 39, 40):
        tenant.change(ref, cost_centers=((1000, 100),))




@dataclass
class Eve:
    """A company with a plan, just before it is carried out; every kill has copies of it to itself."""

    acme: Deployment
    folder: Path
    url: str
    apps: dict[str, Any]
    processes: Any

    def copy(self, name: str) -> "Copy":
        folder = self.folder / name
        (folder / "data").mkdir(parents=True)
        shutil.copyfile(self.acme.data / "acme.duckdb", folder / "data" / "acme.duckdb")
        shutil.copyfile(self.folder / "eve.sqlite", folder / "deskbird.sqlite")
        made = Copy(self, folder, deskbird_app(folder / "deskbird.sqlite", requests_per_second=None))
        self.apps[f"/{name}"] = made
        return made


class Copy:
    """One copy: its deskbird and its warehouse. As an ASGI app it remembers the body of each write."""

    def __init__(self, eve: Eve, folder: Path, deskbird: DeskbirdApp) -> None:
        self.eve, self.folder, self.deskbird = eve, folder, deskbird
        self.sent: list[tuple[str, str, bytes]] = []
        variables = {"HRIS_PIPELINE_DATA": str(folder / "data"), "SCIM_URL": f"{eve.url}/{folder.name}/v2/scim"}
        self.environment = {**eve.acme.environment, **variables}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "GET":
            await self.deskbird(scope, receive, send)
            return
        message = await receive()
        assert not message.get("more_body")
        self.sent.append((scope["method"], scope["path"], message["body"]))
        pending = [message]

        async def again() -> Any:
            return pending.pop() if pending else await receive()

        await self.deskbird(scope, again, send)

    @property
    def entries(self) -> list[journal.Entry]:
        return journal.read(self.folder / "data" / "acme.journal")

    def carry_out(self, request: int = 0, point: str = POINTS[0]) -> int | None:
        """Carry the plan out in a process that may be killed on the way; its exit code."""
        return self._process(kill_points.carry_out, request, point)

    def next_night(self) -> dict[str, Any]:
        told = self.folder / "told.json"
        assert self._process(kill_points.next_night, str(told)) == 0
        ended: dict[str, Any] = json.loads(told.read_text())
        return ended

    def _process(self, target: Any, *arguments: Any) -> int | None:
        process = self.eve.processes.Process(target=target, args=(self.environment, LATER.isoformat(), *arguments))
        process.start()
        process.join(120)
        code: int | None = process.exitcode
        process.close()
        return code

    def close(self) -> None:
        self.deskbird.desk.close()
        del self.eve.apps[f"/{self.folder.name}"]
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def eve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Eve]:
    folder = tmp_path_factory.mktemp("eve")
    apps: dict[str, Any] = {}

    async def dispatch(scope: Any, receive: Any, send: Any) -> None:
        prefix = "/" + scope["path"].split("/")[1]
        await apps[prefix]({**scope, "path": scope["path"].removeprefix(prefix)}, receive, send)

    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["pytest", "hris_pipeline.cli", "hris_pipeline.orchestration.runs", "rich.console"])
    desk = deskbird_app(folder / "deskbird.sqlite", requests_per_second=None)
    settings = {"guards": NO_GUARDS, "deskbird": {"concurrency": 1, "scim_url": "${SCIM_URL}"}}
    with deployed(folder, generate(40), deskbird=desk, more=settings) as acme, serve(dispatch) as server, pytest.MonkeyPatch.context() as env:
        env.setenv("SCIM_URL", f"{acme.deskbird_url}/v2/scim")
        assert acme.sync().code == 0
        much_happens(acme.tenant)
        desk.desk.edit(acme.user(34)["id"], {"active": False})
        assert acme.sync("--dry-run", night=1).code == 2
        desk.desk.close()
        shutil.copyfile(folder / "deskbird.sqlite", folder / "eve.sqlite")
        yield Eve(acme, folder, server.url, apps, processes)

if __name__ == "__main__":
    import sys, tempfile, time
    class F:
        def mktemp(self, n):
            return Path(tempfile.mkdtemp(dir='/tmp/e2e'))
    g=eve.__wrapped__(F()) if hasattr(eve,'__wrapped__') else eve._get_wrapped_function()(F())
    e=next(g)
    print(e.acme.ask("select count(*), count(distinct request), count(*) filter (verdict='blocked') from deskbird.changes"))
    print(Counter(e.acme.ask("select object||' '||action from deskbird.changes")))
    import resource
    def cpu(): return sum(resource.getrusage(w).ru_utime+resource.getrusage(w).ru_stime for w in (resource.RUSAGE_SELF,))
    for k,(r,p) in enumerate([(0,POINTS[0]),(10,POINTS[0]),(10,POINTS[1]),(10,POINTS[2]),(30,POINTS[1])]):
        c=e.copy(f"k{k}")
        t=time.time();u=cpu()
        code=c.carry_out(r,p); print(code,'wall',time.time()-t,'self cpu',cpu()-u, len(c.sent), len(c.entries))
        t=time.time();u=cpu()
        print(c.next_night(),'wall',time.time()-t,'self cpu',cpu()-u,len(c.sent))
        if k==0: want=content(c.deskbird.desk)
        print(content(c.deskbird.desk)==want)
