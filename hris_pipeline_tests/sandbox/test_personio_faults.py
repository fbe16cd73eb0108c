import datetime as dt
import email.utils

import httpx
import pytest

from hris_pipeline.sandbox.company import generate
from hris_pipeline.sandbox.faults import GENERIC, Fault, Faults
from hris_pipeline.sandbox.hris.personio import KINDS, personio_app

PERSONS = "/v2/persons"
EMPLOYEES = "/v1/company/employees"


def ids(page):
    return [record["id"] for record in page["_data"]]


@pytest.mark.parametrize("status", [401, 404, 429, 500, 502, 503, 504])
def test_a_status_comes_instead_of_the_answer_as_often_as_told(personio, status):
    personio.faults.add(Fault(PERSONS, "status", after=1, times=2, value=status))
    assert [personio.http.get(PERSONS).status_code for _ in range(4)] == [200, status, status, 200]


def test_a_status_has_the_body_of_the_generation_that_was_asked(personio):
    personio.faults.add(Fault("*", "status", times=None, value=503))
    v2, v1 = personio.http.get(PERSONS), personio.http.get(EMPLOYEES)
    assert v2.headers["content-type"] == "application/problem+json"
    assert v2.json()["errors"][0]["title"] == "Service Unavailable"
    assert v1.json()["success"] is False


def test_c08_a_429_may_tell_seconds_a_date_or_nothing(personio):
    date = email.utils.format_datetime(dt.datetime.now(dt.UTC), usegmt=True)
    for told in (None, 3, date):
        personio.faults.add(Fault(PERSONS, "status", value=429, retry_after=told))
        answer = personio.http.get(PERSONS)
        assert (answer.status_code, answer.headers.get("retry-after")) == (
            429,
            None if told is None else str(told),
        )
        personio.faults.clear()


def test_a_fault_is_for_its_path_and_method_only(personio):
    personio.faults.add(
        Fault("GET /v2/persons/*/employments", "status", times=None),
        Fault("POST /v2/auth/*", "status", times=None),
    )
    assert personio.http.get(f"{PERSONS}/1/employments").status_code == 500
    assert personio.http.get(f"{PERSONS}/1").status_code == 200
    assert personio.http.get("/v2/auth/token").status_code == 404
    assert personio.http.post("/v2/auth/token").status_code == 500


def test_c09_a_reset_closes_the_connection_without_an_answer(personio):
    personio.faults.add(Fault(PERSONS, "reset"))
    with pytest.raises(httpx.RemoteProtocolError):
        personio.http.get(PERSONS)
    assert [(r.path, r.status) for r in personio.faults.requests()] == [(PERSONS, None)]
    personio.get(PERSONS)


def test_c09_a_timeout_answers_late_and_does_nothing_for_a_caller_who_has_gone(personio):
    personio.faults.add(
        Fault(PERSONS, "timeout", value=0.05), Fault("/v2/auth/token", "timeout", value=30)
    )
    personio.get(PERSONS)
    with pytest.raises(httpx.ReadTimeout):
        personio.http.post("/v2/auth/token", data={}, timeout=0.05)
    assert personio.faults.requests()[-1].status is None


def test_a_slow_answer_keeps_the_body_of_the_request(make_personio):
    personio = make_personio(log_in=False)
    personio.faults.add(Fault("/v2/auth/token", "timeout", value=0.01))
    assert personio.log_in().status_code == 200


def test_c60_a_lost_answer_means_that_the_work_was_done(personio):
    token = personio.http.headers["authorization"].removeprefix("Bearer ")
    personio.faults.add(Fault("/v2/auth/revoke", "answer_lost"))
    with pytest.raises(httpx.RemoteProtocolError):
        personio.http.post("/v2/auth/revoke", data={"token": token})
    personio.get(PERSONS, 401)


def test_c07_html_comes_with_200(personio):
    personio.faults.add(Fault(PERSONS, "html"))
    answer = personio.http.get(PERSONS)
    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "text/html; charset=utf-8",
    )


def test_a_truncated_body_is_whole_http_and_half_json(personio):
    personio.faults.add(Fault(PERSONS, "truncated"))
    answer = personio.http.get(PERSONS)
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()


def test_a_cut_body_ends_with_the_connection(personio):
    personio.faults.add(Fault(PERSONS, "cut"))
    with pytest.raises(httpx.RemoteProtocolError):
        personio.http.get(PERSONS)
    personio.get(PERSONS)


