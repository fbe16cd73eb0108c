"""Each form of write is proven by itself, read back, remembered and doubted (cases 110 and 112);
over real HTTP.
"""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hris_pipeline.contracts.writes import UserRef
from hris_pipeline.deskbird import comparison
from hris_pipeline.deskbird.comparison import Seen, collateral
from hris_pipeline.deskbird.dialects import ENTERPRISE
from hris_pipeline.deskbird.records import Enterprise, Group, User, Value
from hris_pipeline.sandbox.deskbird.behaviour import Behaviour, Forms
from hris_pipeline_tests.deskbird.scim_edge import Edge, create, update
from hris_pipeline_tests.deskbird.test_apply import change_team, manager_of, members_of, refs, team

READABLE = (
    "external_id",
    "email",
    "user_name",
    "given_name",
    "family_name",
    "display_name",
    "active",
    "members",
    "manager_deskbird_id",
)
BOTH = Forms(
    active="both",
    attributes="both",
    empty="both",
    add_members="both",
    remove_members="both",
    manager="both",
)
_NIGHTS = itertools.count()


def night(edge: Edge, number: int) -> dict[str, bool]:
    """One night with every kind of write, twice; whether each has come true."""
    desk, mark = edge.app.desk, f"n{number}"
    old = [
        desk.add_user(f"{mark}old{n}@example.com", "O", "N", hris_ref=f"p:{mark}old{n}")
        for n in range(7)
    ]
    edge.ids |= {f"p:{mark}old{n}": user for n, user in enumerate(old)}
    for user in old[:6]:
        desk.edit(user, {"displayName": None})
    desk.edit(old[4], {f"{ENTERPRISE}:manager": {"value": old[0]}})
    groups = [
        desk.add_group(f"{mark} {name}", members=[old[4], old[5]], hris_ref=f"p:team:{mark}{name}")
        for name in ("One", "Two")
    ]
    writes = [create(1, f"{mark}boss", stage=1)]
    writes += [
        create(2 + n, f"{mark}new{n}", manager=UserRef(f"p:{mark}boss"), stage=2) for n in range(2)
    ]
    writes += [
        update(
            4 + n, f"{mark}old{n}", old[n],
            {"given_name": "O", "family_name": "N", "active": True},
            {"given_name": "P", "family_name": "M", "active": False},
            stage=3, manager=UserRef(f"p:{mark}boss"),
        )
        for n in range(2)
    ]  # fmt: skip
    writes += [
        update(6, f"{mark}old2", old[2], {"family_name": "N"}, {"family_name": "M"}, stage=3),
        update(7, f"{mark}old3", old[3], {"display_name": None}, {"display_name": "O N"}, stage=3),
        update(8, f"{mark}old4", old[4], {}, {}, stage=3, clear_manager=True),
        update(12, f"{mark}old6", old[6], {"display_name": "O N", "family_name": "N"},
               {"display_name": "O M", "family_name": "M"}, stage=3),
        team(9, f"{mark}New", f"{mark}old0", f"{mark}old1", stage=4),
        change_team(10, f"{mark}One", deskbird_id=groups[0], add=refs(f"{mark}old2", f"{mark}old3"),
                    remove=refs(f"{mark}old4"), stage=4),
        change_team(
            11, f"{mark}Two", deskbird_id=groups[1],
            add=refs(f"{mark}old2"), remove=refs(f"{mark}old5"), stage=4,
        ),
    ]  # fmt: skip
    results = edge.run(*writes, dialect="auto", readable=READABLE)
    boss = edge.ids.get(f"p:{mark}boss")

    def of(name: str) -> dict:
        return desk.user(f"{mark}{name}@example.com")

    changed = [of(f"old{n}") for n in range(2)]
    return {
        "created": all(manager_of(edge, f"{mark}new{n}@example.com") == boss for n in range(2)),
        "names": all(
            (user["name"]["givenName"], user["name"]["familyName"]) == ("P", "M")
            for user in changed
        ),
        "active": not any(user["active"] for user in changed),
        "managers": all(manager_of(edge, f"{mark}old{n}@example.com") == boss for n in range(2)),
        "one name": of("old2")["name"]["familyName"] == "M",
        "added": of("old3")["displayName"] == "O N",
        "two paths": of("old6")["displayName"] == of("old6")["name"]["formatted"] == "O M",
        "cleared": manager_of(edge, f"{mark}old4@example.com") is None,
        "new group": members_of(edge, f"{mark}New") == {old[0], old[1]},
        "both": members_of(edge, f"{mark} One") == {old[2], old[3], old[5]},
        "second": members_of(edge, f"{mark} Two") == {old[2], old[4]},
        "told": {n for n, result in results.items() if result.outcome != "applied"} == set(),
    }


