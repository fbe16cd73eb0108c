"""What rows mean: people and their contracts, managers by id and by e-mail, groups with and without
ids, what is not mapped.
"""

import json

import pytest

from hris_pipeline.hris.systems import files
from hris_pipeline_tests.hris.feed import ADA, BOB, HEADER, of, packed, text

EVE = ("0019", "eve@acme.test", "Eve", "Eich")


def teams(row, kind="team"):
    return [group["id"] for group in row["groups"] if group["kind"] == kind]


# --- rows and people ------------------------------------------------------------------------------


def test_c102_rows_of_one_person_that_contradict_each_other_are_all_written_and_told(feed):
    feed.put(text(ADA, BOB, (*ADA[:3], "Other"), EVE))
    employees, _ = feed.extracts()
    assert [of(row, "id", "family_name") for row in feed.people()] == [
        ("0018", "Babbage"),
        ("0019", "Eich"),
        ("0017", "\u00c4mter"),
        ("0017", "Other"),
    ]
    assert (
        "1 people have several rows that contradict each other and are held back" in employees.why
    )
    (told,) = [probe for probe in feed.probes() if probe.what == "its several rows of one person"]
    assert "(ids 0017)" in told.problem
    assert "options.columns.employment_id" in told.remedy


def test_many_people_whose_rows_contradict_each_other_show_that_the_file_is_of_another_kind(feed):
    feed.put(
        text(
            *(
                (f"{n}", f"{n}@acme.test", "A", contract)
                for n in range(20)
                for contract in ("B", "C")
            )
        )
    )
    said = feed.refusal()
    assert (
        "people.csv with several rows for 20 people that differ in more than their groups (ids 0, "
        "1, 10, ...)" in said
    )
    assert "employment_id" in said


def test_a_row_for_each_contract_is_an_employment(feed):
    contracts = [
        (*ADA, "c1", "2020-01-01"),
        (*ADA, "c2", "2026-01-01"),
        (*BOB, "c1", "2021-01-01"),
    ]
    feed.put(text(*contracts, header=(*HEADER, "Contract", "Start")))
    employees, _ = feed.extracts(columns={"employment_id": "Contract", "start_date": "Start"})
    found = feed.people(columns={"employment_id": "Contract", "start_date": "Start"})
    assert [of(row, "id", "employment_id", "start_date") for row in found] == [
        ("0017", "c1", "2020-01-01"),
        ("0017", "c2", "2026-01-01"),
        ("0018", "c1", "2021-01-01"),
    ]
    assert employees.records == 2


def test_a_row_for_each_cost_centre_is_one_person_in_all_of_them(feed):
    feed.put(
        text(
            (*ADA, "100"),
            (*BOB, "200"),
            (*ADA, "300"),
            (*ADA, "100"),
            (*ADA, ""),
            header=(*HEADER, "CC"),
        )
    )
    mapped = {"columns": {"groups": {"cost_center": {"id": "CC"}}}}
    found = {row["id"]: teams(row, "cost_center") for row in feed.people(**mapped)}
    assert found == {"0018": ["200"], "0017": ["100", "300"]}
    assert feed.extracts(**mapped)[0].records == 2


def test_rows_of_one_person_far_apart_in_a_large_file_are_still_one(feed):
    many = [(f"9{n:05}", f"p{n}@acme.test", "P", "Q", "1") for n in range(25_000)]
    feed.put(text((*ADA, "1"), *many, (*ADA, "2"), header=(*HEADER, "CC")))
    found = feed.people(columns={"groups": {"cost_center": {"id": "CC"}}})
    assert len(found) == 25_001
    assert [teams(row, "cost_center") for row in found if row["id"] == "0017"] == [["1", "2"]]
    assert feed.progress[-1] == ("employees", 25_002, 25_002)


def test_a_row_without_an_id_is_left_out_and_nobody_is_taken_away_that_night(feed):
    feed.put(text(ADA, ("", *BOB[1:])))
    feed.put("", "people.csv.done")
    employees, _ = feed.extracts(proof={"marker": "{name}.done"})
    assert (employees.proof, employees.records) == ("unproven", 1)
    assert (
        employees.why == "1 of the 2 rows of people.csv have no id, so nobody knows whose they are."
    )


