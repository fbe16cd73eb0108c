"""What is missing before a company goes live, and where it is switched on: `hris-pipeline doctor`.

It tries every credential and permission, reads the HR systems once into a warehouse of its own that
is thrown away, and tries on nothing that exists whether deskbird understands what would be sent. It
changes nothing in deskbird and nothing of the company's.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from hris_pipeline import settings
from hris_pipeline.contracts.extracts import Progress
from hris_pipeline.errors import SettingsError
from hris_pipeline.operations import companies
from hris_pipeline.operations.doctor import company_file, connections, service
from hris_pipeline.operations.doctor.findings import DESKBIRD, FILE, NOT_ASKED, Diagnosis, Finding

_STAND_IN = "https://unset.invalid"  # for what is not set; whoever needs it is not asked


def diagnose(
    name: str, *, now: dt.datetime, offline: bool = False, progress: Progress
) -> Diagnosis:
    """Look at everything of a company; what goes wrong is a finding. ``offline`` asks nobody."""
    counts: dict[str, Any] = {}
    return Diagnosis(
        name, offline, tuple(_findings(name, now, progress, counts, offline=offline)), counts
    )


def _findings(
    name: str, now: dt.datetime, progress: Progress, counts: dict[str, Any], *, offline: bool
) -> Iterator[Finding]:
    try:
        company = companies.load(name)
    except SettingsError as problem:
        there = name in settings.company_names()
        remedy = (
            "Correct it there; companies/example.yaml.txt shows every key."
            if there
            else f"`hris-pipeline init {name}` writes one."
        )
        yield from _lines(problem, "the company file", remedy)
        return
    yield Finding("ok", FILE, f"{company.file} is valid")
    yield from company_file.configured(company)
    unset = settings.unusable_variables(company)
    yield from company_file.environment(unset)
    if offline:
        yield Finding(
            "note",
            FILE,
            "the HR systems and deskbird",
            "They were not asked, because of --offline.",
        )
        return
    try:
        resolved = companies.resolve(company, stand_in=_STAND_IN)
    except SettingsError as problem:
        yield from _lines(problem, "what the environment variables hold", "Correct the variable.")
        return
    yield from company_file.news(resolved, {path for path, _, _ in unset})
    silent = {DESKBIRD, *(f"hris.{connection}" for connection in company.hris)}
    silent = {who for who in silent if any(path.startswith(f"{who}.") for path, _, _ in unset)}
    yield from connections.asked(resolved, now, progress, counts, silent)
    if DESKBIRD in silent:
        yield Finding("note", DESKBIRD, "deskbird", NOT_ASKED)
    else:
        yield from service.asked(resolved)


def _lines(problem: SettingsError, what: str, remedy: str) -> Iterator[Finding]:
    for line in str(problem).splitlines():
        yield Finding("missing", FILE, what, line, remedy)
