"""A company on one screen: the last night, what was read and how it is proven, what waits, who is
held back.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import duckdb

from hris_pipeline.contracts.pauses import Pause
from hris_pipeline.errors import PipelineError
from hris_pipeline.plan import arrivals
from hris_pipeline.reports import oddities
from hris_pipeline.reports import plan as plans
from hris_pipeline.reports.oddities import Oddities
from hris_pipeline.reports.plan import Plan
from hris_pipeline.reports.queries import sql


@dataclass(frozen=True)
class LastRun:
    """The last run of the nightly job, as Dagster recorded it."""

    started: dt.datetime
    outcome: str  # "success", "failure", ...
    run_id: str


@dataclass(frozen=True)
class Extracted:
    """The last extract of one resource of one connection."""

    connection: str
    resource: str
    at: dt.datetime
    pages: int
    records: int
    expected: int | None
    proof: str
    why: str


class Refused(NamedTuple):
    """A part, or a creation, that deskbird refuses night after night."""

    hris_ref: str
    attribute: str  # or that it is a creation, in words
    since: dt.datetime
    code: str
    is_creation: bool


@dataclass(frozen=True)
class Damage:
    """What differs from what a run left: how many of each kind."""

    run_id: str
    kinds: Mapping[str, int]


@dataclass(frozen=True)
class Status:
    """What is known of a company. ``plan`` is None where none was made yet."""

    company: str
    now: dt.datetime
    timezone: str
    schedule: str | None
    last_run: LastRun | None
    last_night: tuple[dt.datetime, bool] | None  # when it ended, whether it ended in line
    base: int  # managed users when the last night ended in line
    extracts: Sequence[Extracted]
    plan: Plan | None
    quarantine: Sequence[tuple[str, int, dt.datetime]]  # rule, records, since when the oldest
    missing: tuple[int, dt.datetime | None]  # people, since when the oldest
    review: Sequence[tuple[str, int]]  # rule, people
    people: int
    users: int
    # of ours, with nobody in them; since when the oldest
    empty_groups: tuple[int, dt.datetime | None] = (0, None)
    pause: Pause | None = None
    not_retained: Sequence[tuple[str, str, dt.datetime]] = ()  # hris_ref, attribute, since when
    odd: Oddities = field(default_factory=Oddities)
    # code, records, since when the oldest
    contradictions: Sequence[tuple[str, int, dt.datetime]] = ()
    damage: Sequence[Damage] = ()
    not_given: Sequence[str] = ()  # kinds of group that are synced by default and that nobody is in
    # connection, references that lead to nobody, of how many
    lost_managers: Sequence[tuple[str, int, int]] = ()
    refused: Sequence[Refused] = ()

    @property
    def exit_code(self) -> int:
        """As the plan's; 1 where the last run failed or there is no plan."""
        if self.plan is None or (self.last_run is not None and self.last_run.outcome == "failure"):
            return 1
        return self.plan.exit_code or int(bool(self.damage))


def read(
    con: duckdb.DuckDBPyConnection,
    company: str,
    now: dt.datetime,
    *,
    timezone: str,
    schedule: str | None,
    last_run: LastRun | None,
    pause: Pause | None = None,
) -> Status:
    """Everything :class:`Status` holds, out of the warehouse."""
    try:
        plan = plans.read(con, company, now)
    except PipelineError:
        plan = None
    night = con.execute(
        "select ended_at, in_line from state.nights order by ended_at desc, rowid desc limit 1"
    ).fetchone()
    base = con.execute(
        "select managed from state.nights where in_line order by ended_at desc, rowid desc limit 1"
    ).fetchone()
    extracts = con.execute(sql("status/extracts")).fetchall()
    missing = con.execute("select count(*), min(missing_since) from state.missing").fetchone() or (
        0,
        None,
    )
    people, users = con.execute(sql("status/sizes")).fetchone() or (0, 0)
    return Status(
        company=company,
        now=now,
        timezone=timezone,
        schedule=schedule,
        last_run=last_run,
        last_night=(night[0], night[1]) if night else None,
        base=base[0] if base else 0,
        extracts=tuple(Extracted(*row) for row in sorted(extracts)),
        plan=plan,
        quarantine=con.execute(
            "select rule, count(*), min(first_seen) from core.quarantine group by rule order by 2 "
            "desc, 1"
        ).fetchall(),
        missing=(missing[0], missing[1]),
        review=con.execute(
            "select rule, count(distinct hris_ref) from state.review group by rule order by 2 "
            "desc, 1"
        ).fetchall(),
        people=people,
        users=users,
        empty_groups=con.execute("select count(*), min(since) from state.empty_groups").fetchone()
        or (0, None),
        pause=pause,
        odd=oddities.read(con),
        not_retained=con.execute(sql("status/not_retained")).fetchall(),
        contradictions=con.execute(
            "select code, count(*), min(first_seen) from state.contradictions group by code order "
            "by 2 desc, 1"
        ).fetchall(),
        refused=tuple(Refused(*row) for row in con.execute(sql("status/refused")).fetchall()),
        damage=damage(con),
        not_given=arrivals.not_given(con),
        lost_managers=con.execute(sql("status/lost_managers")).fetchall(),
    )


def damage(con: duckdb.DuckDBPyConnection, run_id: str | None = None) -> tuple[Damage, ...]:
    """What differs from what runs left and is not repaired yet; of one run, or of all."""
    found = con.execute(sql("status/damage"), {"run": run_id}).fetchall()
    return tuple(Damage(run, {one["kind"]: one["number"] for one in kinds}) for run, kinds in found)


def ended_in_line(con: duckdb.DuckDBPyConnection, run_id: str) -> bool | None:
    """Whether the night of a run ended in line; None where the run ended none."""
    night = con.execute("select in_line from state.nights where run_id = ?", [run_id]).fetchone()
    return None if night is None else bool(night[0])
