"""The registry of HR systems keeps what the company file and `hris-pipeline systems` are told; and
the table is up to date.
"""

import inspect
import json
from typing import get_args

import pytest
from pydantic import ValidationError

from hris_pipeline.contracts.tables import STATUSES
from hris_pipeline.hris.registry import SYSTEMS, connect, find, table
from hris_pipeline.hris.system import Answer, Evidence
from hris_pipeline.hris.systems import merge
from hris_pipeline.hris.systems.merge.coverage import (
    COVERAGE,
    EMPLOYEE_FIELDS,
    GROUP_FIELDS,
    THROUGH_MERGE,
    TIME_OFF_FIELDS,
)
from hris_pipeline.hris.systems.personio import RATES
from hris_pipeline.operations import companies
from hris_pipeline.presentation.systems import COLUMNS
from hris_pipeline_tests.conftest import ROOT, SPECS

NEEDED = {
    "files": {
        "path": "/srv/hr/people.csv",
        "columns": {"id": "ID", "email": "E-Mail", "family_name": "Name"},
    }
}
"""The options that a system cannot do without."""

EVERY = pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)


@EVERY
def test_every_system_is_registered_by_its_own_name(system):
    assert SYSTEMS[system.name] is system
    assert system.default_base_url is None or system.default_base_url.startswith("https://")
    assert system.credentials or system.optional_credentials


@EVERY
def test_every_status_word_is_lower_case_and_means_one_of_ours(system):
    assert all(word == word.lower() for word in system.statuses)
    assert set(system.statuses.values()) <= {*STATUSES, "not_active"}


@EVERY
def test_every_option_has_a_description_and_most_a_default_and_no_other_is_taken(system):
    given = NEEDED.get(system.name, {})
    system.options.model_validate(given)
    assert all(field.description for field in system.options.model_fields.values())
    with pytest.raises(ValidationError):
        system.options.model_validate({**given, "no_such_option": 1})


@EVERY
def test_the_capabilities_say_something_of_everything(system):
    for capabilities in (
        system.capabilities,
        *(variant.capabilities for variant in system.variants),
    ):
        assert all(
            text for name, text in vars(capabilities).items() if name not in {"delivers", "lacks"}
        )


@EVERY
def test_a_system_that_says_it_has_photos_can_be_asked_for_them(system):
    secrets = dict.fromkeys(system.credentials, "x")
    options = system.options.model_validate(NEEDED.get(system.name, {}))
    connection = system.connect(
        "one", base_url=system.base_url(options), credentials=secrets, options=options, kinds=()
    )
    assert hasattr(connection, "photos") is system.photos
    assert ("since" in inspect.signature(connection.read).parameters) is system.reads_changes
    assert not system.reads_changes or system.capabilities.changed_since != "no"


@EVERY
def test_c82_a_connection_shows_no_secret(system):
    secrets = dict.fromkeys(system.credentials, "s3cret")
    connection = system.connect(
        "one",
        base_url=system.default_base_url or "",
        credentials=secrets,
        options=system.options.model_validate(NEEDED.get(system.name, {})),
        kinds=(),
    )
    assert "s3cret" not in repr(connection)


def test_personio_stays_below_the_measured_limits_by_itself():
    assert SYSTEMS["personio"].options().api == "v2"
    assert RATES["v2"] < 30
    assert RATES["v1"] < 300 / 60


@pytest.mark.parametrize(("region", "address"), merge.ADDRESSES.items())
def test_merges_address_follows_the_region_unless_the_company_file_names_one(
    tmp_path, region, address
):
    def base_url(**account):
        system = {
            "system": "merge",
            "api_key": "${KEY}",
            "account_token": "${TOKEN}",
            "options": {"region": region},
            **account,
        }
        file = {"timezone": "UTC", "deskbird": {"scim_token": "${SCIM}"}, "hris": {"hr": system}}
        (tmp_path / "acme.yaml").write_text(json.dumps(file))
        company = companies.resolve(
            companies.load("acme", tmp_path), {"KEY": "k", "TOKEN": "t", "SCIM": "s"}
        )
        return connect("hr", company.hris["hr"], company.kinds_read).base_url

    assert base_url() == base_url(base_url=None) == address
    assert base_url(base_url="https://proxy.example/merge/api") == "https://proxy.example/merge/api"


