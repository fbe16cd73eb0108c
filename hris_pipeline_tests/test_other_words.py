"""Nothing decides by a sentence: with all other words for reasons, problems and guards, the same
comes of the same night.
"""

import contextlib
import datetime as dt
import functools
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from plan.world import UNGUARDED, World

from hris_pipeline.contracts.change_kinds import REASON_CODES
from hris_pipeline.contracts.writes import Part, ProblemCode, Result, StopReason
from hris_pipeline.deskbird.delivery import Fate
from hris_pipeline.deskbird.exchange import Answer
from hris_pipeline.plan import execution, pipeline
from hris_pipeline.plan.sentences import GuardVerdict
from hris_pipeline.presentation.explain import answer
from hris_pipeline.reports import explain
from hris_pipeline.reports import plan as plans
from hris_pipeline.rules import scope

OTHER = "Undoes Changed. It is so in deskbird already, left alone: moving- people."
"""Words that once decided something, for everything."""
WORDED = {"reason", "problem", "answer", "verdict"}


@contextlib.contextmanager
def other_words() -> Iterator[None]:
    """Let everything be said in :data:`OTHER` words while the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        reasons = (
            'create or replace temp macro reason_of(code, object, action, "after", evidence) as '
            "if(code is null, null, {});"
        )
        problems = (
            "create or replace temp macro problem_of(code, guard) as if(code is null, null, {});"
        )
        patch.setitem(pipeline.SQL, "plan/reasons", reasons.format(f"'{OTHER}'"))
        patch.setattr(execution, "_PROBLEMS", problems.format(f"'{OTHER}'"))
        patch.setattr(scope, "_SCOPE", scope._SCOPE.replace("'not known yet'", f"'{OTHER}'"))
        for kind, names in {
            Fate: ["problem"],
            Answer: ["problem"],
            Part: ["problem"],
            Result: ["problem"],
        }.items():
            patch.setattr(kind, "__init__", said_otherwise(kind.__init__, names))
        patch.setattr(
            GuardVerdict, "__init__", said_otherwise(GuardVerdict.__init__, ["subject", "limit"])
        )
        patch.setattr(StopReason, "__new__", lambda cls, _text, code: with_code(cls, code))
        yield


def said_otherwise(init: Any, names: list[str]) -> Any:
    @functools.wraps(init)
    def otherwise(self: object, *values: Any, **named: Any) -> None:
        init(self, *values, **named)
        for name in names:
            if getattr(self, name):
                object.__setattr__(self, name, OTHER)

    return otherwise


def with_code(cls: type[StopReason], code: ProblemCode) -> StopReason:
    made = str.__new__(cls, OTHER)
    made.code = code
    return made


def test_every_code_of_a_reason_has_its_sentence_and_no_other_code_has_one() -> None:
    world = World()
    with world.warehouse.read() as con:
        con.execute(pipeline.SQL["plan/reasons"])
        facts = """{"undoes": "1", "end_date": "2026-03-01", "missing_since": "2026-03-01",
                    "complete_reads": 3, "damage": {"run_id": "12345678"}}"""
        say = """select reason_of(?, 'user', 'update', '{"given_name": "A"}'::json, ?::json)"""
        said = {
            code: con.execute(say, [code, facts]).fetchone()
            for code in (*REASON_CODES, "another", None)
        }
    assert said.pop("another") == said.pop(None) == (None,)
    assert all(sentence and sentence[0] and sentence[0].endswith(".") for sentence in said.values())


def test_every_code_that_a_plan_gives_is_known() -> None:
    """The codes stand as literals in the planner's SQL."""
    known = {*REASON_CODES, *get_args(ProblemCode)}
    whole = "\n".join(pipeline.SQL.values())
    assert [code for code in known if f"'{code}'" not in whole and code in REASON_CODES] == []


# --- stories: what comes of them, in codes and numbers --------------------------------------------


def told(world: World) -> list[Any]:
    """The current plan without its words, its guards, its exit code, and what waits."""
    with world.warehouse.read() as con:
        shown = plans.read(con, "acme", world.now)
    changes = [
        {name: value for name, value in vars(change).items() if name not in WORDED}
        for change in shown.changes
    ]
    verdicts = [(change.verdict, change.state) for change in shown.changes]
    guards = sorted((v.guard, v.code, v.count, v.base, v.tripped) for v in shown.guards)
    outcomes = "select seq, outcome, problem_code, parts from state.outcomes order by all"
    kept = [
        world.query(outcomes),
        world.query("select * from state.not_undone order by all"),
        world.query(
            "select object, deskbird_id, attribute, why, code from state.ignored_drift order by all"
        ),
        world.query("select hris_ref, in_scope, wanted, scope_code from core.people order by all"),
    ]
    return [shown.plan_id, shown.exit_code, changes, verdicts, guards, kept]


