"""Reading Merge over real HTTP: what its copy may be trusted with, walks over cursors, and what
goes wrong on the way.
"""

import datetime as dt
import itertools
import uuid
from urllib.parse import parse_qs

import pytest

from hris_pipeline.errors import HrisError
from hris_pipeline.hris.registry import SYSTEMS
from hris_pipeline.hris.systems.merge import ADDRESSES, LIMITS, PATIENCE, Options, units
from hris_pipeline.sandbox.company import generate
from hris_pipeline_tests.hris.merge_account import NIGHT, PEOPLE

TEAM = ("team",)


def by_id(rows):
    return {row["id"]: row for row in rows}


def groups(row):
    return [(group["kind"], group["id"]) for group in row["groups"]]


def test_everybody_and_all_units_are_read_and_proven(merge, rows):
    account = merge()
    employees, org_units = account.read()
    assert (employees.proof, employees.records, employees.pages, employees.partial) == (
        "proven",
        PEOPLE,
        3,
        False,
    )
    assert (org_units.proof, org_units.records) == ("proven", len(account.tenant.snapshot.units))
    found, people = by_id(rows(employees.path)), account.tenant.snapshot.persons
    assert found.keys() == {str(ref) for ref in people}
    names = {(unit.kind, str(unit.id)): unit.name for unit in account.tenant.snapshot.units}
    assert {(row["kind"], row["id"]): row["name"] for row in rows(org_units.path)} == names
    for ref, person in people.items():
        row, now = found[str(ref)], person.current
        assert (row["email"], row["given_name"], row["family_name"]) == (
            person.email,
            person.first_name,
            person.last_name,
        )
        assert (row["start_date"] or "")[:10] == now.start_date.isoformat()
        assert (row["end_date"] or "")[:10] == (now.end_date.isoformat() if now.end_date else "")
        assert row["manager_id"] == (str(now.supervisor) if now.supervisor is not None else None)
        centers = [("cost_center", str(center)) for center, _ in now.cost_centers]
        kinds = ("team", "department", "location", "legal_entity")
        assert sorted(groups(row)) == sorted(
            [*centers, *((kind, str(getattr(now, kind))) for kind in kinds)]
        )
    assert account.progress[-1] == ("employees", PEOPLE, None)


def test_the_words_of_merge_have_the_meanings_that_the_core_knows(merge, rows):
    account = merge()
    words = {row["status"].lower() for row in rows(account.read()[0].path)}
    assert words == {"active", "pending", "inactive"}
    assert words <= SYSTEMS["merge"].statuses.keys()


def test_managers_who_come_on_a_later_page_are_known_by_the_hr_systems_id(merge, rows):
    account = merge()
    account.tenant.change(1, supervisor=PEOPLE)  # whose row is on the last page
    assert by_id(rows(account.read(kinds=())[0].path))["1"]["manager_id"] == str(PEOPLE)


# --- what is asked for ----------------------------------------------------------------------------


def test_pages_hold_a_hundred_cursors_are_passed_on_untouched_and_all_else_stays_the_same(merge):
    account = merge()
    account.read(kinds=())
    first, *others = [parse_qs(query) for path, query in account.asked("/employees")]
    assert first == {"page_size": ["100"], "include_deleted_data": ["true"]}
    assert len(others) == 2
    assert all({**each, "cursor": None} == {**first, "cursor": None} for each in others)


