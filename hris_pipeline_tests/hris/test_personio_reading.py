"""Both generations of Personio, read over HTTP from the sandbox: what comes, and what no fault can
make of it.
"""

import datetime as dt
import traceback
from email.utils import format_datetime
from urllib.parse import parse_qs

import pytest

from hris_pipeline.contracts.tables import EMPLOYEES, ORG_UNITS
from hris_pipeline.errors import HrisError
from hris_pipeline.sandbox.company import load_company
from hris_pipeline.sandbox.hris.personio import ATTRIBUTES, SCOPES

ALL_KINDS = ("team", "department", "cost_center", "location", "legal_entity")
PEOPLE = 230  # as in conftest.py
BOTH = pytest.mark.parametrize("api", ["v1", "v2"])
LIST = {"v1": "/v1/company/employees", "v2": "/v2/persons"}
WHITELIST_OF = {"email": "email", "given_name": "first_name", "family_name": "last_name"}


def values_of(account):
    """Everything that may never be in an error."""
    people = account.tenant.snapshot.persons.values()
    named = {
        text
        for person in people
        for text in (person.email, person.first_name, person.last_name)
        if text and len(text) > 3
    }
    return named | set(account.credentials.values())


def refused(account, api, **options):
    """The text of the error that reading ends in, after checking that it holds no value and left no
    file.
    """
    with pytest.raises(HrisError) as caught:
        account.read(api, **options)
    text = str(caught.value)
    printed = "".join(traceback.format_exception(caught.value))
    assert not [value for value in values_of(account) if value in printed]
    assert not list(account.directory.iterdir())
    assert text.startswith("Personio connection 'personio' ")
    return text


# --- what comes -----------------------------------------------------------------------------------


@BOTH
def test_everybody_is_read_and_proven_by_the_total(personio, api, rows):
    account = personio()
    employees, units = account.read(api)
    assert (employees.records, employees.expected, employees.proof) == (PEOPLE, PEOPLE, "proven")
    assert units.proof == "proven"
    assert employees.vanished == ()
    assert {row["id"] for row in rows(employees.path)} == {
        str(ref) for ref in account.tenant.snapshot.persons
    }
    assert account.progress[-1] == ("employees", PEOPLE, PEOPLE)


def test_both_generations_say_the_same_of_the_sample_company(personio, rows):
    account = personio(load_company())
    current = {}
    for api in ("v1", "v2"):
        employees, units = account.read(api)
        names = {(unit["kind"], unit["id"]): unit["name"] for unit in rows(units.path)}
        assert employees.proof == "proven"
        for row in rows(employees.path):
            person = account.tenant.snapshot.persons[int(row["id"])]
            if (
                api == "v2"
                and person.current
                and row["start_date"] != person.current.start_date.isoformat()
            ):
                continue  # an earlier or parallel employment, which v1 does not give
            seen = {
                name: row[name]
                for name in ("email", "given_name", "family_name", "manager_id", "absent")
            }
            seen |= {name: (row[name] or "")[:10] for name in ("start_date", "end_date")}
            seen["groups"] = sorted(
                (group["kind"], names[group["kind"], group["id"]]) for group in row["groups"]
            )
            seen["status"] = (row["status"] or "").lower()
            current.setdefault(row["id"], {})[api] = seen
    assert len(current) == len(account.tenant.snapshot.persons)
    assert [ref for ref, seen in current.items() if seen["v1"] != seen["v2"]] == []


def test_c29_parallel_employments_are_a_row_each_in_v2(personio, rows):
    account = personio(load_company())
    employees, _ = account.read("v2")
    found = rows(employees.path)
    expected = sum(
        max(1, len(person.employments)) for person in account.tenant.snapshot.persons.values()
    )
    assert len(found) == expected > employees.records
    assert len({row["employment_id"] for row in found if row["employment_id"]}) == sum(
        len(person.employments) for person in account.tenant.snapshot.persons.values()
    )


@BOTH
def test_rows_come_in_the_order_of_the_pages(personio, api, rows):
    employees, _ = personio().read(api)
    found = [int(row["id"]) for row in rows(employees.path)]
    assert found == sorted(found)


@BOTH
def test_the_files_have_the_contracts_columns_and_are_for_the_owner_only(personio, api, rows):
    for extract, table in zip(personio().read(api), (EMPLOYEES, ORG_UNITS), strict=True):
        assert tuple(rows(extract.path)[0]) == table.names
        assert extract.path.stat().st_mode & 0o777 == 0o600


