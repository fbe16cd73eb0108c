"""Every sample in Merge's documents is read, and the limits and words are theirs."""

import json

import pytest

from hris_pipeline.hris.systems.merge import STATUSES, people, service, syncs, units
from hris_pipeline_tests.hris.merge_account import NIGHT
from hris_pipeline_tests.sandbox.test_merge_documents import (
    NEWEST,
    SDK,
    document,
    pytestmark,  # noqa: F401 - skips where they are not
)

NOTHING = {"next": None, "previous": None, "results": []}
GOOD_SYNC = {
    "status": "DONE",
    "last_sync_result": "DONE",
    "last_sync_finished": "2026-03-02T01:00:00Z",
    "is_initial_sync": False,
}


def sample(schema):
    """What the document shows of a model: the example of each of its fields."""
    return {
        name: field.get("example")
        for name, field in document(SDK)["components"]["schemas"][schema]["properties"].items()
    }


def word(value):
    return None if value is None else str(value)


@pytest.fixture
def answering(merge):
    """An account that answers each path below the prefix with what is given."""

    def make(answers):
        states = [
            {"model_name": model, "model_id": f"hris.{model}", **GOOD_SYNC}
            for model in ("Employee", "Group", "Location", "Company", "Team")
        ]
        given = {
            "/account-details": sample("AccountDetails"),
            "/sync-status": {**NOTHING, "results": states},
            **{path: {**NOTHING, "results": results} for path, results in answers.items()},
        }

        async def app(scope, receive, send):
            answer = given.get(scope["path"].removeprefix("/api/hris/v1"))
            body = json.dumps(answer).encode()
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(body)),
            ]
            await send(
                {
                    "type": "http.response.start",
                    "status": 404 if answer is None else 200,
                    "headers": headers,
                }
            )
            await send({"type": "http.response.body", "body": body})

        return merge(app=app)

    return make


def test_employees_are_read_as_the_document_shows_them(answering, rows):
    shown = sample("Employee")
    group, place, company = sample("Group"), sample("Location"), sample("Company")
    group["id"], place["id"], company["id"] = (
        shown["groups"][0],
        shown["work_location"],
        shown["company"],
    )
    account = answering(
        {
            "/employees": [shown],
            "/groups": [group],
            "/locations": [place | {"location_type": "WORK"}],
            "/companies": [company],
        }
    )
    employees, org_units = account.read()
    assert (employees.proof, org_units.proof) == ("proven", "proven")
    (row,) = rows(employees.path)
    plain = {
        column: key
        for column, key in people.ATTRIBUTES.items()
        if column not in {"status", "end_date", "manager_id"}
    }
    assert {column: row[column] for column in plain} == {
        column: word(shown[key]) for column, key in plain.items()
    }
    assert (row["id"], row["employment_id"], row["status"]) == (
        shown["remote_id"],
        shown["id"],
        shown["employment_status"],
    )
    assert row["end_date"] in {shown["termination_date"], None}
    assert row["manager_id"] == shown["manager"]  # of whom nothing else is shown
    expected = {
        "cost_center": group["remote_id"],
        "location": place["remote_id"],
        "legal_entity": company["remote_id"],
    }
    assert {one["kind"]: one["id"] for one in row["groups"]} == expected
    names = {
        "cost_center": group["name"],
        "location": place["name"],
        "legal_entity": company["display_name"],
    }
    assert {one["kind"]: one["name"] for one in rows(org_units.path)} == names


def test_teams_are_read_as_the_document_shows_them(answering, rows):
    team, person = sample("Team"), sample("Employee")
    account = answering(
        {"/employees": [person | {"team": team["id"]}], "/groups": [], "/teams": [team]}
    )
    employees, org_units = account.read(kinds=("team",))
    assert rows(employees.path)[0]["groups"] == [{"kind": "team", "id": team["remote_id"]}]
    assert rows(org_units.path)[0]["name"] == team["name"]


def test_the_state_of_a_sync_is_read_as_the_document_shows_it():
    shown = {
        name: field.get("example")
        for name, field in document(SDK)["components"]["schemas"]["SyncStatus"][
            "properties"
        ].items()
    }
    (sync,) = syncs.SYNC_PAGE.decode(json.dumps({**NOTHING, "results": [shown]})).results
    assert (sync.model, sync.status, sync.is_initial_sync) == ("Employee", shown["status"], True)
    assert (
        syncs.Judge(NIGHT, 48).model("Employee", sync)
        == "Merge's sync of Employee is still its first one"
    )
    sparse = json.loads(document(SDK)["components"]["schemas"]["SyncStatus"]["x-merge-sample-json"])
    (sync,) = syncs.SYNC_PAGE.decode(json.dumps({**NOTHING, "results": [sparse]})).results
    assert sync.last_sync_finished is None


@pytest.mark.parametrize("name", [SDK, NEWEST])
def test_every_word_of_the_documents_has_a_meaning(name):
    schemas = document(name)["components"]["schemas"]
    assert {word.lower() for word in schemas["EmploymentStatusEnum"]["enum"]} == STATUSES.keys() - {
        people.DELETED
    }
    assert set(schemas["GroupTypeEnum"]["enum"]) == {*units.TYPES, "GROUP"}
    for states in ("StatusFd5Enum", "LastSyncResultEnum"):
        assert set(schemas[states]["enum"]) == {*syncs.BAD_ENDS, syncs.GOOD, syncs.UNDER_WAY}
    broken = set(schemas["AccountDetailsAndActionsStatusEnum"]["enum"]) - {"COMPLETE"}
    assert broken == syncs.BROKEN_LINKS.keys()


@pytest.mark.parametrize("name", [SDK, NEWEST])
def test_every_path_and_parameter_that_is_used_is_in_the_documents(name):
    paths = document(name)["paths"]
    used = {"page_size", "cursor", "include_deleted_data"}
    for path in (people.PATH, *(source.path for source in units.lists_of(units.KINDS))):
        known = {parameter["name"] for parameter in paths[path]["get"]["parameters"]}
        assert used <= known
    assert {"modified_after", "expand"} <= {
        parameter["name"] for parameter in paths[people.PATH]["get"]["parameters"]
    }
    assert {syncs.ACCOUNT, syncs.SYNCS, f"{service.PREFIX}/linked-accounts"} <= paths.keys()
    employee = document(name)["components"]["schemas"]["Employee"]["properties"]
    assert {
        *people.ATTRIBUTES.values(),
        "groups",
        "team",
        "company",
        "work_location",
        "remote_id",
        people.DELETED,
    } <= employee.keys()