def test_each_thing_is_asked_for_once_so_that_the_limit_goes_into_pages(merge):
    account = merge(generate(2000))
    account.read()
    asked = account.asked()
    assert len(set(asked) - {("/sync-status", "page_size=100")}) == len(asked) - 2
    snapshot = account.tenant.snapshot
    groups_of = sum(unit.kind in {"team", "department", "cost_center"} for unit in snapshot.units)
    # account, syncs before and after, people, groups, places
    assert len(asked) == 1 + 2 + 20 + -(-groups_of // 100) + 1 + 1


@pytest.mark.parametrize(
    ("kinds", "paths"),
    [
        ((), set()),
        (("team", "cost_center"), {"/groups"}),
        (("location",), {"/locations"}),
        (("legal_entity", "department"), {"/companies", "/groups"}),
    ],
)
def test_c85_only_lists_that_hold_wanted_kinds_are_asked_for(merge, kinds, paths):
    account = merge()
    account.read(kinds=kinds)
    always = {"/account-details", "/sync-status", "/employees"}
    assert {path for path, _ in account.asked()} == always | paths


def test_a_link_in_the_place_of_a_cursor_is_not_followed_but_its_cursor_is(merge):
    account = merge()
    account.fault("/employees", "link")
    assert account.read(kinds=())[0].records == PEOPLE


def test_the_region_tells_the_address_and_the_plan_the_rate(tmp_path):
    addresses = {SYSTEMS["merge"].base_url(Options(region=region)) for region in ADDRESSES}
    assert addresses == {
        "https://api.merge.dev/api",
        "https://api-eu.merge.dev/api",
        "https://api-ap.merge.dev/api",
    }
    for plan, limit in LIMITS.items():
        assert limit / 1.1 < Options(plan=plan).rate * 60 < limit
    assert Options(requests_per_minute=30).rate == 0.5


def test_every_request_bears_both_credentials(merge, tmp_path):
    seen = []

    async def app(scope, receive, send):
        headers = dict(scope["headers"])
        seen.append((headers.get(b"authorization"), headers.get(b"x-account-token")))
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    account = merge(app=app)
    account.credentials = {"api_key": "k", "account_token": "t"}
    with pytest.raises(HrisError):
        account.read()
    assert set(seen) == {(b"Bearer k", b"t")}


# --- only changes ---------------------------------------------------------------------------------


def test_c19_changes_are_asked_for_from_before_the_moment_and_without_an_end(merge, rows):
    account = merge()
    account.read()
    account.tenant.set_date(NIGHT.date() + dt.timedelta(days=1))
    account.tenant.change(7, email="changed@nordlicht.example")
    account.faults.forget()
    employees, org_units = account.read(since=account.tenant.snapshot.moment)
    (query,) = [parse_qs(query) for _, query in account.asked("/employees")]
    assert query["modified_after"] == ["2026-03-03T00:20:00Z"]  # ten minutes before
    assert "modified_before" not in query
    found = by_id(rows(employees.path))
    assert found["7"]["email"] == "changed@nordlicht.example"
    assert len(found) < PEOPLE
    # the manager, who did not change
    assert found["7"]["manager_id"] == str(account.tenant.snapshot.persons[7].current.supervisor)
    assert set(groups(found["7"])) >= {
        ("team", str(account.tenant.snapshot.persons[7].current.team))
    }
    for extract in (employees, org_units):
        assert (extract.partial, extract.proof) == (True, "unproven")


def test_c19_a_read_of_changes_that_finds_none_says_nothing_of_anybody(merge, rows):
    account = merge()
    employees, _ = account.read(since=NIGHT + dt.timedelta(days=300))
    assert (rows(employees.path), employees.vanished, employees.partial) == ([], (), True)


def test_what_is_null_for_all_who_changed_is_unknown_and_not_empty(merge, rows):
    account = merge(generate(3))
    account.change("/employees", manager=None, work_email=None)
    for row in rows(account.read(since=NIGHT - dt.timedelta(days=9000))[0].path):
        assert {"manager_id", "email"} <= set(row["absent"])


# --- who somebody is ------------------------------------------------------------------------------


def test_an_account_that_was_deleted_and_linked_anew_changes_nobody_and_no_unit(merge, rows):
    account = merge()
    account.change("/groups", "1003", remote_id=None)
    before = [rows(extract.path) for extract in account.read()]
    account.faults.clear()
    account.change("/groups", "1003", remote_id=None)
    account.fault("/*", "relinked")
    after = [rows(extract.path) for extract in account.read()]
    for records in (before[0], after[0]):
        for row in records:
            uuid.UUID(row.pop("employment_id"))  # Merge's own id, which is another one now
            row["groups"].sort(key=str)
    assert sorted(before[0], key=str) == sorted(after[0], key=str)
    assert sorted(before[1], key=str) == sorted(after[1], key=str)


def test_c18_what_does_not_change_is_read_alike_every_time(merge, rows):
    account = merge()
    first, second = ([rows(extract.path) for extract in account.read()] for _ in range(2))
    assert first == second


def test_people_without_a_remote_id_are_left_out_and_the_extract_is_unproven(merge, rows):
    account = merge()
    account.change("/employees", 3, 4, remote_id=None)
    employees, _ = account.read()
    assert employees.proof == "unproven"
    assert "2 of them were left out, for want of a remote_id" in employees.why
    assert {"3", "4"}.isdisjoint(by_id(rows(employees.path)))
    led = [
        ref
        for ref, person in account.tenant.snapshot.persons.items()
        if person.current.supervisor == 3
    ]
    assert led
    for ref in led:  # whose manager is somebody, though nobody that can be known
        uuid.UUID(by_id(rows(employees.path))[str(ref)]["manager_id"])


def test_two_living_people_with_one_remote_id_leave_the_extract_unproven(merge):
    account = merge()
    account.change("/employees", 8, remote_id="9")
    employees, _ = account.read()
    assert (employees.proof, "1 of them share their remote_id" in employees.why) == (
        "unproven",
        True,
    )


def test_somebody_deleted_who_shares_the_remote_id_of_somebody_living_is_no_doubt(merge, rows):
    account = merge()
    account.change("/employees", 8, remote_id="9", remote_was_deleted=True)
    employees, _ = account.read()
    assert employees.proof == "proven"
    assert sorted(row["status"] for row in rows(employees.path) if row["id"] == "9") == [
        "ACTIVE",
        "remote_was_deleted",
    ]


def test_a_hidden_manager_stays_as_the_id_of_nobody_and_hidden_units_are_left_out(merge, rows):
    account = merge()
    led = [
        str(ref)
        for ref, person in account.tenant.snapshot.persons.items()
        if person.current.supervisor == 2
    ]
    account.fault("/employees", "hide", value=["2"])
    account.fault("/groups", "hide", value=["1000"])
    employees, _ = account.read()
    found = by_id(rows(employees.path))
    assert led
    assert employees.proof == "proven"
    for ref in led:
        uuid.UUID(found[ref]["manager_id"])
        assert "manager_id" not in found[ref]["absent"]
    assert not any(("team", "1000") in groups(row) for row in found.values())


def test_expanded_relations_are_read_like_plain_ones(merge, rows):
    account = merge()
    copy = account.tenant.snapshot.persons[5].current
    plain = by_id(rows(account.read()[0].path))["5"]
    account.change(
        "/employees", 5, manager={"id": "x", "remote_id": str(copy.supervisor)}, groups=[None]
    )
    again = by_id(rows(account.read()[0].path))["5"]
    assert again["manager_id"] == plain["manager_id"]
    assert not any(kind == "team" for kind, _ in groups(again))


# --- units ----------------------------------------------------------------------------------------


def test_teams_are_not_asked_for_where_groups_came(merge):
    account = merge(teams=True)
    account.read()
    assert account.asked("/teams") == []


def test_the_deprecated_teams_serve_where_there_are_no_groups(merge, rows):
    account = merge(teams=True)
    account.fault("/groups", "empty_list")
    employees, org_units = account.read(kinds=TEAM)
    assert {row["kind"] for row in rows(org_units.path)} == {"team"}
    found, people = by_id(rows(employees.path)), account.tenant.snapshot.persons
    assert all(
        groups(found[str(ref)]) == [("team", str(person.current.team))]
        for ref, person in people.items()
    )


def test_where_there_are_neither_groups_nor_teams_nothing_is_known_of_teams(merge, rows):
    account = merge()
    # the HR system behind Merge has no groups; /teams is no more
    account.fault("/groups", "status", value=404)
    employees, org_units = account.read(kinds=TEAM)
    assert rows(org_units.path) == []
    assert employees.vanished == TEAM
    assert all(row["absent"] == ["team"] for row in rows(employees.path))
    assert [path for path, _ in account.asked("/teams")] == ["/teams"]


def test_units_without_a_remote_id_go_by_their_name(merge, rows):
    account = merge()
    account.change("/groups", "1000", remote_id=None, name=" Vertrieb Nord ")
    account.change("/locations", remote_id=None)
    employees, org_units = account.read()
    found = {(row["kind"], row["id"]) for row in rows(org_units.path)}
    assert {
        ("team", "Vertrieb Nord"),
        ("department", "Vertrieb Nord"),
        ("location", "Berlin 1"),
    } <= found
    assert any(("team", "Vertrieb Nord") in groups(row) for row in rows(employees.path))


def test_types_become_kinds_and_of_types_without_a_word_the_company_file_decides(merge, rows):
    account = merge()
    for ref, fields in {
        "1000": {"type": "BUSINESS_UNIT"},
        "1001": {"type": "Division"},
        "1002": {"type": None, "is_commonly_used_as_team": True},
        "1003": {"type": None, "is_commonly_used_as_team": None},
        "1004": {"type": "Level 1", "is_commonly_used_as_team": False},
        "1005": {"type": "GROUP"},
    }.items():
        account.fault("/groups", "change", value={"ids": [ref], "with": fields})
    _, org_units = account.read(group_types={"division": "business_unit"})
    found = {(row["kind"], row["id"]) for row in rows(org_units.path)}
    expected = {
        ("business_unit", "1000"),
        ("business_unit", "Division:1001"),
        ("team", "1002"),
        ("group", "1003"),
        ("group", "Level 1:1004"),
    }
    assert expected <= found


def test_deleted_units_hold_nobody_and_nobodys_home_becomes_a_group(merge, rows):
    account = merge()
    account.change("/groups", "1001", remote_was_deleted=True)
    account.change("/locations", "100", location_type="HOME")
    employees, org_units = account.read()
    gone = {("team", "1001"), ("department", "1001"), ("cost_center", "1001"), ("location", "100")}
    assert gone.isdisjoint((row["kind"], row["id"]) for row in rows(org_units.path))
    assert gone.isdisjoint(group for row in rows(employees.path) for group in groups(row))


def test_a_unit_names_the_one_above_it_where_that_is_of_its_kind(merge, rows):
    account = merge()
    listed = {row["name"]: row for row in account.first_page("/groups")}
    for child, parent in (("Team 2", "Team 1"), ("Team 3", "Department 1")):
        account.change("/groups", listed[child]["id"], parent_group=listed[parent]["id"])
    found = {row["name"]: row["parent_id"] for row in rows(account.read()[1].path)}
    assert found["Team 2"] == listed["Team 1"]["remote_id"]
    assert found["Team 3"] is None


def test_a_location_without_a_name_is_called_by_its_city(merge, rows):
    account = merge()
    account.change("/locations", "100", name=None, city="Lüneburg")
    assert ("100", "Lüneburg") in {(row["id"], row["name"]) for row in rows(account.read()[1].path)}


def test_two_units_of_a_kind_with_one_remote_id_leave_the_units_unproven(merge):
    account = merge()
    account.change("/locations", "100", remote_id="101")
    employees, org_units = account.read()
    assert (employees.proof, org_units.proof) == ("proven", "unproven")
    assert "1 of them share kind and remote_id" in org_units.why


# --- statuses, dates and nulls --------------------------------------------------------------------


def test_c14_a_word_that_merge_does_not_know_is_handed_on_as_it_is(merge, rows):
    account = merge()
    account.change("/employees", 6, employment_status="ACTIVELOA")
    account.change("/employees", 7, employment_status=None)
    found = by_id(rows(account.read()[0].path))
    assert (found["6"]["status"], found["7"]["status"]) == ("ACTIVELOA", None)
    assert "activeloa" not in SYSTEMS["merge"].statuses


def test_the_company_file_can_say_what_such_a_word_means(merge, rows):
    account = merge()
    account.change("/employees", 6, employment_status="ActiveLOA")
    found = by_id(rows(account.read(status_words={"ACTIVELOA": "ACTIVE"})[0].path))
    assert found["6"]["status"] == "ACTIVE"


def test_c17_somebody_deleted_in_the_hr_system_has_left_and_may_return(merge, rows):
    account = merge()
    account.read()
    person = account.tenant.snapshot.persons[9]
    account.tenant.remove(9)
    assert by_id(rows(account.read()[0].path))["9"]["status"] == "remote_was_deleted"
    assert SYSTEMS["merge"].statuses["remote_was_deleted"] == "ended"
    account.tenant.add(person)
    assert by_id(rows(account.read()[0].path))["9"]["status"] == "ACTIVE"


def test_c89_dates_are_handed_on_as_they_are(merge, rows):
    # whether the last day is that of an earlier employment is decided in one place for every system
    account = merge()
    dates = {"start_date": "2025-01-01T00:00:00Z", "termination_date": "2023-05-31T00:00:00Z"}
    for ref, status in (("6", "ACTIVE"), ("7", "INACTIVE"), ("8", "PENDING")):
        account.change("/employees", ref, employment_status=status, **dates)
    found = by_id(rows(account.read()[0].path))
    assert {(found[ref]["start_date"][:10], found[ref]["end_date"][:10]) for ref in "678"} == {
        ("2025-01-01", "2023-05-31")
    }


def test_c13_what_nobody_has_is_unknown_and_what_others_have_is_empty(merge, rows):
    account = merge()
    account.change("/employees", manager=None, start_date=None)
    account.change("/employees", 5, termination_date=None, groups=[])
    employees, _ = account.read()
    row = by_id(rows(employees.path))["5"]
    assert (
        set(employees.vanished)
        == set(row["absent"])
        == {"manager_id", "start_date", "business_unit", "group"}
    )
    assert {kind for kind, _ in groups(row)} == {"location", "legal_entity"}


@pytest.mark.parametrize("field", ["work_email", "first_name", "last_name", "employment_status"])
def test_c11_a_field_nobody_can_do_without_and_nobody_has_is_an_error(merge, field):
    account = merge()
    account.change("/employees", **{field: None})
    with pytest.raises(
        HrisError,
        match=f"gave no person the attribute '{field}'.*read '{field}', and switch it on",
    ):
        account.read()
    assert list(account.directory.iterdir()) == []


def test_c15_fields_that_are_new_and_ids_that_are_numbers_are_no_trouble(merge, rows):
    account = merge()
    account.change(
        "/employees",
        employee_url="https://x.example",
        employment_status_native="x",
        data_fresh_as_of=None,
    )
    account.change("/groups", "1000", remote_id=1000)
    account.change("/employees", 5, remote_id=5)
    employees, org_units = account.read()
    assert employees.proof == "proven"
    assert "5" in by_id(rows(employees.path))
    assert ("team", "1000") in {(row["kind"], row["id"]) for row in rows(org_units.path)}


# --- what Merge's copy is worth -------------------------------------------------------------------


def test_merges_first_sync_is_waited_for_by_nobody_and_nothing_of_it_is_read(merge):
    account = merge()
    account.fault(
        "/sync-status", "sync", value={"Employee": {"is_initial_sync": True, "status": "SYNCING"}}
    )
    with pytest.raises(HrisError, match=r"its first sync of Employee is not over.*run again"):
        account.read()
    assert {path for path, _ in account.asked()} == {"/account-details", "/sync-status"}


BAD_STATES = {
    "PARTIALLY_SYNCED": "lacks at least one field",
    "FAILED": "failed",
    "PAUSED": "is paused",
    "DISABLED": "is disabled",
    "HIBERNATING": "is in a state that this version does not know",
}


@pytest.mark.parametrize("place", ["status", "last_sync_result"])
@pytest.mark.parametrize("state", BAD_STATES)
def test_c16_a_sync_that_did_not_end_well_proves_nothing_and_is_not_waited_for(merge, state, place):
    account = merge()
    account.fault("/sync-status", "sync", value={"Employee": {place: state}})
    employees, org_units = account.read()
    assert (employees.proof, org_units.proof) == ("unproven", "proven")
    assert f"Merge's sync of Employee {BAD_STATES[state]}" in employees.why
    assert len(account.asked("/sync-status")) == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "FAILED"}, "Merge's sync of Group failed"),
        ({"is_initial_sync": True}, "Merge's sync of Group is still its first one"),
        ({"last_sync_finished": None}, "Merge does not say when its sync of Group last ended"),
        ({"model_id": "hris.Nothing"}, "Merge does not say how its sync of Group stands"),
    ],
)
def test_c16_units_are_unproven_by_their_own_sync(merge, change, why):
    account = merge()
    account.fault("/sync-status", "sync", value={"Group": change})
    employees, org_units = account.read(kinds=TEAM)
    assert (employees.proof, org_units.proof) == ("proven", "unproven")
    assert why in org_units.why


