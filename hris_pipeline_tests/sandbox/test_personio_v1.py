import dataclasses
import datetime as dt

import pytest

from hris_pipeline.sandbox.company import Employment, generate
from hris_pipeline.sandbox.hris.personio import ATTRIBUTES

EMPLOYEES = "/v1/company/employees"


def attributes(record):
    return {key: envelope["value"] for key, envelope in record["attributes"].items()}


def test_employees_come_fifty_a_page_unless_told_otherwise_and_never_more_than_a_hundred(
    make_personio,
):
    personio = make_personio(generate(120))
    assert len(personio.get(EMPLOYEES)["data"]) == 50
    assert len(personio.get(EMPLOYEES, limit=100)["data"]) == 100
    for wrong in ({"limit": 101}, {"limit": 0}, {"limit": "x"}, {"offset": -1}):
        answer = personio.get(EMPLOYEES, 400, **wrong)
        assert answer["success"] is False
        assert answer["error"]["code"] == 400


def test_the_offset_counts_records_and_pages_count_from_zero(make_personio):
    personio = make_personio(generate(120))
    page = personio.get(EMPLOYEES, limit=50, offset=100)
    assert page["metadata"] == {"total_elements": 120, "current_page": 2, "total_pages": 3}
    assert (page["success"], page["offset"], page["limit"]) == (True, 100, 50)
    assert [attributes(r)["id"] for r in page["data"]] == list(range(101, 121))
    assert personio.get(EMPLOYEES, limit=50, offset=500)["data"] == []
    assert [attributes(r)["id"] for r in personio.employees(limit=50)] == list(range(1, 121))


def test_every_attribute_has_its_envelope(personio):
    record = personio.get(f"{EMPLOYEES}/2")["data"]
    assert record["type"] == "Employee"
    assert set(record["attributes"]) == set(ATTRIBUTES)
    for key, envelope in record["attributes"].items():
        assert envelope.keys() == {"label", "value", "type", "universal_id"}
        assert envelope["universal_id"] == (None if key.startswith("dynamic_") else key)
    assert record["attributes"]["id"] == {
        "label": "ID",
        "value": 2,
        "type": "integer",
        "universal_id": "id",
    }
    assert record["attributes"]["supervisor"]["value"]["attributes"]["id"]["value"] == 1


def test_dates_are_local_midnights_with_the_offset_of_their_season(make_personio):
    tenant = generate(23)
    tenant.change(2, start_date=dt.date(2014, 11, 9), end_date=dt.date(2026, 6, 30))
    record = attributes(make_personio(tenant).get(f"{EMPLOYEES}/2")["data"])
    assert record["hire_date"] == "2014-11-09T00:00:00+01:00"
    assert record["termination_date"] == "2026-06-30T00:00:00+02:00"
    assert record["contract_end_date"] is None


def test_empty_values_are_text_null_or_list_by_their_type(make_personio):
    tenant = generate(23)
    tenant.change(
        2, email=None, position="", team=None, location=None, supervisor=None, cost_centers=()
    )
    record = attributes(make_personio(tenant).get(f"{EMPLOYEES}/2")["data"])
    assert [
        record[k] for k in ("email", "position", "team", "office", "supervisor", "cost_centers")
    ] == [
        "",
        "",
        None,
        None,
        None,
        [],
    ]


def test_groups_and_cost_centers_bear_id_and_name(sample_personio):
    record = attributes(sample_personio.get(f"{EMPLOYEES}/10017")["data"])
    assert record["department"] == {
        "type": "Department",
        "attributes": {"id": 406, "name": "Customer Success"},
    }
    assert record["team"] == {
        "type": "Team",
        "attributes": {"id": 5116, "name": "Customer Success"},
    }
    assert record["subcompany"]["attributes"]["name"] == "Noorderlicht B.V."
    assert [c["attributes"] for c in record["cost_centers"]] == [
        {"id": 4100, "name": "4100 Customer Success", "percentage": 80},
        {"id": 3100, "name": "3100 Sales DACH", "percentage": 20},
    ]


