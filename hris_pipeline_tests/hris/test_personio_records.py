"""Single records of both generations, in all the forms they may come in."""

import resource
import stat

import msgspec
import pytest
from msgspec import UNSET

from hris_pipeline.errors import HrisError
from hris_pipeline.hris import extract
from hris_pipeline.hris.extract import EmployeeFile, prove_by_total
from hris_pipeline.hris.systems.personio import v1, v2


def envelope(value):
    return {"label": "L", "value": value, "type": "standard", "universal_id": "u"}


def v1_page(*people, total=None):
    data = [
        {"type": "Employee", "attributes": {key: envelope(value) for key, value in person.items()}}
        for person in people
    ]
    return {
        "success": True,
        "metadata": {"total_elements": len(people) if total is None else total},
        "data": data,
    }


ALL_KINDS = ("team", "department", "cost_center", "location", "legal_entity")
NAMED = {"email": "ada@example.com", "first_name": "Ada", "last_name": "L", "status": "active"}


@pytest.fixture
def v1_rows(scripted, rows):
    def read(*people, kinds=ALL_KINDS):
        employees, units = scripted({"/v1/company/employees": v1_page(*people)}).read(
            "v1", kinds=kinds
        )
        return rows(employees.path), rows(units.path)

    return read


# --- v1 -------------------------------------------------------------------------------------------


def test_c13_an_absent_key_is_not_null_and_null_is_not_an_error(v1_rows):
    unit = {"type": "Team", "attributes": {"id": 5, "name": "T"}}
    found, _ = v1_rows(
        {"id": 1, **NAMED, "supervisor": None, "team": None, "cost_centers": []},
        {"id": 2, **NAMED, "supervisor": "", "team": "", "cost_centers": [unit, unit]},
        {"id": 3, **NAMED, "supervisor": [], "team": unit, "hire_date": ""},
        kinds=("team", "cost_center"),
    )
    assert [row["manager_id"] for row in found] == [None, None, None]
    assert [row["groups"] for row in found] == [
        [],
        [{"kind": "cost_center", "id": "5"}],
        [{"kind": "team", "id": "5"}],
    ]
    assert [row["start_date"] for row in found] == [None, None, None]
    assert [row["absent"] for row in found] == [
        ["start_date", "end_date"],
        ["start_date", "end_date"],
        ["end_date", "cost_center"],
    ]


def test_c20_text_is_kept_as_it_was_given(v1_rows):
    texts = [
        "\U0001f469\u200d\U0001f680 Zo\u00eb",
        "\u05d0\u05d1\u05d2",
        "Mu\u0308ller",
        "M\u00fcller",
        "a\u200bb",
        "a\x00b",
        " x ",
    ]
    note = "n" * 10_000_000
    people = [
        {"id": i, **NAMED, "last_name": text, "dynamic_1": note if not i else ""}
        for i, text in enumerate(texts)
    ]
    found, _ = v1_rows(*people)
    assert [row["family_name"] for row in found] == texts
    assert found[0]["id"] == "0"


def test_numbers_stand_for_text_and_text_for_numbers(v1_rows):
    boss = {"type": "Employee", "attributes": {"id": envelope("7")}}
    found, units = v1_rows(
        {
            "id": "11",
            **NAMED,
            "first_name": 4711,
            "supervisor": boss,
            "team": {"attributes": {"id": "5", "name": 2026}},
        },
        {"id": 12, **NAMED, "team": {"attributes": {"id": 0}}},
        kinds=("team",),
    )
    assert [row["id"] for row in found] == ["11", "12"]
    assert (found[0]["given_name"], found[0]["manager_id"]) == ("4711", "7")
    assert [row["groups"] for row in found] == [
        [{"kind": "team", "id": "5"}],
        [{"kind": "team", "id": "0"}],
    ]
    assert [(unit["id"], unit["name"]) for unit in units] == [("5", "2026"), ("0", None)]


