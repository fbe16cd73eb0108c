"""A whole company for a test, and what its runs say."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from hris_pipeline.definitions import build_defs
from hris_pipeline.deskbird.scim import Service
from hris_pipeline.hris.registry import connect
from hris_pipeline.http import RetryPolicy
from hris_pipeline.operations import companies
from hris_pipeline.orchestration.resources import AS_OF, Connections, Deskbirds
from hris_pipeline.sandbox.company import Tenant
from hris_pipeline.sandbox.deskbird import DeskbirdApp
from hris_pipeline.sandbox.faults import Faults

NIGHT = dt.datetime(2026, 3, 2, 3, 30, tzinfo=dt.UTC)
BRIEF = RetryPolicy(tries=2, first_wait=0.01, longest_wait=0.01, longest_retry_after=0.01, in_all=5)
TABLES = (
    ("hris_personio", "employees"),
    ("hris_personio", "org_units"),
    ("core", "people"),
    ("core", "quarantine"),
    ("core", "groups"),
    ("core", "memberships"),
    ("core", "manager_graph"),
    ("deskbird", "users"),
    ("deskbird", "groups"),
    ("deskbird", "group_members"),
    ("deskbird", "changes"),
    ("deskbird", "applied_changes"),
)


class HastyConnections(Connections):
    """The real connections, which soon give up."""

    def open(self, company, name):
        return connect(name, company.hris[name], company.kinds_read, patience=BRIEF)


class HastyDeskbirds(Deskbirds):
    """The real deskbird, asked without a limit and soon given up."""

    def open(self, company):
        token = company.deskbird.scim_token.get_secret_value()
        return Service(
            company.deskbird.scim_url,
            token,
            requests_per_second=None,
            concurrency=4,
            patience=BRIEF,
        )


@dataclass
class Office:
    """One company of a test's own."""

    name: str
    tenant: Tenant
    faults: Faults  # Personio's
    desk: DeskbirdApp
    companies: Path
    data: Path
    instance: dg.DagsterInstance
    overrides: dict[str, Any] = field(default_factory=dict)

    def job(
        self, what: str = "nightly", *, now: dt.datetime = NIGHT, plan_id: str | None = None
    ) -> dg.ExecuteInProcessResult:
        """Run one of the company's jobs."""
        ops = (
            {f"{self.name}__deskbird__applied_changes": {"config": {"plan_id": plan_id}}}
            if plan_id
            else {}
        )
        return self._run(f"{self.name}_{what}", now, {"ops": ops})

    def decide(
        self, decision: str, *, user: str | None = None, **form: Any
    ) -> dg.ExecuteInProcessResult:
        """Fill in the form of the decision job, as in the UI."""
        config = {"decision": decision, **form}
        return (
            self.defs()
            .resolve_job_def(f"{self.name}_decision")
            .execute_in_process(
                run_config=config,
                instance=self.instance,
                tags={"user": user} if user else {},
                raise_on_error=False,
            )
        )

    def materialise(self, *tables: str, now: dt.datetime = NIGHT) -> dg.ExecuteInProcessResult:
        """Run the assets of some tables, as by hand in the UI; ``schema/table``."""
        keys = [dg.AssetKey([self.name, *table.split("/")]) for table in tables]
        return self._run("__ASSET_JOB", now, {}, asset_selection=keys)

    def _run(
        self, job: str, now: dt.datetime, config: dict[str, Any], **more: Any
    ) -> dg.ExecuteInProcessResult:
        config = {**config, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        return (
            self.defs()
            .resolve_job_def(job)
            .execute_in_process(
                run_config=config,
                instance=self.instance,
                tags={AS_OF: now.isoformat()},
                raise_on_error=False,
                **more,
            )
        )

    def defs(self) -> dg.Definitions:
        return build_defs([companies.load(self.name)], self.overrides)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the warehouse."""
        with duckdb.connect(str(self.data / f"{self.name}.duckdb"), read_only=True) as con:
            return con.execute(query).fetchall()

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every published table."""
        with duckdb.connect(str(self.data / f"{self.name}.duckdb"), read_only=True) as con:
            return {
                f"{schema}/{table}": (
                    con.execute(f'from "{schema}"."{table}" order by all').fetchall()
                )
                for schema, table in TABLES
            }

    def writes(self) -> list[tuple[str, str]]:
        """What was written to deskbird so far."""
        return [(request.method, request.path) for request in self.desk.writes()]


def problems(result: dg.ExecuteInProcessResult) -> list[str]:
    """The sentences of the steps that failed."""
    failures = [
        event.step_failure_data.user_failure_data
        for event in result.all_events
        if event.is_step_failure
    ]
    return [failure.description for failure in failures]


def problem(result: dg.ExecuteInProcessResult) -> str:
    """The sentence of the one step that failed."""
    (sentence,) = problems(result)
    return sentence


def verdicts(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    """``schema/table: check`` and whether it passed."""
    found = result.get_asset_check_evaluations()
    return {f"{'/'.join(one.asset_key.path[1:])}: {one.check_name}": one.passed for one in found}
