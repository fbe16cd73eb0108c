"""What each person's row in ``core.people`` was on any night: ``state.people_history``.

A person's row is kept when it becomes another one, or is gone (held back, or in no record): until
then it stands in ``core.people`` alone, and the view shows both. So a person's row on some night is
the last one until then, and a night without changes keeps nothing.
"""

import datetime as dt
from pathlib import Path

import duckdb

from hris_pipeline.contracts.tables import PEOPLE
from hris_pipeline.warehouse import run

_CHANGED, _PAST = (
    (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
    for name in ("people_changed", "people_past")
)
_DERIVED = {"display_name", "unknown", "scope_code"}
_COLUMNS = ", ".join(column.name for column in PEOPLE.columns if column.name not in _DERIVED)


def record(con: duckdb.DuckDBPyConnection, now: dt.datetime) -> int:
    """Keep what ``core.people_before`` said otherwise than ``core.people``, in the caller's
    transaction; of how many people.

    Building the same table again, at the same moment or later, keeps nothing anew.
    """
    con.execute("set variable now = ?", [now])
    con.execute(f"create or replace temp view people_now as select {_COLUMNS} from core.people")
    con.execute(
        f"create or replace temp view people_last_night as select {_COLUMNS} from "
        "core.people_before"
    )
    run(con, _CHANGED)
    row = con.execute("select count(*) from people_changed").fetchone()
    changed = int(row[0]) if row else 0
    if changed:
        run(con, _PAST)
    con.execute("drop table people_changed")
    return changed