def test_c16_the_sync_of_what_is_not_read_does_not_matter(merge):
    account = merge()
    account.fault(
        "/sync-status",
        "sync",
        value={"Location": {"status": "FAILED"}, "TimeOff": {"status": "PAUSED"}},
    )
    assert [extract.proof for extract in account.read(kinds=TEAM)] == ["proven", "proven"]


@pytest.mark.parametrize(("hours", "proof"), [(47, "proven"), (49, "unproven")])
def test_c16_a_sync_older_than_two_days_proves_nothing(merge, hours, proof):
    account = merge()
    ended = (NIGHT - dt.timedelta(hours=hours)).isoformat().replace("+00:00", "Z")
    account.fault("/sync-status", "sync", value={"Employee": {"last_sync_finished": ended}})
    employees, _ = account.read()
    assert employees.proof == proof
    assert (f"last ended {hours} hours ago" in employees.why) == (proof == "unproven")
    assert account.read(stale_hours=72)[0].proof == "proven"


@pytest.mark.parametrize("status", ["RELINK_NEEDED", "INCOMPLETE", "IDLE", "ASLEEP"])
def test_c16_an_account_that_lost_its_link_proves_nothing(merge, status):
    account = merge()
    account.fault("/account-details", "account", value={"status": status})
    for extract in account.read():
        assert extract.proof == "unproven"
        assert "relink it under Linked Accounts in Merge's dashboard" in extract.why


