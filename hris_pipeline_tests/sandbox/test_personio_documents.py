"""Every answer of the stand-in against Personio's own documents, which lie beside the checkout and
are no part of the project.
"""

import dataclasses
import datetime as dt
import functools
import json

import jsonschema
import pytest
import yaml

from hris_pipeline.sandbox.company import load_company
from hris_pipeline.sandbox.faults import Fault
from hris_pipeline.sandbox.hris.personio import CREDENTIAL, SCOPES, Credential
from hris_pipeline_tests.conftest import SPECS

pytestmark = pytest.mark.vendor_documents
PERSONS, EMPLOYMENTS = (
    "personio-v2-persons.reconstructed.json",
    "personio-v2-employments.reconstructed.json",
)
OTHERS, TOKENS = (
    "personio-v2-other-resources.reconstructed.json",
    "personio-v2-credentials.reconstructed.json",
)
COMMON, V1, V1_AUTH = (
    "personio-v2-common-components.json",
    "personio-v1-personnel-data-api-oa3.yaml",
    "personio-v1-auth-api.yaml",
)


def as_json_schema(node):
    """OpenAPI 3.0's ``nullable`` in JSON Schema's words."""
    if isinstance(node, list):
        return [as_json_schema(part) for part in node]
    if not isinstance(node, dict):
        return node
    out = {
        key: as_json_schema(value)
        for key, value in node.items()
        if key not in {"example", "examples"} or isinstance(value, dict)
    }
    if out.pop("nullable", False):
        out["type"] = [out["type"], "null"]
        if "enum" in out:
            out["enum"] = [*out["enum"], None]
    return out


def closed(node):
    """The same schema, allowing no property that the document does not name."""
    if isinstance(node, list):
        return [closed(part) for part in node]
    if not isinstance(node, dict):
        return node
    out = {key: closed(value) for key, value in node.items()}
    if (
        isinstance(out.get("properties"), dict)
        and out.get("type") == "object"
        and "additionalProperties" not in out
    ):
        out["additionalProperties"] = False
    return out


@functools.cache
def document(name):
    text = (SPECS / name).read_text(encoding="utf-8")
    loaded = json.loads(text) if name.endswith(".json") else yaml.safe_load(text)
    schemas = as_json_schema(loaded["components"]["schemas"])
    if name == V1:
        # The document contradicts itself (the list's `data` is an object by one half of allOf, an
        # array by the other), and its own samples have null where an attribute is empty.
        del schemas["Response"]["properties"]["data"]
        for attribute in schemas["Employee"]["properties"].values():
            holder = (
                schemas[attribute["$ref"].rpartition("/")[2]] if "$ref" in attribute else attribute
            )
            value = holder["properties"]["value"]
            holder["properties"]["value"] = {"anyOf": [value, {"type": "null"}]}
        schemas["Employee"]["patternProperties"] = {"^dynamic_": {}}
        schemas["Employee"]["additionalProperties"] = False
    elif name not in {COMMON, V1_AUTH}:
        schemas = closed(schemas)
    return loaded, schemas


FORMATS = jsonschema.FormatChecker(["date", "uuid"])
FORMATS.checks("date-time", ValueError)(
    lambda text: dt.datetime.fromisoformat(text).tzinfo is not None
)


@functools.cache
def validator(name, schema):
    root = {"components": {"schemas": document(name)[1]}, **as_json_schema(json.loads(schema))}
    return jsonschema.Draft202012Validator(root, format_checker=FORMATS)


def check(answer, name, schema):
    """Validate ``answer`` against a schema of a document: its name, or an inline one."""
    root = {"$ref": f"#/components/schemas/{schema}"} if isinstance(schema, str) else schema
    # never the instance itself: it holds names
    found = [
        f"{error.json_path}: {error.validator}"
        for error in validator(name, json.dumps(root)).iter_errors(answer)
    ]
    assert found == []


def response(name, path, method="get", status="200"):
    content = document(name)[0]["paths"][path][method]["responses"][status]["content"]
    return next(iter(content.values()))["schema"]


