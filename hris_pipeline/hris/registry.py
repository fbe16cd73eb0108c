"""The HR systems that can be read. To add one: a module that declares a ``System``, and its name here.

``hris-pipeline systems`` prints this list.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hris_pipeline.contracts.extracts import Connection
from hris_pipeline.errors import PipelineError
from hris_pipeline.hris.system import System, Variant
from hris_pipeline.hris.systems import bamboohr, files, merge, personio
from hris_pipeline.settings import HrisAccount

SYSTEMS: dict[str, System] = {system.name: system for system in (personio.SYSTEM, bamboohr.SYSTEM, merge.SYSTEM, files.SYSTEM)}


def connect(name: str, account: HrisAccount, kinds: Collection[str], **more: Any) -> Connection:
    """One account of a resolved company file, ready to be read; ``name`` is the connection's.

    Of the ``kinds`` of group it reads those that its system delivers. ``more`` are other fields of
    :class:`~hris_pipeline.hris.system.Account`, for tests and benchmarks.
    """
    system = SYSTEMS[account.system]
    return system.connect(
        name,
        base_url=account.base_url or system.base_url(account.options) or "",
        credentials={key: secret.get_secret_value() for key, secret in account.credentials.items()},
        options=account.options,
        kinds=tuple(kind for kind in system.kinds_of(account.options) if kind in kinds),
        **more,
    )


def table(systems: Mapping[str, System] = SYSTEMS) -> tuple[Variant, ...]:
    """Every way to read an HR system, with what it offers there: one row each of ``hris-pipeline systems``."""
    return tuple(row for system in systems.values() for row in (system.variants or (_only_way(system),)))


def find(name: str, rows: Sequence[Variant]) -> list[Variant]:
    """The rows that a name means: those of a system, a row's own name, or the beginning of a title; an error where none."""
    word = _letters(name)
    found = [row for row in rows if row.name == name.lower() or row.said["system"] == name.lower()]
    found = found or [row for row in rows if word and _letters(row.title).startswith(word)]
    if not found:
        known = ", ".join(dict.fromkeys(row.title for row in rows))
        raise PipelineError(f"There is no HR system {name!r} here. Nothing was done. Known: {known}.")
    return found


def _letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


def _only_way(system: System) -> Variant:
    """The row of a system without variants; a kind of group that is read is offered, whatever else is known."""
    can = system.capabilities
    read: dict[str, Any] = {
        kind: "yes"
        for kind in ("team", "department", "cost_center")
        if kind in system.group_kinds and getattr(can, kind) == "unknown"
    }
    return Variant(system.name, system.title, f"system: {system.name}", replace(can, **read))
