"""What a deskbird that refuses, loses, forgets or is worked on meanwhile does to a night: nothing
twice, nothing by halves.
"""

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hris_pipeline.sandbox.company import Employment, OrgUnit, Person, Snapshot, Tenant, generate
from hris_pipeline.sandbox.deskbird.behaviour import Refusal
from hris_pipeline.sandbox.faults import Fault
from hris_pipeline_tests.end_to_end.deployment import Deployment, content, deployed

PEOPLE = 14
USERS, GROUPS = "/v2/scim/Users", "/v2/scim/Groups"


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What deskbird holds after a night without a fault."""
    with deployed(tmp_path_factory.mktemp("wanted"), generate(PEOPLE)) as acme:
        assert acme.sync().code == 0
        return content(acme.deskbird.desk)


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Deployment]:
    """The same company before its first night."""
    with deployed(tmp_path, generate(PEOPLE)) as made:
        yield made


def just_before(
    acme: Deployment, method: str, path: str, number: int, act: Callable[[str], None]
) -> None:
    """Let somebody act in deskbird just before the n-th such request gets there."""
    serve, seen = acme.deskbird.app, Counter[str]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == method and scope["path"].startswith(path):
            seen[path] += 1
            if seen[path] == number:
                act(scope["path"].rsplit("/", 1)[-1])
        await serve(scope, receive, send)

    acme.deskbird.app = app


def test_c59_passing_faults_of_writes_end_where_no_fault_ends(
    acme: Deployment, wanted: dict[str, Any]
) -> None:
    acme.deskbird.faults.add(
        Fault(f"POST {USERS}", "status", value=503, after=2, times=2),
        Fault(f"POST {USERS}", "status", value=429, after=6, times=3, retry_after=0),
        Fault(f"POST {USERS}", "status", value=500, after=9),
        Fault(f"POST {GROUPS}", "status", value=502),
        Fault(f"POST {GROUPS}", "status", value=429, after=2, times=2),
    )
    ended = acme.sync()
    assert ended.code == 0, ended.out
    assert content(acme.deskbird.desk) == wanted
    created = Counter(
        path for method, path, status in acme.writes() if method == "POST" and status == 201
    )
    assert created == {"/Users": wanted["numbers"][0], "/Groups": wanted["numbers"][1]}


def test_c66_a_rate_that_is_halved_meanwhile_makes_a_night_slower_and_nothing_else(
    acme: Deployment, wanted: dict[str, Any]
) -> None:
    """deskbird suddenly takes every other request only, and does not say when it would take the
    next.
    """
    rest, seen = acme.deskbird.app, Counter[str]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen[scope["method"]] += 1
        if scope["method"] == "POST" and seen["POST"] > 5 and seen["POST"] % 2:
            await receive()
            await send({"type": "http.response.start", "status": 429, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await rest(scope, receive, send)

    acme.deskbird.app = app
    ended = acme.sync()
    assert ended.code == 0, ended.out
    assert content(acme.deskbird.desk) == wanted
    assert Counter(status for method, _, status in acme.writes() if method == "POST")[429] > 3


@pytest.mark.parametrize("kind", ["answer_lost", "reset"])
def test_c60_a_creation_whose_answer_never_came_is_looked_up_before_it_is_repeated(
    acme: Deployment, wanted: dict[str, Any], kind: str
) -> None:
    acme.deskbird.faults.add(
        Fault(f"POST {USERS}", kind, after=3, times=2), Fault(f"POST {GROUPS}", kind, after=1)
    )
    ended = acme.sync()
    assert ended.code == 0, ended.out
    assert content(acme.deskbird.desk) == wanted
    # looked up, not tried against the one that is there
    assert {status for _, _, status in acme.writes()} <= {201, 204, None}


def test_c61_whom_somebody_invites_meanwhile_is_adopted(
    acme: Deployment, wanted: dict[str, Any]
) -> None:
    person = acme.tenant.snapshot.persons[9]

    def invite(_: str) -> None:
        acme.deskbird.desk.add_user(str(person.email), person.first_name, person.last_name)

    just_before(acme, "POST", USERS, 2, invite)
    ended = acme.sync()
    assert ended.code == 0, ended.out
    assert 409 in [status for _, _, status in acme.writes()]
    assert content(acme.deskbird.desk) == wanted


def test_c61_who_is_deleted_meanwhile_fails_alone_and_is_made_again_the_next_night(
    acme: Deployment,
) -> None:
    assert acme.sync().code == 0
    lost = acme.user(9)["id"]
    for ref in (8, 9, 10):
        acme.tenant.change(ref, last_name=f"Otherwise {ref}")
    acme.forget_requests()
    just_before(acme, "PATCH", f"{USERS}/{lost}", 1, acme.deskbird.desk.remove)
    ended = acme.sync(night=1)
    assert ended.code == 1
    assert "personio:9" in ended.out
    assert [status for _, _, status in acme.writes()].count(404) == 1
    assert [acme.user(ref)["name"]["familyName"] for ref in (8, 10)] == [
        "Otherwise 8",
        "Otherwise 10",
    ]
    ended = acme.sync(night=2)
    assert ended.code == 0, ended.out
    assert acme.user(9)["id"] != lost
    assert acme.user(9)["name"]["familyName"] == "Otherwise 9"


def test_c61_who_is_refused_fails_alone(acme: Deployment, wanted: dict[str, Any]) -> None:
    acme.deskbird.behave(refusals=(Refusal(who="personio:5", status=422),))
    ended = acme.sync()
    assert ended.code == 1
    assert len(acme.deskbird.desk.users()) == wanted["numbers"][0] - 1
    acme.deskbird.behave(refusals=())
    ended = acme.sync(night=1)
    assert ended.code == 0, ended.out
    assert content(acme.deskbird.desk) == wanted


@pytest.mark.parametrize("what", [USERS, GROUPS])
def test_c63_a_list_that_is_not_whole_ends_the_night_before_any_write(
    acme: Deployment, what: str
) -> None:
    """Whoever is missing on the list would be made again."""
    acme.deskbird.desk.seed(
        [
            {"email": f"person.{ref}@nordlicht.example", "given_name": "A", "family_name": "B"}
            for ref in (2, 3)
        ],
        [{"name": "One"}, {"name": "Two"}],
    )
    acme.deskbird.faults.add(Fault(f"GET {what}", "drop_page", value=1, times=None))
    ended = acme.sync()
    assert (ended.code, ended.out, acme.writes()) == (1, "", [])
    assert "Traceback" not in ended.err
    acme.deskbird.faults.clear()
    assert acme.sync(night=1).code == 0


def test_c50_one_change_in_a_group_of_1200_is_one_patch_of_one_member(tmp_path: Path) -> None:
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    persons = []
    for ref in range(1, 1202):
        employment = Employment(1, "ACTIVE", dt.date(2020, 1, 1), team=1 if ref <= 1200 else 2)
        persons.append(
            Person(
                ref,
                "Given",
                f"Family {ref}",
                f"p{ref}@nordlicht.example",
                (employment,),
                moment,
                moment,
            )
        )
    units = (OrgUnit("team", 1, "Everybody"), OrgUnit("team", 2, "Nobody else"))
    tenant = Tenant(Snapshot(dt.date(2026, 3, 2), {}, units).with_persons(persons))
    bodies: list[Any] = []
    with deployed(tmp_path, tenant) as acme:
        acme.deskbird.desk.seed(
            [
                {
                    "email": p.email,
                    "given_name": p.first_name,
                    "family_name": p.last_name,
                    "hris_ref": f"personio:{p.id}",
                }
                for p in persons
            ],
            [
                {
                    "name": "Everybody",
                    "hris_ref": "personio:team:1",
                    "members": [p.email for p in persons[:-1]],
                },
                {
                    "name": "Nobody else",
                    "hris_ref": "personio:team:2",
                    "members": [persons[-1].email],
                },
            ],
        )
        serve = acme.deskbird.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            async def heard() -> Any:
                message = await receive()
                if scope["method"] != "GET" and message["type"] == "http.request":
                    bodies.append((scope["method"], json.loads(message["body"])))
                return message

            await serve(scope, heard, send)

        acme.deskbird.app = app
        assert acme.sync().code == 0
        assert bodies == []
        acme.tenant.change(1201, team=1)
        assert acme.sync(night=1).code == 0
        assert len(acme.group("team:1")["members"]) == 1201
        assert acme.group("team:2").get("members") is None
        new = acme.user(1201)["id"]
    assert [method for method, _ in bodies] == ["PATCH", "PATCH"]  # out of the one, into the other
    assert all(
        json.dumps(body).count(new) == 1 and len(json.dumps(body)) < 400 for _, body in bodies
    )