@pytest.mark.parametrize("path", [PERSONS, EMPLOYEES])
def test_c07_success_false_comes_with_200(personio, path):
    personio.faults.add(Fault(path, "success_false"))
    assert personio.get(path)["success"] is False
    assert personio.get(path).get("success", True) is True


def test_c05_v2_repeats_a_page_with_a_link_to_itself(personio):
    personio.faults.add(Fault(PERSONS, "repeat_page", after=1, times=1))
    first = personio.get(PERSONS)
    second = personio.get(first["_meta"]["links"]["next"]["href"])
    assert second["_meta"]["links"]["next"] == second["_meta"]["links"]["self"]
    again = personio.get(second["_meta"]["links"]["next"]["href"])
    assert ids(again) == ids(second) != ids(first)


def test_c05_v1_gives_the_first_page_again(personio):
    personio.faults.add(Fault(EMPLOYEES, "repeat_page", after=1))
    first, second = personio.get(EMPLOYEES, limit=10), personio.get(EMPLOYEES, limit=10, offset=10)
    assert second["data"] == first["data"]
    assert second["metadata"]["current_page"] == 1


def test_next_may_lead_to_another_host_or_be_relative(personio):
    personio.faults.add(
        Fault(PERSONS, "foreign_next"),
        Fault(PERSONS, "foreign_next", after=1, value="https://elsewhere.example"),
    )
    links = [personio.get(PERSONS)["_meta"]["links"]["next"]["href"] for _ in range(2)]
    assert [httpx.URL(link).host for link in links] == [
        "api.personio.invalid",
        "elsewhere.example",
    ]
    personio.faults.add(Fault(PERSONS, "relative_next"))
    link = personio.get(PERSONS)["_meta"]["links"]["next"]["href"]
    assert link.startswith("/tenant")
    assert ids(personio.get(str(httpx.URL(personio.url).join(link)))) == [
        str(i) for i in range(11, 21)
    ]


def test_c03_records_of_a_page_are_lost_while_totals_and_links_stay(personio):
    personio.faults.add(
        Fault(EMPLOYEES, "drop_page", after=1, value=3), Fault(PERSONS, "drop_page")
    )
    records = []
    for offset in (0, 10, 20):
        page = personio.get(EMPLOYEES, limit=10, offset=offset)
        assert page["metadata"]["total_elements"] == 23
        records += page["data"]
    assert len(records) == 20
    page = personio.get(PERSONS)
    assert ids(page) == []
    assert "next" in page["_meta"]["links"]


@pytest.mark.parametrize(("what", "seen"), [("removed", "gap"), ("added", "twice")])
def test_c04_somebody_comes_or_goes_between_two_pages(personio, what, seen):
    personio.faults.add(
        Fault(EMPLOYEES, "shift", after=1, value=what),
        Fault(PERSONS, "shift", after=1, value=what),
    )
    for read in (
        lambda: [r["attributes"]["id"]["value"] for r in personio.employees(limit=10)],
        lambda: [int(r["id"]) for r in personio.walk(PERSONS, limit=10)],
    ):
        before = set(personio.tenant.snapshot.persons)
        found = read()
        if seen == "gap":
            assert len(set(found)) == len(found) == len(before) - 1
            # the one who slid onto the page that was read
            assert before - set(found) == {sorted(before)[10]}
        else:
            assert len(found) == len(set(found)) + 1
        again = read()
        assert sorted(again) == sorted(personio.tenant.snapshot.persons)


def test_c04_nobody_goes_because_somebodys_employments_are_read(personio):
    """They are asked for once a person: a company would be empty before its list had ended."""
    personio.faults.add(Fault(f"{PERSONS}*", "shift", times=None))
    before = set(personio.tenant.snapshot.persons)
    personio.get(f"{PERSONS}/2/employments")
    assert set(personio.tenant.snapshot.persons) == before


@pytest.mark.parametrize("path", [PERSONS, EMPLOYEES, "/v2/org-units?type=team", "/v2/workplaces"])
def test_c01_an_empty_list_comes_with_200(personio, path):
    personio.faults.add(Fault(path.partition("?")[0], "empty_list"))
    answer = personio.get(path)
    assert answer.get("_data", answer.get("data")) == []
    assert "next" not in answer.get("_meta", {}).get("links", {})
    assert answer.get("metadata", {}).get("total_elements", 0) == 0


def test_c11_an_attribute_is_missing_for_everybody(personio):
    personio.faults.add(Fault("*", "missing_attribute", times=None, value="department"))
    assert all("department" not in r["attributes"] for r in personio.employees())
    units = personio.get(f"{PERSONS}/2/employments")["_data"][0]["org_units"]
    assert [unit["type"] for unit in units] == ["team"]


