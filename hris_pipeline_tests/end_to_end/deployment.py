"""A deployment for a test: one company, its Personio and its deskbird over real HTTP, a data
folder, and the command line.
"""

import contextlib
import datetime as dt
import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hris_pipeline import cli, http, settings
from hris_pipeline.orchestration import runs
from hris_pipeline.sandbox.company import Tenant, generate
from hris_pipeline.sandbox.deskbird import TOKEN, Deskbird, DeskbirdApp, deskbird_app
from hris_pipeline.sandbox.faults import Faults
from hris_pipeline.sandbox.hris.personio import CREDENTIAL, personio_app
from hris_pipeline.sandbox.server import serve
from hris_pipeline_tests.records import in_memory

ROOT = Path(__file__).resolve().parents[2]
NIGHT = dt.datetime(2026, 3, 2, 3, 30, tzinfo=dt.UTC)
PUBLISHED = """select table_schema, table_name
               from information_schema.tables
               where table_schema in ('core', 'deskbird') or starts_with(table_schema, 'hris_')
               order by all"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The last thing it said on standard error, which is the error where there is one."""
        return self.err.splitlines()[-1] if self.err else ""


@dataclass
class Deployment:
    """One company of a test's own, called ``acme``."""

    folder: Path
    tenant: Tenant
    personio: Faults
    deskbird: DeskbirdApp
    personio_url: str
    deskbird_url: str
    environment: dict[str, str]
    # of the company file: hris.personio.options
    account: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)  # its other sections

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def file(self) -> Path:
        return self.folder / "companies" / "acme.yaml"

    def write_file(self, **options: Any) -> None:
        """Write the company file anew, with other options of the HRIS account."""
        self.account.update(options)
        sections = {
            "timezone": "Europe/Berlin",
            "schedule": None,
            "hris": {
                "personio": {
                    "system": "personio",
                    "base_url": self.personio_url,
                    "client_id": CREDENTIAL.client_id,
                    "client_secret": "${SANDBOX_SECRET}",
                    "options": {"api": "v1", "requests_per_second": 1000, **self.account},
                }
            },
            **self.more,
            "deskbird": {
                "scim_url": f"{self.deskbird_url}/v2/scim",
                "scim_token": "${SANDBOX_TOKEN}",
                "requests_per_second": 1000,
                **self.more.get("deskbird", {}),
            },
        }
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(json.dumps(sections))  # JSON is YAML

    def run(self, *arguments: str, night: float = 0) -> Ended:
        """A command in this process, as of the n-th night of the company."""
        if arguments[0] in {"sync", "plan", "apply", "approve", "status"}:
            arguments = (*arguments, "--as-of", (NIGHT + dt.timedelta(days=night)).isoformat())
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.run(list(arguments))
        return Ended(code, out.getvalue(), err.getvalue())

    def sync(self, *options: str, night: float = 0) -> Ended:
        return self.run("sync", "acme", *options, night=night)

    def between_nights(self, night: float) -> runs.Finished:
        """The job that reads only what changed."""
        return runs.execute("acme", "changes", as_of=NIGHT + dt.timedelta(days=night))

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the warehouse."""
        with duckdb.connect(str(self.data / "acme.duckdb"), read_only=True) as con:
            return con.execute(query).fetchall()

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every published table."""
        with duckdb.connect(str(self.data / "acme.duckdb"), read_only=True) as con:
            names = con.execute(PUBLISHED).fetchall()
            return {
                f"{schema}/{table}": (
                    con.execute(f'from "{schema}"."{table}" order by all').fetchall()
                )
                for schema, table in names
            }

    def writes(self) -> list[tuple[str, str, int | None]]:
        """What was written to deskbird since the log was emptied, with the status it answered."""
        return [
            (request.method, request.path.removeprefix("/v2/scim"), request.status)
            for request in self.deskbird.writes()
        ]

    def forget_requests(self) -> None:
        self.deskbird.faults.forget()
        self.personio.forget()

    def user(self, ref: int | str) -> dict[str, Any]:
        """deskbird's one user who carries a person's marker."""
        (found,) = [
            user
            for user in self.deskbird.desk.users()
            if user.get("externalId") == f"personio:{ref}"
        ]
        return found

    def group(self, ref: str) -> dict[str, Any]:
        """deskbird's one group that carries a unit's marker, such as ``team:5``."""
        (found,) = [
            group
            for group in self.deskbird.desk.groups()
            if group.get("externalId") == f"personio:{ref}"
        ]
        return found

    def changes(self) -> list[tuple[str, str, str | None]]:
        """The current plan: object, action, whose."""
        return self.ask(
            "select object, action, coalesce(group_ref, hris_ref) from deskbird.changes order "
            "by seq"
        )


