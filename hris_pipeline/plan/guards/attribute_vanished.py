"""``attribute_vanished``: what the HR system gives for nobody any more is not taken away (cases 11,
101, 103).

Good: the API user lost the right to read teams; nobody's team is emptied, and the guard names the
screen to switch it on. Bad: one person has no team any more and others have; that is a change like
any other.

It speaks also where no change is wanted: a night is never silent about what it no longer gets.
"""

from collections.abc import Sequence

from hris_pipeline.plan import arrivals
from hris_pipeline.plan.guards.base import ATTRIBUTE, TAKES_AWAY, Judgement

NAME = "attribute_vanished"


def silent(judgement: Judgement) -> Sequence[arrivals.Silent]:
    """What comes for nobody although it should, where the guard is on."""
    return judgement.situation.silent if judgement.is_on(NAME) else ()


def judge(judgement: Judgement) -> None:
    """Hold back what would be taken away because nobody has it any more."""
    if not judgement.is_on(NAME):
        return
    counts = judgement.by_attribute(TAKES_AWAY)
    told = {one.subject for one in silent(judgement) if one.code == "vanished"}
    in_question = [
        name
        for name in (*judgement.situation.kinds, "manager")
        if counts.get(name) and name not in told
    ]
    had = _had(judgement, in_question)
    for attribute in in_question:
        count = counts[attribute]
        if attribute not in had:
            judgement.hold(NAME, f"{TAKES_AWAY} and {ATTRIBUTE} = '{attribute}'")
            judgement.say(NAME, attribute, count, "at least one person has it", tripped=True)
    for one in silent(judgement):
        _judge_silent(judgement, one)


def _had(judgement: Judgement, attributes: Sequence[str]) -> set[str]:
    """Those of them that at least one person has."""
    if not attributes:
        return set()
    row = judgement.con.execute(f"select {', '.join(map(_somebody_has, attributes))}").fetchone()
    return {
        attribute for attribute, is_there in zip(attributes, row or (), strict=True) if is_there
    }


def _somebody_has(attribute: str) -> str:
    if attribute == "manager":
        return "exists (from core.people where wanted and manager_ref is not null)"
    return f"exists (from core.memberships where string_split(group_ref, ':')[2] = '{attribute}')"


def _judge_silent(judgement: Judgement, one: arrivals.Silent) -> None:
    if one.code == "vanished":
        of_it = f"string_split(coalesce(group_ref, hris_ref), ':')[1] = '{one.connection}'"
        if one.subject in arrivals.DATES:
            judgement.hold(
                NAME, f"object = 'user' and action in ('create', 'reactivate') and {of_it}"
            )
        elif one.subject == "manager" or one.kind in ("group_kind", "list"):
            judgement.hold(NAME, f"{TAKES_AWAY} and {ATTRIBUTE} = '{one.subject}' and {of_it}")
    # of references it is the present count, of what vanished those that had it
    count, base = (
        (one.last_came, one.last_of) if one.code == "vanished" else (one.of - one.came, one.of)
    )
    judgement.say(
        NAME,
        f"{one.subject} names" if one.kind == "list" else one.subject,
        count,
        "at least one person has it",
        tripped=True,
        base=base,
        code=one.code,
        connection=one.connection,
        since=one.since,
        remedy=judgement.situation.where.get(one.connection, {}).get(one.subject),
    )
