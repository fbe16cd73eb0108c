"""Which person is which user, by which rule, and what goes to review instead."""

import json
from copy import deepcopy
from typing import Any

import pytest
from plan.world import UNGUARDED, User, World


@pytest.fixture(scope="module")
def settled() -> World:
    """Three people, each with a user; no guard in the way."""
    world = World(guards=UNGUARDED)
    world.hire("1", "2", "3", groups=(world.unit("team", "1", "Sales"),))
    world.settle()
    return world


@pytest.fixture
def world(settled: World) -> World:
    return settled.copy()


def review(world: World) -> dict[str, str]:
    return dict(world.query("select hris_ref, rule from state.review"))


def untouched_but(world: World, *ids: str) -> dict[str, Any]:
    return {id_: deepcopy(user) for id_, user in world.users.items() if id_ not in ids}


def test_c21_a_new_name_and_address_are_one_write_to_the_same_user(world: World) -> None:
    before = world.user_of("1")
    others = untouched_but(world, before.id)
    world.people["1"].email, world.people["1"].family_name = "new@acme.test", "New"
    summary, applied, night = world.night()
    (write,) = world.writes
    assert write.set == {
        "email": "new@acme.test",
        "family_name": "New",
        "display_name": "Given New",
    }
    assert write.before == {
        "email": "1@acme.test",
        "family_name": "Family",
        "display_name": "Given Family",
    }
    assert (summary.changes, applied.applied, night.in_line) == (1, 1, True)
    after = world.user_of("1")
    assert (after.id, after.user_name, after.email, after.family_name) == (
        before.id,
        "new@acme.test",
        "new@acme.test",
        "New",
    )
    assert before.id in world.group_of("team", "1").members
    assert untouched_but(world, before.id) == others


ONE_ADDRESS = [  # in the HRIS, in deskbird
    ("J.Doe@Acme.test", "j.doe@acme.test"),
    ("p.doe@acme.test", "P.DOE@ACME.TEST"),
    ("  k.doe@acme.test ", "k.doe@acme.test"),
    ("l.doe@acme.test", " l.doe@acme.test  "),
    ("jo\u0308rg@acme.test", "j\u00f6rg@acme.test"),
    ("h\u00f6rst@acme.test", "HO\u0308RST@acme.test"),
    ("\u01f0@acme.test", "J\u030c@acme.test"),
    ("m.doe@googlemail.com", "m.doe@gmail.com"),
    ("n.doe@gmail.com", "N.Doe@GoogleMail.com"),
]


def test_c22_ways_to_write_one_address_make_no_second_user_and_no_update() -> None:
    world = World(guards=UNGUARDED)
    for number, (in_the_hris, in_deskbird) in enumerate(ONE_ADDRESS):
        world.hire(str(number))
        world.people[str(number)].email = in_the_hris
        world.stranger(in_deskbird)
    world.make_plan()
    assert world.kinds_of_changes() == [
        f"user link p:{number}" for number in range(len(ONE_ADDRESS))
    ]
    world.apply()
    assert [user.email for user in world.users.values()] == [
        in_deskbird for _, in_deskbird in ONE_ADDRESS
    ]
    assert world.make_plan().changes == 0


def test_c24_a_hand_made_user_with_the_same_address_is_adopted_whole() -> None:
    world = World(guards=UNGUARDED)
    sales, it = world.unit("team", "1", "Sales"), world.unit("team", "2", "IT")
    world.hire("boss", "2", groups=(sales, it))
    world.settle()
    by_hand = world.stranger("3@acme.test", given_name="Old", active=False)
    world.group_of("team", "2").members.add(by_hand.id)  # somebody's guess
    world.hire("3", groups=(sales,), manager_id="boss")
    summary, _, night = world.night()
    assert night.in_line
    assert summary.by_type == {
        "manager set": 1, "membership add": 1, "membership remove": 1, "user link": 1,
        "user reactivate": 1, "user update": 1,
    }  # fmt: skip
    assert [write.kind for write in world.writes] == [
        "update_user",
        "update_group",
        "update_group",
    ]
    assert world.user_of("3").id == by_hand.id
    assert (by_hand.active, by_hand.given_name, by_hand.manager) == (
        True,
        "Given",
        world.user_of("boss").id,
    )
    assert len(world.users) == 3


