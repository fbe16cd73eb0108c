"""Whole nights, and parts of them by hand: what is published, what is written, and that a second
time changes nothing.
"""

import datetime as dt
import random

import dagster as dg
import pytest

from hris_pipeline.deskbird import journal
from hris_pipeline.sandbox.faults import Fault
from hris_pipeline_tests.orchestration.office import NIGHT, TABLES, problem, problems, verdicts


def test_a_night_brings_deskbird_in_line_and_every_check_holds(office):
    night = office.job()
    assert not problems(night)
    assert all(verdicts(night).values()), verdicts(night)
    assert len(verdicts(night)) == 19
    assert office.ask("select in_line from state.nights") == [(True,)]
    active = {user["externalId"] for user in office.desk.desk.users() if user["active"]}
    assert active == {ref for (ref,) in office.ask("select hris_ref from core.people where wanted")}
    assert (office.data / "acme.read.duckdb").stat().st_mode & 0o777 == 0o600
    assert not (office.data / "acme.journal").exists()


def test_undoing_from_the_ui_wants_to_be_told_which_plan(office):
    assert problem(office.job("undo")).startswith(
        "acme_undo was not told which plan to undo. Nothing was planned."
    )
    assert office.writes() == []


def test_c72_a_second_night_plans_nothing_and_writes_nothing(office):
    assert problems(office.job()) == []
    before = office.writes()
    again = office.job(now=NIGHT + dt.timedelta(hours=1))
    assert problems(again) == []
    assert office.writes() == before
    assert office.ask("from deskbird.changes") == []


def test_c46_what_somebody_changed_by_hand_is_told_by_a_check_and_repaired(office):
    office.job()
    user = next(user for user in office.desk.desk.users() if user["externalId"] == "personio:5")
    office.desk.desk.edit(user["id"], {"name.familyName": "Byhand"})
    group = office.desk.desk.groups()[0]
    office.desk.desk.edit(group["id"], {"displayName": "By hand"})
    night = office.job(now=NIGHT + dt.timedelta(days=1))
    assert problems(night) == []
    failed = {check for check, passed in verdicts(night).items() if not passed}
    assert failed == {"deskbird/changes: deskbird_was_not_changed_by_hand"}
    assert office.ask(
        "select object, action, evidence->>'drift' from deskbird.changes order by all"
    ) == [
        ("group", "rename", "true"),
        ("user", "update", "true"),
    ]
    assert office.desk.desk.group(group["displayName"])["id"] == group["id"]
    assert all(verdicts(office.job(now=NIGHT + dt.timedelta(days=2))).values())


def test_c77_a_dry_run_asks_deskbird_for_reads_only_and_publishes_the_plan(office):
    dry = office.job("dry_run")
    assert problems(dry) == []
    assert office.writes() == []
    assert {
        request.path.rsplit("/", 1)[-1]
        for request in office.faults.requests()
        if request.method != "GET"
    } == {"auth"}
    assert office.ask("select count(*) > 20 from deskbird.changes") == [(True,)]
    assert "deskbird/applied_changes: deskbird_is_in_line" not in verdicts(dry)


def test_the_plan_of_a_dry_run_is_carried_out_by_its_id(office):
    office.job("dry_run")
    ((plan_id,),) = office.ask("select distinct plan_id from deskbird.changes")
    applied = office.job("apply", plan_id=plan_id)
    assert problems(applied) == []
    assert office.ask("select distinct plan_id, outcome from deskbird.applied_changes") == [
        (plan_id, "applied")
    ]
    assert office.ask("select in_line from state.nights") == [(True,)]
    looked = [
        event.asset_key.path[1:]
        for event in applied.all_events
        if event.event_type_value == "ASSET_OBSERVATION"
    ]
    assert (
        looked
        == [
            ["deskbird", "users"],
            ["deskbird", "groups"],
            ["deskbird", "group_members"],
        ]
        * 2  # before, and after
    )


def test_a_plan_id_that_does_not_exist_is_refused_before_deskbird_is_asked(office):
    office.job("dry_run")
    office.desk.faults.forget()
    refused = office.job("apply", plan_id="0123456789abcdef")
    assert problem(refused).startswith(
        "There is no plan with this id for acme. Nothing was changed."
    )
    assert office.desk.faults.requests() == []


