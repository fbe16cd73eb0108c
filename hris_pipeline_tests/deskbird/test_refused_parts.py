"""Whose a refusal is (cases 107 to 109): a part's, a record's, a kind's, or everything's; over real
HTTP.
"""

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hris_pipeline.contracts.writes import UserRef
from hris_pipeline.sandbox.deskbird.behaviour import Refusal
from hris_pipeline_tests.deskbird.scim_edge import Edge, create, update
from hris_pipeline_tests.deskbird.test_apply import change_team, manager_of, members_of, refs, team

NAMES = {"family_name": "N", "given_name": "U", "display_name": "U N"}


def behave(edge: Edge, *refusals: Refusal, **more) -> None:
    """What deskbird refuses from now on; its dialect stays."""
    edge.app.behave(refusals=refusals, **more)


def people(edge: Edge, count: int) -> dict[int, str]:
    users = {
        n: edge.app.desk.add_user(f"u{n}@example.com", "U", "N", hris_ref=f"p:{n}")
        for n in range(count)
    }
    edge.ids |= {f"p:{n}": user for n, user in users.items()}
    return users


def fates(result) -> dict[tuple[str, str], str | None]:
    return {part.atom: part.problem_code for part in result.parts}


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "refused_forbidden"), (402, "refused_payment"), (422, "refused_value")],
)
def test_c107_one_protected_account_among_many_fails_alone(start, status, code):
    edge = start()
    users = people(edge, 40)
    behave(edge, Refusal(who="p:7", status=status))
    results = edge.run(
        *(update(n, str(n), users[n], {"active": True}, {"active": False}) for n in range(40))
    )
    assert [n for n in results if results[n].outcome != "applied"] == [7]
    assert (results[7].outcome, results[7].http_status, results[7].problem_code) == (
        "failed",
        status,
        code,
    )
    assert len(edge.written()) == 40


def test_c107_a_token_that_may_only_read_ends_the_run_early_and_says_so(start):
    edge = start(concurrency=2)
    users = people(edge, 60)
    behave(edge, Refusal(status=403))
    writes = [update(n, str(n), users[n], {"active": True}, {"active": False}) for n in range(60)]
    results = edge.run(
        *writes,
        *(create(100 + n, f"new{n}", stage=2) for n in range(60)),
        team(300, "T", "1", stage=3),
    )
    assert {result.problem_code for result in results.values()} == {"shut_out"}
    assert {result.outcome for result in results.values()} == {"failed", "skipped"}
    assert len(edge.written()) < 30
    assert "deskbird.scim_token" in results[300].problem


def test_c107_protected_accounts_that_happen_to_come_first_stop_nobody(start):
    edge = start(concurrency=1)
    users = people(edge, 30)
    behave(edge, *(Refusal(who=f"p:{n}", status=403) for n in (0, 1, 2, 3)))
    results = edge.run(
        *(update(n, str(n), users[n], {"active": True}, {"active": False}) for n in range(30))
    )
    assert sorted(n for n in results if results[n].outcome != "applied") == [0, 1, 2, 3]
    assert {results[n].problem_code for n in range(4)} == {"refused_forbidden"}


def test_c107_who_finds_no_seat_is_tried_once_more_after_the_leavers(start):
    edge = start()
    users = people(edge, 10)
    behave(edge, seats=10)
    new = [create(100 + n, f"new{n}", manager=UserRef("p:0", users[0]), stage=1) for n in range(12)]
    rename = update(1, "1", users[1], {"family_name": "N"}, {"family_name": "M"}, stage=2)
    group = team(200, "Team", "new0", "new1", stage=3)
    leave = [
        update(10 + n, str(n), users[n], {"active": True}, {"active": False}, stage=4)
        for n in range(2, 10)
    ]
    results = edge.run(*new, rename, group, *leave)
    made = [n for n in range(12) if results[100 + n].outcome == "applied"]
    assert (len(made), results[1].outcome, {results[10 + n].outcome for n in range(2, 10)}) == (
        8,
        "applied",
        {"applied"},
    )
    refused = [results[100 + n] for n in range(12) if n not in made]
    assert {(result.outcome, result.problem_code) for result in refused} == {
        ("failed", "refused_payment")
    }
    assert "no seat is left" in refused[0].problem
    # four are on their way when it is clear
    assert len([line for line in edge.written() if line == "POST /Users"]) <= 5 + 4 + 12
    # who came late is in the group and has the manager all the same
    assert all(manager_of(edge, f"new{n}@example.com") == users[0] for n in made)
    assert members_of(edge, "Team") == {edge.ids[f"p:new{n}"] for n in made if n < 2}


