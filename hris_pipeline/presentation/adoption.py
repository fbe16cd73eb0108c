"""What the pipeline finds in a deskbird that has users already, before it first writes there (case 79)."""

from dataclasses import dataclass

import duckdb

from hris_pipeline.presentation import count


@dataclass(frozen=True)
class Adoption:
    """deskbird's active users, by what would become of them, and the people who have none yet; numbers only."""

    active: int
    ours: int  # carry our marker already
    would_link: int  # have the e-mail address of somebody in the HR system
    by_hand: int  # are nobody's: left alone for ever
    to_create: int
    conflicts: int  # people about whose user somebody has to decide first

    def sentences(self, company: str) -> list[str]:
        """The report, a line each."""
        lines = [
            f"First contact: deskbird has {count(self.active, 'active user')}.",
            f"{self.ours:,} carry our marker already, {self.would_link:,} would be linked by their e-mail address.",
            f"{self.by_hand:,} were made by hand and belong to nobody in the HR system: they are left as they are.",
            f"{self.to_create:,} would be created. Nobody is deactivated on a first run.",
        ]
        if self.conflicts:
            lines.append(
                f"{count(self.conflicts, 'person', 'people')} first need a decision about whose user is whose: "
                f"hris-pipeline review {company}"
            )
        return lines


def read(con: duckdb.DuckDBPyConnection, plan_id: str) -> Adoption | None:
    """The report on a plan; None once a night has ended in line, or where deskbird has no user of somebody else's."""
    row = con.execute(
        """with plan as (from state.plan_changes where plan_id = $plan_id and object = 'user'),
           links as (select distinct deskbird_id from plan where action = 'link')
           select (select count(*) from state.nights where in_line),
               count(*) filter (active),
               count(*) filter (active and hris_ref is not null),
               count(*) filter (active and hris_ref is null and deskbird_id in (from links)),
               count(*) filter (active and hris_ref is null and deskbird_id not in (from links)),
               (select count(*) from plan where action = 'create'),
               (select count(distinct hris_ref) from state.review)
           from deskbird.users""",
        {"plan_id": plan_id},
    ).fetchone()
    if row is None or row[0] or not row[3] + row[4]:
        return None
    return Adoption(*row[1:])
