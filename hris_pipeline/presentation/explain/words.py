"""What is known of one person, in words that the answer and the sections share."""

from collections.abc import Mapping

from hris_pipeline.contracts.tables import RULES
from hris_pipeline.presentation.review.words import CONTRADICTIONS
from hris_pipeline.reports.explain.compared import Compared, Source, Why
from hris_pipeline.reports.queries import Row
from hris_pipeline.wording import count

_RULES = {rule.name: rule.doc for rule in RULES}
_SOURCES: Mapping[Source, str] = {
    "read": "read",
    "acknowledged": "acknowledged",
    "not_given_back": "not given back",
    "no_user": "no user",
}
"""How it is known what deskbird has."""
_KEPT = "kept: somebody changed it in deskbird, and the company file's sync.drift leaves that so"
_WHY: Mapping[Why | None, str] = {
    "not_to_be_active": "the person is not to be active",
    "not_retained": "deskbird accepted it three nights in a row and did not hold it",
    "refused": (
        "deskbird refused it three nights in a row; it is tried again when the HR system wants "
        "another value"
    ),
    "address_is_taken": "somebody else's user has the address",
    "not_delivered": "the HRIS did not deliver it",
    "empty": "empty in the HRIS, kept in deskbird",
}
"""Why something is not compared, or left alone."""


def rule_meaning(broken: Row) -> str:
    """What must hold where a record is held back."""
    return _RULES.get(broken["rule"]) or str(broken["rule"]).replace("_", " ")


def contradiction_meaning(found: Row) -> str:
    """What does not go together, and what is to be corrected."""
    return CONTRADICTIONS.get(found["code"]) or str(found["code"]).replace("_", " ")


def reads_so_far(missing: Row) -> str:
    """How long somebody is missing, and when they count as gone."""
    so_far = f"{count(missing['complete_reads'], 'complete read')} without it so far"
    return (
        f"{so_far}; it counts as gone after {missing['reads_needed']} and "
        f"{missing['hours_needed']} hours"
    )


def source(row: Compared) -> str:
    """How it is known what deskbird has."""
    return _SOURCES[row.source]


def verdict(row: Compared) -> str:
    """What follows of a row."""
    code, why, change = row.verdict.code, row.verdict.why, row.verdict.change
    if change is not None:
        held = code == "held_back"
        return (
            f"held back by {change.guard}"
            if held
            else f"{change.object} {change.action} is planned"
        )
    if code == "kept":
        return _KEPT
    if code == "not_ours":
        return "not ours, left alone"
    if code == "not_known":
        return "not known: deskbird does not give it back"
    if why == "not_yet":
        return "not compared yet"
    if why == "reporting_line":
        return f"left alone: the reporting line has the problem '{row.problem}'"
    plain = code.replace("_", " ") if code != "nothing_there" else "nothing is there"
    return f"{plain}: {_WHY[why]}" if why in _WHY else plain
