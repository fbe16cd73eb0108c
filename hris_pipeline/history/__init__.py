"""What each person's row in ``core.people`` was on any night: ``state.people_history``.

A row is kept for each night on which the person became another one, and one without values for the night on which the person was
no longer there (held back, or in no record). So a person's row on some night is the last one kept until then.
"""

import datetime as dt
from pathlib import Path

import duckdb

_CHANGED, _KEPT = (
    (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8") for name in ("people_changed", "people_history")
)


def record(con: duckdb.DuckDBPyConnection, now: dt.datetime) -> int:
    """Keep what ``core.people`` says otherwise than before, inside the caller's transaction; return how many people that is.

    Building the same table again, at the same moment or later, keeps nothing anew.
    """
    con.execute("set variable now = ?", [now])
    con.execute(_CHANGED)
    row = con.execute("select count(*) from people_changed").fetchone()
    changed = int(row[0]) if row else 0
    if changed:
        con.execute(_KEPT)
    con.execute("drop table people_changed")
    return changed
