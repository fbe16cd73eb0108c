"""``update_attribute``: one attribute would change for more people than usual; each is judged
alone.

Good: first and family names came the wrong way round for everybody; names wait, a new team goes
through. Bad: 12 of 300 people move to another team; that is below the share.

A kind of group and the manager count as attributes. A userName is the e-mail address too. What
comes with a link is judged by ``link_user``, and not counted here; nor is what was undone.
"""

from hris_pipeline.contracts.attributes import ATTRIBUTES, SUBJECTS
from hris_pipeline.plan.guards import attribute_vanished
from hris_pipeline.plan.guards.base import ATTRIBUTE, OURS, Judgement

NAME = "update_attribute"
_VALUES = "object in ('membership', 'manager')"
CONDITION = f"{_VALUES} and hris_ref in {OURS}"
"""Whose group or manager changes; not those whose user is only being linked."""
_EXISTING = "hris_ref in (select hris_ref from user_matches)"
_DIFFERENCES = f"""select a.subject, count(distinct hris_ref)
    from wanted_differences
    semi join {OURS} using (hris_ref)
    join user_attributes a on a.name = attribute
    anti join undone_attributes using (hris_ref, attribute)
    anti join (from listed_people where guard = 'frozen') as frozen using (hris_ref)
    group by all"""


def judge_values(judgement: Judgement) -> None:
    """Make the temp table ``tripped_attributes``: judged before the changes are made, because one
    change may hold several.
    """
    held: list[tuple[str, str | None, str]] = []
    # without a first name the display name is another one
    for one in attribute_vanished.silent(judgement):
        if one.code == "vanished":
            of_it = [attribute.name for attribute in ATTRIBUTES if one.subject in attribute.made_of]
            held += [(name, one.connection, "attribute_vanished") for name in of_it]
    counts = dict(judgement.con.execute(_DIFFERENCES).fetchall())
    for subject in SUBJECTS:
        if _judge(judgement, subject, counts.get(subject, 0)):
            held += [
                (attribute.name, None, NAME)
                for attribute in ATTRIBUTES
                if attribute.subject == subject
            ]
    columns = "attribute varchar, connection varchar, guard varchar"
    judgement.con.execute(f"create or replace temp table tripped_attributes ({columns})")
    if held:
        judgement.con.executemany("insert into tripped_attributes values (?, ?, ?)", held)


def judge(judgement: Judgement) -> None:
    """Hold back the memberships of a kind, or the managers, where too many people's change."""
    counts = judgement.by_attribute(CONDITION)
    for attribute in (*judgement.situation.kinds, "manager"):
        if _judge(judgement, attribute, counts.get(attribute, 0)):
            judgement.hold(NAME, f"{_VALUES} and {ATTRIBUTE} = '{attribute}' and {_EXISTING}")


def _judge(judgement: Judgement, attribute: str, count: int) -> bool:
    judged = judgement.trips(NAME, count)
    if count:
        judgement.say(NAME, attribute, count, judged, tripped=judged.over)
    return judged.over
