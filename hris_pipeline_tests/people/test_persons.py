"""One person, several records: who is the same, under which id, and what of which record counts."""

import datetime as dt
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people.registry import Record, Registry

ENDED = {"status": "inactive", "end_date": "2026-02-27"}


def ids(found: dict[str, dict[str, Any]]) -> dict[str, tuple[str, list[str]]]:
    """Of each person the primary record and the others."""
    return {person: (row["hris_ref"], row["other_refs"]) for person, row in found.items()}


# --- who is the same ------------------------------------------------------------------------------


def test_c27_a_contractor_who_becomes_an_employee_stays_the_same_person() -> None:
    hr = Registry()
    hr.put("p:contractor", "ada@acme.test")
    assert ids(hr.night()) == {"p:contractor": ("p:contractor", [])}
    hr.change("p:contractor", **ENDED)
    hr.put("p:employee", "Ada@acme.test ", start_date="2026-03-02")
    for _ in range(2):
        found = hr.night()
        assert ids(found) == {"p:contractor": ("p:employee", ["p:contractor"])}
        assert (found["p:contractor"]["status"], found["p:contractor"]["wanted"]) == (
            "active",
            True,
        )
    assert hr.counts.several_records == 1


def test_c28_a_rehire_with_a_new_id_is_the_person_of_old() -> None:
    hr = Registry()
    hr.put("p:9", "ada@acme.test", end_date="2024-01-31")
    hr.night()
    hr.put("p:10", "ada@googlemail.com", start_date="2026-03-01")
    hr.change("p:9", email="ada@gmail.com")
    assert ids(hr.night()) == {"p:9": ("p:10", ["p:9"])}


def test_c29_parallel_employments_under_two_ids_are_one_person_with_one_primary_record() -> None:
    hr = Registry()
    hr.put("p:1", "ada@acme.test", start_date="2019-01-01")
    hr.put("p:2", "ada@acme.test", start_date="2021-01-01")
    hr.put("p:3", "ada@acme.test", start_date="2021-01-01", status="leave")
    for order in (("p:1", "p:2", "p:3"), ("p:3", "p:2", "p:1")):
        assert ids(hr.night(order)) == {"p:2": ("p:2", ["p:1", "p:3"])}


@pytest.mark.parametrize("name", ["ADA byron", "Ada  Byron", " Ada Byron\u200b", "A\u0064a Byron"])
def test_names_are_the_same_whatever_their_case_form_and_blanks(name: str) -> None:
    hr = Registry()
    hr.put("p:1", "ada@acme.test")
    hr.put("p:2", "ada@acme.test", name.strip(" "))
    assert list(hr.night()) == ["p:1"]


def test_names_in_two_forms_of_unicode_are_the_same() -> None:
    hr = Registry()
    hr.put("p:1", "zoe@acme.test", "Zo\u00eb Stra\u00dfe")
    hr.put("p:2", "zoe@acme.test", "ZOE\u0308 STRASSE")
    assert list(hr.night()) == ["p:1"]


def test_c30_homonyms_with_addresses_of_their_own_are_two_people() -> None:
    hr = Registry()
    hr.put("p:1", "ada@acme.test")
    hr.put("p:2", "ada2@acme.test")
    hr.put("q:3", "ada3@acme.test")
    assert set(hr.night()) == {"p:1", "p:2", "q:3"}
    assert hr.query("from state.persons") == []


@pytest.mark.parametrize("other", ["p:2", "q:2"])
def test_c25_an_address_given_to_somebody_else_does_not_make_them_one(other: str) -> None:
    hr = Registry()
    hr.put("p:1", "jsmith@acme.test", "John Smith", **ENDED)
    hr.put(other, "jsmith@acme.test", "Jane Smith")
    assert ids(hr.night()) == {"p:1": ("p:1", []), other: (other, [])}
    assert hr.held() == {}
    assert hr.query("from state.persons") == []


def test_c23_two_people_of_one_connection_who_share_an_address_are_both_held_back() -> None:
    hr = Registry()
    hr.put("p:1", "shared@acme.test", "John Smith")
    hr.put("p:2", "shared@acme.test", "Jane Smith")
    hr.put("q:3", "shared@acme.test", "Joan Smith")  # nor can anybody say whose account this is
    hr.put("p:4", "other@acme.test")
    assert list(hr.night()) == ["p:4"]
    assert hr.held() == {ref: {"email_is_unique"} for ref in ("p:1", "p:2", "q:3")}
    assert hr.query("from state.persons") == []