def content(desk: Deskbird) -> dict[str, Any]:
    """What a deskbird holds, without its own ids: users by address and groups by name."""
    users = desk.users()
    marks = {user["id"]: user.get("externalId") or user["userName"] for user in users}
    return {
        "users": {
            user["userName"]: (
                user.get("externalId"),
                user.get("active"),
                user.get("displayName"),
                user.get("name"),
                user.get("emails"),
                marks.get(manager_id(user)),
            )
            for user in users
        },
        "groups": {
            group["displayName"]: (
                group.get("externalId"),
                sorted(marks[m["value"]] for m in group.get("members") or ()),
            )
            for group in desk.groups()
        },
        "numbers": (len(users), len(desk.groups())),
    }


ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def manager_id(user: Mapping[str, Any]) -> str | None:
    """The id of a user's manager in deskbird."""
    return ((user.get(ENTERPRISE) or {}).get("manager") or {}).get("value")


@contextlib.contextmanager
def deployed(
    folder: Path,
    tenant: Tenant | None = None,
    *,
    deskbird: DeskbirdApp | None = None,
    options: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
    records_in_memory: bool = True,
    **of_personio: Any,
) -> Iterator[Deployment]:
    """A company that is up, with its file written and the environment set.

    Dagster's own records stay in memory, which is quicker, unless a test is about them. ``more``
    holds further sections of the company file; ``of_personio`` goes to the stand-in.
    """
    tenant = tenant or generate(23)
    desk = deskbird or deskbird_app(None, requests_per_second=None)
    faults = Faults()
    with contextlib.ExitStack() as stack:
        hris = stack.enter_context(
            serve(personio_app(tenant, faults=faults, **{"rates": False, **of_personio}))
        )
        service = stack.enter_context(serve(desk))
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        variables = {
            settings.COMPANIES_VARIABLE: str(folder / "companies"),
            settings.DATA_VARIABLE: str(folder / "data"),
            "DAGSTER_HOME": str(ROOT),
            "SANDBOX_SECRET": CREDENTIAL.client_secret,
            "SANDBOX_TOKEN": TOKEN,
        }
        for name, value in variables.items():
            environment.setenv(name, value)
        environment.delenv("HRIS_PIPELINE_NOW", raising=False)
        # nobody has to wait for a stand-in to get well
        environment.setattr(http, "backoff", lambda *_, **__: 0.0)
        if records_in_memory:
            instance = stack.enter_context(in_memory())
            environment.setattr(runs, "open_instance", lambda: contextlib.nullcontext(instance))
        made = Deployment(
            folder,
            tenant,
            faults,
            desk,
            hris.url,
            service.url,
            variables,
            dict(options or {}),
            dict(more or {}),
        )
        made.write_file()
        yield made


@contextlib.contextmanager
def in_line(
    kept: Path,
    folder: Path,
    deploy: Callable[[Path, DeskbirdApp], contextlib.AbstractContextManager[Deployment]],
) -> Iterator[Deployment]:
    """A company after its first night: that is spent once, in ``kept``, and what it left is copied
    for each test.
    """

    @contextlib.contextmanager
    def up(where: Path) -> Iterator[Deployment]:
        app = deskbird_app(where / "deskbird.sqlite", requests_per_second=None)
        with contextlib.closing(app.desk), deploy(where, app) as company:
            yield company

    if not kept.exists():
        kept.mkdir()
        with up(kept) as company:
            assert company.sync().code == 0
    shutil.copytree(kept / "data", folder / "data")
    shutil.copyfile(kept / "deskbird.sqlite", folder / "deskbird.sqlite")
    with up(folder) as company:
        yield company