def test_the_address_may_be_the_users_name_or_e_mail(world: World) -> None:
    world.hire("4", "5", "6")
    by_hand = [
        world.stranger("4@acme.test", "nick"),
        world.stranger("old@acme.test", "5@acme.test"),
        world.stranger(None, "6@acme.test"),
    ]
    world.settle()
    assert [world.user_of(id_) for id_ in "456"] == by_hand
    assert [(user.email, user.user_name) for user in by_hand] == [
        ("4@acme.test", "4@acme.test"), ("5@acme.test", "5@acme.test"), (None, "6@acme.test"),
    ]  # fmt: skip


def test_c30_two_people_of_one_name_are_two_users(world: World) -> None:
    assert {user.display_name for user in world.users.values()} == {"Given Family"}
    assert len(world.users) == 3


def test_c25_who_gets_a_leavers_address_does_not_inherit_the_account(world: World) -> None:
    john = world.user_of("1")
    del world.people["1"]
    world.hire("jane", given_name="Jane")
    world.people["jane"].email = "1@acme.test"
    before = deepcopy(world.users)
    world.night()
    assert review(world) == {"p:jane": "email_belongs_to_another_person"}
    assert world.users == before
    assert world.query("select hris_ref, deskbird_id from state.missing") == [("p:1", john.id)]


def test_c27_a_contractor_who_becomes_an_employee_keeps_one_active_user(world: World) -> None:
    user = world.user_of("1")
    team = set(world.group_of("team", "1").members)
    world.people["1"].status = "inactive"
    world.hire("employee", groups=(("team", "1"),))
    world.people["employee"].email = "1@acme.test"
    others = untouched_but(world, user.id)
    summary, _, night = world.night()
    assert night.in_line
    assert summary.by_type == {"user link": 1}
    (row,) = world.rows()
    assert (json.loads(row["before"]), json.loads(row["after"])) == (
        {"hris_ref": "p:1"},
        {"hris_ref": "p:employee"},
    )
    assert row["reason"] == "The person has another primary record in the HRIS now."
    assert (user.external_id, user.active, world.group_of("team", "1").members) == (
        "p:employee",
        True,
        team,
    )
    assert untouched_but(world, user.id) == others
    assert world.make_plan().changes == 0
    del world.people["1"]  # the old record is cleaned up in the HRIS
    assert (world.make_plan().changes, world.make_plan().missing) == (0, 0)
    world.lose_state()
    assert world.make_plan().changes == 0


def test_c27_who_changes_back_keeps_the_user_too(world: World) -> None:
    user = world.user_of("1")
    world.people["1"].status = "inactive"
    world.hire("employee")
    world.people["employee"].email = "1@acme.test"
    world.night()
    world.people["1"].status, world.people["employee"].status = "active", "inactive"
    world.night()
    assert (user.external_id, user.active) == ("p:1", True)
    world.people["1"].status = "inactive"
    world.night()
    assert not user.active
    assert len(world.users) == 3


def test_two_users_of_ours_for_one_person_wait_for_a_decision(world: World) -> None:
    before = deepcopy(world.users)
    world.people["2"].email = "1@acme.test"  # of the same name: the two records are one person's
    world.people["2"].status = "inactive"
    world.night()
    assert review(world) == {"p:1": "several_users_belong_to_the_person"}
    assert world.users == before
    assert world.query("select len(candidates) from state.review") == [(2,)]


def test_what_waits_for_review_keeps_the_night_it_was_first_seen(world: World) -> None:
    world.people["1"].status = "inactive"
    world.hire("employee", given_name="Somebody else")
    world.people["employee"].email = "1@acme.test"
    since = world.now
    world.night()
    world.night()
    assert world.query("select since from state.review") == [(since,)]
    del world.people["employee"]
    world.night()
    assert review(world) == {}
    assert not world.user_of("1").active


# --- contradictions -------------------------------------------------------------------------------


