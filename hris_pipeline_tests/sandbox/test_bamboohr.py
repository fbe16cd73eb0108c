"""The stand-in of BambooHR: as strict as the vendor's document, against which every answer is held
where it is at hand.
"""

import contextlib
import datetime as dt
import functools
from urllib.parse import urlsplit

import httpx
import jsonschema
import pytest
import yaml

from hris_pipeline.sandbox.company import generate, load_company
from hris_pipeline.sandbox.faults import Fault, Faults
from hris_pipeline.sandbox.hris.bamboohr import API_KEY, OPTIONAL, PATH, bamboohr_app
from hris_pipeline.sandbox.server import serve
from hris_pipeline_tests.conftest import SPECS

PEOPLE = 23
EVERYTHING = {"fields": ",".join(OPTIONAL)}


class BambooHR:
    """A stand-in of one test's own, and a client with its key."""

    def __init__(self, url, tenant, faults, http):
        self.url, self.tenant, self.faults, self.http = url, tenant, faults, http

    def ask(self, query=None, status=200, path=PATH, **more):
        answer = self.http.get(self.url + path, params=query, **more)
        assert answer.status_code == status
        return answer

    def ids(self, **query):
        return [record["employeeId"] for record in self.ask(query).json()["data"]]


@pytest.fixture
def make():
    with contextlib.ExitStack() as stack:

        def made(tenant=None, **options):
            tenant, faults = tenant or generate(PEOPLE), Faults()
            server = stack.enter_context(serve(bamboohr_app(tenant, faults=faults, **options)))
            http = httpx.Client(
                auth=(API_KEY, "x"), headers={"accept": "application/json"}, timeout=10
            )
            return BambooHR(server.url, tenant, faults, stack.enter_context(http))

        yield made


@pytest.fixture
def bamboohr(make):
    return make()


def refusal(answer):
    return answer.json()["error"]["code"]


def pages(bamboohr, **query):
    """Page after page by the links, which carry the whole query on."""
    answer = bamboohr.ask(query).json()
    yield answer
    while "next" in answer["_links"]:
        answer = bamboohr.http.get(answer["_links"]["next"]["href"]).json()
        yield answer


# --- the door -------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", [("another", "x"), ("", API_KEY), None])
def test_only_the_key_as_the_user_name_opens(bamboohr, auth):
    answer = httpx.get(bamboohr.url + PATH, auth=auth)
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["x-bamboohr-error-message"]


def test_any_password_will_do(bamboohr):
    assert httpx.get(bamboohr.url + PATH, auth=(API_KEY, "anything")).status_code == 200


def test_a_path_that_is_not_there_is_404(bamboohr):
    bamboohr.ask(status=404, path="/api/v1/nothing")


# --- the list of employees ------------------------------------------------------------------------


def test_a_page_holds_250_unless_told_otherwise_and_2500_at_most(make):
    bamboohr = make(generate(300))
    assert len(bamboohr.ids()) == 250
    assert len(bamboohr.ids(**{"page[limit]": 2500})) == 300
    for limit in ("0", "2501", "-1", "many", ""):
        assert refusal(bamboohr.ask({"page[limit]": limit}, 400)) == "BadRequest"


def test_every_page_links_to_the_next_and_the_one_before(bamboohr):
    walked = list(pages(bamboohr, **{"page[limit]": 10, **EVERYTHING}))
    assert [len(page["data"]) for page in walked] == [10, 10, 3]
    assert [page["meta"]["total"] for page in walked] == [PEOPLE] * 3
    assert ["prev" in page["_links"] for page in walked] == [False, True, True]
    assert walked[-1]["meta"]["page"]["nextCursor"] is None
    assert all("workEmail" in record for page in walked for record in page["data"])
    back = bamboohr.http.get(walked[2]["_links"]["prev"]["href"]).json()
    assert back["data"] == walked[1]["data"]


def test_a_cursor_that_is_not_theirs_or_of_the_other_direction_is_refused(bamboohr):
    first, second = (
        page["meta"]["page"] for page in list(pages(bamboohr, **{"page[limit]": 10}))[:2]
    )
    wrong = [
        {"page[after]": "nonsense"},
        {"page[after]": "bm9uc2Vuc2U="},
        {"page[before]": first["nextCursor"]},
        {"page[after]": second["prevCursor"]},
        {"page[after]": first["nextCursor"], "page[before]": second["prevCursor"]},
    ]
    for query in wrong:
        assert refusal(bamboohr.ask(query, 400)) == "BadPage"


