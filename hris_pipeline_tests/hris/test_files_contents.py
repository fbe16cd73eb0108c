"""How files are written: encodings, delimiters, quotes, line ends, headers, cells, dates; CSV, TSV,
Excel, JSON, zip.
"""

import datetime as dt
import io
import json
import unicodedata
import zipfile

import openpyxl
import pytest

from hris_pipeline_tests.hris.feed import ADA, BOB, HEADER, of, packed, text, workbook

NAME = ("given_name", "family_name")


# --- text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"]
)
def test_unicode_is_read_with_and_without_a_bom(feed, encoding):
    content = text(ADA)
    if encoding.endswith("-bom"):
        bare = encoding.removesuffix("-bom")
        feed.put(("\ufeff" + content).encode(bare))
    else:
        feed.put(content, encoding=encoding)
    assert of(feed.person(), "id", *NAME) == ("0017", "Ada", "Ämter")


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16"])
def test_another_encoding_is_read_where_the_company_file_says_so(feed, encoding):
    feed.put(text(ADA).encode("utf-16-le" if encoding == "utf-16" else encoding))
    assert feed.person(encoding=encoding)["family_name"] == "Ämter"


def test_utf_8_is_recognised_whatever_the_company_file_says_of_files_that_are_not(feed):
    feed.put(text(ADA))
    assert feed.person(encoding="cp1252")["family_name"] == "Ämter"


def test_bytes_that_are_not_utf_8_are_never_replaced(feed):
    feed.put(text(ADA), encoding="cp1252")
    said = feed.refusal()
    assert "people.csv that is not UTF-8 (byte " in said
    assert "Set options.encoding" in said


def test_bytes_that_the_company_files_encoding_does_not_know_are_refused(feed):
    feed.put(text(ADA).encode("cp1252") + b"0019;x;\x81;y\r\n")
    assert "is not cp1252 near line" in feed.refusal(encoding="cp1252")


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("windows-1250", ("\u0141ukasz", "\u017bak")),
        ("cp1250", ("Ji\u0159\u00ed", "Dvo\u0159\u00e1k")),
        ("iso-8859-2", ("Ji\u0159\u00ed", "\u017bak")),
        ("windows-1251", ("\u0418\u0432\u0430\u043d", "\u041f\u0435\u0442\u0440\u043e\u0432")),
        ("shift_jis", ("\u592a\u90ce", "\u5c71\u7530")),
        ("iso2022_jp", ("\u592a\u90ce", "\u5c71\u7530")),
        ("gb18030", ("\u4f1f", "\u5f20")),
        ("mac_roman", ("J\u00fcrgen", "Wei\u00df")),
        ("cp850", ("J\u00fcrgen", "Wei\u00df")),
        ("cp500", ("Jurgen", "Weiss")),
        ("utf-16-le", ("J\u00fcrgen", "Wei\u00df")),
        ("utf-7", ("J\u00fcrgen", "Wei\u00df")),
    ],
)
def test_c100_every_encoding_that_python_knows_can_be_named(feed, encoding, names):
    feed.put(text(("0017", "x@acme.test", *names)).encode(encoding))
    assert of(feed.person(encoding=encoding), *NAME) == names


@pytest.mark.parametrize(
    ("encoding", "rows", "proposed"),
    [
        ("cp1250", [("\u0141ukasz", "\u017bak")], "cp1250"),
        (
            "cp1250",
            [("Ji\u0159\u00ed", "Dvo\u0159\u00e1k"), ("\u0160\u00e1rka", "\u010cern\u00e1")],
            "cp1250",
        ),
        (
            "iso8859-2",
            [("Ji\u0159\u00ed", "Dvo\u0159\u00e1k"), ("\u0160\u00e1rka", "\u010cern\u00e1")],
            "iso8859-2",
        ),
        ("cp1252", [("J\u00fcrgen", "\u00c4mter")], "cp1252"),
        (
            "cp1252",
            [("Ren\u00e9", "M\u00fcller"), ("\u00c9lo\u00efse", "L\u2019H\u00f4te")],
            "cp1252",
        ),
        (
            "cp1254",
            [("Ay\u015fe", "Y\u0131ld\u0131z"), ("\u00c7a\u011fr\u0131", "\u00d6zt\u00fcrk")],
            "cp1254",
        ),
        ("cp850", [("J\u00fcrgen", "Wei\u00df")], "cp850"),
        (
            "koi8-r",
            [("\u0418\u0432\u0430\u043d", "\u041f\u0435\u0442\u0440\u043e\u0432")],
            "koi8-r",
        ),
        ("cp932", [("\u592a\u90ce", "\u5c71\u7530")], None),
        ("cp1251", [("\u0418\u0432\u0430\u043d", "\u041f\u0435\u0442\u0440\u043e\u0432")], None),
    ],
)
def test_c100_an_encoding_is_proposed_only_where_it_reads_the_names_as_they_are(
    feed, encoding, rows, proposed
):
    feed.put(
        text(*((str(n), f"{n}@acme.test", *names) for n, names in enumerate(rows))).encode(encoding)
    )
    said = feed.refusal()
    assert "people.csv that is not UTF-8 (byte " in said
    if proposed is None:
        assert "Set options.encoding to what it is written in" in said
    else:
        assert f"Set options.encoding to {proposed}, " in said
        assert [of(row, *NAME) for row in feed.people(encoding=proposed)] == rows


