"""What is odd about deskbird's own lists, in words."""

from collections.abc import Mapping
from typing import Any

from hris_pipeline.deskbird.listing import NOTES
from hris_pipeline.presentation import clean, moment
from hris_pipeline.reports.oddities import Oddities, Unread
from hris_pipeline.wording import count

CODES: Mapping[str, str] = {
    "no_record": "it is no record",
    "id_unknown": "its id cannot be read",
    "marker_unknown": "its externalId cannot be read, so whose it is is not known",
    "address_unknown": "its address cannot be read, so whose it is is not known",
    "active_unknown": "whether it is active cannot be read",
    "name_unknown": "its name cannot be read, so whose it is is not known",
}
"""Why a record cannot be used, by its code."""

_SHOWN = 20
_WORDS: Mapping[str, str] = {str(code): words for code, words in NOTES.items()}


def sentence(one: Unread) -> str:
    """Which record it is and what is wrong with it."""
    which = one.deskbird_id or f"record {one.position} of page {one.page}"
    owner = f", of {one.hris_ref}" if one.hris_ref else ""
    return clean(
        f"deskbird {one.resource}: {which}{owner}: "
        f"{CODES.get(one.code, one.code.replace('_', ' '))}"
    )


def lines(found: Oddities, timezone: str) -> list[str]:
    """What a screen says of them; nothing where nothing is odd."""
    said = []
    for resource in ("users", "groups"):
        some = [one for one in found.unread if one.resource == resource]
        if some:
            since = moment(min(one.since for one in some), timezone)
            what = count(len(some), f"record of the {resource}", f"records of the {resource}")
            said.append(
                f"{what} cannot be read, since {since}: left alone, and nobody is created who "
                "could be it; see review"
            )
    said += [
        f"the list of {resource} was read to its own end, but {_WORDS.get(note, note)}"
        for resource, note in found.notes
    ]
    if found.partial:
        groups = count(found.partial, "group shows", "groups show")
        members = count(found.hidden, "member is", "members are")
        said.append(
            f"{groups} only a part of the members; {members} hidden and compared with what "
            "deskbird acknowledged"
        )
    return said


def for_review(found: Oddities) -> list[str]:
    """Each record that cannot be read, in a line; who must do something about it."""
    said = [sentence(one) for one in found.unread[:_SHOWN]]
    more = len(found.unread) - _SHOWN
    return [*said, *([f"... and {more:,} more, in state.unreadable_records"] if more > 0 else [])]


def as_json(found: Oddities) -> dict[str, Any]:
    """For programs."""
    return {
        "unreadable_records": [vars(one) for one in found.unread],
        "notes": [{"list": resource, "note": note} for resource, note in found.notes],
        "groups_shown_in_part": found.partial,
        "hidden_members": found.hidden,
    }