def test_two_accounts_of_one_company_are_one_person_whatever_the_names() -> None:
    hr = Registry()
    hr.put("p:1", "ada@acme.test", "Augusta Byron")
    hr.put("q:7", "ada@acme.test", "Ada Lovelace", status="leave")
    assert ids(hr.night()) == {"p:1": ("p:1", ["q:7"])}


def test_two_records_of_one_person_do_not_keep_the_other_accounts_record_away() -> None:
    hr = Registry()
    hr.put("p:1", "ada@acme.test", "Ada Byron")
    hr.put("p:2", "ada@acme.test", "Ada Byron")
    hr.put("q:7", "ada@acme.test", "Ada Lovelace")
    assert ids(hr.night()) == {"p:1": ("p:1", ["p:2", "q:7"])}


def test_an_account_elsewhere_does_not_join_two_people_of_one_connection() -> None:
    hr = Registry()
    hr.put("p:1", "one@acme.test", "Ada Byron")
    hr.put("q:1", "one@acme.test", "Ada Byron")
    hr.night()
    hr.change("q:1", email="two@acme.test")
    hr.put("p:2", "two@acme.test", "Mary Somerville")
    assert ids(hr.night()) == {"p:1": ("p:1", ["q:1"])}
    assert hr.held() == {"q:1": {"email_is_unique"}, "p:2": {"email_is_unique"}}


def test_rubbish_in_place_of_an_address_joins_nobody() -> None:
    hr = Registry()
    for number, rubbish in enumerate(("none", "@", "n/a", None, " ")):
        hr.put(f"p:{number}1", rubbish, **ENDED)
        hr.put(f"p:{number}2", rubbish, **ENDED)
        hr.put(f"q:{number}3", rubbish)
    hr.night()
    assert hr.query("from state.persons") == []


def test_records_without_a_name_are_not_joined_for_that() -> None:
    hr = Registry()
    hr.put("p:1", "ada@acme.test", None, **ENDED)
    hr.put("p:2", "ada@acme.test", None, **ENDED)
    assert set(hr.night()) == {"p:1", "p:2"}


def test_records_once_joined_stay_joined() -> None:
    hr = Registry()
    hr.put("p:1", "ada@acme.test")
    hr.put("q:2", "ada@acme.test")
    hr.night()
    hr.change("p:1", email="augusta@acme.test", family_name="King")
    assert ids(hr.night()) == {"p:1": ("p:1", ["q:2"])}
    record = hr.records.pop("p:1")  # deleted in its HRIS
    assert ids(hr.night()) == {"p:1": ("q:2", [])}
    hr.records["p:1"] = record
    assert ids(hr.night()) == {"p:1": ("p:1", ["q:2"])}


def test_two_people_who_turn_out_to_be_one_go_by_the_id_of_the_one_known_first() -> None:
    hr = Registry()
    for ref, address, start in (
        ("p:1", "one@acme.test", "2022-01-01"),
        ("q:2", "two@acme.test", "2020-01-01"),
    ):
        hr.put(ref, address, start_date=start)
        hr.put(f"{ref}0", address, **ENDED)
        hr.night()
    hr.records.pop("q:20")
    hr.change("q:2", email="one@acme.test")
    assert ids(hr.night()) == {"p:1": ("p:1", ["p:10", "q:2"])}
    hr.put("q:20", "two@acme.test", **ENDED)  # a record of the second that was away comes along
    assert ids(hr.night()) == {"p:1": ("p:1", ["p:10", "q:2", "q:20"])}


def test_a_record_that_was_held_back_gives_its_person_the_id_all_the_same() -> None:
    hr = Registry()
    hr.put("p:1", "ada@acme.test", status="sabbatical")
    hr.night()
    hr.change("p:1", **ENDED)
    hr.put("p:0", "ada@acme.test")
    assert ids(hr.night()) == {"p:1": ("p:0", ["p:1"])}


