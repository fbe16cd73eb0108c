"""What is said of a whole plan: what guards hold back, the last line, what comes next, what cannot
be undone.
"""

from collections.abc import Mapping

from hris_pipeline.plan import sentence as guard_sentence
from hris_pipeline.presentation.plan.cells import words
from hris_pipeline.reports.plan import NotUndone, Plan, Waiting
from hris_pipeline.wording import count

_NOT_UNDONE: Mapping[str, str] = {
    "bookings": (
        "Bookings that deskbird cancelled when it deactivated these users do not come back"
    ),
    "invitation": (
        "Invitations that deskbird mailed when it created these users cannot be called back"
    ),
    "created": "These users were created and are never deleted; they stay, deactivated",
    "gone": "The user or group is gone in deskbird",
    "conflict": (
        "Somebody changed it since, or the user or group is not ours any more, so it is left as it "
        "is now"
    ),
    "taken": "Somebody else has the address or the name by now",
    "had_no_address": (
        "The user had no e-mail address before, and deskbird does not do without one any more"
    ),
    "not_kept": "The photo was another one before, and no picture is kept once deskbird has it",
    "stays": "The group is kept, because others are in it by now",
}
"""What undoing a plan cannot undo, by the word in ``state.not_undone``; in the order of printing.
"""
_LISTS = ("frozen", "protected")  # guards that no approval releases
# approved changes, by whether the plan undoes another
_CARRIED_OUT_BY = {False: "the next run or apply", True: "apply"}


def not_undone(plan: Plan) -> list[NotUndone]:
    """What undoing a plan cannot undo, in the order of printing."""
    order = list(_NOT_UNDONE)
    return sorted(plan.not_undone, key=lambda kind: (order.index(kind.why), kind.attribute or ""))


def not_undone_sentence(kind: NotUndone) -> str:
    """``Bookings that ... do not come back: 2 (personio:1, personio:2).``"""
    attribute = f" ({words(kind.attribute)})" if kind.attribute else ""
    what = f"{_NOT_UNDONE.get(kind.why, kind.why)}{attribute}"
    more = f" and {len(kind.refs) - 5:,} more" if len(kind.refs) > 5 else ""
    return f"{what}: {len(kind.refs):,} ({', '.join(kind.refs[:5])}{more})."


def who_waits(waiting: Waiting) -> str:
    """``2 people quarantined, 1 missing, 0 waiting for a decision.``, or that nobody waits."""
    if not (waiting.quarantined or waiting.missing or waiting.review):
        return "Nobody is quarantined, missing or waiting for a decision."
    people = count(waiting.quarantined, "person", "people")
    return (
        f"{people} quarantined, {waiting.missing:,} missing, {waiting.review:,} waiting for a "
        "decision."
    )


def guard_sentences(plan: Plan, *, standing: bool = True) -> list[str]:
    """What each guard that holds something back says, with its numbers and how many changes wait
    for it.

    ``standing``: with what holds although no change waits for it.
    """
    lines = []
    for guard, held in sorted(plan.blocking.items()):
        spoken = [
            guard_sentence(verdict)
            for verdict in plan.guards
            if verdict.guard == guard and verdict.tripped
        ]
        of_this = [
            change
            for change in plan.changes
            if change.state == "blocked" and (change.guard or "a guard") == guard
        ]
        ours = sum(change.repairs for change in of_this)
        repairs = (
            f", {ours:,} of which repair what a run of ours left otherwise: deskbird is not in line"
            if ours
            else ""
        )
        lines.append(
            f"{' | '.join(spoken) or guard}. It holds back {count(held, 'change')}{repairs}."
        )
    if standing:
        lines += [
            f"{guard_sentence(verdict)}."
            for verdict in plan.standing
            if verdict.guard not in plan.blocking
        ]
    if plan.blocked_without_changes:
        said = [verdict for verdict in plan.guards if verdict.tripped and not verdict.stands]
        lines += [f"{guard_sentence(verdict)}. Nothing is changed in deskbird." for verdict in said]
    return lines


