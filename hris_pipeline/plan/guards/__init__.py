"""The guards: what makes a change wait for a person (design, "Guards, exactly"). One file a guard.

A tripped guard holds back the changes of its own type; a change that needs a held one is held with
it and not counted.
"""

from hris_pipeline.plan.guards import (
    attribute_vanished,
    create_user,
    deactivate_user,
    first_contact,
    frozen,
    group_members,
    incomplete_extract,
    link_user,
    listed,
    protected,
    scope_lost,
    undone,
    update_attribute,
)
from hris_pipeline.plan.guards.base import (
    MANAGED,
    TAKES_AWAY,
    Judged,
    Judgement,
    Limits,
    Situation,
)

__all__ = [
    "MANAGED",
    "ORDER",
    "Judged",
    "Judgement",
    "Limits",
    "Situation",
    "judge",
    "judge_values",
]

ORDER = (
    "frozen",
    "protected",
    "undone",
    "first_contact",
    "incomplete_extract",
    "scope_lost",
    "attribute_vanished",
    "deactivate_user",
    "create_user",
    "link_user",
    "update_attribute",
    "group_members",
)
"""How guards are ordered on a change: what is never released first, what concerns everything before
one type.
"""
_EXEMPTING = (undone, frozen, protected)
"""What these hold back the others do not count."""
_COUNTING = (
    first_contact,
    incomplete_extract,
    scope_lost,
    attribute_vanished,
    deactivate_user,
    create_user,
    link_user,
    update_attribute,
    group_members,
)


def judge_values(judgement: Judgement) -> None:
    """The guards of single attributes of users, before these become changes."""
    listed.stage(judgement)
    if not judgement.situation.undoes:  # else what was undone may be done again
        undone.find_attributes(judgement)
    update_attribute.judge_values(judgement)


def judge(judgement: Judgement, *, anything: bool) -> None:
    """All the other guards, once the changes are there: who is held back stands in the temp table
    ``holds``. Where there is not ``anything`` to change, they only say what they see.
    """
    if anything:
        judgement.begin()
    incomplete_extract.judge_unread(judgement)
    for guard in _EXEMPTING:
        guard.judge(judgement)
    judgement.write_holds()
    asked = (deactivate_user, create_user, link_user, scope_lost)
    judgement.count(
        [
            *(condition for guard in asked for condition in guard.conditions(judgement)),
            *incomplete_extract.conditions(judgement).values(),
        ]
    )
    judgement.count_by_attribute((TAKES_AWAY, update_attribute.CONDITION))
    for guard in _COUNTING:
        guard.judge(judgement)
    judgement.write_holds()
