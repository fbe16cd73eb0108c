"""What is asked of the tables each night, as facts in plain English.

A check is judged inside its asset's own step, before anything is published: an asset that breaks
its contract yields the failing verdict and then fails, and the last good table stays. The other
verdicts are news, told once by a sensor, and stop nothing.
"""

import dagster as dg

from hris_pipeline.contracts.tables import Table
from hris_pipeline.orchestration.tables import Metadata, key

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR

EXTRACT_IS_PROVEN = "extract_is_proven"
SOURCE_STILL_CHANGES = "source_still_changes"
CONTRACT_HOLDS = "contract_holds"
RECORDS_ARE_NOT_QUARANTINED = "records_are_not_quarantined"
SCOPE_RULES_MATCH_SOMEBODY = "scope_rules_match_somebody"
REPORTING_LINES_ARE_SOUND = "reporting_lines_are_sound"
DESKBIRD_WAS_READ_COMPLETELY = "deskbird_was_read_completely"
EVERY_RECORD_WAS_READ = "every_record_was_read"
PHOTOS_WERE_READ = "photos_were_read"
GUARDS_HOLD = "guards_hold"
EVERY_ATTRIBUTE_CAME = "every_attribute_came"
EVERY_CHANGE_WAS_APPLIED = "every_change_was_applied"
DESKBIRD_IS_IN_LINE = "deskbird_is_in_line"
DESKBIRD_WAS_NOT_CHANGED_BY_HAND = "deskbird_was_not_changed_by_hand"
WHAT_IS_WRITTEN_STICKS = "what_is_written_sticks"

FATAL = {CONTRACT_HOLDS, DESKBIRD_WAS_READ_COMPLETELY}
"""What ends the run where it fails."""

DESCRIPTIONS = {
    EXTRACT_IS_PROVEN: (
        "The HR system was read completely, and something proves it. Without proof nothing is "
        "taken away."
    ),
    SOURCE_STILL_CHANGES: (
        "Something changed in the HR system lately. One that stands still may be frozen."
    ),
    CONTRACT_HOLDS: (
        "The table keeps its contract; if it does not, the last good table is left in place."
    ),
    RECORDS_ARE_NOT_QUARANTINED: (
        "No record breaks a rule. One that does is held back; its person keeps whatever deskbird "
        "has."
    ),
    SCOPE_RULES_MATCH_SOMEBODY: (
        "Every rule of sync.scope is about somebody. One that is not may be misspelt."
    ),
    REPORTING_LINES_ARE_SOUND: (
        "Every manager is known, has not left, and no reporting line leads back to itself."
    ),
    DESKBIRD_WAS_READ_COMPLETELY: (
        "deskbird's list was read to its own end, each record once, and no fewer than its total "
        "says."
    ),
    EVERY_RECORD_WAS_READ: (
        "Of every record on deskbird's list it can be told whose it is. One of which it cannot is "
        "left alone."
    ),
    PHOTOS_WERE_READ: (
        "Every photo that was asked for came, or there is none. What is not known is left as it is "
        "in deskbird."
    ),
    GUARDS_HOLD: (
        "No guard has stopped a kind of change that looks dangerous. What is stopped waits for an "
        "approval."
    ),
    EVERY_ATTRIBUTE_CAME: (
        "The HR system gives every attribute, kind of group and manager that came before or that "
        "the company file names. What comes for nobody is not cleared."
    ),
    EVERY_CHANGE_WAS_APPLIED: (
        "deskbird took every change that was sent, and none had become stale."
    ),
    DESKBIRD_IS_IN_LINE: (
        "After the night deskbird holds what the HR system wants, except what a guard holds back, "
        "and nothing differs from what the run left."
    ),
    DESKBIRD_WAS_NOT_CHANGED_BY_HAND: (
        "Nobody else has changed the users and groups that are ours, or it may stay so."
    ),
    WHAT_IS_WRITTEN_STICKS: (
        "deskbird holds what it accepted. What it did not hold three nights in a row is not "
        "written again."
    ),
}


def check(company: str, table: Table, name: str) -> dg.AssetCheckSpec:
    """The declaration of a check."""
    return dg.AssetCheckSpec(name, asset=key(company, table), description=DESCRIPTIONS[name])


def verdict(
    company: str,
    table: Table,
    name: str,
    *,
    passed: bool,
    counts: Metadata,
    why: str | None = None,
    severity: dg.AssetCheckSeverity = ERROR,
) -> dg.AssetCheckResult:
    """What a check found: counts, and a sentence without personal data."""
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=key(company, table),
        passed=bool(passed),
        severity=severity,
        description=why,
        metadata=dict(counts),
    )