def test_a_file_in_which_nobody_has_an_id_is_refused(feed):
    feed.put(text(("", *ADA[1:])))
    assert "nobody has an id" in feed.refusal()


def test_c81_addresses_in_the_column_of_ids_are_refused_without_being_shown(feed):
    feed.put(text(("ada@acme.test", *ADA[1:])))
    said = feed.refusal()
    assert "e-mail addresses in the column of ids" in said
    assert "acme" not in said


# --- status ---------------------------------------------------------------------------------------


def test_c14_words_for_a_status_are_kept_as_they_are(feed):
    feed.put(
        text((*ADA, " Elternzeit "), (*BOB, "sabbatical"), (*EVE, ""), header=(*HEADER, "Status"))
    )
    told = {"columns": {"status": "Status"}, "statuses": {"Elternzeit": "on_leave"}}
    assert [row["status"] for row in feed.people(**told)] == ["Elternzeit", "sabbatical", None]
    assert feed.connection(**told).options.status_words == {"elternzeit": "on_leave"}


def test_without_a_column_for_it_everybody_is_employed_as_long_as_the_dates_say(feed):
    feed.put(text(ADA))
    assert feed.person()["status"] == "employed"
    assert feed.connection().options.status_words == {"employed": "active"}


def test_c96_a_blank_status_means_what_the_company_file_says(feed):
    feed.put(text((*ADA, ""), (*BOB, "X"), (*EVE, "-"), header=(*HEADER, "Status")))
    told = {
        "columns": {"status": "Status"},
        "statuses": {"": "active", "X": "ended"},
        "empty": ["-"],
    }
    assert [row["status"] for row in feed.people(**told)] == ["(blank)", "X", "(blank)"]
    assert feed.connection(**told).options.status_words == {"(blank)": "active", "x": "ended"}
    assert all(
        probe.problem is None
        for probe in feed.probes(**told)
        if probe.what == "its words for a status"
    )
    told["statuses"] = {"X": "ended"}
    (untold,) = [probe for probe in feed.probes(**told) if probe.what == "its words for a status"]
    assert "2 rows" in untold.problem
    assert "blank" in untold.remedy


# --- words for nothing ----------------------------------------------------------------------------

NOTHING = ["NULL", "N/A", "nan", "-", "0000-00-00", "00.00.0000", "2999-12-31", "31-DEC-4712"]


def test_c96_words_mean_nothing_only_where_the_company_file_says_so_and_to_the_letter(feed):
    rows = [("1", "a@acme.test", "Ada", "NULL", "N/A"), ("2", "b@acme.test", "Bob", "nan", "-")]
    rows.append(("3", "n@acme.test", "Anna", "Null", "Sales"))
    feed.put(text(*rows, header=(*HEADER, "Team")))
    mapped = {"columns": {"groups": {"team": "Team"}}}
    assert [row["family_name"] for row in feed.people(**mapped)] == ["NULL", "nan", "Null"]
    assert len(feed.units(**mapped)) == 3
    (told,) = [
        probe for probe in feed.probes(**mapped) if probe.what == "its names, groups and addresses"
    ]
    assert told.remedy.startswith(
        'If they mean nothing, set options.empty: ["-", "N/A", "NULL", "nan"]'
    )
    assert [row["family_name"] for row in feed.people(**mapped, empty=NOTHING)] == [
        None,
        None,
        "Null",
    ]
    assert feed.units(**mapped, empty=NOTHING) == {("team", "sales"): "Sales"}
    assert feed.people(**mapped, empty=NOTHING)[0]["absent"] == ["manager_id"]
    own = {"columns": {"family_name": {"column": "Last", "empty": []}, "groups": {"team": "Team"}}}
    assert [row["family_name"] for row in feed.people(**own, empty=NOTHING)] == [
        "NULL",
        "nan",
        "Null",
    ]
    assert feed.units(**own, empty=NOTHING) == {("team", "sales"): "Sales"}
    group = {"columns": {"groups": {"team": {"name": "Team", "empty": ["Sales"]}}}}
    assert set(feed.units(**group, empty=NOTHING).values()) == {"N/A", "-"}