@pytest.mark.parametrize(
    "value", ["2014-11-09T00:00:00+01:00", "2014-11-09 00:00:00+01:00", "2012-02-01T00:00:00+0100"]
)
def test_dates_are_passed_on_as_text(v1_rows, value):
    found, _ = v1_rows({"id": 1, **NAMED, "hire_date": value, "termination_date": value})
    assert (found[0]["start_date"], found[0]["end_date"]) == (value, value)


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        b"{}",
        b"",
        b"null",
        b'{"success":true}',
        b'{"success":true,"data":{}}',
        b'{"success":true,"data":[{"attributes":{}}]}',
        b'{"success":true,"data":[{"attributes":{"id":{"value":null}}}]}',
        (
            b'{"success":true,"data":[{"attributes":{"id":{"value":1},'
            b'"team":{"value":"secret team"}}}]}'
        ),
        (
            b'{"success":true,"data":[{"attributes":{"id":{"value":1},'
            b'"email":{"value":{"secret":1}}}}]}'
        ),
        b'{"success":false,"error":{"code":3,"message":"secret"}}',
        b'{"success":true,"data":[\xff]}',
    ],
)
def test_c07_an_answer_of_another_shape_is_an_error_without_values(scripted, answer):
    account = scripted({"/v1/company/employees": answer})
    with pytest.raises(
        HrisError,
        match=r"^Personio connection 'personio' answered .* at /v1/company/employees \(page 1\)",
    ) as caught:
        account.read("v1")
    assert "secret" not in str(caught.value)
    assert not list(account.directory.iterdir())


@pytest.mark.parametrize("metadata", [None, {}, {"total_elements": None}, {"total_elements": "x"}])
def test_without_a_total_nothing_is_proven(scripted, metadata):
    people = {**v1_page({"id": 1, **NAMED}), "metadata": metadata}
    empty = v1_page()
    answers = {"/v1/company/employees": empty}
    query = "limit=100&offset=0&" + "&".join(
        f"attributes%5B%5D={key}" for key in v1.ATTRIBUTES.values()
    )
    answers[f"/v1/company/employees?{query}"] = people
    employees, _ = scripted(answers).read("v1", kinds=())
    assert (employees.records, employees.proof) == (1, "unproven")


def test_a_smaller_page_than_asked_for_is_read_on_from_its_end(scripted):
    answers = {}
    keys = "&".join(f"attributes%5B%5D={key}" for key in v1.ATTRIBUTES.values())
    for offset in (0, 2, 4):
        people = [{"id": i, **NAMED} for i in range(offset, min(offset + 2, 5))]
        answers[f"/v1/company/employees?limit=100&offset={offset}&{keys}"] = {
            **v1_page(*people, total=5),
            "limit": 2,
        }
    employees, _ = scripted(answers).read("v1", kinds=())
    assert (employees.records, employees.proof, employees.pages) == (5, "proven", 3)


# --- v2 -------------------------------------------------------------------------------------------


def employment(**more):
    return msgspec.convert({"id": "e", **more}, v2.Employment)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, UNSET),
        ({"employment_end_date": None}, None),
        ({"termination": None}, None),
        ({"termination": {}}, UNSET),
        ({"termination": {}, "employment_end_date": "2026-05-31"}, "2026-05-31"),
        (
            {
                "termination": {"termination_date": "2026-03-31"},
                "employment_end_date": "2026-05-31",
            },
            "2026-03-31",
        ),
        (
            {"termination": {"termination_date": None}, "employment_end_date": "2026-05-31"},
            "2026-05-31",
        ),
        (
            {"termination": {"termination_date": "2026-03-31"}, "employment_end_date": None},
            "2026-03-31",
        ),
    ],
)
def test_the_termination_date_goes_before_the_employments_end(given, expected):
    assert (
        v2.end_date(employment(**given)) is expected or v2.end_date(employment(**given)) == expected
    )


def test_a_person_without_employments_is_one_row_with_a_status_of_its_own(scripted, rows):
    person = {
        "id": "9",
        "email": "ada@example.com",
        "first_name": "Ada",
        "last_name": "L",
        "status": "INACTIVE",
        "employments": [],
    }
    account = scripted(
        {"/v2/persons": {"_data": [person]}, "/v2/persons/9/employments": {"_data": []}}
    )
    employees, _ = account.read("v2", kinds=())
    (row,) = rows(employees.path)
    assert (row["id"], row["employment_id"], row["status"], row["manager_id"], row["groups"]) == (
        "9",
        None,
        "INACTIVE",
        None,
        [],
    )
    assert row["absent"] == []
    assert employees.proof == "proven"


