"""``attribute_vanished``: what the HR system gives for nobody any more is not taken away (cases 11, 101, 103).

Good: the API user lost the right to read teams; nobody's team is emptied, and the guard names the screen to switch it on.
Bad: one person has no team any more and others have; that is a change like any other.

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
    left = {
        kind: f"select exists (from core.memberships where string_split(group_ref, ':')[2] = '{kind}')"
        for kind in judgement.situation.kinds
    }
    left["manager"] = "select exists (from core.people where wanted and manager_ref is not null)"
    counts = judgement.by_attribute(TAKES_AWAY)
    told = {one.subject for one in silent(judgement) if one.code == "vanished"}
    for attribute, somebody_has_it in left.items():
        count = counts.get(attribute, 0)
        if count and attribute not in told and not judgement.number(somebody_has_it):
            judgement.hold(NAME, f"{TAKES_AWAY} and {ATTRIBUTE} = '{attribute}'")
            judgement.say(NAME, attribute, count, "at least one person has it", tripped=True)
    for one in silent(judgement):
        _judge_silent(judgement, one)


def _judge_silent(judgement: Judgement, one: arrivals.Silent) -> None:
    if one.code == "vanished":
        of_it = f"string_split(coalesce(group_ref, hris_ref), ':')[1] = '{one.connection}'"
        if one.subject in arrivals.DATES:
            judgement.hold(NAME, f"object = 'user' and action in ('create', 'reactivate') and {of_it}")
        elif one.subject == "manager" or one.kind in ("group_kind", "list"):
            judgement.hold(NAME, f"{TAKES_AWAY} and {ATTRIBUTE} = '{one.subject}' and {of_it}")
    # of references it is the present count, of what vanished those that had it
    count, base = (one.last_came, one.last_of) if one.code == "vanished" else (one.of - one.came, one.of)
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
