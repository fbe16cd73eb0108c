"""Which file is read, and what proves it: old, half-written, empty and cut-off files, markers,
counts, manifests, last rows.
"""

import contextlib
import datetime as dt
import hashlib
import json
import threading

import pytest

from hris_pipeline import clock
from hris_pipeline.hris.systems.files import arrivals, places
from hris_pipeline_tests.hris.feed import ADA, BOB, HEADER, failed, text, workbook

EVE = ("0019", "eve@acme.test", "Eve", "Eich")


# --- which one ------------------------------------------------------------------------------------


def test_without_a_file_nothing_is_read(feed):
    feed.put(text(ADA), "absences.csv")
    said = feed.refusal()
    assert f"has no file people* in {feed.folder}" in said
    assert "Ask the sender whether the export ran" in said


def test_without_the_folder_nothing_is_read(feed):
    feed.folder.rmdir()
    assert f"has no folder {feed.folder}" in feed.refusal()


def test_a_file_that_goes_while_the_folder_is_listed_is_not_there(feed):
    feed.put(text(ADA))
    draft = feed.put(text(BOB), "people.tmp")

    @contextlib.contextmanager
    def listed(path):
        with scandir(path) as found:
            entries = list(found)
            draft.unlink(missing_ok=True)
            yield entries

    with pytest.MonkeyPatch.context() as patch:
        scandir = places.os.scandir
        patch.setattr(places.os, "scandir", listed)
        assert places.Folder(str(feed.folder)).entries().keys() == {"people.csv"}


def test_of_several_files_the_newest_is_read(feed):
    feed.put(text(ADA), "people_b.csv", hours_old=3)
    feed.put(text(BOB), "people_a.csv", hours_old=2)
    assert feed.person()["id"] == "0018"


def test_the_date_in_a_name_comes_before_the_time_of_the_file(feed):
    today = clock.now()
    feed.put(text(ADA), f"people_{today:%Y%m%d}.csv", hours_old=1)
    # somebody has copied it again
    feed.put(text(BOB), f"people_{today - dt.timedelta(days=9):%Y%m%d}.csv")
    assert feed.person(date_in_name="%Y%m%d")["id"] == "0017"
    assert feed.person()["id"] == "0018"


def test_a_name_without_its_date_is_refused(feed):
    feed.put(text(ADA), "people_final.csv")
    assert "people_final.csv without a date like %Y%m%d in its name" in feed.refusal(
        date_in_name="%Y%m%d"
    )


def test_yesterdays_file_is_refused_by_its_age(feed):
    feed.put(text(ADA), hours_old=25)
    assert feed.person()["id"] == "0017"
    feed.put(text(ADA), hours_old=27.4)
    said = feed.refusal()
    assert (
        "nothing newer than people.csv, which is 27 hours old (options.max_age_hours allows 26)"
        in said
    )
    assert feed.person(max_age_hours=72)["id"] == "0017"
    assert feed.person(max_age_hours=None)["id"] == "0017"


def test_yesterdays_file_is_refused_by_the_date_in_its_name_though_it_was_copied_today(feed):
    feed.put(text(ADA), f"people_{clock.now() - dt.timedelta(days=2):%Y-%m-%d}.csv")
    assert "hours old" in feed.refusal(date_in_name="%Y-%m-%d")


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "",
        "../people.csv",
        "people\\..\\x",
        "people\x00.csv",
        "people\n.csv",
        "people\udcff.csv",
    ],
)
def test_a_name_that_could_lead_out_of_the_folder_or_break_a_line_is_no_name(name):
    assert not places.is_plain(name)


def test_a_hidden_file_is_a_draft(feed):
    feed.put(text(ADA), hours_old=1)
    feed.put(text(BOB), ".people.csv")
    assert feed.person(path=f"{feed.folder}/*.csv")["id"] == "0017"


def test_folders_are_no_files(feed):
    (feed.folder / "people.csv").mkdir()
    assert "has no file" in feed.refusal()


def test_a_file_is_read_a_second_time_if_it_is_asked_for_again(feed):
    feed.put(text(ADA))
    assert feed.people() == feed.people()


# --- has it come whole ----------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["", "\r\n\r\n", "\ufeff"])
def test_c01_an_empty_file_is_refused(feed, content):
    feed.put(content)
    said = feed.refusal()
    assert "an empty file people.csv" in said or "people.csv with nothing in it" in said


