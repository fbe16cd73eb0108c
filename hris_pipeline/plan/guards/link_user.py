"""``link_user``: more users than usual would be taken over by their e-mail address.

Good: the company's domain was renamed in the HR system and 80 people match users of others; all
links wait. Bad: the marker of a user that is known to be ours is written again; nothing was matched
by an address.
"""

from hris_pipeline.plan.guards.base import Judgement

NAME = "link_user"
CONDITION = "object = 'user' and action = 'link' and evidence->>'rule' in ('email', 'successor')"


def conditions(_judgement: Judgement) -> tuple[str, ...]:
    """Who is linked by an address."""
    return (CONDITION,)


def judge(judgement: Judgement) -> None:
    """Hold back all links by address where they are too many."""
    if count := judgement.people(CONDITION):
        judged = judgement.trips(NAME, count)
        judgement.say(NAME, "links", count, judged, tripped=judged.over)
        if judged.over:
            judgement.hold(NAME, CONDITION)
