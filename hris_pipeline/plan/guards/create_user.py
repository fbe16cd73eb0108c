"""``create_user``: more people than usual would get accounts.

Good: the HR system lists 200 freelancers since somebody changed a filter; nobody is invited before
one approval. Bad: ten trainees start on the first of September; that is below the count, and goes
through.
"""

from hris_pipeline.plan.guards.base import Judgement

NAME = "create_user"
CONDITION = "object = 'user' and action = 'create'"


def conditions(_judgement: Judgement) -> tuple[str, ...]:
    """Who is created."""
    return (CONDITION,)


def judge(judgement: Judgement) -> None:
    """Hold back all creations where they are too many."""
    if count := judgement.people(CONDITION):
        judged = judgement.trips(NAME, count)
        judgement.say(NAME, "creations", count, judged, tripped=judged.over)
        if judged.over:
            judgement.hold(NAME, CONDITION)
