"""BambooHR, read over HTTP from the sandbox: what comes, what no fault can make of it, and what
only its documents can say.
"""

import contextlib
import datetime as dt
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import yaml

from hris_pipeline.contracts.tables import EMPLOYEES, ORG_UNITS
from hris_pipeline.errors import HrisError
from hris_pipeline.hris.registry import SYSTEMS
from hris_pipeline.hris.systems import bamboohr as connector
from hris_pipeline.http import RetryPolicy
from hris_pipeline.sandbox.company import OrgUnit, Tenant, generate
from hris_pipeline.sandbox.faults import Fault, Faults
from hris_pipeline.sandbox.hris.bamboohr import API_KEY, PATH, bamboohr_app
from hris_pipeline.sandbox.server import App, serve
from hris_pipeline_tests.conftest import SPECS
from hris_pipeline_tests.hris.conftest import scripted_app

KINDS = ("team", "department", "division", "location")
PEOPLE = 23
PATIENCE = RetryPolicy(
    tries=3, refusals=20, first_wait=0.001, longest_wait=0.01, longest_retry_after=0.05, in_all=20
)


@dataclass
class Account:
    """One BambooHR of a test's own."""

    url: str
    directory: Path
    tenant: Tenant
    faults: Faults
    api_key: str = API_KEY
    progress: list[tuple[str, int, int | None]] = field(default_factory=list)

    def connection(self, kinds=KINDS):
        system = SYSTEMS["bamboohr"]
        options = system.options(requests_per_second=5000)
        given = {
            "base_url": self.url,
            "credentials": {"api_key": self.api_key},
            "options": options,
            "kinds": kinds,
        }
        return system.connect("bamboo", **given, patience=PATIENCE, timeout=10)

    def read(self, since=None, kinds=KINDS):
        return self.connection(kinds).read(
            self.directory, lambda *news: self.progress.append(news), since
        )

    def fault(self, on: str, kind: str, **more: Any) -> None:
        self.faults.add(Fault(on, kind, **more))

    def asked(self, path: str = PATH) -> list[dict[str, str]]:
        """The queries so far."""
        return [
            {name: texts[-1] for name, texts in parse_qs(request.query).items()}
            for request in self.faults.requests(path)
        ]


@pytest.fixture
def served(tmp_path) -> Iterator[Callable[..., Account]]:
    """Makes accounts of an app."""
    with contextlib.ExitStack() as stack:

        def make(app: App, tenant: Tenant | None = None, faults: Faults | None = None) -> Account:
            server = stack.enter_context(serve(app))
            return Account(server.url, tmp_path, tenant or generate(1), faults or Faults())

        yield make


@pytest.fixture
def bamboohr(served) -> Callable[..., Account]:
    """Makes accounts of a BambooHR whose company has 23 people, or the one given."""

    def make(tenant: Tenant | None = None, **options: Any) -> Account:
        tenant, faults = tenant or generate(PEOPLE), Faults()
        return served(bamboohr_app(tenant, faults=faults, **options), tenant, faults)

    return make


@pytest.fixture
def small_pages(monkeypatch) -> None:
    """Three pages for 23 people."""
    monkeypatch.setattr(connector, "LIMIT", 10)


def refused(account, since=None):
    """The text of the error that reading ends in, after checking that it holds no value and left no
    file.
    """
    with pytest.raises(HrisError) as caught:
        account.read(since)
    people = account.tenant.snapshot.persons.values()
    values = {
        text
        for person in people
        for text in (person.email, person.first_name, person.last_name)
        if text and len(text) > 3
    }
    printed = "".join(traceback.format_exception(caught.value))
    assert not [value for value in (*values, account.api_key) if value in printed]
    assert not list(account.directory.iterdir())
    text = str(caught.value)
    assert text.startswith("BambooHR connection 'bamboo' ")
    assert "Nothing of this extract is used; deskbird is left as it is." in text
    return text


