"""The plan, and what became of it, for people: destructive changes first, what a guard holds back with the guard's own numbers.

:func:`read` takes it out of the warehouse, :attr:`Plan.exit_code` says what it means, and :func:`show`, :func:`markdown` and
:func:`as_json` print it.
"""

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hris_pipeline.errors import PipelineError
from hris_pipeline.plan import GuardVerdict, drift, guard_verdicts
from hris_pipeline.plan import sentence as guard_sentence
from hris_pipeline.presentation import adoption, clean, document, escaped, moment
from hris_pipeline.presentation.adoption import Adoption
from hris_pipeline.warehouse import run
from hris_pipeline.wording import count

_SQL = (Path(__file__).parent / "plan.sql").read_text(encoding="utf-8")
_VALID = (Path(__file__).parents[1] / "plan" / "valid_approvals.sql").read_text(encoding="utf-8")  # a temporary table

# (object, action): sign, verb and what is counted; in print order, what takes away first
_KINDS: Mapping[tuple[str, str], tuple[str, str, str, str]] = {
    ("user", "deactivate"): ("-", "Deactivate", "user", "users"),
    ("group", "delete"): ("-", "Delete", "group", "groups"),
    ("membership", "remove"): ("-", "Remove", "membership", "memberships"),
    ("manager", "clear"): ("-", "Clear the manager of", "person", "people"),
    ("absence", "delete"): ("-", "Delete", "absence", "absences"),
    ("user", "update"): ("~", "Update", "user", "users"),
    ("group", "rename"): ("~", "Rename", "group", "groups"),
    ("group", "update"): ("~", "Update", "group", "groups"),
    ("user", "link"): ("~", "Link", "user", "users"),
    ("group", "link"): ("~", "Link", "group", "groups"),
    ("user", "reactivate"): ("+", "Reactivate", "user", "users"),
    ("user", "create"): ("+", "Create", "user", "users"),
    ("group", "create"): ("+", "Create", "group", "groups"),
    ("membership", "add"): ("+", "Add", "membership", "memberships"),
    ("manager", "set"): ("~", "Set the manager of", "person", "people"),
}
_RANK = {kind: rank for rank, kind in enumerate(_KINDS)}
_COLOUR = {"-": "red", "~": "yellow", "+": "green"}
_NOT_UNDONE: Mapping[str, str] = {
    "bookings": "Bookings that deskbird cancelled when it deactivated these users do not come back",
    "invitation": "Invitations that deskbird mailed when it created these users cannot be called back",
    "created": "These users were created and are never deleted; they stay, deactivated",
    "gone": "The user or group is gone in deskbird",
    "overtaken": "Somebody changed it since, or the user or group is not ours any more, so it is left as it is now",
    "taken": "Somebody else has the address or the name by now",
    "had_no_address": "The user had no e-mail address before, and deskbird does not do without one any more",
    "not_kept": "The photo was another one before, and no picture is kept once deskbird has it",
    "stays": "The group is kept, because others are in it by now",
}
"""What undoing a plan cannot undo, by the word in ``state.not_undone``; in the order of printing."""
_LISTS = ("frozen", "protected")  # guards that no approval releases
_DONE = ("applied", "skipped")
_CARRIED_OUT_BY = {False: "the next run or apply", True: "apply"}  # approved changes, by whether the plan undoes another
_STATE_STYLE = {
    "applied": "green",
    "failed": "bold red",
    "stale": "bold red",
    "blocked": "magenta",
    "skipped": "dim",
    "planned": "cyan",
}


@dataclass(frozen=True, repr=False)
class Change:
    """One row of the plan, with what became of it and the names behind its ids. Holds personal data, so it has no ``repr``."""

    seq: int
    request: int
    object: str
    action: str
    hris_ref: str | None
    deskbird_id: str | None
    group_ref: str | None
    group_deskbird_id: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    reason: str
    evidence: Mapping[str, Any]
    verdict: str
    guard: str | None
    outcome: str | None = None
    http_status: int | None = None
    problem: str | None = None
    who: str | None = None
    group: str | None = None  # name of the group, memberships
    kind: str | None = None  # of the group
    manager_before: tuple[str | None, str | None] = (None, None)  # hris_ref and name
    manager_after: tuple[str | None, str | None] = (None, None)
    approved: bool = False  # blocked when it was planned, released since

    @property
    def repairs(self) -> bool:
        """Whether it repairs what a run of ours left otherwise than it was asked to."""
        return "damage" in self.evidence

    @property
    def state(self) -> str:
        """``planned``, ``blocked``, ``applied``, ``skipped`` (it is so already), ``failed`` or ``stale``."""
        if self.outcome is None or self.outcome == "blocked":
            return "blocked" if self.verdict == "blocked" and not self.approved else "planned"
        return self.outcome


