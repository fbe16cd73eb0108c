"""Every sample in the vendor's documents is read, and every answer of theirs that is no success is
an error.
"""

import json

import msgspec
import pytest
import yaml

from hris_pipeline.errors import HrisError
from hris_pipeline.hris.registry import SYSTEMS
from hris_pipeline.hris.systems.personio import auth, v1, v2
from hris_pipeline_tests.conftest import SPECS

pytestmark = pytest.mark.vendor_documents


class Yaml(yaml.SafeLoader):
    """YAML whose dates stay text, as they are in JSON."""


Yaml.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def document(name):
    text = (SPECS / name).read_text(encoding="utf-8")
    return yaml.load(text, Yaml) if name.endswith("yaml") else json.loads(text)


def examples(name):
    return {
        key: example["value"] for key, example in document(name)["components"]["examples"].items()
    }


def v1_samples():
    """All answers in the v1 document that hold employees."""
    paths = document("personio-v1-personnel-data-api-oa3.yaml")["paths"]
    content = {
        path: paths[path]["get"]["responses"]["200"]["content"]
        for path in ("/company/employees", "/company/employees/{employee_id}")
    }
    for answer in content.values():
        for example in answer["application/json"]["examples"].values():
            yield example["value"]


def as_page(sample):
    data = sample["data"]
    return {
        "metadata": {"total_elements": 1},
        **sample,
        "data": data if isinstance(data, list) else [data],
    }


def value(sample, *keys):
    """A value out of a sample, through v1's envelopes."""
    attributes = as_page(sample)["data"][0]["attributes"]
    for key in keys:
        inner = attributes[key]
        attributes = inner["value"] if isinstance(inner, dict) and "value" in inner else inner
        attributes = (
            attributes.get("attributes", attributes) if isinstance(attributes, dict) else attributes
        )
    return attributes


def test_v1_employees_are_read_as_the_document_shows_them(scripted, rows):
    kinds = tuple(v1.GROUPS)
    samples = list(v1_samples())
    assert samples
    for sample in samples:
        employees, units = scripted({"/v1/company/employees": as_page(sample)}).read(
            "v1", kinds=kinds
        )
        (row,) = rows(employees.path)
        assert row["id"] == str(value(sample, "id"))
        plain = {column: key for column, key in v1.ATTRIBUTES.items() if column != "manager_id"}
        assert {column: row[column] for column in plain} == {
            column: value(sample, key) for column, key in plain.items()
        }
        assert row["manager_id"] == str(value(sample, "supervisor", "id"))
        expected = {kind: value(sample, key) for kind, key in v1.GROUPS.items()}
        expected["cost_center"] = expected["cost_center"][0]["attributes"]
        assert {group["kind"]: group["id"] for group in row["groups"]} == {
            k: str(unit["id"]) for k, unit in expected.items()
        }
        assert {unit["kind"]: unit["name"] for unit in rows(units.path)} == {
            k: unit["name"] for k, unit in expected.items()
        }
        assert row["absent"] == []


def test_v1_samples_that_show_one_of_two_people_are_unproven(scripted):
    listed = next(v1_samples())
    assert listed["metadata"]["total_elements"] == 2
    employees, _ = scripted({"/v1/company/employees": {**listed, "limit": 2}}).read("v1")
    assert (employees.records, employees.expected, employees.proof) == (1, 2, "unproven")


def test_v1_errors_are_errors(scripted):
    paths = document("personio-v1-personnel-data-api-oa3.yaml")["paths"]
    sample = paths["/company/employees/{employee_id}"]["get"]["responses"]["404"]["content"][
        "application/json"
    ]["examples"]
    for example in sample.values():
        with pytest.raises(HrisError, match="success: false, code 404"):
            scripted({"/v1/company/employees": example["value"]}).read("v1")


def test_v1_token_samples_are_read():
    responses = document("personio-v1-auth-api.yaml")["paths"]["/auth"]["post"]["responses"]
    samples = [
        example["value"]
        for example in responses["200"]["content"]["application/json"]["examples"].values()
    ]
    for sample in [
        *samples,
        examples("personio-v2-credentials.reconstructed.json")["V1SuccessAccessToken"],
    ]:
        answer = auth._V1.decode(msgspec.json.encode(sample))
        assert answer.success
        assert answer.data.token == sample["data"]["token"]


def test_v2_token_samples_are_read():
    samples = examples("personio-v2-credentials.reconstructed.json")
    sample = samples["OAuth2TokenSuccessAccessToken"]
    assert auth._V2.decode(msgspec.json.encode(sample)).access_token == sample["access_token"]
    refusals = [sample for sample in samples.values() if "error" in sample]
    assert len(refusals) == 7
    for sample in refusals:
        word = auth._V2_REFUSAL.decode(msgspec.json.encode(sample)).error
        assert word == sample["error"]
        assert word in auth._CREDENTIAL | auth._OTHER


