"""Carrying a plan out: approvals, staleness, and runs that end before their time."""

import datetime as dt
from collections.abc import Callable
from copy import deepcopy

import pytest
from plan.world import GUARDS, UNGUARDED, Killed, World

from hris_pipeline import plan
from hris_pipeline.errors import PipelineError
from hris_pipeline.plan import execution


@pytest.fixture(scope="module")
def ten() -> World:
    """Ten people in line, of whom seven leave tonight: two more than pass."""
    world = World(guards=UNGUARDED)
    world.hire(*"0123456789", groups=(world.unit("team", "s", "Sales"),))
    world.settle()
    kept = ("deactivate_user", "create_user", "protected", "frozen")
    world.rule(guards={**UNGUARDED, **{guard: GUARDS[guard] for guard in kept}})
    for id_ in "0123456":
        world.people[id_].status = "inactive"
    return world


@pytest.fixture
def world(ten: World) -> World:
    return ten.copy()


def approve(world: World, plan_id: str, only: str | None = None, hours: float = 24) -> int:
    with world.warehouse.write() as con:
        return plan.approve(
            con,
            plan_id,
            only=only,
            because="we sold the plant",
            by="somebody",
            now=world.now,
            hours=hours,
        )


def reject(world: World, plan_id: str) -> int:
    with world.warehouse.write() as con:
        return plan.reject(con, plan_id, because=None, by="somebody", now=world.now, hours=24)


def active(world: World) -> int:
    return sum(user.active for user in world.users.values())


# --- approvals ------------------------------------------------------------------------------------


def test_c71_an_approved_plan_is_carried_out_exactly_and_approving_twice_is_nothing(
    world: World,
) -> None:
    summary = world.make_plan()
    assert (summary.blocked, approve(world, summary.plan_id), approve(world, summary.plan_id)) == (
        7,
        7,
        0,
    )
    applied, _ = world.apply(summary.plan_id)
    assert (applied.applied, applied.blocked, active(world)) == (7, 0, 3)
    assert world.query("select count(*), min(because), min(decided_by) from state.approvals") == [
        (7, "we sold the plant", "somebody")
    ]


def test_c71_what_is_not_blocked_or_not_there_cannot_be_approved(world: World) -> None:
    summary = world.make_plan()
    altered = ("0" if summary.plan_id[0] != "0" else "1") + summary.plan_id[1:]
    with pytest.raises(
        PipelineError, match=f"no plan with the id {altered}.*latest plan is {summary.plan_id}"
    ):
        approve(world, altered)
    with pytest.raises(PipelineError, match="no plan with the id"):
        world.apply(altered)
    with pytest.raises(
        PipelineError, match=f"Nothing of plan {summary.plan_id} is held back by guard create_user"
    ):
        approve(world, summary.plan_id, only="create_user")
    with pytest.raises(PipelineError, match="There is no plan yet"):
        approve(World(), "0")
    with pytest.raises(PipelineError, match="There is no plan for company 'acme' yet"):
        World().apply()


def test_c71_an_approval_expires(world: World) -> None:
    plan_id = world.make_plan().plan_id
    approve(world, plan_id, hours=1)
    world.now += dt.timedelta(hours=1)
    applied, _ = world.apply(plan_id)
    assert (applied.applied, applied.blocked, active(world)) == (0, 7, 10)
    assert approve(world, plan_id) == 7


def test_c71_an_approval_belongs_to_the_changes_wherever_they_are_planned_again(
    world: World,
) -> None:
    approve(world, world.make_plan().plan_id)
    world.people["7"].status, world.people["8"].family_name = "inactive", "New"
    summary = world.make_plan()
    assert world.held() == {"user deactivate p:7": "deactivate_user"}  # the one nobody has approved
    assert summary.changes == 9
    world.apply()
    assert active(world) == 3


def test_an_approval_of_one_guard_releases_nothing_that_another_holds_and_both_add_up(
    world: World,
) -> None:
    world.guard("incomplete_extract", {})
    world.proof = "unproven"
    plan_id = world.make_plan().plan_id
    assert approve(world, plan_id, only="deactivate_user") == 7
    world.now += dt.timedelta(minutes=1)
    assert set(world_held_again(world)) == {"incomplete_extract"}
    assert approve(world, plan_id, only="incomplete_extract") == 7
    assert world_held_again(world) == []
    assert (approve(world, plan_id, only="deactivate_user"), approve(world, plan_id)) == (0, 0)


def world_held_again(world: World) -> list[str]:
    world.make_plan()
    return list(world.held().values())