@pytest.mark.parametrize("table", ["/".join(table) for table in TABLES])
def test_on_an_empty_warehouse_each_asset_says_what_is_missing_and_changes_nothing(office, table):
    result = office.materialise(table)
    reads = {
        "hris_personio/employees",
        "hris_personio/org_units",
        "deskbird/users",
        "deskbird/groups",
        "deskbird/group_members",
    }
    if table in reads:
        assert problems(result) == []
        return
    sentence = problem(result)
    assert "Nothing was changed. Materialise acme/" in sentence
    assert sentence.endswith("or run acme_nightly.")
    assert all(rows == [] for rows in office.tables().values())
    assert office.writes() == []
    assert office.desk.faults.requests() == []


def test_after_a_night_any_asset_may_be_made_again_in_any_order_without_harm(office):
    assert problems(office.job()) == []
    before, writes = office.tables(), office.writes()
    # the night's own plan has been carried out since: a new one is empty
    before.pop("deskbird/changes")
    before.pop("deskbird/applied_changes")
    order = ["/".join(table) for table in TABLES]
    random.Random(7).shuffle(order)
    for table in order:
        assert problems(office.materialise(table, now=NIGHT)) == []
    after = office.tables()
    assert {name: after[name] for name in before} == before
    assert after["deskbird/changes"] == []
    assert office.writes() == writes


def test_c62_a_killed_run_leaves_a_journal_that_the_next_run_folds_and_no_write_is_repeated(
    office,
):
    office.job("dry_run")
    with journal.Journal(office.data / "acme.journal") as left:
        left.write(
            journal.Entry(
                "p", 1, "user_create", "personio:1", "u1", "answered", 1, NIGHT.isoformat(), 201
            )
        )
    office.materialise("core/people")  # any run does
    assert not (office.data / "acme.journal").exists()
    assert office.ask("select plan_id, request, hris_ref, status from state.ledger") == [
        ("p", 1, "personio:1", 201)
    ]


def test_a_retry_looks_at_deskbird_anew_and_repeats_no_write(office):
    office.desk.faults.add(
        Fault("PATCH /v2/scim/*", "status", after=2, times=None, value=400),
        Fault("POST */Groups", "status", times=None, value=400),
    )
    first = office.job()
    assert problems(first) == []  # what failed is told by checks
    assert not verdicts(first)["deskbird/applied_changes: every_change_was_applied"]
    created = [write for write in office.writes() if write == ("POST", "/v2/scim/Users")]
    office.desk.faults.clear()
    for _ in range(2):
        assert problems(office.materialise("deskbird/applied_changes")) == []
    assert [write for write in office.writes() if write == ("POST", "/v2/scim/Users")] == created
    assert office.ask("select in_line from state.nights order by ended_at")[-1] == (True,)


def test_a_failed_read_back_says_that_the_changes_were_sent(office):
    office.desk.faults.add(Fault("GET /v2/scim/Users", "status", after=1, times=None, value=503))
    night = office.job()
    assert problem(night).startswith(
        "The changes of acme were sent and their answers are kept, but deskbird could not be read "
        "afterwards"
    )
    assert office.ask(
        "select count(*) > 0 from deskbird.applied_changes where outcome = 'applied'"
    ) == [(True,)]
    assert office.ask("from state.nights") == []
    office.desk.faults.clear()
    before = office.writes()
    assert problems(office.job(now=NIGHT + dt.timedelta(hours=1))) == []
    assert office.writes() == before


def test_c81_nothing_personal_is_in_the_event_log(office):
    office.tenant.change(5, email="two@@ats.example")
    office.tenant.change(6, email="person.7@nordlicht.example")
    office.desk.faults.add(Fault("POST /v2/scim/Users", "status", after=3, times=2, value=400))
    runs = [office.job(), office.job("dry_run")]
    office.faults.add(Fault("*/employees", "truncated", times=None))
    runs.append(office.job())
    logged = "\n".join(str(entry) for run in runs for entry in office.instance.all_logs(run.run_id))
    people = office.tenant.snapshot.persons.values()
    personal = {
        value
        for person in people
        for value in (person.email, f"{person.first_name} {person.last_name}")
    } | {
        "@nordlicht",
        "@@",
    }
    assert [value for value in personal if value in logged] == []
    assert "sandbox-secret" not in logged
    assert "deskbird-sandbox-token" not in logged


def test_numbers_are_told_under_the_same_keys_each_night(office):
    def keys(night):
        return {
            "/".join(event.asset_key.path): sorted(event.materialization.metadata)
            for event in night.all_events
            if event.event_type_value == "ASSET_MATERIALIZATION"
        }

    first, second = office.job(), office.job(now=NIGHT + dt.timedelta(days=1))
    assert keys(first) == keys(second)
    assert all(
        "dagster/row_count" in found
        for name, found in keys(first).items()
        if "destination" not in name
    )