@pytest.mark.parametrize(
    ("statuses", "counts"),
    [
        (("INACTIVE", "LEAVE", "ACTIVE"), 2),
        (("ACTIVE", "INACTIVE", "LEAVE"), 0),
        (("ONBOARDING", "LEAVE", "INACTIVE"), 1),
        (("INACTIVE", "ONBOARDING", "INACTIVE"), 1),
        (("ACTIVE", "ACTIVE", "ACTIVE"), 2),
        (("INACTIVE", "INACTIVE", "INACTIVE"), 2),
    ],
)
def test_the_flat_record_is_the_employment_that_counts(make_personio, statuses, counts):
    tenant = generate(23)
    employments = tuple(
        Employment(i + 1, s, dt.date(2020 + i, 1, 1), position=f"job {i}")
        for i, s in enumerate(statuses)
    )
    tenant.add(dataclasses.replace(tenant.snapshot.persons[9], employments=employments))
    record = attributes(make_personio(tenant).get(f"{EMPLOYEES}/9")["data"])
    assert (record["position"], record["status"]) == (f"job {counts}", statuses[counts].lower())


def test_a_projection_gives_the_id_and_what_was_asked_for(personio):
    record = personio.get(EMPLOYEES, **{"limit": 1, "attributes[]": ["email", "team", "nonsense"]})[
        "data"
    ][0]
    assert record["attributes"].keys() == {"id", "email", "team"}


def test_attributes_that_are_not_on_the_whitelist_do_not_come_and_are_not_listed(make_personio):
    personio = make_personio(attributes=["email", "team"])
    assert personio.get(f"{EMPLOYEES}/2")["data"]["attributes"].keys() == {"id", "email", "team"}
    assert personio.get(EMPLOYEES, **{"attributes[]": "last_name"})["data"][0][
        "attributes"
    ].keys() == {"id"}
    for path in ("attributes", "custom-attributes"):
        assert [a["key"] for a in personio.get(f"{EMPLOYEES}/{path}")["data"]] == [
            "id",
            "email",
            "team",
        ]


def test_an_email_selects_one(personio):
    page = personio.get(EMPLOYEES, email="Person.5@nordlicht.example")
    assert [attributes(r)["id"] for r in page["data"]] == [5]
    assert page["metadata"]["total_elements"] == 1


def test_updated_since_gives_everybody_at_once_and_ignores_paging_and_email(make_personio):
    tenant = generate(120)
    for ref in range(1, 112):
        tenant.change(ref, updated_at=dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC))
    for ref in range(112, 121):
        tenant.change(ref, updated_at=dt.datetime(2026, 2, 1, tzinfo=dt.UTC))
    personio = make_personio(tenant)
    page = personio.get(
        EMPLOYEES,
        updated_since="2026-03-01",
        limit=10,
        offset=20,
        email="person.5@nordlicht.example",
    )
    assert len(page["data"]) == page["metadata"]["total_elements"] == 111
    # local: an hour later in UTC's terms
    assert personio.get(EMPLOYEES, updated_since="2026-03-01T13:00:00")["data"] == []
    assert len(personio.get(EMPLOYEES, updated_since="2026-03-01T12:59:00")["data"]) == 111
    personio.get(EMPLOYEES, 400, updated_since="yesterday")


def test_an_unknown_employee_or_path_is_a_404_in_the_envelope_of_v1(personio):
    for path in (f"{EMPLOYEES}/999", "/v1/company/nothing"):
        answer = personio.get(path, 404)
        assert (answer["success"], answer["error"]["code"]) == (False, 404)


