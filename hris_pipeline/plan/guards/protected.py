"""``protected``: nobody on the company file's list is deactivated; never released.

Good: ``protected: [admin@acme.test]``, whose contract ended by mistake, keeps the account.
Bad: their first name is corrected; that is an update, and goes through.
"""

from hris_pipeline.plan.guards import listed
from hris_pipeline.plan.guards.base import Judgement


def judge(judgement: Judgement) -> None:
    """Hold back the deactivation of everybody on the list."""
    listed.hold(
        judgement,
        "protected",
        judgement.situation.protected,
        "object = 'user' and action = 'deactivate'",
    )