# --- faults ---------------------------------------------------------------------------------------


@BOTH
def test_c01_an_empty_list_proves_nothing(personio, api, rows):
    account = personio()
    account.fault(LIST[api], "empty_list", times=None)
    employees, _ = account.read(api)
    assert (employees.records, employees.proof) == (0, "unproven")
    assert rows(employees.path) == []
    assert "0" in employees.why
    assert "an empty list proves nothing" in employees.why
    # v2's total comes from v1, which has no fault
    assert employees.expected == (0 if api == "v1" else PEOPLE)
    assert employees.vanished == ()


@BOTH
@pytest.mark.parametrize("kind", ["reset", "cut"])
def test_c02_a_last_page_that_never_comes_ends_the_read(personio, api, kind):
    account = personio()
    account.fault(LIST[api], kind, after=2, times=None)
    text = refused(account, api)
    assert f"{LIST[api]} (page 3)" in text
    assert "after 3 tries" in text
    assert "deskbird is left as it is" in text


@BOTH
def test_c03_fewer_people_than_announced_is_unproven(personio, api):
    account = personio()
    account.fault(LIST[api], "drop_page", after=1, times=None, value=20)
    employees, units = account.read(api)
    assert employees.proof == "unproven"
    assert employees.expected == PEOPLE
    assert employees.records < PEOPLE
    assert str(PEOPLE) in employees.why
    assert str(employees.records) in employees.why
    if api == "v1":
        assert units.proof == "unproven"
        assert len(account.queries(LIST[api])) == 6  # the whole pass twice
        assert "second pass" in employees.why


@pytest.mark.parametrize("what", ["removed", "added"])
def test_c04_offset_drift_repeats_the_pass_in_v1(personio, what, rows):
    account = personio()
    account.fault(LIST["v1"], "shift", after=2, value=what)
    employees, _ = account.read("v1")
    assert employees.proof == "proven"
    assert len(account.queries(LIST["v1"])) == 6
    found = [row["id"] for row in rows(employees.path)]
    assert sorted(found) == sorted(str(ref) for ref in account.tenant.snapshot.persons)


def test_c04_drift_in_both_passes_is_unproven_and_nobody_is_there_twice(personio, rows):
    account = personio()
    account.fault(LIST["v1"], "shift", after=2, value="added")
    account.fault(LIST["v1"], "shift", after=5, value="added")
    employees, _ = account.read("v1")
    assert employees.proof == "unproven"
    found = [row["id"] for row in rows(employees.path)]
    assert len(found) == len(set(found)) == employees.records


@pytest.mark.parametrize("what", ["removed", "added"])
def test_c04_drift_in_v2_is_unproven(personio, what, rows):
    account = personio()
    account.fault(LIST["v2"], "shift", after=2, value=what)
    employees, _ = account.read("v2")
    assert employees.proof == "unproven"
    found = [row["id"] for row in rows(employees.path)]
    assert len(found) == len(set(found))


@BOTH
def test_c05_a_page_that_repeats_is_an_error(personio, api):
    account = personio()
    account.fault(LIST[api], "repeat_page", after=1, times=None)
    assert "that it had given before" in refused(account, api)
    assert len(account.queries(LIST[api])) <= 5


@BOTH
@pytest.mark.parametrize(
    ("kind", "told"), [("html", "HTML instead of JSON"), ("truncated", "cut off or broken")]
)
@pytest.mark.parametrize("after", [0, 2])
def test_c07_a_page_that_is_no_json_is_an_error(personio, api, kind, told, after):
    account = personio()
    account.fault(LIST[api], kind, after=after)
    text = refused(account, api)
    assert f"{told} at {LIST[api]} (page {after + 1})" in text


@BOTH
def test_c07_success_false_is_an_error(personio, api):
    account = personio()
    account.fault(LIST[api], "success_false", after=1)
    text = refused(account, api)
    assert ("success: false" if api == "v1" else "without a list") in text


def test_c07_html_in_the_middle_of_the_employments_is_an_error(personio):
    account = personio()
    account.fault("/v2/persons/*/employments", "html", after=100)
    assert "HTML instead of JSON at /v2/persons/" in refused(account, "v2")


def test_c07_html_instead_of_a_list_of_units_is_an_error(personio):
    account = personio()
    account.fault("/v2/cost-centers", "html")
    assert "HTML instead of JSON at /v2/cost-centers (page 1)" in refused(account, "v2")


