"""What the pipeline finds in a deskbird that has users already, before it first writes there (case 79)."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from hris_pipeline.wording import count

_SQL = (Path(__file__).parent / "adoption.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Adoption:
    """deskbird's active users, by what would become of them, and the people who have none yet; numbers only."""

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

    def sentences(self, company: str) -> list[str]:
        """The report, a line each."""
        lines = [
            f"First contact: deskbird has {count(self.active, 'active user')}.",
            f"{self.ours:,} carry our marker already, {self.would_link:,} would be linked by their e-mail address.",
        ]
        if self.taken_over:
            lines.append(f"{self.taken_over:,} of these are marked by another system and would get our marker: take_over is on.")
        if self.other_system:
            lines.append(
                f"{self.other_system:,} are marked by another system, such as an identity provider; "
                f"{self.other_system_in_hris:,} of them have the e-mail address of somebody in the HR system."
            )
            lines.append("They are left as they are until somebody decides.")
        lines.append(f"{self.by_hand:,} were made by hand and belong to nobody in the HR system: they are left as they are.")
        if self.disputed:
            lines.append(f"{self.disputed:,} without a marker may be several people's, or one of several users of a person.")
        lines.append(f"{self.to_create:,} would be created. Nobody is deactivated on a first run.")
        if self.conflicts:
            lines.append(
                f"{count(self.conflicts, 'person', 'people')} first need a decision about whose user is whose: "
                f"hris-pipeline review {company}"
            )
        if self.other_system_in_hris:
            lines += [
                f"One decision for all that fit: hris-pipeline link {company} --all-by-email --because TEXT",
                f"Row by row: hris-pipeline review {company} --out FILE.csv   then: hris-pipeline link {company} --from FILE.csv",
                "Moving from the other system to this one for good: deskbird.take_over: true in the company file.",
            ]
        return lines


def read(con: duckdb.DuckDBPyConnection, plan_id: str) -> Adoption | None:
    """The report on a plan; None once a night has ended in line, or where deskbird has no user of somebody else's."""
    row = con.execute(_SQL, {"plan_id": plan_id}).fetchone()
    if row is None or row[0] or row[1] == row[2]:
        return None
    return Adoption(*row[1:])
