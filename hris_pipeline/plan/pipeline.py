"""The steps of a plan, in their order, as data: what ``planning.compute`` walks and
``docs/plan.md`` lists.

A step is an SQL file that makes one table or a few, or a function where a question is asked of
Python. Each reads what earlier ones have made (the headers of the files say what, and a test holds
them to it); none changes what another has made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import duckdb

from hris_pipeline import groups, photos
from hris_pipeline.cycles import cycles
from hris_pipeline.groups import names
from hris_pipeline.plan import damage, drift, guards, order
from hris_pipeline.plan.arrivals import Expected
from hris_pipeline.plan.guards import Judgement, Limits
from hris_pipeline.warehouse import run, stage

_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class PlanParameters:
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
    """Groups that are there and become ours: unit (hris_ref, or kind:name) -> deskbird's group (id
    or name).
    """
    delete_empty_groups: bool = False
    missing_reads: int = 3
    missing_hours: int = 60
    cleared: Sequence[str] = ("manager",)
    """What is cleared in deskbird when the HRIS says that it is empty: names, the photo, the
    manager, kinds of group.
    """
    photos: bool = False
    attributes: Sequence[str] = ()
    """Of the attributes that a company file has to name, those that it names."""
    drift_kept: Sequence[str] = ()
    """What stays as somebody made it in deskbird by hand: names of attributes, ``manager``,
    ``group_names``, kinds of group.
    """
    expected: Mapping[str, Expected] = field(default_factory=dict)
    """What is mapped of each connection; of one that it does not name, everything."""
    kinds_read: Sequence[str] = ()
    """Kinds of group that the HR systems are asked for besides ``kinds``."""


_LOOKING = """exists (
    from core.people
    where wanted
        and hris_ref not in (select hris_ref from user_matches)
        and hris_ref not in (select hris_ref from review_cases)
)"""
_DIFFERING = "exists (from compared)"
_WANTED = "exists (from wanted_changes) or exists (from group_deletions)"
Given = Literal[
    "somebody new", "nobody new", "values differ", "values are alike", "changes", "no changes"
]
QUESTIONS: Mapping[Given, tuple[str, bool]] = {
    "somebody new": (_LOOKING, True),
    "nobody new": (_LOOKING, False),
    "values differ": (_DIFFERING, True),
    "values are alike": (_DIFFERING, False),
    "changes": (_WANTED, True),
    "no changes": (_WANTED, False),
}
"""What some steps are left out by, most nights: an SQL condition, asked once in a plan when the
first of them comes, and its answer.
"""


@dataclass
class Planning:
    """One plan in the making: what its steps are given."""

    con: duckdb.DuckDBPyConnection
    rules: PlanParameters
    undoes: str | None
    judgement: Judgement
    parameters: dict[str, object]
    drift_is_known: bool  # something was changed by hand, or does not stick
    damage_is_known: bool  # a run damaged something, and it may still be so
    cycles_are_known: bool  # some people report to each other
    _answers: dict[str, bool] = field(default_factory=dict)

    def holds(self, given: Given) -> bool:
        """Whether it is a plan of that kind."""
        question, answer = QUESTIONS[given]
        if question not in self._answers:
            self._answers[question] = self.ask(question)
        return self._answers[question] == answer

    def set_parameters(self) -> None:
        """Set the variable ``parameters``, of which the steps' SQL reads the fields."""
        self.con.execute("set variable parameters = ?", [self.parameters])

    def ask(self, condition: str) -> bool:
        """Whether an SQL condition holds."""
        return self.con.execute(f"select {condition}").fetchone() == (True,)


def _always(_planning: Planning) -> bool:
    return True


@dataclass(frozen=True)
class Step:
    """One step: the SQL file of its name, or ``run``, which says what it makes; left out where
    ``when`` says no.
    """

    name: str
    of: Literal["every plan", "usual plans", "undoing"] = "every plan"
    when: Callable[[Planning], bool] = _always
    given: Given | None = None
    """The plans that it is for alone; there is another step for the others."""
    run: Callable[[Planning], None] | None = None
    about: str = ""
    """What it does, in one sentence, where no SQL file says it."""
    reads: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()

    @property
    def is_conditional(self) -> bool:
        """Whether it is left out of some plans where there is nothing for it to do."""
        return self.when is not _always

    def is_taken(self, planning: Planning) -> bool:
        """Whether the plan in the making needs it."""
        of = ("every plan", "usual plans" if planning.undoes is None else "undoing")
        return (
            self.of in of
            and (self.given is None or planning.holds(self.given))
            and self.when(planning)
        )

    @property
    def path(self) -> Path:
        """Where its SQL is."""
        return _PACKAGE / f"{self.name}.sql"


