"""Three days of the sample company, and then everything that was written or said about it: who may
be named where.
"""

import contextlib
import json
import logging
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from hris_pipeline.definitions import build_defs
from hris_pipeline.operations import companies
from hris_pipeline.sandbox.company import load_company
from hris_pipeline.sandbox.deskbird import TOKEN
from hris_pipeline.sandbox.deskbird.behaviour import Behaviour, Refusal
from hris_pipeline.sandbox.faults import Fault
from hris_pipeline.sandbox.hris.personio import CREDENTIAL
from hris_pipeline_tests.end_to_end.deployment import Deployment, Ended, deployed

SECRETS = (CREDENTIAL.client_secret, TOKEN)


@dataclass
class Life:
    """What happened in those days: commands and the requests that each of them made."""

    acme: Deployment
    ended: dict[str, Ended] = field(default_factory=dict)
    asked_deskbird: dict[str, list[str]] = field(default_factory=dict)  # methods
    # method and path
    asked_personio: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    # as the last write of each command found it
    journals: list[bytes] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)

    def sync(self, name: str, *options: str, night: float) -> None:
        self.acme.forget_requests()
        self.ended[name] = self.acme.sync(*options, night=night)
        self.asked_deskbird[name] = [
            request.method for request in self.acme.deskbird.faults.requests()
        ]
        self.asked_personio[name] = [
            (request.method, request.path) for request in self.acme.personio.requests()
        ]

    def ill(
        self,
        name: str,
        night: float,
        *,
        personio: tuple[Fault, ...] = (),
        deskbird: tuple[Fault, ...] = (),
    ) -> None:
        self.acme.personio.add(*personio)
        self.acme.deskbird.faults.add(*deskbird)
        self.sync(name, night=night)
        self.acme.personio.clear()
        self.acme.deskbird.faults.clear()

    def hear_the_journal(self) -> None:
        """Keep what the journal holds whenever deskbird gets a write."""
        serve, path = self.acme.deskbird.app, self.acme.data / "acme.journal"

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["method"] != "GET":
                with contextlib.suppress(FileNotFoundError):
                    self.journals.append(path.read_bytes())
            await serve(scope, receive, send)

        self.acme.deskbird.app = app


class _Ear(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record))


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    people, page, users = "*/persons", "*/persons/*", "/v2/scim/Users"
    with deployed(
        tmp_path_factory.mktemp("life"),
        load_company(),
        options={"api": "v2"},
        records_in_memory=False,
    ) as acme:
        told = Life(acme)
        told.hear_the_journal()
        ear = _Ear(told.logged)
        logging.getLogger().addHandler(ear)
        try:
            told.sync("first dry run", "--dry-run", night=0)
            acme.deskbird.behave(refusals=(Refusal(who="personio:1010?", what="create"),))
            told.sync("first, ill", night=0)
            acme.deskbird.behave(Behaviour())
            acme.write_file(api="v1")  # it takes the place of v2 without a change, and is quicker
            told.sync("first", night=0.1)
            told.sync("first again", night=0.2)
            acme.tenant.go_to(2)
            told.sync("second dry run", "--dry-run", night=1)
            told.sync("second", night=1)
            acme.tenant.go_to(3)
            acme.write_file(api="v2")
            told.ill(
                "third, cut off", 2, personio=(Fault(people, "truncated", after=2, times=None),)
            )
            told.ill(
                "third, of another shape",
                2,
                personio=(
                    Fault(page, "int_to_str", times=None),
                    Fault(page, "html", after=99, times=None),
                ),
            )
            acme.write_file(api="v1")
            told.ill(
                "third, deskbird broken",
                2,
                deskbird=(Fault(f"GET {users}", "truncated", after=1, times=None),),
            )
            _tick_sensors()
            address = str(acme.tenant.snapshot.persons[10261].email)
            # a conflict over an address
            acme.deskbird.desk.add_user(address, "Some", "Body", hris_ref="another-source")
            told.sync("third", night=2)
            _tick_sensors()
        finally:
            logging.getLogger().removeHandler(ear)
        yield told


def _tick_sensors() -> None:
    """Let the sensors that send alerts look at all that, as the daemon does."""
    definitions = build_defs([companies.load("acme")])
    with dg.DagsterInstance.get() as instance:
        for name in ("check", "run"):
            cursor = "0" if name == "run" else None
            with dg.build_sensor_context(
                instance=instance, cursor=cursor, definitions=definitions
            ) as context:
                definitions.resolve_sensor_def(f"acme_{name}_sensor").evaluate_tick(context)


# --- what the commands did ------------------------------------------------------------------------


def test_the_days_end_as_they_should(life: Life) -> None:
    assert {name: ended.code for name, ended in life.ended.items()} == {
        "first dry run": 2,
        "first, ill": 1,
        "first": 0,
        "first again": 0,
        "second dry run": 2,
        "second": 0,
        "third, cut off": 1,
        "third, of another shape": 1,
        "third, deskbird broken": 1,
        "third": 3,
    }