@dataclass(frozen=True)
class Waiting:
    """People who wait for somebody to act; they change no exit code."""

    quarantined: int = 0
    missing: int = 0
    review: int = 0

    def sentence(self) -> str:
        """``2 quarantined, 1 missing, nobody to review``, or that nobody waits."""
        if not (self.quarantined or self.missing or self.review):
            return "Nobody is quarantined, missing or waiting for a decision."
        people = count(self.quarantined, "person", "people")
        return f"{people} quarantined, {self.missing:,} missing, {self.review:,} waiting for a decision."


@dataclass(frozen=True)
class NotUndone:
    """One thing that undoing a plan cannot undo: why (a word), and whose; of which attribute, where it is one."""

    why: str
    refs: Sequence[str]
    attribute: str | None = None

    def sentence(self) -> str:
        """``Bookings that ... do not come back: 2 (personio:1, personio:2).``"""
        what = f"{_NOT_UNDONE.get(self.why, self.why)}{f' ({_words(self.attribute)})' if self.attribute else ''}"
        more = f" and {len(self.refs) - 5:,} more" if len(self.refs) > 5 else ""
        return f"{what}: {len(self.refs):,} ({', '.join(self.refs[:5])}{more})."


@dataclass(frozen=True, repr=False)
class Plan:
    """The current plan of a company, whole."""

    company: str
    plan_id: str
    made_at: dt.datetime
    as_of: dt.datetime
    changes: Sequence[Change]
    guards: Sequence[GuardVerdict]
    waiting: Waiting
    undoes: str | None = None  # the plan whose inverse it is
    adoption: Adoption | None = None  # what the first contact would find
    not_undone: Sequence[NotUndone] = ()
    kept: int = 0  # values that people changed in deskbird and that stay so
    not_sticking: int = 0  # values that deskbird did not hold three nights in a row

    @property
    def drift(self) -> int:
        """Changes that repair what people changed in deskbird by hand."""
        return sum(change.evidence.get("drift") is True for change in self.changes)

    def as_made(self) -> "Plan":
        """The plan as it was made just now, without what became of the same changes when they were tried before."""
        return replace(self, changes=tuple(replace(change, outcome=None, problem=None) for change in self.changes))

    @property
    def states(self) -> Counter[str]:
        """How many changes are ``planned``, ``blocked``, ``applied``, ..."""
        return Counter(change.state for change in self.changes)

    @property
    def exit_code(self) -> int:
        """1 something failed or went stale, else 3 something is blocked, else 2 something is planned, else 0."""
        states = self.states
        if states["failed"] or states["stale"]:
            return 1
        held = states["blocked"] or self.blocked_without_changes or self.standing
        return 3 if held else 2 if states["planned"] else 0

    @property
    def blocked_without_changes(self) -> bool:
        """Whether a guard has tripped although there is no change to hold back."""
        return not self.changes and any(verdict.tripped and not verdict.stands for verdict in self.guards)

    @property
    def standing(self) -> Sequence[GuardVerdict]:
        """What guards say of the HR system itself, such as that an attribute comes for nobody; it holds without any change."""
        return tuple(verdict for verdict in self.guards if verdict.stands)

    @property
    def approved(self) -> int:
        """Changes that a guard had held back and that are approved, and not carried out yet."""
        return sum(change.approved and change.state == "planned" for change in self.changes)

    @property
    def nobody_left(self) -> bool:
        """Whether the HR system gave nobody at all (case 1); else it is the first contact, and everybody waits for a decision."""
        return self.blocked_without_changes and any(v.tripped and v.guard == "scope_lost" for v in self.guards)

    @property
    def blocking(self) -> Counter[str]:
        """The guards that hold something back, and how many changes each."""
        return Counter(change.guard or "a guard" for change in self.changes if change.state == "blocked")


