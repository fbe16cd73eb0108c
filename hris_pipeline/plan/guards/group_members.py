"""``group_members``: a group would lose more of its members at once than usual.

Good: 30 of the 40 members of "Sales" would leave it because a unit was merged by mistake; all
removals of that group wait. Bad: 5 of 40 leave it; or the group has fewer members than
``from_size``.
"""

from pathlib import Path

from hris_pipeline.plan.guards.base import Judged, Judgement

NAME = "group_members"
_EMPTIED = (Path(__file__).parent / "emptied_groups.sql").read_text(encoding="utf-8")
_REMOVALS = "object = 'membership' and action = 'remove'"


def judge(judgement: Judgement) -> None:
    """Hold back the removals from each group that loses too many."""
    if judgement.limits.get(NAME) is None or not judgement.changes:
        return
    allowed = judgement.limit(NAME).get("max_loss_percent") or 0
    from_size = judgement.limit(NAME).get("from_size") or 0
    emptied = judgement.con.execute(
        _EMPTIED, {"from_size": from_size, "max_loss_percent": allowed}
    ).fetchall()
    for group, leaving, members in emptied:
        judged = Judged(True, f"{allowed:g} % of its members", "loss", max_percent=allowed)
        judgement.say(NAME, group, leaving, judged, tripped=True, base=members)
    if emptied:
        refs = ", ".join("'" + group.replace("'", "''") + "'" for group, *_ in emptied)
        judgement.hold(NAME, f"{_REMOVALS} and group_ref in ({refs})")
