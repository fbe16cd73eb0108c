"""A night up to its plan: saved pages in, ``deskbird.changes`` out, through the same Dagster assets
as every night.

    python -m benchmarks.night data/benchmark/100000
    python -m benchmarks.night data/benchmark/100000 --through merge

The pages are Personio v1's, or Merge's of the same company.

The network's place is taken by a transport that replays the pages. What deskbird holds is loaded
before the clock starts; the clock runs from the start of the Dagster run, just before the first
byte is read, to its end, when the plan is published.
"""

# ruff: noqa: E402 - the imports are timed

import time

STARTED = time.perf_counter()

import argparse
import contextlib
import datetime as dt
import json
import logging
import os
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import dagster as dg
import httpx

# else pandera imports it while the clock runs
import pandera.backends.pandas.builtin_checks  # noqa: F401
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import generate_merge, tell
from hris_pipeline import plan, settings
from hris_pipeline.contracts.extracts import Connection
from hris_pipeline.contracts.tables import CHANGES, CORE, EMPLOYEES, ORG_UNITS
from hris_pipeline.definitions import build_defs
from hris_pipeline.hris.registry import connect
from hris_pipeline.hris.systems.merge import people, syncs, units
from hris_pipeline.hris.systems.personio.v1 import LIMIT
from hris_pipeline.operations import companies
from hris_pipeline.operations.parameters import plan_rules
from hris_pipeline.orchestration.job_names import dry_run_job
from hris_pipeline.orchestration.resources import AS_OF, Connections
from hris_pipeline.orchestration.tables import key
from hris_pipeline.settings import Company
from hris_pipeline.warehouse import Warehouse, loading

IMPORTED = time.perf_counter()

NAME = "bench"
CONNECTION = "personio"  # through Merge too, so that the people are those whom deskbird knows
COMPANY_FILE = """\
timezone: Europe/Berlin
schedule: null
hris: {{{connection}: {account}}}
deskbird: {{scim_token: "${{BENCH_SECRET}}"}}
"""
ACCOUNTS = {
    "personio": (
        """{system: personio, client_id: "${BENCH_SECRET}", client_secret: "${BENCH_SECRET}",
                    options: {api: v1, requests_per_second: 1000000}}"""
    ),
    "merge": (
        """{system: merge, api_key: "${BENCH_SECRET}", account_token: "${BENCH_SECRET}",
                 options: {requests_per_minute: 60000000}}"""
    ),
}
RAW = EMPLOYEES.at(f"hris_{CONNECTION}"), ORG_UNITS.at(f"hris_{CONNECTION}")
TABLES = (*RAW, *CORE, CHANGES)
AGAIN = 5
"""How often planning and the joins are timed by themselves, in turn: one time of a fraction of a
second says little.
"""


class Pages:
    """Saved pages, one a line, given out in their order."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=1 << 20)
        self._next = 0

    def page(self, number: int) -> httpx.Response:
        """The page that is asked for, which must be the next one."""
        assert number == self._next, "another page was asked for than the next"
        self._next += 1
        return httpx.Response(
            200, headers={"content-type": "application/json"}, content=self._file.readline()
        )


class Personio(httpx.BaseTransport):
    """Answers like Personio v1."""

    def __init__(self, folder: Path) -> None:
        self._employees = Pages(folder / "pages.jsonl")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """A token, or a page of people."""
        if request.method == "POST":
            return httpx.Response(200, json={"success": True, "data": {"token": "replayed"}})
        return self._employees.page(int(request.url.params["offset"]) // LIMIT)


class Merge(httpx.BaseTransport):
    """Answers like Merge, whose own syncs are complete."""

    def __init__(self, folder: Path, now: dt.datetime) -> None:
        self._lists = {
            people.PATH: Pages(folder / generate_merge.EMPLOYEES),
            units.GROUPS.path: Pages(folder / generate_merge.GROUPS),
        }
        self._date = format_datetime(now, usegmt=True)
        good = {
            "status": "DONE",
            "last_sync_result": "DONE",
            "last_sync_finished": now.isoformat(),
            "is_initial_sync": False,
        }
        models = [{"model_id": f"hris.{model}", **good} for model in ("Employee", "Group")]
        self._own = {
            syncs.ACCOUNT: {"status": "COMPLETE", "category": "hris"},
            syncs.SYNCS: {"next": None, "previous": None, "results": models},
        }

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """What Merge says of itself, or a page of people or of groups."""
        path = request.url.path.removeprefix("/api")
        if path in self._own:
            return httpx.Response(200, headers={"date": self._date}, json=self._own[path])
        return self._lists[path].page(int(request.url.params.get("cursor", 0)))


class Saved(Connections):
    """The connections, with saved pages in the place of the network."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def open(self, company: Company, name: str) -> Connection:
        """The real connector on a replaying transport."""
        return connect(name, company.hris[name], company.kinds_read, transport=self._transport)


@dataclass(frozen=True)
class Observed:
    """A complete read of deskbird, as ``warehouse.loading`` wants to know it."""

    pages: int
    records: int
    readable: tuple[str, ...]


@contextlib.contextmanager
def arrow(parquet: Path, folder: Path) -> Iterator[Path]:
    """The rows of a Parquet file as the Arrow stream that the SCIM edge would have written."""
    path = folder / f"{parquet.stem}.arrow"
    source = pq.ParquetFile(parquet)
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_stream(sink, source.schema_arrow) as stream,
    ):
        for batch in source.iter_batches(10_000):
            stream.write_batch(batch)
    yield path
    path.unlink()