@BOTH
@pytest.mark.parametrize(
    ("times", "retry_after"),
    [
        (2, 0),
        (2, format_datetime(dt.datetime(2020, 1, 1, tzinfo=dt.UTC), usegmt=True)),
        (2, None),
        (2, 1),
        (300, 0),
    ],
    ids=["seconds", "date", "silent", "longer", "300 in a row"],
)
def test_c08_a_429_is_waited_out_and_the_same_page_asked_again(personio, api, times, retry_after):
    account = personio()
    account.fault(LIST[api], "status", value=429, after=2, times=times, retry_after=retry_after)
    employees, _ = account.read(api)
    assert (employees.records, employees.proof) == (PEOPLE, "proven")
    pages = account.queries(LIST[api])
    assert set(pages[2 : 2 + times]) == {pages[2 + times]}


@BOTH
def test_c08_429_for_ever_is_a_bounded_error(personio, api):
    account = personio()
    account.fault(LIST[api], "status", value=429, after=1, times=None, retry_after=0)
    text = refused(account, api)
    assert "too many requests (after 400 tries)" in text
    assert "requests_per_second" in text


@BOTH
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("status", 500),
        ("status", 502),
        ("status", 503),
        ("status", 504),
        ("reset", None),
        ("cut", None),
    ],
)
def test_c09_a_passing_fault_is_asked_again(personio, api, kind, value):
    account = personio()
    account.fault(LIST[api], kind, value=value, after=2, times=2)
    employees, _ = account.read(api)
    assert (employees.records, employees.proof) == (PEOPLE, "proven")
    pages = account.queries(LIST[api])
    assert pages[2] == pages[3] == pages[4]


@BOTH
def test_c09_a_time_out_is_asked_again(personio, api):
    account = personio()
    account.fault(LIST[api], "timeout", value=5, after=1)
    employees, _ = account.read(api, timeout=0.3)
    assert (employees.records, employees.proof) == (PEOPLE, "proven")


@BOTH
def test_c09_a_lasting_fault_is_an_error_and_the_next_read_is_whole(personio, api):
    account = personio()
    account.fault(LIST[api], "status", value=503, after=1, times=3)
    text = refused(account, api)
    assert "after 3 tries (HTTP 503)" in text
    employees, _ = account.read(api)
    assert (employees.records, employees.proof) == (PEOPLE, "proven")


@BOTH
def test_c10_a_token_that_expires_is_renewed_once(personio, api):
    account = personio()
    account.fault(LIST[api], "tokens_expired", after=1)
    employees, _ = account.read(api)
    assert (employees.records, employees.proof) == (PEOPLE, "proven")
    assert len(account.queries("POST *")) == 2


@BOTH
def test_c10_a_second_token_that_expires_is_not_renewed(personio, api):
    account = personio()
    account.fault(LIST[api], "tokens_expired", after=1)
    account.fault(LIST[api], "tokens_expired", after=3)
    assert "HTTP 401" in refused(account, api)
    assert len(account.queries("POST *")) == 2


def test_c10_many_workers_renew_the_token_once(personio):
    account = personio()
    account.fault("/v2/persons/*/employments", "tokens_expired", after=40)
    employees, _ = account.read("v2", concurrency=16)
    assert (employees.records, employees.proof) == (PEOPLE, "proven")
    assert len(account.queries("POST *")) == 2


@BOTH
def test_c10_a_second_refusal_fails_closed(personio, api):
    account = personio()
    account.fault(LIST[api], "status", value=401, after=1, times=None)
    text = refused(account, api)
    assert "HTTP 401" in text
    assert "Settings > Integrations > API credentials" in text
    assert {"v1": "Employees", "v2": "Persons"}[api] in text
    assert len(account.queries("POST *")) == 2


@BOTH
def test_wrong_credentials_are_told_from_a_missing_right(personio, api):
    account = personio()
    account.credentials["client_secret"] = "not the secret"
    text = refused(account, api)
    assert "refused the credential" in text
    assert "Settings > Integrations > API credentials" in text