def test_c100_the_doctor_doubts_an_encoding_that_spoils_names(feed):
    feed.put(text(("1", "lz@acme.test", "\u0141ukasz", "\u017bak")).encode("cp1250"))
    (doubted,) = [probe for probe in feed.probes(encoding="cp1252") if probe.what == "its encoding"]
    assert doubted.problem == "Read as cp1252, some of its letters make no words."
    assert "Set options.encoding to cp1250" in doubted.remedy
    assert [probe for probe in feed.probes(encoding="cp1250") if probe.what == "its encoding"] == []


def test_c100_an_encoding_that_does_not_fit_is_told_with_the_one_that_does(feed):
    feed.put(
        text(
            ("1", "lz@acme.test", "\u0141ukasz", "\u017bak"),
            ("2", "j@acme.test", "Ji\u0159\u00ed", "\u0164uk"),
        ).encode("cp1250")
    )
    said = feed.refusal(encoding="windows-1252")
    assert "that is not windows-1252 near line 1" in said
    assert "Set options.encoding to cp1250, in which its letters make words" in said


def test_c100_a_file_of_another_kind_is_told_as_that_and_not_as_one_of_another_encoding(feed):
    feed.put(workbook(ADA))
    said = feed.refusal()
    assert "is no text, but an Excel file (.xlsx) or a zip archive" in said
    assert "set options.format to xlsx" in said
    assert feed.person(format="xlsx")["id"] == "0017"


@pytest.mark.parametrize("row", [BOB, ADA, ("1", "lz@acme.test", "\u0141ukasz", "\u017bak")])
def test_utf_16_without_a_bom_is_told_by_its_zeros(feed, row):
    feed.put(text(row).encode("utf-16-le"))
    assert "Set options.encoding to utf-16" in feed.refusal()
    assert feed.person(encoding="utf-16")["family_name"] == row[3]


def test_utf_32_is_refused(feed):
    feed.put(text(ADA), encoding="utf-32")
    assert "in UTF-32" in feed.refusal()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_by_the_header(feed, delimiter):
    others = "".join(set(",;|") - {delimiter})  # more of them than of the right one
    feed.put(text((*ADA[:3], f'"{others * 5}"'), header=(*HEADER[:3], "Last"), by=delimiter))
    assert feed.person()["family_name"] == others * 5


def test_the_delimiter_is_found_where_every_name_in_the_header_is_quoted(feed):
    feed.put(
        '"ID"|"E-Mail"|"First"|"Last, family"\r\n"0017"|"ada@acme.test"|"Ada"|"Ämter; Bäcker"\r\n'
    )
    assert feed.person(columns={"family_name": "Last, family"})["family_name"] == "Ämter; Bäcker"


def test_a_delimiter_that_does_not_fit_the_header_is_refused_by_the_columns_it_does_not_give(feed):
    feed.put(text(ADA, by=";"))
    assert "without the columns 'ID', 'E-Mail', 'First', 'Last'" in feed.refusal(delimiter=",")


def test_excels_own_hint_of_the_delimiter_is_no_row(feed):
    feed.put("sep=;\r\n" + text(ADA))
    assert feed.person()["id"] == "0017"


def test_quotes_hold_delimiters_line_breaks_and_doubled_quotes(feed):
    feed.put('ID;"E-Mail";First;Last\r\n0017;ada@acme.test;"Ada; ""the\nfirst""";"Ämter"\r\n')
    assert feed.person()["given_name"] == 'Ada; "the first"'


def test_without_quotes_a_quote_is_a_character(feed):
    feed.put(text(("0017", "ada@acme.test", '"Ada', "Ämter")))
    assert feed.person(quote=None)["given_name"] == '"Ada'
    assert "quotes do not match" in feed.refusal()


def test_c102_a_quote_may_be_escaped_by_a_backslash_where_the_company_file_says_so(feed):
    feed.put(
        'ID;E-Mail;First;Last\r\n"0017";"ada@acme.test";"Ada \\"Ace\\"; the first";"\u00c4mter"\r\n'
    )
    assert feed.person(escape="\\")["given_name"] == 'Ada "Ace"; the first'
    assert "set options.escape" in feed.refusal()


