"""``deactivate_user``: more people than usual would lose their accounts, in one night or within
some days.

Good: 40 of 300 people "left" because a filter was set in the HR system; all deactivations wait.
Bad: 4 of 300 left at the end of the month; that is below the count, and goes through.
"""

import datetime as dt

from hris_pipeline.plan.guards.base import Judgement

NAME = "deactivate_user"
CONDITION = "object = 'user' and action = 'deactivate'"
_IN_WINDOW = """select count(distinct hris_ref) from state.outcomes
    where object = 'user' and action = 'deactivate' and outcome = 'applied' and applied_at > ?"""


def conditions(_judgement: Judgement) -> tuple[str, ...]:
    """Who is deactivated."""
    return (CONDITION,)


def judge(judgement: Judgement) -> None:
    """Hold back all deactivations where they are too many, together with those of the window."""
    if count := judgement.people(CONDITION):
        judged = judgement.trips(NAME, count, extra=_in_window(judgement))
        judgement.say(NAME, "deactivations", count, judged, tripped=judged.over)
        if judged.over:
            judgement.hold(NAME, CONDITION)


def _in_window(judgement: Judgement) -> int:
    days = judgement.limit(NAME).get("window_days") or 7
    row = judgement.con.execute(
        _IN_WINDOW, [judgement.situation.now - dt.timedelta(days=days)]
    ).fetchone()
    return int(row[0]) if row else 0
