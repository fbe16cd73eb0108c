"""What is odd about deskbird's own lists: records that cannot be read, totals that do not fit, groups that show only a part."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from hris_pipeline.deskbird.listing import NOTES
from hris_pipeline.presentation import clean, moment
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


@dataclass(frozen=True)
class Unread:
    """A record that could not be read: by its id, or where it stood. Never a value of it."""

    resource: str  # users or groups
    deskbird_id: str | None
    page: int
    position: int
    code: str
    hris_ref: str | None
    since: dt.datetime

    @property
    def sentence(self) -> str:
        """Which it is and what is wrong with it."""
        which = self.deskbird_id or f"record {self.position} of page {self.page}"
        owner = f", of {self.hris_ref}" if self.hris_ref else ""
        return clean(f"deskbird {self.resource}: {which}{owner}: {CODES.get(self.code, self.code.replace('_', ' '))}")


@dataclass(frozen=True)
class Oddities:
    """All of them."""

    unread: tuple[Unread, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()  # list, code
    partial: int = 0  # groups that show only a part of their members
    hidden: int = 0  # members whom they do not show

    def lines(self, timezone: str) -> list[str]:
        """What a screen says of them; nothing where nothing is odd."""
        found = []
        for resource in ("users", "groups"):
            some = [one for one in self.unread if one.resource == resource]
            if some:
                since = moment(min(one.since for one in some), timezone)
                what = count(len(some), f"record of the {resource}", f"records of the {resource}")
                found.append(
                    f"{what} cannot be read, since {since}: left alone, and nobody is created who could be it; see review"
                )
        found += [
            f"the list of {resource} was read to its own end, but {_WORDS.get(note, note)}" for resource, note in self.notes
        ]
        if self.partial:
            groups = count(self.partial, "group shows", "groups show")
            members = count(self.hidden, "member is", "members are")
            found.append(f"{groups} only a part of the members; {members} hidden and compared with what deskbird acknowledged")
        return found

    def for_review(self) -> list[str]:
        """Each record that cannot be read, in a line; who must do something about it."""
        found = [one.sentence for one in self.unread[:_SHOWN]]
        more = len(self.unread) - _SHOWN
        return [*found, *([f"... and {more:,} more, in state.unreadable_records"] if more > 0 else [])]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "unreadable_records": [vars(one) for one in self.unread],
            "notes": [{"list": resource, "note": note} for resource, note in self.notes],
            "groups_shown_in_part": self.partial,
            "hidden_members": self.hidden,
        }


def read(con: duckdb.DuckDBPyConnection) -> Oddities:
    """What the last read of deskbird found."""
    unread = con.execute(
        """select resource, deskbird_id, page, position, code, hris_ref, first_seen from state.unreadable_records
           order by resource desc, page, position"""
    ).fetchall()
    notes = con.execute("select resource, note from state.list_notes order by resource desc, note").fetchall()
    row = con.execute(
        """select (select count(*) from state.partial_groups),
               (select count(*) from state.acknowledged_members
                where group_deskbird_id in (select group_deskbird_id from state.partial_groups))"""
    ).fetchone()
    partial, hidden = row or (0, 0)
    return Oddities(tuple(Unread(*one) for one in unread), tuple(notes), partial, hidden)