def test_a_rejection_takes_an_approval_back_and_an_approval_a_rejection(world: World) -> None:
    plan_id = world.make_plan().plan_id
    assert approve(world, plan_id) == 7
    assert world_held_again(world) == []  # all at the same moment
    assert (reject(world, plan_id), reject(world, plan_id)) == (7, 0)
    assert len(world_held_again(world)) == 7
    assert approve(world, plan_id) == 7
    assert world_held_again(world) == []


def test_what_the_company_file_lists_by_name_is_never_released(world: World) -> None:
    world.rule(protected=("p:0",), frozen=("p:1",))
    plan_id = world.make_plan().plan_id
    with pytest.raises(PipelineError, match="frozen and protected"):
        approve(world, plan_id, only="protected")
    world.people["7"].status = "inactive"
    plan_id = world.make_plan().plan_id
    assert approve(world, plan_id) == 6
    world.apply(plan_id)
    assert [world.user_of(id_).active for id_ in "012"] == [True, True, False]


# --- staleness ------------------------------------------------------------------------------------


def test_c64_what_was_changed_by_hand_or_in_the_hris_is_refused_and_the_rest_is_done() -> None:
    world = World(guards=UNGUARDED)
    world.hire(*"0123456", groups=(world.unit("team", "s", "Sales"),))
    world.settle()
    for person in world.people.values():
        person.family_name = "New"
    world.people["5"].status = world.people["6"].status = "inactive"
    world.hire("new", groups=(("team", "s"),))
    plan_id = world.make_plan().plan_id

    world.user_of("0").family_name = "By hand"  # no longer as `before` says
    done = world.user_of("1")
    done.family_name, done.display_name = "New", "Given New"  # somebody did it already
    # of the same user, but nothing that is planned
    world.user_of("2").email = world.user_of("2").user_name = "else@acme.test"
    world.people["3"].family_name = "Newer"  # no longer wanted
    world.user_of("5").active = False  # done already
    gone = world.users.pop(world.user_of("6").id)
    world.group_of("team", "s").members.discard(gone.id)
    with world.warehouse.write(["p"]) as con:
        world.extract(con)
        world.derive(con)
    applied, _ = world.apply(plan_id)
    outcome = dict(
        world.query(
            """select hris_ref || ' ' || a.action, a.outcome
               from deskbird.applied_changes a
               join state.plan_changes c using (plan_id, seq)
               where a.object = 'user'"""
        )
    )
    assert outcome == {
        "p:0 update": "stale", "p:1 update": "skipped", "p:2 update": "applied",
        "p:3 update": "stale", "p:4 update": "applied", "p:5 deactivate": "skipped",
        "p:6 deactivate": "stale", "p:new create": "applied",
    }  # fmt: skip
    assert (applied.stale, applied.skipped, applied.failed) == (3, 2, 0)
    assert world.user_of("0").family_name == "By hand"
    problems = dict(
        world.query("select outcome, any_value(problem) from deskbird.applied_changes group by all")
    )
    assert problems["skipped"] == "It is so in deskbird already."
    assert "Make a new plan" in problems["stale"]


def test_applying_an_applied_plan_again_does_nothing_and_says_that_it_is_done(
    world: World,
) -> None:
    world.rule(guards=UNGUARDED)
    world.hire("new", groups=(("team", "s"),))
    world.units["team", "s"] = "Retail"
    plan_id = world.make_plan().plan_id
    first, _ = world.apply(plan_id)
    told = world.query("select * from deskbird.applied_changes order by seq")
    deskbird = deepcopy((world.users, world.groups))
    world.writes.clear()
    world.now += dt.timedelta(hours=1)
    again, night = world.apply(plan_id)
    assert (again, world.writes, night.in_line) == (first, [], True)
    assert (world.users, world.groups) == deskbird
    assert world.query("select * from deskbird.applied_changes order by seq") == told


def test_what_is_blocked_stays_so_when_the_plan_is_applied_again(world: World) -> None:
    plan_id = world.make_plan().plan_id
    for _ in range(2):
        applied, _ = world.apply(plan_id)
        assert (applied.blocked, active(world)) == (7, 10)
    problems = {
        problem for (problem,) in world.query("select problem from deskbird.applied_changes")
    }
    assert problems == {"Held back by guard deactivate_user."}


def test_a_guard_that_trips_only_now_blocks_what_was_planned_before(world: World) -> None:
    for id_ in "56":
        world.people[id_].status = "active"
    plan_id = world.make_plan().plan_id
    assert world.held() == {}
    for id_ in "56":
        world.people[id_].status = "inactive"
    with world.warehouse.write(["p"]) as con:
        world.extract(con)
        world.derive(con)
    applied, _ = world.apply(plan_id)
    assert (applied.blocked, active(world)) == (5, 10)