def test_c01_a_file_with_a_header_and_nobody_is_refused(feed):
    feed.put(text())
    assert "people.csv with 0 rows below its header (options.min_rows: 1)" in feed.refusal()


def test_a_file_with_fewer_rows_than_can_be_right_is_refused(feed):
    feed.put(text(ADA, BOB))
    assert "with 2 rows" in feed.refusal(min_rows=3)
    assert len(feed.people(min_rows=2)) == 2


def test_a_file_that_grows_between_two_looks_is_refused(feed, monkeypatch):
    feed.put(text(ADA))
    monkeypatch.setattr(arrivals.time, "sleep", lambda _: feed.put(text(ADA, BOB)))
    assert "people.csv that is still being written" in feed.refusal()
    feed.put(text(ADA))
    assert "no longer written to" in failed(feed.probes()).what  # it was not even fetched


def test_a_file_that_is_written_again_while_it_is_copied_is_refused(feed, monkeypatch):
    path = feed.put(text(ADA, BOB))
    copy = places.Folder.fetch

    def fetch(self, *arguments):
        done = copy(self, *arguments)
        path.write_text(text(EVE))
        return done

    monkeypatch.setattr(places.Folder, "fetch", fetch)
    assert "still being written" in feed.refusal()


def test_a_writer_that_takes_its_time_is_waited_for_and_found(feed):
    path = feed.put(text(ADA))
    going_on = threading.Event()

    def write():
        while not going_on.wait(0.002):
            with path.open("a") as file:
                file.write(";".join(BOB) + "\r\n")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert "still being written" in feed.refusal(settle_seconds=0.2)
    finally:
        going_on.set()
        writer.join()


# --- what proves it -------------------------------------------------------------------------------


def test_without_a_word_of_the_sender_a_file_proves_nothing(feed):
    feed.put(text(ADA, BOB))
    for extract in feed.extracts():
        assert extract.proof == "unproven"
        assert (
            "Nothing shows that people.csv is whole; its 2 rows were read (options.proof)."
            in extract.why
        )


def test_a_marker_proves_a_file(feed):
    feed.put(text(ADA, BOB))
    feed.put("", "people.done")
    employees, units = feed.extracts(proof={"marker": "{stem}.done"})
    assert (employees.proof, employees.why) == (
        "proven",
        "The sender marked people.csv as whole; all its 2 rows were read.",
    )
    assert (units.proof, units.partial) == ("proven", False)


def test_a_file_without_its_marker_is_not_complete_yet(feed):
    feed.put(text(ADA))
    said = feed.refusal(proof={"marker": "{name}.done"})
    assert "people.csv that is not complete yet: its marker people.csv.done is not there" in said


def test_a_marker_of_the_day_before_is_none(feed):
    feed.put(text(ADA))
    feed.put("", "people.csv.done", hours_old=24)
    assert "its marker people.csv.done is older than the file" in feed.refusal(
        proof={"marker": "{name}.done"}
    )


def test_what_lies_beside_a_file_is_never_taken_for_one(feed):
    feed.put(text(ADA), hours_old=1)
    feed.put("1", "people.csv.count")
    employees, _ = feed.extracts(proof={"count": "{name}.count"})
    assert (employees.proof, employees.records, employees.expected) == ("proven", 1, 1)
    assert employees.why == "All 1 rows that were announced are in people.csv."


def test_c03_fewer_rows_than_the_count_prove_nothing(feed):
    feed.put(text(ADA, BOB))
    feed.put("3\n", "people.csv.count")
    employees, units = feed.extracts(proof={"count": "{name}.count"})
    assert (employees.proof, employees.expected, units.proof) == ("unproven", 3, "unproven")
    assert employees.why == "2 of the 3 rows that were announced are in people.csv."


@pytest.mark.parametrize("count", ["", "two", "-1", "2 rows", "²"])
def test_a_count_that_is_no_number_is_refused(feed, count):
    feed.put(text(ADA))
    feed.put(count, "people.csv.count")
    assert "whose count is no whole number" in feed.refusal(proof={"count": "{name}.count"})


