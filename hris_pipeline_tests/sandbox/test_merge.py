"""The stand-in for Merge: as strict as the real one, and driven by Merge's own client too."""

import datetime as dt

import httpx
import pytest
from merge import Merge as MergeClient
from merge.core.api_error import ApiError

from hris_pipeline.sandbox.company import generate, load_company
from hris_pipeline.sandbox.hris.merge import ACCOUNT_TOKEN, API_KEY, LIMITS, PREFIX
from hris_pipeline_tests.sandbox.merge_host import LISTS, merge_host


@pytest.fixture
def merge():
    with merge_host() as host:
        yield host


# --- Merge's own client ---------------------------------------------------------------------------


@pytest.fixture
def client():
    """Merge's own client for Python, on the sample company."""
    with merge_host(load_company(), teams=True) as host, httpx.Client(timeout=10) as http:
        yield MergeClient(
            api_key=API_KEY,
            account_token=ACCOUNT_TOKEN,
            base_url=f"{host.url}/api",
            httpx_client=http,
        )


def all_of(resource, **query):
    page = resource.list(**query)
    rows = list(page.results)
    while page.next:
        page = resource.list(**query, cursor=page.next)
        rows += page.results
    return rows


def test_merges_own_client_walks_all_lists(client):
    hris, company = client.hris, load_company().snapshot
    people = all_of(hris.employees, page_size=100)
    assert {int(person.remote_id) for person in people} == set(company.persons)
    assert {person.work_email for person in people} == {
        person.email for person in company.persons.values()
    }
    counts = [
        len(all_of(resource, page_size=10))
        for resource in (hris.groups, hris.locations, hris.companies, hris.teams)
    ]
    kinds = [unit.kind for unit in company.units]
    groups = sum(kinds.count(kind) for kind in ("team", "department", "cost_center"))
    assert counts == [
        groups,
        kinds.count("location"),
        kinds.count("legal_entity"),
        kinds.count("team"),
    ]
    assert len(all_of(hris.employments, page_size=100)) == sum(
        len(person.employments) for person in company.persons.values()
    )


def test_merges_own_client_expands_relations_and_filters(client):
    page = client.hris.employees.list(page_size=100, expand=["manager", "groups", "work_location"])
    led = next(person for person in page.results if person.manager)
    assert client.hris.employees.retrieve(id=led.manager.id).remote_id == led.manager.remote_id
    assert led.groups[0].name
    assert led.work_location.name
    gone = client.hris.employees.list(employment_status="INACTIVE").results
    assert {str(person.employment_status) for person in gone} == {"INACTIVE"}
    origins = client.hris.employees.list(show_enum_origins="employment_status").results
    assert {person.employment_status for person in origins} <= {
        "active",
        "leave",
        "onboarding",
        "inactive",
    }
    after = client.hris.employees.list(
        modified_after=dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
    ).results
    assert after == []


def test_merges_own_client_reads_the_state_of_the_account(client):
    assert client.hris.account_details.retrieve().status == "COMPLETE"
    states = {sync.model_name: sync.status for sync in client.hris.sync_status.list().results}
    assert states["Employee"] == states["Group"] == "DONE"
    assert states["Benefit"] == "DISABLED"


def test_merges_own_client_is_refused_like_any_other(client):
    with pytest.raises(ApiError) as caught:
        client.hris.employees.list(page_size=101)
    assert caught.value.status_code == 400
    with pytest.raises(ApiError) as caught:
        client.hris.employees.retrieve(id="0b0f6b2e-6f0f-4d53-8f0e-6a3d7c1a9d10")
    assert (caught.value.status_code, caught.value.body) == (404, {"detail": "Not found."})


# --- the door -------------------------------------------------------------------------------------


def test_both_credentials_are_needed_but_the_list_of_accounts_needs_the_key_only(merge):
    for headers, detail in (
        ({"Authorization": ""}, "Authentication credentials were not provided."),
        ({"Authorization": "Bearer wrong"}, "Invalid token."),
        ({"X-Account-Token": "wrong"}, "Invalid account token."),
    ):
        answer = merge.http.get(f"{PREFIX}/employees", headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"detail": detail})
    assert (
        merge.http.get(f"{PREFIX}/linked-accounts", headers={"X-Account-Token": ""}).status_code
        == 200
    )
    assert (
        merge.http.get(
            f"{PREFIX}/linked-accounts", headers={"Authorization": "Bearer wrong"}
        ).status_code
        == 401
    )


@pytest.mark.parametrize("plan", LIMITS)
def test_each_plan_has_its_limit_in_any_span_of_a_minute(plan):
    now = [0.0]
    with merge_host(plan=plan, clock=lambda: now[0]) as merge:
        statuses = [merge.ask("/companies").status_code for _ in range(LIMITS[plan] + 1)]
        assert (statuses[:-1], statuses[-1]) == ([200] * LIMITS[plan], 429)
        now[0] = 59.9
        assert merge.get("/companies", 429) == {"detail": "Request was throttled."}
        now[0] = 60.1
        merge.get("/companies")


@pytest.mark.parametrize("told", [True, False])
def test_a_refusal_for_the_rate_tells_when_to_come_back_only_where_it_is_asked_to(told):
    with merge_host(plan="launch", clock=lambda: 0.0, retry_after=told) as merge:
        last = [merge.ask("/companies") for _ in range(101)][-1]
        assert (last.status_code, last.headers.get("retry-after")) == (429, "60" if told else None)