def read(con: duckdb.DuckDBPyConnection, company: str, now: dt.datetime, plan_id: str | None = None) -> Plan:
    """One plan, by default the last one made; :class:`~hris_pipeline.errors.PipelineError` where there is none.

    ``now`` decides which approvals are still valid.
    """
    found = con.execute(
        "select plan_id, made_at, as_of, undoes from state.plans where $plan_id is null or plan_id = $plan_id "
        "order by number desc limit 1",
        {"plan_id": plan_id},
    ).fetchone()
    if found is None:
        which = f"with the id {plan_id}" if plan_id else "yet"
        raise PipelineError(
            f"There is no plan of company '{company}' {which}. Make one with `hris-pipeline sync {company} --dry-run`."
        )
    plan_id, made_at, as_of = str(found[0]), found[1], found[2]
    left = con.execute(
        "select why, list(hris_ref order by hris_ref), attribute from state.not_undone where plan_id = ? group by all", [plan_id]
    ).fetchall()
    order = list(_NOT_UNDONE)
    kept, not_sticking = drift.left_alone(con)
    return Plan(
        company,
        plan_id,
        made_at,
        as_of,
        tuple(_change(row) for row in _rows(con, plan_id, now)),
        tuple(guard_verdicts(con, plan_id)),
        waiting(con),
        undoes=found[3],
        not_undone=tuple(NotUndone(*row) for row in sorted(left, key=lambda row: (order.index(row[0]), row[2] or ""))),
        adoption=adoption.read(con, plan_id),
        kept=kept,
        not_sticking=not_sticking,
    )


def waiting(con: duckdb.DuckDBPyConnection) -> Waiting:
    """Who waits, as of the last read."""
    counted = con.execute(
        "select (select count(distinct hris_ref) from core.quarantine where \"table\" = 'core.people'), "
        "(select count(*) from state.missing), (select count(distinct hris_ref) from state.review)"
    ).fetchone()
    return Waiting(*(counted or ()))


def _rows(con: duckdb.DuckDBPyConnection, plan_id: str, now: dt.datetime) -> Iterator[dict[str, Any]]:
    con.execute("set variable now = ?", [now])
    run(con, _VALID)
    found = con.execute(_SQL, {"plan_id": plan_id})
    names = [column[0] for column in found.description or ()]
    while batch := found.fetchmany(10_000):
        yield from (dict(zip(names, row, strict=True)) for row in batch)


def _change(row: Mapping[str, Any]) -> Change:
    waits = row["approved"] and row["outcome"] == "blocked"  # what became of it was before the approval
    fate = {} if waits else {name: row[name] for name in ("outcome", "http_status", "problem")}
    same = (
        "seq",
        "request",
        "object",
        "action",
        "hris_ref",
        "deskbird_id",
        "group_ref",
        "group_deskbird_id",
        "reason",
        "verdict",
        "guard",
    )
    return Change(
        **{name: row[name] for name in (*same, "who", "approved")},
        **fate,
        before=json.loads(row["before"]),
        after=json.loads(row["after"]),
        evidence=json.loads(row["evidence"]),
        group=row["group_name"],
        kind=row["kind"] or None,
        manager_before=(row["before_ref"], row["before_name"]),
        manager_after=(row["after_ref"], row["after_name"]),
    )


# --- sections: the same for a terminal and for Markdown -------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Section:
    """Changes of one kind that share one fate."""

    object: str
    action: str
    guard: str | None  # what holds them back
    changes: Sequence[Change]

    @property
    def sign(self) -> str:
        """``-`` takes away, ``~`` changes, ``+`` adds."""
        return _KINDS.get((self.object, self.action), ("~",))[0]

    @property
    def title(self) -> str:
        """``Deactivate 3 users``."""
        _, verb, one, many = _KINDS.get(
            (self.object, self.action), ("~", self.action.capitalize(), self.object, f"{self.object}s")
        )
        return f"{verb} {count(len(self.changes), one, many)}" + (", a repair" if self.changes[0].repairs else "")

    @property
    def reason(self) -> str | None:
        """The reason that all of them share."""
        reasons = {change.reason for change in self.changes}
        return next(iter(reasons)) if len(reasons) == 1 else None


