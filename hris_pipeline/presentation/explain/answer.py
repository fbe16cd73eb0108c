"""What comes first about a person: how the user is, since when and why, and what comes next."""

from hris_pipeline.contracts.change_kinds import UNDOING
from hris_pipeline.presentation import moment
from hris_pipeline.presentation.explain.words import reads_so_far, rule_meaning
from hris_pipeline.presentation.review.words import meaning
from hris_pipeline.reports.explain import Explanation
from hris_pipeline.reports.queries import Row
from hris_pipeline.wording import count


def answer(found: Explanation) -> str:
    """What comes first: how the user is, since when and why, and what comes next."""
    user, last = found.user, found.turns[0] if found.turns else None
    told = (
        user is not None
        and not user["active"]
        and last is not None
        and last["action"] == "deactivate"
    )
    done = (
        told and (found.person is None or found.person["status"] == "ended") and not found.changes
    )
    return f"{_state(found, user, last)} {'' if done else _next(found, user)}".strip()


def _because(reason: str | None, code: str | None) -> str:
    """The plan's reason as the end of a sentence."""
    if not reason:
        return ""
    told = f"{reason[0].lower()}{reason[1:].rstrip('.')}"
    if code in UNDOING:
        return f", which {told}"
    return f", because {'it was ' if code == 'changed_by_hand' else ''}{told}"


def _state(found: Explanation, user: Row | None, last: Row | None) -> str:
    """How the user is, and since when and why; ``last`` is what this pipeline did last with the
    user itself.
    """
    if user is None and found.review:
        return "No user in deskbird is taken for the person's."
    if user is None:
        return (
            "There is no user in deskbird for the person."
            if found.refs
            else "deskbird has no such user any more."
        )
    done = last and f"on {moment(last['done_at'], found.timezone)[:10]} by plan {last['plan_id']}"
    if last and not user["active"] and last["action"] == "deactivate":
        return (
            "The user is inactive: it was deactivated "
            f"{done}{_because(last['reason'], last['reason_code'])}."
        )
    if not user["active"]:
        return (
            "The user is inactive, but this pipeline did not deactivate it: somebody did so in "
            "deskbird itself."
        )
    if last and last["action"] == "deactivate":
        return (
            f"The user is active: it was deactivated {done}, and reactivated in deskbird itself "
            "since."
        )
    return (
        f"The user is active: it was {'made' if last['action'] == 'create' else 'reactivated'} "
        f"{done}."
        if last
        else "The user is active."
    )


def _next(found: Explanation, user: Row | None) -> str:
    """What comes next, or why nothing does."""
    held = [row for row in found.quarantine if row["hris_ref"] in found.refs]
    deciding = [one for one in found.review if one.rule != "email_is_taken"]
    if found.missing:
        since = moment(found.missing["missing_since"], found.timezone)[:10]
        return (
            f"The HRIS has had no record of the person since {since}: "
            f"{reads_so_far(found.missing)}. {_planned(found)}"
        )
    if held:
        rule = held[0]["rule"]
        return (
            f"Nothing is changed: the record breaks rule {rule} ({rule_meaning(held[0])}). Correct "
            "it in the HRIS."
        )
    if deciding:
        why = meaning(deciding[0].rule)
        return (
            f"Nothing is changed until somebody decides: {why} See: hris-pipeline review "
            f"{found.company}"
        )
    if found.changes:
        return _planned(found)
    if found.person is None:
        return (
            "The HRIS has no record of the person."
            if found.refs
            else "It belongs to no record of the HRIS, so it is left alone."
        )
    return _why_so(found, found.person, user)


def _why_so(found: Explanation, person: Row, user: Row | None) -> str:
    """Why nothing is planned for a person whom the HRIS knows."""
    if not person["in_scope"]:
        return f"The company file's scope leaves the person out{_by(person)}."
    if person["status"] == "ended":
        ended = f"ended on {person['end_date']}" if person["end_date"] else "ended"
        left = (
            " The user is not known to be the person's by a link or our marker, so it is left "
            "alone."
            if user and user["active"]
            else ""
        )
        return f"By the HRIS the employment {ended}.{left}"
    if not person["wanted"]:
        return (
            f"The person starts on {person['start_date'] or 'a day that the HRIS does not name'}, "
            "so no user is wanted yet."
        )
    if not found.live:
        return "What differs is not known: deskbird or the HR system was not read yet."
    return (
        "Nothing is to change: it is as the HRIS says."
        if not found.review
        else meaning(found.review[0].rule)
    )


def _by(person: Row) -> str:
    return f" (rule {person['scope_rule']})" if person.get("scope_rule") else ""


_DOES = {
    "create": "makes one",
    "deactivate": "deactivates it",
    "reactivate": "reactivates it",
    "link": "links it to the person",
    "update": "updates it",
}


def _planned(found: Explanation) -> str:
    """What is planned, the change of the user itself first."""
    if not found.changes:
        return ""
    weighty = ("deactivate", "reactivate", "create")
    first = min(
        found.changes,
        key=lambda change: (change.object != "user", change.action not in weighty, change.seq),
    )
    plan_id = found.plan_ids.get(first.seq)
    by = f"Plan {plan_id}" if plan_id else "The next sync"
    what = (
        _DOES.get(first.action, "changes it")
        if first.object == "user"
        else f"changes the {first.object}"
    )
    others = len(found.changes) - 1
    more = f" ({count(others, 'more change')})" if others else ""
    because = _because(first.reason, first.reason_code)
    if first.state == "planned":
        return f"{by} {what}{because}{more}."
    fate = (
        f"guard {first.guard} holds that back"
        if first.state == "blocked"
        else f"that {first.state.replace('stale', 'went stale')}"
    )
    return f"{by} {what}{because}; but {fate}{more}."