@pytest.fixture(params=[1, 3])
def documented_personio(make_personio, request):
    return make_personio(load_company(day=request.param))


def pages(personio, path, **params):
    page = personio.get(path, **params)
    yield page
    while "next" in page["_meta"]["links"]:
        page = personio.get(page["_meta"]["links"]["next"]["href"])
        yield page


def test_v2_persons_and_employments(documented_personio):
    count = 0
    for page in pages(documented_personio, "/v2/persons", limit=50):
        check(page, PERSONS, response(PERSONS, "/v2/persons"))
        for person in page["_data"]:
            count += 1
            answer = documented_personio.get(f"/v2/persons/{person['id']}/employments")
            check(answer, EMPLOYMENTS, response(EMPLOYMENTS, "/v2/persons/{person_id}/employments"))
    assert count > 250
    person = documented_personio.get("/v2/persons/10001")
    check(person, PERSONS, response(PERSONS, "/v2/persons/{id}"))
    one = documented_personio.get(f"/v2/persons/10001/employments/{person['employments'][0]['id']}")
    check(one, EMPLOYMENTS, response(EMPLOYMENTS, "/v2/persons/{person_id}/employments/{id}"))


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v2/org-units", {"type": "team", "limit": 5}),
        ("/v2/org-units", {"type": "department"}),
        ("/v2/cost-centers", {"limit": 5}),
        ("/v2/workplaces", {}),
        ("/v2/legal-entities", {"limit": 1}),
    ],
)
def test_v2_organisation(sample_personio, path, params):
    for page in pages(sample_personio, path, **params):
        check(page, OTHERS, response(OTHERS, path))
        assert page["_data"]


def test_v2_single_units(sample_personio):
    check(
        sample_personio.get("/v2/org-units/401", type="department"),
        OTHERS,
        response(OTHERS, "/v2/org-units/{id}"),
    )
    check(
        sample_personio.get("/v2/legal-entities/11"),
        OTHERS,
        response(OTHERS, "/v2/legal-entities/{id}"),
    )


def test_v2_errors(personio):
    for path, status in (
        ("/v2/persons?limit=51", 400),
        ("/v2/persons?id.x=1", 400),
        ("/v2/persons/0", 404),
        ("/v2/none", 404),
    ):
        check(personio.get(path, status), PERSONS, "Error")
        check(personio.get(path, status), COMMON, "ErrorResponse")
    personio.faults.add(Fault("*", "status", value=503))
    check(personio.get("/v2/persons", 503), COMMON, "ErrorResponse")
    personio.http.delete("/_sandbox/tokens")
    check(personio.get("/v2/persons", 401), COMMON, "ErrorResponse")


def test_v2_tokens(make_personio):
    personio = make_personio(log_in=False)
    ok = personio.log_in()
    check(ok.json(), TOKENS, response(TOKENS, "/v2/auth/token", "post"))
    wrong = dataclasses.replace(CREDENTIAL, client_secret="x")
    for answer in (
        personio.log_in(wrong),
        personio.log_in(grant_type="password"),
        personio.log_in(scope="nonsense"),
        personio.log_in(scope="personio:absences:read"),
        personio.log_in(client_id=""),
        personio.http.post("/v2/auth/token", json={}),
    ):
        assert answer.status_code == 400
        schema = dict(document(TOKENS)[1]["OAuth2TokenErrorResponse"])
        body = answer.json()
        # in the document's sample for a wrong content type, but not in its schema
        body.pop("type", None)
        check(body, TOKENS, schema)


def test_the_limits_are_those_of_the_documents(personio):
    for name, path in (
        (PERSONS, "/v2/persons"),
        (OTHERS, "/v2/org-units"),
        (OTHERS, "/v2/cost-centers"),
        (OTHERS, "/v2/legal-entities"),
    ):
        parameters = document(name)[0]["paths"][path]["get"]["parameters"]
        most = next(p["schema"]["maximum"] for p in parameters if p["name"] == "limit")
        more = {"type": "team"} if path == "/v2/org-units" else {}
        personio.get(path, limit=most, **more)
        personio.get(path, 400, limit=most + 1, **more)


