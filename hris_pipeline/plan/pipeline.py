"""The steps of a plan, in their order, as data: what ``planning.compute`` walks and ``docs/plan.md`` lists.

A step is an SQL file that makes one table or a few, or a function where a question is asked of Python. Each reads what
earlier ones have made (the headers of the files say what, and a test holds them to it); none changes what another has made.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from hris_pipeline import groups, photos
from hris_pipeline.groups import names
from hris_pipeline.managers.rings import rings
from hris_pipeline.plan import damage, drift, guards, order
from hris_pipeline.plan.arrivals import Expected
from hris_pipeline.plan.guards import Judgement, Limits
from hris_pipeline.warehouse import run, stage

_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class PlanRules:
    """What the company file says about the plan."""

    company: str
    connections: Sequence[str]
    kinds: Sequence[str]
    name_pattern: str
    on_collision: str
    managers: bool
    take_over: bool
    guards: Limits
    protected: Sequence[str] = ()
    frozen: Sequence[str] = ()
    link_groups: Mapping[str, str] = field(default_factory=dict)
    """Groups that are there and become ours: unit (hris_ref, or kind:name) -> deskbird's group (id or name)."""
    delete_empty_groups: bool = False
    missing_reads: int = 3
    missing_hours: int = 60
    cleared: Sequence[str] = ("manager",)
    """What is cleared in deskbird when the HRIS says that it is empty: names, the photo, the manager, kinds of group."""
    photos: bool = False
    drift_kept: Sequence[str] = ()
    """What stays as somebody made it in deskbird by hand: names of attributes, ``manager``, ``group_names``, kinds of group."""
    expected: Mapping[str, Expected] = field(default_factory=dict)
    """What is mapped of each connection; of one that it does not name, everything."""
    kinds_read: Sequence[str] = ()
    """Kinds of group that the HR systems are asked for besides ``kinds``."""


@dataclass
class Planning:
    """One plan in the making: what its steps are given."""

    con: duckdb.DuckDBPyConnection
    rules: PlanRules
    now: dt.datetime
    undoes: str | None
    judgement: Judgement
    drift_is_known: bool  # something was changed by hand, or does not stick

    def ask(self, condition: str) -> bool:
        """Whether an SQL condition holds."""
        return self.con.execute(f"select {condition}").fetchone() == (True,)


def _always(_planning: Planning) -> bool:
    return True


def _usual(planning: Planning) -> bool:
    return planning.undoes is None


def _undoing(planning: Planning) -> bool:
    return planning.undoes is not None


@dataclass(frozen=True)
class Step:
    """One step: the SQL file of its name, or ``run``, which says what it makes; left out where ``when`` says no."""

    name: str
    when: Callable[[Planning], bool] = _always
    run: Callable[[Planning], None] | None = None
    reads: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Where its SQL is."""
        return _PACKAGE / f"{self.name}.sql"


# --- steps that ask something of Python ---------------------------------------------------------------------------------------


def _link_groups(planning: Planning) -> None:
    con, rules = planning.con, planning.rules.link_groups
    con.execute("create or replace temp table rules_found (unit varchar, hris_ref varchar, deskbird_id varchar, problem varchar)")
    if rules:
        con.execute("create or replace temp table group_rules (unit varchar, target varchar)")
        stage(con, "group_rules", ("unit", "target"), list(rules.items()))
        run(con, SQL["identity/rules_found"])


def _name_groups(planning: Planning) -> None:
    """Only groups whose name is not settled already are looked at one by one."""
    con, rules = planning.con, planning.rules
    unsettled = "select hris_ref, kind, name, precedence, present from units_to_name where not settled"
    units = [names.Unit(*row) for row in con.execute(unsettled).fetchall()]
    strangers = "select name from observed_groups anti join group_matches using (deskbird_id) where name is not null"
    used = con.execute(f"{strangers} union all select present from units_to_name where settled").fetchall() if units else []
    taken = [names.key(name) for (name,) in used]
    assigned = names.assign(units, taken, pattern=rules.name_pattern, on_collision=rules.on_collision)
    con.execute(
        """create or replace temp table group_names as
           select hris_ref, nfc_normalize(present) as name from units_to_name where settled"""
    )
    stage(con, "group_names", ("hris_ref", "name"), list(assigned.items()))


def _find_cycles(planning: Planning) -> None:
    """One new user of each cycle of new users who report to each other."""
    lines = planning.con.execute(
        "select hris_ref, manager_ref from manager_differences where action = 'set' and problem = 'cycle' and deskbird_id is null"
    ).fetchall()
    planning.con.execute("set variable cycle_starts = ?::varchar[]", [[min(ring) for ring in rings(dict(lines))]])


def _address_is_new(planning: Planning) -> bool:
    return planning.ask(
        "exists (from linked where not has_address or marked_otherwise) or exists (from marked where not has_address)"
    )


def _group_is_deserted(planning: Planning) -> bool:
    """A unit's old group stands empty, as far as the HRIS knows."""
    filled = "(select hris_ref as ref from core.groups where member_count > 0)"
    return planning.ask(f"exists (from known_groups anti join {filled} as filled using (ref))")


