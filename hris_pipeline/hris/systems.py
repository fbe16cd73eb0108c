"""The HR systems that can be read: what each needs, what it can deliver and what it cannot.

To add one: a module with ``connect`` and its options, and an entry here. ``hris-pipeline systems`` prints this list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import httpx  # noqa: TID251 - an edge
from pydantic import BaseModel

from hris_pipeline.hris import personio
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


PERSONIO = System(
    name="personio",
    title="Personio",
    credentials=personio.CREDENTIALS,
    options=personio.Options,
    default_base_url=personio.BASE_URL,
    group_kinds=personio.GROUP_KINDS,
    statuses=personio.STATUSES,
    capabilities=Capabilities(
        authentication=(
            "client id and secret of an API credential (Settings > Integrations > API credentials) with read access to persons or"
            " employees, to the organisational units that are synced, and to each attribute by name"
        ),
        delivers=(
            "people with parallel and future employments (v2) or their current one (v1)",
            "managers",
            "teams, departments, cost centers, workplaces, legal entities",
        ),
        lacks=("changes of units without a full read", "one request for everybody's employments (v2 needs one for each person)"),
        leavers="stay listed: active until the termination date has passed, then inactive; deleted people just disappear",
        completeness="v1 gives a total; v2 gives none, so it is compared with v1's where the credential may read that too",
        rate="v2 about 30 requests a second on each path; v1 300 a minute",
    ),
    connect=personio.connect,
)

SYSTEMS: dict[str, System] = {system.name: system for system in (PERSONIO,)}