def test_both_generations_tell_the_same(sample_personio):
    flat = {attributes(r)["id"]: attributes(r) for r in sample_personio.employees()}
    persons = sample_personio.walk("/v2/persons", limit=50)
    assert [str(ref) for ref in flat] == [p["id"] for p in persons]
    for person in persons:
        record = flat[int(person["id"])]
        assert (record["first_name"], record["email"]) == (
            person["first_name"],
            person.get("email", ""),
        )
        if len(person["employments"]) == 1:
            employment = sample_personio.get(f"/v2/persons/{person['id']}/employments")["_data"][0]
            assert employment["status"].lower() == record["status"]
            assert employment["employment_start_date"] == record["hire_date"][:10]
            assert (employment["employment_end_date"] or "") == (record["termination_date"] or "")[
                :10
            ]
            units = {unit["type"]: int(unit["id"]) for unit in employment["org_units"]}
            for kind in ("team", "department"):
                assert units.get(kind) == (record[kind] and record[kind]["attributes"]["id"])
            manager = record["supervisor"] and str(
                record["supervisor"]["attributes"]["id"]["value"]
            )
            assert employment.get("supervisor", {}).get("id") == manager


def test_fifteen_requests_a_second_and_no_more(make_personio):
    now = [1000.0]
    personio = make_personio(rates=True, clock=lambda: now[0])
    assert [personio.http.get(EMPLOYEES).status_code for _ in range(16)] == [200] * 15 + [429]
    now[0] += 1
    statuses = []
    for _ in range(400):
        now[0] += 0.1
        statuses.append(personio.http.get(EMPLOYEES, params={"limit": 1}).status_code)
    assert 429 in statuses  # ten a second are within the burst, but not within 300 a minute
    answer = personio.get(EMPLOYEES, 429)
    assert answer["success"] is False


def test_a_picture_is_a_png_of_the_width_asked_for_and_another_number_is_another_picture(
    make_personio,
):
    personio = make_personio(generate(5))
    personio.tenant.change(2, photo=1)
    path = f"{EMPLOYEES}/2/profile-picture"
    first = personio.http.get(f"{path}/75")
    assert (first.status_code, first.headers["content-type"]) == (200, "image/png")
    assert first.content.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(first.content[16:20], "big") == 75
    assert personio.http.get(f"{path}/75").content == first.content
    assert "etag" not in first.headers
    personio.tenant.change(2, photo=2)
    assert personio.http.get(f"{path}/75").content != first.content
    assert attributes(personio.get(f"{EMPLOYEES}/2")["data"])["profile_picture"].endswith(path)
    assert personio.get("/v2/persons/2")["profile_picture"]["url"].endswith(path)
    assert "profile_picture" not in personio.get("/v2/persons/3")


def test_without_person_picture_right_or_token_there_is_no_picture(make_personio):
    personio = make_personio(generate(5))
    personio.tenant.change(2, photo=1)
    for whose in (3, 99, "x"):
        answer = personio.get(f"{EMPLOYEES}/{whose}/profile-picture/75", 404)
        assert (answer["success"], answer["error"]["code"]) == (False, 404)
    for width in ("0", "-1", "wide", "2001"):
        personio.get(f"{EMPLOYEES}/2/profile-picture/{width}", 400)
    personio.http.headers.pop("authorization")
    personio.get(f"{EMPLOYEES}/2/profile-picture/75", 401)
    blind = make_personio(
        personio.tenant, attributes=[name for name in ATTRIBUTES if name != "profile_picture"]
    )
    blind.get(f"{EMPLOYEES}/2/profile-picture/75", 404)
    assert "profile_picture" not in {
        one["key"] for one in blind.get(f"{EMPLOYEES}/attributes")["data"]
    }


def test_where_pictures_have_validators_an_unchanged_one_is_not_sent_again(make_personio):
    personio = make_personio(generate(5), picture_etags=True)
    personio.tenant.change(2, photo=1)
    path = f"{EMPLOYEES}/2/profile-picture/75"
    tag = personio.http.get(path).headers["etag"]
    again = personio.http.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    personio.tenant.change(2, photo=2)
    assert personio.http.get(path, headers={"If-None-Match": tag}).status_code == 200