def test_an_update_of_which_one_attribute_trips_only_now_waits_whole() -> None:
    world = World(guards={**UNGUARDED, "update_attribute": GUARDS["update_attribute"]})
    world.hire(*"0123456789")
    world.night()
    for id_ in "012":
        world.people[id_].given_name = world.people[id_].family_name = "New"
    plan_id = world.make_plan().plan_id
    assert world.held() == {}
    for id_ in "34":
        # now half of them get another first name, and three another last name
        world.people[id_].given_name = "New"
    with world.warehouse.write(["p"]) as con:
        world.extract(con)
        world.derive(con)
    world.writes.clear()
    applied, _ = world.apply(plan_id)
    assert (applied.blocked, applied.stale, world.writes) == (3, 0, [])


# --- runs that end before their time --------------------------------------------------------------


@pytest.fixture(scope="module")
def half() -> World:
    """A plan of every kind of write, with dependencies between them."""
    world = World(guards=UNGUARDED)
    sales, it = world.unit("team", "s", "Sales"), world.unit("team", "i", "IT")
    world.hire("a", "b", "c", groups=(sales,))
    world.hire("d", groups=(it,))
    world.settle()
    world.hire("e", manager_id="f", groups=(world.unit("team", "n", "New"),))
    world.hire("f", manager_id="a", groups=(sales,))
    world.people["a"].email, world.people["b"].email = "b@acme.test", "a@acme.test"
    world.units.update({sales: "IT", it: "Sales"})
    world.people["c"].groups = (it,)
    world.people["d"].status = "inactive"
    world.stranger("g@acme.test")
    world.hire("g", manager_id="e", groups=(it,))
    world.make_plan()
    return world


@pytest.mark.parametrize(
    ("writes", "markers_readable"),
    [(1, True), (4, True), (6, True), (8, True), (10, True), (6, False), (9, False)],
)
def test_c62_a_run_that_was_killed_is_brought_to_its_end_by_the_next(
    half: World, writes: int, markers_readable: bool
) -> None:
    world = half.copy()
    if not markers_readable:  # then only the journal knows what was created
        for resource in world.readable.values():
            resource.remove("external_id")
    with pytest.raises(Killed):
        world.apply(kill_after=writes)
    world.restart()
    _, applied, night = world.night()
    assert (applied.failed, applied.stale, night.in_line) == (0, 0, True)
    assert world.make_plan().changes == 0
    assert_as_wanted(world)


def test_c62_applying_the_very_plan_again_goes_as_far_as_it_still_holds(half: World) -> None:
    world = half.copy()
    plan_id = world.query("select plan_id from deskbird.changes limit 1")[0][0]
    with pytest.raises(Killed):
        world.apply(kill_after=5)
    world.restart()
    applied, _ = world.apply(plan_id)
    assert applied.failed == 0
    world.settle()
    assert_as_wanted(world)


def test_a_run_that_was_asked_to_stop_says_what_it_did_not_reach(half: World) -> None:
    world = half.copy()
    applied, night = world.apply(stop_after=5)
    assert (applied.skipped > 0, applied.failed, night.in_line) == (True, 0, False)
    assert world.query(
        "select distinct problem from deskbird.applied_changes where outcome = 'skipped'"
    ) == [("Not reached: the run ended before. The next run goes on from here.",)]
    world.settle()
    assert_as_wanted(world)


def assert_as_wanted(world: World) -> None:
    """deskbird is as the HRIS of ``half`` says, nobody twice."""
    emails = sorted(str(user.email) for user in world.users.values())
    assert emails == [f"{id_}@acme.test" for id_ in "abcdefg"]
    by_id = {user.external_id: user for user in world.users.values()}
    assert {ref: user.email for ref, user in by_id.items() if ref in {"p:a", "p:b"}} == {
        "p:a": "b@acme.test",
        "p:b": "a@acme.test",
    }
    assert {user.email for user in world.users.values() if not user.active} == {"d@acme.test"}
    assert by_id["p:e"].manager == by_id["p:f"].id
    assert by_id["p:g"].manager == by_id["p:e"].id
    members = {
        group.name: {world.users[member].external_id for member in group.members}
        for group in world.groups.values()
    }
    assert members == {"IT": {"p:a", "p:b", "p:f"}, "Sales": {"p:c", "p:d", "p:g"}, "New": {"p:e"}}


# --- nights on which there is nothing to do -------------------------------------------------------


def nothing(_: World) -> None:
    pass


def nobody_left(world: World) -> None:
    world.people.clear()


def strangers_only(world: World) -> None:
    """The first contact, with so many users of somebody else that nothing is linked."""
    world.lose_state()
    world.people.clear()
    world.users.clear()
    for number in range(30):
        world.stranger(f"{number}@else.test")