@pytest.mark.parametrize(
    "word",
    ["0000-00-00", "00.00.0000", "NULL", "31-DEC-4712", "31-Dec-4712", "2999-12-31", "31.12.2999"],
)
def test_c96_a_listed_word_is_no_day_and_another_one_names_the_key(feed, word):
    feed.put(text((*ADA, word), (*BOB, "31.12.2026"), header=(*HEADER, "Exit")))
    mapped = {"columns": {"end_date": "Exit"}, "dates": {"default": "%d.%m.%Y"}}
    assert [row["end_date"] for row in feed.people(**mapped, empty=NOTHING)] == [
        None,
        "2026-12-31",
    ]
    said = feed.refusal(**mapped)
    assert "options.empty" in said
    assert "options.columns.end_date" in said
    assert "row 2" in said
    own = {
        "columns": {"end_date": {"column": "Exit", "empty": [word]}},
        "dates": {"default": "%d.%m.%Y"},
    }
    assert [row["end_date"] for row in feed.people(**own)] == [None, "2026-12-31"]


def test_c96_the_remedy_names_the_words_as_they_are_written_and_works_to_the_letter(feed):
    words = ["0000-00-00", "31-DEC-4712", "00.00.0000", "NULL", "2999-12-31", "29991231"]
    people = [(str(n), f"p{n}@acme.test", "P", f"Q{n}", word) for n, word in enumerate(words)]
    feed.put(text(*people, header=(*HEADER, "Exit")))
    mapped = {"columns": {"end_date": "Exit"}}
    said = feed.refusal(**mapped)
    named = said.partition("options.empty: ")[2].partition("]")[0] + "]"
    assert sorted(json.loads(named)) == sorted(words)
    assert [row["end_date"] for row in feed.people(**mapped, empty=json.loads(named))] == [
        None
    ] * len(words)


@pytest.mark.parametrize("value", ["born 4712 in Ulm", "46082.9995", "room 9995", "31.02.2026"])
def test_c96_what_is_no_day_and_no_word_for_none_is_not_named(feed, value):
    feed.put(text((*ADA, value), header=(*HEADER, "Exit")))
    said = feed.refusal(columns={"end_date": "Exit"})
    assert "options.dates.end_date" in said
    assert "options.empty" not in said
    assert value not in said


def test_c96_the_doctor_tells_a_day_that_is_none_before_it_holds_somebody_back(feed):
    many = [(f"9{n:03}", f"p{n}@acme.test", "P", "Q", "2026-01-01") for n in range(19)]
    feed.put(text(*many, (*ADA, "0000-00-00"), header=(*HEADER, "Start")))
    (told,) = [
        probe
        for probe in feed.probes(columns={"start_date": "Start"})
        if probe.what == "its dates (start_date)"
    ]
    assert told.problem == "1 of 20 in column 'Start' are none; these people are held back."
    assert "row 21" in told.remedy
    assert "options.empty" in told.remedy


# --- several columns, several groups --------------------------------------------------------------


def test_c102_a_name_is_taken_from_the_first_column_that_says_anything(feed):
    header = ("ID", "E-Mail", "Preferred", "Legal", "Last")
    rows = [("1", "s@acme.test", "Sam", "Samuel", "B"), ("2", "b@acme.test", "", "Robert", "C")]
    rows.append(("3", "c@acme.test", "-", "Cy", "D"))
    feed.put(text(*rows, ("4", "d@acme.test", "#N/A", "Dee", "E"), header=header))
    both = ["Preferred", "Legal"]
    for source in (both, {"columns": both}, {"columns": both, "empty": ["-"]}):
        words = [] if isinstance(source, dict) and "empty" in source else ["-"]
        found = feed.people(columns={"given_name": source}, empty=words)
        assert [row["given_name"] for row in found] == ["Sam", "Robert", "Cy", None]
        assert "given_name" in found[3]["absent"]  # lost is not empty


def test_c102_several_groups_in_one_cell(feed):
    header = (*HEADER, "Team", "CC", "CC name")
    rows = [
        (*ADA, "Sales, Support", "1|2", "One|Two"),
        (*BOB, "Support,-,", "2", "Two"),
        (*EVE, "", "3|4", "Three"),
    ]
    feed.put(text(*rows, header=header))
    groups = {
        "team": {"name": "Team", "separator": ","},
        "cost_center": {"id": "CC", "name": "CC name", "separator": "|"},
    }
    mapped = {"columns": {"groups": groups}, "empty": ["-"]}
    found = feed.people(**mapped)
    assert [teams(row) for row in found] == [["sales", "support"], ["support"], []]
    assert [teams(row, "cost_center") for row in found] == [["1", "2"], ["2"], ["3", "4"]]
    assert feed.units(**mapped) == {
        ("team", "sales"): "Sales",
        ("team", "support"): "Support",
        ("cost_center", "1"): "One",
        ("cost_center", "2"): "Two",
        ("cost_center", "3"): None,
        ("cost_center", "4"): None,
    }


