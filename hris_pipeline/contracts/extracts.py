"""What reading one account of an HR system yields, and what can read it.

*Failed* is an exception (:class:`~hris_pipeline.errors.HrisError`): nothing is published.
*Unproven* means that all pages were read but the proof is missing or contradicts: it may create
and update, never take away. *Proven* may do both.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from hris_pipeline.contracts.probes import Probe

Proof = Literal["unproven", "proven"]
Status = Literal["active", "on_leave", "upcoming", "ended", "not_active"]
"""What a system's status word means; ``not_active``: of those who left, and as well of those whose
first day is still to come.
"""
Progress = Callable[[str, int, int | None], None]
"""Called with the resource, the records read so far and the number expected, where it is known."""


@dataclass(frozen=True)
class Extract:
    """One resource of one connection, read to its end.

    ``path`` is an Arrow IPC stream file whose columns are those of the resource's contract
    (``contracts.tables.EMPLOYEES`` or ``contracts.tables.ORG_UNITS``); it lies beside the warehouse
    with mode 0600 and is deleted once it is loaded.
    """

    resource: Literal["employees", "org_units"]
    path: Path
    pages: int
    records: int  # people (not employments) or units
    expected: int | None  # the total that the system gave
    proof: Proof
    why: str  # one plain sentence: what proves it, or what is missing
    vanished: tuple[str, ...] = ()  # mapped attributes whose key came in no record
    # only what changed since a moment: added to what is there, never in its place
    partial: bool = False


class Connection(Protocol):
    """One HRIS account, ready to be read."""

    def read(self, directory: Path, progress: Progress) -> tuple[Extract, ...]:
        """Read employees and org units completely into ``directory``, or raise
        :class:`~hris_pipeline.errors.HrisError`.
        """
        ...

    def probes(self) -> Iterator[Probe]:
        """Try the credential, then each right and list that a read needs, by one page; a refusal is
        a probe, no exception.
        """
        ...


class ChangesConnection(Connection, Protocol):
    """One of a system that can say what changed since a moment (``System.reads_changes``)."""

    def read(
        self, directory: Path, progress: Progress, since: dt.datetime | None = None
    ) -> tuple[Extract, ...]:
        """With ``since`` (UTC) only who changed after it, as partial extracts: added to what is
        there, proving nothing.
        """
        ...
