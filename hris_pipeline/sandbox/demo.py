"""``make demo``: three nights in the life of the sample company, from nothing. Running it again
starts over.

It uses the company file ``demo`` as anybody would, and starts the stand-ins where that file points.
"""

import contextlib
import datetime as dt
import sys
import time
import zoneinfo
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from rich.console import RenderableType
from rich.rule import Rule
from rich.text import Text

from hris_pipeline import settings
from hris_pipeline.errors import PipelineError
from hris_pipeline.operations import companies
from hris_pipeline.orchestration import place, runs
from hris_pipeline.orchestration.instance import open_instance
from hris_pipeline.presentation import plan as rendering
from hris_pipeline.presentation import progress, put, streams
from hris_pipeline.reports import plan as plans
from hris_pipeline.reports.plan import Plan
from hris_pipeline.sandbox import clock, run, server
from hris_pipeline.sandbox.company import SAMPLE
from hris_pipeline.warehouse import Warehouse
from hris_pipeline.wording import count

COMPANY = clock.COMPANY
TITLES = {1: "the first import", 2: "an ordinary night", 3: "a night when HR broke something"}
# two people who were invited into deskbird by hand, before there was a sync
_FOUND = (10001, 10196)


def night(date: dt.date, timezone: str) -> dt.datetime:
    """When the nightly job of this date runs: 04:30 where the company is."""
    return dt.datetime.combine(date, dt.time(4, 30), zoneinfo.ZoneInfo(timezone))


@contextlib.contextmanager
def sandbox(
    data: Path, company: settings.Company, *, day: int, fresh: bool
) -> Iterator[run.Sandbox]:
    """The stand-ins, running where the company file points; ``fresh`` starts the demo over
    first.
    """
    (account,) = company.hris.values()
    personio_port = urlsplit(account.base_url or "").port or run.PERSONIO_PORT
    deskbird_port = urlsplit(company.deskbird.scim_url).port or run.DESKBIRD_PORT
    if fresh:
        # whoever uses the demo's files right now also uses a port
        for port in (personio_port, deskbird_port):
            with server.serve(nothing, port=port):
                pass
        _start_over(data)
    stands = run.build(data, day=day, personio_port=personio_port, deskbird_port=deskbird_port)
    try:
        with stands.servers[0], stands.servers[1]:
            yield stands
    finally:
        stands.deskbird.desk.close()


async def nothing(*_: object) -> None:
    """An app that answers nothing."""


def _start_over(data: Path) -> None:
    """Remove the demo's own files and its runs, nothing else."""
    for path in (*data.glob(f"{COMPANY}.*"), *data.glob(f"{run.deskbird_file(Path()).name}*")):
        path.unlink()
    with open_instance() as instance:
        # Dagster leaves these files when it deletes a run
        kept = place.records() / "history" / "runs"
        ours = [
            record for record in instance.get_runs() if record.job_name.startswith(f"{COMPANY}_")
        ]
        assets = [key for key in instance.all_asset_keys() if key.path[0] == COMPANY]
        for record in ours:
            instance.delete_run(record.run_id)
            for path in kept.glob(f"{record.run_id}.db*"):
                path.unlink()
        if assets:
            instance.wipe_assets(assets)


def play() -> None:
    """The three nights; :class:`~hris_pipeline.errors.PipelineError` where one of them does not end
    as it should.
    """
    company = companies.load(COMPANY)
    data = settings.data_folder()
    began = time.monotonic()
    with sandbox(data, company, day=1, fresh=True) as stands:
        for ref in _FOUND:
            person = stands.tenant.snapshot.persons[ref]
            stands.deskbird.desk.add_user(str(person.email), person.first_name, person.last_name)
        for day in TITLES:
            stands.tenant.go_to(day)
            moment = night(stands.tenant.snapshot.date, company.timezone)
            _introduce(day, moment)
            plan = _sync(moment, data)
            clock.keep(data, moment)
            _show(plan, company.timezone)
            if plan.states["failed"] or plan.states["stale"] or plan.states["planned"]:
                raise PipelineError(
                    f"Night {day} of the demo left something undone. Please report this with what "
                    "stands above."
                )
            if day == 2:
                _once_more(stands, moment, data)
    _go_on(plan, company.timezone, time.monotonic() - began)


