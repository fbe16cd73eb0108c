"""Processes that a test kills: one that carries a plan out, the night after it, and a whole
command.

They are forked from a server that has everything imported already, so that a hundred of them cost
seconds. The night here is the product's own work without its shell: it does not read the HR system
again and tells Dagster nothing, because neither has any part in what a kill leaves behind, and it
opens the warehouse three times instead of nine.
"""

import datetime as dt
import json
import os
import pickle
import signal
from collections.abc import Mapping
from pathlib import Path

from hris_pipeline import cli, clock, plan, settings
from hris_pipeline.contracts.writes import Result
from hris_pipeline.deskbird import apply, journal
from hris_pipeline.deskbird.scim import Service
from hris_pipeline.operations import companies
from hris_pipeline.operations.parameters import plan_rules
from hris_pipeline.orchestration.resources import Deskbirds, no_progress
from hris_pipeline.warehouse import Warehouse, loading

AFTER_SENT, BEFORE_ANSWERED, AFTER_ANSWERED = POINTS = (
    "after_sent",
    "before_answered",
    "after_answered",
)
"""A request is in the journal but was not sent; deskbird did it but the journal does not tell; the
journal tells.
"""


def _enter(environment: Mapping[str, str]) -> tuple[settings.Company, Warehouse, Path]:
    os.environ.pop(clock.VARIABLE, None)
    os.environ.update(environment)
    company = companies.resolve(companies.load("acme"))
    warehouse = Warehouse(settings.data_folder(), company.name)
    return company, warehouse, warehouse.path.with_suffix(".journal")


def die_at(request: int, point: str) -> None:
    """Let this process be killed at a point of the n-th request that its journal tells of; never
    for 0.
    """
    write, seen = journal.Journal.write, {"sent": 0, "answered": 0}

    def deadly(self: journal.Journal, entry: journal.Entry) -> None:
        seen[entry.phase] += 1
        due = seen[entry.phase] == request
        if due and entry.phase == "answered" and point == BEFORE_ANSWERED:
            os.kill(os.getpid(), signal.SIGKILL)
        write(self, entry)
        if due and point == {"sent": AFTER_SENT, "answered": AFTER_ANSWERED}[entry.phase]:
            os.kill(os.getpid(), signal.SIGKILL)

    journal.Journal.write = deadly  # type: ignore[method-assign]


def carry_out(
    environment: Mapping[str, str], moment: str, prepared: bytes, request: int, point: str
) -> None:
    """Send what was prepared, and be killed on the way. The warehouse is closed meanwhile, as
    always.
    """
    company, _, path = _enter(environment)
    die_at(request, point)
    with Deskbirds().open(company) as service:
        _send(company, service, path, pickle.loads(prepared), dt.datetime.fromisoformat(moment))


def _send(
    company: settings.Company,
    service: Service,
    path: Path,
    prepared: plan.Prepared,
    now: dt.datetime,
) -> list[Result]:
    with journal.Journal(path) as book:
        answers = apply.carry_out(
            prepared.plan_id,
            prepared.writes,
            service,
            book,
            dialect=company.deskbird.scim_dialect,
            remembered=prepared.dialects,
            ids=prepared.ids,
            stop=lambda: False,
            progress=no_progress,
            now=lambda: now,
            readable=(
                "external_id",
                "email",
                "user_name",
                "active",
                "members",
                "manager_deskbird_id",
            ),
        )
        return list(answers)


def next_night(environment: Mapping[str, str], moment: str, told: str) -> None:
    """The night after a kill; how it ended is written to the file ``told``."""
    company, warehouse, path = _enter(environment)
    rules, now = plan_rules(company), dt.datetime.fromisoformat(moment)
    folder = warehouse.path.parent

    def look(service: Service) -> tuple[object, ...]:
        files = folder / "groups.arrow", folder / "members.arrow"
        return service.read_users(folder / "users.arrow", no_progress), service.read_groups(
            *files, no_progress
        )

    def publish(con: object, users: object, groups: object) -> None:
        about = {"connections": rules.connections, "now": now, "run_id": "next"}
        loading.publish_users(con, folder / "users.arrow", users, **about)
        loading.publish_groups(
            con, folder / "groups.arrow", folder / "members.arrow", groups, **about
        )

    with Deskbirds().open(company) as service:
        seen = look(service)
        with warehouse.write(rules.connections) as con:
            plan.fold_journal(con, journal.read(path), now)
            publish(con, *seen)
            plan.build(con, rules, now=now, run_id="next")
            prepared = plan.prepare(con, rules, now=now)
        journal.clear(path)
        results = _send(company, service, path, prepared, now)
        seen = look(service)
        with warehouse.write(rules.connections) as con:
            plan.fold_journal(con, journal.read(path), now)
            applied = plan.finish(con, prepared, results, now=now, run_id="next")
            publish(con, *seen)
            night = plan.close_night(con, rules, prepared.plan_id, now=now, run_id="next")
        journal.clear(path)
    done = applied.applied, applied.failed, applied.stale
    Path(told).write_text(
        json.dumps({"applied_failed_stale": done, "in_line": night.in_line, "left": night.left})
    )


def command(environment: Mapping[str, str], arguments: list[str], out: str) -> None:
    """A whole command, as its own process; what it prints goes to a file."""
    os.environ.pop(clock.VARIABLE, None)
    os.environ.update(environment)
    file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    raise SystemExit(cli.run(arguments))
