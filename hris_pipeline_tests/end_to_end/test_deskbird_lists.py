"""What a deskbird that pages, words or shows its lists in its own way does to a night: all is read,
or nothing is written.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from hris_pipeline import http
from hris_pipeline.sandbox.company import generate
from hris_pipeline_tests.end_to_end.deployment import Deployment, content, deployed, in_line

USERS, GROUPS = "/v2/scim/Users", "/v2/scim/Groups"
Edit = Callable[[str, dict[str, Any]], None]


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Deployment]:
    """A company before its first night."""
    with deployed(tmp_path, generate(14)) as made:
        yield made


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("in_line") / "first_night"


@pytest.fixture
def settled(tmp_path: Path, kept: Path) -> Iterator[Deployment]:
    """The same after its first night."""
    with in_line(
        kept, tmp_path, lambda folder, app: deployed(folder, generate(14), deskbird=app)
    ) as made:
        yield made


def answers_lists(
    acme: Deployment,
    edit: Edit | None = None,
    *,
    ask: Callable[[dict[str, str]], None] | None = None,
    raw: Any = None,
) -> None:
    """Let deskbird's lists be asked for and answered otherwise: ``edit`` gets the path and the
    body, ``raw`` the bytes.
    """
    rest = acme.deskbird.app

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if (
            scope["method"] != "GET"
            or not scope["path"].startswith((USERS, GROUPS))
            or b"filter=" in scope["query_string"]
        ):
            await rest(scope, receive, send)
            return
        if ask is not None:
            query = dict(parse_qsl(scope["query_string"].decode()))
            ask(query)
            scope = {**scope, "query_string": urlencode(query).encode()}
        begun: dict[str, Any] = {}
        body = bytearray()

        async def hear(message: Any) -> None:
            if message["type"] == "http.response.start":
                begun.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            sent = bytes(body)
            if begun["status"] == 200 and edit is not None:
                document = json.loads(sent)
                edit(scope["path"], document)
                sent = json.dumps(document).encode()
            if begun["status"] == 200 and raw is not None:
                sent = raw(sent)
            kept = [
                (name, value)
                for name, value in begun["headers"]
                if name.lower() != b"content-length"
            ]
            await send({**begun, "headers": [*kept, (b"content-length", str(len(sent)).encode())]})
            await send({"type": "http.response.body", "body": sent})

        await rest(scope, receive, hear)

    acme.deskbird.app = app


def test_c111_c118_a_list_is_read_to_its_own_end_or_nothing_is_written(acme: Deployment) -> None:
    """The total counts one page only, of five records each; then startIndex is ignored."""
    plain = acme.deskbird.app

    def five(query: dict[str, str]) -> None:
        if "count" in query:
            query["count"] = "5"

    def counted(_: str, document: dict[str, Any]) -> None:
        if "totalResults" in document:
            document["totalResults"] = len(document.get("Resources") or [])
            document["itemsPerPage"] = 0

    answers_lists(acme, counted, ask=five)
    ended = acme.sync()
    assert ended.code == 0, ended.out + ended.err
    users = acme.deskbird.desk.users()
    assert len(users) > 10
    assert acme.ask("select count(*) from deskbird.users") == [(len(users),)]
    assert ("users", "total_is_of_the_page") in acme.ask(
        "select resource, note from state.list_notes"
    )
    assert "its total counts the records of one page" in acme.run("status", "acme").out
    before = content(acme.deskbird.desk)
    acme.forget_requests()
    assert acme.sync(night=1).code == 0
    assert acme.writes() == []

    acme.deskbird.app = plain

    def stuck(query: dict[str, str]) -> None:
        five(query)
        query["startIndex"] = "1"

    answers_lists(acme, ask=stuck)
    acme.tenant.change(9, last_name="Otherwise")
    ended = acme.sync(night=2)
    assert ended.code == 1
    assert "the same page again, whatever startIndex asks for" in ended.sentence
    assert acme.writes() == []
    assert content(acme.deskbird.desk) == before


def test_c114_an_odd_record_is_left_alone_and_named_and_the_rest_of_the_night_goes_on(
    settled: Deployment,
) -> None:
    """A linked user whose address is broken, a BOM and ids in other forms; then a record of which
    nothing can be told.
    """
    plain, odd = settled.deskbird.app, settled.user(9)["id"]
    settled.tenant.change(9, last_name="Broken")
    settled.tenant.change(8, last_name="Otherwise")

    def broken(_: str, document: dict[str, Any]) -> None:
        for record in document.get("Resources") or []:
            if record["id"] == odd:
                record["userName"], record["emails"] = "SECRET\ud800", [None]

    answers_lists(settled, broken, raw=lambda sent: b"\xef\xbb\xbf" + sent)
    settled.forget_requests()
    ended = settled.sync(night=1)
    assert ended.code == 0, ended.out + ended.err
    assert [path for _, path, _ in settled.writes()] == [f"/Users/{settled.user(8)['id']}"]
    assert settled.ask("select deskbird_id, code, hris_ref from state.unreadable_records") == [
        (odd, "address_unknown", "personio:9")
    ]
    assert settled.ask("select count(*) from state.missing") == [(0,)]
    said = settled.run("status", "acme").out + settled.run("review", "acme").out
    assert "cannot be read" in said
    assert odd in said
    assert "SECRET" not in said + ended.out + ended.err

    settled.deskbird.app = plain

    def without_id(path: str, document: dict[str, Any]) -> None:
        if path == USERS and "totalResults" in document:
            document["totalResults"] += 1
            if document["startIndex"] == 1:
                document["Resources"].append({"id": None, "emails": [{"value": {"SECRET": 1}}]})

    answers_lists(settled, without_id)
    gone = settled.user(7)["id"]
    settled.deskbird.desk.remove(gone)
    settled.forget_requests()
    ended = settled.sync(night=2)
    assert ended.code == 3, ended.out + ended.err
    assert [(method, path) for method, path, _ in settled.writes()] == [("PATCH", f"/Users/{odd}")]
    assert settled.ask(
        "select guard, subject, tripped from state.guard_verdicts "
        "where subject = 'deskbird users'"
    )[-1] == (
        "incomplete_extract", "deskbird users", True,
    )  # fmt: skip
    assert "SECRET" not in ended.out + ended.err + settled.run("review", "acme").out

    settled.deskbird.app = plain
    assert settled.sync(night=3).code == 0
    assert settled.ask("select count(*) from state.unreadable_records") == [(0,)]
    assert settled.user(7)["id"] != gone


def test_c115_members_that_a_group_does_not_show_are_still_there(acme: Deployment) -> None:
    """deskbird shows three members of a group at most."""

    def first_three(path: str, document: dict[str, Any]) -> None:
        if path.startswith(GROUPS):
            for record in document.get("Resources") or [document]:
                if record.get("members"):
                    record["members"] = record["members"][:3]

    answers_lists(acme, first_three)
    ended = acme.sync()
    assert ended.code == 0, ended.out + ended.err
    partial = acme.ask("select group_deskbird_id from state.partial_groups")
    assert len(partial) > 1
    whole = {
        group["id"]: {m["value"] for m in group.get("members") or ()}
        for group in acme.deskbird.desk.groups()
    }
    hidden = acme.ask(
        "select group_deskbird_id, user_deskbird_id from state.acknowledged_members order by all"
    )
    assert all(user in whole[group] for group, user in hidden)
    assert {group for (group,) in partial} == {
        group for group, members in whole.items() if len(members) > 3
    }
    acme.forget_requests()
    assert acme.sync(night=1).code == 0
    assert acme.writes() == []
    assert acme.ask("select count(*) from state.external_changes") == [(0,)]
    assert "only a part of the members" in acme.run("status", "acme").out

    # who is hidden and leaves is taken out
    marks = {user["id"]: user["externalId"] for user in acme.deskbird.desk.users()}
    units = {group["id"]: group["externalId"] for group in acme.deskbird.desk.groups()}
    group, user = next((g, u) for g, u in hidden if units[g].startswith("personio:team:"))
    other = next(
        int(ref.rsplit(":", 1)[1])
        for g, ref in units.items()
        if ref.startswith("personio:team:") and g != group
    )
    acme.tenant.change(int(marks[user].rsplit(":", 1)[1]), team=other)
    ended = acme.sync(night=2)
    assert ended.code == 0, ended.out + ended.err
    groups = {
        one["id"]: {m["value"] for m in one.get("members") or ()}
        for one in acme.deskbird.desk.groups()
    }
    assert user not in groups[group]
    acme.forget_requests()
    assert acme.sync(night=3).code == 0
    assert acme.writes() == []


def test_c115_a_list_that_shows_first_members_only_is_completed_every_night(
    acme: Deployment,
) -> None:
    """Each group by itself shows everybody: nobody counts as taken out by hand the night after they
    were seen.
    """
    acme.deskbird.behave(members_shown=1, members_shown_in="lists")
    assert acme.sync().code == 0
    held = content(acme.deskbird.desk)
    for night in (1, 2):
        acme.forget_requests()
        ended = acme.sync(night=night)
        assert (ended.code, acme.writes()) == (0, []), ended.out
    assert content(acme.deskbird.desk) == held


def test_c116_c66_a_night_waits_neither_too_long_nor_too_little_and_ends_at_its_deadline(
    acme: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rate that is halved with `Retry-After: 0`; then an hour's wait, which the deadline does not
    allow.
    """
    rest, seen, told, late = acme.deskbird.app, [0], ["3600"], [False]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen[0] += scope["method"] == "POST"
        if scope["method"] == "POST" and seen[0] > 4 and (seen[0] % 2 or told[0] != "0"):
            await receive()
            late[0] = told[0] != "0"
            headers = [(b"retry-after", told[0].encode())]
            await send({"type": "http.response.start", "status": 429, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await rest(scope, receive, send)

    acme.deskbird.app = app
    monkeypatch.setattr(http, "backoff", lambda *_, **__: 0.001)
    monkeypatch.setattr(http.Deadline, "left", lambda _: -1.0 if late[0] else 1000.0)
    acme.more["deadline"] = "1m"
    acme.write_file()
    ended = acme.sync()
    assert ended.code == 1
    assert "has reached its deadline (1m after it began) and stopped." in ended.sentence
    assert "writes were sent and their answers are kept" in ended.sentence
    assert "The next run goes on." in ended.sentence
    first = len(acme.deskbird.desk.users())
    assert 0 < first < 14

    told[0], seen[0], late[0] = "0", 0, False
    ended = acme.sync(night=1)
    assert ended.code == 0, ended.out + ended.err
    assert [status for _, _, status in acme.writes()].count(201) >= 10
    assert len(acme.deskbird.desk.users()) > first