def _key(change: Change) -> tuple[bool, int, str, str, str]:
    rank = _RANK.get((change.object, change.action), len(_RANK))
    guard = (change.guard or "a guard") if change.state == "blocked" else ""
    return not change.repairs, rank, change.object, change.action, guard


def sections(changes: Iterable[Change]) -> list[Section]:
    """The plan in print order: what repairs our own damage, what takes away, what changes, what is new.

    What a guard blocks stands apart, after its own kind.
    """
    ordered = sorted(changes, key=lambda change: (*_key(change), change.seq))
    return [Section(key[2], key[3], key[4] or None, tuple(group)) for key, group in groupby(ordered, key=_key)]


def totals(changes: Iterable[Change]) -> list[tuple[str, str]]:
    """(sign, ``deactivate 3 users``) of every kind, in print order."""
    counted = Counter((change.object, change.action) for change in changes)
    out = []
    for kind in sorted(counted, key=lambda kind: _RANK.get(kind, len(_RANK))):
        sign, verb, one, many = _KINDS.get(kind, ("~", kind[1], kind[0], f"{kind[0]}s"))
        out.append((sign, f"{verb.lower()} {count(counted[kind], one, many)}"))
    return out


def who(change: Change) -> tuple[str, str]:
    """The name of whom or what it is about, and its id."""
    return clean(change.who or "(no name)"), change.hris_ref or change.deskbird_id or ""


def what(change: Change) -> list[tuple[str, str, str]]:
    """(attribute, before, after) of what it changes, in words; before is empty for what is new."""
    if change.object == "membership":
        group = f"{clean(change.group or change.group_ref or change.group_deskbird_id)} ({_words(change.kind)})"
        return [("", group, "")] if change.action == "remove" else [("", "", group)]
    if change.object == "manager":
        return [("", _manager(change.manager_before), _manager(change.manager_after) or "nobody")]
    if change.object == "user" and change.action == "create":
        return [("", "", _value("email", change.after.get("email")))]
    if change.object == "user" and change.action == "link":
        return [("", "", "the user with this e-mail" if change.evidence.get("rule") == "email" else "our marker")]
    if change.object == "group" and change.action == "create":
        members = change.evidence.get("members")
        named = f" with {count(members, 'member')}" if isinstance(members, int) else ""
        return [("", "", f"{_words(change.kind)}{named}")]
    names = sorted({*change.before, *change.after})
    if change.after.get("user_name") == change.after.get("email") is not None:
        names.remove("user_name")  # it is the address, once more
    return [
        ("" if name == "active" else _words(name), _value(name, change.before.get(name)), _value(name, change.after.get(name)))
        for name in names
    ]


def _without_dates(change: Change) -> Change:
    """The same; the reason does not say when somebody's employment ended."""
    ended = change.evidence.get("status") == "ended" and change.evidence.get("end_date")
    return replace(change, reason="The HRIS says that the employment ended.") if ended else change


def _what_by_reference(change: Change) -> list[tuple[str, str, str]]:
    """The same without a name, an address or another value of a person: which attribute changes, and references."""
    if change.object == "membership":
        group = change.group_ref or change.group_deskbird_id or ""
        return [("", group, "")] if change.action == "remove" else [("", "", group)]
    if change.object == "manager":
        before, after = (
            ref or side.get("manager_ref") or side.get("manager_deskbird_id") or ""
            for (ref, _), side in ((change.manager_before, change.before), (change.manager_after, change.after))
        )
        return [("", before, after or "nobody")]
    if change.object == "user" and change.action == "create":
        return []
    said = what(change)
    if (change.object, change.action) in {("user", "link"), ("group", "create")}:
        return said
    return [(name, "", "") if name else (name, before, after) for name, before, after in said]  # without a name: active


def _manager(person: tuple[str | None, str | None]) -> str:
    ref, name = person
    return clean(name or ref or "")


def _words(name: str | None) -> str:
    return {"cost_center": "cost centre"}.get(name or "", (name or "group").replace("_", " "))


