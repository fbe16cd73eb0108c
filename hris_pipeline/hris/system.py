"""What every HR system declares: what it needs, what it can deliver and what it cannot; the registry is in ``systems.py``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

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


Answer = Literal["yes", "partly", "no", "unknown"]
"""Whether a system offers something; ``unknown``: it depends on the account, or no document says."""

Evidence = Literal["specification", "client", "facts"]
"""How sure we are: the vendor's own specification, an official or public client, or second-hand facts only."""


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What the HR system itself offers: one row of the table that ``hris-pipeline systems`` prints.

    Whether the pipeline carries it over is another matter: it does not take photos or absences yet.
    """

    authentication: str
    leavers: str  # how somebody who left shows
    completeness: str  # how complete a read can be proven
    rate: str
    manager: Answer = "unknown"
    team: Answer = "unknown"
    department: Answer = "unknown"
    cost_center: Answer = "unknown"
    nested_groups: Answer = "unknown"  # whether a unit names the one above it
    photo: Answer = "unknown"
    absences: Answer = "unknown"
    half_days: Answer = "unknown"  # of absences
    changed_since: Answer = "unknown"  # whether only what changed since a moment can be asked for
    evidence: Evidence = "facts"
    delivers: tuple[str, ...] = ()  # what else is worth knowing, in plain words
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Variant:
    """One of several ways to read through one system, where they differ in what they offer."""

    name: str  # one word, for `hris-pipeline systems NAME`
    title: str
    how: str  # what the company file says: "system: personio, options: {api: v1}"
    capabilities: Capabilities


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
    variants: tuple[Variant, ...] = ()  # none: there is one way only, and ``capabilities`` is it
    words: Mapping[str, str] = field(default_factory=dict)  # what its own screens call our columns and kinds of group
    address: Callable[[Any], str] | None = None  # the address for some options, where the vendor has several

    def base_url(self, options: BaseModel) -> str:
        """Where the system is, unless the company file says otherwise."""
        return self.address(options) if self.address else self.default_base_url
