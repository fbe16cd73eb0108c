"""The planner's steps: their SQL does what its header says, each reads what is there already, and
few statements do it.
"""

import pytest
from plan import steps
from plan.world import World

from hris_pipeline import plan
from hris_pipeline.plan.pipeline import QUESTIONS, STEPS

MADE_TWICE = {"user_differences", "undone_attributes"}
"""What a plan that undoes another makes anew in its own way."""
MAKERS = ("plan/changes/", "plan/order/", "plan/verdicts")


@pytest.mark.parametrize("path", steps.FILES, ids=lambda path: path.stem)
def test_the_header_of_a_file_says_what_its_sql_does(path):
    assert steps.told(path) == steps.found(path)


KINDS = pytest.mark.parametrize("kind", ["usual plans", "undoing"])
GIVEN = pytest.mark.parametrize("answer", [True, False])


def is_for(step, answer):
    return step.given is None or QUESTIONS[step.given][1] == answer


@KINDS
@GIVEN
def test_each_step_reads_what_an_earlier_one_has_made(kind, answer):
    made: set[str] = set()
    for step in STEPS:
        if step.of in ("every plan", kind) and is_for(step, answer):
            facts = steps.facts(step)
            missing = (
                {name for name in facts.reads | facts.changes if "." not in name}
                - made
                - facts.makes
            )
            assert not missing, f"{step.name} reads {sorted(missing)}, which no earlier step makes"
            # what is left out of some plans is nothing that a later step could rely on
            made |= set() if step.is_conditional else facts.makes


@KINDS
@GIVEN
def test_each_table_has_one_maker(kind, answer):
    made = [
        name
        for step in STEPS
        if step.of in ("every plan", kind) and is_for(step, answer)
        for name in steps.facts(step).makes
    ]
    assert {name for name in made if made.count(name) > 1} <= MADE_TWICE


def test_nothing_changes_what_the_makers_of_changes_have_made():
    made = {
        name for step in STEPS if step.name.startswith(MAKERS) for name in steps.facts(step).makes
    }
    changed = {name for path in steps.FILES for name in steps.found(path).changes}
    assert changed & made == set()


def test_every_file_of_a_step_is_there():
    assert [step.name for step in STEPS if not step.path.exists() and step.run is None] == []
    assert len({step.name for step in STEPS}) == len(STEPS)


def test_the_page_on_the_plan_is_as_the_steps_are():
    """``python -m hris_pipeline_tests.plan.steps`` writes it anew."""
    assert steps.DOCUMENT.read_text(encoding="utf-8") == steps.document()


# --- statements: each costs about a millisecond, however small the company ------------------------


class Counting:
    """A connection that counts what is executed on it."""

    def __init__(self, con):
        self._con = con
        self.statements = 0

    def execute(self, *query):
        self.statements += 1
        return self._con.execute(*query)

    def __getattr__(self, name):
        return getattr(self._con, name)


def statements(world):
    with world.warehouse.write(["p"]) as con:
        counting = Counting(con)
        plan.build(counting, world.rules, now=world.now, run_id="run")
    return counting.statements


def test_a_plan_takes_few_statements():
    """The first number is of a company where nothing differs, the second of one where something of
    each kind does.
    """
    world = World()
    units = [world.unit("team", str(number), f"Team {number}") for number in range(3)]
    world.hire(*map(str, range(1, 31)), groups=(units[0], units[1]), manager_id="1")
    world.settle()
    world.plan_again()
    assert statements(world) <= 93

    world.hire("40", "41", groups=(units[2],), manager_id="2")
    world.people["3"].given_name = "Ann"
    world.people["4"].email, world.people["5"].email = (
        world.people["5"].email,
        world.people["4"].email,
    )
    world.people["6"].status = "inactive"
    world.people["7"].groups = (units[2],)
    world.people["8"].manager_id = None
    world.units["team", "0"] = "Renamed"
    world.make_plan()
    assert statements(world) <= 128
