"""The HR systems that are installed: each way to read one, what it offers there, and its
options.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from pydantic import BaseModel, BeforeValidator

from hris_pipeline.hris.registry import SYSTEMS, find, table
from hris_pipeline.hris.system import System, Variant


@dataclass(frozen=True)
class Option:
    """One option of a system; those of a section have their whole path."""

    path: str
    required: bool
    default: str | None  # as JSON; None for a section
    about: str | None


@dataclass(frozen=True)
class Offer:
    """One way to read an HR system, and the system by which it is read."""

    row: Variant
    system: System

    @property
    def options(self) -> list[Option]:
        """The options of the system, in the order of its declaration."""
        return list(_options(self.system.options))


def read(name: str | None = None) -> list[Offer]:
    """Every way to read one; with a name, those that it means (an error where it means none)."""
    every = table()
    rows = find(name, every) if name else list(every)
    return [Offer(row, SYSTEMS[row.said["system"]]) for row in rows]


def _options(options: type[BaseModel], above: str = "") -> Iterator[Option]:
    for name, field in options.model_fields.items():
        kinds = (field.annotation, *get_args(field.annotation))
        section = next(
            (kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)),
            None,
        )
        default = field.get_default(call_default_factory=True)
        shown = None if isinstance(default, BaseModel) else json.dumps(default, default=str)
        yield Option(f"{above}{name}", field.is_required(), shown, field.description)
        if section is not None and not any(
            isinstance(each, BeforeValidator) for each in field.metadata
        ):
            yield from _options(section, f"{above}{name}.")