def _value(name: str, value: object) -> str:
    if name == "active":
        return "active" if value else "inactive"
    if name == "photo" and value:
        return str(value)[:15]  # of the digest enough to tell two pictures apart
    return "nothing" if value is None or value == "" else clean(value)


def guard_sentences(plan: Plan, *, standing: bool = True) -> list[str]:
    """What each guard that holds something back says, with its numbers and how many changes wait for it.

    ``standing``: with what holds although no change waits for it.
    """
    lines = []
    for guard, held in sorted(plan.blocking.items()):
        spoken = [guard_sentence(verdict) for verdict in plan.guards if verdict.guard == guard and verdict.tripped]
        of_this = [change for change in plan.changes if change.state == "blocked" and (change.guard or "a guard") == guard]
        ours = sum(change.repairs for change in of_this)
        repairs = f", {ours:,} of which repair what a run of ours left otherwise: deskbird is not in line" if ours else ""
        lines.append(f"{' | '.join(spoken) or guard}. It holds back {count(held, 'change')}{repairs}.")
    if standing:
        lines += [f"{guard_sentence(verdict)}." for verdict in plan.standing if verdict.guard not in plan.blocking]
    if plan.blocked_without_changes:
        said = [verdict for verdict in plan.guards if verdict.tripped and not verdict.stands]
        lines += [f"{guard_sentence(verdict)}. Nothing is changed in deskbird." for verdict in said]
    return lines


def total_line(plan: Plan) -> str:
    """The last line: what there is, what became of it, who waits."""
    states, approved = plan.states, plan.approved
    states["approved"], states["planned"] = approved, states["planned"] - approved
    words = (
        ("approved", f"approved, {'waits' if approved == 1 else 'wait'} for {_CARRIED_OUT_BY[bool(plan.undoes)]}"),
        ("planned", "to carry out"),
        ("blocked", "held back"),
        ("applied", "carried out"),
        ("skipped", "so already"),
        ("failed", "failed"),
        ("stale", "stale"),
    )
    parts = [f"{states[state]:,} {word}" for state, word in words if states[state]]
    nothing = (
        "nobody is in scope"
        if plan.nobody_left
        else "nothing is decided"
        if plan.blocked_without_changes
        else "deskbird is in line with what the HR system gives"
        if plan.standing
        else "deskbird is in line"
    )
    head = f"{count(len(plan.changes), 'change')}: {', '.join(parts)}." if plan.changes else f"Nothing to change: {nothing}."
    return " ".join(filter(None, (head, by_hand(plan), missing_attributes(plan), plan.waiting.sentence())))


def missing_attributes(plan: Plan) -> str:
    """What the HR system gives for nobody any more; empty where there is nothing."""
    named = [f"{_words(v.subject)}{f' ({v.connection})' if v.connection else ''}" for v in plan.standing]
    return f"Not given by the HR system: {', '.join(dict.fromkeys(named))}." if named else ""


def by_hand(plan: Plan) -> str:
    """What people changed in deskbird, and what does not stick there; empty where there is none."""
    said = [f"{count(plan.drift, 'change repairs', 'changes repair')} what was changed in deskbird by hand"] if plan.drift else []
    said += [f"{count(plan.kept, 'value')} changed there by hand {'is' if plan.kept == 1 else 'are'} kept"] if plan.kept else []
    stick = "does" if plan.not_sticking == 1 else "do"
    said += [f"{count(plan.not_sticking, 'value')} {stick} not stick there"] if plan.not_sticking else []
    return f"{'; '.join(said)}." if said else ""