def test_contradictions_go_to_review_and_change_nothing(world: World) -> None:
    world.hire("a", "b", "c", "d", "e", "f", "g")
    world.settle()
    linked = {id_: world.user_of(id_) for id_ in "abcdefg"}
    world.hire("several", "provider", "shared", "twin 1", "twin 2")
    for person in world.people.values():
        person.email = str(person.email).replace(" ", "-")
    expected = {}
    # the linked user carries another person's marker
    linked["a"].external_id, linked["b"].external_id = "p:b", None
    expected |= {"p:a": "link_and_marker_disagree", "p:b": "link_and_marker_disagree"}
    # the marker sits on another user than the link
    linked["c"].external_id = None
    world.stranger("copy@acme.test", external_id="p:c")
    expected["p:c"] = "link_and_marker_disagree"
    # an identity provider wrote over the marker
    linked["d"].external_id = "0a1b2c"
    expected["p:d"] = "foreign_external_id"
    # the new address is somebody else's
    world.stranger("taken@acme.test")
    world.people["e"].email = "taken@acme.test"
    expected["p:e"] = "email_is_taken"
    # somebody who left is said to be the linked user too
    linked["f"].external_id = "p:left"
    world.hire("left", status="inactive")
    expected["p:f"] = "link_and_marker_disagree"
    # two users have the address, one of them a leaver's
    linked["g"].email = "wanted@acme.test"
    world.people["g"].status = "inactive"
    world.users["0"] = User("0", "wanted@acme.test", "zero@acme.test")
    world.hire("wanted")
    expected["p:wanted"] = "several_users_share_the_email"
    # two users carry one marker
    world.stranger("one@acme.test", external_id="p:several")
    world.stranger("other@acme.test", external_id="p:several")
    expected["p:several"] = "several_users_carry_the_marker"
    # the address belongs to an identity provider's user
    world.stranger("provider@acme.test", external_id="3d4e5f")
    expected["p:provider"] = "foreign_external_id"
    # two users have the address
    world.stranger("shared@acme.test", "third@acme.test")
    world.stranger("fourth@acme.test", "shared@acme.test")
    expected["p:shared"] = "several_users_share_the_email"
    # two people match one user
    world.stranger("twin-1@acme.test", "twin-2@acme.test")
    expected |= dict.fromkeys(("p:twin 1", "p:twin 2"), "several_people_match_the_user")

    before = deepcopy(world.users)
    _, applied, night = world.night()
    assert review(world) == expected
    assert world.users == before
    assert (applied.failed, night.in_line) == (0, True)

    # and an account is not taken away while it is disputed
    for ref in expected:
        world.people[ref.removeprefix("p:")].status = "inactive"
    world.make_plan()
    assert world.kinds_of_changes() == ["user deactivate p:e", "user deactivate p:g"]


def test_the_rest_of_a_person_whose_new_address_is_taken_is_updated(world: World) -> None:
    world.stranger("taken@acme.test")
    world.people["1"].email, world.people["1"].family_name = "taken@acme.test", "New"
    world.night()
    assert (world.user_of("1").email, world.user_of("1").family_name) == ("1@acme.test", "New")


def test_taking_over_from_an_identity_provider_is_a_setting(world: World) -> None:
    theirs = world.stranger("4@acme.test", external_id="0a1b2c")
    # written over by the identity provider; the link remains
    world.user_of("1").external_id = "3d4e5f"
    world.hire("4")
    world.rule(take_over=True)
    world.people["1"].family_name = "New"
    _, _, night = world.night()
    (link,) = [
        row
        for row in world.rows(
            world.query("select plan_id from state.plans order by number desc")[0][0]
        )
        if row["action"] == "link"
    ]
    assert (link["before"], link["after"]) == ('{"hris_ref":"0a1b2c"}', '{"hris_ref":"p:4"}')
    assert (night.in_line, theirs.external_id) == (True, "p:4")
    assert [user.family_name for user in world.users.values() if user.external_id == "3d4e5f"] == [
        "New"
    ]
    assert review(world) == {}


# --- chains of addresses --------------------------------------------------------------------------


def test_a_new_hire_gets_the_address_that_is_freed_tonight(world: World) -> None:
    world.people["1"].email = "married@acme.test"
    world.hire("4")
    world.people["4"].email = "1@acme.test"
    world.settle()
    assert (world.user_of("1").email, world.user_of("4").email) == (
        "married@acme.test",
        "1@acme.test",
    )


def test_whoever_waits_for_an_address_that_cannot_be_freed_waits_too(world: World) -> None:
    world.stranger("taken@acme.test")
    world.people["1"].email, world.people["2"].email, world.people["3"].email = (
        "taken@acme.test",
        "1@acme.test",
        "2@acme.test",
    )
    world.hire("4")
    world.people["4"].email = "3@acme.test"
    before = deepcopy(world.users)
    _, applied, _ = world.night()
    assert applied.failed == 0
    assert world.users == before
    assert review(world) == {
        **dict.fromkeys(("p:1", "p:2", "p:3"), "email_is_taken"),
        "p:4": "email_belongs_to_another_person",
    }  # fmt: skip


# --- what is remembered, and what can be found again ----------------------------------------------


def test_c61_a_user_who_was_deleted_in_deskbird_is_made_again(world: World) -> None:
    gone = world.user_of("1")
    del world.users[gone.id]
    world.group_of("team", "1").members.discard(gone.id)
    world.night()
    assert world.user_of("1").id != gone.id
    assert world.user_of("1").id in world.group_of("team", "1").members
    assert world.make_plan().changes == 0


