"""The sample company has the mess it promises (data/sandbox/README.md), and its days tell what they
say they tell.
"""

import collections
import csv
import datetime as dt
import shutil
import unicodedata

import pytest

from hris_pipeline.errors import PipelineError
from hris_pipeline.sandbox.company import (
    KINDS,
    RANK,
    SAMPLE,
    OrgUnit,
    days_of,
    generate,
    load_company,
)


@pytest.fixture(scope="module")
def days():
    return {day: load_company(day=day).snapshot for day in (1, 2, 3)}


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(SAMPLE, tmp_path / "sandbox")
    return tmp_path / "sandbox"


def present(snapshot):
    return {ref for ref, person in snapshot.persons.items() if person.current.status != "INACTIVE"}


def started(snapshot):
    return {
        ref
        for ref, person in snapshot.persons.items()
        if person.current.status in {"ACTIVE", "LEAVE"}
    }


def test_the_days_are_three_in_a_row_and_each_stands_on_the_one_before(days):
    assert [days[day].date for day in (1, 2, 3)] == [
        dt.date(2026, 3, 2),
        dt.date(2026, 3, 3),
        dt.date(2026, 3, 4),
    ]
    assert [len(days[day].persons) for day in (1, 2, 3)] == [251, 254, 256]
    assert set(days[1].persons) < set(days[2].persons) < set(days[3].persons)
    assert days_of(SAMPLE) == 3


@pytest.mark.parametrize("day", [1, 2, 3])
def test_every_status_is_one_of_personios_and_fits_the_date(days, day):
    today = days[day].date
    for person in days[day].persons.values():
        for employment in person.employments:
            assert employment.status in RANK
            assert (employment.status == "ONBOARDING") == (employment.start_date > today)
            assert (employment.status == "INACTIVE") == (
                employment.end_date is not None and employment.end_date < today
            )
        assert person.created_at <= person.updated_at <= days[day].moment


@pytest.mark.parametrize("day", [1, 2, 3])
def test_every_unit_that_somebody_is_in_exists_and_names_are_unique_within_a_kind(days, day):
    snapshot = days[day]
    for kind in KINDS:
        names = [unit.name for unit in snapshot.of_kind(kind)]
        assert len(names) == len(set(names)) > 2
    for person in snapshot.persons.values():
        for employment in person.employments:
            named = [
                (kind, getattr(employment, kind))
                for kind in ("team", "department", "location", "legal_entity")
            ]
            named += [("cost_center", ref) for ref, _ in employment.cost_centers]
            assert all(ref is None or (kind, ref) in snapshot.unit_names for kind, ref in named)


def test_people_sit_in_three_countries(days):
    countries = {unit.id: unit.country for unit in days[1].of_kind("location")}
    counts = collections.Counter(
        countries[person.current.location] for person in days[1].persons.values()
    )
    assert counts.keys() == {"DE", "NL", "ES"}
    assert min(counts.values()) > 40


def test_names_and_addresses_are_as_messy_as_promised(days):
    persons = days[1].persons
    assert persons[10052].last_name == persons[10116].last_name
    assert persons[10052].first_name == persons[10116].first_name
    decomposed = [
        ref
        for ref, p in persons.items()
        if unicodedata.normalize("NFC", p.last_name) != p.last_name
    ]
    assert decomposed == [10078]
    assert unicodedata.bidirectional(persons[10238].last_name[0]) == "AL"
    assert "\u200b" in persons[10155].first_name
    assert persons[10140].first_name.endswith(" ")
    assert persons[10140].email != persons[10140].email.strip().lower()
    letters = {letter for p in persons.values() for letter in p.first_name + p.last_name}
    assert set("äöüßñğşłŻø'") <= letters
    shared = [
        address
        for address, n in collections.Counter(p.email for p in persons.values() if p.email).items()
        if n > 1
    ]
    assert len(shared) == 1
    assert {ref for ref, p in persons.items() if p.email == shared[0]} == {10029, 10209}
    assert {ref for ref, p in persons.items() if p.email is None} == {10225, 10257}
    assert [ref for ref, p in persons.items() if (p.email or "@").count("@") != 1] == [10144]
    assert all(
        p.email is None or p.email.strip().lower().endswith("@nordlicht.example")
        for p in persons.values()
    )


