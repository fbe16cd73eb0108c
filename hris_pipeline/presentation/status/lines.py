"""Every heading of the status screen with its lines."""

import datetime as dt

from hris_pipeline.contracts.pauses import Pause
from hris_pipeline.plan import damage, sentence
from hris_pipeline.presentation import moment, oddities
from hris_pipeline.presentation.plan.sentences import by_hand, guard_sentences
from hris_pipeline.reports.plan import Plan
from hris_pipeline.reports.review import is_about_a_group
from hris_pipeline.reports.status import Damage, Status
from hris_pipeline.wording import count

Line = tuple[str, str]
"""A text and its style."""
SHOWN = 5
"""How many of a kind are named on the screen; the rest is counted, with the table that has them."""


def damage_sentence(one: Damage) -> str:
    """What differs from what a run left, and what becomes of it."""
    return (
        f"deskbird differs from what run {one.run_id[:8]} left: {damage.words(one.kinds)}. It did "
        "something else than it was asked, or somebody changed it meanwhile. state.damage names "
        "each; the next plan repairs them first."
    )


def _ago(then: dt.datetime, now: dt.datetime) -> str:
    hours = (now - then).total_seconds() / 3600
    if hours < 0:
        return ""
    return (
        f"{int(hours * 60)} min ago"
        if hours < 1
        else f"{int(hours)} h ago"
        if hours < 48
        else f"{int(hours / 24)} days ago"
    )


def _last_night(status: Status) -> tuple[str, str]:
    run, night = status.last_run, status.last_night
    if run is not None and run.outcome == "failure":
        return (
            (
                f"failed, run {run.run_id[:8]} of {moment(run.started, status.timezone)}; the "
                "Dagster UI shows why"
            ),
            "bold red",
        )
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


def headings(status: Status) -> list[tuple[str, list[Line]]]:
    """Every heading of the screen with its lines."""
    schedule = (
        f"{status.schedule} ({status.timezone})"
        if status.schedule
        else "none: it runs when somebody starts it"
    )
    people = (
        f"{status.people:,} who should be in deskbird, {status.users:,} active there; guards count "
        f"from {status.base:,}"
    )
    return [
        *([("PAUSED", _pause(status, status.pause))] if status.pause else []),
        ("last night", [_last_night(status)]),
        *(
            [("damage", [(line, "bold red") for line in map(damage_sentence, status.damage)])]
            if status.damage
            else []
        ),
        ("schedule", [(schedule, "")]),
        ("read", _reads(status) or [("nothing yet", "yellow")]),
        *(
            [("deskbird", odd)]
            if (odd := [(line, "yellow") for line in oddities.lines(status.odd, status.timezone)])
            else []
        ),
        *([("not given", lines)] if (lines := _not_given(status)) else []),
        ("people", [(people, "")]),
        ("waits", _waits(status) or [("nothing", "green")]),
        ("quarantine", _quarantine(status) or [("nobody", "green")]),
        *([("managers", lines)] if (lines := _lost_managers(status)) else []),
        *([("contradictions", lines)] if (lines := _contradictions(status)) else []),
        ("missing", _missing(status)),
        ("empty groups", _empty_groups(status)),
        *([("by hand", lines)] if (lines := _by_hand(status)) else []),
    ]


def _pause(status: Status, pause: Pause) -> list[Line]:
    sentence = pause.sentence(
        status.company, status.timezone, nothing="nothing is written to deskbird"
    )
    return [(sentence, "bold red"), *([(pause.because, "")] if pause.because else [])]


def _reads(status: Status) -> list[Line]:
    lines = []
    for e in status.extracts:
        number = f"{e.records:,}" + ("" if e.expected is None else f" of {e.expected:,}")
        read = (
            f"{e.connection} {e.resource.replace('_', ' ')}: {number} in {count(e.pages, 'page')}, "
            f"{e.proof}"
        )
        lines.append(
            (
                f"{', '.join(filter(None, (read, _ago(e.at, status.now))))}. {e.why}",
                "" if e.proof == "proven" else "yellow",
            )
        )
    return lines


def _not_given(status: Status) -> list[Line]:
    """What the HR system gives for nobody, and where it is switched on."""
    standing = status.plan.standing if status.plan else ()
    lines: list[Line] = [(f"{sentence(verdict)}.", "magenta") for verdict in standing]
    if status.not_given:
        kinds = ", ".join(status.not_given).replace("_", " ")
        lines.append(
            (f"nobody is in a group of kind {kinds}, which sync.groups has by default", "yellow")
        )
    return lines


def _waits(status: Status) -> list[Line]:
    company, plan = status.company, status.plan
    lines = [
        (f"{_undecided(rule, n)} to decide on: {rule.replace('_', ' ')}", "yellow")
        for rule, n in status.review
    ]
    if lines:
        lines.append(
            (f"hris-pipeline review {company}   then   hris-pipeline link or separate", "")
        )
    if plan is None:
        return [(f"No plan yet: hris-pipeline sync {company} --dry-run", "yellow"), *lines]
    states = plan.states
    plans: list[Line] = [(text, "magenta") for text in guard_sentences(plan, standing=False)]
    if states["blocked"]:
        plans.append(
            (
                (
                    f"hris-pipeline plan {company}   then   hris-pipeline approve {company} "
                    f"{plan.plan_id}"
                ),
                "",
            )
        )
    if states["planned"]:
        what = f"{count(states['planned'], 'change')} to carry out"
        if plan.approved:
            what += f", {plan.approved:,} of them approved; the next run does it, or now"
        plans.append((f"{what}: hris-pipeline apply {company} --plan {plan.plan_id}", "cyan"))
    bad: list[Line] = []
    for state in ("failed", "stale"):
        if states[state]:
            bad.append(
                (f"{count(states[state], 'change')} of plan {plan.plan_id}: {state}", "bold red")
            )
            bad += _what_became(status, plan, state)
    return [*plans, *bad, *lines]


