"""What waits and what is to be corrected, in words: each rule, each user in question, each
record.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from hris_pipeline import identity
from hris_pipeline.contracts.tables import EMAIL_IS_UNIQUE, OTHER_RECORDS_ARE_SOUND
from hris_pipeline.people import status
from hris_pipeline.presentation import clean
from hris_pipeline.reports.review import UNREADABLE, Correction, Waiting, is_decided_by_command

CONTRADICTIONS = {**status.CONTRADICTIONS, **identity.CONTRADICTIONS}
"""What does not go together, in one record or between two, by code."""
HELD_BACK = {
    "status_is_known": (
        "Its status is a word that is not known. Correct it, or say in the company file what it "
        "means."
    ),
    "email_is_present": "It has no work e-mail. Enter one; a private address does not count.",
    "email_is_valid": "Its work e-mail cannot be an address. Correct it.",
    "name_is_present": "It has neither a first nor a last name. Enter one.",
    "dates_are_readable": "Its first or last day is not a date. Correct it.",
    "rows_agree": (
        "The file has rows of this person that contradict each other. Correct or remove one."
    ),
    EMAIL_IS_UNIQUE.name: (
        "Another person who has not left has the same work e-mail. Correct one of the two."
    ),
    OTHER_RECORDS_ARE_SOUND.name: "Another record of the person is held back. Correct that one.",
}
"""Why a record is held back, by the rule: what is wrong and which field the HR department corrects.
"""

RULES: Mapping[str, str] = {
    "several_users_carry_the_marker": (
        "More than one user in deskbird carries the record's marker."
    ),
    "several_users_belong_to_the_person": (
        "The person's records have different users in deskbird, by their markers or links."
    ),
    "link_and_marker_disagree": (
        "The link that we keep names another user than the marker in deskbird does."
    ),
    "foreign_external_id": (
        "The user who could be the person carries another system's externalId, an identity "
        "provider's perhaps; it is not overwritten unless somebody says so."
    ),
    "several_users_share_the_email": (
        "More than one user in deskbird has the person's e-mail address."
    ),
    "id_given_to_somebody_else": (
        "The record has another first name, last name, address and first day than the person whose "
        "user this is: perhaps its id was given to somebody else. Nothing of the user is changed "
        "until somebody decides: `link` if it is the same person, `separate` if not; then the "
        "record gets a user of its own, and the old one is left to you."
    ),
    "email_belongs_to_another_person": (
        "The user with the person's e-mail address belongs to another record: perhaps the address "
        "is used for the second time."
    ),
    "several_people_match_the_user": (
        "More than one person has the e-mail address of the same user."
    ),
    "email_is_taken": (
        "The address that the person has now is held by somebody else's user. Correct it there or "
        "in the HR system; all else about the person is kept in line."
    ),
    UNREADABLE: (
        "deskbird gives the person's user in a form that cannot be read, so nothing is changed "
        "about the person. deskbird's support can put the user right; another user is not "
        "created."
    ),
    "fails_for_28_days": (
        "deskbird has refused every write about the person for 28 days. `hris-pipeline explain` "
        "shows its answers; correct the record in the HR system or the user in deskbird."
    ),
    "link_groups_finds_nothing": (
        "A rule of the company file's sync.link_groups names a unit or a group that is not there. "
        "Correct it."
    ),
    "link_groups_finds_several": (
        "A rule of the company file's sync.link_groups fits several units or groups, or the same "
        "as another rule. Write ids."
    ),
    "link_groups_finds_the_group_of_another_unit": (
        "A rule of the company file's sync.link_groups names a group that belongs to another unit "
        "that people are in. Correct it."
    ),
    "link_groups_leaves_another_group": (
        "A rule of the company file's sync.link_groups gives the unit another group than it has "
        "had; the old one is left alone. Delete it in deskbird or take the rule away."
    ),
}
"""Why something waits, by the rule's name, in one plain sentence or two."""


def meaning(rule: str) -> str:
    """The rule in words."""
    return RULES.get(rule, f"{rule.replace('_', ' ').capitalize()}.")


def commands(one: Waiting, company: str) -> list[str]:
    """What decides it; one of them for each user that comes into question."""
    if not is_decided_by_command(one.rule):
        return []
    ids = [candidate["deskbird_id"] for candidate in one.candidates]
    words = ("link",) if one.rule == "email_is_taken" else ("link", "separate")
    return [f"hris-pipeline {word} {company} {one.hris_ref} {id_}" for word in words for id_ in ids]


def correction_meaning(one: Correction) -> str:
    """What is wrong and which field is to be corrected."""
    return CONTRADICTIONS.get(one.code) or HELD_BACK.get(one.code) or f"It breaks rule {one.code}."


def correction_said(one: Correction) -> str:
    """What the record says, and what follows from it tonight."""
    if one.decided is None:
        return "held back: nothing about the person is changed"
    return said(one.word, one.first_day, one.last_day, one.decided)


def said(
    word: str | None, first_day: dt.date | None, last_day: dt.date | None, decided: str
) -> str:
    """``status active, first day 2026-02-01, last day 2024-05-31; counts as active``."""
    days = f"first day {first_day or 'none'}, last day {last_day or 'none'}"
    return f"status {word}, {days}; counts as {decided}".replace("_", " ")


def candidate_line(candidate: Mapping[str, Any]) -> str:
    """``u7  Ada Beispiel  ada@example.com  active, of personio:9``."""
    state = {True: "active", False: "inactive", None: "a group"}[candidate["active"]]
    if not candidate["there"]:
        state = "not there any more"
    elif candidate["hris_ref"]:
        state += f", of {candidate['hris_ref']}"
    elif candidate["external_id"]:
        state += f", carries externalId {candidate['external_id']}"
    parts = (candidate["deskbird_id"], candidate["name"], candidate["email"], state)
    return clean("  ".join(part for part in parts if part))


def facts_line(candidate: Mapping[str, Any]) -> str:
    """``agrees: email; differs: given name, family name``."""
    found = {
        relation: ", ".join(candidate.get(relation) or ()).replace("_", " ")
        for relation in ("agrees", "differs")
    }
    return "; ".join(f"{relation}: {facts}" for relation, facts in found.items() if facts)