@pytest.mark.parametrize("end", ["\x1a", "\x1a\x1a\x00\x00", "\r\n\x1a"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16-le"])
def test_c99_a_ctrl_z_at_the_end_is_no_row_and_no_letter(feed, end, encoding):
    rows = text(BOB, ADA, ("TOTAL", "2", "", "")).removesuffix("\r\n")
    feed.put((rows + end).encode(encoding))
    employees, _ = feed.extracts(encoding=encoding, proof={"trailer": {"starts_with": "TOTAL"}})
    assert (employees.proof, employees.records) == ("proven", 2)
    feed.put((text(ADA).removesuffix("\r\n") + end).encode(encoding))
    assert feed.person(encoding=encoding)["family_name"] == "\u00c4mter"


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037"]
)
@pytest.mark.parametrize("end", ["\x1a", "\x1a\0\0", "\r\n\x1a\r\n"])
def test_c99_a_ctrl_z_after_a_line_end_takes_no_half_of_a_character_with_it(feed, encoding, end):
    feed.put((text(BOB, ADA) + end).encode(encoding))
    assert [row["family_name"] for row in feed.people(encoding=encoding)] == [
        "Babbage",
        "\u00c4mter",
    ]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("last", ["", "{end}", "{end}{end};;;{end}"])
def test_every_line_end_is_read_with_and_without_one_at_the_end_and_blank_rows_are_none(
    feed, end, last
):
    feed.put(text(ADA, BOB, end=end).removesuffix(end) + last.format(end=end))
    assert [row["id"] for row in feed.people()] == ["0017", "0018"]


def test_a_delimiter_at_the_end_of_each_row_is_no_column(feed):
    feed.put(text((*ADA, ""), header=HEADER) + ";".join(BOB) + "\r\n")
    assert len(feed.people()) == 2


def test_a_row_with_more_columns_than_the_header_is_refused_by_its_number(feed):
    feed.put(text(BOB, (*ADA, "more"), BOB, (*ADA, "x"), (*ADA, "", ""), (*ADA, "", "y")))
    said = feed.refusal()
    assert "in whose row 3 there are 5 columns instead of 4 (and others, such as row 5, 7)" in said
    assert "ada" not in said
    feed.put(workbook(BOB, (*ADA, None, "note"), header=HEADER), "people.xlsx")
    (feed.folder / "people.csv").unlink()
    assert "with something in cell F3, where the header has no column" in feed.refusal()


@pytest.mark.parametrize("proof", [{}, {"trailer": {"starts_with": "TOTAL"}}])
def test_c94_a_row_that_ends_before_the_header_does_has_empty_cells_there(feed, proof):
    rows = [
        ADA,
        (*BOB, "2026-12-31"),
        ("0019", "eve@acme.test", "Eve"),
        ("0020", "", "Dee", "Ernst"),
    ]
    feed.put(text(*rows, *([("TOTAL", "4")] if proof else []), header=(*HEADER, "Exit")))
    employees, _ = feed.extracts(columns={"end_date": "Exit"}, proof=proof)
    found = feed.people(columns={"end_date": "Exit"}, proof=proof)
    assert [of(row, "id", "family_name", "end_date") for row in found] == [
        ("0017", "Ämter", None),
        ("0018", "Babbage", "2026-12-31"),
        ("0019", None, None),
        ("0020", "Ernst", None),
    ]
    assert employees.proof == ("proven" if proof else "unproven")
    assert "family_name" not in found[2]["absent"]


def test_c94_a_spreadsheet_row_without_its_last_cells_has_empty_cells_there(feed):
    feed.put(
        workbook(
            ADA,
            (*BOB, dt.datetime(2026, 12, 31)),  # noqa: DTZ001
            ("0019",),
            header=(*HEADER, "Exit"),
        ),
        "people.xlsx",
    )
    found = feed.people(columns={"end_date": "Exit"})
    assert [row["end_date"] for row in found] == [None, "2026-12-31", None]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_c02_c94_a_file_that_ends_within_its_last_row_is_cut_off_unless_it_is_proven_whole(
    feed, encoding
):
    feed.put(text(BOB, ADA[:3]).removesuffix("\r\n"), encoding=encoding)
    said = feed.refusal()
    assert (
        "in whose row 3, the last one, there are 3 columns instead of 4: it was cut off there"
        in said
    )
    assert "options.proof" in said
    feed.put("2", "people.csv.count")
    assert feed.extracts(proof={"count": "{name}.count"})[0].proof == "proven"
    feed.put("3", "people.csv.count")
    assert feed.extracts(proof={"count": "{name}.count"})[0].proof == "unproven"


@pytest.mark.parametrize("broken", ["First", "Last", "Team"])
def test_c94_a_line_break_without_quotes_makes_no_second_person(feed, broken):
    header = (*HEADER, "Team")
    cells = dict(zip(header, (*ADA, "Sales"), strict=True)) | {broken: "Two\r\nlines"}
    feed.put(text((*BOB, ""), tuple(cells.values()), header=header))
    said = feed.refusal()
    assert (
        "as if it were the rest of the row before: a value holds a line break without quotes"
        in said
    )
    assert "options.quote" in said


def test_c20_a_cell_of_ten_megabytes_in_another_column_is_no_obstacle(feed):
    feed.put(text((*ADA, "x" * (10 << 20)), header=(*HEADER, "Notes")))
    assert feed.person()["id"] == "0017"


# --- the header -----------------------------------------------------------------------------------


def test_columns_are_found_by_name_in_any_order_and_others_are_counted(feed):
    feed.put(
        text(
            ("x", "Ämter", "Ada", "ada@acme.test", "0017"),
            header=("Salary", " LAST", "first\u00a0", "E-Mail", "id"),
        )
    )
    employees, _ = feed.extracts()
    assert "1 other columns were not read." in employees.why
    assert of(feed.person(), "id", *NAME) == ("0017", "Ada", "Ämter")


def test_c15_a_renamed_column_is_refused_by_its_name(feed):
    feed.put(text(ADA, header=("ID", "E-Mail", "Vorname", "Last")))
    said = feed.refusal()
    assert "people.csv without the column 'First'" in said
    assert "Correct options.columns" in said


def test_a_column_that_is_there_twice_is_refused_and_one_that_nobody_reads_is_not(feed):
    feed.put(text((*ADA, "1", "2"), header=(*HEADER, "Note", "Note")))
    assert feed.person()["id"] == "0017"
    feed.put(text((*ADA, "1"), header=(*HEADER, "first")))
    assert "more than one column 'First'" in feed.refusal()


def test_rows_above_the_header_are_left_out_where_the_company_file_says_so(feed):
    feed.put("Report of today;;;\r\n" + text(ADA))
    assert feed.person(header_row=2)["id"] == "0017"
    assert "without the columns" in feed.refusal()


# --- cells ----------------------------------------------------------------------------------------


def test_ids_keep_their_zeros_and_lose_the_blanks_around_them(feed):
    feed.put(text(("\u00a0 000123 \ufeff", *ADA[1:])))
    assert feed.person()["id"] == "000123"


def test_a_formula_that_keeps_zeros_is_their_text(feed):
    feed.put('ID;E-Mail;First;Last\r\n="00123";a@acme.test;Ada;Ämter\r\n', "people.csv")
    assert feed.person(quote=None)["id"] == "00123"


@pytest.mark.parametrize("shortened", ["1.23E+11", "1,23e+11", "1E+05"])
@pytest.mark.parametrize("column", ["ID", "Manager", "Team ID"])
def test_an_id_that_a_spreadsheet_has_shortened_is_refused_by_row_and_column(
    feed, shortened, column
):
    header = (*HEADER, "Manager", "Team ID")
    cells = dict(zip(header, (*ADA, "0018", "7"), strict=True)) | {column: shortened}
    feed.put(text((*BOB, "", ""), tuple(cells.values()), header=header))
    said = feed.refusal(columns={"manager_id": "Manager", "groups": {"team": {"id": "Team ID"}}})
    assert f"whose column '{column}' holds a number like 1.23E+11 in row 3" in said
    assert shortened not in said.replace("like 1.23E+11", "")


def test_an_id_that_only_looks_a_little_like_one_is_kept(feed):
    feed.put(text(("12E5", *ADA[1:])))
    assert feed.person()["id"] == "12E5"


@pytest.mark.parametrize(
    ("given", "family", "dept"),
    [
        ("Anna\nMaria", "Van\tDyk", "Sales\r\nEMEA"),
        ("Anna\u00a0 Maria", "Van\u2028Dyk", "Sa\u00adles\u200b EMEA"),
    ],
)
def test_c97_what_stands_within_a_cell_is_a_blank_or_nothing(feed, given, family, dept):
    feed.put(f'ID;E-Mail;First;Last;Dept\r\n1;ada@acme.test;"{given}";"{family}";"{dept}"\r\n')
    mapped = {"columns": {"groups": {"department": "Dept"}}}
    assert of(feed.person(**mapped), *NAME) == ("Anna Maria", "Van Dyk")
    assert feed.units(**mapped) == {("department", "sales emea"): "Sales EMEA"}


@pytest.mark.parametrize(
    "address",
    ["a\u200bda@acme.test", "a\nda@acme.test", "ada@ac\u00a0me.test", "ada\u00ad@acme.test"],
)
def test_c97_an_address_is_never_altered_into_another_one(feed, address):
    feed.put(f'ID;E-Mail;First;Last\r\n1;"\u200b {address}\u00a0";Ada;Byron\r\n')
    assert feed.person()["email"] == address


def test_c20_decomposed_letters_are_composed(feed):
    feed.put(text((*ADA[:3], unicodedata.normalize("NFD", "Ämter"))))
    assert feed.person()["family_name"] == "Ämter"


@pytest.mark.parametrize("lost", ["#N/A", "#REF!", "J\ufffdrgen"])
def test_c13_a_value_that_was_lost_is_unknown_and_an_empty_one_is_empty(feed, lost):
    feed.put(text((*ADA[:2], lost, ""), BOB))
    employees, _ = feed.extracts()
    ada = feed.people()[0]
    assert of(ada, "given_name", "family_name") == (None, None)
    assert "given_name" in ada["absent"]
    assert "family_name" not in ada["absent"]
    assert "1 values were lost before the file was written" in employees.why


@pytest.mark.parametrize(
    ("form", "written", "iso"),
    [
        ("%d.%m.%Y", "3.4.2026", "2026-04-03"),
        ("%m/%d/%Y", "04/03/2026", "2026-04-03"),
        ("%Y%m%d", "20260403", "2026-04-03"),
        ("%Y-%m-%d %H:%M:%S", "2026-04-03 23:30:00", "2026-04-03"),
        ("excel", "46115", "2026-04-03"),
        ("excel", "46115.75", "2026-04-03"),
    ],
)
def test_days_are_read_by_the_columns_one_format(feed, form, written, iso):
    feed.put(text((*ADA, written), header=(*HEADER, "Start")))
    assert (
        feed.person(columns={"start_date": "Start"}, dates={"default": form})["start_date"] == iso
    )


def test_each_column_may_have_a_format_of_its_own(feed):
    feed.put(text((*ADA, "2026-01-31", "02/28/2026"), header=(*HEADER, "Start", "End")))
    found = feed.person(
        columns={"start_date": "Start", "end_date": "End"}, dates={"end_date": "%m/%d/%Y"}
    )
    assert of(found, "start_date", "end_date") == ("2026-01-31", "2026-02-28")


@pytest.mark.parametrize("never", ["31.12.9999", "31.12.2099"])
def test_a_last_day_that_means_never_is_none(feed, never):
    feed.put(text((*ADA, never), header=(*HEADER, "End")))
    assert (
        feed.person(columns={"end_date": "End"}, dates={"default": "%d.%m.%Y"})["end_date"] is None
    )


def test_the_company_file_says_which_last_days_mean_never(feed):
    feed.put(text((*ADA, "2999-12-31"), header=(*HEADER, "End")))
    assert feed.person(columns={"end_date": "End"}, open_ended=["2999-12-31"])["end_date"] is None


@pytest.mark.parametrize("wrong", ["30.02.2026", "01.01.0026", "01.01.2999", "soon", "2026-03-01"])
def test_a_date_that_is_none_holds_its_record_back_and_is_never_taken_for_another(feed, wrong):
    many = [(f"9{n:03}", f"p{n}@acme.test", "P", "Q", "01.03.2026") for n in range(19)]
    feed.put(text((*ADA, wrong), *many, header=(*HEADER, "End")))
    ada = feed.people(columns={"end_date": "End"}, dates={"default": "%d.%m.%Y"})[0]
    # core.quarantine has it under dates_are_readable
    assert ada["end_date"] == f"unreadable: {wrong}"


def test_days_that_mean_never_are_written_in_the_columns_format_too(feed):
    many = [(f"9{n:03}", f"p{n}@acme.test", "P", "Q", "31.12.9999") for n in range(19)]
    feed.put(text((*ADA, "2026-03-01"), *many, header=(*HEADER, "End")))
    assert len(feed.people(columns={"end_date": "End"}, dates={"default": "%d.%m.%Y"})) == 20


@pytest.mark.parametrize("written", ["2026112", "2026 1 12"])
def test_a_date_without_anything_between_its_parts_is_read_only_as_it_is_written(feed, written):
    many = [(f"9{n:03}", f"p{n}@acme.test", "P", "Q", "20260301") for n in range(19)]
    feed.put(text((*ADA, written), *many, header=(*HEADER, "End")))
    assert (
        feed.people(columns={"end_date": "End"}, dates={"default": "%Y%m%d"})[0]["end_date"]
        == f"unreadable: {written}"
    )


def test_a_format_that_does_not_fit_the_column_refuses_the_file_before_days_and_months_are_mixed_up(
    feed,
):
    days = [(f"9{n:03}", f"p{n}@acme.test", "P", "Q", f"{n:02}/03/2026") for n in range(1, 29)]
    feed.put(text(*days, header=(*HEADER, "End")))
    said = feed.refusal(columns={"end_date": "End"}, dates={"default": "%m/%d/%Y"})
    assert "has 16 of 28 dates in column 'End' that are not written as %m/%d/%Y" in said


# --- Excel ----------------------------------------------------------------------------------------


def test_excel_is_read_with_its_real_dates_and_numbers(feed):
    header = (*HEADER, "Start", "End", "Manager")
    row = (
        17.0,
        "ada@acme.test",
        "Ada",
        "Ämter",
        dt.datetime(2026, 4, 3, 12),  # noqa: DTZ001
        dt.date(9999, 12, 31),
        123456789012,
    )
    feed.put(workbook(row, header=header), "people.xlsx")
    found = feed.person(columns={"start_date": "Start", "end_date": "End", "manager_id": "Manager"})
    assert of(found, "id", "start_date", "end_date", "manager_id") == (
        "17",
        "2026-04-03",
        None,
        "123456789012",
    )


def test_an_excel_number_in_a_format_of_zeros_keeps_them(feed):
    feed.put(workbook((123, *ADA[1:]), formats=[("A2", "000000")]), "people.xlsx")
    assert feed.person()["id"] == "000123"


@pytest.mark.parametrize(
    ("moment", "iso"),
    [
        ("2026-03-01 23:59:17", "2026-03-02"),
        ("2026-03-01 23:59:59.999", "2026-03-02"),
        ("2026-12-31 23:59:17", "2027-01-01"),
        ("2026-03-02 00:00:43", "2026-03-02"),
        ("2026-03-01 23:58:59", "2026-03-01"),
        ("2026-03-01 12:00:00", "2026-03-01"),
        ("9999-12-31 23:59:59", None),
    ],
)
def test_c95_a_spreadsheets_midnight_that_was_written_seconds_early_is_the_day_that_was_meant(
    feed, moment, iso
):
    feed.put(
        workbook((*ADA, dt.datetime.fromisoformat(moment)), header=(*HEADER, "End")), "people.xlsx"
    )
    assert feed.person(columns={"end_date": "End"})["end_date"] == iso


@pytest.mark.parametrize(
    ("number", "iso"),
    [
        ("46082.9995", "2026-03-02"),
        ("46082,9995", "2026-03-02"),
        ("46083.0005", "2026-03-02"),
        ("46082.5", "2026-03-01"),
    ],
)
def test_c95_day_numbers_are_rounded_as_moments_are(feed, number, iso):
    feed.put(text((*ADA, number), header=(*HEADER, "End")))
    assert feed.person(columns={"end_date": "End"}, dates={"end_date": "excel"})["end_date"] == iso


@pytest.mark.parametrize(
    ("number", "iso"), [(46082.9995, "2026-03-02"), (46083, "2026-03-02"), (18264, "1950-01-01")]
)
def test_c95_a_day_whose_cell_has_lost_its_format_is_a_day_among_days(feed, number, iso):
    feed.put(
        workbook(
            (*ADA, number),
            (*BOB, dt.datetime(2026, 3, 1)),  # noqa: DTZ001
            header=(*HEADER, "End"),
        ),
        "people.xlsx",
    )
    assert feed.people(columns={"end_date": "End"})[0]["end_date"] == iso


@pytest.mark.parametrize("number", [2026, 202603, 20260302, -1, 0])
def test_c95_another_number_is_no_day_unless_the_company_file_says_how_it_is_written(feed, number):
    feed.put(workbook((*ADA, number), header=(*HEADER, "End")), "people.xlsx")
    assert "that are not written as %Y-%m-%d" in feed.refusal(columns={"end_date": "End"})
    feed.put(text((*ADA, "46083"), header=(*HEADER, "End")))
    (feed.folder / "people.xlsx").unlink()
    # nor in a text file
    assert "that are not written as %Y-%m-%d" in feed.refusal(columns={"end_date": "End"})


def test_c95_a_moment_that_a_text_file_writes_belongs_to_its_day(feed):
    feed.put(text((*ADA, "2026-03-01 23:59:59"), header=(*HEADER, "End")))
    assert (
        feed.person(columns={"end_date": "End"}, dates={"default": "%Y-%m-%d %H:%M:%S"})["end_date"]
        == "2026-03-01"
    )


CODES = {"manager_id": "Boss", "groups": {"team": "Team", "cost_center": {"id": "CC"}}}


@pytest.mark.parametrize("column", ["ID", "Boss", "Team", "CC"])
def test_c95_a_code_that_a_spreadsheet_made_a_date_of_is_refused_by_its_cell(feed, column):
    header = (*HEADER, "Boss", "Team", "CC")
    cells = dict(zip(header, (*ADA, "1", "Sales", "7"), strict=True)) | {
        column: dt.datetime(2026, 1, 3)  # noqa: DTZ001
    }
    feed.put(
        workbook((*BOB, "1", "Sales", "7"), tuple(cells.values()), header=header), "people.xlsx"
    )
    said = feed.refusal(columns=CODES)
    assert (
        f"whose column '{column}' holds a date in row 3 (cell {'ABCDEFG'[header.index(column)]}3)"
        in said
    )
    assert "as text" in said


@pytest.mark.parametrize(
    "made",
    [
        "03-Jan",
        "10. Dez",
        "1-M\u00e4r",
        "Mrz 98",
        "Jan-10",
        "2026-01-03",
        "2026-01-03 00:00:00",
        "03.01.2026",
        "1/3/2026",
        "1,23457E+11",
    ],
)
@pytest.mark.parametrize("column", ["ID", "Team", "CC"])
def test_c95_so_is_one_in_a_text_file_that_a_spreadsheet_saved(feed, made, column):
    header = (*HEADER, "Boss", "Team", "CC")
    cells = dict(zip(header, (*ADA, "1", "Sales", "7"), strict=True)) | {column: made}
    feed.put(text((*BOB, "1", "Sales", "7"), tuple(cells.values()), header=header))
    said = feed.refusal(columns=CODES)
    assert f"(cell {'ABCDEFG'[header.index(column)]}3)" in said
    assert made not in said


@pytest.mark.parametrize(
    "code", ["3-1", "10-12", "1.23", "Mars 2", "May", "4711.0", "2026", "E+11", "Jan", "12.5.1"]
)
def test_c95_a_code_that_is_still_one_is_kept(feed, code):
    feed.put(text((*ADA, code), header=(*HEADER, "Team")))
    assert list(feed.units(columns={"groups": {"team": "Team"}}).values()) == [code]


def test_excels_day_numbers_are_days_where_the_column_is_said_to_hold_them(feed):
    feed.put(workbook((*ADA, 46115), header=(*HEADER, "End")), "people.xlsx")
    assert (
        feed.person(columns={"end_date": "End"}, dates={"end_date": "excel"})["end_date"]
        == "2026-04-03"
    )


@pytest.mark.parametrize("number", [1234567890123456789, 17.5])
def test_an_excel_number_that_cannot_be_an_id_is_refused(feed, number):
    feed.put(workbook((number, *ADA[1:])), "people.xlsx")
    assert "digits are lost" in feed.refusal()


def test_an_excel_error_is_unknown(feed):
    feed.put(workbook((*ADA[:2], "#N/A", "Ämter"), BOB), "people.xlsx")
    assert "given_name" in feed.people()[0]["absent"]


def test_excel_blank_rows_at_the_end_and_a_title_above_are_no_people(feed):
    feed.put(workbook(HEADER, ADA, (None, None, None, None), header=("All people",)), "people.xlsx")
    assert len(feed.people(header_row=2)) == 1


def test_excel_of_a_program_that_tells_its_size_wrongly_is_read_whole(feed):
    with zipfile.ZipFile(io.BytesIO(workbook(ADA, BOB))) as book:
        parts = [(name, book.read(name)) for name in book.namelist()]
    wrong = [(name, content.replace(b'ref="A1:D3"', b'ref="A1:B2"')) for name, content in parts]
    assert wrong != parts
    feed.put(packed(*wrong), "people.xlsx")
    assert [row["family_name"] for row in feed.people()] == ["Ämter", "Babbage"]


def test_of_several_sheets_one_must_be_named(feed):
    feed.put(workbook(ADA, more=["Notes"]), "people.xlsx")
    assert "with 2 sheets" in feed.refusal()
    assert feed.person(sheet="Sheet")["id"] == "0017"
    assert "no sheet 'People'" in feed.refusal(sheet="People")


def test_excel_that_counts_from_1904_is_refused(feed):
    feed.put(workbook(ADA, epoch=openpyxl.utils.datetime.CALENDAR_MAC_1904), "people.xlsx")
    assert "counts days from 1904" in feed.refusal()


@pytest.mark.parametrize("content", [b"PK\x03\x04 cut off", b"ID;E-Mail", workbook(ADA)[:-300]])
def test_excel_that_cannot_be_opened_is_refused(feed, content):
    feed.put(content, "people.xlsx")
    assert "cannot be read as Excel's" in feed.refusal()


# --- JSON -----------------------------------------------------------------------------------------


def objects(*rows):
    return [dict(zip(HEADER, row, strict=True)) for row in rows]


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["people.json", "people.ndjson"])
def test_json_is_read_as_an_array_or_as_lines(feed, name, bom):
    found = objects(ADA, BOB)
    content = (
        json.dumps(found)
        if name.endswith(".json")
        else "".join(json.dumps(each) + "\n" for each in found)
    )
    feed.put(bom + content.encode(), name)
    assert [of(row, "id", "family_name") for row in feed.people()] == [
        ("0017", "Ämter"),
        ("0018", "Babbage"),
    ]