def test_c102_several_groups_in_several_rows_are_all_of_them(feed):
    feed.put(text((*ADA, "A;B"), (*BOB, "C"), (*ADA, "B;D"), header=(*HEADER, "Team"), by="|"))
    found = feed.people(columns={"groups": {"team": {"name": "Team", "separator": ";"}}})
    assert {row["id"]: teams(row) for row in found} == {"0017": ["a", "b", "d"], "0018": ["c"]}


# --- managers -------------------------------------------------------------------------------------


def test_a_manager_by_id_may_be_anybody(feed):
    feed.put(text((*ADA, "0018"), (*BOB, ""), (*EVE, "9999"), header=(*HEADER, "Boss")))
    found = feed.people(columns={"manager_id": "Boss"})
    assert [row["manager_id"] for row in found] == ["0018", None, "9999"]


def test_a_manager_by_e_mail_is_found_wherever_the_row_stands_and_however_the_address_is_written(
    feed,
):
    feed.put(text((*ADA, " BOB@acme.test"), (*BOB, ""), header=(*HEADER, "Boss")))
    employees, _ = feed.extracts(columns={"manager_email": "Boss"})
    ada, bob = feed.people(columns={"manager_email": "Boss"})
    assert (ada["manager_id"], bob["manager_id"]) == ("0018", None)
    assert "manager_id" not in ada["absent"] + bob["absent"]
    assert "not found" not in employees.why


def test_c22_a_manager_whose_address_is_at_googlemail_in_one_place_and_at_gmail_in_another_is_found(
    feed,
):
    zoe, yan = (
        ("0020", "zo\u00eb@gmail.com", "Zo\u00eb", "Zimt"),
        (
            "0021",
            "yan@googlemail.com",
            "Yan",
            "Yew",
        ),
    )
    managers = (*ADA, "Zoe\u0308@GoogleMail.com"), (*BOB, "yan@gmail.com"), (*zoe, ""), (*yan, "")
    feed.put(text(*managers, header=(*HEADER, "Boss")))
    found = feed.people(columns={"manager_email": "Boss"})
    assert [row["manager_id"] for row in found] == ["0020", "0021", None, None]


def test_c98_a_manager_is_found_however_the_address_is_written(feed):
    zoe, yan = (
        ("0020", "zoe@m\u00fcller.example", "Zoe", "Zimt"),
        (
            "0021",
            "o'yew@acme.test",
            "Yan",
            "O'Yew",
        ),
    )
    managers = (
        (*ADA, "<Zoe@xn--mller-kva.example>"),
        (*BOB, "mailto:o\u2019yew@acme.test"),
        (*zoe, ""),
        (*yan, ""),
    )
    feed.put(text(*managers, header=(*HEADER, "Boss")))
    found = feed.people(columns={"manager_email": "Boss"})
    assert [row["manager_id"] for row in found] == ["0020", "0021", None, None]


def test_c47_a_manager_whose_address_is_nobodys_or_two_peoples_is_unknown_and_counted(feed):
    twin = ("0020", BOB[1], "Other", "Bob")
    feed.put(
        text(
            (*ADA, "nobody@acme.test"),
            (*EVE, BOB[1]),
            (*BOB, ""),
            (*twin, ""),
            header=(*HEADER, "Boss"),
        )
    )
    employees, _ = feed.extracts(columns={"manager_email": "Boss"})
    ada, eve, *_ = feed.people(columns={"manager_email": "Boss"})
    assert (ada["manager_id"], eve["manager_id"]) == (None, None)
    assert "manager_id" in ada["absent"]
    assert "manager_id" in eve["absent"]
    assert employees.why.endswith(
        "2 managers were not found by their e-mail; nothing is concluded from that."
    )
    assert employees.vanished == ()