def one_waits_for_a_decision(world: World) -> None:
    world.stranger("new@acme.test", external_id="an identity provider's")
    world.hire("new")


@pytest.mark.parametrize(
    "happens", [nothing, nobody_left, strangers_only, one_waits_for_a_decision]
)
def test_a_night_without_changes_ends_as_one_more_comparison_would_say(
    ten: World, happens: Callable[[World], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = ten.copy()
    world.rule(guards=GUARDS)
    for person in world.people.values():
        person.status = "active"
    happens(world)
    assert world.make_plan().changes == 0
    compared = world.apply()
    tables = {
        table: world.query(f"from state.{table} order by all")
        for table in ("missing", "review", "links", "ignored_drift")
    }
    with monkeypatch.context() as patch:
        # one comparison is enough: of a million people it takes long
        patch.setattr(execution, "compute", None)
        assert world.apply(unchanged=True) == compared
    assert tables == {table: world.query(f"from state.{table} order by all") for table in tables}
    assert compared[1].in_line == (happens not in {nobody_left, strangers_only})


def test_what_was_changed_by_hand_and_is_in_line_again_is_forgotten_on_a_night_without_changes(
    world: World,
) -> None:
    world.rule(guards=UNGUARDED, drift_kept=("display_name",))
    world.night()
    user = world.user_of("7")
    for name, known in (("Somebody", 1), ("Given Family", 0)):
        user.display_name = name
        summary, _, night = world.night()
        assert (
            summary.changes,
            night.in_line,
            len(world.query("from state.external_changes")),
        ) == (0, True, known)


def test_a_plan_of_another_run_says_nothing_about_how_this_one_ends(world: World) -> None:
    world.rule(guards=UNGUARDED)
    world.night()
    assert world.make_plan().changes == 0
    world.execute("update state.plans set run_id = 'another'")
    world.people["7"].family_name = "Changed"
    with world.warehouse.write(["p"]) as con:
        world.extract(con)
        world.derive(con)
    assert world.apply(unchanged=True)[1].left == 1


def test_a_night_on_which_everything_is_held_back_is_compared_all_the_same(ten: World) -> None:
    world = ten.copy()
    summary, _, night = world.night()
    assert (summary.changes, summary.planned, night.blocked) == (7, 0, 7)


# --- a deskbird that is older than what we know of it ---------------------------------------------


def test_c75_a_deskbird_restored_from_a_backup_is_brought_in_line_without_a_duplicate() -> None:
    world = World()
    team = world.unit("team", "1", "Sales")
    world.hire(*map(str, range(30)), groups=(team,))
    world.settle()
    backup = deepcopy((world.users, world.groups))
    world.hire("new", manager_id="1", groups=(team,))
    world.people["2"].email = "other@acme.test"
    world.people["3"].status = "inactive"
    world.units["team", "1"] = "Trade"
    world.settle()
    held = {user.external_id: (user.email, user.active) for user in world.users.values()}

    world.users, world.groups = backup
    world.night()
    assert {user.external_id: (user.email, user.active) for user in world.users.values()} == held
    assert len(world.users) == 31
    assert world.group_of("team", "1").name == "Trade"
    assert world.make_plan().changes == 0


def test_c75_a_deskbird_that_lost_everybody_waits_for_an_approval() -> None:
    world = World()
    world.hire(*map(str, range(30)))
    world.settle()
    world.users.clear()
    summary = world.make_plan()
    assert (summary.planned, {verdict.guard for verdict in summary.tripped}) == (
        0,
        {"create_user"},
    )


# --- people about whom nothing succeeds -----------------------------------------------------------


def test_who_fails_on_every_night_for_28_days_waits_for_a_person_until_a_write_succeeds(
    world: World,
) -> None:
    world.rule(guards=UNGUARDED)
    world.refused = {"p:7", "p:8"}
    world.people["7"].family_name = world.people["8"].family_name = world.people[
        "9"
    ].family_name = "New"
    began = world.now
    for day in (0, 1, 14, 27):
        world.now = began + dt.timedelta(days=day)
        world.make_plan()
        world.apply()
        assert world.query("from state.review") == []
    world.refused.discard("p:8")
    world.now = began + dt.timedelta(days=28)
    world.make_plan()
    refused = world.query(
        "select hris_ref, rule, since, deskbird_id from state.review order by all"
    )
    assert refused == [(f"p:{id_}", "fails_for_28_days", began, None) for id_ in "78"]
    world.apply()
    world.people["8"].family_name = "Newer"
    world.make_plan()
    assert world.query("select hris_ref from state.review") == [("p:7",)]
