"""A guard's sentence names the limit that tripped, and the same sentence stands wherever the guard
speaks.
"""

from typing import Any

import pytest
from plan.world import GUARDS, UNGUARDED, World

from hris_pipeline import plan
from hris_pipeline.plan.guards import Judgement, Situation
from hris_pipeline.plan.sentences import GuardVerdict, sentence
from hris_pipeline.presentation import page, status
from hris_pipeline.presentation import plan as screen
from hris_pipeline.reports import plan as plans
from hris_pipeline.reports import status as reports

SAID: list[tuple[int, int, int, str]] = [
    # base, tonight, applied in the window, what is said of the limits of deactivate_user
    (232, 40, 0, "deactivate_user: 40 of 232 people: 17 %, limit 5 % and 5"),
    (240, 3, 40, "deactivate_user: 3 tonight and 40 in 7 days: 18 %, limit 10 %"),
    (100_000, 101, 0, "deactivate_user: 101 of 100,000 people, never more than 100"),
    # never rounded down to the limit
    (1000, 51, 0, "deactivate_user: 51 of 1,000 people: 5.1 %, limit 5 % and 5"),
    (0, 6, 0, "deactivate_user: 6 of 0 people, limit 5 % and 5"),
]


@pytest.mark.parametrize(("base", "tonight", "before", "said"), SAID)
def test_a_guard_names_the_limit_that_tripped(
    base: int, tonight: int, before: int, said: str
) -> None:
    con: Any = None
    judgement = Judgement(con, GUARDS, Situation(base, False, None, ()))  # type: ignore[arg-type]
    judgement.say(
        "deactivate_user",
        "deactivations",
        tonight,
        judgement.trips("deactivate_user", tonight, extra=before),
        tripped=True,
    )
    assert sentence(judgement.verdicts[0]) == said


def test_what_a_group_loses_is_counted_in_members() -> None:
    verdict = GuardVerdict(
        "group_members", "p:team:9", 6, 10, "50 % of its members", True, "loss", max_percent=50
    )
    assert sentence(verdict) == "group_members (p:team:9): 6 of 10 members: 60 %, limit 50 %"


def shown(world: World) -> tuple[str, str, int]:
    """The plan as it is printed, the status, and the exit code of both."""
    with world.warehouse.read() as con:
        current = plans.read(con, "acme", world.now)
        state = reports.read(con, "acme", world.now, timezone="UTC", schedule=None, last_run=None)
    assert current.exit_code == state.exit_code
    printed = (
        page(lambda to: screen.show(to, current, timezone="UTC"))
        + screen.as_json(current)
        + screen.markdown(current, timezone="UTC")
    )
    return printed, page(lambda to: status.show(to, state)), current.exit_code


def test_after_an_approval_nothing_says_held_back() -> None:
    world = World(guards=UNGUARDED)
    world.hire(*"0123456789")
    world.settle()
    world.guard("deactivate_user", GUARDS["deactivate_user"])
    for id_ in "0123456":
        world.people[id_].status = "inactive"
    summary = world.make_plan()
    world.apply()
    said = "deactivate_user: 7 of 10 people: 70 %, limit 5 % and 5"
    printed, state, code = shown(world)
    assert (said in printed, said in state, code) == (True, True, 3)
    with world.warehouse.write() as con:
        plan.approve(
            con, summary.plan_id, only=None, because=None, by="me", now=world.now, hours=24
        )
    printed, state, code = shown(world)
    assert code == 2
    assert not [
        word
        for word in ("held back", "Held back", "BLOCKED", "holds back")
        if word in printed + state
    ]
    assert "7 approved, wait for the next run or apply" in printed
    assert "7 of them approved; the next run does it, or now: hris-pipeline apply" in state
    again = world.make_plan()  # also of a new plan that contains exactly the same
    assert (again.tripped, [verdict.released for verdict in again.guards]) == ((), [True])
    assert "approved" in shown(world)[0]
