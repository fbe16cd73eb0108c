"""Whole nights of a company that is read from a nightly file."""

import contextlib
import os
import time
from dataclasses import replace

import pytest

from hris_pipeline.sandbox.company import generate, load_company
from hris_pipeline.sandbox.hris import files
from hris_pipeline_tests.end_to_end.deployment import NIGHT, deployed, in_line
from hris_pipeline_tests.end_to_end.test_both_generations import DAYS

CORE = ("core/people", "core/quarantine", "core/groups", "core/memberships", "core/manager_graph")


def core_tables(folder, from_file):
    """The core tables after each of the sample company's days, read through Personio v1 or from a
    nightly file.
    """
    folder.mkdir()
    found, path = [], folder / "people.csv"
    account = {
        "system": "files",
        "options": {**files.OPTIONS, "path": str(path), "settle_seconds": 0},
    }
    more = {"hris": {"personio": account}} if from_file else {}  # the name makes the refs the same
    with deployed(folder, load_company(), more=more) as company:
        for day in (1, 2, 3):
            company.tenant.go_to(day)
            files.write_csv(company.tenant, path)
            assert company.sync(*DAYS[day][0], night=day - 1).code == DAYS[day][1]
            found.append({name: rows for name, rows in company.tables().items() if name in CORE})
    return found


def test_a_nightly_file_gives_the_same_core_tables_as_personio_on_every_day_of_the_sample_company(
    tmp_path,
):
    expected = core_tables(tmp_path / "personio", from_file=False)
    assert all(rows for tables in expected for rows in tables.values())
    assert core_tables(tmp_path / "file", from_file=True) == expected


class Night:
    """A company, the file it is read from, and what the company file says of it."""

    def __init__(self, company, **options):
        self.company = company
        self.path = company.folder / "people.csv"
        self.options = {**files.OPTIONS, "path": str(self.path), "settle_seconds": 0, **options}
        self.write()

    def write(self, edit=lambda text: text, **options):
        """Write the company as it is now, edited by hand, and the company file."""
        files.write_csv(self.company.tenant, self.path)
        self.path.write_bytes(edit(self.path.read_bytes().decode("utf-8-sig")).encode("utf-8-sig"))
        account = {"system": "files", "options": {**self.options, **options}}
        self.company.more["hris"] = {"hr": account}
        self.company.write_file()

    def active(self):
        return {user["externalId"] for user in self.company.deskbird.desk.users() if user["active"]}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("files") / "first_night"


@pytest.fixture
def night(tmp_path, kept):
    @contextlib.contextmanager
    def deploy(folder, app):
        with deployed(folder, generate(40), deskbird=app) as company:
            company.night = Night(company)
            yield company

    with in_line(kept, tmp_path, deploy) as company:
        yield company.night


def leaver(night):
    """Somebody of the company's who works there and leads nobody."""
    persons = night.company.tenant.snapshot.persons
    leads = {person.current.supervisor for person in persons.values()}
    return next(
        person.id
        for person in persons.values()
        if person.id not in leads and person.current.status == "ACTIVE"
    )


def test_c72_the_same_file_again_writes_nothing(night):
    assert len(night.active()) > 30
    assert night.company.sync(night=0.1).code == 0
    assert night.company.writes() == []


def test_who_left_by_the_word_of_a_proven_file_is_deactivated(night):
    left = leaver(night)
    night.company.tenant.change(left, status="INACTIVE")
    night.write()
    assert night.company.sync(night=1).code == 0
    assert f"hr:{left}" not in night.active()
    assert len(night.company.writes()) == 1


def test_c03_who_left_by_the_word_of_a_file_that_nothing_proves_stays_and_who_joined_comes(night):
    left = leaver(night)
    night.company.tenant.change(left, status="INACTIVE")
    like = night.company.tenant.snapshot.persons[1]
    night.company.tenant.add(replace(like, id=999, email="new@nordlicht.example"))
    night.write(
        lambda text: "\n".join(line for line in text.splitlines() if not line.startswith("TOTAL")),
        proof={},
    )
    ended = night.company.sync(night=1)
    assert ended.code == 3, ended.err
    assert {f"hr:{left}", "hr:999"} <= night.active()
    assert night.company.ask(
        "select distinct guard from deskbird.changes where verdict = 'blocked'"
    ) == [("incomplete_extract",)]


