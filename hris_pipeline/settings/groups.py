"""The section ``sync.group_names``: what groups are called in deskbird."""

import string
from collections.abc import Callable
from typing import Annotated

import pydantic
from pydantic import Field

from hris_pipeline.settings.base import Settings
from hris_pipeline.settings.mistakes import mistake


def _pattern(*needed: str) -> Callable[[str], str]:
    """A name pattern: text with ``{name}`` and ``{kind}`` in it, those of ``needed`` at least
    once.
    """

    def check(pattern: str) -> str:
        try:
            parts = [part[1:] for part in string.Formatter().parse(pattern) if part[1] is not None]
        except ValueError:
            parts = [("", "", "")]
        if any(
            name not in {"name", "kind"} or spec or conversion for name, spec, conversion in parts
        ):
            raise mistake("may hold {name} and {kind} in braces, nothing else")
        absent = [f"{{{name}}}" for name in needed if name not in {part[0] for part in parts}]
        if absent:
            raise mistake(
                f"must contain {' and '.join(absent)}, else different groups get one name"
            )
        return pattern

    return check


class GroupNames(Settings):
    """What groups are called in deskbird, where names are unique."""

    pattern: Annotated[str, pydantic.AfterValidator(_pattern("name"))] = Field(
        default="{name}", description="a group's name"
    )
    on_collision: Annotated[str, pydantic.AfterValidator(_pattern("name", "kind"))] = Field(
        default="{name} ({kind})", description="a group's name where another kind already has it"
    )