def test_what_no_column_is_named_for_is_unknown_and_not_empty(feed):
    feed.put(text(ADA))
    employees, _ = feed.extracts(columns={"family_name": None})
    assert set(feed.person(columns={"family_name": None})["absent"]) == {
        "manager_id",
        "family_name",
    }
    assert employees.vanished == ()


# --- groups ---------------------------------------------------------------------------------------


def test_units_with_ids_keep_them_through_renames(feed):
    mapped = {"columns": {"groups": {"department": {"id": "Dept ID", "name": "Dept"}}}}
    feed.put(text((*ADA, "007", "Sales"), (*BOB, "", ""), header=(*HEADER, "Dept ID", "Dept")))
    assert [teams(row, "department") for row in feed.people(**mapped)] == [["007"], []]
    assert feed.units(**mapped) == {("department", "007"): "Sales"}


def test_c42_units_without_ids_are_told_by_name_whatever_its_capitals_and_blanks(feed):
    mapped = {"columns": {"groups": {"team": "Team"}}}
    rows = [
        (*ADA, "Research  & Development"),
        (*BOB, "research & development "),
        (*EVE, "Research & Development"),
    ]
    feed.put(text(*rows, header=(*HEADER, "Team")))
    assert {tuple(teams(row)) for row in feed.people(**mapped)} == {("research & development",)}
    assert feed.units(**mapped) == {("team", "research & development"): "Research & Development"}


def test_the_most_frequent_spelling_is_the_name_in_whatever_order_the_rows_come(feed):
    mapped = {"columns": {"groups": {"team": {"id": "No", "name": "Team"}}}}
    rows = [
        (*ADA, "1", "sales"),
        (*BOB, "1", "Sales"),
        (*EVE, "1", "Sales"),
        ("0020", "x@acme.test", "X", "Y", "1", ""),
    ]
    for order in (rows, rows[::-1]):
        feed.put(text(*order, header=(*HEADER, "No", "Team")))
        assert feed.units(**mapped) == {("team", "1"): "Sales"}


def test_a_unit_with_an_id_and_no_name_has_none(feed):
    feed.put(text((*ADA, "1", ""), header=(*HEADER, "No", "Team")))
    assert feed.units(columns={"groups": {"team": {"id": "No", "name": "Team"}}}) == {
        ("team", "1"): None
    }


def test_a_group_that_was_lost_is_unknown_in_all_rows_of_that_person(feed):
    feed.put(text((*ADA, "#N/A"), (*ADA, "Sales"), (*BOB, "Sales"), header=(*HEADER, "Team")))
    bob, ada = feed.people(columns={"groups": {"team": "Team"}})
    assert (teams(ada), ada["absent"]) == ([], ["manager_id", "team"])
    assert teams(bob) == ["sales"]


def test_c85_kinds_that_nobody_asked_for_are_not_read(feed):
    feed.put(text((*ADA, "Sales", "9999"), header=(*HEADER, "Team", "Pay Grade")))
    model = feed.connection(columns={"groups": {"team": "Team", "pay_grade": "Pay Grade"}}).options
    connection = files.SYSTEM.connect(
        "files", base_url="", credentials={}, options=model, kinds=("team",)
    )
    assert connection.kinds == ("team",)
    feed.scratch.mkdir()
    employees, units = connection.read(feed.scratch, lambda *_: None)
    assert b"9999" not in employees.path.read_bytes() + units.path.read_bytes()


# --- the files that are written -------------------------------------------------------------------


def test_c82_only_their_owner_can_read_what_was_read(feed):
    feed.put(text(ADA))
    for extract in feed.extracts():
        assert extract.path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in feed.scratch.iterdir()) == [
        "employees.arrow",
        "org_units.arrow",
    ]


@pytest.mark.parametrize("name", ["people.csv", "people.zip"])
def test_the_copies_that_are_read_belong_to_their_owner_only(feed, name, monkeypatch):
    modes = []
    survey = files.survey

    def look(*arguments):
        modes.extend(path.stat().st_mode & 0o777 for path in feed.scratch.iterdir())
        return survey(*arguments)

    monkeypatch.setattr(files, "survey", look)
    feed.put(text(ADA) if name.endswith(".csv") else packed(("people.csv", text(ADA))), name)
    feed.extracts()
    assert set(modes) == {0o600}
    assert len(modes) == (1 if name.endswith(".csv") else 2)