def test_every_filter_of_the_documents_is_known(personio):
    for name, path, url in (
        (PERSONS, "/v2/persons", "/v2/persons"),
        (EMPLOYMENTS, "/v2/persons/{person_id}/employments", "/v2/persons/1/employments"),
        (OTHERS, "/v2/legal-entities", "/v2/legal-entities"),
        (OTHERS, "/v2/cost-centers", "/v2/cost-centers"),
    ):
        for parameter in document(name)[0]["paths"][path]["get"]["parameters"]:
            if parameter["in"] == "query" and parameter["name"] not in {"cursor", "limit"}:
                example = parameter.get("example") or parameter["schema"].get("enum", ["name"])[0]
                personio.get(url, **{parameter["name"]: example})


def test_v1_employees(documented_personio):
    for offset in (0, 100, 200):
        page = documented_personio.get("/v1/company/employees", limit=100, offset=offset)
        assert page["data"]
        check(page, V1, response(V1, "/company/employees"))
    check(
        documented_personio.get("/v1/company/employees", updated_since="2026-03-01"),
        V1,
        response(V1, "/company/employees"),
    )
    one = documented_personio.get("/v1/company/employees/10017")
    check(one, V1, response(V1, "/company/employees/{employee_id}"))


def test_v1_pictures(sample_personio):
    path = "/company/employees/{employee_id}/profile-picture/{width}"
    documented = document(V1)[0]["paths"][path]["get"]
    assert [parameter["schema"]["type"] for parameter in documented["parameters"]] == [
        "integer",
        "integer",
    ]
    # every third person has one
    ok = sample_personio.http.get("/v1/company/employees/10002/profile-picture/256")
    assert [ok.headers["content-type"]] == list(documented["responses"]["200"]["content"])
    check(
        sample_personio.get("/v1/company/employees/10003/profile-picture/256", 404),
        V1,
        response(V1, path, status="404"),
    )


def test_v1_errors_and_attributes(make_personio):
    poor = Credential("poor", "secret", SCOPES - {"employees:read"})
    personio = make_personio(credentials=[CREDENTIAL, poor])
    check(
        personio.get("/v1/company/employees/1"),
        V1,
        response(V1, "/company/employees/{employee_id}"),
    )
    check(
        personio.get("/v1/company/employees/0", 404),
        V1,
        response(V1, "/company/employees/{employee_id}", status="404"),
    )
    kinds = document(V1)[1]["TypeEnum"]["enum"]
    for attribute in personio.get("/v1/company/employees/attributes")["data"]:
        assert attribute.keys() == {"key", "label", "type", "universal_id", "options"}
        assert attribute["type"] in kinds
    personio.log_in(poor)
    check(personio.get("/v1/company/employees", 403), V1, "ErrorResponse")
    personio.http.headers.pop("authorization")
    check(personio.get("/v1/company/employees", 401), V1, "ErrorResponse")


def test_v1_tokens(make_personio):
    personio = make_personio(log_in=False)
    keys = {"client_id": CREDENTIAL.client_id, "client_secret": CREDENTIAL.client_secret}
    answer = personio.http.post("/v1/auth", json=keys)
    check(answer.json(), V1_AUTH, response(V1_AUTH, "/auth", "post"))


def test_the_check_itself_fails_on_an_answer_that_is_wrong(personio):
    record = personio.get("/v2/persons/1")
    for wrong in ({"status": "GONE"}, {"email": None}, {"shoe_size": 42}, {"id": 1}):
        with pytest.raises(AssertionError):
            check(record | wrong, PERSONS, "Person")
    employee = personio.get("/v1/company/employees/1")["data"]["attributes"]
    for wrong in (
        {"shoe_size": {}},
        {"id": {"type": "nonsense"}},
        {"department": {"value": {"attributes": {"name": "x"}}}},
    ):
        with pytest.raises(AssertionError):
            check(employee | wrong, V1, "Employee")
