import base64
import dataclasses
import datetime as dt
import re

import pytest

from hris_pipeline.sandbox.company import Employment, OrgUnit, Snapshot, Tenant, generate
from hris_pipeline.sandbox.hris.personio import (
    SCOPES,
    Credential,
    cost_center_uuid,
    employment_uuid,
)

PERSONS = "/v2/persons"


def problem(answer):
    return answer["errors"][0]["detail"]


def test_persons_come_ten_a_page_unless_told_otherwise_and_never_more_than_fifty(make_personio):
    personio = make_personio(generate(60))
    assert len(personio.get(PERSONS)["_data"]) == 10
    assert len(personio.get(PERSONS, limit=50)["_data"]) == 50
    for limit in ("0", "51", "-1", "ten", "1.5"):
        assert (
            problem(personio.get(PERSONS, 400, limit=limit))
            == "Provided value for limit is not valid"
        )


def test_a_walk_gives_everybody_once_and_ends_without_a_next_link(personio):
    records = personio.walk(PERSONS, limit=5)
    assert [r["id"] for r in records] == [str(i) for i in range(1, 24)]
    assert personio.get(PERSONS, limit=50)["_meta"]["links"].keys() == {"self"}


def test_an_exact_last_page_has_no_next_link(make_personio):
    personio = make_personio(generate(20))
    second = personio.get(personio.get(PERSONS)["_meta"]["links"]["next"]["href"])
    assert len(second["_data"]) == 10
    assert "next" not in second["_meta"]["links"]


def test_links_are_absolute_and_keep_the_path_prefix(personio):
    page = personio.get(PERSONS, limit=3)
    links = page["_meta"]["links"]
    assert links["self"]["href"] == f"{personio.url}/v2/persons?limit=3"
    assert links["next"]["href"].startswith(f"{personio.url}/v2/persons?cursor=cur_")
    assert (
        page["_data"][0]["_meta"]["links"]["employments"]["href"]
        == f"{personio.url}/v2/persons/1/employments"
    )


def test_a_cursor_holds_the_filter_and_the_page_size(personio):
    page = personio.get(PERSONS, limit=4, id="2,3,5,7,11,13,17")
    page = personio.get(page["_meta"]["links"]["next"]["href"])
    assert [r["id"] for r in page["_data"]] == ["11", "13", "17"]
    assert "next" not in page["_meta"]["links"]


def test_filters_may_be_sent_again_beside_the_cursor(personio):
    asked = {"limit": 4, "id": "2,3,5,7,11,13,17"}
    link = personio.get(PERSONS, **asked)["_meta"]["links"]["next"]["href"]
    page = personio.get(PERSONS, cursor=re.search(r"cursor=([^&]+)", link)[1], **asked)
    assert [r["id"] for r in page["_data"]] == ["11", "13", "17"]


def test_a_cursor_that_was_made_up_changed_or_belongs_to_another_list_is_refused(personio):
    cursor = re.search(r"cursor=([^&]+)", personio.get(PERSONS)["_meta"]["links"]["next"]["href"])[
        1
    ]
    raw = base64.urlsafe_b64decode(cursor.removeprefix("cur_") + "==")
    changed = "cur_" + base64.urlsafe_b64encode(
        raw.replace(b'"offset":10', b'"offset":20')
    ).decode().rstrip("=")
    assert changed != cursor
    for path, bad in (
        (PERSONS, "cur_abc"),
        (PERSONS, "3"),
        (PERSONS, changed),
        ("/v2/cost-centers", cursor),
    ):
        personio.get(path, 400, cursor=bad)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"id": "3,4,999"}, ["3", "4"]),
        ({"email": "PERSON.5@nordlicht.example,person.6@nordlicht.example"}, ["5", "6"]),
        ({"first_name": "Nobody"}, []),
        ({"updated_at.gt": "2026-01-01T00:00:00Z"}, ["7"]),
        ({"updated_at.lt": "2026-01-01T00:00:00Z", "id": "6,7"}, ["6"]),
        ({"updated_at": "2026-02-02T00:30:00Z"}, ["7"]),
        ({"status": "INACTIVE"}, ["8"]),
        ({"status": "ACTIVE", "id": "7,8,9"}, ["7", "9"]),
    ],
)
def test_filters_select_and_are_anded(make_personio, asked, expected):
    old = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    tenant = generate(23)
    for person in list(tenant.snapshot.persons.values()):
        tenant.add(
            dataclasses.replace(
                person,
                updated_at=old,
                employments=(dataclasses.replace(person.employments[0], status="ACTIVE"),),
            )
        )
    tenant.change(7, updated_at=dt.datetime(2026, 2, 2, 0, 30, tzinfo=dt.UTC))
    tenant.change(8, updated_at=old, status="INACTIVE")
    assert [r["id"] for r in make_personio(tenant).walk(PERSONS, **asked)] == expected