@pytest.mark.parametrize("status", [400, 403, 409, 422])
@pytest.mark.parametrize("dialect", ["rfc", "entra"])
def test_c108_the_other_parts_of_a_refused_change_are_carried_out_active_first(
    start, status, dialect
):
    edge = start(dialect=dialect)
    users = people(edge, 3)
    behave(
        edge,
        Refusal(who="p:1", what="name.familyName", status=status),
        Refusal(who="p:1", what="manager", status=status),
    )
    before = {**NAMES, "active": True}
    after = {"family_name": "M", "given_name": "V", "display_name": "V M", "active": False}
    result = edge.run(
        update(1, "1", users[1], before, after, manager=UserRef("p:2", users[2])), dialect=dialect
    )[1]
    user = edge.app.desk.user("u1@example.com")
    assert (user["active"], user["name"]["givenName"], user["displayName"]) == (False, "V", "V M")
    assert (user["name"]["familyName"], manager_of(edge, "u1@example.com")) == ("N", None)
    assert result.outcome == "failed"
    code = {
        400: "refused_value",
        403: "refused_forbidden",
        409: "refused_conflict",
        422: "refused_value",
    }[status]
    assert fates(result) == {
        ("attribute", "active"): None,
        ("attribute", "given_name"): None,
        ("attribute", "display_name"): None,
        ("attribute", "family_name"): code,
        ("manager", ""): code,
    }
    assert "family name of user p:1" in result.problem
    assert len(edge.written()) <= 8


def test_c108_a_person_is_created_without_what_is_refused(start):
    edge = start()
    users = people(edge, 1)
    behave(
        edge,
        Refusal(who="p:cyclic", what="manager", status=400),
        Refusal(who="p:odd", what="displayName", status=422),
        Refusal(who="p:never", what="create", status=403),
    )
    boss = UserRef("p:0", users[0])
    results = edge.run(
        *(
            create(n, name, manager=boss)
            for n, name in enumerate(("cyclic", "odd", "never", "fine"))
        ),
        dialect="auto",
    )
    assert [results[n].outcome for n in range(4)] == ["applied", "applied", "failed", "applied"]
    assert results[0].unset_manager
    assert fates(results[0])["manager", ""] == "refused_value"
    assert "manager of user p:cyclic" in results[0].problem
    assert {atom: code for atom, code in fates(results[1]).items() if code} == {
        ("attribute", "display_name"): "refused_value"
    }
    odd = edge.app.desk.user("odd@example.com")
    assert (odd["name"]["givenName"], manager_of(edge, "odd@example.com")) == ("Odd", users[0])
    assert results[2].problem_code == "refused_forbidden"
    assert {user["userName"].split("@")[0] for user in edge.app.desk.users()} == {
        "u0",
        "cyclic",
        "odd",
        "fine",
    }


@pytest.mark.parametrize("dialect", ["rfc", "entra"])
@pytest.mark.parametrize("status", [400, 403, 404])
def test_c109_a_refused_member_does_not_keep_the_others_out(start, dialect, status):
    edge = start(dialect=dialect)
    users = people(edge, 40)
    group = edge.app.desk.add_group("Old", members=[users[0]], hris_ref="p:team:Old")
    behave(edge, *(Refusal(who=f"p:{n}", what="member", status=status) for n in (5, 23)))
    new = team(1, "New", *map(str, range(1, 20)))
    old = change_team(2, "Old", deskbird_id=group, add=refs(*map(str, range(20, 40))))
    results = edge.run(new, old, dialect="auto")
    assert members_of(edge, "New") == {users[n] for n in range(1, 20) if n != 5}
    assert members_of(edge, "Old") == {users[n] for n in (0, *range(20, 40)) if n != 23}
    assert {atom for atom, code in fates(results[1]).items() if code} == {("add", "p:5")}
    assert {atom for atom, code in fates(results[2]).items() if code} == {("add", "p:23")}
    assert (results[1].outcome, results[2].outcome) == ("applied", "failed")
    assert len(edge.written()) < 40


def test_c109_nobody_leaves_a_group_whose_successor_refused_them(start):
    edge = start()
    users = people(edge, 6)
    old = edge.app.desk.add_group(
        "Old", members=[users[n] for n in range(4)], hris_ref="p:team:Old"
    )
    new = edge.app.desk.add_group("New", members=[users[4], users[5]], hris_ref="p:team:New")
    behave(edge, Refusal(who="p:1", what="member", status=403, group="New"))
    writes = (
        change_team(1, "Old", deskbird_id=old, remove=refs("0", "1", "2")),
        change_team(2, "New", deskbird_id=new, add=refs("0", "1"), remove=refs("5")),
    )
    results = edge.run(*writes)
    assert members_of(edge, "New") == {users[0], users[4]}
    assert members_of(edge, "Old") == {users[1], users[3]}
    assert fates(results[1]) == {
        ("remove", "p:0"): None,
        ("remove", "p:1"): "successor_refused",
        ("remove", "p:2"): None,
    }
    assert edge.written()[-1] == f"PATCH /Groups/{old}"  # the old group last, in one request


