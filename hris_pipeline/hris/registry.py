"""The HR systems that can be read: those of this package, and those that other packages declare.

A module or package of ``hris/systems/`` declares its :class:`~hris_pipeline.hris.system.System` as
``SYSTEM`` and has its name in :data:`OURS`. A package of others declares one as an entry point:

.. code-block:: toml

   [project.entry-points."hris_pipeline.systems"]
   paper = "paper_hr:SYSTEM"

The module is imported when its system is first asked for. ``hris-pipeline systems`` prints all.
"""

import functools
from collections.abc import Collection, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from hris_pipeline.contracts.extracts import Connection
from hris_pipeline.errors import PipelineError
from hris_pipeline.hris.system import System, Variant
from hris_pipeline.settings import HrisAccount

GROUP = "hris_pipeline.systems"
OURS = ("personio", "bamboohr", "merge", "files")


class Registry(MutableMapping[str, System]):
    """HR systems by their name in the company file, loaded one by one; a test may put one in by
    hand.
    """

    def __init__(self) -> None:
        self._loaded: dict[str, System] = {}

    @functools.cached_property
    def _declared(self) -> dict[str, list[EntryPoint]]:
        """What declares each of them: one entry point, unless two packages claim one name."""
        found = {
            name: [EntryPoint(name, f"{__package__}.systems.{name}:SYSTEM", GROUP)] for name in OURS
        }
        for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
            found.setdefault(point.name, []).append(point)
        return found

    def __getitem__(self, name: str) -> System:
        if name not in self._loaded:
            self._loaded[name] = _load(name, self._declared[name])
        return self._loaded[name]

    def __setitem__(self, name: str, system: System) -> None:
        self._loaded[name] = system

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._declared, **self._loaded})

    def __len__(self) -> int:
        return len({**self._declared, **self._loaded})

    def __contains__(self, name: object) -> bool:
        return name in self._loaded or name in self._declared


def _load(name: str, points: Sequence[EntryPoint]) -> System:
    """The system that is declared under a name."""
    if len(points) > 1:
        claims = " and ".join(map(_where, points))
        raise PipelineError(
            f"{claims} declare an HR system of the name {name}. Keep one of them installed."
        )
    point = points[0]
    try:
        system = point.load()
    except Exception as problem:
        if point.dist is None:
            raise  # ours: a fault of this package
        what = f"It cannot be imported ({type(problem).__name__})"
    else:
        if isinstance(system, System) and system.name == name:
            return system
        what = f"It is no System of the name {name}"
    raise PipelineError(
        f"{_where(point)} declares the HR system {name}. {what}. Update or uninstall it."
    )


def _where(point: EntryPoint) -> str:
    """Which package an entry point is of, and what it points to."""
    package = f"{point.dist.name} {point.dist.version}" if point.dist else "hris-pipeline"
    return f"{package} ({point.value})"


SYSTEMS = Registry()
"""The HR systems that are installed."""


def connect(
    name: str,
    account: HrisAccount,
    kinds: Collection[str],
    attributes: Collection[str] = (),
    **more: Any,
) -> Connection:
    """One account of a resolved company file, ready to be read; ``name`` is the connection's.

    Of the ``kinds`` of group and the ``attributes`` it reads those that its system delivers.
    ``more`` are other fields of :class:`~hris_pipeline.hris.system.Account`, for tests and
    benchmarks.
    """
    system = SYSTEMS[account.system]
    return system.connect(
        name,
        base_url=account.base_url or system.base_url(account.options) or "",
        credentials={key: secret.get_secret_value() for key, secret in account.credentials.items()},
        options=account.options,
        kinds=tuple(kind for kind in system.kinds_of(account.options) if kind in kinds),
        attributes=tuple(
            name for name in attributes if name in system.attributes_of(account.options)
        ),
        **more,
    )


def table(systems: Mapping[str, System] = SYSTEMS) -> tuple[Variant, ...]:
    """Every way to read an HR system, with what it offers there: one row each of ``hris-pipeline
    systems``.
    """
    return tuple(
        row for system in systems.values() for row in system.variants or (_only_way(system),)
    )


def find(name: str, rows: Sequence[Variant]) -> list[Variant]:
    """The rows that a name means: those of a system, a row's own name, or the beginning of a title;
    an error where none.
    """
    word = _letters(name)
    found = [row for row in rows if row.name == name.lower() or row.said["system"] == name.lower()]
    found = found or [row for row in rows if word and _letters(row.title).startswith(word)]
    if not found:
        known = ", ".join(dict.fromkeys(row.title for row in rows))
        raise PipelineError(
            f"There is no HR system {name!r} here. Nothing was done. Known: {known}."
        )
    return found


def _letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


def _only_way(system: System) -> Variant:
    """The row of a system without variants; a kind of group that is read is offered, whatever else
    is known.
    """
    can = system.capabilities
    read: dict[str, Any] = {
        kind: "yes"
        for kind in ("team", "department", "cost_center")
        if kind in system.group_kinds and getattr(can, kind) == "unknown"
    }
    return Variant(system.name, system.title, f"system: {system.name}", replace(can, **read))