def test_unchanged_content_keeps_its_data_version_and_a_change_does_not(office):
    def versions(night):
        return {
            "/".join(event.asset_key.path[1:]): event.materialization.tags.get(
                "dagster/data_version"
            )
            for event in night.all_events
            if event.event_type_value == "ASSET_MATERIALIZATION"
        }

    first = versions(office.job("dry_run"))
    assert versions(office.job("dry_run", now=NIGHT + dt.timedelta(days=1))) == first
    office.tenant.change(3, first_name="Changed")
    third = versions(office.job("dry_run"))
    changed = {name for name, version in third.items() if version != first[name]}
    assert changed == {"hris_personio/employees", "core/people", "deskbird/changes"}


def test_a_tripped_guard_fails_its_check_and_the_run_succeeds(make_office):
    office = make_office(more="guards:\n  deactivate_user: {max_count: 0, max_percent: 1}\n")
    assert problems(office.job()) == []
    for person in (20, 21, 22):
        office.tenant.change(person, status="INACTIVE", end_date=dt.date(2026, 3, 1))
    office.tenant.change(3, first_name="Changed")
    night = office.job(now=NIGHT + dt.timedelta(days=1))
    assert problems(night) == []
    assert {name for name, passed in verdicts(night).items() if not passed} == {
        "deskbird/changes: guards_hold"
    }
    outcomes = dict(
        office.ask("select outcome, count(*) from deskbird.applied_changes group by all")
    )
    assert outcomes["applied"] == 1
    assert outcomes["blocked"] >= 1


def test_the_plan_in_the_ui_holds_counts_only(office):
    dry = office.job("dry_run")
    (event,) = [
        e
        for e in dry.all_events
        if e.event_type_value == "ASSET_MATERIALIZATION" and e.asset_key.path[-1] == "changes"
    ]
    shown = event.materialization.metadata["plan"].value
    assert "| user | create |" in shown
    assert not any(person.last_name in shown for person in office.tenant.snapshot.persons.values())


def test_the_check_says_what_the_screen_says_and_after_an_approval_nothing_is_held_back(
    make_office,
):
    office = make_office(more="guards:\n  deactivate_user: {max_count: 0, max_percent: 1}\n")
    assert problems(office.job()) == []
    for person in (20, 21, 22):
        office.tenant.change(person, status="INACTIVE", end_date=dt.date(2026, 3, 1))
    dry = office.job("dry_run", now=NIGHT + dt.timedelta(days=1))
    (held,) = [one for one in dry.get_asset_check_evaluations() if one.check_name == "guards_hold"]
    ((base,),) = office.ask("select managed from state.nights")
    assert (
        f"deactivate_user: 3 of {base:,} people: {300 / base:.0f} %, limit 1 %. The others are "
        "carried out." in held.description
    )
    ((plan_id,),) = office.ask("select distinct plan_id from deskbird.changes")
    office.decide("approve", plan_id=plan_id)
    again = office.job("dry_run", now=NIGHT + dt.timedelta(days=1))
    (free,) = [
        one for one in again.get_asset_check_evaluations() if one.check_name == "guards_hold"
    ]
    assert (free.passed, free.description) == (
        True, "What deactivate_user had stopped is approved, and waits for the next run or apply.",
    )  # fmt: skip


def test_c103_an_attribute_that_no_longer_comes_fails_its_check_once_and_recovers(office):
    assert problems(office.job()) == []
    office.faults.add(
        Fault("/v1/company/employees", "missing_attribute", times=None, value="department")
    )
    for day in (1, 2):
        night = office.job(now=NIGHT + dt.timedelta(days=day))
        assert problems(night) == []
        assert {name for name, passed in verdicts(night).items() if not passed} == {
            "deskbird/changes: every_attribute_came"
        }
        (check,) = [
            one
            for one in night.get_asset_check_evaluations()
            if one.check_name == "every_attribute_came"
        ]
        assert (check.severity, check.metadata["not_given"].value) == (
            dg.AssetCheckSeverity.ERROR,
            1,
        )
        assert (
            "department of connection personio comes for nobody since 2026-03-03"
            in check.description
        )
    office.faults.clear()
    assert all(verdicts(office.job(now=NIGHT + dt.timedelta(days=3))).values())
