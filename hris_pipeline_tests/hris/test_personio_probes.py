"""What `hris-pipeline doctor` tries of Personio: with one right or attribute missing it names
exactly that one.
"""

import contextlib
import socket

import pytest

from hris_pipeline.contracts.attributes import OPT_IN
from hris_pipeline.hris.systems.personio import v1
from hris_pipeline.sandbox.company import generate
from hris_pipeline.sandbox.hris.personio import ATTRIBUTES, SCOPES

BOTH = pytest.mark.parametrize("api", ["v1", "v2"])
KEYS = {**v1.ATTRIBUTES, **v1.GROUPS}


def problems(account, api, **more):
    return [probe for probe in account.connection(api, **more).probes() if probe.problem]


@BOTH
def test_nothing_is_missing_where_everything_may_be_read_and_one_record_of_a_list_is_enough(
    personio, api
):
    account = personio()
    probes = list(account.connection(api).probes())
    assert [probe.problem for probe in probes] == [None] * len(probes)
    assert {
        name for name, word in v1.LABELS.items() if word in probes[-1].what
    } == v1.LABELS.keys() - set(OPT_IN)
    asked = account.faults.requests("*")
    assert {request.method for request in asked if "/auth" not in request.path} == {"GET"}
    lists = [
        request
        for request in asked
        if request.path.endswith(("/persons", "/company/employees", "s")) and request.query
    ]
    assert lists
    assert all(
        "limit=1" in request.query.split("&") or "/employments" in request.path for request in lists
    )


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
    (probe,) = problems(personio(scopes=SCOPES - {scope}), "v2")
    assert f"the right to read {named}" in probe.remedy
    assert "Settings > Integrations > API credentials in Personio" in probe.remedy
    # without v1's total a night runs, and says that it is not compared
    assert probe.needed == (named != "Employees")


def test_v1_needs_the_right_to_read_employees(personio):
    (probe,) = problems(personio(scopes=SCOPES - {"employees:read"}), "v1")
    assert probe.needed
    assert "the right to read Employees" in probe.remedy


@BOTH
@pytest.mark.parametrize("column", KEYS)
def test_the_one_attribute_that_is_missing_is_named_in_personios_words(personio, api, column):
    account = personio(attributes=tuple(key for key in ATTRIBUTES if key != KEYS[column]))
    (probe,) = problems(account, api)
    assert probe.attribute == column
    assert f"'{v1.LABELS[column]}'" in probe.problem
    assert f"Tick '{v1.LABELS[column]}' among the readable employee attributes" in probe.remedy
    assert probe.needed == (column in {"email", "given_name", "family_name", "status"})


@BOTH
def test_a_wrong_secret_is_the_only_thing_that_is_told(personio, api):
    account = personio()
    account.credentials["client_secret"] = "mistyped"
    (probe,) = list(account.connection(api).probes())
    assert "refused the credential" in probe.problem
    assert "make a new one there" in probe.remedy
    assert "mistyped" not in f"{probe.problem}{probe.remedy}"


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
    (probe,) = problems(account, api)
    assert "gave no usable answer at /v" in probe.problem
    assert probe.remedy.startswith("Check base_url in the company file")


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
    (probe,) = problems(personio(tenant), "v2")
    assert "an empty list proves nothing" in probe.problem
