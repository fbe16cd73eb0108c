"""What deskbird holds, read over real HTTP: completely or not at all."""

import contextlib
import json
import stat
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pytest

from hris_pipeline.contracts.tables import DESKBIRD_GROUP_MEMBERS, DESKBIRD_GROUPS, DESKBIRD_USERS
from hris_pipeline.deskbird.dialects import ENTERPRISE
from hris_pipeline.deskbird.scim import Service
from hris_pipeline.errors import DeskbirdError, PipelineError
from hris_pipeline_tests.deskbird.scim_edge import HASTY

SECRET = "sesame-4711"
Page = tuple[int, str, bytes | str | dict[str, Any]]  # status, content type, body


def nothing(*_: object) -> None:
    """Progress that nobody looks at."""


def rows(path) -> list[dict[str, Any]]:
    with pa.ipc.open_stream(path) as stream:
        return stream.read_all().to_pylist()


@contextlib.contextmanager
def answering(answer: Callable[[str, dict[str, str]], Page]) -> Iterator[Service]:
    """A service whose every GET is answered by a function of path and query."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            parts = urlsplit(self.path)
            status, kind, body = answer(
                parts.path, {key: value[0] for key, value in parse_qs(parts.query).items()}
            )
            sent = (
                body
                if isinstance(body, bytes)
                else (json.dumps(body) if isinstance(body, dict) else body).encode()
            )
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        try:
            with Service(
                url, SECRET, requests_per_second=None, concurrency=1, patience=HASTY
            ) as service:
                yield service
        finally:
            server.shutdown()


def listing(
    *resources: dict[str, Any], total: int | None = None
) -> Callable[[str, dict[str, str]], Page]:
    def answer(_path: str, query: dict[str, str]) -> Page:
        begin = int(query["startIndex"]) - 1
        found = resources[begin : begin + int(query["count"])]
        body = {
            "totalResults": len(resources) if total is None else total,
            "startIndex": begin + 1,
            "Resources": list(found),
        }
        return 200, "application/scim+json", body

    return answer


def test_users_are_read_in_pages(start, tmp_path):
    edge = start()
    boss = edge.app.desk.add_user("boss@example.com", "Bo", "Boss", hris_ref="p:boss")
    for number in range(250):
        edge.app.desk.add_user(
            f"u{number}@example.com", "Ü", f"N{number}", active=number % 2 == 0, manager_id=boss
        )
    seen = []
    path = tmp_path / "users.arrow"
    observation = edge.service.read_users(path, lambda *told: seen.append(told))
    assert (observation.pages, observation.records, observation.members, observation.passes) == (
        3,
        251,
        0,
        1,
    )
    assert observation.etags
    assert {"manager_deskbird_id", "external_id", "display_name", "email"} <= observation.readable
    assert seen == [("users", 100, 251), ("users", 200, 251), ("users", 251, 251)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = {row["email"]: row for row in rows(path)}
    assert len(found) == 251
    assert tuple(found["u7@example.com"]) == DESKBIRD_USERS.names
    assert found["u7@example.com"] | {"deskbird_id": "", "version": ""} == {
        "deskbird_id": "", "hris_ref": None, "user_name": "u7@example.com",
        "email": "u7@example.com", "given_name": "Ü", "family_name": "N7", "display_name": "Ü N7",
        "active": False, "manager_deskbird_id": boss, "external_id": None, "version": "",
        "attributes": None,
    }  # fmt: skip
    assert found["boss@example.com"]["external_id"] == "p:boss"


def test_groups_and_members_are_read(start, tmp_path):
    edge = start()
    users = [
        edge.app.desk.add_user(f"u{number}@example.com", "U", f"N{number}") for number in range(3)
    ]
    team = edge.app.desk.add_group("Team", members=users[:2], hris_ref="p:team:1")
    empty = edge.app.desk.add_group("Empty")
    observation = edge.service.read_groups(tmp_path / "groups", tmp_path / "members", nothing)
    assert (observation.records, observation.members) == (2, 2)
    assert {"members", "external_id", "name"} <= observation.readable
    groups = {row["deskbird_id"]: row for row in rows(tmp_path / "groups")}
    assert tuple(groups[team]) == DESKBIRD_GROUPS.names
    assert groups.keys() == {team, empty}
    assert (groups[team]["name"], groups[team]["external_id"]) == ("Team", "p:team:1")
    members = rows(tmp_path / "members")
    assert tuple(members[0]) == DESKBIRD_GROUP_MEMBERS.names
    assert {(row["group_deskbird_id"], row["user_deskbird_id"]) for row in members} == {
        (team, users[0]),
        (team, users[1]),
    }


def test_an_empty_deskbird_is_read(tmp_path):
    with answering(lambda *_: (200, "application/scim+json", {"totalResults": 0})) as service:
        observation = service.read_users(tmp_path / "users", nothing)
        assert (
            observation.pages,
            observation.records,
            observation.readable,
            observation.etags,
        ) == (1, 0, frozenset(), False)
        assert service.read_groups(tmp_path / "groups", tmp_path / "members", nothing).records == 0
    assert rows(tmp_path / "users") == rows(tmp_path / "groups") == rows(tmp_path / "members") == []


def test_a_server_may_give_fewer_than_asked_for(start, tmp_path):
    edge = start(page_limit=7)
    for number in range(20):
        edge.app.desk.add_user(f"u{number}@example.com", "U", f"N{number}")
    assert edge.service.read_users(tmp_path / "users", nothing).pages == 3
    assert len(rows(tmp_path / "users")) == 20


def test_what_does_not_come_back_is_write_only_not_empty(start, tmp_path):
    edge = start(readable_manager=False, readable_members=False)
    boss = edge.app.desk.add_user("boss@example.com", "Bo", "Boss")
    edge.app.desk.add_user("a@example.com", "A", "N", manager_id=boss)
    edge.app.desk.add_group("Team", members=[boss])
    assert (
        "manager_deskbird_id" not in edge.service.read_users(tmp_path / "users", nothing).readable
    )
    observation = edge.service.read_groups(tmp_path / "groups", tmp_path / "members", nothing)
    assert "members" not in observation.readable
    assert "name" in observation.readable
    assert rows(tmp_path / "members") == []


def test_entras_loose_forms_are_read(tmp_path):
    people = listing(
        {
            "id": "1", "userName": "a", "active": "False", ENTERPRISE: {"manager": "9"},
            "emails": [{"value": "first@x"}, {"value": "p@x", "primary": "True"}],
        },
        {
            "id": "2", "userName": "b", "active": "True",
            ENTERPRISE: {"manager": {"value": "8", "displayName": "B"}},
            "emails": [
                {"value": "h@x", "type": "home", "primary": True}, {"value": "w@x", "type": "Work"},
            ],
        },
        {
            "id": "3", ENTERPRISE: {"manager": {"value": ""}},
            "emails": [{"value": "only@x", "type": "other"}], "x": {"deep": [1]},
        },
        {
            "id": "4", "userName": "d", ENTERPRISE: {"manager": None},
            "emails": [], "name": None, "externalId": None,
        },
        {"id": "5"},
    )  # fmt: skip
    with answering(people) as service:
        observation = service.read_users(tmp_path / "users", nothing)
    found = rows(tmp_path / "users")
    assert [row["manager_deskbird_id"] for row in found] == ["9", "8", None, None, None]
    assert [row["email"] for row in found] == ["p@x", "w@x", "only@x", None, None]
    assert [row["active"] for row in found] == [False, True, True, True, True]
    assert not observation.etags
    assert "external_id" not in observation.readable


def text_pages(
    *resources: str,
    before: bytes = b"",
    encoding: str = "utf-8",
    kind: str = "application/scim+json",
):
    """A list whose records are JSON as it stands there, on one page."""

    def answer(_path: str, query: dict[str, str]) -> tuple[int, str, bytes]:
        shown = ", ".join(resources) if query.get("startIndex") == "1" else ""
        return (
            200,
            kind,
            before
            + f'{{"totalResults": {len(resources)}, "Resources": [{shown}]}}'.encode(encoding),
        )

    return answer


GOOD = '{"id": "ok", "userName": "ok@x"}'


@pytest.mark.parametrize(
    ("record", "column", "value"),
    [
        ('{"id": 7, "userName": "a@x"}', "deskbird_id", "7"),
        ('{"id": "1", "userName": "a@x", "emails": [null]}', "email", None),
        ('{"id": "1", "userName": "a@x", "emails": ["b@x", null]}', "email", "b@x"),
        ('{"id": "1", "userName": "a@x", "emails": {"value": "b@x"}}', "email", "b@x"),
        ('{"id": "1", "userName": "a@x", "name": "Ada Beispiel"}', "given_name", None),
        ('{"id": "1", "userName": "a@x", "displayName": "A\\ud800B"}', "display_name", "A\ufffdB"),
        ('{"id": "1", "userName": "a@x", "active": 0}', "active", False),
        ('{"id": "1", "userName": "a@x", "active": "1"}', "active", True),
        ('{"id": "1", "userName": "a@x", "active": "False"}', "active", False),
        ('{"id": "1", "userName": "a@x", "externalId": 12}', "external_id", "12"),
        ('{"id": "1", "USERNAME": "a@x", "emails": [null]}', "user_name", "a@x"),
        (f'{{"id": "1", "{ENTERPRISE}": {{"manager": 9}}}}', "manager_deskbird_id", "9"),
        (
            f'{{"id": "1", "{ENTERPRISE}": {{"manager": {{"$ref": "../Users/9"}}}}}}',
            "manager_deskbird_id", "9",
        ),
        (
            f'{{"id": "1", "{ENTERPRISE}": {{"manager": {{"managerId": "9"}}}}}}',
            "manager_deskbird_id", "9",
        ),
        (
            f'{{"id": "1", "{ENTERPRISE}": {{"manager": [{{"value": "9"}}]}}}}',
            "manager_deskbird_id", "9",
        ),
        ('{"id": "1", "meta": {"version": 3, "location": "/Users/1"}}', "version", "3"),
    ],
)  # fmt: skip
def test_c114_what_is_said_in_another_form_is_read(tmp_path, record, column, value):
    with answering(text_pages(record, GOOD)) as service:
        observation = service.read_users(tmp_path / "users", nothing)
    assert observation.unreadable == ()
    found = {row["deskbird_id"]: row for row in rows(tmp_path / "users")}
    assert found.pop("ok")["user_name"] == "ok@x"
    (only,) = found.values()
    assert only[column] == value


@pytest.mark.parametrize(
    ("record", "code", "known"),
    [
        ('{"userName": "SECRET@x"}', "id_unknown", None),
        ('{"id": null, "userName": "SECRET@x"}', "id_unknown", None),
        ('{"id": {"a": 1}, "userName": "SECRET@x"}', "id_unknown", None),
        ('{"id": true, "userName": "SECRET@x"}', "id_unknown", None),
        ('{"id": "1", "userName": "SECRET\\ud800@x"}', "address_unknown", "1"),
        ('{"id": "1", "userName": ["SECRET@x"]}', "address_unknown", "1"),
        ('{"id": "1", "emails": [null]}', "address_unknown", "1"),
        ('{"id": "1", "userName": "SECRET@x", "externalId": {"x": 1}}', "marker_unknown", "1"),
        ('{"id": "1", "userName": "SECRET@x", "active": "perhaps"}', "active_unknown", "1"),
        ('{"id": "1", "userName": "SECRET@x", "active": {}}', "active_unknown", "1"),
        ("null", "no_record", None),
        ('"SECRET"', "no_record", None),
    ],
)
def test_c114_a_record_of_which_nobody_can_tell_whose_it_is_is_told_and_the_rest_is_read(
    tmp_path, record, code, known
):
    with answering(text_pages(GOOD, record, '{"id": 7, "userName": "b@x"}')) as service:
        observation = service.read_users(tmp_path / "users", nothing)
    (odd,) = observation.unreadable
    assert (odd.code, odd.deskbird_id, odd.page, odd.position) == (code, known, 1, 2)
    assert "SECRET" not in repr(observation)
    assert [row["deskbird_id"] for row in rows(tmp_path / "users")] == ["ok", "7"]


@pytest.mark.parametrize(
    "how",
    [
        {"before": b"\xef\xbb\xbf"},
        {"kind": "application/scim+json; charset=utf-8"},
        {"encoding": "utf-16"},
        {"encoding": "latin-1", "kind": "application/scim+json; charset=ISO-8859-1"},
    ],
)
def test_c114_a_mark_before_the_text_and_another_encoding_are_understood(tmp_path, how):
    with answering(text_pages('{"id": "1", "userName": "ü@x"}', **how)) as service:
        assert service.read_users(tmp_path / "users", nothing).unreadable == ()
    assert [row["user_name"] for row in rows(tmp_path / "users")] == ["ü@x"]


def test_c114_what_is_not_in_its_own_encoding_is_one_odd_record(tmp_path):
    with answering(
        text_pages('{"id": "1", "userName": "ü@x"}', GOOD, encoding="latin-1")
    ) as service:
        observation = service.read_users(tmp_path / "users", nothing)
    assert [odd.code for odd in observation.unreadable] == ["address_unknown"]
    assert [row["deskbird_id"] for row in rows(tmp_path / "users")] == ["ok"]


def test_c114_members_in_any_form_are_read_and_who_is_not_told_makes_a_group_partial(tmp_path):
    group = (
        '{"id": 4, "displayName": "G", "members": ["1", {"value": 2}, {"$ref": '
        '"https://x/Users/3?a"}, null%s]}'
    )
    with answering(
        text_pages(group % "", (group % ', {"display": "Ada"}').replace("4", "5", 1))
    ) as service:
        observation = service.read_groups(tmp_path / "groups", tmp_path / "members", nothing)
    found = [
        (row["group_deskbird_id"], row["user_deskbird_id"]) for row in rows(tmp_path / "members")
    ]
    assert found == [(g, u) for g in ("4", "5") for u in ("1", "2", "3")]
    assert observation.partial == {"5"}


def test_a_member_that_is_listed_twice_is_one_member(tmp_path):
    with answering(
        listing(
            {
                "id": "g",
                "displayName": "G",
                "members": [{"value": "1"}, {"value": "2"}, {"value": "1"}],
            }
        )
    ) as service:
        assert service.read_groups(tmp_path / "groups", tmp_path / "members", nothing).members == 2


@pytest.mark.parametrize("fault", ["grow", "shrink", "overlap", "drop_page"])
def test_c63_a_list_that_moved_is_read_again(start, tmp_path, fault):
    edge = start()
    for number in range(250):
        edge.app.desk.add_user(f"u{number}@example.com", "U", f"N{number}")
    edge.fail("GET */Users", fault, after=1)
    observation = edge.service.read_users(tmp_path / "users", nothing)
    assert observation.passes == 2
    assert {row["deskbird_id"] for row in rows(tmp_path / "users")} == {
        user["id"] for user in edge.app.desk.users()
    }
    assert observation.records == len(rows(tmp_path / "users"))


@pytest.mark.parametrize("fault", ["grow", "shrink", "overlap", "drop_page"])
def test_c63_a_list_that_never_adds_up_is_an_error_and_leaves_no_file(start, tmp_path, fault):
    edge = start()
    for number in range(150):
        edge.app.desk.add_user(f"u{number}@example.com", "U", f"N{number}")
        edge.app.desk.add_group(f"G{number}")
    edge.fail("GET *", fault, times=None)
    if fault == "overlap":
        edge.app.faults.clear()
        edge.fail("GET *", fault, times=None, value=100)  # the same page for ever
    for read in (
        lambda: edge.service.read_users(tmp_path / "users", nothing),
        lambda: edge.service.read_groups(tmp_path / "users", tmp_path / "members", nothing),
    ):
        with pytest.raises(DeskbirdError, match="did not hold still or is incomplete"):
            read()
    assert list(tmp_path.iterdir()) == []
    assert len(edge.asked()) <= 2 * 3 * 2


def test_c63_a_failed_read_leaves_the_file_of_the_last_good_one(start, tmp_path):
    edge = start()
    edge.app.desk.add_user("a@example.com", "A", "N")
    edge.service.read_users(tmp_path / "users", nothing)
    edge.fail("GET *", "drop_page", times=None)
    with pytest.raises(DeskbirdError):
        edge.service.read_users(tmp_path / "users", nothing)
    assert len(rows(tmp_path / "users")) == 1


def test_c59_reading_survives_passing_faults(start, tmp_path):
    edge = start()
    for number in range(150):
        edge.app.desk.add_user(f"u{number}@example.com", "U", f"N{number}")
    edge.fail("GET */Users", "status", value=429, retry_after=0)
    edge.fail("GET */Users", "status", value=503, after=1)
    edge.fail("GET */Users", "reset", after=2)
    observation = edge.service.read_users(tmp_path / "users", nothing)
    assert (observation.records, observation.passes) == (150, 1)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((401, "application/scim+json", '{"detail": "SECRET"}'),
         r"refused the SCIM token \(HTTP 401\).*deskbird\.scim_token"),
        ((403, "application/scim+json", '{"detail": "SECRET"}'),
         r"lacks the right to see users \(HTTP 403\)"),
        ((404, "application/scim+json", "{}"),
         r"no SCIM service at deskbird\.scim_url.*\(HTTP 404\)"),
        ((302, "text/html", ""), r"HTTP 302"),
        ((418, "application/scim+json", "{}"), r"HTTP 418"),
        ((200, "text/html", "<!doctype html><p>SECRET"), "a web page"),
        ((200, "application/scim+json", '{"totalResults": 1, "Resources": [{"id": "SECR'),
         "no SCIM message"),
        ((200, "application/scim+json", '{"success": false}'), "no SCIM message"),
        ((200, "application/scim+json", '{"totalResults": "SECRET"}'), "no SCIM message"),
        ((200, "application/scim+json", '{"totalResults": 1, "Resources": {"SECRET": 1}}'),
         "no SCIM message"),
        ((200, "application/scim+json", "[]"), "no SCIM message"),
        ((200, "application/scim+json", ""), "no SCIM message"),
        ((503, "text/html", "<p>SECRET"), "did not answer.*HTTP 503, 4 tries"),
    ],
)  # fmt: skip
def test_a_useless_answer_is_one_clear_sentence_without_what_was_in_it(tmp_path, answer, says):
    with (
        answering(lambda *_: answer) as service,
        pytest.raises(DeskbirdError, match=says) as caught,
    ):
        service.read_users(tmp_path / "users", nothing)
    text = str(caught.value)
    assert "Nothing was changed in deskbird" in text
    assert "SECR" not in text
    assert SECRET not in text
    assert caught.value.__cause__ is None
    assert list(tmp_path.iterdir()) == []


def test_a_deskbird_that_is_not_there_is_one_clear_sentence(tmp_path):
    service = Service(
        "http://127.0.0.1:9", SECRET, requests_per_second=None, concurrency=1, patience=HASTY
    )
    with (
        service,
        pytest.raises(DeskbirdError, match="did not answer when asked for users: no answer"),
    ):
        service.read_users(tmp_path / "users", nothing)


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(start, tmp_path):
    edge = start()
    with pytest.raises(PipelineError, match="could not be kept in"):
        edge.service.read_users(tmp_path / "nowhere" / "users", nothing)


def test_what_the_service_announces_is_asked_once(start):
    edge = start()
    assert edge.service.service_provider_config().etag.supported
    assert not edge.service.service_provider_config().bulk.supported
    assert edge.asked() == ["GET /ServiceProviderConfig"]


@pytest.mark.parametrize(
    "answer",
    [
        (404, "text/html", "no"),
        (200, "text/html", "<p>"),
        (200, "application/json", '{"etag": {"supported": false}}'),
    ],
)
def test_a_service_that_announces_nothing_has_patch_and_no_more(answer):
    with answering(lambda *_: answer) as service:
        config = service.service_provider_config()
    assert (config.patch.supported, config.bulk.supported, config.etag.supported) == (
        True,
        False,
        False,
    )


def test_users_and_groups_are_found_by_marker_and_by_address_or_name(start):
    edge = start()
    desk = edge.app.desk
    ours = desk.add_user("a@example.com", "A", "N", hris_ref='p:"1')
    by_hand = desk.add_user("b@example.com", "B", "N")
    foreign = desk.add_user("c@example.com", "C", "N", hris_ref="entra-7")
    find = edge.service.find_user
    assert [(user.id, mine) for user, mine in [find('p:"1', "other@example.com")]] == [(ours, True)]
    assert [(user.id, mine) for user, mine in [find("p:2", "B@Example.com")]] == [(by_hand, False)]
    assert [(user.id, user.external_id, mine) for user, mine in [find("p:2", "c@example.com")]] == [
        (foreign, "entra-7", False)
    ]
    assert find("p:2", "nobody@example.com") is None
    group = desk.add_group("Team", hris_ref="p:team:1", members=[ours])
    assert [(found.id, mine) for found, mine in [edge.service.find_group("p:team:1", "x")]] == [
        (group, True)
    ]
    assert [(found.id, mine) for found, mine in [edge.service.find_group("p:team:2", "team")]] == [
        (group, False)
    ]
    assert edge.service.find_group("p:team:2", "nothing") is None


def test_a_service_that_ignores_filters_finds_nobody_else():
    def answer(path, query):
        return (
            200,
            "application/scim+json",
            {
                "totalResults": 1,
                "Resources": [{"id": "1", "userName": "x@example.com", "externalId": "p:8"}],
            },
        )

    with answering(answer) as service:
        assert service.find_user("p:1", "a@example.com") is None


def test_a_service_that_keeps_markers_to_itself_is_believed_in_its_filter():
    def answer(path, query):
        return (
            200,
            "application/scim+json",
            {"totalResults": 1, "Resources": [{"id": "1", "userName": "a@example.com"}]},
        )

    with answering(answer) as service:
        assert service.find_user("p:1", "a@example.com")[1] is True


def test_a_filter_the_service_does_not_know_is_no_hit():
    with answering(
        lambda *_: (400, "application/scim+json", {"scimType": "invalidFilter"})
    ) as service:
        assert service.find_group("p:team:1", "Team") is None


def test_one_user_or_group_is_read(start):
    edge = start()
    user = edge.app.desk.add_user("a@example.com", "A", "N")
    group = edge.app.desk.add_group("Team", members=[user])
    assert edge.service.read_user(user).email == "a@example.com"
    assert edge.service.read_group(group).member_ids == [user]
    assert edge.service.read_user("no/body") is None