@BOTH
def test_a_token_request_that_gets_no_answer_is_an_error(personio, api):
    account = personio()
    account.fault("POST *", "status", value=500, times=None)
    assert "/auth" in refused(account, api)


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ("personio:persons:read", "the right to read Persons"),
        ("personio:org-units:read", "the right to read Org units"),
        ("personio:cost-centers:read", "the right to read Cost centers"),
        ("personio:workplaces:read", "the right to read Workplaces"),
        ("personio:legal-entities:read", "the right to read Legal entities"),
    ],
)
def test_a_missing_right_is_named_in_v2(personio, scope, told):
    text = refused(personio(scopes=SCOPES - {scope}), "v2")
    assert told in text
    assert "Settings > Integrations > API credentials" in text


def test_a_missing_right_is_named_in_v1(personio):
    assert "the right to read Employees" in refused(
        personio(scopes=SCOPES - {"employees:read"}), "v1"
    )


# --- the second half of v2's proof ----------------------------------------------------------------


def test_where_v1_is_not_permitted_the_last_page_alone_is_the_proof(personio):
    employees, _ = personio(scopes=SCOPES - {"employees:read"}).read("v2")
    assert (employees.proof, employees.expected) == ("proven", None)
    assert "could not be compared" in employees.why


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_total_that_is_refused_spends_no_token(personio, status):
    account = personio()
    account.fault(LIST["v1"], "status", value=status)
    account.fault(LIST["v2"], "tokens_expired", after=1)
    employees, _ = account.read("v2")
    assert (employees.records, employees.proof, employees.expected) == (PEOPLE, "proven", None)
    assert len(account.queries("POST *")) == 2


def test_the_total_from_v1_can_be_turned_off(personio):
    account = personio()
    employees, _ = account.read("v2", total_from_v1=False)
    assert (employees.proof, employees.expected) == ("proven", None)
    assert "total_from_v1" in employees.why
    assert account.queries(LIST["v1"]) == []


@pytest.mark.parametrize(
    ("kind", "value"), [("status", 500), ("status", 400), ("html", None), ("success_false", None)]
)
def test_a_total_that_cannot_be_read_leaves_the_extract_unproven(personio, kind, value):
    account = personio()
    account.fault(LIST["v1"], kind, value=value, times=None)
    employees, _ = account.read("v2")
    assert (employees.proof, employees.records) == ("unproven", PEOPLE)
    assert "could not be read" in employees.why


def test_the_total_is_one_request_for_one_mapped_attribute(personio):
    account = personio()
    account.read("v2")
    (query,) = account.queries(LIST["v1"])
    assert parse_qs(query) == {"limit": ["1"], "offset": ["0"], "attributes[]": ["status"]}


# --- v2: persons one by one -----------------------------------------------------------------------


def test_a_404_that_flickers_is_asked_again(personio):
    account = personio()
    account.fault("/v2/persons/*/employments", "status", value=404, after=30, times=2)
    employees, _ = account.read("v2", concurrency=1)
    assert (employees.records, employees.proof) == (PEOPLE, "proven")


def test_c38_a_person_whose_employments_stay_away_is_left_out_and_nothing_is_proven(personio, rows):
    account = personio()
    ref = sorted(account.tenant.snapshot.persons)[7]
    account.fault(f"/v2/persons/{ref}/employments", "status", value=404, times=None)
    employees, _ = account.read("v2")
    assert (employees.records, employees.proof) == (PEOPLE - 1, "unproven")
    assert "1 of them were left out" in employees.why
    assert str(ref) not in {row["id"] for row in rows(employees.path)}
    assert len(account.queries(f"/v2/persons/{ref}/employments")) == 3


def test_employments_that_were_listed_but_do_not_come_leave_the_person_out(personio):
    account = personio()
    ref = sorted(account.tenant.snapshot.persons)[7]
    account.fault(f"/v2/persons/{ref}/employments", "drop_page", times=None)
    employees, _ = account.read("v2")
    assert (employees.records, employees.proof) == (PEOPLE - 1, "unproven")


def test_a_link_to_another_host_is_not_followed(personio):
    account = personio()
    account.fault(LIST["v2"], "foreign_next", value="http://127.0.0.2:9")
    assert "another host" in refused(account, "v2")


def test_a_relative_link_is_followed(personio):
    account = personio()
    account.fault(LIST["v2"], "relative_next", times=None)
    employees, _ = account.read("v2")
    assert (employees.records, employees.proof) == (PEOPLE, "proven")


def test_a_failure_stops_the_other_workers_from_asking_on(personio):
    account = personio()
    account.fault("/v2/persons/*/employments", "html", after=10)
    refused(account, "v2", concurrency=4)
    assert len(account.queries("/v2/persons/*/employments")) < 60