def person(**values):
    """A record as BambooHR gives it."""
    record = {
        "employeeId": "7",
        "firstName": "A",
        "lastName": "B",
        "status": "Active",
        "workEmail": "a@b.test",
        **values,
    }
    return {
        "preferredName": None,
        "photoUrl": None,
        "jobTitleName": None,
        "_restrictedFields": [],
        **record,
    }


def page(*records, total=None, cursor=None):
    meta = {
        "total": len(records) if total is None else total,
        "page": {"limit": 10, "nextCursor": cursor, "prevCursor": None},
    }
    return {"data": list(records), "meta": meta, "_links": {}}


# --- what comes -----------------------------------------------------------------------------------


def test_everybody_is_read_in_one_page_and_proven_by_the_total(bamboohr, rows):
    account = bamboohr()
    employees, units = account.read()
    assert (employees.records, employees.expected, employees.proof, employees.pages) == (
        PEOPLE,
        PEOPLE,
        "proven",
        1,
    )
    assert (units.proof, employees.vanished, employees.partial) == ("proven", (), False)
    assert account.progress[-1] == ("employees", PEOPLE, PEOPLE)
    found = {row["id"]: row for row in rows(employees.path)}
    assert found.keys() == {str(ref) for ref in account.tenant.snapshot.persons}
    for ref, row in found.items():
        known = account.tenant.snapshot.persons[int(ref)]
        job = known.current
        assert (row["email"], row["given_name"], row["family_name"]) == (
            known.email,
            known.first_name,
            known.last_name,
        )
        assert row["status"] == ("Active" if job.status in {"ACTIVE", "LEAVE"} else "Inactive")
        assert (row["start_date"], row["end_date"]) == (
            str(job.start_date),
            str(job.end_date) if job.end_date else None,
        )
        assert row["manager_id"] == (str(job.supervisor) if job.supervisor else None)
        jobs = {
            "team": job.team,
            "department": job.department,
            "division": job.legal_entity,
            "location": job.location,
        }
        assert {group["kind"]: group["id"] for group in row["groups"]} == {
            kind: str(unit) for kind, unit in jobs.items()
        }
        assert row["absent"] == []
    names = {(unit["kind"], unit["id"]): unit["name"] for unit in rows(units.path)}
    kinds = {"legal_entity": "division"}
    for (kind, unit), name in account.tenant.snapshot.unit_names.items():
        assert names.get((kinds.get(kind, kind), str(unit)), name) == name
    assert {kind for kind, _ in names} == set(KINDS)


def test_pages_are_walked_by_their_cursors(bamboohr, small_pages):
    account = bamboohr()
    employees, _ = account.read()
    assert (employees.records, employees.proof, employees.pages) == (PEOPLE, "proven", 3)
    assert all(
        query["sort"] == "employeeId" and query["page[limit]"] == "10" for query in account.asked()
    )


def test_the_files_have_the_contracts_columns_and_are_for_the_owner_only(bamboohr, rows):
    for extract, table in zip(bamboohr().read(), (EMPLOYEES, ORG_UNITS), strict=True):
        assert tuple(rows(extract.path)[0]) == table.names
        assert extract.path.stat().st_mode & 0o777 == 0o600


def test_c85_no_field_is_asked_for_that_is_not_mapped_and_none_of_a_kind_that_is_not_synced(
    bamboohr,
):
    account = bamboohr()
    account.read(kinds=("department",))
    (query,) = account.asked()
    wanted = {
        "workEmail",
        "hireDate",
        "terminationDate",
        "reportsToId",
        "departmentId",
        "departmentName",
    }
    assert set(query["fields"].split(",")) == wanted


def test_leavers_stay_listed(bamboohr, rows):
    account = bamboohr()
    account.tenant.change(23, status="INACTIVE", end_date=dt.date(2026, 2, 27))
    employees, _ = account.read()
    (row,) = [row for row in rows(employees.path) if row["id"] == "23"]
    assert (row["status"], row["end_date"]) == ("Inactive", "2026-02-27")