def test_a_sync_that_runs_over_a_last_good_one_is_no_doubt(merge):
    account = merge()
    account.fault("/sync-status", "sync", value={"*": {"status": "SYNCING"}})
    assert [extract.proof for extract in account.read()] == ["proven", "proven"]


def test_c04_a_sync_that_ends_while_people_are_read_makes_a_second_pass(merge):
    account = merge()
    # between the first look and the second
    account.fault("/sync-status", "sync_ends", times=1, after=1)
    assert account.read()[0].proof == "proven"
    assert len(account.asked("/employees")) == 2 * 3


def test_c04_syncs_that_end_again_and_again_leave_the_extract_unproven(merge):
    account = merge()
    account.fault("/sync-status", "sync_ends")
    employees, _ = account.read()
    assert employees.proof == "unproven"
    assert "Merge's sync of Employee ended while it was read" in employees.why
    assert "A second pass gave no better result" in employees.why
    assert len(account.asked("/sync-status")) == 3


def test_c04_a_row_that_comes_twice_makes_a_second_pass(merge):
    account = merge()
    account.fault("/employees", "twice", times=1)
    assert account.read()[0].proof == "proven"
    account.fault("/employees", "twice")
    employees, _ = account.read()
    assert (employees.proof, employees.records) == ("unproven", PEOPLE)
    assert "more than once" in employees.why


