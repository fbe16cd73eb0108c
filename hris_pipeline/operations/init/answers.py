"""Putting an answer into the draft: each function says what is wrong with it, or None."""

import re
from collections.abc import Sequence
from typing import Any

import yaml

from hris_pipeline import settings
from hris_pipeline.errors import PipelineError
from hris_pipeline.hris.registry import SYSTEMS, find
from hris_pipeline.hris.system import System, Variant
from hris_pipeline.operations.init.draft import Draft

VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_NOTHING = ("", "none", "no", "-")


def usual(system: System) -> Variant:
    """The row of a system as it is read where nothing else is said."""
    own = Variant(system.name, system.title, f"system: {system.name}", system.capabilities)
    return next((row for row in system.variants if row.capabilities is system.capabilities), own)


def choices() -> dict[str, Variant]:
    """The systems by name, and what differs from how they are usually read."""
    ways = {name: usual(system) for name, system in SYSTEMS.items()}
    return (
        ways
        | {
            row.name: row
            for system in SYSTEMS.values()
            for row in system.variants
            if row not in ways.values()
        }
        | ways
    )


def take_system(draft: Draft, answer: str) -> str | None:
    """The system, and what goes with it: credentials, options, kinds of group."""
    known = choices()
    try:
        row, *others = (
            [known[answer.lower()]]
            if answer.lower() in known
            else find(answer, list(known.values()))
        )
    except PipelineError as problem:
        return str(problem)
    if others:
        return (
            f"{answer!r} may be {' or '.join(each.title for each in (row, *others))}: which of "
            "them?"
        )
    draft.row, draft.system, draft.options = (
        row,
        SYSTEMS[row.said["system"]],
        dict(row.said.get("options", {})),
    )
    draft.connection = draft.system.name
    draft.variables = dict.fromkeys((*draft.system.credentials, "scim_token"), "VARIABLE")
    offered = kinds(draft)
    first = [kind for kind in ("team", "department", "cost_center") if kind in offered]
    draft.groups = tuple(first or offered[:1])
    return None


def kinds(draft: Draft) -> tuple[str, ...]:
    """The kinds of group that the system has, read this way; one that it is known to lack is not
    offered.
    """
    can = draft.row.capabilities
    return tuple(kind for kind in draft.system.group_kinds if getattr(can, kind, "yes") != "no")


def take_connection(draft: Draft, answer: str) -> str | None:
    """What the connection is called."""
    if wrong := settings.not_a_name(answer, "connection"):
        return f"{answer!r} {wrong}."
    draft.connection = answer
    return None


def take(draft: Draft, answer: Any, name: str, path: str) -> str | None:
    """Put an answer in; what is wrong with the key ``path`` of the file that it makes."""
    setattr(draft, name, answer)
    return _wrong(draft, path)


def _wrong(draft: Draft, path: str) -> str | None:
    found = (
        sentence
        for key, sentence in draft.mistakes()
        if key == path or key.startswith((f"{path}.", f"{path}["))
    )
    return next(found, None)


def take_variable(draft: Draft, key: str, answer: str) -> str | None:
    """The environment variable that will hold a credential."""
    if not VARIABLE.fullmatch(answer):
        return (
            f"That is no variable's name for {key}: use A-Z, 0-9 and _. Never write the secret "
            "itself."
        )
    draft.variables[key] = answer
    return None


def take_option(draft: Draft, path: Sequence[str], answer: str) -> str | None:
    """One option of the system."""
    if not answer:
        return f"{'.'.join(path)} is required."
    put(draft.options, path, plain(answer))
    return _wrong(draft, f"hris.{draft.connection}.options.{'.'.join(path)}")


def put(options: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Put a value into nested options."""
    for step in path[:-1]:
        inner = options.get(step)
        options[step] = options = inner if isinstance(inner, dict) else {}
    options[path[-1]] = value


def has(options: Any, path: Sequence[str]) -> bool:
    """Whether nested options have a value there."""
    for step in path:
        if not isinstance(options, dict) or step not in options:
            return False
        options = options[step]
    return True


def plain(answer: str) -> Any:
    """A value as YAML has it; text where it is none."""
    try:
        value = yaml.safe_load(answer)
    except yaml.YAMLError:
        return answer
    return value if isinstance(value, bool | int | float | list | dict) else answer


def _list(answer: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in answer.split(",") if part.strip())


def take_scope(draft: Draft, answer: str) -> str | None:
    """Who is in scope: everybody, or e-mail domains."""
    domains = (
        () if answer.lower() in {"", "everybody", "all"} else _list(answer.lower().replace("@", ""))
    )
    if any(not re.fullmatch(r"[^\s.]+(\.[^\s.]+)+", domain) for domain in domains):
        return (
            "An e-mail domain looks like acme.com; other rules can be written into the file "
            "afterwards."
        )
    return take(draft, domains, "domains", "sync.scope")


def take_groups(draft: Draft, answer: str) -> str | None:
    """The kinds of group to sync."""
    return take(draft, () if answer.lower() in _NOTHING else _list(answer), "groups", "sync.groups")


def take_managers(draft: Draft, answer: str) -> str | None:
    """Whether reporting lines are carried over."""
    if answer.lower() not in {"yes", "y", "no", "n", "true", "false"}:
        return "Answer yes or no."
    draft.managers = answer.lower()[0] in "yt"
    return None


def take_night(draft: Draft, answer: str) -> str | None:
    """When a night starts."""
    time = _TIME.fullmatch(answer)
    cron = (
        f"{int(time[2])} {int(time[1])} * * *"
        if time
        else None
        if answer.lower() in _NOTHING
        else answer
    )
    return take(draft, cron, "schedule", "schedule")


def take_alerts(draft: Draft, answer: str) -> str | None:
    """The environment variable that will hold the URL for alerts."""
    if answer.lower() in _NOTHING:
        return None
    if not VARIABLE.fullmatch(answer):
        return (
            "That is no variable's name: use A-Z, 0-9 and _. The URL itself holds a secret and "
            "belongs into the environment."
        )
    draft.alerts = answer
    return None