def test_of_ordinary_people_nothing_is_written_down() -> None:
    hr = Registry()
    for number in range(5):
        hr.put(f"p:{number}", f"{number}@acme.test")
    hr.night()
    assert hr.query("from state.persons") == []
    hr.put("q:1", "1@acme.test")
    hr.night()
    first = hr.query("from state.persons order by all")
    assert [row[:2] for row in first] == [("p:1", "p:1"), ("q:1", "p:1")]
    hr.night()
    assert hr.query("from state.persons order by all") == first


# --- which record is the primary one --------------------------------------------------------------

BEST_FIRST = {
    "active": ("active", "2020-01-01"),
    "on leave": ("leave", "2020-01-01"),
    "upcoming": ("active", "2027-01-01"),
    "ended": ("inactive", "2025-01-01"),
}


@pytest.mark.parametrize(
    ("better", "worse"), list(zip(BEST_FIRST, list(BEST_FIRST)[1:], strict=False))
)
def test_the_primary_record_is_the_one_of_the_best_status(better: str, worse: str) -> None:
    hr = Registry()
    for ref, name in (("q:better", better), ("p:worse", worse)):
        status, start = BEST_FIRST[name]
        hr.put(ref, "ada@acme.test", status=status, start_date=start)
    assert ids(hr.night()) == {"q:better": ("q:better", ["p:worse"])}


def test_of_equal_records_the_first_connections_counts_then_latest_start_then_smallest_id() -> None:
    hr = Registry()
    hr.put("q:1", "ada@acme.test", start_date="2025-01-01")
    hr.put("p:3", "ada@acme.test", start_date="2021-01-01")
    hr.put("p:1", "ada@acme.test", start_date=None)
    hr.put("p:2", "ada@acme.test", start_date="2021-01-01")
    assert ids(hr.night()) == {"p:2": ("p:2", ["p:1", "p:3", "q:1"])}
    hr.rule(precedence={"default": ("q",)})
    assert ids(hr.night()) == {"p:2": ("q:1", ["p:1", "p:2", "p:3"])}


# --- what of which record counts ------------------------------------------------------------------


def test_attributes_come_from_the_first_current_record_that_has_a_value() -> None:
    hr = Registry()
    hr.put("p:1", "ada@acme.test", "Ada Byron", **ENDED)
    hr.night()
    hr.put("p:2", "ada@acme.test", "Ada Byron", start_date="2026-01-01")
    hr.put("q:3", "ada@acme.test", "Augusta King", manager_id="8")
    found = hr.night()["p:1"]
    assert (found["hris_ref"], found["other_refs"]) == ("p:2", ["p:1", "q:3"])
    assert (found["given_name"], found["display_name"], found["manager_ref"]) == (
        "Ada",
        "Ada Byron",
        "q:8",
    )
    hr.change("p:2", given_name=None)
    hr.change("q:3", email="augusta@other.test")
    hr.rule(precedence={"default": ("p",), "email": ("q",), "family_name": ("q", "p")})
    found = hr.night()["p:1"]
    assert (found["email"], found["display_name"]) == ("augusta@other.test", "Augusta King")
    assert (found["start_date"], found["hris_ref"]) == (dt.date(2026, 1, 1), "p:2")


def test_groups_are_those_of_all_current_records_and_of_the_last_one_where_none_is() -> None:
    hr = Registry()
    hr.units = {"p:team:1": "Sales", "p:team:2": "Support", "q:team:1": "Agency"}
    hr.put("p:1", "ada@acme.test", groups=(("team", "1"),), **ENDED)
    hr.put("p:2", "ada@acme.test", groups=(("team", "2"),), start_date="2021-01-01")
    hr.put("q:1", "ada@acme.test", groups=(("team", "1"), ("team", "1")))
    assert hr.night()["p:2"]["group_refs"] == ["p:team:2", "q:team:1"]
    assert hr.memberships() == {("p:2", "p:team:2"), ("p:2", "q:team:1")}
    hr.change("p:2", status="inactive", end_date="2026-03-01")
    hr.change("q:1", **ENDED)
    found = hr.night()["p:2"]
    assert (found["hris_ref"], found["status"], found["group_refs"]) == (
        "p:2",
        "ended",
        ["p:team:2"],
    )


