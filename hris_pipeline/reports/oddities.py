"""What is odd about deskbird's own lists: records that cannot be read, totals that do not fit,
groups that show only a part.
"""

import datetime as dt
from dataclasses import dataclass

import duckdb


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


@dataclass(frozen=True)
class Oddities:
    """All of them."""

    unread: tuple[Unread, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()  # list, code
    partial: int = 0  # groups that show only a part of their members
    hidden: int = 0  # members whom they do not show


def read(con: duckdb.DuckDBPyConnection) -> Oddities:
    """What the last read of deskbird found."""
    unread = con.execute(
        """select resource, deskbird_id, page, position, code, hris_ref, first_seen
           from state.unreadable_records
           order by resource desc, page, position"""
    ).fetchall()
    notes = con.execute(
        "select resource, note from state.list_notes order by resource desc, note"
    ).fetchall()
    row = con.execute(
        """select (select count(*) from state.partial_groups),
               (select count(*) from state.acknowledged_members
                where group_deskbird_id in (select group_deskbird_id from state.partial_groups))"""
    ).fetchone()
    partial, hidden = row or (0, 0)
    return Oddities(tuple(Unread(*one) for one in unread), tuple(notes), partial, hidden)