def test_a_page_whose_boundary_has_gone_is_refused(bamboohr):
    cursor = bamboohr.ask({"page[limit]": 10}).json()["meta"]["page"]["nextCursor"]
    bamboohr.tenant.remove(10)
    assert refusal(bamboohr.ask({"page[limit]": 10, "page[after]": cursor}, 400)) == "BadPage"


def test_fields_come_by_comma_or_in_brackets_and_of_plain_repeats_only_the_last(bamboohr):
    def extra(query):
        return {name for name in bamboohr.ask(query).json()["data"][0] if name in OPTIONAL}

    assert extra(None) == set()
    assert extra({"fields": "workEmail,hireDate,noSuchField"}) == {"workEmail", "hireDate"}
    assert extra([("fields[]", "workEmail"), ("fields[]", "hireDate")]) == {
        "workEmail",
        "hireDate",
    }
    assert extra([("fields", "workEmail"), ("fields", "hireDate")]) == {"hireDate"}


def test_what_may_not_be_seen_is_null_and_named(make):
    record = (
        make(hidden=("photoUrl", "workEmail", "hireDate"))
        .ask({"fields": "workEmail"})
        .json()["data"][0]
    )
    assert (record["photoUrl"], record["workEmail"]) == (None, None)
    assert record["_restrictedFields"] == ["photoUrl", "workEmail"]


def test_filters_are_joined_and_unknown_ones_are_422(bamboohr):
    assert bamboohr.ids(**{"filter[ids]": "3,5,99"}) == ["3", "5"]
    assert [
        record["employeeId"] for record in bamboohr.ask([("filter[ids][]", "3")]).json()["data"]
    ] == ["3"]
    bamboohr.tenant.change(5, status="INACTIVE")
    assert bamboohr.ids(**{"filter[ids]": "3,5", "filter[status]": "active"}) == ["3"]
    assert bamboohr.ids(**{"filter[workEmail]": "PERSON.12@"}) == ["12"]
    assert refusal(bamboohr.ask({"filter[status]": "gone"}, 400)) == "BadRequest"
    for name in ("teams", "noSuchField"):
        bamboohr.ask({f"filter[{name}]": "1"}, 422)


def test_whoever_is_filtered_or_sorted_by_what_may_not_be_seen_is_left_out(make):
    bamboohr = make(hidden=("lastName", "workEmail"))
    assert bamboohr.ids(**{"filter[workEmail]": "person"}) == []
    assert bamboohr.ids(sort="lastName") == []


def test_it_sorts_by_a_few_fields_only(bamboohr):
    assert bamboohr.ids(sort="-employeeId")[0] == str(PEOPLE)
    names = [
        record["lastName"]
        for record in bamboohr.ask({"sort": "lastName,-firstName"}).json()["data"]
    ]
    assert names == sorted(names)
    assert refusal(bamboohr.ask({"sort": "hireDate"}, 400)) == "BadRequest"


# --- who changed ----------------------------------------------------------------------------------


def test_changes_say_who_came_who_changed_and_who_is_gone(bamboohr):
    bamboohr.ask()
    since = bamboohr.tenant.snapshot.moment
    bamboohr.tenant.set_date(bamboohr.tenant.snapshot.date.replace(day=9))
    bamboohr.tenant.change(4, first_name="Neu")
    bamboohr.tenant.remove(5)

    def changed(**more):
        found = bamboohr.ask({"since": since.isoformat(), **more}, path=f"{PATH}/changed").json()[
            "employees"
        ]
        return {ref: change["action"] for ref, change in found.items()}

    assert changed().items() >= {"4": "Updated", "5": "Deleted"}.items()
    assert changed(type="deleted") == {"5": "Deleted"}
    assert changed(since="2000-01-01T00:00:00Z")["3"] == "Inserted"
    assert changed(since="2100-01-01T00:00:00Z") == {}


@pytest.mark.parametrize(
    "query", [{}, {"since": "yesterday"}, {"since": "2026-03-02T00:00:00Z", "type": "renamed"}]
)
def test_changes_want_a_date_and_a_known_type(bamboohr, query):
    answer = bamboohr.ask(query, 400, f"{PATH}/changed")
    assert answer.content == b""
    assert answer.headers["x-bamboohr-error-message"]


