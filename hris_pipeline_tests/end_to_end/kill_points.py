"""A night that is killed at a point of its journal, and the night after it; each in a process of its own.

The processes are forked from a server that has everything imported already, so that two hundred of them cost seconds. A night is
the product's own, from the folding of a left-over journal to the comparison after the read-back; what it does not do here is to
read the HR system again and to tell Dagster of it, because neither has any part in what a kill leaves behind.
"""

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hris_pipeline import cli, plan, settings
from hris_pipeline.deskbird import journal
from hris_pipeline.orchestration.assets import deskbird
from hris_pipeline.orchestration.resources import AS_OF, Clock, Deskbirds, no_progress
from hris_pipeline.orchestration.rules import plan_rules
from hris_pipeline.orchestration.step import Step, fold
from hris_pipeline.warehouse import Warehouse

AFTER_SENT, BEFORE_ANSWERED, AFTER_ANSWERED = POINTS = ("after_sent", "before_answered", "after_answered")
"""On the disk but not sent; carried out but not in the journal; in the journal."""


def _begin(environment: Mapping[str, str]) -> None:
    for name in ("HRIS_PIPELINE_NOW",):
        os.environ.pop(name, None)
    os.environ.update(environment)


def _step(run_id: str, moment: str) -> Step:
    """A step of a run, with a stand-in for what Dagster gives it."""
    company = settings.load("acme")
    resources = SimpleNamespace(clock=Clock(), deskbirds=Deskbirds(), progress=no_progress)
    run = SimpleNamespace(run_id=run_id, tags={AS_OF: moment})
    context: Any = SimpleNamespace(resources=resources, run=run, log_event=lambda event: None)
    return Step(context, company, Warehouse(settings.data_folder(), company.name))


def _die_at(request: int, point: str) -> None:
    """Let this process be killed at a point of the n-th request that its journal tells of."""
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


def carry_out(environment: Mapping[str, str], moment: str, request: int, point: str) -> None:
    """Carry out the plan that is there, and be killed on the way; request 0 is never reached."""
    _begin(environment)
    _die_at(request, point)
    here = _step("killed", moment)
    with here.deskbirds.open(here.resolved) as service:
        deskbird._carry_out(here, plan_rules(here.resolved), None, service)


def next_night(environment: Mapping[str, str], moment: str, told: str) -> None:
    """The night after, whole; how it ended is written to the file ``told``."""
    _begin(environment)
    here = _step("next", moment)
    rules = plan_rules(here.resolved)
    if here.journal.exists():
        with here.warehouse.write(rules.connections) as con:
            fold(here, con)
        journal.clear(here.journal)
    with here.deskbirds.open(here.resolved) as service:
        deskbird._read_again(here, service)
        with here.warehouse.write(rules.connections) as con:
            plan.build(con, rules, now=here.now, run_id=here.run_id)
        done = deskbird._carry_out(here, rules, None, service)
        deskbird._read_again(here, service)
        with here.warehouse.write(rules.connections) as con:
            night = plan.close_night(con, rules, done.plan_id, now=here.now, run_id=here.run_id)
            again = plan.build(con, rules, now=here.now, run_id=here.run_id)
    ended = {"counts": done.counts, "in_line": night.in_line, "left": night.left, "planned_again": again.changes}
    Path(told).write_text(json.dumps(ended))


def command(environment: Mapping[str, str], arguments: list[str], out: str) -> None:
    """A whole command of the product, its output in a file."""
    _begin(environment)
    file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    raise SystemExit(cli.run(arguments))
