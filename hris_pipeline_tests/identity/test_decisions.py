"""What people decided about who is who, and users of another record of the same person."""

from typing import Any

import pytest

from hris_pipeline_tests.plan.world import UNGUARDED, World


@pytest.fixture(scope="module")
def settled() -> World:
    """Three people, each with a user; no guard in the way."""
    world = World(guards=UNGUARDED)
    world.hire("1", "2", "3")
    world.settle()
    return world


@pytest.fixture
def world(settled: World) -> World:
    return settled.copy()


def decide(world: World, ref: str, deskbird_id: str, decision: str) -> None:
    world.execute(
        "insert into state.decisions values (?, ?, ?, null, 'by the test', ?)",
        [ref, deskbird_id, decision, world.now],
    )


def review(world: World) -> dict[str, str]:
    return dict(world.query("select hris_ref, rule from state.review"))


def test_a_decided_link_takes_a_user_that_no_rule_would_have_found(world: World) -> None:
    by_hand = world.stranger("nick@elsewhere.test", given_name="Nick")
    world.hire("4")
    decide(world, "p:4", by_hand.id, "link")
    _, _, night = world.night()
    assert night.in_line
    assert world.user_of("4") is by_hand
    assert (by_hand.email, by_hand.given_name) == ("4@acme.test", "Given")
    assert len(world.users) == 4
    assert world.make_plan().changes == 0


def test_a_decided_link_takes_over_a_user_with_an_identity_providers_mark(world: World) -> None:
    entra = world.stranger("4@acme.test", external_id="8f14e45f-entra")
    world.hire("4")
    world.night()
    assert review(world) == {"p:4": "foreign_external_id"}
    assert world.query("select candidates from state.review") == [([entra.id],)]
    decide(world, "p:4", entra.id, "link")
    world.night()
    assert review(world) == {}
    assert entra.external_id == "p:4"


def test_a_decided_link_moves_a_person_to_another_user_and_leaves_the_first_alone(
    world: World,
) -> None:
    first, second = world.user_of("1"), world.stranger("other@acme.test")
    decide(world, "p:1", second.id, "link")
    before = vars(first) | {}
    _, _, night = world.night()
    assert second.external_id == "p:1"
    assert vars(first) | {} == before
    assert night.in_line
    assert world.make_plan().changes == 0


def test_c25_a_decision_gives_a_reused_address_and_its_account_to_the_new_person(
    world: World,
) -> None:
    john = world.user_of("1")
    world.people["1"].status = "inactive"
    world.hire("jane", given_name="Jane")
    world.people["jane"].email = "1@acme.test"
    world.night()
    assert review(world) == {"p:jane": "email_belongs_to_another_person"}
    # case 93: the leaver waits for nobody
    assert (john.external_id, john.given_name, john.active) == ("p:1", "Given", False)
    decide(world, "p:jane", john.id, "link")
    world.night()
    assert (john.external_id, john.given_name, john.active) == ("p:jane", "Jane", True)
    assert world.make_plan().changes == 0


def test_c25_separated_from_the_old_account_a_new_person_waits_for_the_address(
    world: World,
) -> None:
    john = world.user_of("1")
    world.people["1"].status = "inactive"
    world.hire("jane", given_name="Jane")
    world.people["jane"].email = "1@acme.test"
    decide(world, "p:jane", john.id, "separate")
    world.make_plan()
    assert world.kinds_of_changes() == ["user deactivate p:1"]
    assert review(world) == {"p:jane": "email_is_taken"}
    john.email = john.user_name = "old.john@acme.test"
    world.make_plan()
    assert world.kinds_of_changes() == ["user create p:jane", "user deactivate p:1"]


def test_what_is_separated_is_neither_matched_nor_deactivated(world: World) -> None:
    user = world.user_of("1")
    decide(world, "p:1", user.id, "separate")
    world.people["1"].status = "inactive"
    assert world.make_plan().changes == 0
    world.people["1"].status = "active"
    world.people["1"].email = "fresh@acme.test"
    world.make_plan()
    assert world.kinds_of_changes() == ["user create p:1"]