def test_reporting_lines_are_broken_where_promised_and_nowhere_else(days):
    persons = days[1].persons
    boss = {ref: person.current.supervisor for ref, person in persons.items()}
    assert {ref for ref, manager in boss.items() if manager is None} == {
        10001,
        10072,
        10081,
        10191,
    }
    assert {
        ref for ref, manager in boss.items() if manager is not None and manager not in persons
    } == {10193}
    assert {ref for ref, manager in boss.items() if manager == ref} == {10089}
    assert {
        ref for ref, manager in boss.items() if manager != ref and boss.get(manager) == ref
    } == {10123, 10202}
    left = {
        ref
        for ref in present(days[1])
        if boss[ref] in persons and boss[ref] not in present(days[1])
    }
    assert left == {10095, 10172, 10197, 10218}


def test_employments_and_cost_centers_are_as_promised(days):
    persons = days[1].persons
    words = {
        ref: [e.status for e in p.employments]
        for ref, p in persons.items()
        if len(p.employments) > 1
    }
    assert words == {
        10043: ["INACTIVE", "ACTIVE"],
        10085: ["ACTIVE", "INACTIVE"],
        10051: ["ACTIVE", "ACTIVE"],
        10106: ["ACTIVE", "ACTIVE"],
    }
    assert persons[10085].recent_first[0].status == "INACTIVE"
    assert persons[10085].current.status == "ACTIVE"
    weights = {
        ref
        for ref, p in persons.items()
        if sum(weight for _, weight in p.current.cost_centers) != 100
    }
    assert weights == {10200}
    assert collections.Counter(p.current.status for p in persons.values()) == {
        "ACTIVE": 229,
        "LEAVE": 6,
        "ONBOARDING": 4,
        "INACTIVE": 12,
    }


def test_c44_a_team_and_a_department_share_a_name_and_one_department_is_empty(days):
    names = collections.Counter(unit.name for unit in days[1].units)
    assert [name for name, n in names.items() if n > 1] == ["Customer Success"]
    used = {person.current.department for person in days[1].persons.values()}
    assert [unit.name for unit in days[1].of_kind("department") if unit.id not in used] == [
        "Innovation Lab"
    ]
    assert 411 in {person.current.department for person in days[2].persons.values()}


def test_day_2_is_an_ordinary_night(days):
    before, after = days[1], days[2]
    assert present(before) - present(after) == {10066, 10103, 10158}
    assert started(after) - started(before) == {10147, 10254, 10258, 10259}
    assert set(after.persons) - set(before.persons) == {10258, 10259, 10260}
    assert after.persons[10252].last_name != before.persons[10252].last_name
    assert after.persons[10252].email != before.persons[10252].email
    renamed = {key for key, name in after.unit_names.items() if before.unit_names[key] != name}
    assert renamed == {("department", 408)}
    assert [(e.status, e.number) for e in after.persons[10147].employments] == [
        ("INACTIVE", 1),
        ("ACTIVE", 2),
    ]
    changed = {ref for ref in before.persons if after.persons[ref] != before.persons[ref]}
    assert len(changed) == 20
    assert {after.persons[ref].updated_at for ref in changed} == {after.moment}


def test_c70_on_day_3_forty_people_are_made_leavers_by_mistake_and_two_really_start(days):
    before, after = days[2], days[3]
    gone = present(before) - present(after)
    assert len(gone) == 40
    assert started(after) - started(before) == {10261, 10262}
    assert len(gone) / len(started(before)) > 0.05
    for ref in gone:
        was, now = before.persons[ref], after.persons[ref]
        assert (now.current.end_date, now.email) == (dt.date(2026, 3, 3), was.email)
        assert (now.current.team, now.current.supervisor) == (
            was.current.team,
            was.current.supervisor,
        )
    assert not gone & {person.current.supervisor for person in after.persons.values()}
    assert {ref for ref in before.persons if before.persons[ref] != after.persons[ref]} == gone


