"""What the pipeline finds in a deskbird that has users already, before it first writes there (case
79).
"""

from dataclasses import dataclass

import duckdb

from hris_pipeline.reports.queries import sql

_SQL = sql("adoption")


@dataclass(frozen=True)
class Adoption:
    """deskbird's active users, by what would become of them, and the people who have none yet;
    numbers only.
    """

    active: int
    ours: int  # carry our marker already
    would_link: int  # have the e-mail address of somebody in the HR system
    by_hand: int  # carry no marker and are nobody's: left alone for ever
    to_create: int
    conflicts: int  # people about whose user somebody has to decide first
    other_system: int = 0  # carry the mark of another system, and would not be linked
    other_system_in_hris: int = 0  # of those, with the e-mail address of somebody in the HR system
    taken_over: int = 0  # would be linked although another system has marked them
    disputed: int = 0  # carry no marker, and wait for a decision about whose they are


def read(con: duckdb.DuckDBPyConnection, plan_id: str) -> Adoption | None:
    """The report on a plan; None once a night has ended in line, or where deskbird has no user of
    somebody else's.
    """
    row = con.execute(_SQL, {"plan_id": plan_id}).fetchone()
    if row is None or row[0] or row[1] == row[2]:
        return None
    return Adoption(*row[1:])