def test_c01_an_empty_list_proves_nothing(merge):
    account = merge()
    account.fault("/employees", "empty_list")
    employees, _ = account.read()
    assert (employees.proof, employees.records) == ("unproven", 0)
    assert "an empty list proves nothing" in employees.why


# --- faults of the wire ---------------------------------------------------------------------------


def refused(account, match, **options):
    with pytest.raises(HrisError, match=match) as caught:
        account.read(**options)
    assert list(account.directory.iterdir()) == []
    assert "deskbird is left as it is" in str(caught.value)
    for secret in account.credentials.values():
        assert secret not in str(caught.value)


def test_a_wrong_key_and_a_wrong_account_token_are_told_apart(merge):
    account = merge()
    account.credentials["account_token"] = "another"
    refused(
        account,
        r"refused the account token at /hris/v1/account-details .*but accepted the API key.*Set"
        r" account_token",
    )
    account.credentials["api_key"] = "wrong"
    refused(account, r"refused the API key at .*Set api_key .*options.region")
    assert len(account.faults.requests("*")) == 4  # nothing was asked twice


def test_a_model_that_the_account_may_not_read_is_named(merge):
    account = merge()
    account.fault("/groups", "status", value=403)
    refused(account, r"refused /hris/v1/groups .*Switch on Group among the scopes")