def test_c02_a_file_that_was_cut_off_ends_the_night_and_changes_nothing(night):
    before = night.company.tables()
    night.company.tenant.change(leaver(night), status="INACTIVE")
    night.write(lambda text: text[: len(text) // 2])
    ended = night.company.sync(night=1)
    assert ended.code == 1
    assert "Files connection 'hr' has a file people.csv" in ended.err
    assert "deskbird is left as it is" in ended.err
    assert night.company.writes() == []
    assert night.company.tables() == before


def test_c01_yesterdays_file_and_one_with_nobody_in_it_end_the_night(night):
    an_age_ago = time.time() - 48 * 3600
    os.utime(night.path, (an_age_ago, an_age_ago))
    ended = night.company.sync(night=1)
    assert (ended.code, "48 hours old" in ended.err) == (1, True)
    night.write(lambda text: text.splitlines()[0] + "\nTOTAL;0\n")
    ended = night.company.sync(night=1)
    assert (ended.code, "with 0 rows below its header" in ended.err) == (1, True)
    assert night.company.writes() == []


def test_c14_a_word_that_nobody_explained_and_a_day_that_is_none_hold_two_people_back(night):
    persons = night.company.tenant.snapshot.persons
    one, other = (
        person
        for person in persons.values()
        if person.current.status == "ACTIVE" and person.id in {1, 2}
    )

    def edit(text):
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if line.startswith(f"{one.id};"):
                lines[number] = line.replace(";working;", ";sabbatical;")
            if line.startswith(f"{other.id};"):
                lines[number] = line.replace(";31.12.9999;", ";31.02.2026;")
        return "\n".join(lines)

    night.write(edit)
    assert night.company.sync(night=1).code == 0
    assert night.company.ask("select hris_ref, rule from core.quarantine order by all") == [
        (f"hr:{one.id}", "status_is_known"),
        (f"hr:{other.id}", "dates_are_readable"),
    ]
    assert night.company.writes() == []
    assert {f"hr:{one.id}", f"hr:{other.id}"} <= night.active()


def test_who_is_no_longer_in_a_proven_file_is_missing_and_not_gone(night):
    gone = leaver(night)
    night.company.tenant.remove(gone)
    night.write()
    assert night.company.sync(night=1).code == 0
    assert night.company.ask("select hris_ref from state.missing") == [(f"hr:{gone}",)]
    assert night.company.writes() == []


def test_c19_a_delta_adds_and_changes_and_leaves_everybody_else_as_they_are(night):
    changed = leaver(night)
    before = night.active()
    night.company.tenant.change(changed, last_name="Neuname")
    lines = (f"{changed};", "Personnel number;", "TOTAL;")
    night.write(
        lambda text: "\n".join(
            line for line in text.splitlines() if line.startswith(lines)
        ).replace("TOTAL;40", "TOTAL;1"),
        feed="delta",
    )
    assert night.company.sync(night=1).code == 0
    assert [method for method, *_ in night.company.writes()] == ["PATCH"]
    assert night.active() == before
    assert night.company.ask("select count(*) from core.people") == [(40,)]
    assert night.company.ask("select count(*) from state.missing") == [(0,)]


def test_c43_a_team_without_an_id_that_is_renamed_keeps_its_group(tmp_path):
    with deployed(tmp_path, generate(40)) as company:
        night = Night(company, columns={**files.OPTIONS["columns"], "groups": {"team": "Team"}})
        assert company.sync().code == 0
        company.forget_requests()
        before = {group["displayName"]: group["id"] for group in company.deskbird.desk.groups()}
        night.write(lambda text: text.replace(";Team 1;", ";Crew One;"))
        assert company.sync(night=1).code == 0
        after = {group["displayName"]: group["id"] for group in company.deskbird.desk.groups()}
        assert after == {
            ("Crew One" if name == "Team 1" else name): group for name, group in before.items()
        }
        assert [method for method, *_ in company.writes()] == ["PATCH"]


def test_c81_what_went_wrong_in_a_file_is_told_without_a_name_or_an_address(night):
    values = [
        v
        for p in night.company.tenant.snapshot.persons.values()
        for v in (p.email, p.first_name, p.last_name)
    ]
    for edit in (
        lambda text: text[:-40],
        lambda text: text.replace("E-mail", "Mail"),
        lambda text: text.replace(";person.1@", ';"person.1@'),
        lambda text: text.replace("\r\n1;", "\r\n1.00E+5;"),
        lambda text: (
            text.replace(".2025;", ".25;")
            .replace(".2024;", ".24;")
            .replace(".2023;", ".23;")
            .replace(".2022;", ".22;")
        ),
    ):
        night.write(edit)
        ended = night.company.sync(night=1)
        assert ended.code == 1
        assert [value for value in values if value in ended.out + ended.err] == []


def test_the_doctor_tries_the_file_and_changes_nothing(night):
    ended = night.company.run("doctor", "acme")
    assert ended.code == 0, ended.out + ended.err
    assert "its form and its columns" in ended.out
    night.write(lambda text: text.replace("First name", "Given"))
    ended = night.company.run("doctor", "acme")
    assert ended.code == 1
    assert "without the column 'First name'" in ended.out
    assert [status for _, _, status in night.company.writes() if status < 400] == []


def test_between_nights_a_file_is_not_read_and_whose_last_day_has_passed_since_waits_for_the_night(
    night,
):
    left = leaver(night)
    night.company.tenant.change(left, end_date=NIGHT.date())
    night.write()
    assert night.company.sync(night=0.1).code == 0
    assert f"hr:{left}" in night.active()

    night.company.tenant.change(left, last_name="Unread")
    night.write()
    assert night.company.between_nights(1).problem is None
    assert night.company.writes() == []
    assert night.company.ask(
        "select hris_ref, guard from deskbird.changes where action = 'deactivate'"
    ) == [(f"hr:{left}", "incomplete_extract")]
    assert (
        "Not read: this system cannot say what changed"
        in night.company.run("status", "acme", night=1).out
    )

    assert night.company.sync(night=1.1).code == 0
    assert f"hr:{left}" not in night.active()
