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