def hold(warehouse: Warehouse, folder: Path, scratch: Path, now: dt.datetime) -> None:
    """Put what deskbird holds into the warehouse, as if it had been read this night, after a night
    that ended in line.
    """
    attributes = (
        "display_name",
        "email",
        "external_id",
        "family_name",
        "given_name",
        "manager_deskbird_id",
        "user_name",
    )
    told: dict[str, Any] = {"connections": (CONNECTION,), "now": now, "run_id": "benchmark"}
    with (
        arrow(folder / "users.parquet", scratch) as users,
        arrow(folder / "groups.parquet", scratch) as groups,
        arrow(folder / "group_members.parquet", scratch) as members,
        warehouse.write((CONNECTION,)) as con,
    ):
        loading.publish_users(con, users, Observed(1, 1, attributes), **told)
        loading.publish_groups(
            con, groups, members, Observed(1, 1, ("external_id", "members", "name")), **told
        )
        con.execute(
            """insert into state.nights
               select
                   'before', ?::timestamptz - interval 1 day, count(*) filter (active), true,
                   'before'
               from deskbird.users""",
            [now],
        )


def counts(warehouse: Warehouse) -> dict[str, Any]:
    """What came out, to be compared between rounds and with other implementations."""
    with warehouse.read() as con:

        def number(query: str) -> Any:
            row = con.execute(query).fetchone()
            return row[0] if row else None

        by_kind = con.execute(
            "select object || ' ' || action, count(*) from deskbird.changes group by all order "
            "by all"
        ).fetchall()
        return {
            "people": number("select count(*) from core.people"),
            "quarantined": number("select count(distinct hris_ref) from core.quarantine"),
            "plan_id": number("select plan_id from state.plans order by number desc limit 1"),
            "changes": number("select count(*) from deskbird.changes"),
            "blocked": number("select count(*) from deskbird.changes where verdict = 'blocked'"),
            "by_kind": dict(by_kind),
        }


def planning(warehouse: Warehouse, company: Company, now: dt.datetime) -> float:
    """Seconds that matching and planning take by themselves, once more over the same tables."""
    rules = plan_rules(companies.resolve(company))
    with warehouse.write((CONNECTION,)) as con:
        started = time.perf_counter()
        plan.build(con, rules, now=now, run_id="benchmark")
        return time.perf_counter() - started


def joins(warehouse: Warehouse) -> float:
    """Seconds that plain full joins of what is compared take, users and memberships: without any
    rule or reason.
    """
    with warehouse.read() as con:
        started = time.perf_counter()
        con.execute("""create temp table users as
               select
                   p.hris_ref,
                   p.email,
                   p.given_name,
                   p.family_name,
                   p.display_name,
                   p.wanted,
                   p.manager_ref,
                   u.deskbird_id,
                   u.email as has_email,
                   u.user_name,
                   u.given_name as has_given_name,
                   u.family_name as has_family_name,
                   u.display_name as has_display_name,
                   u.active,
                   u.manager_deskbird_id
               from core.people p
               full join deskbird.users u on u.external_id = p.hris_ref""")
        con.execute("""create temp table members as
               select d.*, h.* from core.memberships d
               full join (
                   select g.external_id as has_group, u.external_id as has_person
                   from deskbird.group_members m
                   join deskbird.groups g on g.deskbird_id = m.group_deskbird_id
                   join deskbird.users u on u.deskbird_id = m.user_deskbird_id
               ) h on h.has_group = d.group_ref and h.has_person = d.person_id""")
        return time.perf_counter() - started


def main(folder: Path, through: str) -> None:
    """One night; print what it cost."""
    logging.getLogger("dagster").setLevel(logging.ERROR)
    now = dt.datetime.fromisoformat(
        json.loads((folder / "about.json").read_text(encoding="utf-8"))["now"]
    )
    with (
        tempfile.TemporaryDirectory(dir=folder) as place,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        data = Path(place)
        text = COMPANY_FILE.format(connection=CONNECTION, account=ACCOUNTS[through])
        (data / f"{NAME}.yaml").write_text(text, encoding="utf-8")
        os.environ |= {
            settings.DATA_VARIABLE: place,
            settings.COMPANIES_VARIABLE: place,
            "BENCH_SECRET": "none",
        }
        warehouse = Warehouse(data, NAME)
        hold(warehouse, folder, data, now)
        company = companies.load(NAME)
        defs = build_defs(
            [company],
            {"connections": Saved(Merge(folder, now) if through == "merge" else Personio(folder))},
        )
        job = defs.resolve_job_def(dry_run_job(NAME))
        started = time.perf_counter()
        result = job.execute_in_process(
            instance=instance,
            asset_selection=[key(NAME, table) for table in TABLES],
            tags={AS_OF: now.isoformat()},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        seconds = time.perf_counter() - started
        stages = {
            event.step_key.removeprefix(f"{NAME}__"): round(
                event.step_success_data.duration_ms / 1000, 3
            )
            for event in result.all_events
            if event.is_step_success and event.step_key
        }
        again = [(planning(warehouse, company, now), joins(warehouse)) for _ in range(AGAIN)]
        alone, plain = (round(statistics.median(times), 3) for times in zip(*again, strict=True))
        tell(
            seconds,
            IMPORTED - STARTED,
            stages=stages,
            planning=alone,
            joins=plain,
            **counts(warehouse),
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--through", choices=ACCOUNTS, default="personio")
    asked = parser.parse_args()
    main(asked.folder, asked.through)