def test_the_latest_decision_on_a_pair_counts(world: World) -> None:
    by_hand = world.stranger("4@acme.test")
    world.hire("4")
    for decision in ("link", "separate", "link"):
        decide(world, "p:4", by_hand.id, decision)
    world.make_plan()
    assert world.kinds_of_changes() == ["user link p:4"]
    decide(world, "p:4", by_hand.id, "separate")
    world.make_plan()
    assert "user link p:4" not in world.kinds_of_changes()


@pytest.mark.parametrize(
    "names", [{}, {"given_name": None, "family_name": None, "display_name": "GIVEN FAMILY"}]
)
def test_c28_under_a_new_id_and_with_the_old_record_gone_a_person_gets_the_old_user(
    world: World, names: Any
) -> None:
    user = world.user_of("1")
    user.active = False
    vars(user).update(names)
    del world.people["1"]
    world.hire("back")
    world.people["back"].email = "1@acme.test"
    summary, _, night = world.night()
    assert night.in_line
    assert summary.by_type.keys() >= {"user link", "user reactivate"}
    assert [write.kind for write in world.writes] == ["update_user"]
    assert (user.external_id, user.active, len(world.users)) == ("p:back", True, 3)
    assert world.make_plan().changes == 0


def test_c28_a_whole_company_under_new_ids_waits_for_one_approval(world: World) -> None:
    world.guard("link_user", {"max_percent": 20, "max_count": 1})
    world.base(3)
    users = {id_: world.user_of(id_) for id_ in "123"}
    world.people.clear()
    for id_ in "123":
        world.hire(f"new{id_}")
        world.people[f"new{id_}"].email = f"{id_}@acme.test"
    world.make_plan()
    assert {(row["action"], row["guard"]) for row in world.rows()} == {("link", "link_user")}
    assert {row["deskbird_id"] for row in world.rows()} == {user.id for user in users.values()}


def test_c12_what_the_hris_really_cleared_is_cleared_or_kept_as_the_company_says() -> None:
    for cleared, wanted in ((("manager", "team", "family_name"), True), ((), False)):
        world = World(guards=UNGUARDED)
        world.hire("boss")
        world.hire("1", groups=(world.unit("team", "t", "Team"),), manager_id="boss")
        world.settle()
        world.rule(cleared=cleared)
        one = world.people["1"]
        one.groups, one.manager_id, one.family_name = (), None, None
        _, _, night = world.night()
        user = world.user_of("1")
        assert night.in_line
        assert (
            user.manager is None,
            user.id not in world.group_of("team", "t").members,
            user.family_name is None,
        ) == (wanted,) * 3
        assert world.make_plan().changes == 0


def test_c13_what_the_hris_did_not_deliver_is_left_alone_whatever_the_company_says() -> None:
    world = World(guards=UNGUARDED)
    world.hire("boss")
    world.hire("1", groups=(world.unit("team", "t", "Team"),), manager_id="boss")
    world.settle()
    world.rule(cleared=("manager", "team", "family_name"))
    one = world.people["1"]
    one.groups, one.manager_id, one.family_name = (), None, None
    one.absent = ("team", "manager_id", "family_name")
    assert world.make_plan().changes == 0


def test_moving_from_one_team_to_another_takes_out_of_the_first_even_where_empty_is_kept() -> None:
    world = World(guards=UNGUARDED)
    a, b = world.unit("team", "a", "A"), world.unit("team", "b", "B")
    world.hire("0", groups=(b,))
    world.hire("1", groups=(a,))
    world.settle()
    world.rule(cleared=())
    world.people["1"].groups = (b,)
    world.night()
    assert world.user_of("1").id not in world.group_of("team", "a").members
    assert world.user_of("1").id in world.group_of("team", "b").members
