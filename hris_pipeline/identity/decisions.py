"""What people decide about who is who: kept in ``state.decisions``, the latest on a record and a user counts.

A ``link`` says that the record is that user, a ``separate`` that it is not, whatever else says so. A person has one user and a
user one person, so a link takes the place of an earlier one of either; that one is kept as ``replaced``.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import duckdb

from hris_pipeline.errors import PipelineError

_IN_FORCE = """select hris_ref, deskbird_id, decision from state.decisions
    qualify row_number() over (partition by hris_ref, deskbird_id order by decided_at desc, rowid desc) = 1"""


@dataclass(frozen=True)
class Decided:
    """What a decision came to."""

    new: bool  # False: it was so decided already
    replaced: Sequence[tuple[str, str]]  # earlier links that it takes the place of: record and user
    owner: str | None  # the other record that the user's marker or link names
    foreign: bool  # the user carries another system's externalId
    held_back: bool  # the record is in quarantine


def decide(
    con: duckdb.DuckDBPyConnection,
    hris_ref: str,
    deskbird_id: str,
    decision: Literal["link", "separate"],
    *,
    connections: Sequence[str],
    because: str | None,
    by: str,
    now: dt.datetime,
) -> Decided:
    """Write a decision down, in the caller's transaction; the same one twice is a no-op.

    :class:`~hris_pipeline.errors.PipelineError` where the last reads know no such record or no such user.
    """
    same_person = _records_of(con, connections, hris_ref)
    user = con.execute(
        """select hris_ref, external_id is not null and hris_ref is distinct from external_id
           from deskbird.users where deskbird_id = ?""",
        [deskbird_id],
    ).fetchone()
    if user is None:
        raise PipelineError(
            "The last read of deskbird shows no user with this id. Nothing was decided. `hris-pipeline review` lists the users "
            "that come into question; a user made since is known after the next sync."
        )
    in_force = con.execute(_IN_FORCE).fetchall()
    owner = user[0] if user[0] not in same_person else None
    held_back = con.execute(
        """select count(*) > 0 from core.quarantine where hris_ref = ? and "table" = 'core.people'""", [hris_ref]
    )
    told = (owner, bool(user[1]), bool((held_back.fetchone() or (False,))[0]))
    if (hris_ref, deskbird_id, decision) in in_force:
        return Decided(False, (), *told)
    replaced = [
        (ref, id_)
        for ref, id_, made in in_force
        if decision == made == "link" and (ref, id_) != (hris_ref, deskbird_id) and (ref in same_person) != (id_ == deskbird_id)
    ]
    rows = [(ref, id_, "replaced", f"replaced by the link of {hris_ref} to {deskbird_id}") for ref, id_ in replaced]
    for row in (*rows, (hris_ref, deskbird_id, decision, because)):
        con.execute("insert into state.decisions values (?, ?, ?, ?, ?, ?)", [*row, by, now])
    return Decided(True, tuple(replaced), *told)


def _records_of(con: duckdb.DuckDBPyConnection, connections: Sequence[str], hris_ref: str) -> set[str]:
    """All records of the person whose record this is."""
    connection, _, id_ = hris_ref.partition(":")
    read = connection in connections and (
        con.execute(f'select 1 from "hris_{connection}".employees where id = ? limit 1', [id_]).fetchone() is not None
    )
    if not read:
        raise PipelineError(
            "The last read of the HR system shows no record with this hris_ref, which is written <connection>:<id>. Nothing was "
            "decided. `hris-pipeline review` lists the records that wait."
        )
    found = con.execute(
        "select list_append(other_refs, hris_ref) from core.people where hris_ref = $1 or list_contains(other_refs, $1)",
        [hris_ref],
    ).fetchone()
    return {hris_ref, *(found[0] if found else ())}
