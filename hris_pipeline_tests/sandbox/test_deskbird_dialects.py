"""The two dialects of PATCH as deskbird's sandbox speaks them, and the quick way for large groups
does what the package does.
"""

import asyncio

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scim2_models import PatchOp, SCIMException
from scim2_server.conditions import Conditions
from scim2_server.handler import AsyncScimHandler
from scim2_server.memory import AsyncInMemoryStorage

from hris_pipeline.sandbox.deskbird import (
    PREFIX,
    TOKEN,
    Deskbird,
    deskbird_app,
    named_members,
)
from hris_pipeline.sandbox.deskbird.forms import from_entra
from hris_pipeline.sandbox.server import serve

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MANAGER = f"{ENTERPRISE}:manager"
WORK = 'emails[type eq "work"].value'


@pytest.fixture
def entra():
    """A company that speaks Entra's dialect, with Ada, Bea and the group Sales (Bea); ``patch``
    sends operations.
    """
    app = deskbird_app(dialect="entra", requests_per_second=None)
    ids = app.desk.seed(
        [
            {"email": f"{name}@example.com", "given_name": name, "family_name": "X"}
            for name in ("ada", "bea")
        ],
        [{"name": "Sales", "members": ["bea@example.com"]}],
    )
    app.ada, app.bea, app.sales = (
        ids["ada@example.com"],
        ids["bea@example.com"],
        app.desk.group("Sales")["id"],
    )
    with (
        serve(app) as server,
        httpx.Client(
            base_url=server.url + PREFIX, headers={"Authorization": f"Bearer {TOKEN}"}
        ) as http,
    ):
        app.http = http
        app.patch = lambda path, *operations: http.patch(
            path, json={"schemas": [PATCH], "Operations": list(operations)}
        )
        yield app


def members(app):
    return [member["value"] for member in app.desk.group("Sales").get("members", [])]


@pytest.mark.parametrize("value", ["False", False])
def test_entra_deactivates_and_reactivates(entra, value):
    assert (
        entra.patch(
            f"/Users/{entra.ada}", {"op": "Replace", "path": "active", "value": value}
        ).status_code
        == 204
    )
    assert entra.desk.user("ada@example.com")["active"] is False
    assert (
        entra.patch(
            f"/Users/{entra.ada}", {"op": "Replace", "path": "active", "value": "True"}
        ).status_code
        == 204
    )
    assert entra.desk.user("ada@example.com")["active"] is True


def test_entra_changes_attributes_one_path_each(entra):
    changes = {
        "displayName": "Countess",
        "name.givenName": "Augusta",
        WORK: "king@example.com",
        "userName": "king@example.com",
        "externalId": "personio:7",
        f"{ENTERPRISE}:employeeNumber": "7",
    }
    operations = [
        {"op": "Replace", "path": path, "value": value} for path, value in changes.items()
    ]
    assert (
        entra.patch(
            f"/Users/{entra.ada}", *operations, {"op": "Add", "path": "nickName", "value": "Addie"}
        ).status_code
        == 204
    )
    held = entra.desk.user("king@example.com")
    assert (held["displayName"], held["name"]["givenName"], held["nickName"]) == (
        "Countess",
        "Augusta",
        "Addie",
    )
    assert (held["emails"][0]["value"], held["externalId"]) == ("king@example.com", "personio:7")
    assert held[ENTERPRISE]["employeeNumber"] == "7"


def test_entra_gives_a_work_address_to_one_without(entra):
    entra.desk.edit(entra.ada, {"emails": None})
    assert (
        entra.patch(
            f"/Users/{entra.ada}", {"op": "Add", "path": WORK, "value": "ada@example.com"}
        ).status_code
        == 204
    )
    assert entra.desk.user("ada@example.com")["emails"] == [
        {"type": "work", "value": "ada@example.com"}
    ]


def test_entra_adds_and_removes_members_by_a_list(entra):
    added = {"op": "Add", "path": "members", "value": [{"value": entra.ada}]}
    assert entra.patch(f"/Groups/{entra.sales}", added).status_code == 204
    assert members(entra) == [entra.bea, entra.ada]
    removed = {
        "op": "Remove",
        "path": "members",
        "value": [{"value": entra.ada}, {"value": entra.bea}],
    }
    assert entra.patch(f"/Groups/{entra.sales}", removed).status_code == 204
    assert members(entra) == []


