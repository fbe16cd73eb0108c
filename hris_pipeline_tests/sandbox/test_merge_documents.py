"""Every answer of the stand-in against Merge's own documents, which lie beside the checkout and are
no part of the project.
"""

import datetime as dt
import functools
import re

import jsonschema
import pytest
import yaml

from hris_pipeline.sandbox.company import load_company
from hris_pipeline_tests.conftest import SPECS
from hris_pipeline_tests.sandbox.merge_host import LISTS, merge_host
from hris_pipeline_tests.sandbox.test_personio_documents import as_json_schema, closed

SDK, NEWEST = "merge-hris-openapi-3.0.3-2025-06-sdk.yml", "merge-hris-openapi-3.1.0-2026-08.yaml"
pytestmark = pytest.mark.vendor_documents


FORMATS = jsonschema.FormatChecker(["date", "uuid", "email"])
FORMATS.checks("date-time", ValueError)(
    lambda text: not isinstance(text, str) or dt.datetime.fromisoformat(text).tzinfo is not None
)


class Yaml(yaml.SafeLoader):
    """YAML in which Norway's country code is no "false", and dates stay text."""


Yaml.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":timestamp"))
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


@functools.cache
def document(name):
    return yaml.load((SPECS / name).read_text(encoding="utf-8"), Yaml)


def any_of(node):
    """ "One of" an enumeration and any text means either: a normalised word is both."""
    if isinstance(node, list):
        return [any_of(part) for part in node]
    if not isinstance(node, dict):
        return node
    out = {("anyOf" if key == "oneOf" else key): any_of(value) for key, value in node.items()}
    if out.pop("nullable", False):
        out = {"anyOf": [out, {"type": "null"}]}
    return out


@functools.cache
def validator(name, schema):
    schemas = {key: any_of(node) for key, node in document(name)["components"]["schemas"].items()}
    root = {
        "components": {"schemas": closed(as_json_schema(schemas))},
        "$ref": f"#/components/schemas/{schema}",
    }
    return jsonschema.Draft202012Validator(root, format_checker=FORMATS)


def check(answer, name, schema):
    found = [
        f"{error.json_path}: {error.validator}"
        for error in validator(name, schema).iter_errors(answer)
    ]
    assert found == []


def schema_of(name, path):
    return document(name)["paths"][f"/hris/v1{path}"]["get"]["responses"]["200"]["content"][
        "application/json"
    ]["schema"]["$ref"].rpartition("/")[2]


@pytest.fixture(params=[1, 3])
def merge(request):
    with merge_host(load_company(day=request.param), teams=True) as host:
        yield host


@pytest.mark.parametrize("path", [*LISTS, "/sync-status", "/account-details", "/linked-accounts"])
def test_every_answer_is_as_the_document_of_the_sdks_has_it(merge, path):
    for query in ({}, {"page_size": 7}) if path != "/account-details" else ({},):
        check(merge.get(path, **query), SDK, schema_of(SDK, path))


@pytest.mark.parametrize("path", [path for path in LISTS if path != "/teams"])
def test_every_plain_answer_is_as_the_newest_document_has_it(merge, path):
    check(merge.get(path, include_deleted_data="true"), NEWEST, schema_of(NEWEST, path))


def test_one_row_is_as_the_document_has_it(merge):
    for path in LISTS:
        row = merge.get(path)["results"][0]
        check(merge.get(f"{path}/{row['id']}"), SDK, schema_of(SDK, f"{path}/{{id}}"))


def test_expanded_rows_and_the_hr_systems_own_words_are_as_the_document_has_them(merge):
    page = merge.get(
        "/employees",
        expand="company,employments,groups,manager,team,work_location",
        show_enum_origins="employment_status",
    )
    check(page, SDK, "PaginatedEmployeeList")
    person = page["results"][5]
    assert person["manager"]["remote_id"]
    assert person["groups"][0]["name"]
    assert person["employment_status"] in {"active", "leave", "onboarding", "inactive"}


def test_every_parameter_of_the_document_is_known(merge):
    values = {"boolean": "true", "integer": "5", "date-time": "2026-01-01T00:00:00Z"}
    # text by the document's type, these two by its meaning
    named = {"is_commonly_used_as_team": ["true", "false"]}
    for path in LISTS:
        for parameter in document(SDK)["paths"][f"/hris/v1{path}"]["get"]["parameters"]:
            name, schema = parameter["name"], parameter["schema"]
            if parameter["in"] != "query" or name == "cursor":
                continue
            words = named.get(name) or schema.get("enum") or schema.get("items", {}).get("enum")
            for value in words or [values.get(schema.get("format", schema["type"]), "x")]:
                assert merge.ask(path, **{name: value}).status_code == 200, (path, name, value)


def test_teams_are_gone_from_the_newest_document():
    assert "/hris/v1/teams" in document(SDK)["paths"]
    assert "/hris/v1/teams" not in document(NEWEST)["paths"]


def test_the_check_itself_fails_on_an_answer_that_is_wrong(merge):
    row = merge.get("/employees")["results"][0]
    for wrong in (
        {"id": 5},
        {"manager": "nobody"},
        {"groups": None},
        {"shoe_size": 42},
        {"start_date": "2026-01-01"},
        {"remote_was_deleted": None},
    ):
        with pytest.raises(AssertionError):
            check(row | wrong, SDK, "Employee")
