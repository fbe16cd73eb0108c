"""The HR systems: each connection's probes, then everybody read once."""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import Any

from hris_pipeline.contracts.extracts import Progress
from hris_pipeline.errors import WarehouseError
from hris_pipeline.hris.registry import SYSTEMS, connect
from hris_pipeline.operations.doctor.findings import NOT_ASKED, PEOPLE, Finding, tried
from hris_pipeline.operations.doctor.rehearsal import rehearsed
from hris_pipeline.settings import Company


def asked(
    company: Company,
    now: dt.datetime,
    progress: Progress,
    counts: dict[str, Any],
    silent: Collection[str],
) -> Iterator[Finding]:
    """Each connection's probes, then everybody, as a night would read them; ``silent`` are those
    that cannot be asked.
    """
    told: dict[str, set[str]] = {}
    refused = False
    for name, account in company.hris.items():
        told[name] = set()
        if f"hris.{name}" in silent:
            refused = True
            yield Finding("note", name, SYSTEMS[account.system].title, NOT_ASKED)
            continue
        for probe in connect(
            name, account, company.kinds_read, company.sync.attributes, timezone=company.timezone
        ).probes():
            finding = tried(probe, name, company)
            refused = refused or (probe.needed and probe.problem is not None)
            if probe.problem and probe.attribute:
                told[name].add(probe.attribute)
            yield finding
    if refused:
        yield Finding(
            "note",
            PEOPLE,
            "people",
            "Nobody was read, because something without which no night works is missing.",
        )
        return
    try:
        yield from rehearsed(company, now, progress, told, counts)
    except WarehouseError as problem:
        yield Finding("missing", PEOPLE, "room for reading everybody once", str(problem))
