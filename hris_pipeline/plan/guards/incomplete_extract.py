"""``incomplete_extract``: nothing is taken away on the strength of a read that is not proven
complete.

Good: the HR system's list broke off after two pages; whoever is not on them keeps the account, and
new people are created. Bad: the read is complete and one record is in quarantine; the record is
held back, and the guard has nothing to say.

It works on deskbird's side too: nobody is created who could be a record that cannot be read (case
114).
"""

from collections.abc import Mapping

from hris_pipeline.plan.guards.base import Judgement

NAME = "incomplete_extract"
_UNKNOWN = "from state.unreadable_records where hris_ref is null and resource"
_ANYBODY = f"exists ({_UNKNOWN} = 'users' and address_hash is null)"
_SAME_ADDRESS = f"hash(email_key(after->>'email')) in (select address_hash {_UNKNOWN} = 'users')"
_UNREAD = {
    "users": f"object = 'user' and action = 'create' and ({_ANYBODY} or {_SAME_ADDRESS})",
    "groups": f"object = 'group' and action = 'create' and exists ({_UNKNOWN} = 'groups')",
}


def conditions(judgement: Judgement) -> Mapping[str, str]:
    """By connection that is not proven: what takes away, values included."""
    return {
        connection: (
            f"string_split(hris_ref, ':')[1] = '{connection}' and (action in ('deactivate', "
            "'remove', 'clear', 'delete') or (object = 'user' and action = 'update' and "
            "after->>(json_keys(after)[1]) is null))"
        )
        for connection in (judgement.situation.unproven if judgement.is_on(NAME) else ())
    }


def judge_unread(judgement: Judgement) -> None:
    """Hold back who and what might be there already, in a record of deskbird's that cannot be
    read.
    """
    if not judgement.situation.unread or not judgement.is_on(NAME):
        return
    for resource, condition in _UNREAD.items():
        judgement.hold(NAME, condition)
        if count := judgement.people(condition):
            judgement.say(
                NAME, f"deskbird {resource}", count, "needs every record to be read", tripped=True
            )


def judge(judgement: Judgement) -> None:
    """Hold back what each connection that is not proven would take away."""
    for connection, condition in conditions(judgement).items():
        judgement.hold(NAME, condition)
        if count := judgement.people(condition):
            judgement.say(NAME, connection, count, "needs a proven extract", tripped=True)
