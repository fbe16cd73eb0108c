"""What `hris-pipeline doctor` tries of Personio: with one right or attribute missing it names exactly that one."""

import contextlib
import socket

import pytest

from hris_pipeline.hris.systems.personio import v1
from hris_pipeline.sandbox.company import generate
from hris_pipeline.sandbox.personio import ATTRIBUTES, SCOPES

BOTH = pytest.mark.parametrize("api", ["v1", "v2"])
KEYS = {**v1.ATTRIBUTES, **v1.GROUPS}


def problems(account, api, **more):
    return [trial for trial in account.connection(api, **more).trials() if trial.problem]


@BOTH
def test_nothing_is_missing_where_everything_may_be_read_and_one_record_of_a_list_is_enough(personio, api):
    account = personio()
    trials = list(account.connection(api).trials())
    assert [trial.problem for trial in trials] == [None] * len(trials)
    assert all(word in trials[-1].what for word in v1.WORDS.values())
    asked = account.faults.requests("*")
    assert {request.method for request in asked if "/auth" not in request.path} == {"GET"}
    lists = [request for request in asked if request.path.endswith(("/persons", "/company/employees", "s")) and request.query]
    assert lists
    assert all("limit=1" in request.query.split("&") or "/employments" in request.path for request in lists)


@pytest.mark.parametrize(
    ("scope", "named"),
    [
        ("personio:persons:read", "Persons"),
        ("personio:org-units:read", "Org units"),
        ("personio:cost-centers:read", "Cost centers"),
        ("personio:workplaces:read", "Workplaces"),
        ("personio:legal-entities:read", "Legal entities"),
        ("employees:read", "Employees"),
    ],
)
def test_v2_names_the_one_right_that_is_missing_and_where_it_is_switched_on(personio, scope, named):
    (trial,) = problems(personio(scopes=SCOPES - {scope}), "v2")
    assert f"the right to read {named}" in trial.remedy
    assert "Settings > Integrations > API credentials in Personio" in trial.remedy
    assert trial.needed == (named != "Employees")  # without v1's total a night runs, and says that it is not compared


def test_v1_needs_the_right_to_read_employees(personio):
    (trial,) = problems(personio(scopes=SCOPES - {"employees:read"}), "v1")
    assert trial.needed
    assert "the right to read Employees" in trial.remedy


@BOTH
@pytest.mark.parametrize("column", KEYS)
def test_the_one_attribute_that_is_missing_is_named_in_personios_words(personio, api, column):
    account = personio(attributes=tuple(key for key in ATTRIBUTES if key != KEYS[column]))
    (trial,) = problems(account, api)
    assert trial.attribute == column
    assert f"'{v1.WORDS[column]}'" in trial.problem
    assert f"Tick '{v1.WORDS[column]}' among the readable employee attributes" in trial.remedy
    assert trial.needed == (column in {"email", "given_name", "family_name", "status"})


@BOTH
def test_a_wrong_secret_is_the_only_thing_that_is_told(personio, api):
    account = personio()
    account.credentials["client_secret"] = "mistyped"
    (trial,) = list(account.connection(api).trials())
    assert "refused the credential" in trial.problem
    assert "make a new one there" in trial.remedy
    assert "mistyped" not in f"{trial.problem}{trial.remedy}"


@BOTH
def test_c09_a_fault_is_a_trial_and_no_exception(personio, api):
    for kind, value in (("status", 500), ("html", None), ("success_false", None)):
        account = personio()
        account.fault("/v1/company/employees*", kind, value=value, times=None)
        account.fault("/v2/persons*", kind, value=value, times=None)
        assert problems(account, api)


@BOTH
def test_where_nobody_answers_the_address_is_the_first_suspect(personio, api):
    account = personio()
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        account.url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    (trial,) = problems(account, api)
    assert "gave no usable answer at /v" in trial.problem
    assert trial.remedy.startswith("Check base_url in the company file")


@BOTH
def test_kinds_of_group_that_are_not_synced_are_not_asked_for(personio, api):
    account = personio(
        attributes=tuple(key for key in ATTRIBUTES if key not in {"office", "subcompany"}),
        scopes=SCOPES - {"personio:workplaces:read", "personio:legal-entities:read"},
    )
    assert problems(account, api, kinds=("team", "department", "cost_center")) == []


def test_v2_a_company_without_anybody_is_a_problem(personio):
    tenant = generate(1)
    for person in list(tenant.snapshot.persons):
        tenant.remove(person)
    (trial,) = problems(personio(tenant), "v2")
    assert "an empty list proves nothing" in trial.problem