def test_an_address_that_is_not_merges_is_named(merge):
    account = merge()
    account.fault("/account-details", "status", value=404)
    refused(account, r"does not have /hris/v1/account-details .*Check base_url")


def test_the_token_of_another_kind_of_account_is_refused(merge):
    account = merge()
    account.fault("/account-details", "account", value={"category": "ats"})
    refused(account, "belongs to no HR system")


def test_people_that_are_not_there_are_an_error(merge):
    account = merge()
    account.fault("/employees", "status", value=404)
    refused(account, r"refused the request to /hris/v1/employees \(page 1\) \(HTTP 404\)")


def test_c05_the_same_page_again_ends_the_read(merge):
    account = merge()
    account.fault("/employees", "repeat_page", after=1)
    refused(account, "that it had given before")


def test_c05_a_cursor_that_merge_does_not_know_any_more_is_an_error(merge):
    account = merge()
    account.fault("/employees", "status", value=404, after=2)
    refused(account, r"\(page 3\) \(HTTP 404\)")


@pytest.mark.parametrize("on", ["/account-details", "/sync-status", "/groups", "/employees"])
@pytest.mark.parametrize(
    ("kind", "match"), [("html", "HTML instead of JSON"), ("truncated", "cut off or broken")]
)
def test_c07_what_is_no_json_is_an_error_and_not_an_empty_list(merge, on, kind, match):
    account = merge()
    account.fault(on, kind)
    refused(account, f"{match} at /hris/v1{on}")