def test_every_word_of_a_refused_token_is_known():
    schemas = document("personio-v2-credentials.reconstructed.json")["components"]["schemas"]
    words = set(schemas["OAuth2TokenErrorResponse"]["properties"]["error"]["enum"])
    assert words - {"unsupported_response_type"} == auth._CREDENTIAL | auth._OTHER


def test_v2_persons_are_read_as_the_document_shows_them():
    samples = examples("personio-v2-persons.reconstructed.json")
    for name in ("PersonsSinglePage", "PersonsMultiplePages"):
        sample = samples[name]
        page = v2.PERSON_PAGE.decode(msgspec.json.encode(sample))
        assert page.next == sample["_meta"]["links"].get("next", {}).get("href")
        (person,), (shown,) = page.data, sample["_data"]
        for key in ("id", "email", "first_name", "last_name", "status", "updated_at"):
            assert getattr(person, key) == shown[key]
        assert [each.id for each in person.employments] == [
            each["id"] for each in shown["employments"]
        ]


def test_v2_employments_are_read_as_the_document_shows_them():
    samples = examples("personio-v2-employments.reconstructed.json")
    person = msgspec.convert({"id": "5005", "updated_at": "2020-01-01T00:00:00Z"}, v2.Person)
    pages = [
        samples["EmploymentsSinglePage"],
        samples["EmploymentsMultiplePages"],
        {"_data": [samples["Employment"]]},
    ]
    for sample in pages:
        page = v2.EMPLOYMENT_PAGE.decode(msgspec.json.encode(sample))
        assert page.next == sample.get("_meta", {"links": {}})["links"].get("next", {}).get("href")
        (shown,) = sample["_data"]
        row = {name: values[0] for name, values in v2.columns(person, page.data).items()}
        assert (row["id"], row["employment_id"], row["status"]) == (
            "5005",
            shown["id"],
            shown["status"],
        )
        assert row["start_date"] == shown["employment_start_date"]
        assert row["end_date"] == shown["termination"]["termination_date"]
        assert row["manager_id"] == shown["supervisor"]["id"]
        assert row["updated_at"] == shown["updated_at"]
        units = {unit["type"]: [unit["id"]] for unit in shown["org_units"]}
        assert v2.groups("team", page.data) == [units["team"]]
        assert v2.groups("department", page.data) == [units["department"]]
        assert v2.groups("cost_center", page.data) == [[shown["cost_centers"][0]["id"]]]
        assert v2.groups("location", page.data) == [shown["office"]["id"]]
        assert v2.groups("legal_entity", page.data) == [shown["legal_entity"]["id"]]


def test_v2_limits_and_beta_headers_are_the_documents():
    def parameters(name, path):
        listed = document(name)["paths"][path]["get"]["parameters"]
        return {parameter["name"]: parameter for parameter in listed}

    for path in ("/v2/persons", "/v2/persons/{person_id}/employments"):
        of = "employments" if "employments" in path else "persons"
        name = f"personio-v2-{of}.reconstructed.json"
        assert parameters(name, path)["limit"]["schema"]["maximum"] == v2.PERSON_LIMIT
    for source in v2.UNIT_LISTS.values():
        known = parameters("personio-v2-other-resources.reconstructed.json", source.path)
        assert known["limit"]["schema"]["maximum"] == v2.UNIT_LIMIT
        assert ("Beta" in known) == ("Beta" in source.headers)
        assert set(source.query) <= set(known)
        required = {key for key, parameter in known.items() if parameter["required"]}
        assert required == set(source.query) | set(source.headers)


def test_v2_problem_documents_are_errors(scripted):
    samples = examples("personio-v2-persons.reconstructed.json")
    for name in ("InvalidFilterValue", "InvalidFilterFormat", "ResourceNotFound"):
        with pytest.raises(HrisError, match="without a list"):
            scripted({"/v2/persons": samples[name]}).read("v2", kinds=())


def test_every_status_in_the_documents_has_a_meaning():
    employment = document("personio-v2-employments.reconstructed.json")["components"]["schemas"][
        "Employment"
    ]
    words = {word.lower() for word in employment["properties"]["status"]["enum"]}
    assert words - {"unspecified"} == set(SYSTEMS["personio"].statuses)


def test_the_documented_list_of_readable_attributes_is_understood(scripted):
    operation = document("personio-v1-personnel-data-api-oa3.yaml")["paths"][
        "/company/employees/attributes"
    ]["get"]
    sample = operation["responses"]["200"]["content"]["application/json"]["examples"]["response"][
        "value"
    ]
    page = as_page(next(v1_samples()))
    account = scripted({"/v1/company/employees": page, "/v1/company/employees/attributes": sample})
    probes = list(account.connection("v1", kinds=()).probes())
    listed = {attribute["universal_id"] for attribute in sample["data"]}
    missing = {column for column, key in v1.ATTRIBUTES.items() if key not in listed}
    assert missing
    assert {probe.attribute for probe in probes if probe.problem} == missing
    assert probes[2].what.endswith("First name, Last name")
