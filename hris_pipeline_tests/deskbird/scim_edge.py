"""Our side of a sandbox deskbird, a short way to carry out writes, and writes to carry out."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hris_pipeline.contracts.writes import Result, Write
from hris_pipeline.deskbird.apply import carry_out
from hris_pipeline.deskbird.journal import Entry, Journal, read
from hris_pipeline.deskbird.scim import Service
from hris_pipeline.http import RetryPolicy
from hris_pipeline.sandbox.deskbird import PREFIX, DeskbirdApp
from hris_pipeline.sandbox.faults import Fault

NOW = dt.datetime(2026, 3, 2, 3, 30, tzinfo=dt.UTC)
HASTY = RetryPolicy(
    tries=4, first_wait=0.01, longest_wait=0.02, longest_retry_after=0.05, in_all=10
)


@dataclass
class Edge:
    """A deskbird and our side of it."""

    app: DeskbirdApp
    service: Service
    journal_path: Path
    remembered: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    doubts: set[str] = field(default_factory=set)
    ids: dict[str, str] = field(default_factory=dict)

    def run(
        self,
        *writes: Write,
        dialect: str = "rfc",
        stop: Callable[[], bool] = lambda: False,
        look: bool | None = None,
        **more: Any,
    ) -> dict[int, Result]:
        """Carry writes out. In a fixed dialect nothing is read back, unless ``look`` says so: many
        tests count requests.
        """
        look = dialect == "auto" if look is None else look
        with Journal(self.journal_path) as journal:
            results = carry_out(
                "plan", writes, self.service, journal, dialect=dialect, remembered=self.remembered,
                ids=self.ids, stop=stop, progress=lambda *_: None, now=lambda: NOW,
                evidence=self.evidence, doubts=self.doubts, look=look, **more,
            )  # fmt: skip
            found = {result.request: result for result in results}
        assert len(found) == len(writes)
        return found

    def outcomes(self, *writes: Write, **more: Any) -> list[str]:
        return [result.outcome for _, result in sorted(self.run(*writes, **more).items())]

    def fail(self, on: str, kind: str, **more: Any) -> None:
        self.app.faults.add(Fault(on, kind, **more))

    def asked(self) -> list[str]:
        """Every request so far, as ``METHOD /path`` below the service's address."""
        return [
            f"{asked.method} {asked.path.removeprefix(PREFIX)}"
            for asked in self.app.faults.requests()
        ]

    def written(self) -> list[str]:
        return [line for line in self.asked() if not line.startswith("GET")]

    def journal(self) -> list[Entry]:
        return read(self.journal_path)


def create(request: int, name: str, **more: Any) -> Write:
    """A person's creation; ``name`` makes marker, address and names."""
    given = {
        "hris_ref": f"p:{name}",
        "email": f"{name}@example.com",
        "given_name": name.title(),
        "family_name": "Tester",
        "display_name": f"{name.title()} Tester",
        "active": True,
    }
    return Write(request, more.pop("stage", 1), "create_user", f"p:{name}", None, given, **more)


def update(
    request: int,
    name: str,
    deskbird_id: str | None,
    before: dict[str, Any],
    after: dict[str, Any],
    **more: Any,
) -> Write:
    return Write(
        request,
        more.pop("stage", 1),
        "update_user",
        f"p:{name}",
        deskbird_id,
        after,
        before,
        **more,
    )
