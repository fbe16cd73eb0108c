"""The rule language: what each form means, and one sentence for each mistake."""

import datetime as dt
import doctest
from typing import Any

import pytest
import yaml

from hris_pipeline.rules import Rule, Vocabulary, language, parse
from hris_pipeline.rules.language import Condition, Days, FromToday, Nothing, Text

WORDS = Vocabulary(("personio", "hr"), ("team", "department", "location"))
DATES = (
    'must be a date such as 2027-01-31 or "before 2027-01-31" (also: after, on or before, on or '
    'after), "between 2027-01-01 and 2027-01-31", "in the last 30 days", "in the next 14 days" or '
    "none"
)
KNOWN = (
    "Known: hris_ref, connection, email, email_domain, status, start_date, end_date, team, "
    "department, location."
)


def rule(text: str) -> Rule:
    found, mistakes = parse(yaml.safe_load(text), WORDS)
    assert mistakes == []
    return found


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


MISTAKES: dict[str, tuple[str, tuple[Any, ...], str]] = {
    "no mapping": ("Sales", (), "must hold conditions, such as {department: Sales}"),
    "a list": ("[Sales]", (), "must hold conditions, such as {department: Sales}"),
    "an empty rule": (
        "{}",
        (),
        (
            "must hold at least one condition, such as {department: Sales}: empty, it would be "
            "about everybody"
        ),
    ),
    "a misspelt key": (
        "{departmnt: Sales}",
        ("departmnt",),
        f"is nothing that rules can ask for. Did you mean department? {KNOWN}",
    ),
    "a kind that no system delivers": (
        "{cost_center: A}",
        ("cost_center",),
        f"is nothing that rules can ask for. {KNOWN}",
    ),
    "a name": (
        "{family_name: Doe}",
        ("family_name",),
        f"is nothing that rules can ask for. {KNOWN}",
    ),
    "no value": ("{team: }", ("team",), "must name a value; none means people who have none"),
    "null": ("{team: null}", ("team",), "must name a value; none means people who have none"),
    "an empty list": ("{team: []}", ("team",), "must name at least one value"),
    "a number": ("{team: 0010}", ("team",), "must be text or a list of texts; put it in quotes"),
    "a country that YAML takes for false": (
        "{location: [DE, NO]}",
        ("location", 1),
        "must be text or a list of texts; put it in quotes",
    ),
    "a mapping": (
        "{team: {name: A}}",
        ("team",),
        "must be text or a list of texts; put it in quotes",
    ),
    "a list in a list": (
        "{team: [[A]]}",
        ("team", 0),
        "must be text or a list of texts; put it in quotes",
    ),
    "blank": ('{team: "  "}', ("team",), "must be text on one line, without control characters"),
    "two lines": (
        '{team: "A\\nB"}',
        ("team",),
        "must be text on one line, without control characters",
    ),
    "a null character": (
        '{team: "A\\0"}',
        ("team",),
        "must be text on one line, without control characters",
    ),
    "a reference": (
        '{team: "${TEAM}"}',
        ("team",),
        (
            "cannot be a reference, because rules are needed before a run starts: write the value "
            "itself"
        ),
    ),
    "a status that is none": (
        "{status: [active, onleave]}",
        ("status", 1),
        "must be upcoming, active, on_leave or ended. Did you mean on_leave?",
    ),
    "no status": ("{status: none}", ("status",), "must be upcoming, active, on_leave or ended."),
    "an unknown connection": (
        "{connection: person}",
        ("connection",),
        "names no connection of this file. Did you mean personio? Known: personio, hr.",
    ),
    "an hris_ref without a connection": (
        '{hris_ref: "4711"}',
        ("hris_ref",),
        "must be an hris_ref, <connection>:<id>, such as personio:1234",
    ),
    "an hris_ref of another connection": (
        '{hris_ref: "x:1"}',
        ("hris_ref",),
        "must be an hris_ref, <connection>:<id>, such as personio:1234",
    ),
    "an hris_ref without an id": (
        '{hris_ref: "hr:"}',
        ("hris_ref",),
        "must be an hris_ref, <connection>:<id>, such as personio:1234",
    ),
    "no hris_ref": (
        "{hris_ref: none}",
        ("hris_ref",),
        "must be an hris_ref, <connection>:<id>, such as personio:1234",
    ),
    "a domain as an address": (
        "{email: acme.com}",
        ("email",),
        (
            "must be an e-mail address, in which * stands for any characters; for a domain use "
            "email_domain"
        ),
    ),
    "an address as a domain": (
        '{email_domain: "@acme.com"}',
        ("email_domain",),
        "must be a domain without @, such as acme.com or *.acme.com",
    ),
    "a domain without a dot": (
        "{email_domain: acme}",
        ("email_domain",),
        "must be a domain without @, such as acme.com or *.acme.com",
    ),
    "a day that is no date": ("{start_date: soon}", ("start_date",), DATES),
    "an unknown word before a date": ('{start_date: "since 2027-01-01"}', ("start_date",), DATES),
    "a date the German way": ('{start_date: "31.01.2027"}', ("start_date",), DATES),
    "a number for a date": ("{start_date: 2027}", ("start_date",), DATES),
    "a moment": ("{start_date: 2027-01-31T00:00:00Z}", ("start_date",), DATES),
    "a day that does not exist": (
        '{end_date: ["before 2027-02-30"]}',
        ("end_date", 0),
        "holds a day that the calendar does not have; a date is written year-month-day",
    ),
    "month and day the wrong way round": (
        '{end_date: "on 2027-31-01"}',
        ("end_date",),
        "holds a day that the calendar does not have; a date is written year-month-day",
    ),
    "the end before the beginning": (
        '{end_date: "between 2027-02-01 and 2027-01-01"}',
        ("end_date",),
        "ends before it begins",
    ),
    "before the first day of all": (
        '{end_date: "before 0001-01-01"}',
        ("end_date",),
        "leaves no day",
    ),
    "after the last day of all": (
        '{end_date: "after 9999-12-31"}',
        ("end_date",),
        "leaves no day",
    ),
    "in the last no days": (
        '{end_date: "in the last 0 days"}',
        ("end_date",),
        "must be between 1 and 36500 days",
    ),
    "in the next thousand years": (
        '{end_date: "in the next 99999 days"}',
        ("end_date",),
        "must be between 1 and 36500 days",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_each_mistake_has_its_place_and_its_sentence(case: str) -> None:
    text, place, sentence = MISTAKES[case]
    assert parse(yaml.safe_load(text), WORDS)[1] == [(place, sentence)]


def test_every_mistake_of_a_rule_is_told() -> None:
    _, mistakes = parse({"tema": "A", "status": ["gone", "active"], "team": []}, WORDS)
    assert [place for place, _ in mistakes] == [("tema",), ("status", 0), ("team",)]


TESTS: dict[str, tuple[str, Any]] = {
    "team: Sales": ("team", Text("Sales")),
    'team: " Sales "': ("team", Text("Sales")),
    "team: none": ("team", Nothing()),
    "team: None": ("team", Text("None")),
    'team: "*"': ("team", Text("*")),
    "email: none": ("email", Nothing()),
    'email: "*@acme.com"': ("email", Text("*@acme.com")),
    'email_domain: "*.acme.com"': ("email_domain", Text("*.acme.com")),
    'hris_ref: "hr:*"': ("hris_ref", Text("hr:*")),
    "start_date: 2027-01-31": ("start_date", Days(day("2027-01-31"), day("2027-01-31"))),
    'start_date: "2027-01-31"': ("start_date", Days(day("2027-01-31"), day("2027-01-31"))),
    "start_date: on 2027-01-31": ("start_date", Days(day("2027-01-31"), day("2027-01-31"))),
    "start_date: before 2027-01-31": ("start_date", Days(None, day("2027-01-30"))),
    "start_date: AFTER   2027-01-31": ("start_date", Days(day("2027-02-01"), None)),
    "start_date: on or before 2027-01-31": ("start_date", Days(None, day("2027-01-31"))),
    "start_date: on or after 2027-01-31": ("start_date", Days(day("2027-01-31"), None)),
    "end_date: between 2027-01-01 and 2027-01-31": (
        "end_date",
        Days(day("2027-01-01"), day("2027-01-31")),
    ),
    "end_date: in the last 30 days": ("end_date", FromToday(-30, 0)),
    "end_date: within the next 1 day": ("end_date", FromToday(0, 1)),
    "end_date: none": ("end_date", Nothing()),
}


@pytest.mark.parametrize("text", TESTS)
def test_each_form_has_its_meaning(text: str) -> None:
    attribute, test = TESTS[text]
    assert rule(f"{{{text}}}") == Rule((Condition(attribute, (test,)),))


def test_a_list_means_any_of_these_and_all_keys_must_hold() -> None:
    assert rule('{department: [Sales, "Customer *"], location: Berlin}') == Rule(
        (
            Condition("department", (Text("Sales"), Text("Customer *"))),
            Condition("location", (Text("Berlin"),)),
        )
    )


@pytest.mark.parametrize("text", TESTS)
def test_a_rule_in_words_says_the_same_when_it_is_read_again(text: str) -> None:
    found = rule(f"{{{text}}}")
    attribute, _, words = str(found).partition(": ")
    assert parse({attribute: words}, WORDS) == (found, [])


def test_a_digest_tells_rules_apart_and_holds_no_word_of_them() -> None:
    one, other = rule("{email: ada@acme.com}"), rule("{email: bob@acme.com}")
    assert one.digest != other.digest
    assert one.digest == rule("{email: ADA@acme.com}").digest
    assert len(one.digest) == 16
    assert "ada" not in one.digest


def test_the_examples_in_the_documentation_hold() -> None:
    assert doctest.testmod(language).failed == 0
