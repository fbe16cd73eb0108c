"""The read-back is the judge: what differs from what a run left makes the night red, and is
repaired first.

Before the writes the plan keeps what deskbird holds. After the read-back every difference that no
acknowledged change explains is kept in ``state.damage``: members that are gone because a service
took "add" for "replace", a name that was cleared beside the one that was written. Somebody else's
change between the two reads looks the same and is worded so. The next plan marks what repairs it
(``evidence.damage``); while a guard holds such a repair back, no night is in line.

All functions run inside the caller's transaction. A run that sends nothing compares nothing.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from hris_pipeline.plan import dialects
from hris_pipeline.plan.drift import HIDDEN
from hris_pipeline.warehouse import run

_HERE = Path(__file__).parent
_SEEN, _SENT, _DAMAGE, _UNITS, _REPAIRS = (
    (_HERE / f"{name}.sql").read_text(encoding="utf-8")
    for name in (
        "new_external_changes",
        "sent_values",
        "damage",
        "values_of_changes",
        "changes/damage_repairs",
    )
)
_BEFORE = {"users_before": "users", "groups_before": "groups", "members_before": "group_members"}
_KINDS = """
    select distinct unnest(string_split(l.kind, '+')) as kind, d.object
    from state.damage d
    join state.ledger l on l.plan_id = d.plan_id and l.deskbird_id = d.deskbird_id
    where d.plan_id = $plan and d.run_id = $run and d.is_written
"""
_NO_REPAIRS = """create or replace temp table damage_repairs (
    row bigint, plan_id varchar, run_id varchar,
    seen_at timestamptz, attribute varchar, was varchar, key varchar)"""
_WRITTEN_BY = {
    "membership": ("members", "group_create"),
    "group": ("group",),
    "user": ("user", "manager"),
}
"""How the kinds of writes begin that may have done it, by what is damaged."""


@dataclass(frozen=True)
class Damage:
    """What differs from what a run left, in numbers: by what it is (``member``, ``manager``, an
    attribute, ...).
    """

    kinds: Mapping[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many values differ."""
        return sum(self.kinds.values())

    def sentence(self, company: str) -> str:
        """How many, of which kind, and what to do; no personal data."""
        return (
            f"{self.count:,} values in deskbird differ from what this run left "
            f"({words(self.kinds)}): deskbird did something else than it was asked, or somebody "
            "changed them meanwhile. Table state.damage names each. The next plan repairs them "
            f"first: look at it with `hris-pipeline sync {company} --dry-run`."
        )


def words(kinds: Mapping[str, int]) -> str:
    """How many values of each kind, such as "8 members, 1 family name"."""
    told = [(number, kind.replace("_", " ")) for kind, number in sorted(kinds.items())]
    return ", ".join(
        f"{number:,} {kind}{'s' if number > 1 and kind == 'member' else ''}"
        for number, kind in told
    )


def remember(con: duckdb.DuckDBPyConnection, plan_id: str, now: dt.datetime) -> None:
    """Keep what deskbird holds before the writes of a plan, for :func:`judge`."""
    for before, table in _BEFORE.items():
        hidden = HIDDEN if table == "group_members" else ""
        con.execute(f"create or replace table state.{before} as from deskbird.{table} {hidden}")
    con.execute("delete from state.before_writes")
    con.execute("insert into state.before_writes values (?, ?)", [plan_id, now])


def judge(con: duckdb.DuckDBPyConnection, plan_id: str, run_id: str, now: dt.datetime) -> Damage:
    """Compare what deskbird holds now with what this run left, after a comparison with the HR
    system; keep what differs.
    """
    known = con.execute("select plan_id from state.before_writes").fetchone()
    if known is None:
        return Damage()
    if known[0] == plan_id:
        con.execute("set variable plan_id = ?", [plan_id])
        con.execute("set variable run_id = ?", [run_id])
        con.execute("set variable now = ?", [now])
        for before in _BEFORE:
            con.execute(f"create or replace temp view {before} as from state.{before}")
        run(con, _SENT)
        run(con, _SEEN)
        _stage_units(con, "differing_now", "proposed_changes", "change")
        run(con, _DAMAGE)
        for before in _BEFORE:
            con.execute(f"drop view {before}")
        _doubt(con, plan_id, run_id)
    for before in _BEFORE:
        con.execute(f"drop table if exists state.{before}")
    con.execute("delete from state.before_writes")
    found = con.execute(
        """select case object when 'membership' then 'member' else attribute end as kind, count(*)
           from state.damage where plan_id = ? and run_id = ? group by all""",
        [plan_id, run_id],
    ).fetchall()
    return Damage(dict(found))


def find_repairs(con: duckdb.DuckDBPyConnection, *, known: bool) -> None:
    """Make the temp table ``damage_repairs``: which wanted changes repair damage, where any is
    ``known``.
    """
    if known:
        _stage_units(con, "repairing", "wanted_changes", "row")
        run(con, _REPAIRS)
    else:
        con.execute(_NO_REPAIRS)


def settle(con: duckdb.DuckDBPyConnection, plan_id: str, run_id: str, now: dt.datetime) -> None:
    """After the night: what earlier runs damaged and no change repairs any more is history."""
    con.execute(
        """update state.damage set ended_at = $now
           where ended_at is null and (plan_id, run_id) <> ($plan, $run)
               and concat_ws('|', object, deskbird_id, attribute) not in (
                   select unnest(cast(evidence->'$.damage.keys' as varchar[])) from changes_judged
                   where json_exists(evidence, '$.damage'))""",
        {"now": now, "plan": plan_id, "run": run_id},
    )


def is_open(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether anything that a run damaged may still be so."""
    row = con.execute("select exists (from state.damage where ended_at is null)").fetchone()
    return bool(row and row[0])


def _stage_units(con: duckdb.DuckDBPyConnection, table: str, source: str, row: str) -> None:
    columns = "object, action, hris_ref, group_ref, deskbird_id, group_deskbird_id, after"
    run(
        con,
        _UNITS.replace("{table}", table).replace(
            "{source}", f"(select {row} as row, {columns} from {source})"
        ),
    )


def _doubt(con: duckdb.DuckDBPyConnection, plan_id: str, run_id: str) -> None:
    """Doubt the forms by which what is damaged was written: the next write of each is a canary
    again.
    """
    kinds = {
        kind
        for kind, of in con.execute(_KINDS, {"plan": plan_id, "run": run_id}).fetchall()
        if kind.startswith(_WRITTEN_BY[of])
    }
    if "user_update" in kinds:
        kinds.add("user_email")
    dialects.doubt(
        con, [one.form for one in dialects.known(con) if one.form.split(".")[0] in kinds]
    )
