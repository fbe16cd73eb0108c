"""What SCIM cannot carry: each person's role and main office, as the file that deskbird's own
import takes.

deskbird shows neither over SCIM, so a row differs when the rules say otherwise than the last file
that was written did. All other cells are what deskbird shows already, so that the import changes
nothing else and passes no guard by. Only people who have an active user are in it: the sync makes
users, the file does not. The vendor's page: "Adding, updating and deleting users with CSV upload".
"""

import csv
import datetime as dt
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from hris_pipeline import groups, rules
from hris_pipeline.warehouse import run, stage

_ROWS = (Path(__file__).parent / "export_rows.sql").read_text(encoding="utf-8")

HEADER = ("Email", "New email", "First name", "Last name", "Status", "Role", "Main office name")
"""The import's columns, in the order that its template keeps."""
ROLES = ("user", "groupManager", "manager", "officeAdmin", "admin")


@dataclass(frozen=True)
class Choice:
    """One rule and what it gives to those whom it is about."""

    rule: rules.Rule
    value: str


@dataclass(frozen=True)
class ExportRules:
    """The company file's rules; of each list the first that matches a person decides."""

    roles: tuple[Choice, ...] = ()
    main_office: tuple[Choice, ...] = ()
    frozen: tuple[str, ...] = field(default=(), repr=False)
    """E-mails or ``hris_ref``s of people who are never changed at all."""


@dataclass(frozen=True)
class Row:
    """One line of the file, and whose it is."""

    hris_ref: str
    deskbird_id: str = field(repr=False)
    email: str = field(repr=False)
    given_name: str = field(repr=False)
    family_name: str = field(repr=False)
    role: str
    main_office: str

    @property
    def cells(self) -> tuple[str, ...]:
        """As the import wants them. The address is deskbird's own; ``New email`` stays empty: the
        sync changes addresses.
        """
        return (
            self.email,
            "",
            self.given_name,
            self.family_name,
            "active",
            self.role,
            self.main_office,
        )


@dataclass(frozen=True)
class Selection:
    """The rows to write, and the people who are left out, by reason."""

    rows: tuple[Row, ...]
    unchanged: int
    left_out: Mapping[str, tuple[str, ...]]
    """``hris_ref``s, by what stands against a row."""


REASONS = {
    "frozen": "are on the list `frozen`",
    "no_user": "have no active user in deskbird yet",
    "no_role": "are matched by no role rule",
    "no_office": "are matched by no main office rule",
    "no_name": "have no first or no last name, which the import requires",
    "formula": (
        "have a cell that begins with =, +, - or @, which a spreadsheet may run (set their role "
        "and main office by hand)"
    ),
}
"""Why somebody is left out: what a sentence about them goes on with."""


def select(
    con: duckdb.DuckDBPyConnection,
    choices: ExportRules,
    connections: Sequence[str],
    now: dt.datetime,
    *,
    everybody: bool = False,
) -> Selection:
    """The rows that differ from the last export, or with ``everybody`` all of them; reads tables
    only.
    """
    con.execute("set variable now = ?", [now])
    groups.stage_units(con, connections, ())
    lists = {
        "roles": [choice.rule for choice in choices.roles],
        "offices": [choice.rule for choice in choices.main_office],
    }
    rules.judge(con, "export_judged", "core.people", lists)
    con.execute("set variable roles = ?", [[choice.value for choice in choices.roles]])
    con.execute("set variable offices = ?", [[choice.value for choice in choices.main_office]])
    con.execute("set variable frozen = ?::varchar[]", [list(choices.frozen)])
    run(con, _ROWS)
    found = con.execute(
        """select hris_ref, deskbird_id, email, given_name, family_name, role, main_office
           from export_rows
           where obstacle is null and ($everybody or differs)
           order by email, hris_ref""",
        {"everybody": everybody},
    ).fetchall()
    unchanged = con.execute(
        "select count(*) from export_rows where obstacle is null and not differs"
    ).fetchone()
    left_out: dict[str, list[str]] = {}
    obstacles = con.execute(
        "select obstacle, hris_ref from export_rows where obstacle is not null order by all"
    ).fetchall()
    for obstacle, ref in obstacles:
        left_out.setdefault(REASONS[obstacle], []).append(ref)
    con.execute("drop table export_judged; drop table export_rows")
    return Selection(
        tuple(Row(*row) for row in found),
        unchanged[0] if unchanged else 0,
        {why: tuple(refs) for why, refs in left_out.items()},
    )


def as_csv(rows: Sequence[Row]) -> str:
    """The file's text: a header and a line for each row, separated by commas."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows(row.cells for row in rows)
    return text.getvalue()


def remember(con: duckdb.DuckDBPyConnection, rows: Sequence[Row], now: dt.datetime) -> None:
    """Keep what the file says, so that the next one holds only what differs."""
    con.execute(
        "create or replace temp table exported (hris_ref varchar, attributes json, exported_at "
        "timestamptz)"
    )
    columns = ("hris_ref", "attributes", "exported_at")
    said = [
        (
            row.hris_ref,
            json.dumps(
                {"deskbird_id": row.deskbird_id, "role": row.role, "main_office": row.main_office}
            ),
            now,
        )
        for row in rows
    ]
    stage(con, "exported", columns, said)
    con.execute("delete from state.exports where hris_ref in (select hris_ref from exported)")
    con.execute("insert into state.exports from exported; drop table exported")