def night(world: World) -> list[Any]:
    summary, applied, ended = world.night()
    return [summary.plan_id, summary.by_type, applied, ended, *told(world)]


def undone_swap() -> list[Any]:
    """Two swap their addresses, one is renamed and moves, somebody changes a name by hand; then all
    of it is undone.
    """
    world = World(guards=UNGUARDED)
    sales, it = world.unit("team", "1", "Sales"), world.unit("team", "2", "IT")
    world.hire("1", groups=(sales,))
    world.hire("2", "3", "4", manager_id="1", groups=(sales,))
    found = night(world)
    world.people["2"].email, world.people["3"].email = (
        world.people["3"].email,
        world.people["2"].email,
    )
    world.people["2"].given_name = "Ann"
    world.people["4"].groups = (it,)
    world.people["4"].manager_id = None
    world.user_of("3").family_name = "By hand"
    summary, applied, ended = world.night()
    found += [summary.plan_id, applied, ended, *told(world)]
    found += night(world)
    undoing = world.undo(summary.plan_id)
    found += [undoing.plan_id, *told(world), *world.apply(undoing.plan_id), *told(world)]
    world.now += dt.timedelta(days=1)
    return [
        *found,
        *night(world),
        explained(world, "p:2"),
        explained(world, "p:3"),
        sorted(world.users.items()),
    ]


def half_a_swap() -> list[Any]:
    """Of two who swap their addresses only the one has stepped aside; that is undone."""
    world = World(guards=UNGUARDED)
    world.hire("2", "3")
    world.settle()
    world.people["2"].email, world.people["3"].email = (
        world.people["3"].email,
        world.people["2"].email,
    )
    plan_id = world.make_plan().plan_id
    found = [*world.apply(plan_id, stop_after=1), *told(world)]
    undoing = world.undo(plan_id)
    return [
        *found,
        *told(world),
        *world.apply(undoing.plan_id),
        *told(world),
        sorted(world.users.items()),
    ]


def explained(world: World, who: str) -> list[Any]:
    with world.warehouse.read() as con:
        found = explain.read(con, "acme", who, world.rules, world.now, timezone="Europe/Berlin")
    compared = [
        (row.attribute, row.observed, row.source, row.verdict.code) for row in found.compared
    ]
    joined = next(
        (word for word in (", which ", ", because it was ", ", because ") if word in answer(found)),
        None,
    )
    return [compared, [(change.reason_code, change.state) for change in found.changes], joined]


def stale_and_failed() -> list[Any]:
    """A plan of which something is done by hand, something overtaken, something refused, something
    not reached.
    """
    world = World(guards=UNGUARDED)
    world.hire(*"12345")
    world.settle()
    world.hire("6", "7", "8", manager_id="6")
    world.refused = {"p:6"}
    for id_, name in zip("123", "abc", strict=True):
        world.people[id_].given_name = name
    plan_id = world.make_plan().plan_id
    world.user_of("1").given_name = "a"
    world.user_of("2").given_name = "somebody else's"
    found = [*world.apply(plan_id, stop_after=3), *told(world)]
    found += night(world)
    world.ignored = {"family_name"}
    world.people["4"].family_name = "Not kept"
    for _ in range(4):
        found += night(world)
    return [*found, explained(world, "p:4"), explained(world, "p:8")]


def first_contact() -> list[Any]:
    """More strangers than may be linked; then nobody is left; then a first run that would take
    away.
    """
    world = World()
    for number in range(30):
        world.stranger(f"s{number}@acme.test")
    world.hire(*"123")
    found = night(world)
    nobody = World()
    nobody.hire(*"123")
    found += night(nobody)
    nobody.people.clear()
    found += night(nobody)
    small = World()
    small.hire("1", "2")
    user = small.stranger("old@acme.test", external_id="p:2")
    small.people["2"].status = "inactive"
    return [*found, *night(small), user.active]


@pytest.mark.parametrize(
    "story",
    [undone_swap, half_a_swap, stale_and_failed, first_contact],
    ids=lambda story: story.__name__,
)
def test_the_same_comes_of_a_night_whatever_its_sentences_say(story: Any) -> None:
    usual = story()
    with other_words():
        assert story() == usual
