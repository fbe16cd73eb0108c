"""``reactivate_user``: more people than usual would get their access back.

Good: a status was renamed in the HR system, and 40 people who left last year work here again; they wait for one approval.
Bad: three people come back from parental leave; that is below the count, and goes through.
"""

from hris_pipeline.plan.guards.base import Judgement

NAME = "reactivate_user"
CONDITION = "object = 'user' and action = 'reactivate'"


def conditions(_judgement: Judgement) -> tuple[str, ...]:
    """Who is reactivated."""
    return (CONDITION,)


def judge(judgement: Judgement) -> None:
    """Hold back all reactivations where they are too many."""
    if count := judgement.people(CONDITION):
        judged = judgement.trips(NAME, count)
        judgement.say(NAME, "reactivations", count, judged, tripped=judged.over)
        if judged.over:
            judgement.hold(NAME, CONDITION)
