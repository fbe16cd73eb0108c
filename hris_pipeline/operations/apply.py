"""Carry a plan out: what has to be there first, the sending, and what is kept of the answers."""

import datetime as dt
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb

from hris_pipeline import photos, plan
from hris_pipeline.contracts.pauses import Pause
from hris_pipeline.contracts.writes import Result, StopReason, Write
from hris_pipeline.deskbird.apply import carry_out
from hris_pipeline.deskbird.journal import Journal
from hris_pipeline.deskbird.scim import Service
from hris_pipeline.errors import PipelineError
from hris_pipeline.http import Deadline
from hris_pipeline.settings import Company
from hris_pipeline.warehouse import Warehouse

PICTURES_AHEAD = 30


def require_observations(con: duckdb.DuckDBPyConnection, company: str) -> None:
    """Raise :class:`PipelineError` where deskbird was never read: nothing can be compared."""
    seen = {row[0] for row in con.execute("select resource from state.observations").fetchall()}
    never = [name for name in ("users", "groups") if name not in seen]
    if never:
        raise PipelineError(
            f"deskbird's {never[0]} were never read for {company}, so there is nothing to compare "
            f"with. Nothing was changed. Materialise {company}/deskbird/{never[0]} first, or run "
            f"{company}_nightly."
        )


def require_plan(con: duckdb.DuckDBPyConnection, company: str, plan_id: str | None) -> None:
    """Raise :class:`PipelineError` where there is nothing to carry out, before deskbird is asked
    for anything.
    """
    known = {row[0] for row in con.execute("select plan_id from state.plans").fetchall()}
    if not known:
        raise PipelineError(
            f"There is no plan for {company} yet, so there is nothing to carry out. Nothing was "
            f"changed. Materialise {company}/deskbird/changes first, or run {company}_nightly."
        )
    if plan_id and plan_id not in known:
        raise PipelineError(
            f"There is no plan with this id for {company}. Nothing was changed. "
            f"`hris-pipeline plan {company}` shows the current one."
        )


def is_observed_by(con: duckdb.DuckDBPyConnection, run_id: str) -> bool:
    """Whether this very run has read both users and groups."""
    row = con.execute(
        "select list_sort(list(resource)) from state.observations where run_id = ?", [run_id]
    ).fetchone()
    return bool(row and row[0] == ["groups", "users"])


def paused_sentence(company: Company, pause: Pause, nothing: str) -> str:
    """That a company is paused, since when and by whom, and what was not done because of it."""
    return f"{company.name} is {pause.sentence(company.name, company.timezone, nothing=nothing)}"


@dataclass
class Brake:
    """What stops a run between two writes: a pause, and the run's deadline."""

    company: Company
    deadline: Deadline
    out_of_time: str
    """The sentence for a deadline that has passed."""
    look: Callable[[], Pause | None]
    """The pause that is in force at this moment."""
    paused: Pause | None = field(init=False)
    """The pause that was met; it holds to the end of the run."""

    def __post_init__(self) -> None:
        self.paused = self.look()

    def __call__(self) -> StopReason | bool:
        """Asked before every single write; a stop request raises here, within one record too."""
        self.paused = self.paused or self.look()
        if self.paused:
            sentence = paused_sentence(self.company, self.paused, "this change was not sent")
            return StopReason(f"{sentence}.", "paused")
        if self.deadline.passed:
            return StopReason(
                f"{self.out_of_time} This change was not sent. The next run goes on.", "deadline"
            )
        return False


@dataclass
class Sent:
    """What was sent of a plan, and what came back."""

    prepared: plan.Prepared
    results: Sequence[Result] = ()
    """One of each write; of one that was tried once more, the second."""
    stopped: PipelineError | None = None
    """What ended the sending before its end."""

    @property
    def writes(self) -> int:
        """How many writes reached deskbird."""
        return sum(one.attempts > 0 for one in self.results)

    @property
    def unsent(self) -> int:
        """Writes whose turn did not come."""
        return sum(one.outcome == "skipped" for one in self.results)

    @property
    def first_problem(self) -> str | None:
        """The first problem, in words."""
        return next((one.problem for one in self.results if one.problem), None)


def prepare(
    warehouse: Warehouse, rules: plan.PlanParameters, plan_id: str | None, now: dt.datetime
) -> tuple[plan.Prepared, set[str]]:
    """What of the plan is to be sent now, against what deskbird holds; and the names of what
    deskbird shows at all.
    """
    with warehouse.write(rules.connections) as con:
        prepared = plan.prepare(con, rules, plan_id, now=now)
        shown = con.execute("select readable from state.observations").fetchall()
    return prepared, {name for (names,) in shown for name in names}


def send(
    prepared: plan.Prepared,
    service: Service,
    journal: Path,
    *,
    company: Company,
    warehouse: Warehouse,
    readable: set[str],
    brake: Brake,
    progress: Callable[[str, int, int | None], None],
    time: Callable[[], dt.datetime],
) -> Sent:
    """Send what is to be sent. The warehouse is closed meanwhile, but for pictures."""
    if not prepared.writes:
        return Sent(prepared)
    answered: dict[int, Result] = {}
    stopped: PipelineError | None = None
    with Journal(journal) as written:
        answers = carry_out(
            prepared.plan_id,
            prepared.writes,
            service,
            written,
            dialect=company.deskbird.scim_dialect,
            remembered=prepared.dialects,
            ids=prepared.ids,
            stop=brake,
            progress=progress,
            now=time,
            readable=readable,
            evidence=prepared.evidence,
            doubts=prepared.doubts,
            picture=_pictures(warehouse, tuple(company.hris), prepared.writes),
        )
        try:
            # what came before an error counts; of two results of one write the second
            for one in answers:
                answered[one.request] = one
        except PipelineError as problem:
            stopped = problem
    return Sent(prepared, list(answered.values()), stopped)


def finish(
    con: duckdb.DuckDBPyConnection,
    rules: plan.PlanParameters,
    sent: Sent,
    *,
    now: dt.datetime,
    run_id: str,
) -> dict[str, int]:
    """Keep what became of the plan; how many changes ended how."""
    applied = plan.finish(con, sent.prepared, sent.results, now=now, run_id=run_id)
    photos.tidy(con, rules.connections)
    photos.give_up_refused(con, rules.connections, sent.prepared.plan_id, run_id)
    return asdict(applied)


def _pictures(
    warehouse: Warehouse, connections: Sequence[str], writes: Sequence[Write]
) -> Callable[[str, str], str | None]:
    """The pictures of the writes, by ``hris_ref`` and digest. A few are fetched ahead: opening the
    warehouse costs most.
    """
    coming = deque(
        (write.hris_ref, str(write.set["photo"])) for write in writes if write.set.get("photo")
    )
    at_hand: dict[tuple[str, str], str] = {}

    def picture(hris_ref: str, digest: str) -> str | None:
        if (hris_ref, digest) not in at_hand:
            some = {
                (hris_ref, digest),
                *(coming.popleft() for _ in range(min(len(coming), PICTURES_AHEAD))),
            }
            with warehouse.read() as con:
                at_hand.update(photos.data_uris(con, connections, some))
        return at_hand.pop((hris_ref, digest), None)

    return picture