@pytest.mark.parametrize(
    ("asked", "detail"),
    [
        ({"created_at.lt": "wrong"}, "Provided request parameters are invalid."),
        # no zone
        ({"updated_at.gt": "2026-01-01T00:00:00"}, "Provided request parameters are invalid."),
        ({"status": "LEAVE"}, "Provided request parameters are invalid."),
        ({"id.nooperator": "3"}, "Provided filter encoding is invalid."),
        ({"updated_at.gte": "2026-01-01T00:00:00Z"}, "Provided filter encoding is invalid."),
        ({"department": "4"}, "Provided filter encoding is invalid."),
    ],
)
def test_an_unknown_filter_operator_or_value_is_a_400(personio, asked, detail):
    answer = personio.http.get(PERSONS, params=asked)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem(answer.json()) == detail


def test_one_person_and_what_is_not_there(personio):
    assert personio.get(f"{PERSONS}/3")["id"] == "3"
    for path in (
        "/v2/persons/999",
        "/v2/persons/x",
        "/v2/persons/999/employments",
        "/v2/persons/3/employments/none",
    ):
        assert problem(personio.get(path, 404)) == "There is no resource for the specified id."
    assert "/v2/nothing was not found" in problem(personio.get("/v2/nothing", 404))


def test_employments_come_most_recent_first_and_the_status_of_the_person_follows_the_latest(
    make_personio,
):
    tenant = generate(23)
    old = Employment(1, "ACTIVE", dt.date(2020, 1, 1), position="main")
    ended = Employment(2, "INACTIVE", dt.date(2024, 1, 1), dt.date(2025, 1, 1), position="side")
    tenant.add(dataclasses.replace(tenant.snapshot.persons[9], employments=(old, ended)))
    personio = make_personio(tenant)
    records = personio.get(f"{PERSONS}/9/employments")["_data"]
    assert [r["position"]["title"] for r in records] == ["side", "main"]
    assert [r["id"] for r in records] == [employment_uuid(9, 2), employment_uuid(9, 1)]
    person = personio.get(f"{PERSONS}/9")
    assert person["status"] == "INACTIVE"
    assert [e["id"] for e in person["employments"]] == [r["id"] for r in records]
    assert personio.get(f"{PERSONS}/9/employments/{employment_uuid(9, 1)}") == records[1]
    assert (
        personio.get(f"{PERSONS}/9/employments", id=employment_uuid(9, 1))["_data"] == records[1:]
    )
    assert [
        len(personio.get(f"{PERSONS}/9/employments", limit=1)["_data"]),
        len(personio.walk(f"{PERSONS}/9/employments", limit=1)),
    ] == [1, 2]


def test_what_somebody_does_not_have_is_absent_and_only_the_end_date_is_null(personio):
    record = personio.get(f"{PERSONS}/1/employments")["_data"][0]
    assert "supervisor" not in record
    assert "termination" not in record
    assert record["employment_end_date"] is None


def test_a_tenant_may_send_null_instead(make_personio):
    personio = make_personio(unset="null")
    assert personio.get(f"{PERSONS}/1/employments")["_data"][0]["supervisor"] is None


def test_somebody_who_leaves_keeps_the_status_until_the_last_day_has_passed(make_personio):
    tenant = generate(23)
    tenant.change(1, end_date=dt.date(2026, 3, 2))
    personio = make_personio(tenant)

    def record():
        return personio.get(f"{PERSONS}/1/employments")["_data"][0]

    assert record()["status"] == "ACTIVE"
    assert (
        record()["employment_end_date"]
        == record()["termination"]["termination_date"]
        == "2026-03-02"
    )
    tenant.set_date(dt.date(2026, 3, 2))
    assert record()["status"] == "ACTIVE"
    tenant.set_date(dt.date(2026, 3, 3))
    assert record()["status"] == "INACTIVE"


@pytest.mark.parametrize("path", ["/v2/org-units?type=team", "/v2/cost-centers", "/v2/workplaces"])
def test_beta_paths_are_not_there_without_their_header(personio, path):
    answer = personio.http.get(path)
    assert answer.status_code == 404
    assert "was not found" in problem(answer.json())
    assert personio.http.get(path, headers={"Beta": "true"}).status_code == 200


def test_org_units_want_a_type(personio):
    personio.get("/v2/org-units", 400)
    personio.get("/v2/org-units", 400, type="squad")
    personio.get("/v2/org-units/1000", 400)
    personio.get("/v2/org-units/999", 404, type="team")
    team = personio.get("/v2/org-units/1000", type="team")
    department = personio.get("/v2/org-units/1000", type="department")
    assert (team["name"], department["name"]) == ("Team 1", "Department 1")
    assert team["parent_id"] is None