def test_the_files_can_be_read_by_people(days):
    with (SAMPLE / "company.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["id"]) for row in rows] == sorted(int(row["id"]) for row in rows)
    assert len(rows) == 255
    assert len(rows[0]) == 16


def test_a_tenant_goes_to_another_day_and_back():
    tenant = load_company()
    first = tenant.snapshot
    tenant.go_to(3)
    assert (tenant.day, tenant.snapshot.date.day) == (3, 4)
    tenant.go_to(1)
    assert tenant.snapshot == first


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("Engineering", "department cannot be read"),
        ("ACTIVE,2013-01-01", "status cannot be read"),
        ("2013-01-01", "start_date cannot be read"),
        ("2100", "cost_centers cannot be read"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_file_id_and_column(folder, wrong, told):
    path = folder / "company.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    row = next(i for i, line in enumerate(lines) if line.startswith("10002,"))
    lines[row] = (
        lines[row].replace(wrong, wrong[:-1] + "x", 1)
        if "," not in wrong
        else lines[row].replace("ACTIVE", "GONE", 1)
    )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(PipelineError, match=rf"company\.csv, person 10002: {told}"):
        load_company(folder)


def test_a_day_that_has_no_file_is_one_plain_sentence(folder):
    with pytest.raises(PipelineError, match=r"day_4\.yaml cannot be read"):
        load_company(folder, 4)
    with pytest.raises(PipelineError, match="no other day"):
        generate(3).go_to(2)


@pytest.mark.parametrize("size", [1, 2, 10, 250, 1000])
def test_a_generated_company_has_its_size_and_sound_reporting_lines(size):
    snapshot = generate(size).snapshot
    assert list(snapshot.persons) == list(range(1, size + 1))
    assert len({person.email for person in snapshot.persons.values()}) == size
    for ref, person in snapshot.persons.items():
        manager = person.current.supervisor
        assert (
            manager is None
            if ref == 1
            else manager < ref and snapshot.persons[manager].current.status == "ACTIVE"
        )


def test_a_generated_company_is_the_same_for_the_same_seed_and_has_a_real_shape():
    first, again, other = generate(1000, 7), generate(1000, 7), generate(1000, 8)
    assert first.snapshot == again.snapshot != other.snapshot
    assert 8 <= 1000 / len(first.snapshot.units) <= 15
    boss = {ref: person.current.supervisor for ref, person in first.snapshot.persons.items()}

    def depth(ref):
        return 0 if boss[ref] is None else 1 + depth(boss[ref])

    assert 6 <= max(map(depth, boss)) <= 8
    assert len({person.current.status for person in first.snapshot.persons.values()}) == 4


def test_a_tenant_changes_by_swapping_snapshots():
    tenant = generate(10)
    before = tenant.snapshot
    tenant.change(3, email="x@nordlicht.example", team=1001, status="LEAVE")
    tenant.remove(4)
    tenant.set_unit(OrgUnit("team", 1000, "New name"))
    after = tenant.snapshot
    assert before.persons[3].email == "person.3@nordlicht.example"
    assert (
        after.persons[3].email,
        after.persons[3].current.team,
        after.persons[3].current.status,
    ) == (
        "x@nordlicht.example",
        1001,
        "LEAVE",
    )
    assert after.persons[3].updated_at == after.moment
    assert 4 in before.persons
    assert 4 not in after.persons
    assert (before.unit_names["team", 1000], after.unit_names["team", 1000]) == (
        "Team 1",
        "New name",
    )
    assert len(after.units) == len(before.units)


def test_no_name_shows_in_the_text_form_of_a_company():
    tenant = load_company()
    assert "nordlicht" not in repr(tenant).replace(str(SAMPLE), "")
