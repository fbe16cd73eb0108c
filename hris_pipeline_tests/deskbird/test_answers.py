"""Tags that never match, creations without a body, and answers of any shape (cases 113 and 117);
over real HTTP.
"""

import dataclasses

import pytest

from hris_pipeline.contracts.writes import StopReason, UserRef
from hris_pipeline.errors import DeskbirdError
from hris_pipeline.sandbox.deskbird.behaviour import Answers, Refusal
from hris_pipeline_tests.deskbird.scim_edge import Edge, create, update
from hris_pipeline_tests.deskbird.test_apply import change_team, members_of, refs, team


def planned(edge: Edge, *users: str):
    """Changes of users as they were planned: with the tag and the record of the last read."""
    for number, user in enumerate(users):
        seen = edge.service.read_user(user)
        assert seen is not None
        kept = (
            "user_name",
            "email",
            "given_name",
            "family_name",
            "display_name",
            "active",
            "external_id",
            "manager_deskbird_id",
        )
        held = {column: value for column, value in seen.values().items() if column in kept}
        write = update(
            number, str(number), user, {"family_name": "N"}, {"family_name": "M"}, stage=number
        )
        yield dataclasses.replace(
            write, version=seen.meta.version if seen.meta else None, held=held
        )


@pytest.mark.parametrize("tags", ["strong", "rewritten", "moving", "none"])
def test_c113_tags_that_never_match_keep_nothing_back_and_are_not_used_again(start, tags):
    edge = start()
    users = [
        edge.app.desk.add_user(f"u{n}@example.com", "U", "N", hris_ref=f"p:{n}") for n in range(6)
    ]
    edge.app.behave(answers=Answers(tags=tags))
    writes = list(planned(edge, *users))
    edge.app.faults.forget()
    assert edge.outcomes(*writes) == ["applied"] * 6
    assert [user["name"]["familyName"] for user in edge.app.desk.users()] == ["M"] * 6
    assert sum(request.status == 412 for request in edge.app.writes()) <= 1


@pytest.mark.parametrize("tags", ["honoured", "strong", "moving"])
def test_c113_what_was_changed_meanwhile_is_left_alone_whatever_the_tags(start, tags):
    edge = start()
    user = edge.app.desk.add_user("u@example.com", "U", "N", hris_ref="p:0")
    edge.app.behave(answers=Answers(tags=tags))
    (write,) = planned(edge, user)
    edge.app.desk.edit(user, {"name.familyName": "By Hand"})
    result = edge.run(write)[0]
    assert (result.outcome, result.problem_code, result.http_status) == (
        "stale",
        "changed_meanwhile",
        412,
    )
    assert edge.app.desk.user("u@example.com")["name"]["familyName"] == "By Hand"


@pytest.mark.parametrize("created", ["location", "relative_location", "nothing"])
@pytest.mark.parametrize("dialect", ["rfc", "auto"])
def test_c117_a_creation_that_is_answered_without_a_body_is_neither_failed_nor_made_twice(
    start, created, dialect
):
    edge = start()
    boss = edge.app.desk.add_user("boss@example.com", "B", "Oss", hris_ref="p:boss")
    edge.ids["p:boss"] = boss
    edge.app.behave(answers=Answers(created=created, urls="relative"))
    results = edge.run(
        *(create(n, f"u{n}", manager=UserRef("p:boss")) for n in range(3)),
        team(9, "Team", "u0", "u1"),
        dialect=dialect,
    )
    assert {result.outcome for result in results.values()} == {"applied"}
    for n in range(3):
        assert (
            results[n].deskbird_id
            == edge.ids[f"p:u{n}"]
            == edge.app.desk.user(f"u{n}@example.com")["id"]
        )
    assert members_of(edge, "Team") == {edge.ids["p:u0"], edge.ids["p:u1"]}
    assert len(edge.app.desk.users()) == 4
    assert edge.written() == ["POST /Users"] * 3 + ["POST /Groups"]
    if created != "nothing" and dialect == "rfc":
        assert not any(line.startswith("GET") for line in edge.asked())  # the id stands in Location


def test_c117_a_creation_that_is_not_shown_yet_is_no_failure(start):
    edge = start()
    edge.app.behave(answers=Answers(created="nothing"))
    edge.fail("GET */Users", "status", value=404, times=None)
    result = edge.run(
        create(1, "anna", manager=UserRef("p:x", edge.app.desk.add_user("x@example.com", "X", "Y")))
    )[1]
    assert (result.outcome, result.deskbird_id) == ("applied", None)
    assert len(edge.app.desk.users()) == 2


@pytest.mark.parametrize("patched", [200, 204])
@pytest.mark.parametrize(
    "errors", ["scim", "untyped", "json", "list", "text", "html", "empty", "null"]
)
def test_c117_answers_of_any_shape_say_the_same(start, patched, errors):
    edge = start()
    users = [
        edge.app.desk.add_user(f"u{n}@example.com", "U", "N", hris_ref=f"p:{n}") for n in range(3)
    ]
    edge.app.behave(
        answers=Answers(patched=patched, errors=errors, bom=True),
        refusals=(Refusal(who="p:1", status=403, error=errors),),
    )
    results = edge.run(
        *(update(n, str(n), users[n], {"active": True}, {"active": False}) for n in range(3)),
        dialect="auto",
    )
    assert [results[n].outcome for n in range(3)] == ["applied", "failed", "applied"]
    assert results[1].problem_code == "refused_forbidden"


def test_a_run_that_is_to_end_says_by_a_code_why(start):
    edge = start()
    group = edge.app.desk.add_group("Team", hris_ref="p:team:Team")
    writes = (create(1, "anna"), change_team(2, "Team", deskbird_id=group, add=refs("anna")))
    for why, code in (
        (StopReason("The deadline of 4 h has passed.", "deadline"), "deadline"),
        ("Enough.", "halted"),
        (True, "halted"),
    ):
        results = edge.run(*writes, stop=lambda why=why: why)
        assert {(result.outcome, result.problem_code) for result in results.values()} == {
            ("skipped", code)
        }
        if isinstance(why, str):
            assert {result.problem for result in results.values()} == {why}
    assert edge.written() == []


def test_a_redirect_to_the_same_address_with_a_slash_is_followed_and_no_other(start, tmp_path):
    """A service behind a gateway that names itself by http and without its port."""
    edge = start()
    serve, leads = edge.app.app, ["http://127.0.0.1{path}/?x=1"]

    async def answer(scope, receive, send):
        path = scope["path"]
        if path.endswith("/"):
            await serve({**scope, "path": path[:-1], "raw_path": path[:-1].encode()}, receive, send)
            return
        to = leads[-1].format(path=path).encode()
        await send({"type": "http.response.start", "status": 308, "headers": [(b"location", to)]})
        await send({"type": "http.response.body", "body": b""})

    edge.app.app = answer
    results = edge.run(
        create(1, "anna"), create(2, "ben", manager=UserRef("p:anna"), stage=2), dialect="auto"
    )
    assert {result.outcome for result in results.values()} == {"applied"}
    assert edge.service.find_user("p:ben", "ben@example.com")[1]
    assert edge.service.read_users(tmp_path / "users", lambda *_: None).records == 2
    for elsewhere in ("http://elsewhere.example{path}/", "/login", "http://[", ""):
        leads.append(elsewhere)
        with pytest.raises(DeskbirdError, match="HTTP 308"):
            edge.service.read_users(tmp_path / "users", lambda *_: None)