def failing(came_true: dict[str, bool]) -> set[str]:
    return {name for name, there in came_true.items() if not there}


def statuses(edge: Edge) -> set[int | None]:
    return {request.status for request in edge.app.writes()}


ROWS = ("active", "attributes", "empty", "add_members", "remove_members", "manager")


@settings(
    max_examples=10,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.fixed_dictionaries({row: st.sampled_from(["rfc", "entra"]) for row in ROWS}),
    otherwise=st.sampled_from(["refused", "untyped", "ignored"]),
    op=st.sampled_from(["any", "strict"]),
    dotted_keys=st.booleans(),
    words_only=st.booleans(),
    post_manager=st.sampled_from(["taken", "ignored", "refused"]),
    post_members=st.sampled_from(["taken", "ignored", "refused"]),
)
def test_c110_any_mixture_of_dialects_is_in_line_from_night_two_and_without_a_refusal_from_three(
    start, rows, otherwise, op, dotted_keys, words_only, post_manager, post_members
):
    forms = Forms(
        **rows, otherwise=otherwise, op=op, dotted_keys=dotted_keys,
        words_only=words_only and rows["active"] == "entra",
        post_manager=post_manager, post_members=post_members,
    )  # fmt: skip
    edge = start()
    edge.journal_path = edge.journal_path.with_name(f"{next(_NIGHTS)}.journal")
    edge.app.behave(forms=forms)
    night(edge, 1)
    assert failing(night(edge, 2)) == set(), edge.remembered
    edge.app.faults.forget()
    assert failing(night(edge, 3)) == set()
    assert statuses(edge) <= {200, 201, 204}
    assert edge.doubts == set()


@pytest.mark.parametrize(
    ("post", "patch"),
    [
        (Forms(), Forms(manager="entra", add_members="entra")),
        (Forms(post_manager="ignored", post_members="ignored"), Forms()),
    ],
)
def test_c110_what_the_post_proved_says_nothing_of_the_patch(start, post, patch):
    edge = start()
    edge.app.behave(
        forms=Forms(
            **{field: getattr(patch, field) for field in ("manager", "add_members")},
            op="strict",
            post_manager=post.post_manager,
            post_members=post.post_members,
        )
    )
    night(edge, 1)
    inside = "rfc" if post.post_manager == "taken" else "entra"
    assert (edge.remembered["user_create.manager"], edge.remembered["group_create.members"]) == (
        inside,
        inside,
    )
    assert (edge.remembered["manager.set"], edge.remembered["members_add"]) == (
        patch.manager,
        patch.add_members,
    )
    assert set(edge.evidence) == set(edge.remembered)


def test_c110_a_deskbird_that_has_changed_its_dialect_is_noticed_after_one_write_and_learnt_anew(
    start,
):
    edge = start()
    night(edge, 1)
    assert edge.remembered["user_active"] == "rfc"
    edge.app.behave(forms=Forms(active="entra", otherwise="ignored", words_only=True))
    edge.evidence.clear()
    edge.app.faults.forget()
    assert failing(night(edge, 2)) == set()
    assert (edge.remembered["user_active"], edge.evidence.get("user_active")) == (
        "entra",
        "read_back",
    )


def test_c110_a_doubted_form_is_proven_anew_before_the_rest_follow(start):
    edge = start()
    users = [
        edge.app.desk.add_user(f"u{n}@example.com", "U", "N", hris_ref=f"p:{n}") for n in range(5)
    ]
    edge.remembered["user_active"] = "rfc"
    edge.doubts.add("user_active")
    edge.app.behave(forms=Forms(active="entra", otherwise="ignored", words_only=True))
    writes = [update(n, str(n), users[n], {"active": True}, {"active": False}) for n in range(5)]
    assert edge.outcomes(*writes, dialect="auto") == ["applied"] * 5
    assert (edge.remembered, edge.doubts) == ({"user_active": "entra"}, set())
    assert [line.split(" ")[0] for line in edge.asked()] == [
        "GET",
        "PATCH",
        "GET",
        "PATCH",
        "GET",
        *["PATCH"] * 4,
    ]


# --- C112: something else than asked --------------------------------------------------------------