def test_entra_sets_a_manager_by_its_bare_id_and_clears_it(entra):
    for op in ("Add", "Replace"):
        assert (
            entra.patch(
                f"/Users/{entra.ada}", {"op": op, "path": MANAGER, "value": entra.bea}
            ).status_code
            == 204
        )
        assert entra.desk.user("ada@example.com")[ENTERPRISE]["manager"]["value"] == entra.bea
        assert (
            entra.patch(f"/Users/{entra.ada}", {"op": "Remove", "path": MANAGER}).status_code == 204
        )
        assert "manager" not in entra.desk.user("ada@example.com").get(ENTERPRISE, {})


RFC_FORMS_OF_USERS = [
    ({"op": "replace", "path": "active", "value": False}, "invalidSyntax"),
    ({"op": "Replace", "value": {"active": False}}, "invalidPath"),
    ({"op": "Replace", "path": "active", "value": "no"}, "invalidValue"),
    ({"op": "Replace", "path": "name", "value": {"givenName": "Augusta"}}, "invalidValue"),
    ({"op": "Replace", "path": "displayName", "value": None}, "invalidValue"),
    ({"op": "Add", "path": MANAGER, "value": {"value": "1"}}, "invalidValue"),
    ({"op": "Add", "path": f"{MANAGER}.value", "value": "1"}, "invalidPath"),
]
RFC_FORMS_OF_GROUPS = [
    ({"op": "add", "path": "members", "value": [{"value": "1"}]}, "invalidSyntax"),
    ({"op": "Remove", "path": 'members[value eq "1"]'}, "invalidPath"),
    ({"op": "Remove", "path": "members"}, "invalidValue"),
    ({"op": "Replace", "path": "members", "value": []}, "invalidPath"),
    ({"op": "Add", "path": "members", "value": ["1"]}, "invalidValue"),
]


@pytest.mark.parametrize(("operation", "kind"), RFC_FORMS_OF_USERS)
def test_entra_refuses_other_forms_for_users(entra, operation, kind):
    before = entra.desk.users()
    answer = entra.patch(
        f"/Users/{entra.ada}", {"op": "Replace", "path": "displayName", "value": "New"}, operation
    )
    assert (answer.status_code, answer.json()["scimType"]) == (400, kind)
    assert entra.desk.users() == before


@pytest.mark.parametrize(("operation", "kind"), RFC_FORMS_OF_GROUPS)
def test_entra_refuses_other_forms_for_groups(entra, operation, kind):
    before = entra.desk.groups()
    answer = entra.patch(f"/Groups/{entra.sales}", operation)
    assert (answer.status_code, answer.json()["scimType"]) == (400, kind)
    assert entra.desk.groups() == before


@pytest.mark.parametrize(
    "message", [[], {"Operations": {}}, {"Operations": ["x"]}, {"schemas": [PATCH]}]
)
def test_entra_refuses_what_is_no_message(message):
    with pytest.raises(SCIMException) as refusal:
        from_entra(message)
    assert refusal.value.scim_type == "invalidSyntax"


def test_entra_takes_manager_and_members_by_patch_only(entra):
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": "new@example.com",
    }
    answer = entra.http.post("/Users", json={**body, ENTERPRISE: {"manager": {"value": entra.bea}}})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    assert entra.http.post("/Users", json=body).status_code == 201
    group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "New"}
    answer = entra.http.post("/Groups", json={**group, "members": [{"value": entra.bea}]})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    assert entra.http.post("/Groups", json={**group, "members": []}).status_code == 201
    assert entra.http.put(f"/Users/{entra.ada}", json=body).status_code == 405


def test_entra_has_the_same_limit_of_members(entra):
    people = [
        {"email": f"u{n}@example.com", "given_name": "U", "family_name": "N"} for n in range(101)
    ]
    ids = list(entra.desk.seed(people).values())[-101:]
    for op in ("Add", "Remove"):
        answer = entra.patch(
            f"/Groups/{entra.sales}",
            {"op": op, "path": "members", "value": [{"value": key} for key in ids]},
        )
        assert (answer.status_code, answer.json()["scimType"]) == (400, "tooMany")