def test_an_address_is_shut_out_after_more_than_twenty_failing_requests_in_ten_seconds():
    now = [0.0]
    with merge_host(plan="professional", clock=lambda: now[0]) as merge:
        merge.fault("/groups", "status", value=500)
        assert [merge.ask("/groups").status_code for _ in range(21)] == [500] * 21
        assert merge.ask("/employees").status_code == 429
        now[0] = 10.1
        assert merge.ask("/employees").status_code == 200


# --- lists ----------------------------------------------------------------------------------------


def test_pages_hold_a_hundred_at_most_and_cursors_lead_through_all_of_them():
    with merge_host(generate(230)) as merge:
        for size in ("0", "101", "ten"):
            merge.get("/employees", 400, page_size=size)
        page = merge.get("/employees", page_size=100)
        assert (len(page["results"]), page["previous"]) == (100, None)
        assert "://" not in page["next"]
        assert len({row["id"] for row in merge.walk("/employees", page_size=7)}) == 230


def test_a_cursor_holds_for_its_own_list_and_parameters_only(merge):
    cursor = merge.get("/employees", page_size=5)["next"]
    merge.get("/employees", page_size=9, cursor=cursor)
    for path, query in (
        ("/employees", {"include_deleted_data": "true"}),
        ("/groups", {}),
    ):
        assert merge.get(path, 404, cursor=cursor, **query) == {"detail": "Invalid cursor"}
    merge.get("/employees", 404, cursor="cD0yMDIx")


def test_people_who_come_and_go_between_two_pages_shift_nobody():
    with merge_host(generate(30)) as merge:
        first = merge.get("/employees", page_size=10)
        seen = [row["remote_id"] for row in first["results"]]
        merge.tenant.remove(int(seen[0]), int(seen[-1]))
        others = merge.walk("/employees", page_size=10, cursor=first["next"])
        assert sorted([*seen, *(row["remote_id"] for row in others)], key=int) == [
            str(ref) for ref in range(1, 31)
        ]


@pytest.mark.parametrize(
    "query",
    [
        {"no_such": "1"},
        {"include_deleted_data": "yes"},
        {"modified_after": "today"},
        {"expand": "boss"},
        {"employment_status": "GONE"},
    ],
)
def test_a_parameter_or_value_that_the_documents_do_not_name_is_refused(merge, query):
    merge.get("/employees", 400, **query)


def test_teams_are_there_only_where_they_are_asked_for(merge):
    assert merge.get("/teams", 404) == {"detail": "Not found."}
    with merge_host(teams=True) as old:
        assert old.get("/teams")["results"]


def test_one_row_by_its_id(merge):
    for path in (path for path in LISTS if path != "/teams"):
        row = merge.get(path)["results"][0]
        assert merge.get(f"{path}/{row['id']}") == row
        merge.get(f"{path}/{'0' * 36}", 404)


def test_types_of_groups(merge):
    assert merge.get("/groups/types") == {"types": ["COST_CENTER", "DEPARTMENT", "TEAM"]}


# --- the copy -------------------------------------------------------------------------------------


def test_c17_who_is_gone_is_hidden_and_marked_as_deleted_and_known_again_on_return(merge):
    before = {row["remote_id"]: row for row in merge.walk("/employees")}
    person = merge.tenant.snapshot.persons[23]
    merge.tenant.remove(23)
    assert "23" not in {row["remote_id"] for row in merge.walk("/employees")}
    gone = {row["remote_id"]: row for row in merge.walk("/employees", include_deleted_data="true")}[
        "23"
    ]
    assert (gone["id"], gone["remote_was_deleted"]) == (before["23"]["id"], True)
    merge.tenant.add(person)
    assert {row["remote_id"]: row for row in merge.walk("/employees")}["23"]["id"] == gone["id"]


def test_without_the_add_on_who_is_gone_stays_as_they_were():
    with merge_host(detects_deletions=False) as merge:
        before = merge.walk("/employees")
        merge.tenant.remove(23)
        assert merge.walk("/employees") == before


def test_only_rows_that_changed_come_with_modified_after(merge):
    merge.get("/employees")
    merge.tenant.set_date(merge.tenant.snapshot.date + dt.timedelta(days=1))
    merge.tenant.change(5, first_name="Other")
    rows = merge.walk(
        "/employees",
        modified_after=merge.tenant.snapshot.moment.isoformat().replace("+00:00", "Z"),
    )
    assert "5" in {row["remote_id"] for row in rows}
    assert len(rows) < 23


def test_shells_are_in_no_list_but_named_by_others(merge):
    leader = next(row for row in merge.walk("/employees") if row["remote_id"] == "1")
    merge.fault("/employees*", "hide", value=["1"])
    rows = merge.walk("/employees")
    assert "1" not in {row["remote_id"] for row in rows}
    assert leader["id"] in {row["manager"] for row in rows}
    merge.get(f"/employees/{leader['id']}", 404)


def test_an_account_that_was_deleted_and_linked_anew_has_other_ids(merge):
    before = {row["remote_id"]: row["id"] for row in merge.walk("/employees")}
    merge.fault("/*", "relinked")
    after = {row["remote_id"]: row["id"] for row in merge.walk("/employees")}
    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())


def test_words_that_merge_has_none_for_come_as_they_are(merge):
    merge.tenant.change(5, status="SABBATICAL")
    (row,) = merge.walk("/employees", remote_id="5")
    assert row["employment_status"] == "SABBATICAL"


def test_errors_of_the_gateway_are_no_json(merge):
    merge.fault("/employees", "status", value=502)
    answer = merge.ask("/employees")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
