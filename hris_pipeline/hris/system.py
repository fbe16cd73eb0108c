"""What every HR system declares: what it needs, what it can deliver and what it cannot; the registry is in ``systems.py``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import httpx  # noqa: TID251 - an edge
from pydantic import BaseModel

from hris_pipeline.hris.extract import Connection, Status


class Connect(Protocol):
    """Makes a connection, without asking for anything yet."""

    def __call__(
        self,
        name: str,
        *,
        base_url: str,
        credentials: Mapping[str, str],
        options: BaseModel,
        kinds: Sequence[str],
        transport: httpx.BaseTransport | None = None,
    ) -> Connection:
        """``kinds`` are the group kinds to sync; ``transport`` takes the place of the network in benchmarks."""
        ...


@dataclass(frozen=True)
class Capabilities:
    """What to expect of a system, in plain words."""

    authentication: str
    delivers: tuple[str, ...]
    lacks: tuple[str, ...]
    leavers: str  # how somebody who left shows
    completeness: str  # how complete a read can be proven
    rate: str


@runtime_checkable
class Own(Protocol):
    """Options that say themselves what a connection delivers, because its system has no kinds and no words of its own."""

    @property
    def group_kinds(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def status_words(self) -> Mapping[str, Status]: ...  # noqa: D102


@dataclass(frozen=True)
class System:
    """One HR system."""

    name: str  # in the company file
    title: str
    credentials: tuple[str, ...]  # keys required in the company file
    options: type[BaseModel]
    default_base_url: str | None  # None: it has no address of its own
    group_kinds: tuple[str, ...]
    statuses: Mapping[str, Status]  # its own words in lower case; a word that is not here is never guessed (case 14)
    capabilities: Capabilities
    connect: Connect
    optional_credentials: tuple[str, ...] = ()

    def kinds_of(self, options: BaseModel) -> tuple[str, ...]:
        """The kinds of group that a connection with these options delivers."""
        return options.group_kinds if isinstance(options, Own) else self.group_kinds

    def statuses_of(self, options: BaseModel) -> Mapping[str, Status]:
        """The words for a status in a connection with these options."""
        return options.status_words if isinstance(options, Own) else self.statuses