# --- steps that ask something of Python -----------------------------------------------------------


def _link_groups(planning: Planning) -> None:
    con, rules = planning.con, planning.rules.link_groups
    con.execute(
        "create or replace temp table group_link_targets (unit varchar, hris_ref varchar, "
        "deskbird_id varchar, problem varchar)"
    )
    if rules:
        con.execute("create or replace temp table group_rules (unit varchar, target varchar)")
        stage(con, "group_rules", ("unit", "target"), list(rules.items()))
        run(con, SQL["identity/group_link_targets"])


def _name_groups(planning: Planning) -> None:
    """Only groups whose name is not settled already are looked at one by one."""
    con, rules = planning.con, planning.rules
    unsettled = (
        "select hris_ref, kind, name, precedence, present from units_to_name where not settled"
    )
    units = [names.Unit(*row) for row in con.execute(unsettled).fetchall()]
    strangers = (
        "select name from observed_groups anti join group_matches using (deskbird_id) where name "
        "is not null"
    )
    used = (
        con.execute(
            f"{strangers} union all select present from units_to_name where settled"
        ).fetchall()
        if units
        else []
    )
    taken = [names.key(name) for (name,) in used]
    assigned = names.assign(
        units, taken, pattern=rules.name_pattern, on_collision=rules.on_collision
    )
    con.execute("""create or replace temp table group_names as
           select hris_ref, nfc_normalize(present) as name from units_to_name where settled""")
    stage(con, "group_names", ("hris_ref", "name"), list(assigned.items()))


def _find_cycles(planning: Planning) -> None:
    """One new user of each cycle of new users who report to each other."""
    lines = planning.con.execute(
        "select hris_ref, manager_ref from manager_differences where action = 'set' and problem = "
        "'cycle' and deskbird_id is null"
    ).fetchall()
    if lines:
        planning.parameters["cycle_starts"] = [min(cycle) for cycle in cycles(dict(lines))]
        planning.set_parameters()


def _want(planning: Planning, differences: str) -> None:
    planning.con.execute(f"create or replace temp view wanted_differences as from {differences}")


def _address_is_new(planning: Planning) -> bool:
    return planning.ask(
        "exists (from by_link where not has_address or marked_otherwise) or exists (from by_marker "
        "where not has_address)"
    )


def _group_is_deserted(planning: Planning) -> bool:
    """A unit's old group stands empty, as far as the HRIS knows."""
    filled = "(select hris_ref as ref from core.groups where member_count > 0)"
    return planning.ask(f"exists (from known_groups anti join {filled} as filled using (ref))")


def _drift_is_known(planning: Planning) -> bool:
    return planning.drift_is_known


def _judge(planning: Planning) -> None:
    guards.judge(planning.judgement, anything=planning.holds("changes"))