def test_c109_a_swap_of_two_groups_is_three_requests_and_nobody_is_without_a_group_meanwhile(
    start,
):
    edge = start()
    users = people(edge, 2)
    one = edge.app.desk.add_group("One", members=[users[0]], hris_ref="p:team:One")
    two = edge.app.desk.add_group("Two", members=[users[1]], hris_ref="p:team:Two")
    writes = (
        change_team(1, "One", deskbird_id=one, add=refs("1"), remove=refs("0")),
        change_team(2, "Two", deskbird_id=two, add=refs("0"), remove=refs("1")),
    )
    assert edge.outcomes(*writes) == ["applied", "applied"]
    assert (members_of(edge, "One"), members_of(edge, "Two")) == ({users[1]}, {users[0]})
    assert edge.written() == [
        f"PATCH /Groups/{one}",
        f"PATCH /Groups/{two}",
        f"PATCH /Groups/{one}",
    ]


def test_c109_whoever_joins_a_new_group_leaves_the_old_one_after_it_is_made(start):
    edge = start()
    users = people(edge, 3)
    old = edge.app.desk.add_group("Old", members=[users[0], users[1]], hris_ref="p:team:Old")
    behave(edge, Refusal(who="New", what="create", status=403))
    writes = (
        change_team(1, "Old", deskbird_id=old, remove=refs("0"), stage=2),
        team(2, "New", "0", "2", stage=2),
    )
    results = edge.run(*writes)
    assert (results[1].outcome, results[1].problem_code) == ("skipped", "successor_refused")
    assert members_of(edge, "Old") == {users[0], users[1]}
    behave(edge)
    assert edge.outcomes(*writes) == ["applied", "applied"]
    assert (members_of(edge, "Old"), members_of(edge, "New")) == ({users[1]}, {users[0], users[2]})


def test_c61_an_address_that_somebody_has_keeps_only_the_address_back(start):
    edge = start()
    users = people(edge, 2)
    before, after = (
        {"email": "u0@example.com", "family_name": "N"},
        {
            "email": "u1@example.com",
            "family_name": "M",
        },
    )
    result = edge.run(update(1, "0", users[0], before, after))[1]
    assert fates(result) == {
        ("attribute", "email"): "refused_conflict",
        ("attribute", "family_name"): None,
    }
    assert edge.app.desk.user("u0@example.com")["name"]["familyName"] == "M"
    assert "has the address already" in result.problem


def test_c61_a_member_whom_deskbird_has_no_more_is_told_from_a_group_that_is_gone(start):
    edge = start()
    users = people(edge, 4)
    group = edge.app.desk.add_group("Team", members=[users[0]], hris_ref="p:team:Team")
    edge.app.desk.remove(users[1])
    result = edge.run(change_team(1, "Team", deskbird_id=group, add=refs("1", "2", "3")))[1]
    assert {atom for atom, code in fates(result).items() if code} == {("add", "p:1")}
    assert members_of(edge, "Team") == {users[0], users[2], users[3]}
    edge.app.desk.remove(group)
    result = edge.run(change_team(1, "Team", deskbird_id=group, add=refs("2", "3")))[1]
    assert (result.outcome, result.problem_code, result.http_status) == ("failed", "gone", 404)


ATTRIBUTES = {
    "family_name": "name.familyName",
    "given_name": "name.givenName",
    "display_name": "displayName",
    "active": "active",
}


