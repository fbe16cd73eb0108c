"""Publish what deskbird was read to hold, and note what was changed there by hand since."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import duckdb

from hris_pipeline import plan
from hris_pipeline.deskbird.scim import Observation
from hris_pipeline.warehouse import loading

Counts = dict[str, int | str]
"""What a read came to, by the names of its numbers."""


def publish_users(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    seen: Observation,
    *,
    connections: Sequence[str],
    now: dt.datetime,
    run_id: str,
    by_hand: bool,
) -> Counts:
    """``deskbird.users`` from the file that was read.

    ``by_hand``: whether what has changed since the last read is somebody else's doing; not after
    our own writes.
    """
    if by_hand:
        plan.drift.remember(con, "users")
    loading.publish_users(
        con,
        path,
        seen,
        connections=connections,
        now=now,
        run_id=run_id,
        unreadable=seen.unreadable,
        notes=seen.notes,
    )
    if by_hand:
        plan.drift.note(con, now)
    active, ours = con.execute(
        "select count(*) filter (active), count(hris_ref) from deskbird.users"
    ).fetchone() or (0, 0)
    return {"users_active": active, "users_ours": ours, **_of_the_list(seen)}


def publish_groups(
    con: duckdb.DuckDBPyConnection,
    paths: tuple[Path, Path],
    seen: Observation,
    *,
    connections: Sequence[str],
    now: dt.datetime,
    run_id: str,
    by_hand: bool,
) -> Counts:
    """``deskbird.groups`` and ``deskbird.group_members`` from the files that were read; ``by_hand``
    as of users.
    """
    if by_hand:
        plan.drift.remember(con, "groups")
    partial = loading.publish_groups(
        con,
        *paths,
        seen,
        connections=connections,
        now=now,
        run_id=run_id,
        unreadable=seen.unreadable,
        notes=seen.notes,
        untold=seen.partial,
    )
    if by_hand:
        plan.drift.note(con, now)
    (ours,) = con.execute("select count(hris_ref) from deskbird.groups").fetchone() or (0,)
    return {"groups_ours": ours, **_of_the_list(seen), "groups_shown_in_part": partial}


def _of_the_list(seen: Observation) -> Counts:
    odd: Counts = {"odd_about_the_list": ", ".join(seen.notes)} if seen.notes else {}
    return {
        "pages": seen.pages,
        "passes": seen.passes,
        "unreadable_records": len(seen.unreadable),
        **odd,
    }
