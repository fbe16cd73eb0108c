"""What `doctor` finds: in order, missing, or worth knowing."""

from dataclasses import dataclass, field
from typing import Any, Literal

from hris_pipeline.contracts.probes import Probe
from hris_pipeline.settings import Company

State = Literal["ok", "missing", "note"]
FILE, PEOPLE, DESKBIRD = "company file", "people", "deskbird"
NOT_ASKED = "It was not asked, because a variable that it needs is not set."


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: in order, missing, or worth knowing."""

    state: State
    area: str  # the company file, a connection, people, deskbird
    what: str
    problem: str | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Diagnosis:
    """All findings, in the order in which they were made, and what the complete read would come
    to.
    """

    company: str
    offline: bool
    findings: tuple[Finding, ...]
    counts: dict[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """1 where something is missing, else 0."""
        return int(any(finding.state == "missing" for finding in self.findings))


def tried(probe: Probe, area: str, company: Company) -> Finding:
    """What came of a probe; missing where the company file cannot do without it."""
    if probe.problem is None:
        return Finding("ok", area, probe.what)
    missing = probe.needed or (probe.attribute is not None and is_wanted(company, probe.attribute))
    return Finding("missing" if missing else "note", area, probe.what, probe.problem, probe.remedy)


def is_wanted(company: Company, attribute: str) -> bool:
    """Whether the company file wants something that nobody has without this attribute."""
    return attribute in company.kinds_read or (attribute == "manager_id" and company.sync.managers)