@pytest.mark.parametrize("more", [{}, {"sha256": True}, {"source": "hr", "columns": ["a"]}])
def test_a_manifest_proves_a_file_by_rows_and_checksum(feed, more):
    content = text(ADA, BOB)
    feed.put(content)
    if "sha256" in more:
        more = {"sha256": hashlib.sha256(content.encode()).hexdigest().upper()}
    feed.put("\ufeff" + json.dumps({"rows": 2, **more}), "people.csv.manifest.json")
    assert feed.extracts(proof={"manifest": "{name}.manifest.json"})[0].proof == "proven"


def test_a_file_with_another_checksum_than_its_manifest_is_refused(feed):
    feed.put(text(ADA, BOB))
    feed.put(json.dumps({"rows": 2, "sha256": "0" * 64}), "people.csv.manifest.json")
    assert "whose sha256 is not the one of its manifest" in feed.refusal(
        proof={"manifest": "{name}.manifest.json"}
    )


@pytest.mark.parametrize("manifest", ["", "[]", '{"rows": "2"}', '{"count": 2}', '{"rows": 2'])
def test_a_manifest_that_cannot_be_read_is_refused(feed, manifest):
    feed.put(text(ADA))
    feed.put(manifest, "people.csv.manifest.json")
    assert "with a manifest that cannot be read" in feed.refusal(
        proof={"manifest": "{name}.manifest.json"}
    )


def test_a_count_and_a_manifest_that_contradict_each_other_are_refused(feed):
    feed.put(text(ADA))
    feed.put("1", "people.csv.count")
    feed.put('{"rows": 2}', "people.csv.json")
    assert "different numbers of rows" in feed.refusal(
        proof={"manifest": "{name}.json", "count": "{name}.count"}
    )


TRAILER = {"proof": {"trailer": {"starts_with": "TOTAL"}}}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize(("count", "proof"), [("2", "proven"), ("3", "unproven")])
def test_a_last_row_with_the_number_of_rows_proves_a_file(feed, form, count, proof):
    if form == "csv":
        feed.put(text(ADA, BOB, ("TOTAL", count)) + "\r\n")
    else:
        feed.put(workbook(ADA, BOB, ("TOTAL", int(count))), "people.xlsx")
    employees, _ = feed.extracts(**TRAILER)
    assert (employees.proof, employees.records) == (proof, 2)
    assert [row["id"] for row in feed.people(**TRAILER)] == ["0017", "0018"]


def test_c02_a_file_without_its_last_row_was_cut_off(feed):
    feed.put(text(ADA, BOB))
    assert "without its last row (TOTAL): it was cut off" in feed.refusal(**TRAILER)


def test_rows_after_the_last_row_are_refused(feed):
    feed.put(text(ADA, ("TOTAL", "1"), BOB))
    assert "goes on after its last row (row 4)" in feed.refusal(**TRAILER)


@pytest.mark.parametrize("last", [("TOTAL",), ("TOTAL", ""), ("TOTAL", "many")])
def test_a_last_row_without_a_number_is_refused(feed, last):
    feed.put(text(ADA, last))
    assert "whose last row names no number of rows" in feed.refusal(**TRAILER)


@pytest.mark.parametrize("cut", range(1, 40))
def test_c02_a_file_that_was_cut_off_anywhere_is_never_proven(feed, cut):
    feed.put((text(ADA, BOB, ("TOTAL", "2")))[:-cut])
    try:
        employees, _ = feed.extracts(**TRAILER)
    except Exception as problem:  # noqa: BLE001
        assert type(problem).__name__ == "HrisError"  # noqa: PT017
    else:
        # only what comes after the last digit may be missing
        assert employees.proof == "unproven" or cut <= 2


# --- full or delta --------------------------------------------------------------------------------


def test_a_delta_is_partial_and_proves_nothing_whatever_lies_beside_it(feed):
    feed.put(text(ADA))
    feed.put("1", "people.csv.count")
    for extract in feed.extracts(feed="delta", proof={"count": "{name}.count"}):
        assert (extract.partial, extract.proof) == (True, "unproven")
        assert "A delta file holds only who changed" in extract.why


def test_c19_all_deltas_that_are_not_too_old_are_read_and_the_newest_row_of_a_person_counts(feed):
    feed.put(
        text((*ADA[:3], "Old"), ("0020", "old@acme.test", "O", "P")), "people_1.csv", hours_old=30
    )
    feed.put(text((*ADA[:3], "Older"), BOB), "people_2.csv", hours_old=3)
    feed.put(text((*ADA[:3], "New"), EVE), "people_3.csv", hours_old=1)
    assert {row["id"]: row["family_name"] for row in feed.people(feed="delta")} == {
        "0017": "New",
        "0018": "Babbage",
        "0019": "Eich",
    }
    assert len(feed.people(feed="delta", max_age_hours=40)) == 4