def test_c13_an_attribute_is_unknown_where_no_current_record_delivers_it() -> None:
    hr = Registry()
    hr.put("p:1", "ada@acme.test", absent=("team", "manager_id"))
    hr.put("q:1", "ada@acme.test", absent=("team", "location"))
    hr.put("q:2", "ada@acme.test", **ENDED)
    assert hr.night()["p:1"]["unknown"] == ["team"]


def test_a_manager_is_meant_whichever_of_their_records_is_named() -> None:
    hr = Registry()
    hr.put("p:1", "boss@acme.test", "Boss One")
    hr.put("p:2", "boss@acme.test", "Boss One", **ENDED)
    hr.put("q:3", "boss@acme.test", "Boss One", manager_id="4")
    hr.put("p:5", "ada@acme.test", manager_id="2")
    hr.put("q:6", "mary@acme.test", "Mary Somerville", manager_id="3")
    hr.put("q:4", "ceo@acme.test", "Chief One")
    found = hr.night()
    assert {person: row["manager_ref"] for person, row in found.items()} == {
        "p:1": "q:4", "p:5": "p:1", "q:6": "p:1", "q:4": None,
    }  # fmt: skip
    hr.change("p:1", **ENDED)  # another record becomes the primary one, and the person stays
    found = hr.night()
    assert (
        found["p:1"]["hris_ref"],
        found["p:5"]["manager_ref"],
        found["q:6"]["manager_ref"],
    ) == ("q:3", "q:3", "q:3")
    assert hr.lines() == {
        "p:1": ("q:4", None),
        "p:5": ("p:1", None),
        "q:6": ("p:1", None),
        "q:4": (None, None),
    }


def test_c47_who_reports_to_another_record_of_their_own_reports_to_themself() -> None:
    hr = Registry()
    hr.put("p:1", "ada@acme.test", manager_id="2")
    hr.put("p:2", "ada@acme.test", **ENDED)
    found = hr.night()["p:1"]
    assert found["manager_ref"] == found["hris_ref"] == "p:1"
    assert hr.lines()["p:1"][1] == "self"


@pytest.mark.parametrize(
    ("last_day", "tells"),
    [
        # nothing makes anybody stay between two contracts
        ("2026-03-02", ["active", "active", "upcoming", "upcoming"]),
        # from one to the next, where the word turns late
        ("2026-03-03", ["active", "active", "active", "active"]),
    ],
)
def test_c90_what_one_record_made_of_a_person_counts_for_another_on_its_first_day_only(
    last_day: str, tells: list[str]
) -> None:
    hr = Registry()
    hr.now = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    hr.put("p:1", "ada@acme.test", end_date=last_day)
    hr.put("p:2", "ada@acme.test", status="off", start_date="2026-03-04")
    listed = []
    for tell in tells:
        (person,) = hr.night().values()
        assert person["status"] == tell
        listed.append(hr.query("select code from state.contradictions where hris_ref = 'p:2'"))
    assert listed == [[], [], [], [("ended_on_first_day",)]]


# --- a record that is held back -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ({"status": "sabbatical"}, "status_is_known"),
        ({"email": "ada@acme"}, "email_is_valid"),
        ({"given_name": None, "family_name": " "}, "name_is_present"),
        ({"start_date": "soon"}, "dates_are_readable"),
    ],
)
def test_a_record_held_back_leaves_the_persons_others_alone(
    broken: dict[str, Any], rule: str
) -> None:
    hr = Registry()
    hr.units = {"p:team:1": "Sales", "q:department:1": "Agency"}
    hr.put("p:1", "ada@acme.test", groups=(("team", "1"),), manager_id="5")
    hr.put("q:2", "ada@acme.test", groups=(("department", "1"),), manager_id="6")
    hr.night()
    hr.change("p:1", **broken)
    found = hr.night()
    assert hr.held() == {"p:1": {rule}}
    assert ids(found) == {"p:1": ("q:2", ["p:1"])}
    person = found["p:1"]
    assert (person["status"], person["email"], person["group_refs"]) == (
        "active",
        "ada@acme.test",
        ["q:department:1"],
    )
    # nothing is concluded from what would have come from the record that is held back
    assert {"team", "manager_id"} < set(person["unknown"])
    assert ("email" in person["unknown"]) == ("email" in broken or rule != "email_is_valid")
    assert ("given_name" in person["unknown"]) == (rule != "name_is_present")