def test_a_renamed_unit_keeps_its_id(bamboohr, rows):
    account = bamboohr()
    account.tenant.set_unit(OrgUnit("department", 1000, "Renamed"))
    _, units = account.read()
    assert {"kind": "department", "id": "1000", "name": "Renamed", "parent_id": None} in rows(
        units.path
    )


@pytest.mark.parametrize("ids_are", ["text", "numbers"])
def test_ids_are_text_whatever_type_they_come_in(bamboohr, rows, ids_are):
    account = bamboohr()
    if ids_are == "numbers":
        account.fault(PATH, "ids_as_numbers", times=None)
    employees, _ = account.read()
    assert {row["id"] for row in rows(employees.path)} == {
        str(ref) for ref in account.tenant.snapshot.persons
    }


# --- what is said, what is empty, what is unknown -------------------------------------------------


def read_one(served, rows, record):
    account = served(scripted_app({PATH: page(record)}))
    employees, units = account.read()
    (row,) = rows(employees.path)
    return row, rows(units.path)


def test_c13_null_is_empty_and_a_field_that_may_not_be_seen_is_unknown(served, rows):
    record = person(
        departmentId=None,
        departmentName=None,
        reportsToId=None,
        _restrictedFields=["reportsToId", "teams"],
        teams=[],
    )
    row, _ = read_one(served, rows, record | {"divisionId": "", "divisionName": ""})
    # hireDate and so on came not at all
    assert row["absent"] == ["start_date", "end_date", "manager_id", "team", "location"]
    assert (row["manager_id"], row["groups"]) == (None, [])


@pytest.mark.parametrize("status", ["Active", "Inactive"])
def test_no_date_may_be_written_as_zeros(served, rows, status):
    row, _ = read_one(
        served, rows, person(status=status, hireDate="0000-00-00", terminationDate="0000-00-00")
    )
    assert (row["start_date"], row["end_date"]) == (None, None)
    assert not {"start_date", "end_date"} & set(row["absent"])
    row, _ = read_one(
        served, rows, person(status=status, hireDate="2020-01-01", terminationDate="0000-00-00")
    )
    assert (row["start_date"], row["end_date"]) == ("2020-01-01", None)


@pytest.mark.parametrize("status", ["Active", "Inactive"])
def test_c89_dates_are_handed_on_as_they_are(served, rows, status):
    # whether the last day is that of the employment before is decided in one place for every system
    row, _ = read_one(
        served, rows, person(status=status, hireDate="2024-05-01", terminationDate="2020-01-31")
    )
    assert (row["start_date"], row["end_date"]) == ("2024-05-01", "2020-01-31")


def test_several_teams_of_one_person_are_several_groups(served, rows):
    row, units = read_one(
        served, rows, person(teams=[{"id": 1, "label": "One"}, {"id": 2, "label": "Two"}])
    )
    assert row["groups"] == [{"kind": "team", "id": "1"}, {"kind": "team", "id": "2"}]
    assert [(unit["kind"], unit["id"], unit["name"]) for unit in units] == [
        ("team", "1", "One"),
        ("team", "2", "Two"),
    ]


def test_a_units_name_that_may_not_be_seen_of_one_person_is_known_by_another(served, rows):
    department = {"departmentId": "1", "departmentName": "Sales"}
    hidden = person(
        employeeId="8",
        **department | {"departmentName": None},
        _restrictedFields=["departmentName"],
    )
    _, units = served(scripted_app({PATH: page(person(**department), hidden)})).read()
    assert [(unit["kind"], unit["id"], unit["name"]) for unit in rows(units.path)] == [
        ("department", "1", "Sales")
    ]


def test_c11_fields_that_nobody_may_see_are_named_as_vanished(bamboohr):
    employees, _ = bamboohr(hidden=("departmentId", "departmentName", "hireDate")).read()
    assert employees.vanished == ("start_date", "department")


