"""What the benchmarks of writes and of the idle night talk to, in processes of their own; a line of
JSON tells the addresses.

    python -m benchmarks.stand_in trivial [--latency SECONDS] [--rate N]
    python -m benchmarks.stand_in sandbox --people N

``trivial`` answers every SCIM write at once and keeps nothing; ``GET /told`` gives its counts.
``sandbox`` is the project's own Personio and deskbird without their rate limits, one deskbird for
each generation of Personio's API. Orders come a line at a time on standard input and are answered a
line at a time: ``writes NAME``, ``change``. Both end with standard input.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import itertools
import json
import math
import sys
import time
from collections import Counter
from typing import Any

from hris_pipeline.sandbox import server
from hris_pipeline.sandbox.company import Employment, Person, Tenant, generate
from hris_pipeline.sandbox.deskbird import TOKEN, deskbird_app
from hris_pipeline.sandbox.hris.personio import CREDENTIAL, personio_app

BURST = 10
MEMBERS = 100  # that one request may add
APIS = ("v2", "v1")


class Bucket:
    """A token bucket: ``rate`` a second, ten at once."""

    def __init__(self, rate: float) -> None:
        self.rate, self.tokens, self.at = rate, float(BURST), time.monotonic()

    def take(self) -> bool:
        """Whether one more is allowed now."""
        now = time.monotonic()
        self.tokens, self.at = min(BURST, self.tokens + (now - self.at) * self.rate), now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Trivial:
    """An ASGI app that acknowledges whatever is written to it."""

    def __init__(self, latency: float, rate: float | None) -> None:
        self.latency = latency
        self.bucket = Bucket(rate) if rate else None
        self.statuses: Counter[int] = Counter()
        self.ids = itertools.count(1)

    async def __call__(
        self, scope: server.Scope, receive: server.Receive, send: server.Send
    ) -> None:
        """Answer one request."""
        while (await receive()).get("more_body"):
            pass
        status, body = 204, b""
        if scope["path"] == "/told":
            status, body = (
                200,
                json.dumps({str(code): count for code, count in self.statuses.items()}).encode(),
            )
        else:
            if self.bucket and not self.bucket.take():
                status = 429
            elif scope["method"] == "POST":
                status, body = 201, json.dumps({"id": f"new-{next(self.ids)}"}).encode()
            self.statuses[status] += 1
            if self.latency:
                await asyncio.sleep(self.latency)
        headers = [
            (b"content-type", b"application/scim+json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def here(tenant: Tenant) -> dict[int, Employment]:
    """Who should be a user: everybody who works there on the company's date, by id."""
    found = {}
    for person in tenant.snapshot.persons.values():
        current = person.current
        if current and current.status in {"ACTIVE", "LEAVE"}:
            found[person.id] = current
    return found


def groups(tenant: Tenant) -> dict[tuple[str, int], set[int]]:
    """The groups that need to be, and who is in them."""
    found: dict[tuple[str, int], set[int]] = {}
    for person, employment in here(tenant).items():
        units = [("team", employment.team), ("department", employment.department)]
        units += [("cost_center", unit) for unit, _ in employment.cost_centers]
        for kind, unit in units:
            if unit is not None:
                found.setdefault((kind, unit), set()).add(person)
    return found


def first_writes(tenant: Tenant) -> int:
    """Writes that an empty deskbird needs: one for each user, and for each group one for every
    hundred members.
    """
    return len(here(tenant)) + sum(
        math.ceil(len(members) / MEMBERS) for members in groups(tenant).values()
    )


def change(tenant: Tenant) -> int:
    """An ordinary day: 20 new names, 10 people in other teams, 5 hires, 5 leavers; the writes that
    it needs.

    One for each user and for each group that is new or changed, however much changes of it.
    """
    before_groups, before, people = groups(tenant), here(tenant), dict(tenant.snapshot.persons)
    led = {employment.supervisor for employment in before.values()}
    followers = [person for person in before if person not in led]
    renamed, moved, left = followers[:20], followers[20:30], followers[30:35]
    for person in renamed:
        tenant.change(person, last_name=f"{people[person].last_name}-Neu")
    teams = sorted(unit.id for unit in tenant.snapshot.of_kind("team"))
    for person in moved:
        tenant.change(
            person, team=teams[(teams.index(before[person].team or teams[0]) + 1) % len(teams)]
        )
    for person in left:
        tenant.change(person, status="INACTIVE", end_date=tenant.snapshot.date.replace(day=1))
    tenant.add(
        *(
            _hire(people[person], max(people) + number)
            for number, person in enumerate(renamed[:5], 1)
        )
    )
    after_groups, after = groups(tenant), here(tenant)
    users = len(renamed) + len(before.keys() - after.keys()) + len(after.keys() - before.keys())
    gone = before.keys() - after.keys()  # an inactive user keeps the memberships
    changed = [
        key
        for key, members in after_groups.items()
        if members != before_groups.get(key, set()) - gone
    ]
    return users + len(changed)


def _hire(like: Person, number: int) -> Person:
    name = like.last_name.removesuffix("-Neu")
    return dataclasses.replace(
        like, id=number, last_name=name, email=f"person.{number}@nordlicht.example"
    )


def serve_trivial(latency: float, rate: float | None) -> None:
    """Serve until standard input ends."""
    with server.serve(Trivial(latency, rate)) as running:
        say({"url": running.url})
        sys.stdin.read()


def serve_sandbox(people: int) -> None:
    """Serve, and follow orders until standard input ends."""
    tenant = generate(people)
    desks = {api: deskbird_app(None, requests_per_second=None) for api in APIS}
    with contextlib.ExitStack() as stack:
        personio = stack.enter_context(server.serve(personio_app(tenant, rates=False)))
        urls = {api: stack.enter_context(server.serve(desk)).url for api, desk in desks.items()}
        credential = {
            "client_id": CREDENTIAL.client_id,
            "client_secret": CREDENTIAL.client_secret,
            "token": TOKEN,
        }
        date = tenant.snapshot.date.isoformat()
        say(
            {
                "personio": personio.url,
                "deskbird": urls,
                "date": date,
                "first_writes": first_writes(tenant),
                **credential,
            }
        )
        for line in sys.stdin:
            order, *names = line.split()
            say(
                {"writes": len(desks[names[0]].writes())}
                if order == "writes"
                else {"needed": change(tenant)}
            )


def say(told: dict[str, Any]) -> None:
    """One line to whoever started us."""
    print(json.dumps(told), flush=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Stand-ins for the benchmarks.")
    commands = parser.add_subparsers(dest="what", required=True)
    trivial = commands.add_parser("trivial")
    trivial.add_argument("--latency", type=float, default=0.0)
    trivial.add_argument("--rate", type=float)
    commands.add_parser("sandbox").add_argument("--people", type=int, required=True)
    arguments = parser.parse_args()
    if arguments.what == "trivial":
        serve_trivial(arguments.latency, arguments.rate)
    else:
        serve_sandbox(arguments.people)


if __name__ == "__main__":
    main()