def test_c11_an_attribute_is_null_for_everybody(personio):
    for name in ("department", "supervisor", "email", "hire_date", "subcompany"):
        personio.faults.add(Fault("*", "null_attribute", times=None, value=name))
    for record in personio.employees():
        assert {
            record["attributes"][k]["value"]
            for k in ("department", "supervisor", "email", "hire_date", "subcompany")
        } == {None}
    employment = personio.get(f"{PERSONS}/2/employments")["_data"][0]
    assert [unit["type"] for unit in employment["org_units"]] == ["team"]
    assert (
        employment["supervisor"]
        is employment["employment_start_date"]
        is employment["legal_entity"]
        is None
    )
    assert "supervisor" not in employment["_meta"]["links"]
    assert personio.get(f"{PERSONS}/2")["email"] is None


def test_c15_an_attribute_that_nobody_knows_and_ids_of_another_type(personio):
    personio.faults.add(
        Fault("*", "extra_attribute", times=None, value="dynamic_99"),
        Fault("*", "int_to_str", times=None),
    )
    record = personio.get(EMPLOYEES)["data"][1]["attributes"]
    assert record["dynamic_99"]["value"] == "new"
    assert record["id"]["value"] == "2"
    assert record["supervisor"]["value"]["attributes"]["id"]["value"] == "1"
    assert isinstance(record["team"]["value"]["attributes"]["id"], str)
    assert personio.get(f"{PERSONS}/2")["id"] == 2
    assert personio.get(f"{PERSONS}/2/employments")["_data"][0]["supervisor"]["id"] == 1


def test_the_last_day_may_be_spelled_as_in_the_samples(personio):
    personio.tenant.change(2, end_date=dt.date(2026, 6, 30))
    personio.faults.add(Fault("*", "last_working_date"))
    told = [
        personio.get(f"{PERSONS}/2/employments")["_data"][0]["termination"].keys() for _ in range(2)
    ]
    assert ["last_working_date" in keys for keys in told] == [True, False]
    assert ["last_working_day" in keys for keys in told] == [False, True]


def test_c10_all_tokens_end_in_the_middle_of_a_walk(personio):
    personio.faults.add(Fault(PERSONS, "tokens_expired", after=1))
    page = personio.get(PERSONS)
    personio.get(page["_meta"]["links"]["next"]["href"], 401)
    assert personio.log_in().status_code == 200
    assert ids(personio.get(page["_meta"]["links"]["next"]["href"])) == [
        str(i) for i in range(11, 21)
    ]


def test_faults_are_switched_and_requests_read_over_http(personio):
    answer = personio.http.post(
        "/_sandbox/faults",
        json=[{"on": PERSONS, "kind": "status", "after": 1, "times": None, "value": 502}],
    )
    assert [f["kind"] for f in answer.json()] == ["status"]
    assert [personio.http.get(PERSONS, params={"limit": 2}).status_code for _ in range(3)] == [
        200,
        502,
        502,
    ]
    assert personio.http.get("/_sandbox/faults").json()[0]["seen"] == 3
    personio.http.delete("/_sandbox/faults")
    assert personio.http.get(PERSONS).status_code == 200
    assert personio.http.get("/_sandbox/requests").json() == [
        {"method": "GET", "path": PERSONS, "query": query, "status": status}
        for query, status in (("limit=2", 200), ("limit=2", 502), ("limit=2", 502), ("", 200))
    ]
    personio.http.delete("/_sandbox/requests")
    assert personio.http.get("/_sandbox/requests").json() == []


def test_requests_are_counted_by_path_and_method(personio):
    personio.walk(PERSONS)
    personio.get(f"{PERSONS}/1/employments")
    personio.log_in()
    assert [
        len(personio.faults.requests(on))
        for on in ("*", PERSONS, "GET *", "POST *", "*/employments")
    ] == [5, 3, 4, 1, 1]


def test_an_unknown_kind_of_fault_is_refused(personio):
    for wrong in ([{"on": "*", "kind": "earthquake"}], [{"kind": "reset"}], {"on": "*"}):
        assert personio.http.post("/_sandbox/faults", json=wrong).status_code == 422
    assert personio.faults.all() == []
    with pytest.raises(ValueError, match="earthquake"):
        personio_app(generate(2), faults=Faults(Fault("*", "earthquake")))


def test_every_kind_says_what_it_does():
    assert all(
        text and not set(KINDS) & set(GENERIC) for text in (*KINDS.values(), *GENERIC.values())
    )