@pytest.mark.parametrize(
    ("hidden", "word"),
    [
        ("workEmail", "Work Email"),
        ("status", "Status"),
        ("firstName", "First Name"),
        ("lastName", "Last Name"),
    ],
)
def test_c11_what_nobody_can_do_without_ends_the_read_and_is_named_with_where_to_switch_it_on(
    bamboohr, hidden, word
):
    said = refused(bamboohr(hidden=(hidden,)))
    assert f"gave no person the attribute '{word}'" in said
    assert f"Switch on '{word}' under Settings > Access Levels in BambooHR" in said


def test_c14_an_unknown_status_word_is_handed_on_as_it_is(bamboohr, rows):
    account = bamboohr()
    account.tenant.change(5, status="SABBATICAL")
    employees, _ = account.read()
    (row,) = [row for row in rows(employees.path) if row["id"] == "5"]
    assert row["status"] == "SABBATICAL"
    assert "sabbatical" not in SYSTEMS["bamboohr"].statuses


# --- faults ---------------------------------------------------------------------------------------


def test_c01_an_empty_list_proves_nothing(bamboohr):
    account = bamboohr()
    account.fault(PATH, "empty_list", times=None)
    employees, units = account.read()
    assert (employees.records, employees.proof, units.proof) == (0, "unproven", "unproven")
    assert "0 of 0 people" in employees.why


@pytest.mark.parametrize("kind", ["cut", "truncated", "html", "reset"])
def test_c02_c07_a_page_that_is_no_page_ends_the_read(bamboohr, small_pages, kind):
    account = bamboohr()
    account.fault(PATH, kind, after=1, times=None)
    assert f"{PATH} (page 2)" in refused(account)


def test_c03_fewer_people_than_announced_prove_nothing(bamboohr, small_pages):
    account = bamboohr()
    # the second pass loses of its first page too
    account.fault(PATH, "drop_page", after=1, times=None, value=2)
    employees, _ = account.read()
    assert (employees.records, employees.proof) == (PEOPLE - 6, "unproven")
    assert "A second pass gave no better result." in employees.why


def test_c03_a_total_that_changes_between_pages_proves_nothing(bamboohr, small_pages):
    account = bamboohr()
    account.fault(PATH, "other_total", after=2, times=None, value=24)
    employees, _ = account.read()
    assert employees.proof == "unproven"


def test_c04_a_deletion_between_two_pages_is_noticed_and_everything_read_anew(
    bamboohr, small_pages
):
    account = bamboohr()
    account.fault(PATH, "shift", after=1)
    employees, _ = account.read()
    assert (employees.records, employees.expected, employees.proof) == (
        PEOPLE - 1,
        PEOPLE - 1,
        "proven",
    )
    assert [request.status for request in account.faults.requests(PATH)] == [
        200,
        400,
        200,
        200,
        200,
    ]


def test_c04_a_list_that_keeps_moving_ends_the_read(bamboohr, small_pages):
    account = bamboohr()
    account.fault(PATH, "shift", after=1, times=None)
    assert "its list had changed meanwhile (BadPage)" in refused(account)
    with pytest.raises(HrisError) as caught:
        account.read()
    assert caught.value.problem.endswith("(BadPage).")
    assert caught.value.remedy.startswith("Run it again later")


def test_c05_the_same_page_again_ends_the_read(bamboohr, small_pages):
    account = bamboohr()
    account.fault(PATH, "repeat_page", after=1, times=None)
    assert "that it had given before" in refused(account)


def test_c05_empty_pages_that_lead_to_themselves_end_the_read(served):
    account = served(scripted_app({PATH: page(cursor="again")}))
    assert "that it had given before" in refused(account)


def test_c04_who_is_listed_twice_is_one_row_and_leaves_the_read_unproven(served, rows):
    employees, _ = served(scripted_app({PATH: page(person(), person(), total=2)})).read()
    assert [row["id"] for row in rows(employees.path)] == ["7"]
    assert (employees.records, employees.proof) == (1, "unproven")
    assert "listed 1 of its people more than once" in employees.why


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("wait", [0, "Wed, 21 Oct 2015 07:28:00 GMT", None])
def test_c08_being_told_to_wait_is_obeyed_and_the_same_page_asked_again(
    bamboohr, small_pages, status, wait
):
    account = bamboohr()
    account.fault(PATH, "status", value=status, retry_after=wait, after=1, times=2)
    employees, _ = account.read()
    assert employees.proof == "proven"
    assert [request.status for request in account.faults.requests(PATH)] == [
        200,
        status,
        status,
        200,
        200,
    ]