def test_c13_in_json_a_key_that_is_absent_is_unknown_and_null_and_nothing_are_empty(feed):
    ada, bob, eve = objects(ADA, BOB, ("0019", "eve@acme.test", None, ""))
    del ada["First"]
    feed.put(json.dumps([ada, bob, eve]), "people.json")
    first, _, last = feed.people()
    assert (first["given_name"], "given_name" in first["absent"]) == (None, True)
    assert of(last, "given_name", "family_name") == (None, None)
    assert not {"given_name", "family_name"} & set(last["absent"])


def test_c11_a_key_that_is_in_no_object_has_vanished(feed):
    ada, bob = objects(ADA, BOB)
    ada["Team"] = bob["Team"] = None
    del ada["First"], bob["First"]
    feed.put(json.dumps([ada, bob]), "people.json")
    employees, _ = feed.extracts(columns={"groups": {"team": "Team"}})
    assert employees.vanished == ("given_name",)


def test_keys_left_out_for_empty_values_are_empty_where_the_company_file_says_so(feed):
    ada, bob = objects(ADA, BOB)
    del ada["First"]
    feed.put(json.dumps([ada, bob]), "people.json")
    assert "given_name" not in feed.people(omits_empty=True)[0]["absent"]


def test_json_in_which_nobody_has_an_e_mail_is_refused(feed):
    ada, bob = objects(ADA, BOB)
    del ada["E-Mail"], bob["E-Mail"]
    feed.put(json.dumps([ada, bob]), "people.json")
    assert "has nobody with 'E-Mail'" in feed.refusal()