def total_line(plan: Plan) -> str:
    """The last line: what there is, what became of it, who waits."""
    states, approved = plan.states, plan.approved
    states["approved"], states["planned"] = approved, states["planned"] - approved
    fates = (
        (
            "approved",
            (
                f"approved, {'waits' if approved == 1 else 'wait'} for "
                f"{_CARRIED_OUT_BY[bool(plan.undoes)]}"
            ),
        ),
        ("planned", "to carry out"),
        ("blocked", "held back"),
        ("applied", "carried out"),
        ("skipped", "so already"),
        ("failed", "failed"),
        ("stale", "stale"),
    )
    parts = [f"{states[state]:,} {word}" for state, word in fates if states[state]]
    nothing = (
        "nobody is in scope"
        if plan.nobody_left
        else (
            "nothing is decided"
            if plan.blocked_without_changes
            else (
                "deskbird is in line with what the HR system gives"
                if plan.standing
                else "deskbird is in line"
            )
        )
    )
    head = (
        f"{count(len(plan.changes), 'change')}: {', '.join(parts)}."
        if plan.changes
        else f"Nothing to change: {nothing}."
    )
    return " ".join(
        filter(None, (head, by_hand(plan), missing_attributes(plan), who_waits(plan.waiting)))
    )


def missing_attributes(plan: Plan) -> str:
    """What the HR system gives for nobody any more; empty where there is nothing."""
    named = [
        f"{words(v.subject)}{f' ({v.connection})' if v.connection else ''}" for v in plan.standing
    ]
    return f"Not given by the HR system: {', '.join(dict.fromkeys(named))}." if named else ""


def by_hand(plan: Plan) -> str:
    """What people changed in deskbird, and what does not stick there; empty where there is none."""
    said = (
        [
            (
                f"{count(plan.drift, 'change repairs', 'changes repair')} what was changed in "
                "deskbird "
                "by hand"
            )
        ]
        if plan.drift
        else []
    )
    said += (
        [
            (
                f"{count(plan.kept, 'value')} changed there by hand "
                f"{'is' if plan.kept == 1 else 'are'} kept"
            )
        ]
        if plan.kept
        else []
    )
    stick = "does" if plan.not_retained == 1 else "do"
    said += (
        [f"{count(plan.not_retained, 'value')} {stick} not stick there"]
        if plan.not_retained
        else []
    )
    return f"{'; '.join(said)}." if said else ""


def next_step(plan: Plan) -> str | None:
    """What a person does next, as commands; None where nothing is left to do."""
    states, company, plan_id = plan.states, plan.company, plan.plan_id
    if plan.nobody_left:
        return (
            "See whether the HR system and its credential still show anybody, then: hris-pipeline "
            f"sync {company}"
        )
    if plan.blocked_without_changes:
        return (
            f"Decide whose user is whose: hris-pipeline review {company}   then: hris-pipeline "
            f"sync {company}"
        )
    if states["stale"] and plan.undoes:
        return f"deskbird has moved on. Plan it anew: hris-pipeline undo {company} {plan.undoes}"
    if states["stale"]:
        return (
            "deskbird or the HR system has moved on. Make a new plan: hris-pipeline sync "
            f"{company} --dry-run"
        )
    if states["failed"] and plan.undoes:
        return (
            f"Correct what failed (see above), then: hris-pipeline apply {company} --plan {plan_id}"
        )
    if states["failed"]:
        return f"Correct what failed (see above), then: hris-pipeline sync {company}"
    releasable = sorted(set(plan.blocking) - set(_LISTS))
    if states["blocked"] and not states["planned"] and not releasable:
        return (
            f"Held back by the company file's lists: {' and '.join(sorted(plan.blocking))}. There "
            "is nothing to decide."
        )
    if releasable:
        release = f"hris-pipeline approve {company} {plan_id}" + (
            f" --only {releasable[0]}" if len(releasable) > 1 else ""
        )
        if plan.undoes:
            return f"Right? {release}   Then: hris-pipeline apply {company} --plan {plan_id}"
        return (
            f"Right? {release}   Wrong? Correct it in the HR system; hris-pipeline reject "
            f"{company} {plan_id} silences the alert."
        )
    if states["planned"]:
        approved = (
            "Approved; the next run carries it out. "
            if plan.approved == states["planned"] and not plan.undoes
            else ""
        )
        return (
            f"{approved}{'Now' if approved else 'Carry it out'}: hris-pipeline apply {company} "
            f"--plan {plan_id}"
        )
    if plan.standing:
        return _restore(plan)
    return None


def _restore(plan: Plan) -> str:
    """What to do about what the HR system gives for nobody."""
    remedies = [v.remedy for v in plan.standing if v.remedy]
    where = (
        remedies[0].rstrip(".")
        if remedies
        else "See in the HR system whether the credential may still read it"
    )
    return f"{where}; or take it out of the company file. Then: hris-pipeline sync {plan.company}"