@pytest.mark.parametrize("which", ["first dry run", "second dry run"])
def test_c77_a_dry_run_of_a_changed_company_only_reads(life: Life, which: str) -> None:
    assert set(life.asked_deskbird[which]) == {"GET"}
    assert {path for method, path in life.asked_personio[which] if method != "GET"} <= {
        "/v2/auth/token",
        "/v1/auth",
    }


def test_c72_a_second_sync_only_reads(life: Life) -> None:
    assert "Nothing to change" in life.ended["first again"].out
    assert set(life.asked_deskbird["first again"]) == {"GET"}
    assert {path for method, path in life.asked_personio["first again"] if method != "GET"} <= {
        "/v2/auth/token",
        "/v1/auth",
    }


# --- what was written and said --------------------------------------------------------------------


def _people(life: Life) -> set[str]:
    """What tells who somebody is: addresses' domain and left sides, whole names, family names that
    are no other word.
    """
    found = {"nordlicht.example", "Nordlicht.Example"}
    for day in (1, 2, 3):
        for person in load_company(day=day).snapshot.persons.values():
            left = (person.email or "").strip().split("@")[0]
            found |= {left, left.lower()} if "." in left else set()
            found.add(f"{person.first_name} {person.last_name}")
            found |= set() if person.last_name.isascii() else {person.last_name}
    return found


def _written(text: str) -> set[bytes]:
    """The ways in which a text may stand in a file: as it is, in JSON, and in JSON within JSON."""
    once = json.dumps(text)[1:-1]
    return {text.encode(), once.encode(), json.dumps(once)[1:-1].encode()}


def _found(haystack: bytes, needles: set[str]) -> int:
    """How many of the needles are in it; which ones is nobody's business here either."""
    return sum(any(form in haystack for form in _written(needle)) for needle in needles)


def _cells(path: Path) -> bytes:
    """All that a SQLite file holds, cell by cell: a value may lie on several pages, and Dagster
    packs what is large.
    """
    parts = []
    with contextlib.closing(sqlite3.connect(path)) as con:
        for (table,) in con.execute(
            "select name from sqlite_master where type = 'table'"
        ).fetchall():
            for row in con.execute(f'select * from "{table}"'):
                for cell in row:
                    raw = cell if isinstance(cell, bytes) else str(cell).encode()
                    parts.append(raw)
                    with contextlib.suppress(zlib.error):
                        parts.append(zlib.decompress(raw))
    return b"\n".join(parts)


def _outside(life: Life) -> dict[str, bytes]:
    """What was written or said outside DuckDB, the plan's output and requests, by where it is."""
    found = {f"standard error of {name}": ended.err.encode() for name, ended in life.ended.items()}
    found |= {"log": "\n".join(life.logged).encode(), "journal": b"\n".join(life.journals)}
    found["company file"] = life.acme.file.read_bytes()
    for path in (
        path
        for path in life.acme.folder.rglob("*")
        if path.is_file() and ".duckdb" not in path.name
    ):
        found[str(path.relative_to(life.acme.folder))] = path.read_bytes()
        if path.suffix == ".db":
            found[f"{path.relative_to(life.acme.folder)}, cell by cell"] = _cells(path)
    return found


def test_c81_nobody_is_named_outside_the_plan_and_the_warehouse(life: Life) -> None:
    people = _people(life)
    assert len(people) > 500
    assert (
        _found(
            life.ended["first dry run"].out.encode()
            + (life.acme.data / "acme.duckdb").read_bytes(),
            people,
        )
        > 200
    )
    outside = _outside(life)
    # references are there, so it is the right place
    assert sum(b"personio:10" in text for text in outside.values()) > 3
    assert any("cell by cell" in where for where in outside)
    assert {
        where: number for where, text in outside.items() if (number := _found(text, people))
    } == {}


def test_c81_errors_of_either_side_are_sentences_about_nobody(life: Life) -> None:
    failed = [ended for ended in life.ended.values() if ended.code == 1]
    assert len(failed) == 4
    assert not any("Traceback" in ended.err for ended in failed)
    # what is sent as an alert is logged too
    assert sum("acme: a run failed" in line for line in life.logged) == 1
    assert any("check" in line and "changed" in line for line in life.logged)


def test_c82_no_secret_is_anywhere(life: Life) -> None:
    everywhere = _outside(life) | {
        f"output of {name}": ended.out.encode() for name, ended in life.ended.items()
    }
    everywhere |= {path.name: path.read_bytes() for path in life.acme.data.glob("*.duckdb")}
    everywhere["settings"] = repr(companies.resolve(companies.load("acme"))).encode()
    assert {where for where, text in everywhere.items() if _found(text, set(SECRETS))} == set()