def test_c14_nobody_seems_to_have_left_because_the_other_record_is_held_back() -> None:
    hr = Registry()
    hr.put("p:1", "ada@acme.test", **ENDED)
    hr.put("p:2", "ada@acme.test")
    hr.night()
    hr.change("p:2", status="sabbatical")
    assert hr.night() == {}
    assert hr.held() == {"p:1": {"other_records_are_sound"}, "p:2": {"status_is_known"}}
    hr.change("p:2", status="active")
    assert ids(hr.night()) == {"p:2": ("p:2", ["p:1"])}
    assert hr.held() == {}


# --- laws -----------------------------------------------------------------------------------------

REFS = ("p:1", "p:2", "p:3", "q:1", "q:2", "r:1")
RECORDS = st.dictionaries(
    st.sampled_from(REFS),
    st.builds(
        Record,
        email=st.sampled_from(["a@x.test", "b@x.test", "A@x.test ", "rubbish", None]),
        given_name=st.sampled_from(["Ada", "Mary"]),
        family_name=st.just("Byron"),
        status=st.sampled_from(["active", "active", "leave", "inactive", "sabbatical"]),
        start_date=st.sampled_from(["2020-01-01", "2021-01-01", "2027-01-01", None]),
    ),
)
_LAWS = settings(deadline=None, derandomize=True, database=None)


def apart(families: list[dict[str, Record]]) -> dict[str, Record]:
    """Many small worlds at once, which have nothing in common: quicker than one after the other."""
    return {
        f"{ref}.{number}": replace(
            record, email=record.email and record.email.replace("x.test", f"x{number}.test")
        )
        for number, records in enumerate(families)
        for ref, record in records.items()
    }


def person_of(hr: Registry) -> dict[str, str]:
    """Which person each record of tonight belongs to, those held back included."""
    stored = dict(hr.query("select hris_ref, person_id from state.persons"))
    return {ref: stored.get(ref, ref) for ref in hr.records}


@settings(_LAWS, max_examples=6)
@given(
    nights=st.lists(st.lists(RECORDS, min_size=12, max_size=12), min_size=2, max_size=3),
    random=st.randoms(use_true_random=False),
)
def test_every_record_is_one_persons_whatever_the_order_and_for_ever(
    nights: list[list[dict[str, Record]]], random: Random
) -> None:
    one, other = Registry("p", "q", "r"), Registry("p", "q", "r")
    known: dict[str, str] = {}  # of last night, and of those who had several records ever
    for families in nights:
        one.records = other.records = apart(families)
        found = one.night()
        assert found == other.night(random.sample(list(other.records), len(other.records)))
        belongs = person_of(one)
        assert belongs == person_of(other)

        # each record is in one person or held back, and each person is known by one id
        refs = [ref for row in found.values() for ref in (row["hris_ref"], *row["other_refs"])]
        assert len(refs) == len(set(refs))
        assert set(refs) | set(one.held()) == set(one.records)
        for person, row in found.items():
            assert {belongs[ref] for ref in (row["hris_ref"], *row["other_refs"])} == {person}

        # who was one person stays one, and goes by an id that one of the records had
        for person in set(belongs.values()):
            before = {known[ref] for ref in belongs if belongs[ref] == person and ref in known}
            assert not before or person in before
        for earlier in set(known.values()):
            assert len({belongs[ref] for ref in belongs if known.get(ref) == earlier}) <= 1
        stored = dict(one.query("select hris_ref, person_id from state.persons"))
        known = belongs | stored

    # nobody becomes another one for being looked at again
    state = one.query("from state.persons order by all")
    one.now -= dt.timedelta(days=1)
    assert one.night() == found
    assert one.query("from state.persons order by all") == state


@settings(_LAWS, max_examples=6)
@given(records=RECORDS.filter(bool), others=st.lists(RECORDS, min_size=5, max_size=5))
def test_other_peoples_records_change_nothing_about_a_person(
    records: dict[str, Record], others: list[dict[str, Record]]
) -> None:
    hr, crowd = Registry("p", "q", "r"), Registry("p", "q", "r")
    hr.records, crowd.records = apart([records]), apart([records, *others])
    alone, among_others = hr.night(), crowd.night()
    assert {person: row for person, row in among_others.items() if person.endswith(".0")} == alone
