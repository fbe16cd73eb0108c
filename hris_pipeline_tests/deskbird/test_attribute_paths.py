"""How an attribute that is an element of a list is read and written, in either dialect."""

import pytest

from hris_pipeline.contracts.writes import Write
from hris_pipeline.deskbird import records
from hris_pipeline.deskbird.dialects import requests_for
from hris_pipeline.deskbird.paths import Path

WORK = 'phoneNumbers[type eq "work"]'


def operations(dialect, value, before):
    write = Write(1, 1, "update_user", "p:1", "u1", set={"phone": value}, before={"phone": before})
    (request,) = requests_for(write, dialect, lambda _: None)
    (operation,) = request.body["Operations"]
    return request.forms, operation


@pytest.mark.parametrize(
    ("dialect", "value", "before", "form", "operation"),
    [
        (
            "rfc",
            "1",
            None,
            "add",
            {"op": "add", "path": "phoneNumbers", "value": [{"type": "work", "value": "1"}]},
        ),
        ("rfc", "2", "1", "replace", {"op": "replace", "path": f"{WORK}.value", "value": "2"}),
        ("rfc", None, "1", "remove", {"op": "remove", "path": WORK}),
        ("entra", "1", None, "add", {"op": "Add", "path": f"{WORK}.value", "value": "1"}),
        ("entra", "2", "1", "replace", {"op": "Replace", "path": f"{WORK}.value", "value": "2"}),
        ("entra", None, "1", "remove", {"op": "Remove", "path": f"{WORK}.value"}),
    ],
)
def test_a_phone_is_written_as_the_element_of_a_list(dialect, value, before, form, operation):
    assert operations(dialect, value, before) == ((f"user_element.{form}",), operation)


def test_a_creation_brings_both_along():
    write = Write(
        1, 1, "create_user", "p:1", None, set={"email": "a@b.test", "title": "Buyer", "phone": "1"}
    )
    (post,) = requests_for(write, "rfc", lambda _: None)
    assert post.body["title"] == "Buyer"
    assert post.body["phoneNumbers"] == [{"type": "work", "value": "1"}]


@pytest.mark.parametrize(
    ("given", "phone"),
    [
        ('[{"type": "mobile", "value": "2"}, {"type": "Work", "value": "1"}]', "1"),
        ('[{"type": "mobile", "value": "2"}]', None),
        ('[{"type": "work"}]', None),
        ('"1"', None),
        ("null", None),
        ("[null, 7]", None),
    ],
)
def test_only_the_work_phone_is_read(given, phone):
    user = records.one(
        f'{{"id": "u1", "title": "Buyer", "phoneNumbers": {given}}}'.encode(), "", records.User
    )
    assert user.named(("title", "phone")) == {"title": "Buyer", "phone": phone}


def test_an_odd_record_is_read_all_the_same():
    user = records.one(b'{"id": 7, "TITLE": "Buyer", "phoneNumbers": []}', "", records.User)
    assert user.named(("title",)) == {"title": "Buyer"}


def test_a_path_of_another_form_is_refused():
    with pytest.raises(ValueError, match="a b"):
        Path.of("a b")