def test_changes_are_xml_for_whoever_does_not_ask_for_json(bamboohr):
    answer = bamboohr.ask(
        {"since": "2026-03-02T00:00:00Z"}, path=f"{PATH}/changed", headers={"accept": "*/*"}
    )
    assert answer.headers["content-type"].startswith("application/xml")


# --- the vendor's document ------------------------------------------------------------------------

DOCUMENT = SPECS / "bamboohr-public-openapi.latest.yaml"


@functools.cache
def document():
    return yaml.load(
        DOCUMENT.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )


FORMATS = jsonschema.FormatChecker([])
FORMATS.checks("date-time", ValueError)(
    lambda text: dt.datetime.fromisoformat(text).tzinfo is not None
)


def closed(node):
    """The same schema, allowing no property that the document does not name; parts of a whole
    (allOf) are left open.
    """
    if isinstance(node, list):
        return [closed(part) for part in node]
    if not isinstance(node, dict):
        return node
    parts = {
        "allOf": [
            {key: closed(inner) for key, inner in part.items()} for part in node.get("allOf", ())
        ]
    }
    out = {key: closed(inner) for key, inner in node.items()} | (parts if "allOf" in node else {})
    return out | {"unevaluatedProperties": False} if {"properties", "allOf"} & node.keys() else out


@functools.cache
def validator(path, status):
    """Of one answer in the document."""
    schema = document()["paths"][path]["get"]["responses"][status]["content"]["application/json"][
        "schema"
    ]
    schemas = document()["components"]["schemas"]
    named = {
        name: schemas[name]
        for name in schemas
        if name.startswith(("GetEmployees", "Cursor", "Employee-StringCode"))
    }
    part = named.pop("GetEmployeesEmployeeBaseResponse")  # of every employee: to be left open
    root = {
        "components": {"schemas": closed(named) | {"GetEmployeesEmployeeBaseResponse": part}},
        **closed(schema),
    }
    return jsonschema.Draft202012Validator(root, format_checker=FORMATS)


def check(answer, path, status="200"):
    """Validate an answer against the document."""
    # never the instance itself: it holds names
    assert [
        f"{error.json_path}: {error.validator}"
        for error in validator(path, status).iter_errors(answer)
    ] == []


@pytest.mark.vendor_documents
@pytest.mark.parametrize(
    "options",
    [{}, {"hidden": ("workEmail", "photoUrl", "departmentId")}, {"empty_date": "0000-00-00"}],
)
def test_every_page_is_one_that_the_document_describes(make, options):
    people = 0
    for day in (1, 3):
        for page in pages(
            make(load_company(day=day), **options), **{"page[limit]": 100, **EVERYTHING}
        ):
            check(page, PATH)
            people += len(page["data"])
    assert people > 500


@pytest.mark.vendor_documents
def test_every_list_of_changes_is_one_that_the_document_describes(bamboohr):
    for since in ("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z"):
        check(bamboohr.ask({"since": since}, path=f"{PATH}/changed").json(), f"{PATH}/changed")


@pytest.mark.vendor_documents
def test_every_refusal_is_one_that_the_document_describes(bamboohr):
    for query in (
        {"page[limit]": "0"},
        {"page[after]": "nonsense"},
        {"sort": "hireDate"},
        {"filter[status]": "gone"},
    ):
        check(bamboohr.ask(query, 400).json(), PATH, "400")
    assert {"400", "401", "429", "500"} == document()["paths"][PATH]["get"]["responses"].keys() - {
        "200"
    }


@pytest.mark.vendor_documents
def test_the_samples_have_the_fields_that_come_unasked(bamboohr):
    samples = document()["paths"][PATH]["get"]["responses"]["200"]["content"]["application/json"][
        "examples"
    ].values()
    (own,) = {frozenset(record) for record in bamboohr.ask().json()["data"]}
    assert {frozenset(record) for sample in samples for record in sample["value"]["data"]} == {own}
    assert {urlsplit(sample["value"]["_links"]["self"]["href"]).path for sample in samples} == {
        PATH
    }


def test_faults_of_its_own_leave_everything_else_as_it_is(bamboohr):
    bamboohr.faults.add(Fault(PATH, "other_total", value=99), Fault(PATH, "empty_list", after=1))
    assert bamboohr.ask().json()["meta"]["total"] == 99
    assert bamboohr.ids() == []
    assert len(bamboohr.ids()) == PEOPLE