def test_whole_numbers_are_ids_in_json_and_others_are_not(feed):
    feed.put(
        json.dumps([{"ID": 17, "E-Mail": "a@acme.test", "First": "A", "Last": "B"}]), "people.json"
    )
    assert feed.person()["id"] == "17"
    feed.put('[{"ID": 17.5, "E-Mail": "a@acme.test", "First": "A", "Last": "B"}]', "people.json")
    assert "digits are lost" in feed.refusal()


@pytest.mark.parametrize(
    "content",
    ['[{"ID": "1"', '{"ID": "1"}\n{"ID": ', '"ID"', '{"people": [', "[1, 2]", b'[{"ID": "\xff"}]'],
)
def test_json_that_is_cut_off_or_something_else_is_refused(feed, content):
    feed.put(content, "people.json")
    assert "cut off, broken or in another form" in feed.refusal()


@pytest.mark.parametrize("value", [{"a": 1}, ["x"]])
def test_a_nested_value_cannot_be_mapped(feed, value):
    ada, bob = objects(ADA, BOB)
    feed.put(json.dumps([{**ada, "Address": value}, bob]), "people.json")
    assert len(feed.people()) == 2  # nobody asked for it
    feed.put(json.dumps([{**ada, "First": value}, bob]), "people.json")
    assert "nested values cannot be mapped" in feed.refusal()