@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    parts=st.sets(
        st.tuples(st.integers(0, 5), st.sampled_from([*ATTRIBUTES, "manager"])), max_size=8
    ),
    records=st.sets(st.integers(0, 5), max_size=3),
    members=st.sets(st.integers(0, 11), max_size=5),
    status=st.sampled_from([400, 403, 409, 422]),
)
def test_c107_to_c109_whatever_is_refused_all_else_ends_as_wanted_and_exactly_the_refused_is_named(
    start, parts, records, members, status
):
    """For any set of records, attributes and members that deskbird refuses."""
    edge = start()
    users = people(edge, 12)
    group = edge.app.desk.add_group("Team", hris_ref="p:team:Team")
    behave(
        edge,
        *(
            Refusal(who=f"p:{n}", what=ATTRIBUTES.get(part, part), status=status)
            for n, part in parts
        ),
        *(Refusal(who=f"p:{n}", what="update", status=status) for n in records),
        *(Refusal(who=f"p:{n}", what="member", status=status) for n in members),
    )
    after = {"family_name": "M", "given_name": "V", "display_name": "V M", "active": False}
    writes = [
        update(
            n,
            str(n),
            users[n],
            {**NAMES, "active": True},
            after,
            manager=UserRef("p:11", users[11]),
        )
        for n in range(6)
    ]
    results = edge.run(
        *writes,
        change_team(20, "Team", deskbird_id=group, add=refs(*map(str, range(12))), stage=2),
    )
    for n in range(6):
        refused = (
            set(after) | {"manager"} if n in records else {part for m, part in parts if m == n}
        )
        user = edge.app.desk.user(f"u{n}@example.com")
        held = {
            "family_name": user["name"]["familyName"] == "M",
            "given_name": user["name"]["givenName"] == "V",
            "display_name": user["displayName"] == "V M",
            "active": user["active"] is False,
            "manager": manager_of(edge, f"u{n}@example.com") == users[11],
        }
        assert {part for part, there in held.items() if not there} == refused
        told = {atom[1] or atom[0] for atom, code in fates(results[n]).items() if code}
        assert (
            told == refused
            if results[n].parts
            else (results[n].outcome == "applied") == (not refused)
        )
        assert sum(line.endswith(users[n]) for line in edge.written()) <= 6
    assert members_of(edge, "Team") == {users[n] for n in range(12) if n not in members}
    told = {atom[1] for atom, code in fates(results[20]).items() if code}
    assert told == {f"p:{n}" for n in members} or not members
    assert sum(line.endswith(group) for line in edge.written()) <= 1 + 2 * 4 * max(len(members), 1)
    assert (
        msgspec.json.encode([result.problem for result in results.values()]).count(b"example.com")
        == 0
    )


@pytest.mark.parametrize("status", [404, 410, 412])
def test_c108_a_part_that_is_refused_as_if_the_record_were_gone_or_changed_is_refused_alone(
    start, status
):
    """deskbird still shows the record, and no tag was sent that could have failed."""
    edge = start(etags=False)
    users = people(edge, 2)
    behave(edge, Refusal(who="p:0", what="displayName", status=status))
    after = {"family_name": "M", "display_name": "U M", "active": False}
    results = edge.run(
        *(update(n, str(n), users[n], {**NAMES, "active": True}, after) for n in range(2))
    )
    assert [results[n].outcome for n in range(2)] == ["failed", "applied"]
    user = edge.app.desk.user("u0@example.com")
    assert (user["active"], user["name"]["familyName"]) == (False, "M")
    assert fates(results[0])["attribute", "display_name"] == "refused_value"
    assert results[0].http_status == status
    assert "display name of user p:0" in results[0].problem


@pytest.mark.parametrize("dialect", ["rfc", "auto"])
@pytest.mark.parametrize("status", [402, 404, 409, 412])
def test_c109_a_new_group_is_made_without_the_member_who_is_refused_whatever_the_status(
    start, status, dialect
):
    """A 409 may be about a member as well as the name; deskbird shows no group of the name."""
    edge = start()
    users = people(edge, 4)
    behave(edge, Refusal(who="p:2", what="member", status=status))
    result = edge.run(team(1, "T", *"0123"), dialect=dialect)[1]
    assert members_of(edge, "T") == {users[n] for n in (0, 1, 3)}
    assert fates(result)["add", "p:2"].startswith("refused_")
    assert fates(result)["record", ""] is None


@pytest.mark.parametrize("dialect", ["rfc", "auto"])
@pytest.mark.parametrize("what", ["manager", "displayName"])
def test_c108_a_person_is_created_without_the_part_that_is_refused_as_a_conflict(
    start, what, dialect
):
    edge = start()
    users = people(edge, 1)
    behave(edge, Refusal(who="p:anna", what=what, status=409))
    result = edge.run(create(1, "anna", manager=UserRef("p:0")), dialect=dialect)[1]
    assert result.outcome == "applied"
    assert manager_of(edge, "anna@example.com") == (None if what == "manager" else users[0])
    refused = ("manager", "") if what == "manager" else ("attribute", "display_name")
    assert fates(result)[refused] == "refused_conflict"


def test_c61_a_conflict_with_nobody_whom_deskbird_shows_is_told_as_that(start):
    edge = start()
    behave(edge, Refusal(who="p:anna", what="create", status=409))
    result = edge.run(create(1, "anna"))[1]
    assert (result.outcome, result.problem_code, result.http_status) == (
        "failed",
        "refused_conflict",
        409,
    )
    assert (
        result.problem
        == "deskbird says that user p:anna exists already, but shows nobody of this address or "
        "name."
    )
    behave(edge, Refusal(who="p:ben", what="create", status=422))
    result = edge.run(create(1, "ben"))[1]
    assert result.problem == "deskbird refused the creation of user p:ben (HTTP 422)."