def test_organisation_lists_give_at_most_a_hundred_and_usually_twenty(make_personio):
    units = tuple(OrgUnit("team", i, f"Team {i:03}") for i in range(1, 151))
    tenant = Tenant(Snapshot(dt.date(2026, 3, 2), {}, units))
    personio = make_personio(tenant)
    assert len(personio.get("/v2/org-units", type="team")["_data"]) == 20
    assert len(personio.get("/v2/org-units", type="team", limit=100)["_data"]) == 100
    personio.get("/v2/org-units", 400, type="team", limit=101)
    assert len(personio.walk("/v2/org-units", type="team", limit=40)) == 150
    assert (
        personio.get("/v2/org-units", type="team", sort="-name")["_data"][0]["name"] == "Team 150"
    )
    personio.get("/v2/org-units", 400, type="team", sort="age")


def test_cost_centers_have_uuids_that_the_employments_name(sample_personio):
    centers = {r["id"]: r["name"] for r in sample_personio.walk("/v2/cost-centers")}
    shares = sample_personio.get("/v2/persons/10017/employments")["_data"][0]["cost_centers"]
    assert shares == [
        {"id": cost_center_uuid(4100), "weight": 80},
        {"id": cost_center_uuid(3100), "weight": 20},
    ]
    assert [centers[share["id"]] for share in shares] == [
        "4100 Customer Success",
        "3100 Sales DACH",
    ]
    assert [
        r["name"] for r in sample_personio.get("/v2/cost-centers", name="1000 Management")["_data"]
    ] == ["1000 Management"]


def test_workplaces_and_legal_entities_resolve_what_employments_name(sample_personio):
    employment = sample_personio.get("/v2/persons/10001/employments")["_data"][0]
    places = {r["id"]: r["name"] for r in sample_personio.walk("/v2/workplaces")}
    entities = sample_personio.get("/v2/legal-entities")["_data"]
    assert places[employment["office"]["id"]] == "Berlin"
    assert [e["id"] for e in entities] == ["13", "12", "11"]  # newest first
    assert (
        sample_personio.get(f"/v2/legal-entities/{employment['legal_entity']['id']}")["name"]
        == "Nordlicht GmbH"
    )
    assert [
        e["country"] for e in sample_personio.get("/v2/legal-entities", country="NL")["_data"]
    ] == ["NL"]


def test_attributes_that_are_not_on_the_whitelist_do_not_come(make_personio):
    personio = make_personio(attributes=())
    assert personio.get(f"{PERSONS}/2").keys() == {"id", "employments", "_meta"}
    assert personio.get(f"{PERSONS}/2/employments")["_data"][0].keys() == {
        "id",
        "status",
        "person",
        "_meta",
    }


def test_a_whitelist_with_the_team_only_gives_org_units_of_that_type(make_personio):
    personio = make_personio(attributes=["team"])
    assert [
        u["type"] for u in personio.get(f"{PERSONS}/2/employments")["_data"][0]["org_units"]
    ] == ["team"]


@pytest.mark.parametrize(
    ("path", "scope", "status"),
    [
        ("/v2/persons", "personio:persons:read", 401),
        ("/v2/persons/1/employments", "personio:persons:read", 401),
        ("/v2/org-units?type=team", "personio:org-units:read", 403),
        ("/v2/cost-centers", "personio:cost-centers:read", 403),
        ("/v2/workplaces", "personio:workplaces:read", 403),
        ("/v2/legal-entities", "personio:legal-entities:read", 403),
        ("/v1/company/employees", "employees:read", 403),
    ],
)
def test_a_missing_right_is_401_for_persons_and_403_for_the_rest(
    make_personio, path, scope, status
):
    poor = Credential("poor", "secret", SCOPES - {scope})
    personio = make_personio(credentials=[poor], log_in=False)
    assert personio.log_in(poor).status_code == 200
    personio.get(path, status)


def test_the_company_may_change_between_two_requests(personio):
    assert personio.get(f"{PERSONS}/3")["email"] == "person.3@nordlicht.example"
    personio.tenant.change(3, email="new@nordlicht.example")
    assert personio.get(f"{PERSONS}/3")["email"] == "new@nordlicht.example"
    personio.tenant.remove(3)
    personio.get(f"{PERSONS}/3", 404)


def test_rates_are_told_in_four_headers_and_a_429_tells_no_time(make_personio):
    now = [1000.0]
    personio = make_personio(rates=True, clock=lambda: now[0])
    answers = [personio.http.get(f"/v2/persons/{1 + i % 2}") for i in range(101)]
    assert {a.status_code for a in answers[:100]} == {200}
    headers = answers[0].headers
    assert {k: headers[k] for k in headers if k.startswith("x-ratelimit")} == {
        "x-ratelimit-replenish-rate": "30",
        "x-ratelimit-burst-capacity": "100",
        "x-ratelimit-requested-tokens": "1",
        "x-ratelimit-remaining": "99",
    }
    assert answers[100].status_code == 429
    assert "retry-after" not in answers[100].headers
    assert answers[100].headers["x-ratelimit-remaining"] == "0"
    personio.get(PERSONS)  # a bucket for each path
    now[0] += 0.1  # three more at 30 a second
    assert [personio.http.get("/v2/persons/1").status_code for _ in range(4)] == [
        200,
        200,
        200,
        429,
    ]