def test_c02_c09_connections_that_break_are_tried_again_and_then_an_error(merge):
    account = merge()
    account.fault("/employees", "reset", times=1, after=1)
    account.fault("/groups", "status", value=502, times=2)
    assert account.read()[0].proof == "proven"
    account.fault("/employees", "cut", after=2)
    refused(account, r"no usable answer at /hris/v1/employees \(page 3\)")


@pytest.mark.parametrize("wait", [None, "0.01"])
def test_c08_refusals_for_too_many_requests_are_waited_out_with_and_without_retry_after(
    merge, wait
):
    account = merge()
    account.fault("/*", "status", value=429, retry_after=wait, times=12)
    assert account.read()[0].proof == "proven"


def test_c08_429_for_ever_is_a_bounded_error_that_names_the_option(merge):
    account = merge()
    account.fault("/employees", "status", value=429)
    refused(account, r"too many requests .*Lower requests_per_minute in the company file")


def test_c08_merges_own_limit_is_kept_to_the_last_page(merge):
    ticks = itertools.count()
    # faster than it allows
    account = merge(generate(2000), plan="launch", clock=lambda: next(ticks) * 0.25)
    employees, _ = account.read(page_size=10)
    assert (employees.proof, employees.records) == ("proven", 2000)
    assert any(request.status == 429 for request in account.faults.requests("*"))


def test_failing_requests_stay_below_the_number_that_shuts_an_address_out():
    soonest, tries = 0.0, 0
    while soonest <= 10 and tries < PATIENCE.tries:  # the shortest waits that jitter can make
        tries += 1
        soonest += 0.5 * min(PATIENCE.first_wait * 2 ** (tries - 1), PATIENCE.longest_wait)
    at_once = max(len(units.lists_of(units.KINDS)), 1)
    assert tries * at_once <= 20


def test_the_pipeline_itself_does_not_name_anybody_in_an_error(merge):
    account = merge()
    account.change("/employees", 5, first_name={"secret": "Ada"})
    refused(
        account,
        r"in a form that this version does not know at /hris/v1/employees \(page 1\):"
        r" .*first_name",
    )
