"""One screen about a company: the last night, what was read and how it is proven, what waits, who is held back."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hris_pipeline.errors import PipelineError
from hris_pipeline.pause import Pause
from hris_pipeline.plan import arrivals, damage, sentence
from hris_pipeline.presentation import clean, document, moment, oddities
from hris_pipeline.presentation.oddities import Oddities
from hris_pipeline.presentation.plan import Plan, by_hand, guard_sentences
from hris_pipeline.presentation.plan import read as read_plan
from hris_pipeline.presentation.review import is_about_a_group
from hris_pipeline.wording import count

SHOWN = 5
"""How many of a kind are named on the screen; the rest is counted, with the table that has them."""


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
    empty_groups: tuple[int, dt.datetime | None] = (0, None)  # of ours, with nobody in them; since when the oldest
    pause: Pause | None = None
    not_sticking: Sequence[tuple[str, str, dt.datetime]] = ()  # hris_ref, attribute, since when
    odd: Oddities = field(default_factory=Oddities)
    contradictions: Sequence[tuple[str, int, dt.datetime]] = ()  # code, records, since when the oldest
    damage: Sequence[str] = ()  # what differs from what a run left, a sentence for each run
    not_given: Sequence[str] = ()  # kinds of group that are synced by default and that nobody is in
    refused: Sequence[tuple[str, str, dt.datetime, str]] = ()  # hris_ref, attribute (or creation), since when, code

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
        plan = read_plan(con, company, now)
    except PipelineError:
        plan = None
    night = con.execute("select ended_at, in_line from state.nights order by ended_at desc, rowid desc limit 1").fetchone()
    base = con.execute("select managed from state.nights where in_line order by ended_at desc, rowid desc limit 1").fetchone()
    extracts = con.execute(
        "select distinct on (connection, resource) connection, resource, extracted_at, pages, records, expected, proof, why "
        "from state.extracts order by connection, resource, extracted_at desc, rowid desc"
    ).fetchall()
    missing = con.execute("select count(*), min(missing_since) from state.missing").fetchone() or (0, None)
    sizes = con.execute(
        "select (select count(*) from core.people where wanted), (select count(*) from deskbird.users where active)"
    ).fetchone()
    people, users = sizes or (0, 0)
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
            "select rule, count(*), min(first_seen) from core.quarantine group by rule order by 2 desc, 1"
        ).fetchall(),
        missing=(missing[0], missing[1]),
        review=con.execute("select rule, count(distinct hris_ref) from state.review group by rule order by 2 desc, 1").fetchall(),
        people=people,
        users=users,
        empty_groups=con.execute("select count(*), min(since) from state.empty_groups").fetchone() or (0, None),
        pause=pause,
        odd=oddities.read(con),
        not_sticking=con.execute(
            """select coalesce(hris_ref, deskbird_id), case object when 'membership' then group_ref else attribute end, since
               from state.left_alone where why = 'does_not_stick' order by since, 1, 2"""
        ).fetchall(),
        contradictions=con.execute(
            "select code, count(*), min(first_seen) from state.contradictions group by code order by 2 desc, 1"
        ).fetchall(),
        refused=con.execute(
            """select coalesce(hris_ref, deskbird_id),
                   case object when 'membership' then group_ref else attribute end, since, code
               from state.left_alone where why = 'refused'
               union all
               select hris_ref, 'creation', since, code from state.not_sticking where attribute = 'record'
               order by since, 1, 2"""
        ).fetchall(),
        damage=damage_sentences(con),
        not_given=arrivals.not_given(con),
    )


def damage_sentences(con: duckdb.DuckDBPyConnection, run_id: str | None = None) -> tuple[str, ...]:
    """What differs from what a run left, by run; of one run, or of all whose damage is not repaired yet."""
    found = con.execute(
        """select run_id, list({'kind': kind, 'number': number} order by kind)
           from (select run_id, min(seen_at) as seen_at, count(*) as number,
                     case object when 'membership' then 'member' else attribute end as kind
                 from state.damage where ended_at is null and ($run is null or run_id = $run) group by run_id, kind)
           group by run_id order by min(seen_at)""",
        {"run": run_id},
    ).fetchall()
    return tuple(
        f"deskbird differs from what run {run[:8]} left: {damage.words({one['kind']: one['number'] for one in kinds})}. It did "
        "something else than it was asked, or somebody changed it meanwhile. state.damage names each; the next plan repairs "
        "them first."
        for run, kinds in found
    )


def _ago(then: dt.datetime, now: dt.datetime) -> str:
    hours = (now - then).total_seconds() / 3600
    if hours < 0:
        return ""
    return f"{int(hours * 60)} min ago" if hours < 1 else f"{int(hours)} h ago" if hours < 48 else f"{int(hours / 24)} days ago"


def _last_night(status: Status) -> tuple[str, str]:
    run, night = status.last_run, status.last_night
    if run is not None and run.outcome == "failure":
        return f"failed, run {run.run_id[:8]} of {moment(run.started, status.timezone)}; the Dagster UI shows why", "bold red"
    if night is None:
        return "none has ended yet", "yellow"
    ended, in_line = night
    text, style = ("in line", "green") if in_line else ("ended with something left to do", "yellow")
    if status.damage:
        text, style = "not in line: deskbird differs from what a run left", "bold red"
    elif in_line and status.plan is not None and status.plan.states["blocked"]:
        text, style = "in line but for what guards hold back", "magenta"
    elif in_line and status.plan is not None and status.plan.standing:
        text, style = "in line with what the HR system gives, which is not all", "magenta"
    return f"{moment(ended, status.timezone)}, {text}", style


def show(to: Console, status: Status) -> None:
    """Print the screen."""
    to.print(Text.assemble((status.company, "bold"), (f"  {moment(status.now, status.timezone)} {status.timezone}", "dim")))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, lines in _lines(status):
        for index, (text, style) in enumerate(lines):
            table.add_row(name if index == 0 else "", Text(clean(text), style))
    to.print(table)


Line = tuple[str, str]  # text and style


def _lines(status: Status) -> list[tuple[str, list[Line]]]:
    """Every heading of the screen with its lines."""
    schedule = f"{status.schedule} ({status.timezone})" if status.schedule else "none: it runs when somebody starts it"
    people = f"{status.people:,} who should be in deskbird, {status.users:,} active there; guards count from {status.base:,}"
    return [
        *([("PAUSED", _pause(status, status.pause))] if status.pause else []),
        ("last night", [_last_night(status)]),
        *([("damage", [(line, "bold red") for line in status.damage])] if status.damage else []),
        ("schedule", [(schedule, "")]),
        ("read", _reads(status) or [("nothing yet", "yellow")]),
        *([("deskbird", odd)] if (odd := [(line, "yellow") for line in status.odd.lines(status.timezone)]) else []),
        *([("not given", lines)] if (lines := _not_given(status)) else []),
        ("people", [(people, "")]),
        ("waits", _waits(status) or [("nothing", "green")]),
        ("quarantine", _quarantine(status) or [("nobody", "green")]),
        *([("contradictions", lines)] if (lines := _contradictions(status)) else []),
        ("missing", _missing(status)),
        ("empty groups", _empty_groups(status)),
        *([("by hand", lines)] if (lines := _by_hand(status)) else []),
    ]


def _pause(status: Status, pause: Pause) -> list[Line]:
    lines = [(f"{pause.sentence(status.company, status.timezone, nothing='nothing is written to deskbird')}", "bold red")]
    return [*lines, *([(pause.because, "")] if pause.because else [])]


def _reads(status: Status) -> list[Line]:
    lines = []
    for e in status.extracts:
        number = f"{e.records:,}" + ("" if e.expected is None else f" of {e.expected:,}")
        read = f"{e.connection} {e.resource.replace('_', ' ')}: {number} in {count(e.pages, 'page')}, {e.proof}"
        lines.append(
            (f"{', '.join(filter(None, (read, _ago(e.at, status.now))))}. {e.why}", "" if e.proof == "proven" else "yellow")
        )
    return lines


def _not_given(status: Status) -> list[Line]:
    """What the HR system gives for nobody, and where it is switched on."""
    standing = status.plan.standing if status.plan else ()
    lines: list[Line] = [(f"{sentence(verdict)}.", "magenta") for verdict in standing]
    if status.not_given:
        kinds = ", ".join(status.not_given).replace("_", " ")
        lines.append((f"nobody is in a group of kind {kinds}, which sync.groups has by default", "yellow"))
    return lines


def _waits(status: Status) -> list[Line]:
    company, plan = status.company, status.plan
    lines = [(f"{_undecided(rule, n)} to decide on: {rule.replace('_', ' ')}", "yellow") for rule, n in status.review]
    if lines:
        lines.append((f"hris-pipeline review {company}   then   hris-pipeline link or separate", ""))
    if plan is None:
        return [(f"No plan yet: hris-pipeline sync {company} --dry-run", "yellow"), *lines]
    states = plan.states
    plans: list[Line] = [(text, "magenta") for text in guard_sentences(plan, standing=False)]
    if states["blocked"]:
        plans.append((f"hris-pipeline plan {company}   then   hris-pipeline approve {company} {plan.plan_id}", ""))
    if states["planned"]:
        what = f"{count(states['planned'], 'change')} to carry out"
        if plan.approved:
            what += f", {plan.approved:,} of them approved; the next run does it, or now"
        plans.append((f"{what}: hris-pipeline apply {company} --plan {plan.plan_id}", "cyan"))
    bad: list[Line] = []
    for state in ("failed", "stale"):
        if states[state]:
            bad.append((f"{count(states[state], 'change')} of plan {plan.plan_id}: {state}", "bold red"))
            bad += _what_became(status, plan, state)
    return [*plans, *bad, *lines]


def _what_became(status: Status, plan: Plan, state: str) -> list[Line]:
    """Whose changes failed or went stale, and why; creations that are refused stand under their own heading."""
    told = {ref for ref, attribute, _, _ in status.refused if attribute == "creation"}
    changes = [
        change for change in plan.changes if change.state == state and not (change.action == "create" and change.hris_ref in told)
    ]
    lines: list[Line] = [
        (f"{change.action} {change.object} {change.hris_ref or change.group_ref or change.deskbird_id}: {change.problem}", "red")
        for change in changes[:SHOWN]
    ]
    more = len(changes) - SHOWN
    return [*lines, *([(f"... and {more:,} more, in deskbird.applied_changes", "dim")] if more > 0 else [])]


def _undecided(rule: str, number: int) -> str:
    return count(number, "group") if is_about_a_group(rule) else count(number, "person", "people")


def _quarantine(status: Status) -> list[Line]:
    return [
        (f"{count(n, 'record')}, rule {rule}, since {moment(since, status.timezone)}", "yellow")
        for rule, n, since in status.quarantine
    ]


def _contradictions(status: Status) -> list[Line]:
    lines: list[Line] = [
        (f"{count(n, 'record')}: {code.replace('_', ' ')}, the first since {moment(since, status.timezone)}", "yellow")
        for code, n, since in status.contradictions
    ]
    if lines:
        lines.append((f"decided all the same; who, and what to correct: hris-pipeline review {status.company}", ""))
    return lines


def _missing(status: Status) -> list[Line]:
    gone, oldest = status.missing
    if not gone:
        return [("nobody", "green")]
    since = f"in no record any more, the first since {moment(oldest, status.timezone)}"
    return [
        (f"{count(gone, 'person', 'people')} {since}; deactivated only once the company file's sync.missing is reached", "yellow")
    ]


def _empty_groups(status: Status) -> list[Line]:
    empty, oldest = status.empty_groups
    if not empty:
        return [("none", "green")]
    have = "has" if empty == 1 else "have"
    since = f"{have} nobody in it any more, the first since {moment(oldest, status.timezone)}"
    return [(f"{count(empty, 'group')} of ours {since}; kept, unless sync.empty_groups is delete", "yellow")]


def _by_hand(status: Status) -> list[Line]:
    plan = status.plan
    lines: list[Line] = [(by_hand(plan), "yellow")] if plan and by_hand(plan) else []
    lines += [
        (f"does not stick, since {moment(since, status.timezone)}: {attribute.replace('_', ' ')} of {ref}", "yellow")
        for ref, attribute, since in status.not_sticking[:SHOWN]
    ]
    more = len(status.not_sticking) - SHOWN
    lines += [(f"... and {more:,} more, in state.left_alone", "dim")] if more > 0 else []
    return [*lines, *_refused(status)]


def _refused(status: Status) -> list[Line]:
    """What deskbird refuses night after night: parts that are left alone, and creations, which are tried again each night."""
    lines: list[Line] = []
    for ref, attribute, since, code in status.refused[:SHOWN]:
        then = "tried again every night" if attribute == "creation" else "left alone until the HR system wants another value"
        what = f"{attribute.replace('_', ' ')} of {ref}, {_REFUSED.get(code, code.replace('_', ' '))}; {then}"
        lines.append((f"refused by deskbird, since {moment(since, status.timezone)}: {what}", "yellow"))
    more = len(status.refused) - SHOWN
    return [*lines, *([(f"... and {more:,} more, in state.not_sticking", "dim")] if more > 0 else [])]


_REFUSED = {
    "refused_conflict": "somebody else has it there",
    "refused_forbidden": "no right to it: look in deskbird whether the account is protected",
    "refused_payment": "no seat is left: free or buy one in deskbird",
    "refused_value": "the value is not accepted: correct it in the HR system",
    "successor_refused": "the next group refuses the person",
}


def as_json(status: Status) -> str:
    """The screen as one versioned JSON document."""
    plan, run, night = status.plan, status.last_run, status.last_night
    body: dict[str, Any] = {
        "now": status.now,
        "exit_code": status.exit_code,
        "timezone": status.timezone,
        "schedule": status.schedule,
        "last_run": vars(run) if run else None,
        "last_night": {"ended_at": night[0], "in_line": night[1]} if night else None,
        "base": status.base,
        "people": status.people,
        "users": status.users,
        "extracts": [vars(extract) for extract in status.extracts],
        "plan": {
            "plan_id": plan.plan_id,
            "made_at": plan.made_at,
            "counts": {"changes": len(plan.changes), **plan.states},
            "guards": [vars(verdict) for verdict in plan.guards],
            "blocking": dict(plan.blocking),
        }
        if plan
        else None,
        "quarantine": [{"rule": rule, "records": number, "since": since} for rule, number, since in status.quarantine],
        "deskbird": status.odd.as_json(),
        "contradictions": [{"code": code, "records": number, "since": since} for code, number, since in status.contradictions],
        "missing": {"people": status.missing[0], "since": status.missing[1]},
        "empty_groups": {"groups": status.empty_groups[0], "since": status.empty_groups[1]},
        "review": [{"rule": rule, "people": number} for rule, number in status.review],
        "by_hand": {"repaired": plan.drift, "kept": plan.kept} if plan else None,
        "not_sticking": [{"ref": ref, "attribute": name, "since": since} for ref, name, since in status.not_sticking],
        "damage": list(status.damage),
        "not_given": [sentence(verdict) for verdict in plan.standing] if plan else [],
        "kinds_without_anybody": list(status.not_given),
        "refused": [{"ref": ref, "attribute": name, "since": since, "code": code} for ref, name, since, code in status.refused],
        "paused": {name: getattr(status.pause, name) for name in ("by", "since", "because")} if status.pause else None,
    }
    return document("status", status.company, body)
