"""What a change of the plan can be about, what it can do, and what can become of it."""

from typing import Literal, get_args

Outcome = Literal["applied", "failed", "blocked", "skipped", "stale"]

OBJECTS = ("user", "group", "membership", "manager", "absence")
ACTIONS = (
    "create",
    "link",
    "update",
    "rename",
    "reactivate",
    "deactivate",
    "delete",
    "add",
    "remove",
    "set",
    "clear",
)
VERDICTS = ("planned", "blocked")
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

ReasonCode = Literal[
    "no_user",  # users: somebody works here and has none
    "same_email",
    "same_email_and_name",  # of a user whose own record ended or is gone
    "decided",  # by a person, who is whose
    "user_not_marked",  # linked, without our marker
    "other_primary_record",
    "values_differ",
    "works_again",
    "out_of_scope",
    "ended_on_a_day",
    "ended",  # the HR system names no day
    "missing",  # in no record any more
    "photo_of_new_user",
    "no_group",  # groups: people are in a unit that has none
    "group_name_taken",  # the same, and somebody's own group has the name
    "group_linked_by_rule",  # by sync.link_groups
    "group_has_same_members",  # the unit has a new id
    "group_not_marked",
    "unit_renamed",
    "unit_with_new_id_renamed",
    "group_empty",
    "in_group",  # memberships
    "not_in_group",
    "manager_named",
    "no_manager_named",
    "steps_aside",  # the first step of a swap: a temporary address or name
    "changed_by_hand",  # in deskbird, and the HR system still wants what it was before
    "changed_by_a_run",  # of ours, otherwise than it was to
    "undoes_creation",  # what a plan did that is undone
    "undoes_reactivation",
    "undoes_deactivation",
    "undoes_values",
    "undoes_group_creation",
    "undoes_group_deletion",
    "undoes_addition",
    "undoes_removal",
    "undoes_former_membership",  # of a group that comes back
    "undoes_manager",
]
"""Why a change is planned. ``plan/reasons.sql`` puts it into words; whatever is to be decided goes
by the code.
"""
REASON_CODES: tuple[ReasonCode, ...] = get_args(ReasonCode)
UNDOING: frozenset[str] = frozenset(code for code in REASON_CODES if code.startswith("undoes_"))
"""What undoes a change of an earlier plan."""