def test_units_of_other_types_and_kinds_are_left_out(scripted, rows):
    person = {
        "id": "9",
        "email": "ada@example.com",
        "first_name": "Ada",
        "last_name": "L",
        "status": "ACTIVE",
    }
    one = {
        "id": "e",
        "status": "LEAVE",
        "org_units": [
            {"type": "TEAM", "id": 4},
            {"type": "department", "id": "5"},
            {"type": "squad", "id": "6"},
            {"id": "7"},
        ],
        "cost_centers": [{"id": "c1", "weight": 60}, {"id": "c2", "weight": 30}],
        "office": {"id": "1"},
        "supervisor": {"id": 3},
    }
    account = scripted(
        {
            "/v2/persons": {"data": [person], "meta": {"links": {"next": None}}},
            "/v2/persons/9/employments": {"data": [one]},
            "/v2/org-units": {"_data": [{"id": 4, "name": "T", "parent_id": 3}]},
            "/v2/cost-centers": {"_data": []},
        }
    )
    employees, units = account.read("v2", kinds=("team", "cost_center"))
    (row,) = rows(employees.path)
    assert [tuple(group.values()) for group in row["groups"]] == [
        ("team", "4"),
        ("cost_center", "c1"),
        ("cost_center", "c2"),
    ]
    assert (row["manager_id"], row["status"]) == ("3", "LEAVE")
    assert set(row["absent"]) == {"start_date", "end_date"}
    assert rows(units.path) == [{"kind": "team", "id": "4", "name": "T", "parent_id": "3"}]


def test_many_employments_come_in_pages(scripted, rows):
    person = {
        "id": "9",
        "email": "ada@example.com",
        "first_name": "Ada",
        "last_name": "L",
        "status": "ACTIVE",
    }
    path = "/v2/persons/9/employments"
    account = scripted(
        {
            "/v2/persons": {"_data": [person]},
            path: {
                "_data": [{"id": "b", "status": "ACTIVE"}],
                "_meta": {"links": {"next": {"href": f"{path}?cursor=2"}}},
            },
            f"{path}?cursor=2": {"_data": [{"id": "a", "status": "INACTIVE"}]},
        }
    )
    employees, _ = account.read("v2", kinds=())
    assert [(row["employment_id"], row["status"]) for row in rows(employees.path)] == [
        ("b", "ACTIVE"),
        ("a", "INACTIVE"),
    ]
    assert employees.records == 1


@pytest.mark.parametrize(
    "href",
    [
        "http://127.0.0.1:1/v2/persons?cursor=2",
        "//example.com/x",
        "https://127.0.0.1/v2/persons",
        "ftp://x",
        "http://[::1",
    ],
)
def test_a_link_that_leads_elsewhere_is_refused(scripted, href):
    account = scripted(
        {"/v2/persons": {"_data": [{"id": "9"}], "_meta": {"links": {"next": {"href": href}}}}}
    )
    with pytest.raises(HrisError, match=r"gave a link .*after /v2/persons \(page 1\)"):
        account.read("v2", kinds=())


def test_a_link_with_a_login_in_it_is_refused(scripted):
    page = {"_data": [{"id": "9"}], "_meta": {"links": {"next": {"href": ""}}}}
    account = scripted({"/v2/persons": page})
    page["_meta"]["links"]["next"]["href"] = (
        account.url.replace("//", "//me:secret@") + "/v2/persons?cursor=2"
    )
    with pytest.raises(HrisError, match="another host") as caught:
        account.read("v2", kinds=())
    assert "secret" not in str(caught.value)


def test_c05_empty_pages_that_lead_in_a_ring_come_to_an_end(scripted):
    page = {"_data": [], "_meta": {"links": {"next": {"href": "/v2/persons?cursor=1"}}}}
    with pytest.raises(HrisError, match="that it had given before"):
        scripted({"/v2/persons": page}).read("v2", kinds=())


def test_a_redirect_is_not_followed(personio):
    account = personio()
    account.fault("/v2/persons", "status", value=302)
    with pytest.raises(
        HrisError, match=r"redirect \(HTTP 302\) at /v2/persons \(page 1\).*base_url"
    ):
        account.read("v2")


@pytest.mark.parametrize(
    "answer",
    [
        b"{}",
        b"[]",
        b'{"_data":{}}',
        b'{"_data":[{}]}',
        b'{"_data":[{"id":"1","email":["secret"]}]}',
    ],
)
def test_c07_a_v2_answer_of_another_shape_is_an_error_without_values(scripted, answer):
    with pytest.raises(HrisError, match=r"answered .* at /v2/persons \(page 1\)") as caught:
        scripted({"/v2/persons": answer}).read("v2", kinds=())
    assert "secret" not in str(caught.value)