def _drift_is_known(planning: Planning) -> bool:
    return _usual(planning) and planning.drift_is_known


def _judge(planning: Planning) -> None:
    guards.judge(planning.judgement)


STEPS = (
    # who is who
    Step("identity/observed"),
    Step("identity/known_users"),
    Step("identity/somebody_else", when=_address_is_new),
    Step("identity/user_matches"),
    Step("identity/rules_found", run=_link_groups),
    Step("identity/group_matches"),
    Step("identity/new_unit_ids", when=_group_is_deserted),
    Step("plan/unreadable", when=lambda planning: planning.judgement.situation.unread),
    Step(
        "groups/stage_kinds",
        run=lambda planning: groups.stage_kinds(planning.con, planning.rules.kinds),
        makes=("group_kinds",),
    ),
    Step("plan/missing_tonight"),
    # what differs
    Step("plan/user_differences"),
    Step(
        "photos/stage_wanted",
        run=lambda planning: photos.stage_wanted(planning.con, planning.rules.connections if planning.rules.photos else ()),
        makes=("photos_wanted",),
    ),
    Step("plan/photo_differences", when=lambda planning: planning.rules.photos),
    Step(
        "plan/drift/begin",
        run=lambda planning: drift.begin(planning.con),
        makes=("differing", "drifting", "left_alone"),
    ),
    Step(
        "plan/drift/judge_values",
        when=_drift_is_known,
        run=lambda planning: drift.judge_values(planning.con),
        reads=("user_differences",),
    ),
    Step("plan/wishes"),
    Step("plan/undo_differences", when=_undoing),
    Step(
        "plan/guards/judge_values",
        run=lambda planning: guards.judge_values(planning.judgement),
        reads=("user_differences",),
        makes=("listed", "undone_attributes", "tripped_attributes"),
    ),
    Step("plan/members", when=_usual),
    Step("plan/unreadable_groups", when=lambda planning: _usual(planning) and planning.judgement.situation.unread),
    Step("plan/settled_names", when=_usual),
    Step("plan/name_groups", when=_usual, run=_name_groups, reads=("units_to_name",), makes=("group_names",)),
    Step("plan/manager_differences", when=_usual),
    Step("plan/find_cycles", when=_usual, run=_find_cycles, reads=("manager_differences",)),
    # one maker of changes an object
    Step("plan/changes/users", when=_usual),
    Step("plan/changes/groups", when=_usual),
    Step("plan/changes/memberships", when=_usual),
    Step("plan/changes/managers", when=_usual),
    Step("plan/changes/wanted_changes", when=_usual),
    Step("plan/changes/undo", when=_undoing),
    Step(
        "plan/drift/judge_changes",
        when=_drift_is_known,
        run=lambda planning: drift.judge_changes(planning.con),
        reads=("wanted_changes",),
    ),
    Step("plan/changes/group_deletions", when=_usual),
    Step(
        "plan/damage/find_repairs",
        run=lambda planning: damage.find_repairs(planning.con, undoing=planning.undoes is not None),
        reads=("wanted_changes",),
        makes=("damage_repairs",),
    ),
    Step("plan/order/moves", run=lambda planning: order.stage_moves(planning.con), makes=("moves",)),
    Step("plan/changes/proposed_changes"),
    # what waits, and in which order the rest comes
    Step("plan/guards/judge", run=_judge, reads=("proposed_changes",), makes=("holds",)),
    Step(
        "plan/order/hold_dependents",
        run=lambda planning: order.hold_dependents(planning.con, guards.ORDER),
        reads=("holds", "proposed_changes"),
        makes=("held_changes",),
    ),
    Step("plan/reasons"),
    Step("plan/order/numbered_changes"),
    Step("plan/valid_approvals"),
    Step("plan/verdicts"),
)
"""Every step of a plan, and of one that undoes another."""

SQL = {step.name: step.path.read_text(encoding="utf-8") for step in STEPS if step.path.exists()}


def walk(planning: Planning) -> None:
    """Take each step that the plan in the making needs."""
    for step in STEPS:
        if step.when(planning):
            if step.run:
                step.run(planning)
            else:
                run(planning.con, SQL[step.name])
