"""Three nights against SCIM servers that were written by others, by configuration only.

Each server runs as a process of its own on the loopback address, behind a recorder that passes
everything on and counts. After each night a client of the test's own reads the server and compares
it with HR's records (``truth.py``).
"""

import asyncio
import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from hris_pipeline.sandbox.company import Employment, OrgUnit, Person, Snapshot, Tenant
from hris_pipeline.sandbox.deskbird import TOKEN
from hris_pipeline.sandbox.server import serve
from hris_pipeline_tests.end_to_end.deployment import NIGHT, Deployment, Ended, deployed
from hris_pipeline_tests.end_to_end.truth import ATTRIBUTES, Difference, differences

FOREIGN = Path(__file__).parent / "foreign"
MARK = "personio:"


class Recorder:
    """Passes each request on to a server and notes method, path and status."""

    def __init__(self, url: str, http: httpx.Client) -> None:
        self.url, self.http = url, http
        self.seen: list[tuple[str, str, int]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        query = scope["query_string"].decode()
        answer = await asyncio.to_thread(
            self.http.request,
            scope["method"],
            self.url + scope["path"] + (f"?{query}" if query else ""),
            content=body,
            headers=[
                (k, v) for k, v in scope["headers"] if k not in {b"connection", b"accept-encoding"}
            ],
        )
        self.seen.append((scope["method"], scope["path"], answer.status_code))
        dropped = {b"transfer-encoding", b"connection", b"keep-alive", b"content-length"}
        headers = [(k.lower(), v) for k, v in answer.headers.raw if k.lower() not in dropped]
        headers.append((b"content-length", b"%d" % len(answer.content)))
        await send(
            {"type": "http.response.start", "status": answer.status_code, "headers": headers}
        )
        await send({"type": "http.response.body", "body": answer.content})


@dataclass
class Foreign:
    """A company that provisions into a server that is not ours."""

    acme: Deployment
    recorder: Recorder
    url: str
    attributes: tuple[str, ...] = ATTRIBUTES
    ended: list[Ended] = field(default_factory=list)

    def night(self, number: int) -> Ended:
        """One night; what was asked in it is in ``recorder.seen``."""
        self.acme.tenant.set_date((NIGHT.date()).fromordinal(NIGHT.date().toordinal() + number))
        self.recorder.seen.clear()
        self.ended.append(self.acme.sync(night=number))
        return self.ended[-1]

    def writes(self) -> list[tuple[str, str, int]]:
        return [seen for seen in self.recorder.seen if seen[0] != "GET"]

    def read(self, what: str) -> list[dict[str, Any]]:
        """All users or groups, each read by itself."""
        with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
            listed = http.get(f"{self.url}/{what}", params={"startIndex": 1, "count": 100}).json()
            return [
                http.get(f"{self.url}/{what}/{record['id']}").json()
                for record in listed.get("Resources") or ()
            ]

    def differences(self) -> list[Difference]:
        """In what the server is not as HR has it."""
        return list(
            differences(
                self.acme.tenant.snapshot,
                self.read("Users"),
                self.read("Groups"),
                attributes=self.attributes,
            )
        )

    def user(self, ref: int) -> dict[str, Any]:
        (found,) = [user for user in self.read("Users") if user.get("externalId") == f"{MARK}{ref}"]
        return found


def company() -> Tenant:
    """Nine people in two teams and two departments, with managers."""
    moment, start = NIGHT.replace(year=2026, month=1), NIGHT.date().replace(year=2020)
    persons = []
    for ref in range(1, 10):
        job = Employment(
            1,
            "ACTIVE",
            start,
            team=1 + ref % 2,
            department=11 + ref % 2,
            supervisor=1 if ref > 1 else None,
        )
        persons.append(
            Person(
                ref, "Given", f"Family {ref}", f"p{ref}@nordlicht.example", (job,), moment, moment
            )
        )
    units = [OrgUnit("team", n, f"Team {n}") for n in (1, 2)] + [
        OrgUnit("department", n, f"Department {n}") for n in (11, 12)
    ]
    return Tenant(Snapshot(NIGHT.date(), {}, tuple(units)).with_persons(persons))


def change(tenant: Tenant) -> None:
    """A rename with another address, a manager, a move, a leaver, a joiner."""
    tenant.change(2, last_name="Otherwise", email="otherwise@nordlicht.example")
    tenant.change(5, supervisor=2)
    tenant.change(6, team=2, department=12)
    tenant.change(8, status="INACTIVE", end_date=NIGHT.date())
    moment = tenant.snapshot.moment
    job = Employment(1, "ACTIVE", NIGHT.date(), team=1, department=11, supervisor=2)
    tenant.add(Person(20, "New", "Hire", "new@nordlicht.example", (job,), moment, moment))


def a_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], port: int, path: str) -> Iterator[str]:
    """A server as a process of its own, from when it answers; its address without the path."""
    process = subprocess.Popen(
        command, cwd=FOREIGN, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    url = f"http://127.0.0.1:{port}"
    try:
        ends = time.monotonic() + 60
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{url}{path}/ServiceProviderConfig")
                break
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < ends, "the server did not answer within a minute"
            time.sleep(0.05)
        yield url
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def provisioned(
    folder: Path,
    command: list[str],
    port: int,
    path: str,
    attributes: tuple[str, ...],
    **more: Any,
) -> Iterator[Foreign]:
    """A company whose deskbird is such a server."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running(command, port, path))
        recorder = Recorder(server, stack.enter_context(httpx.Client(timeout=60)))
        front = stack.enter_context(serve(recorder))
        url = front.url + path
        sections = {
            "sync": {"groups": ["team", "department"], **more},
            "deskbird": {"scim_url": url},
        }
        yield Foreign(
            stack.enter_context(deployed(folder, company(), more=sections)),
            recorder,
            server + path,
            attributes,
        )


def three_nights(foreign: Foreign) -> None:
    """Everybody is made, changed, and left alone."""
    first = foreign.night(0)
    assert first.code == 0, first.out + first.err
    assert foreign.differences() == []
    change(foreign.acme.tenant)
    second = foreign.night(1)
    assert second.code == 0, second.out + second.err
    assert foreign.differences() == []
    assert foreign.user(8)["active"] is False
    third = foreign.night(2)
    assert third.code == 0, third.out + third.err
    assert foreign.writes() == []
    assert foreign.differences() == []


def test_three_nights_against_scim2_server_as_it_comes(tmp_path: Path) -> None:
    """The command of the package, in memory. It announces sorting, bulk and tags, and is as strict
    as RFC 7644.
    """
    port = a_port()
    command = [
        str(Path(sys.executable).with_name("scim2-server")),
        "--bearer-token",
        TOKEN,
        "--port",
        str(port),
    ]
    with provisioned(tmp_path, command, port, "/v2", ATTRIBUTES) as foreign:
        three_nights(foreign)


@pytest.mark.foreign_servers
def test_three_nights_against_scimmy(tmp_path: Path) -> None:
    """SCIMMY behind Express (Node.js). Its ``itemsPerPage`` is 20 whatever the page holds, its
    locations are relative.
    """
    node = shutil.which("node")
    if node is None or not (FOREIGN / "node_modules" / "scimmy").is_dir():
        pytest.skip("Node.js or its packages are not there (make test installs them)")
    port = a_port()
    with provisioned(
        tmp_path, [node, "scimmy_server.mjs", str(port), TOKEN], port, "/scim", ATTRIBUTES
    ) as foreign:
        three_nights(foreign)


def test_three_nights_against_django_scim2_server(tmp_path: Path) -> None:
    """A Django application by other people.

    It keeps no display name, and knows no enterprise extension: a POST with a manager is refused, a
    PATCH of a manager is acknowledged and forgotten. So managers are switched off in the company
    file, and display names are not compared. Its lists have no order of their own, and it announces
    no tags.
    """
    port = a_port()
    command = [sys.executable, "django_server.py", str(port), TOKEN, str(tmp_path)]
    known = tuple(
        attribute for attribute in ATTRIBUTES if attribute not in {"displayName", "manager"}
    )
    with provisioned(tmp_path, command, port, "/scim/v2", known, managers=False) as foreign:
        three_nights(foreign)