def test_an_employment_without_a_status_has_the_persons(scripted, rows):
    person = {
        "id": "9",
        "email": "ada@example.com",
        "first_name": "Ada",
        "last_name": "L",
        "status": "INACTIVE",
    }
    listed = {"_data": [{"id": "b"}, {"id": "a", "status": "ACTIVE"}]}
    employees, _ = scripted(
        {"/v2/persons": {"_data": [person]}, "/v2/persons/9/employments": listed}
    ).read("v2", kinds=())
    assert [row["status"] for row in rows(employees.path)] == ["INACTIVE", "ACTIVE"]


def test_a_status_nobody_may_read_is_an_error(scripted):
    person = {"id": "9", "email": "ada@example.com", "first_name": "Ada", "last_name": "L"}
    account = scripted(
        {"/v2/persons": {"_data": [person]}, "/v2/persons/9/employments": {"_data": [{"id": "e"}]}}
    )
    with pytest.raises(HrisError, match="'Status'"):
        account.read("v2", kinds=())


# --- the file -------------------------------------------------------------------------------------


def columns(*ids, **more):
    return {"id": list(ids), "email": [None] * len(ids), **more}


def test_batches_are_bounded_and_nothing_is_lost_between_them(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(extract, "BATCH", 4)
    with EmployeeFile(tmp_path, ("id", "email"), ("team",)) as file:
        for start in range(0, 9, 3):
            ids = [str(i) for i in range(start, start + 3)]
            file.add(columns(*ids, email=[UNSET, "", "x"]), {"team": [["a", "b"], UNSET, None]})
    found = rows(tmp_path / "employees.arrow")
    assert [row["id"] for row in found] == [str(i) for i in range(9)]
    assert [row["email"] for row in found] == [None, None, "x"] * 3
    assert [row["absent"] for row in found] == [["email"], ["team"], []] * 3
    assert [len(row["groups"]) for row in found] == [2, 0, 0] * 3


def test_a_system_that_omits_empty_keys_has_only_vanished_ones_unknown(tmp_path, rows):
    with EmployeeFile(tmp_path, ("id", "email", "status"), ("team",), omits_empty=True) as file:
        file.add(
            columns("1", "2", email=[UNSET, "x"], status=[UNSET, UNSET]), {"team": [UNSET, UNSET]}
        )
    assert [row["absent"] for row in rows(tmp_path / "employees.arrow")] == [["status", "team"]] * 2
    assert file.vanished == ("status", "team")


def test_nothing_stays_when_reading_ends_in_an_error(tmp_path):
    with pytest.raises(KeyError), EmployeeFile(tmp_path, ("id", "email"), ("team",)) as file:
        file.add(columns("1"), {})
    assert not list(tmp_path.iterdir())


def test_an_older_file_that_others_may_read_is_replaced(tmp_path):
    path = tmp_path / "employees.arrow"
    path.touch(0o644)
    with EmployeeFile(tmp_path, ("id", "email"), ()) as file:
        file.add(columns("1"), {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.fixture
def small_disk():
    """Lets no file become longer than 2,000 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_sentence(tmp_path, small_disk):
    with (
        pytest.raises(HrisError, match=r"could not be written to .*File too large"),
        EmployeeFile(tmp_path, ("id", "email"), ()) as file,
    ):
        file.add(columns(*(str(i) for i in range(3000))), {})
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(HrisError, match=r"could not be written to .*No such file or directory"):
        EmployeeFile(tmp_path / "nowhere", ("id", "email"), ()).__enter__()


@pytest.mark.parametrize(
    ("read", "duplicates", "expected", "proof"),
    [
        (5, 0, 5, "proven"),
        (4, 0, 5, "unproven"),
        (6, 0, 5, "unproven"),
        (5, 1, 5, "unproven"),
        (5, 0, None, "unproven"),
        (0, 0, 0, "unproven"),
    ],
)
def test_c03_a_total_proves_only_what_it_equals(read, duplicates, expected, proof):
    assert prove_by_total(read, duplicates, expected, "Personio")[0] == proof