def test_c09_a_server_in_trouble_is_asked_again_and_then_given_up(bamboohr):
    account = bamboohr()
    account.fault(PATH, "status", value=500, times=None)
    assert (
        "gave no usable answer at /api/v1/employees (page 1) after 3 tries (HTTP 500)"
        in refused(account)
    )


def test_a_wrong_key_is_named_as_the_trouble_and_not_tried_again(bamboohr):
    account = bamboohr(api_key="another")
    said = refused(account)
    assert "refused the credential at /api/v1/employees (page 1) (HTTP 401)" in said
    assert "API Keys in the menu of whoever made it, in BambooHR" in said
    assert len(account.faults.requests(PATH)) == 1


def test_c81_what_the_vendor_says_of_a_refusal_is_not_repeated(bamboohr, monkeypatch):
    account = bamboohr()
    monkeypatch.setattr(connector, "LIMIT", 2501)
    assert refused(account).startswith(
        "BambooHR connection 'bamboo' refused the request to /api/v1/employees (page 1) (HTTP 400)."
    )


def test_c15_a_field_of_another_type_is_named_without_its_value(served):
    account = served(scripted_app({PATH: page(person(workEmail={"main": "secret@b.test"}))}))
    said = refused(account)
    assert "got `object` - at `$.data[0].workEmail`" in said
    assert "secret" not in said


def test_c15_a_day_that_is_a_number_ends_the_read_and_is_compared_with_nothing(served):
    account = served(
        scripted_app({PATH: page(person(hireDate=20240501, terminationDate="2020-01-31"))})
    )
    assert "got `int` - at `$.data[0].hireDate`" in refused(account)


# --- only who changed -----------------------------------------------------------------------------


def test_only_who_changed_since_a_moment_is_read_and_takes_nothing_away(bamboohr, rows):
    account = bamboohr()
    since = account.tenant.snapshot.moment
    account.tenant.set_date(account.tenant.snapshot.date + dt.timedelta(days=1))
    account.read()  # so that the stand-in knows who there was
    account.tenant.change(4, email="new@nordlicht.example")
    account.tenant.remove(23)
    account.faults.forget()
    for extract in (employees := account.read(since)[0], account.read(since)[1]):
        assert extract.why.startswith(
            f"Only what changed since {since:%Y-%m-%d %H:%M} UTC was asked for"
        )
        assert (extract.partial, extract.proof, extract.expected, extract.vanished) == (
            True,
            "unproven",
            None,
            (),
        )
    changed = {
        str(ref)
        for ref, known in account.tenant.snapshot.persons.items()
        if known.updated_at > since
    }
    assert {row["id"] for row in rows(employees.path)} == changed >= {"4"}
    assert "23" not in changed
    assert account.asked()[0]["filter[ids]"].split(",") == sorted(changed, key=int)
    assert account.asked(f"{PATH}/changed")[0] == {"since": since.isoformat(timespec="seconds")}


