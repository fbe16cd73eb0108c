"""What every HR system declares: what it needs, what it can deliver and what it cannot; the registry is in ``systems.py``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

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


@dataclass(frozen=True)
class System:
    """One HR system."""

    name: str  # in the company file
    title: str
    credentials: tuple[str, ...]  # keys required in the company file
    options: type[BaseModel]
    default_base_url: str
    group_kinds: tuple[str, ...]
    statuses: Mapping[str, Status]  # its own words in lower case; a word that is not here is never guessed (case 14)
    capabilities: Capabilities
    connect: Connect
    photos: bool = False  # whether its connections are a ``hris.photos.PhotoSource`` too