# --- zip, and what a name says --------------------------------------------------------------------


def test_the_one_file_of_a_zip_archive_is_read_whatever_its_name_leads_to(feed):
    feed.put(packed(("../../people.csv", text(ADA))), "people.zip")
    assert feed.person()["id"] == "0017"
    assert sorted(path.name for path in feed.folder.parent.iterdir()) == ["inbox", "scratch"]


def test_c99_what_a_computer_puts_into_an_archive_for_itself_is_no_file_of_it(feed):
    more = [
        ("__MACOSX/._people.csv", "x"),
        (".DS_Store", "x"),
        ("out/~$people.csv", "x"),
        ("Thumbs.db", "x"),
    ]
    feed.put(packed(*more, ("out/people.csv", text(ADA))), "people.zip")
    assert feed.person()["id"] == "0017"


def test_an_archive_of_several_files_is_refused(feed):
    feed.put(packed(("a.csv", text(ADA)), ("b.csv", text(BOB))), "people.zip")
    assert "people.zip with 2 files in it" in feed.refusal()


@pytest.mark.parametrize("name", ["people.zip", "people.xlsx"])
def test_an_archive_that_unpacks_to_more_than_the_limit_is_refused(feed, name):
    feed.put(packed(("people.csv", b"0" * (3 << 20))), name)
    assert (feed.folder / name).stat().st_size < 1 << 20
    assert "unpacks to more than 1 MB" in feed.refusal(max_mb=1)


def test_an_archive_that_lies_about_its_size_is_refused(feed):
    honest = packed(("people.csv", b"0" * (3 << 20)))
    feed.put(
        honest.replace((3 << 20).to_bytes(4, "little"), (99).to_bytes(4, "little")), "people.zip"
    )
    said = feed.refusal(max_mb=1)
    assert "unpack" in said


def test_an_archive_that_was_cut_off_is_refused(feed):
    feed.put(packed(("people.csv", text(ADA)))[:-30], "people.zip")
    assert "cannot be unpacked" in feed.refusal()


def test_a_file_larger_than_the_limit_is_refused(feed):
    feed.put(b"0" * ((1 << 20) + 1))
    assert "of more than 1 MB" in feed.refusal(max_mb=1)


def test_a_name_that_says_nothing_needs_a_format(feed):
    feed.put(text(ADA, by="\t"), "people.dat")
    assert "whose name does not say how it is written" in feed.refusal()
    assert feed.person(format="tsv")["id"] == "0017"