def test_c112_an_addition_that_replaces_is_seen_after_one_write_and_not_sent_again(start):
    edge = start()
    edge.remembered |= {"members_add": "rfc", "user_update.replace": "rfc"}
    users = [
        edge.app.desk.add_user(f"u{n}@example.com", "U", "N", hris_ref=f"p:{n}") for n in range(8)
    ]
    edge.ids |= {f"p:{n}": user for n, user in enumerate(users)}
    groups = [
        edge.app.desk.add_group(f"G{n}", members=users[:4], hris_ref=f"p:team:{n}")
        for n in range(6)
    ]
    edge.app.behave(add_replaces=True)
    writes = [change_team(n, str(n), deskbird_id=groups[n], add=refs("5", "6")) for n in range(6)]
    rename = update(20, "7", users[7], {"family_name": "N"}, {"family_name": "M"}, stage=9)
    results = edge.run(*writes, rename, dialect="auto", readable=READABLE)
    codes = {results[n].problem_code for n in range(6)}
    assert ({results[n].outcome for n in range(6)}, codes) == ({"failed"}, {"did_something_else"})
    damaged = [n for n in range(6) if members_of(edge, f"G{n}") != set(users[:4])]
    assert len(damaged) == 1
    assert results[20].outcome == "applied"  # the run goes on with the rest
    assert "members" in results[0].problem
    # to be tried the next night
    assert ("members_add" in edge.doubts, edge.remembered["members_add"]) == (True, "entra")


@pytest.mark.parametrize("dialect", ["rfc", "auto"])
def test_c112_a_change_that_clears_another_attribute_is_seen_by_the_whole_record(start, dialect):
    edge = start()
    users = [
        edge.app.desk.add_user(f"u{n}@example.com", "U", "N", hris_ref=f"p:{n}") for n in range(5)
    ]
    for user in users:
        edge.app.desk.edit(user, {"title": "Head"})
    edge.app.behave(clears={"active": "title"})
    writes = [update(n, str(n), users[n], {"active": True}, {"active": False}) for n in range(5)]
    results = edge.run(*writes, dialect=dialect, look=True)
    assert {result.problem_code for result in results.values()} == {"did_something_else"}
    assert sum(edge.app.desk.user(f"u{n}@example.com").get("title") is None for n in range(5)) == 1
    assert "title" in results[0].problem


def test_c112_the_other_dialect_is_used_the_next_night_where_that_does_what_it_is_told(start):
    edge = start()
    users = [
        edge.app.desk.add_user(f"u{n}@example.com", "U", "N", hris_ref=f"p:{n}") for n in range(6)
    ]
    edge.ids |= {f"p:{n}": user for n, user in enumerate(users)}
    groups = [
        edge.app.desk.add_group(f"G{n}", members=users, hris_ref=f"p:team:{n}") for n in range(5)
    ]
    edge.remembered["members_remove"] = "entra"
    # a list in the value removes everybody
    edge.app.behave(forms=Forms(remove_members="rfc", otherwise="taken"))
    writes = [change_team(n, str(n), deskbird_id=groups[n], remove=refs("1")) for n in range(5)]
    results = edge.run(*writes, dialect="auto", readable=READABLE)
    assert [results[n].problem_code for n in range(5)] == ["did_something_else"] * 5
    assert [members_of(edge, f"G{n}") for n in range(5)] == [set(), *[set(users)] * 4]
    results = edge.run(*writes[1:], dialect="auto", readable=READABLE)  # the next night
    assert [results[n].outcome for n in range(1, 5)] == ["applied"] * 4
    assert all(members_of(edge, f"G{n}") == set(users) - {users[1]} for n in range(1, 5))
    assert (edge.remembered["members_remove"], edge.doubts) == ("rfc", set())


def _user(**more) -> Seen:
    whole = {"userName": "a@example.com", "title": more.pop("title", "Head")}
    given = {
        "id": "1",
        "user_name": "a@example.com",
        "display_name": "A",
        "external_id": "p:1",
        "active": True,
        **more,
    }
    return Seen(User(**given), whole)


def _group(*members: str) -> Seen:
    return Seen(Group("g", "p:team:1", "Team", [Value(member) for member in members]), {})


ADD = change_team(1, "1", add=(UserRef("p:9", "u9"),))
REMOVE = change_team(1, "1", remove=(UserRef("p:1", "u1"),))
RENAME = update(1, "1", "1", {"given_name": "A"}, {"given_name": "B"})