def test_a_lost_marker_is_written_again(world: World) -> None:
    user = world.user_of("1")
    user.external_id = None
    world.make_plan()
    assert world.kinds_of_changes() == ["user link p:1"]
    world.apply()
    assert user.external_id == "p:1"


@pytest.mark.parametrize("markers_readable", [True, False])
def test_c74_lost_links_are_found_again_and_nobody_is_made_twice_or_deactivated(
    markers_readable: bool,
) -> None:
    world = World(guards=UNGUARDED, markers_readable=markers_readable)
    world.hire("1", "2", "3", groups=(world.unit("team", "1", "Sales"),))
    world.settle()
    users = set(world.users)
    world.lose_state()
    world.rule(guards=World().rules.guards)
    world.people["3"].status = "inactive"
    _, _, night = world.night()
    assert night.in_line
    assert set(world.users) == users
    assert all(user.active for user in world.users.values())
    if markers_readable:
        assert world.query("select count(*), min(rule) from state.links") == [(3, "marker")]
        assert len(world.groups) == 1
        world.night()  # one night has ended in line: what the HRIS says of leavers counts again
        assert [user.active for user in world.users.values()] == [True, True, False]


def test_c40_users_that_are_not_ours_are_untouched_for_ever(world: World) -> None:
    guest = world.stranger("guest@elsewhere.test", display_name="Anybody")
    provider = world.stranger("other@acme.test", external_id="other-system:1")
    sales = world.group_of("team", "1")
    sales.members |= {guest.id, provider.id}
    before = deepcopy((guest, provider))
    world.people["1"].groups = ()
    world.people["2"].status = "inactive"
    world.night()
    world.night()
    assert (guest, provider) == before
    assert {guest.id, provider.id} <= sales.members


def test_a_leaver_without_marker_or_link_is_not_deactivated_for_their_address(
    world: World,
) -> None:
    by_hand = world.stranger("4@acme.test")
    world.hire("4", status="inactive")
    assert world.make_plan().changes == 0
    assert by_hand.active


# --- groups ---------------------------------------------------------------------------------------


def test_switching_the_ids_of_units_carries_groups_over_and_plans_nothing() -> None:
    world = World(guards=UNGUARDED)
    units = {kind: world.unit(kind, "1", "Alpha") for kind in ("team", "cost_center")}
    beta = world.unit("cost_center", "2", "B\u00e9ta")
    world.hire("1", "2", groups=(*units.values(), beta))
    world.settle()
    ids = set(world.groups)
    for back in (False, True, False):
        new = {"1": "alpha", "2": "beta"}
        old = {value: key for key, value in new.items()}
        swap = old if back else new
        world.units = {
            (k, swap[i] if k == "cost_center" else i): n for (k, i), n in world.units.items()
        }
        for person in world.people.values():
            person.groups = tuple(
                (k, swap[i] if k == "cost_center" else i) for k, i in person.groups
            )
        summary, _, night = world.night()
        assert (summary.changes, night.in_line) == (0, True)
    world.people["1"].groups = world.people["1"].groups[:1]
    world.units["cost_center", "alpha"] = "Gamma"
    world.settle()
    assert set(world.groups) == ids
    assert sorted((group.name, len(group.members)) for group in world.groups.values()) == [
        ("Alpha", 2), ("B\u00e9ta", 1), ("Gamma", 1),
    ]  # fmt: skip


def test_a_unit_that_comes_back_beside_its_heir_gets_a_group_of_its_own() -> None:
    world = World(guards=UNGUARDED)
    world.hire("1", "2", groups=(world.unit("team", "old", "Sales"),))
    world.settle()
    del world.units["team", "old"]
    for person in world.people.values():
        person.groups = (world.unit("team", "new", "Sales"),)
    world.settle()
    assert len(world.groups) == 1
    world.people["1"].groups = (world.unit("team", "old", "Sales"),)
    world.settle()
    assert sorted(group.name for group in world.groups.values()) == ["Sales", "Sales (team)"]
    assert world.make_plan().changes == 0


def test_two_groups_with_one_marker_make_no_third() -> None:
    world = World(guards=UNGUARDED)
    world.hire("1", "2", groups=(world.unit("team", "1", "Sales"),))
    world.hand_made_group("Sales", external_id="p:team:1")
    copy = world.hand_made_group("Sales copy", external_id="p:team:1")
    world.settle()
    copy.members |= set(world.users)
    assert len(world.groups) == 2
    world.people["1"].groups = ()
    world.settle()
    assert world.make_plan().changes == 0