# --- the doctor -----------------------------------------------------------------------------------


def test_the_doctor_tries_each_step_of_a_good_file_and_warns_that_nothing_proves_it(feed):
    feed.put(text((*ADA, "working"), header=(*HEADER, "Status")))
    told = {"columns": {"status": "Status"}, "statuses": {"Working": "active"}}
    *passed, last = feed.probes(**told)
    assert len(passed) == 6
    assert all(probe.problem is None for probe in passed)
    assert not last.needed
    assert "nobody is deactivated" in last.problem
    feed.put("", "people.csv.done")
    assert all(
        probe.problem is None for probe in feed.probes(**told, proof={"marker": "{name}.done"})
    )


@pytest.mark.parametrize(
    ("content", "options", "problem"),
    [
        (None, {}, "has no file"),
        (text(ADA), {"proof": {"marker": "{name}.done"}}, "is not complete yet"),
        (text(ADA, header=("ID", "E-Mail", "Vorname", "Last")), {}, "without the column 'First'"),
        (text(("1.2E+9", *ADA[1:])), {}, "digits are lost"),
    ],
)
def test_the_doctor_names_the_first_thing_that_is_wrong_and_what_to_do(
    feed, content, options, problem
):
    if content:
        feed.put(content)
    probe = failed(feed.probes(**options))
    assert problem in probe.problem
    assert probe.remedy
    assert probe.needed
    assert "ada" not in str(probe)


def test_the_doctor_counts_words_for_a_status_that_nobody_explained(feed):
    feed.put(text((*ADA, "sabbatical"), (*BOB, "working"), header=(*HEADER, "Status")))
    probe = feed.probes(columns={"status": "Status"}, statuses={"working": "active"})[-2]
    assert probe.problem.startswith("1 rows have a status that options.statuses does not explain")
    assert "sabbatical" not in probe.problem


# --- days in names, and what is no export ---------------------------------------------------------

BERLIN_NIGHT = "2026-03-02T04:30:00+01:00"


@pytest.mark.parametrize(
    ("name", "form", "timezone", "is_read"),
    [
        ("people_20260301.csv", "%Y%m%d", "Europe/Berlin", True),
        ("people_20260228.csv", "%Y%m%d", "Europe/Berlin", False),  # its day ended 28.5 hours ago
        ("people_20260228.csv", "%Y%m%d", "America/Los_Angeles", True),  # and there 19.5 hours ago
        ("people_20260302.csv", "%Y%m%d", "Europe/Berlin", True),
        ("people_20260301_0300.csv", "%Y%m%d_%H%M", "Europe/Berlin", True),
        ("people_20260301_0200.csv", "%Y%m%d_%H%M", "Europe/Berlin", False),
        ("people_20260301_0200.csv", "%Y%m%d_%H%M", "America/New_York", True),
    ],
)
def test_c99_a_day_in_a_files_name_counts_to_its_end_where_the_company_is(
    feed, monkeypatch, name, form, timezone, is_read
):
    monkeypatch.setenv("HRIS_PIPELINE_NOW", BERLIN_NIGHT)
    feed.put(text(ADA), name, hours_old=1)
    feed.timezone = timezone
    if is_read:
        assert feed.person(date_in_name=form)["id"] == "0017"
    else:
        assert "hours old (options.max_age_hours allows 26)" in feed.refusal(date_in_name=form)


@pytest.mark.parametrize(
    "name",
    [
        "~$people.xlsx",
        ".~lock.people.xlsx#",
        ".people.xlsx",
        "people.xlsx.part",
        "people.xlsx.filepart",
        "people.xlsx~",
    ],
)
def test_c99_a_lock_file_and_half_a_file_are_no_exports(feed, name):
    feed.put(workbook(ADA), "people.xlsx", hours_old=2)
    (feed.folder / "__MACOSX").mkdir()
    feed.put("lock", name, hours_old=1)
    assert feed.person(path=str(feed.folder / "*people.xlsx*"))["id"] == "0017"
    assert feed.person(path=str(feed.folder / "*"))["id"] == "0017"