@pytest.mark.parametrize(
    ("write", "before", "after", "found"),
    [
        (RENAME, _user(), _user(), set()),
        (RENAME, _user(), _user(display_name="B"), set()),  # derived from the name
        (RENAME, _user(), _user(display_name=None), {"display_name"}),
        (RENAME, _user(), _user(active=False), {"active"}),
        (RENAME, _user(), _user(external_id=None), {"external_id"}),
        (RENAME, _user(enterprise=Enterprise(Value("u2"))), _user(), {"manager"}),
        (RENAME, _user(), _user(title=None), {"title"}),
        (RENAME, _user(), _user(title="Boss"), set()),
        (ADD, _group("u1", "u2"), _group("u1", "u2", "u9"), set()),
        (ADD, _group("u1", "u2"), _group("u9"), {"members"}),
        (ADD, _group("u1"), _group("u9"), {"members"}),
        (ADD, _group("u1", "u2"), _group("u1", "u9"), set()),  # a list that shows two at most
        (REMOVE, _group("u1", "u2", "u3"), _group("u2", "u3"), set()),
        (REMOVE, _group("u1", "u2", "u3"), _group(), {"members"}),
        (REMOVE, _group("u1", "u2"), _group("u2", "u3"), set()),  # one more comes into view
    ],
)
def test_c112_what_else_has_changed(write, before, after, found):
    assert collateral(write, before, after, lambda ref: ref.deskbird_id) == found


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ('W/"1"', '"1"', True), ('"1"', "1", True), ('W/"1"', 'W/"1-gzip"', True),
        ('"1"', '"2"', False), (None, '"1"', False),
        ('"\\"1\\""', '"1"', True), ('w/"1"', 'W/"1"', True),
    ],
)  # fmt: skip
def test_c113_tags_that_gateways_rewrote(one, two, same):
    assert comparison.same_tag(one, two) is same


def heeds(edge: Edge, rule: Callable[[dict[str, Any]], bool]) -> None:
    """Let deskbird drop the operations of a PATCH that do not fulfil a rule, and acknowledge them
    all the same.
    """
    serve = edge.app.app

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "PATCH":
            await serve(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        patch = json.loads(body)
        patch["Operations"] = [operation for operation in patch["Operations"] if rule(operation)]
        if not patch["Operations"]:
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        sent = [{"type": "http.request", "body": json.dumps(patch).encode(), "more_body": False}]

        async def again() -> Any:
            return sent.pop() if sent else {"type": "http.disconnect"}

        await serve(
            {
                **scope,
                "headers": [each for each in scope["headers"] if each[0] != b"content-length"],
            },
            again,
            send,
        )

    edge.app.app = answer


@pytest.mark.parametrize("title", ["addresses", "the rest"])
def test_c110_an_address_and_its_user_name_are_told_apart_where_one_of_them_is_ignored(
    start, title
):
    """The one goes in one form and the other in another: only the form that was ignored is sent in
    the other dialect.
    """
    edge = start(behaviour=Behaviour(forms=BOTH))

    def rule(operation: dict[str, Any]) -> bool:
        if "path" not in operation:
            return False
        of_address = operation["path"].startswith("emails")
        return operation["op"][0].isupper() == (of_address == (title == "addresses"))

    heeds(edge, rule)
    users = {
        n: edge.app.desk.add_user(f"u{n}@example.com", "U", "N", hris_ref=f"p:{n}")
        for n in range(4)
    }

    def renamed(n: int, number: int) -> Any:
        before = {"email": f"u{n}@example.com", "family_name": "N", "display_name": "U N"}
        after = {"email": f"v{n}@example.com", "family_name": "M", "display_name": "U M"}
        return update(number, str(n), users[n], before, after)

    def named(n: int, number: int) -> Any:
        return update(number, str(n), users[n], {"given_name": "U"}, {"given_name": "V"})

    for night_, (one, two) in enumerate(((0, 1), (2, 3))):
        edge.app.faults.forget()
        results = edge.run(renamed(one, 1), named(two, 2), dialect="auto", readable=READABLE)
        assert {result.outcome for result in results.values()} == {"applied"}, night_
        held = edge.app.desk.user(f"v{one}@example.com")
        assert (held["emails"][0]["value"], held["name"]["familyName"]) == (
            f"v{one}@example.com",
            "M",
        )
        assert edge.app.desk.user(f"u{two}@example.com")["name"]["givenName"] == "V"
        spoken = (edge.remembered["user_email.replace"], edge.remembered["user_update.replace"])
        assert spoken == (("entra", "rfc") if title == "addresses" else ("rfc", "entra"))
    # the second night nothing is tried: the two dialects never share a request
    assert len(edge.written()) == 3