def next_step(plan: Plan) -> str | None:
    """What a person does next, as commands; None where nothing is left to do."""
    states, company, plan_id = plan.states, plan.company, plan.plan_id
    if plan.nobody_left:
        return f"See whether the HR system and its credential still show anybody, then: hris-pipeline sync {company}"
    if plan.blocked_without_changes:
        return f"Decide whose user is whose: hris-pipeline review {company}   then: hris-pipeline sync {company}"
    if states["stale"] and plan.undoes:
        return f"deskbird has moved on. Plan it anew: hris-pipeline undo {company} {plan.undoes}"
    if states["stale"]:
        return f"deskbird or the HR system has moved on. Make a new plan: hris-pipeline sync {company} --dry-run"
    if states["failed"] and plan.undoes:
        return f"Correct what failed (see above), then: hris-pipeline apply {company} --plan {plan_id}"
    if states["failed"]:
        return f"Correct what failed (see above), then: hris-pipeline sync {company}"
    releasable = sorted(set(plan.blocking) - set(_LISTS))
    if states["blocked"] and not states["planned"] and not releasable:
        return f"Held back by the company file's lists: {' and '.join(sorted(plan.blocking))}. There is nothing to decide."
    if releasable:
        release = f"hris-pipeline approve {company} {plan_id}" + (f" --only {releasable[0]}" if len(releasable) > 1 else "")
        if plan.undoes:
            return f"Right? {release}   Then: hris-pipeline apply {company} --plan {plan_id}"
        return (
            f"Right? {release}   Wrong? Correct it in the HR system; hris-pipeline reject {company} {plan_id} silences the alert."
        )
    if states["planned"]:
        approved = "Approved; the next run carries it out. " if plan.approved == states["planned"] and not plan.undoes else ""
        return f"{approved}{'Now' if approved else 'Carry it out'}: hris-pipeline apply {company} --plan {plan_id}"
    if plan.standing:
        return _restore(plan)
    return None


def _restore(plan: Plan) -> str:
    """What to do about what the HR system gives for nobody."""
    remedies = [v.remedy for v in plan.standing if v.remedy]
    where = remedies[0].rstrip(".") if remedies else "See in the HR system whether the credential may still read it"
    return f"{where}; or take it out of the company file. Then: hris-pipeline sync {plan.company}"


# --- for a terminal -------------------------------------------------------------------------------------------------------------


def show(to: Console, plan: Plan, *, timezone: str, rows: int | None = None, hint: bool = True, names: bool = True) -> None:
    """Print the plan; ``rows`` is the most that each section shows (None: all).

    Without ``names`` it holds references only, for output that is kept by machines.
    """
    head = Text.assemble(
        (plan.company, "bold"), "  plan ", (plan.plan_id, "bold cyan"), (f"  {moment(plan.as_of, timezone)} {timezone}", "dim")
    )
    to.print(head)
    if plan.undoes:
        to.print(Padding(Text(f"undoes plan {plan.undoes}", "bold"), (0, 0, 0, 2)))
    if plan.changes:
        line = Text()
        for sign, words in totals(plan.changes):
            line.append(f"{sign} {words}   ", _COLOUR[sign])
        to.print(Padding(line, (0, 0, 0, 2)))
    for sentence in plan.adoption.sentences(plan.company) if plan.adoption else ():
        to.print(Padding(sentence, (0, 0, 0, 2)))
    for sentence in guard_sentences(plan):
        to.print(Padding(Text.assemble(("BLOCKED  ", "bold magenta"), sentence), (0, 0, 0, 2)))
    for section in sections(plan.changes if names else map(_without_dates, plan.changes)):
        to.print()
        to.print(_section(section, rows, names=names))
    if plan.not_undone:
        to.print()
        to.print(Text("What cannot be undone", "bold"))
        for kind in plan.not_undone:
            to.print(Padding(Text(kind.sentence()), (0, 0, 0, 4)))
    to.print()
    to.print(Text(total_line(plan), "bold"))
    step = next_step(plan) if hint else None
    if step:
        to.print(Text(step))


def _section(section: Section, rows: int | None, *, names: bool) -> RenderableType:
    colour = _COLOUR[section.sign]
    title = Text.assemble((f"{section.sign} {section.title}", f"bold {colour}"))
    if section.guard:
        title.append(f"  held back by guard {section.guard}", "bold magenta")
    if section.reason:
        title.append(f"  {clean(section.reason)}", "dim")
    shown = section.changes if rows is None else section.changes[:rows]
    states = {change.state for change in section.changes} - {"planned", "blocked"}
    told = bool(states) and (len({change.state for change in section.changes}) > 1 or not states <= set(_DONE))
    if states and not told:
        title.append(f"  {next(iter(states))}", _STATE_STYLE[next(iter(states))])
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    if names:
        table.add_column(overflow="fold", ratio=None)
    table.add_column(style="dim" if names else "", overflow="fold")
    table.add_column(overflow="fold")
    for change in shown:
        name, ref = who(change)
        cells: list[Text] = [*([Text(name)] if names else []), Text(ref), _what(change, names=names)]
        if not section.reason:
            cells.append(Text(clean(change.reason), "dim"))
        if told:
            problem = f": {clean(change.problem)}" if change.problem else ""
            cells.append(Text(change.state + problem, _STATE_STYLE[change.state]))
        table.add_row(*cells)
    more = len(section.changes) - len(shown)
    rest = [Padding(Text(f"... and {more:,} more", "dim"), (0, 0, 0, 4))] if more else []
    return Group(title, Padding(table, (0, 0, 0, 4)), *rest)