def test_the_rfc_refuses_entras_manager():
    app = deskbird_app(requests_per_second=None)
    ada = app.desk.add_user("ada@example.com", "A", "B")
    bea = app.desk.add_user("bea@example.com", "A", "B")
    with serve(app) as server:
        message = {
            "schemas": [PATCH],
            "Operations": [{"op": "Add", "path": MANAGER, "value": bea}],
        }
        answer = httpx.patch(
            f"{server.url}{PREFIX}/Users/{ada}",
            json=message,
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")


def test_entras_message_is_not_changed_in_place():
    message = {
        "schemas": [PATCH],
        "Operations": [{"op": "Replace", "path": "active", "value": "False"}],
    }
    assert from_entra(message)["Operations"] == [
        {"op": "replace", "path": "active", "value": False}
    ]
    assert message["Operations"][0]["value"] == "False"


def a_company():
    """Six users and a group with the first four, with ids that are the same every time."""
    desk = Deskbird()
    numbers = iter(range(100))
    desk.generate_id = lambda kind, resource: f"id{next(numbers)}"
    ids = [desk.add_user(f"u{n}@example.com", "U", str(n)) for n in range(6)]
    return desk, desk.add_group("Sales", members=ids[:4])


def outcome(quick, operations):
    """What becomes of the group by our handler, or by the package's own."""
    desk, group = a_company()
    app = deskbird_app(desk).app
    kind = desk._kind(group)
    try:
        with app.provider:
            message = PatchOp[desk.provider.model_for(kind)].model_validate(
                {"schemas": [PATCH], "Operations": operations}
            )
            handler = (
                app.handler if quick else AsyncScimHandler(app.service, AsyncInMemoryStorage(desk))
            )
            asyncio.run(handler.patch_resource(kind, group, message, Conditions()))
    except SCIMException as refusal:
        return type(refusal).__name__
    held = desk.group(desk.groups()[0]["displayName"])
    return held["displayName"], [member["value"] for member in held.get("members", [])]


IDS = st.sampled_from([f"id{n}" for n in range(6)])
OPERATIONS = st.one_of(
    st.builds(
        lambda op, ids: {"op": op, "path": "members", "value": [{"value": key} for key in ids]},
        st.sampled_from(["add", "add", "replace"]),
        st.lists(IDS, min_size=1, max_size=3),
    ),
    st.builds(lambda key: {"op": "add", "path": "members", "value": {"value": key}}, IDS),
    st.builds(lambda key: {"op": "remove", "path": f'members[value eq "{key}"]'}, IDS),
    st.builds(
        lambda a, b: {"op": "remove", "path": f'members[value eq "{a}" or value eq "{b}"]'},
        IDS,
        IDS,
    ),
    st.builds(lambda key: {"op": "remove", "path": f'members[not (value eq "{key}")]'}, IDS),
    st.just({"op": "remove", "path": "members"}),
    st.builds(lambda key: {"op": "add", "value": {"members": [{"value": key}]}}, IDS),
    st.builds(
        lambda name: {"op": "replace", "path": "displayName", "value": name},
        st.sampled_from(["Sales", "More"]),
    ),
    st.builds(
        lambda key: {"op": "replace", "path": f'members[value eq "{key}"].display', "value": "X"},
        IDS,
    ),
    st.just({"op": "add", "path": "members", "value": [{"value": "stranger"}]}),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(OPERATIONS, min_size=1, max_size=4))
def test_a_group_changes_by_its_named_members_as_it_would_as_a_whole(operations):
    quick, whole = outcome(True, operations), outcome(False, operations)
    if isinstance(quick, str):
        assert quick == whole
    else:
        assert (quick[0], set(quick[1])) == (whole[0], set(whole[1]))
        assert len(quick[1]) == len(set(quick[1]))


@pytest.mark.parametrize(
    ("operations", "named"),
    [
        (
            [{"op": "add", "path": "members", "value": [{"value": "1"}, {"value": "2"}]}],
            ["1", "2"],
        ),
        (
            [
                {"op": "remove", "path": 'members[value eq "1"]'},
                {"op": "replace", "path": "displayName", "value": "X"},
            ],
            ["1"],
        ),
        ([{"op": "replace", "path": "displayName", "value": "X"}], []),
        ([{"op": "replace", "value": {"displayName": "X"}}], []),
        ([{"op": "replace", "value": {"members": []}}], None),
        ([{"op": "remove", "path": "members"}], None),
        ([{"op": "remove", "path": 'members[type eq "User"]'}], None),
        ([{"op": "remove", "path": 'members[value eq "1" and type eq "User"]'}], None),
    ],
)
def test_the_members_a_message_names_are_known_or_it_speaks_of_all(operations, named):
    desk, group = a_company()
    message = PatchOp[desk.provider.model_for(desk._kind(group))].model_validate(
        {"schemas": [PATCH], "Operations": operations}
    )
    assert named_members(message) == named
