"""``first_contact``: a first run changes nothing while deskbird holds many users that are not ours,
and takes nothing away.

Good: a company of 300 that made its users by hand connects its HR system; everything waits for one
approval. Bad: three users made by hand on a first run: they are linked by their addresses at once;
only deactivations wait.
"""

from hris_pipeline.plan.guards.base import Judgement
from hris_pipeline.plan.integrity import SEALED

NAME = "first_contact"
_TAKES_AWAY = (
    "(object = 'user' and action = 'deactivate') or (object = 'group' and action = 'delete')"
)
_APPROVED = f"""select count(*) from state.approvals
    where decision = 'approved' and list_contains(guards, 'first_contact') and {SEALED}"""
_STRANGERS = """select count(*) from owned_users
    where active
        and owner is null
        and deskbird_id not in (select deskbird_id from user_matches where rule = 'decision')"""


def judge(judgement: Judgement) -> None:
    """On a first run: hold back everything, or what takes away."""
    if not judgement.situation.first_run or not judgement.is_on(NAME):
        return
    strangers = judgement.number(_STRANGERS)
    allowed = judgement.limit("link_user").get("max_count")
    allowed = 25 if allowed is None else allowed
    if strangers > allowed and not judgement.number(_APPROVED):
        judgement.hold(NAME, "true")
        judgement.say(
            NAME,
            "users that are not ours",
            strangers,
            f"{allowed:g}",
            tripped=True,
            code="strangers",
        )
        return
    judgement.hold(NAME, _TAKES_AWAY)
    if count := judgement.people(_TAKES_AWAY):
        judgement.say(
            NAME, "deactivations on a first run", count, "none", tripped=True, code="first_run"
        )