# --- which attributes -----------------------------------------------------------------------------


@pytest.mark.parametrize("kinds", [(), ("team",), ("cost_center", "location"), ALL_KINDS])
def test_c85_v1_asks_for_mapped_attributes_only(personio, kinds, rows):
    account = personio()
    employees, units = account.read("v1", kinds=kinds)
    ours = {
        "team": "team",
        "department": "department",
        "cost_center": "cost_centers",
        "location": "office",
    }
    ours["legal_entity"] = "subcompany"
    wanted = [
        "email",
        "first_name",
        "last_name",
        "status",
        "hire_date",
        "termination_date",
        "supervisor",
        "last_modified_at",
    ]
    for query in account.queries(LIST["v1"]):
        asked = parse_qs(query)
        assert asked["limit"] == ["100"]
        assert sorted(asked["attributes[]"]) == sorted([*wanted, *(ours[kind] for kind in kinds)])
    assert {group["kind"] for row in rows(employees.path) for group in row["groups"]} == set(kinds)
    assert {row["kind"] for row in rows(units.path)} == set(kinds)


@pytest.mark.parametrize("kinds", [(), ("team",), ("cost_center", "location")])
def test_c85_v2_asks_for_the_units_that_are_synced_only(personio, kinds, rows):
    account = personio()
    employees, units = account.read("v2", kinds=kinds)
    paths = {
        "team": "/v2/org-units",
        "cost_center": "/v2/cost-centers",
        "location": "/v2/workplaces",
    }
    asked = {
        request.path
        for request in account.faults.requests("GET *")
        if "/persons" not in request.path
    }
    assert asked == {LIST["v1"], *(paths[kind] for kind in kinds)}
    assert {group["kind"] for row in rows(employees.path) for group in row["groups"]} == set(kinds)
    assert {row["kind"] for row in rows(units.path)} == set(kinds)


@BOTH
def test_c77_nothing_but_reads_and_one_token(personio, api):
    account = personio()
    account.read(api)
    asked = [(request.method, request.path) for request in account.faults.requests()]
    assert [path for method, path in asked if method != "GET"] == [
        {"v1": "/v1/auth", "v2": "/v2/auth/token"}[api]
    ]


@BOTH
@pytest.mark.parametrize(("column", "attribute"), WHITELIST_OF.items())
def test_a_required_attribute_that_nobody_has_is_an_error(personio, api, column, attribute):
    words = {"email": "'Email'", "given_name": "'First name'", "family_name": "'Last name'"}
    account = personio(attributes=tuple(name for name in ATTRIBUTES if name != attribute))
    text = refused(account, api)
    assert words[column] in text
    assert "Settings > Integrations > API credentials" in text


@BOTH
def test_c11_an_attribute_whose_key_is_gone_has_vanished(personio, api, rows):
    gone = {
        "department": "department",
        "supervisor": "manager_id",
        "cost_centers": "cost_center",
        "termination_date": "end_date",
    }
    account = personio(
        attributes=tuple(
            name
            for name in ATTRIBUTES
            if name not in {"supervisor", "cost_centers", "termination_date"}
        )
    )
    employees, _ = account.read(api)
    assert set(employees.vanished) == set(gone.values()) - {"department"}
    assert all(set(row["absent"]) == set(employees.vanished) for row in rows(employees.path))


@BOTH
def test_c11_an_attribute_that_is_null_for_everybody_is_empty_but_not_gone(personio, api, rows):
    account = personio()
    account.fault("*", "null_attribute", value="supervisor", times=None)
    employees, _ = account.read(api)
    assert employees.vanished == ()
    assert all(row["manager_id"] is None and row["absent"] == [] for row in rows(employees.path))


@BOTH
def test_c15_new_attributes_are_ignored_and_ids_may_change_their_type(personio, api, rows):
    account = personio()
    before = [rows(extract.path) for extract in account.read(api)]
    account.fault("*", "int_to_str", times=None)
    account.fault("*", "extra_attribute", value="shoe_size", times=None)
    assert [rows(extract.path) for extract in account.read(api)] == before


def test_keys_that_v2_leaves_out_for_some_people_are_empty_and_not_unknown(personio, rows):
    absent = rows(personio(load_company(), unset="absent").read("v2")[0].path)
    null = rows(personio(load_company(), unset="null").read("v2")[0].path)
    assert absent == null
    assert any(row["manager_id"] is None for row in absent)
    assert all(row["absent"] == [] for row in absent)