def _say(*lines: RenderableType) -> None:
    put(sys.stdout, lambda to: to.print(*lines, sep="\n"))
    sys.stdout.flush()


def _show(plan: Plan, timezone: str) -> None:
    put(
        sys.stdout,
        lambda to: rendering.show(to, plan, timezone=timezone, rows=3, hint=plan.exit_code != 0),
    )
    sys.stdout.flush()


def _title(text: str) -> Rule:
    return Rule(Text(text, "bold"), align="left", style="blue")


def _introduce(day: int, moment: dt.datetime) -> None:
    story = yaml.safe_load((SAMPLE / f"day_{day}.yaml").read_text(encoding="utf-8"))["story"]
    _say(
        "",
        _title(f"Night {day}, {moment:%A} {moment.day} {moment:%B %Y}: {TITLES[day]}"),
        Text(story.strip(), "italic"),
        "",
    )


def _sync(moment: dt.datetime, data: Path) -> Plan:
    """One nightly run, as of that moment, and its plan."""
    with progress.shown() as report:
        finished = runs.execute(COMPANY, "nightly", as_of=moment, on_progress=report)
    if not finished.success:
        raise PipelineError(
            finished.problem or f"Run {finished.run_id} failed. `make ui` shows where."
        )
    with Warehouse(data, COMPANY).read() as con:
        return plans.read(con, COMPANY, moment)


def _once_more(stands: run.Sandbox, moment: dt.datetime, data: Path) -> None:
    """The same night again: nothing to do, and nothing but reads."""
    before = len(stands.deskbird.writes())
    plan = _sync(moment + dt.timedelta(hours=1), data)
    writes = len(stands.deskbird.writes()) - before
    if plan.changes or writes:
        raise PipelineError(
            f"A second run planned {count(len(plan.changes), 'change')} and wrote {writes} times; "
            "it should not."
        )
    _say("", Text("The same night once more: no change planned, no write made.", "bold green"))


def _go_on(plan: Plan, timezone: str, seconds: float) -> None:
    as_of = f"--as-of {plan.as_of.astimezone(zoneinfo.ZoneInfo(timezone)).isoformat()}"
    held = next(change for change in plan.changes if change.state == "blocked")
    reviewed = (
        (
            f".venv/bin/hris-pipeline plan {COMPANY}",
            "each of them, with what is there, what HR says and why it is held",
        ),
        (
            f".venv/bin/hris-pipeline explain {COMPANY} {held.hris_ref}",
            "one of them, from the HR record to every request",
        ),
        (
            f".venv/bin/hris-pipeline reject {COMPANY} {plan.plan_id} {as_of}",
            "HR was wrong and corrects its list: no more news",
        ),
        (
            f".venv/bin/hris-pipeline approve {COMPANY} {plan.plan_id} {as_of}",
            "HR was right: the next sync carries it out",
        ),
    )
    steps = (
        ("make ui", "the lineage, the plan, the checks and every run, in the Dagster UI"),
        (f".venv/bin/hris-pipeline status {COMPANY} {as_of}", "what waits"),
        (
            ".venv/bin/hris-pipeline sandbox --day 3",
            "start the stand-ins again, then in another terminal:",
        ),
        (f".venv/bin/hris-pipeline sync {COMPANY} {as_of}", "the last night once more"),
    )
    _say(
        "",
        _title(f"{count(plan.states['blocked'], 'change')} held back: look, then decide"),
        *_commands(reviewed),
    )
    _say("", _title(f"Three nights in {seconds:.0f} seconds. Now you"), *_commands(steps))


def _commands(steps: Sequence[tuple[str, str]]) -> list[Text]:
    """Commands, and what each is for."""
    width = max(len(command) for command, _ in steps)
    return [
        Text.assemble("  ", (f"{command:<{width}}", "cyan"), (f"  {why}", "dim"))
        for command, why in steps
    ]


def main() -> int:
    """Run it on the terminal; 0 when all three nights ended as they should, else 1 and a
    sentence.
    """
    try:
        play()
    except PipelineError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. `make demo` starts over.\n")
        return 1
    return 0


if __name__ == "__main__":
    streams.guard()
    sys.exit(main())
