import dataclasses

import pytest

from hris_pipeline.sandbox.hris.personio import CREDENTIAL, SCOPES, Credential

FORM = {
    "grant_type": "client_credentials",
    "client_id": CREDENTIAL.client_id,
    "client_secret": CREDENTIAL.client_secret,
}
KEYS = {"client_id": CREDENTIAL.client_id, "client_secret": CREDENTIAL.client_secret}


@pytest.fixture
def stranger_to_personio(make_personio):
    return make_personio(log_in=False)


def test_a_v2_token_is_a_bearer_for_a_day_with_all_scopes_of_the_client(stranger_to_personio):
    answer = stranger_to_personio.http.post("/v2/auth/token", data=FORM)
    assert answer.status_code == 200
    body = answer.json()
    assert body["access_token"].startswith("papi-")
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 86400)
    assert set(body["scope"].split()) == SCOPES


def test_fewer_scopes_may_be_asked_for(stranger_to_personio):
    answer = stranger_to_personio.log_in(scope="personio:persons:read")
    assert answer.json()["scope"] == "personio:persons:read"
    stranger_to_personio.get("/v2/persons")
    stranger_to_personio.get("/v2/legal-entities", 403)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "unknown"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
        ({"scope": "personio:person:read fake_scope:777"}, "invalid_scope"),
        ({"scope": "personio:absences:read"}, "invalid_grant"),
    ],
)
def test_a_v2_token_request_that_fails_is_a_400_problem(stranger_to_personio, changes, error):
    answer = stranger_to_personio.http.post("/v2/auth/token", data=FORM | changes)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["error"] == error
    assert error in answer.json()["error_uri"]


def test_missing_parameters_are_named(stranger_to_personio):
    answer = stranger_to_personio.http.post(
        "/v2/auth/token", data={"client_id": CREDENTIAL.client_id}
    )
    assert answer.json()["meta"] == {"missing_parameters": ["grant_type", "client_secret"]}


def test_v2_refuses_json_and_says_so_under_type(stranger_to_personio):
    answer = stranger_to_personio.http.post("/v2/auth/token", json=FORM)
    assert answer.status_code == 400
    assert "invalid_request_content_type" in answer.json()["type"]


@pytest.mark.parametrize("how", ["json", "data"])
def test_v1_takes_json_and_forms_and_echoes_the_token_in_a_header(stranger_to_personio, how):
    answer = stranger_to_personio.http.post("/v1/auth", **{how: KEYS})
    token = answer.json()["data"]["token"]
    assert answer.json()["success"] is True
    assert answer.headers["authorization"] == f"Bearer {token}"
    page = stranger_to_personio.http.get(
        "/v1/company/employees", headers={"authorization": f"Bearer {token}"}
    )
    assert page.headers["authorization"] == f"Bearer {token}"


def test_wrong_credentials_for_v1_are_a_403(stranger_to_personio):
    for body in (KEYS | {"client_secret": "x"}, {}, ["x"]):
        answer = stranger_to_personio.http.post("/v1/auth", json=body)
        assert (answer.status_code, answer.json()["success"]) == (403, False)
    # never in the address, where logs keep it
    answer = stranger_to_personio.http.post("/v1/auth", params=KEYS)
    assert answer.status_code == 403


def test_tokens_of_either_generation_serve_both(stranger_to_personio):
    token = stranger_to_personio.http.post("/v1/auth", json=KEYS).json()["data"]["token"]
    stranger_to_personio.http.headers["authorization"] = f"Bearer {token}"
    stranger_to_personio.get("/v2/persons")
    assert stranger_to_personio.log_in().status_code == 200
    stranger_to_personio.get("/v1/company/employees")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/company/employees",
        "/v1/company/employees/1",
        "/v1/company/employees/attributes",
        "/v2/persons",
        "/v2/persons/1",
        "/v2/persons/1/employments",
        "/v2/org-units?type=team",
        "/v2/org-units/1000?type=team",
        "/v2/cost-centers",
        "/v2/workplaces",
        "/v2/legal-entities",
    ],
)
def test_every_path_wants_a_token(stranger_to_personio, path):
    for headers in ({}, {"authorization": "Bearer papi-made-up"}, {"authorization": "Basic abc"}):
        assert (
            stranger_to_personio.http.get(path, headers={"Beta": "true", **headers}).status_code
            == 401
        )


def test_a_token_ends_after_its_life_and_others_go_on(make_personio):
    now = [1000.0]
    personio = make_personio(token_seconds=60, clock=lambda: now[0])
    now[0] += 59
    personio.get("/v2/persons")
    now[0] += 2
    personio.get("/v2/persons", 401)
    assert personio.log_in().status_code == 200
    personio.get("/v2/persons")


def test_a_revoked_token_is_refused(personio):
    token = personio.http.headers["authorization"].removeprefix("Bearer ")
    answer = personio.http.post("/v2/auth/revoke", data={"token": token})
    assert (answer.status_code, answer.content) == (200, b"")
    personio.get("/v2/persons", 401)


def test_all_tokens_can_be_ended_at_once(personio):
    personio.http.delete("/_sandbox/tokens")
    personio.get("/v2/persons", 401)


def test_sixty_v1_tokens_and_no_more_at_once(make_personio):
    personio = make_personio(rates=True, log_in=False, clock=lambda: 1000.0)
    assert [personio.http.post("/v1/auth", json=KEYS).status_code for _ in range(61)] == [
        200
    ] * 60 + [429]


def test_a_credential_does_not_show_its_secret():
    assert "top" not in repr(Credential(client_secret="top"))
    assert dataclasses.asdict(Credential(client_secret="top"))["client_secret"] == "top"
