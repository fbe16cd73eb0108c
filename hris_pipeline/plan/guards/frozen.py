"""``frozen``: nobody on the company file's list is changed at all; never released.

Good: ``frozen: [ceo@acme.test]``, and a new surname of hers waits, with everything else of hers.
Bad: her group is renamed; a group is nobody's own, so this guard does not look at it.
"""

from hris_pipeline.plan.guards import listed
from hris_pipeline.plan.guards.base import Judgement


def judge(judgement: Judgement) -> None:
    """Hold back every change that concerns somebody on the list."""
    listed.hold(judgement, "frozen", judgement.situation.frozen, "true")