def test_each_connection_reads_the_kinds_of_group_that_its_own_system_delivers(tmp_path):
    columns = NEEDED["files"]["columns"] | {"groups": {"squad": "Squad"}}
    accounts = {
        "lists": {
            "system": "files",
            "options": {"path": "/srv/hr/people.csv", "columns": columns},
        },
        "bamboo": {
            "system": "bamboohr",
            "base_url": "https://acme.bamboohr.com",
            "api_key": "${KEY}",
        },
    }
    file = {
        "deskbird": {"scim_token": "${KEY}"},
        "hris": accounts,
        "sync": {"groups": ["squad", "department", "team"]},
    }
    (tmp_path / "acme.yaml").write_text(json.dumps(file))
    company = companies.resolve(companies.load("acme", tmp_path), {"KEY": "k"})
    read = {
        name: connect(name, account, company.kinds_read).kinds
        for name, account in company.hris.items()
    }
    assert read == {"lists": ("squad",), "bamboo": ("team", "department")}


# --- the table ------------------------------------------------------------------------------------


def test_every_row_answers_every_question_and_says_how_sure_we_are():
    for row in table():
        can = vars(row.capabilities)
        assert all(can[name] in get_args(Answer) for name in COLUMNS), row.name
        assert can["evidence"] in get_args(Evidence)


def test_a_kind_of_group_that_is_read_is_never_said_to_be_missing():
    for system in SYSTEMS.values():
        for row in (row for row in table() if row in system.variants or row.name == system.name):
            if row in THROUGH_MERGE:
                continue  # what is read there depends on the HR system behind it
            for kind in ("team", "department", "cost_center"):
                assert (kind not in system.group_kinds) or getattr(
                    row.capabilities, kind
                ) != "no", (row.name, kind)


def test_the_16_systems_that_deskbird_reaches_are_in_the_table_once_each():
    rows = [row for row in table() if row.how == "system: merge"]
    assert len({row.name for row in rows}) == len(rows)
    assert {row.name for row in rows} >= set(COVERAGE)
    assert len(COVERAGE) == 16


def test_the_page_is_up_to_date(run):
    """Where this fails: hris-pipeline systems --format markdown > docs/systems.md."""
    code, out, _ = run("systems", "--format", "markdown")
    assert code == 0
    assert (ROOT / "docs" / "systems.md").read_text(encoding="utf-8") == out


def test_the_overview_has_a_line_for_each_row_and_the_details_everything_of_one(run):
    code, out, _ = run("systems")
    assert code == 0
    assert all(
        any(line.startswith(row.title.split()[0]) for line in out.splitlines()) for row in table()
    )
    code, out, _ = run("systems", "personio_v1")
    assert code == 0
    for text in (
        "client_id, client_secret",
        'api (default "v2")',
        "300 requests a minute",
        "nested groups",
    ):
        assert text in out


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("personio", ["Personio v2", "Personio v1"]),
        ("sap success", ["SAP SuccessFactors"]),
        ("HR-Works", ["HRworks"]),
        ("UKG", []),
    ],
)
def test_a_system_is_found_by_its_name_or_the_beginning_of_its_title(name, titles):
    found = [row.title for row in find(name, table())]
    assert found
    assert set(titles) <= set(found)


def test_a_system_that_is_not_there_is_one_sentence_that_names_those_that_are(run):
    code, out, err = run("systems", "peoplesoft")
    assert (code, out) == (1, "")
    assert "There is no HR system 'peoplesoft' here" in err
    assert "Workday" in err


def test_the_json_document_holds_every_row(run):
    document = json.loads(run("systems", "--format", "json")[1])
    assert (document["version"], document["kind"]) == (1, "systems")
    assert [row["title"] for row in document["systems"]] == [row.title for row in table()]
    assert all(row[name] in get_args(Answer) for row in document["systems"] for name in COLUMNS)


@pytest.mark.vendor_documents
def test_what_comes_through_merge_is_what_merge_publishes():
    published = json.loads(
        (SPECS / "merge-hris-coverage-16-systems.json").read_text(encoding="utf-8")
    )
    assert set(published) == set(COVERAGE)
    for name, it in COVERAGE.items():
        models = published[name]["models"]
        fields = {
            model: set((models[f"GET /hris/v1/{model}"] or {}).get("supported_fields", ()))
            for model in MODELS
        }
        assert set(it.employee.split()) == fields["employees"] & set(EMPLOYEE_FIELDS), name
        assert set(it.group.split()) == fields["groups"] & set(GROUP_FIELDS), name
        assert set((it.time_off or "").split()) == fields["time-off"] & set(TIME_OFF_FIELDS), name
        assert (it.time_off is None) == (models["GET /hris/v1/time-off"] is None), name
        assert it.tells_deletions == (
            models["GET /hris/v1/employees"]["deletion_detection"] == "NATIVE"
        ), name
        assert {"employment_status", "work_email", "groups"} <= fields["employees"], name


MODELS = ("employees", "groups", "time-off")