STEPS = (
    # who is who
    Step("identity/observed"),
    Step("identity/known_users"),
    Step("identity/somebody_else", when=_address_is_new),
    Step("identity/user_matches"),
    Step("identity/email_matches", given="somebody new"),
    Step("identity/no_email_matches", given="nobody new"),
    Step("identity/contested_users"),
    Step(
        "identity/group_link_targets",
        run=_link_groups,
        makes=("group_link_targets", "group_rules"),
    ),
    Step("identity/group_matches"),
    Step("identity/renumbered_units", when=_group_is_deserted),
    Step("plan/unreadable", when=lambda planning: planning.judgement.situation.unread),
    Step(
        "groups/stage_kinds",
        about="The kinds of unit that become groups, in the company file's order.",
        run=lambda planning: groups.stage_kinds(planning.con, planning.rules.kinds),
        makes=("group_kinds",),
    ),
    Step("plan/missing_people"),
    # what differs
    Step("plan/user_values"),
    Step("plan/matched_people"),
    Step("plan/user_differences", given="values differ"),
    Step("plan/no_user_differences", given="values are alike"),
    Step(
        "photos/stage_wanted",
        about="Whose picture is known, and whether its bytes are here.",
        run=lambda planning: photos.stage_wanted(
            planning.con, planning.rules.connections if planning.rules.photos else ()
        ),
        makes=("photos_wanted",),
    ),
    Step("plan/photo_differences", when=lambda planning: planning.rules.photos),
    Step(
        "plan/drift/begin",
        about="Empty tables for what is drift and what is left alone.",
        run=lambda planning: drift.begin(planning.con),
        makes=("drifting", "ignored_drift"),
    ),
    Step(
        "plan/drift/judge_values",
        of="usual plans",
        when=_drift_is_known,
        about="Which values of users are drift, and which are left alone and differ no more.",
        run=lambda planning: drift.judge_values(planning.con),
        reads=("user_differences",),
    ),
    Step(
        "plan/desired_effects",
        of="usual plans",
        when=lambda planning: planning.judgement.situation.undone,
    ),
    Step("plan/undo_differences", of="undoing"),
    Step(
        "plan/want_differences",
        of="usual plans",
        about="What is to differ no more is what the HR system says otherwise.",
        run=lambda planning: _want(planning, "user_differences"),
        reads=("user_differences",),
        makes=("wanted_differences",),
    ),
    Step(
        "plan/want_reversions",
        of="undoing",
        about="What is to differ no more is what goes back.",
        run=lambda planning: _want(planning, "revert_differences"),
        reads=("revert_differences",),
        makes=("wanted_differences",),
    ),
    Step(
        "plan/guards/judge_values",
        about="The guards of single attributes of users.",
        run=lambda planning: guards.judge_values(planning.judgement),
        reads=("user_differences", "wanted_differences"),
        makes=("listed_people", "undone_attributes", "tripped_attributes"),
    ),
    Step("plan/members", of="usual plans"),
    Step(
        "plan/unreadable_groups",
        of="usual plans",
        when=lambda planning: planning.judgement.situation.unread,
    ),
    Step("plan/settled_names", of="usual plans"),
    Step(
        "plan/name_groups",
        of="usual plans",
        about="A name for each group; only those that are not settled are looked at one by one.",
        run=_name_groups,
        reads=("units_to_name",),
        makes=("group_names",),
    ),
    Step("plan/manager_differences", of="usual plans"),
    Step(
        "plan/find_cycles",
        of="usual plans",
        about="One new user of each cycle of new users who report to each other.",
        run=_find_cycles,
        reads=("manager_differences",),
    ),
    # one maker of changes an object
    Step("plan/changes/users", of="usual plans"),
    Step("plan/changes/groups", of="usual plans"),
    Step("plan/changes/memberships", of="usual plans"),
    Step("plan/changes/managers", of="usual plans"),
    Step("plan/changes/wanted_changes", of="usual plans"),
    Step("plan/changes/undo", of="undoing"),
    Step(
        "plan/drift/judge_changes",
        of="usual plans",
        when=_drift_is_known,
        about="Which wanted changes are drift, and which are left alone.",
        run=lambda planning: drift.judge_changes(planning.con),
        reads=("wanted_changes",),
    ),
    Step("plan/changes/group_deletions", of="usual plans"),
    Step(
        "plan/damage/find_repairs",
        given="changes",
        about="Which wanted changes repair what a run damaged.",
        run=lambda planning: damage.find_repairs(
            planning.con, known=planning.undoes is None and planning.damage_is_known
        ),
        reads=("wanted_changes",),
        makes=("damage_repairs",),
    ),
    Step(
        "plan/order/moves",
        given="changes",
        run=lambda planning: order.stage_moves(planning.con),
        makes=("moves",),
    ),
    Step("plan/changes/proposed_changes", given="changes"),
    Step("plan/changes/no_changes", given="no changes"),
    # what waits, and in which order the rest comes
    Step(
        "plan/guards/judge",
        about="All other guards: which changes they hold back.",
        run=_judge,
        reads=("proposed_changes",),
        makes=("holds",),
    ),
    Step(
        "plan/order/hold_dependents",
        given="changes",
        about="What needs a change that is held back is held back with it.",
        run=lambda planning: order.hold_dependents(planning.con, anything=planning.judgement.holds),
        reads=("holds", "proposed_changes"),
        makes=("held_changes",),
    ),
    Step("plan/reasons", given="changes"),
    Step("plan/order/numbered_changes", given="changes"),
    Step("plan/valid_approvals"),
    Step("plan/verdicts", given="changes"),
)
"""Every step of a plan, and of one that undoes another."""

SQL = {step.name: step.path.read_text(encoding="utf-8") for step in STEPS if step.path.exists()}


def walk(planning: Planning) -> None:
    """Take each step that the plan in the making needs."""
    for step in STEPS:
        if step.is_taken(planning):
            if step.run:
                step.run(planning)
            else:
                run(planning.con, SQL[step.name])