def _what(change: Change, *, names: bool) -> Text:
    line = Text()
    for name, before, after in what(change) if names else _what_by_reference(change):
        line.append("\n" if line else "")
        line.append(f"{name} " if name else "", "dim")
        line.append(before, "red")
        line.append(" -> " if before and after else "", "dim")
        line.append(after, "green")
    return line


# --- as a document --------------------------------------------------------------------------------------------------------------


def markdown(plan: Plan, *, timezone: str) -> str:
    """The whole plan as Markdown: a heading and a table for every section."""
    lines = [
        f"# Plan {plan.plan_id} of {plan.company}",
        "",
        f"Made for {moment(plan.as_of, timezone)} {timezone}." + (f" Undoes plan {plan.undoes}." if plan.undoes else ""),
        "",
        total_line(plan),
        "",
    ]
    if plan.adoption:
        lines += [*map(escaped, plan.adoption.sentences(plan.company)), ""]
    lines += [f"- **Blocked** {escaped(sentence)}" for sentence in guard_sentences(plan)]
    for section in sections(plan.changes):
        held = f" (held back by guard {section.guard})" if section.guard else ""
        lines += ["", f"## {section.title}{held}", "", "| who | id | what | why | state |", "|---|---|---|---|---|"]
        for change in section.changes:
            name, ref = who(change)
            parts = [" ".join(filter(None, (n, " → ".join(filter(None, (b, a)))))) for n, b, a in what(change)]
            problem = f": {change.problem}" if change.problem else ""
            cells = (name, ref, "; ".join(parts), change.reason, change.state + problem)
            lines.append("| " + " | ".join(map(escaped, cells)) + " |")
    if plan.not_undone:
        lines += ["", "## What cannot be undone", "", *(f"- {escaped(kind.sentence())}" for kind in plan.not_undone)]
    step = next_step(plan)
    return "\n".join([*lines, *(["", step] if step else []), ""])


def as_json(plan: Plan) -> str:
    """The whole plan as one versioned JSON document; changes in the order of carrying out."""
    states = plan.states
    names = ("planned", "blocked", "applied", "skipped", "failed", "stale")
    fields = (
        "seq",
        "request",
        "object",
        "action",
        "hris_ref",
        "deskbird_id",
        "group_ref",
        "group_deskbird_id",
        "before",
        "after",
        "reason",
        "evidence",
    )
    fate = ("verdict", "guard", "approved", "state", "outcome", "http_status", "problem")
    body = {
        "plan_id": plan.plan_id,
        "made_at": plan.made_at,
        "as_of": plan.as_of,
        "undoes": plan.undoes,
        "exit_code": plan.exit_code,
        "counts": {"changes": len(plan.changes), **{name: states[name] for name in names}},
        "by_type": {f"{kind[0]} {kind[1]}": n for kind, n in sorted(Counter((c.object, c.action) for c in plan.changes).items())},
        "guards": [{**vars(verdict), "sentence": guard_sentence(verdict)} for verdict in plan.guards],
        "waiting": vars(plan.waiting),
        "adoption": vars(plan.adoption) if plan.adoption else None,
        "not_undone": [{**vars(kind), "sentence": kind.sentence()} for kind in plan.not_undone],
        "by_hand": {"repaired": plan.drift, "kept": plan.kept},
        "not_sticking": plan.not_sticking,
        "changes": [
            {**{name: getattr(c, name) for name in (*fields, *fate)}, "name": c.who, "group_name": c.group} for c in plan.changes
        ],
    }
    return document("plan", plan.company, body)
