"""The five examples of docs/matching.md, as it tells them."""

from pathlib import Path

import pytest

from hris_pipeline_tests.plan.world import UNGUARDED, World

PAGE = Path(__file__).resolve().parents[2] / "docs" / "matching.md"


@pytest.fixture(scope="module")
def settled() -> World:
    world = World(guards=UNGUARDED)
    world.hire("john", given_name="John")
    world.hire("mia", given_name="Mia")
    world.settle()
    return world


@pytest.fixture
def world(settled: World) -> World:
    return settled.copy()


def test_the_page_tells_five_examples() -> None:
    text = PAGE.read_text(encoding="utf-8").split("| situation | outcome |")[1]
    assert len(text.split("\n\n")[0].strip().splitlines()) == 1 + 5


def test_a_contractor_who_becomes_an_employee_keeps_the_user(world: World) -> None:
    user = world.user_of("john")
    world.people["john"].status = "inactive"
    world.hire("employee", given_name="John")
    world.people["employee"].email = "john@acme.test"
    world.night()
    assert (user.active, user.external_id, len(world.users)) == (True, "p:employee", 2)


def test_who_gets_a_leavers_address_waits_for_a_decision(world: World) -> None:
    user = world.user_of("john")
    world.people["john"].status = "inactive"
    world.hire("jane", given_name="Jane")
    world.people["jane"].email = "john@acme.test"
    world.night()
    assert world.query("select hris_ref, rule from state.review") == [
        ("p:jane", "email_belongs_to_another_person")
    ]
    assert (user.active, user.given_name, user.external_id) == (False, "John", "p:john")


def test_who_was_invited_by_hand_in_capitals_is_linked(world: World) -> None:
    ann = world.stranger("ANN@ACME.TEST")
    world.hire("ann", given_name="Ann")
    world.night()
    assert (ann.external_id, len(world.users)) == ("p:ann", 3)


def test_whose_record_is_missing_is_only_listed(world: World) -> None:
    user = world.user_of("john")
    del world.people["john"]
    summary, _, _ = world.night()
    assert (summary.changes, summary.missing, user.active) == (0, 1, True)


def test_two_people_swap_their_addresses_in_one_night(world: World) -> None:
    john, mia = world.user_of("john"), world.user_of("mia")
    world.people["john"].email, world.people["mia"].email = "mia@acme.test", "john@acme.test"
    world.night()
    assert (john.email, mia.email, john.active, mia.active) == (
        "mia@acme.test",
        "john@acme.test",
        True,
        True,
    )