def _what_became(status: Status, plan: Plan, state: str) -> list[Line]:
    """Whose changes failed or went stale, and why; creations that are refused stand under their own
    heading.
    """
    told = {one.hris_ref for one in status.refused if one.is_creation}
    changes = [
        change
        for change in plan.changes
        if change.state == state and not (change.action == "create" and change.hris_ref in told)
    ]
    lines: list[Line] = [
        (
            (
                f"{change.action} {change.object} "
                f"{change.hris_ref or change.group_ref or change.deskbird_id}: {change.problem}"
            ),
            "red",
        )
        for change in changes[:SHOWN]
    ]
    more = len(changes) - SHOWN
    return [
        *lines,
        *([(f"... and {more:,} more, in deskbird.applied_changes", "dim")] if more > 0 else []),
    ]


def _undecided(rule: str, number: int) -> str:
    return count(number, "group") if is_about_a_group(rule) else count(number, "person", "people")


def _quarantine(status: Status) -> list[Line]:
    return [
        (f"{count(n, 'record')}, rule {rule}, since {moment(since, status.timezone)}", "yellow")
        for rule, n, since in status.quarantine
    ]


def _lost_managers(status: Status) -> list[Line]:
    """References that lead to nobody, where they are too few for a guard."""
    lines: list[Line] = []
    for connection, lost, of in status.lost_managers:
        told = (
            f"{lost:,} of {count(of, 'reference')} of connection {connection} "
            f"{'leads' if lost == 1 else 'lead'} to nobody"
        )
        whose = "deskbird keeps their managers. Whose: core.manager_graph, problem missing"
        lines.append((f"{told}; {whose}", "yellow"))
    return lines


def _contradictions(status: Status) -> list[Line]:
    lines: list[Line] = [
        (
            (
                f"{count(n, 'record')}: {code.replace('_', ' ')}, the first since "
                f"{moment(since, status.timezone)}"
            ),
            "yellow",
        )
        for code, n, since in status.contradictions
    ]
    if lines:
        lines.append(
            (
                (
                    "decided all the same; who, and what to correct: hris-pipeline review "
                    f"{status.company}"
                ),
                "",
            )
        )
    return lines


def _missing(status: Status) -> list[Line]:
    gone, oldest = status.missing
    if not gone:
        return [("nobody", "green")]
    since = f"in no record any more, the first since {moment(oldest, status.timezone)}"
    return [
        (
            (
                f"{count(gone, 'person', 'people')} {since}; deactivated only once the company "
                "file's sync.missing is reached"
            ),
            "yellow",
        )
    ]


def _empty_groups(status: Status) -> list[Line]:
    empty, oldest = status.empty_groups
    if not empty:
        return [("none", "green")]
    have = "has" if empty == 1 else "have"
    since = f"{have} nobody in it any more, the first since {moment(oldest, status.timezone)}"
    return [
        (
            f"{count(empty, 'group')} of ours {since}; kept, unless sync.empty_groups is delete",
            "yellow",
        )
    ]


def _by_hand(status: Status) -> list[Line]:
    plan = status.plan
    lines: list[Line] = [(by_hand(plan), "yellow")] if plan and by_hand(plan) else []
    lines += [
        (
            (
                f"does not stick, since {moment(since, status.timezone)}: "
                f"{attribute.replace('_', ' ')} of {ref}"
            ),
            "yellow",
        )
        for ref, attribute, since in status.not_retained[:SHOWN]
    ]
    more = len(status.not_retained) - SHOWN
    lines += [(f"... and {more:,} more, in state.ignored_drift", "dim")] if more > 0 else []
    return [*lines, *_refused(status)]


def _refused(status: Status) -> list[Line]:
    """What deskbird refuses night after night: parts that are left alone, and creations, which are
    tried again each night.
    """
    lines: list[Line] = []
    for ref, attribute, since, code, is_creation in status.refused[:SHOWN]:
        then = (
            "tried again every night"
            if is_creation
            else "left alone until the HR system wants another value"
        )
        what = (
            f"{attribute.replace('_', ' ')} of {ref}, "
            f"{_REFUSED.get(code, code.replace('_', ' '))}; {then}"
        )
        lines.append(
            (f"refused by deskbird, since {moment(since, status.timezone)}: {what}", "yellow")
        )
    more = len(status.refused) - SHOWN
    return [
        *lines,
        *([(f"... and {more:,} more, in state.not_retained", "dim")] if more > 0 else []),
    ]


_REFUSED = {
    "refused_conflict": "somebody else has it there",
    "refused_forbidden": "no right to it: look in deskbird whether the account is protected",
    "refused_payment": "no seat is left: free or buy one in deskbird",
    "refused_value": "the value is not accepted: correct it in the HR system",
    "successor_refused": "the next group refuses the person",
}