def test_many_changes_are_asked_for_in_several_requests(bamboohr, monkeypatch):
    monkeypatch.setattr(connector, "IDS", 10)
    account = bamboohr()
    employees, _ = account.read(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    assert (employees.records, employees.pages, employees.proof) == (PEOPLE, 3, "unproven")


def test_a_change_of_somebody_whose_field_may_not_be_seen_is_no_error(bamboohr, rows):
    account = bamboohr(hidden=("workEmail",))
    employees, _ = account.read(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    assert employees.records == PEOPLE
    assert all(row["absent"] == ["email"] for row in rows(employees.path))


@pytest.mark.parametrize("nobody", [{}, []])
def test_no_change_at_all_is_an_extract_without_rows(served, rows, nobody):
    account = served(
        scripted_app(
            {f"{PATH}/changed": {"latest": "2026-03-02T00:00:00+00:00", "employees": nobody}}
        )
    )
    employees, units = account.read(dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
    assert (rows(employees.path), rows(units.path), employees.partial) == ([], [], True)


# --- what doctor tries ----------------------------------------------------------------------------


def test_nothing_is_missing_where_everything_may_be_seen_and_one_record_is_enough(bamboohr):
    account = bamboohr()
    assert [probe.problem for probe in account.connection().probes()] == [None, None]
    assert [query["page[limit]"] for query in account.asked()] == ["1"]


def test_a_wrong_key_is_a_trial_and_no_exception(bamboohr):
    (probe,) = bamboohr(api_key="another").connection().probes()
    assert "refused the credential" in probe.problem
    assert probe.needed


def test_nobody_is_a_trial_too(bamboohr):
    account = bamboohr()
    account.fault(PATH, "empty_list")
    (probe,) = account.connection().probes()
    assert "BambooHR lists nobody to this credential" in probe.problem
    assert probe.remedy.startswith(
        "Let this credential see all people under Settings > Access Levels"
    )


def test_a_field_that_may_not_be_seen_is_named_as_bamboohr_names_it(bamboohr):
    account = bamboohr(hidden=("workEmail", "reportsToId", "photoUrl"))
    found = [probe for probe in account.connection().probes() if probe.problem]
    assert [(probe.attribute, probe.needed) for probe in found] == [
        ("email", True),
        ("manager_id", False),
    ]
    assert "'Reporting to' under Settings > Access Levels" in found[1].remedy


def test_the_list_of_changes_may_be_refused_without_harm_to_a_night(bamboohr):
    account = bamboohr()
    account.fault(f"{PATH}/changed", "status", value=403)
    *_, probe = account.connection().probes()
    assert probe.problem
    assert not probe.needed


# --- the vendor's document ------------------------------------------------------------------------

DOCUMENT = SPECS / "bamboohr-public-openapi.latest.yaml"


def loaded():
    return yaml.load(
        DOCUMENT.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )


@pytest.mark.vendor_documents
def test_every_sample_is_read_as_the_document_shows_it(served, rows):
    samples = loaded()["paths"][PATH]["get"]["responses"]["200"]["content"]["application/json"][
        "examples"
    ]
    assert len(samples) == 2
    for sample in samples.values():
        answer = {
            **sample["value"],
            "meta": {
                **sample["value"]["meta"],
                "page": {"limit": 1, "nextCursor": None, "prevCursor": None},
            },
        }
        for record in answer["data"]:
            record["workEmail"] = "somebody@b.test"  # the samples ask for no optional field
        employees, _ = served(scripted_app({PATH: answer})).read()
        names = {
            "id": "employeeId",
            "given_name": "firstName",
            "family_name": "lastName",
            "status": "status",
        }
        expected = [
            {column: record[key] for column, key in names.items()} for record in answer["data"]
        ]
        assert [
            {column: row[column] for column in names} for row in rows(employees.path)
        ] == expected
        assert employees.expected == answer["meta"]["total"]
        assert {
            word.lower() for word in (record["status"] for record in answer["data"])
        } <= SYSTEMS["bamboohr"].statuses.keys()


@pytest.mark.vendor_documents
def test_every_field_asked_for_and_every_status_word_is_one_of_the_documents():
    schemas = loaded()["components"]["schemas"]
    always = schemas["GetEmployeesEmployeeBaseResponse"]["required"]
    assert {connector.NAMES[name] for name in connector.UNASKED} <= set(always)
    optional = set(connector.NAMES.values()) - set(always)
    assert optional <= set(schemas["EmployeeOptionalField"]["enum"])
    status = schemas["GetEmployeesFilterRequestObject"]["properties"]["status"]["enum"]
    assert set(status) == SYSTEMS["bamboohr"].statuses.keys()
    limit = schemas["EmployeeCursorPaginationQueryObject"]["allOf"][1]["properties"]["limit"]
    assert limit["maximum"] == connector.LIMIT
