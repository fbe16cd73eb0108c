"""Whole nights through Merge: what its copy is worth decides what may be taken away in deskbird."""

import datetime as dt

import pytest

from hris_pipeline.sandbox.company import generate
from hris_pipeline.sandbox.faults import Fault, Faults
from hris_pipeline.sandbox.hris.merge import PREFIX
from hris_pipeline_tests.end_to_end.deployment import in_line
from hris_pipeline_tests.end_to_end.through_merge import through_merge

LAST = 23  # nobody reports to them


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("merge") / "first_night"


@pytest.fixture
def company(tmp_path, kept, faults):
    with in_line(
        kept, tmp_path, lambda folder, app: through_merge(folder, generate(LAST), faults, app)
    ) as company:
        yield company


def switch_on(faults, on, kind, **more):
    faults.add(Fault(f"{PREFIX}{on}", kind, **{"times": None, **more}))


def tomorrow(company, night):
    """Let the company's calendar, and Merge's syncs with it, move."""
    company.tenant.set_date(dt.date(2026, 3, 2) + dt.timedelta(days=night))


def leaves(company, ref, night):
    """HR ends somebody's employment as of the day before."""
    company.tenant.change(
        ref, status="INACTIVE", end_date=company.tenant.snapshot.date - dt.timedelta(days=1)
    )


BAD_STATES = {
    "partly synced": ("/sync-status", "sync", {"Employee": {"status": "PARTIALLY_SYNCED"}}),
    "units failed": ("/sync-status", "sync", {"Group": {"status": "FAILED"}}),
    "link lost": ("/account-details", "account", {"status": "RELINK_NEEDED"}),
    "stale": (
        "/sync-status",
        "sync",
        {"Employee": {"last_sync_finished": "2026-02-20T00:00:00Z"}},
    ),
}


@pytest.mark.parametrize("state", BAD_STATES)
def test_c16_while_merges_copy_proves_nothing_people_come_and_nobody_is_deactivated(
    company, faults, state
):
    on, kind, value = BAD_STATES[state]
    tomorrow(company, 1)
    company.tenant.change(5, first_name="Other")
    leaves(company, LAST, 1)
    switch_on(faults, on, kind, value=value)
    ended = company.sync(night=1)
    assert ended.code == 3, ended.err
    assert company.user(LAST)["active"]
    assert company.user(5)["name"]["givenName"] == "Other"
    blocked = company.ask("select distinct guard from deskbird.changes where verdict = 'blocked'")
    assert blocked == [("incomplete_extract",)]
    faults.clear()
    assert company.sync(night=1.1).code == 0
    assert not company.user(LAST)["active"]


def test_c17_somebody_deleted_in_the_hr_system_is_deactivated_and_comes_back_with_everything(
    tmp_path,
):
    with through_merge(tmp_path, generate(LAST)) as company:
        # Merge tells that those are deleted whom it has listed before
        assert company.sync().code == 0
        person = company.tenant.snapshot.persons[LAST]
        before = company.user(LAST)
        tomorrow(company, 1)
        company.tenant.remove(LAST)
        assert company.sync(night=1).code == 0
        assert not company.user(LAST)["active"]
        tomorrow(company, 2)
        company.tenant.add(person)
        assert company.sync(night=2).code == 0
        after = company.user(LAST)
        assert (after["id"], after["active"]) == (before["id"], True)
        company.forget_requests()
        assert company.sync(night=2.1).code == 0
        assert (company.changes(), company.writes()) == ([], [])


def test_c14_a_word_that_merge_does_not_know_holds_the_person_back_and_deactivates_nobody(company):
    tomorrow(company, 1)
    company.tenant.change(LAST, status="SABBATICAL")
    assert company.sync(night=1).code == 0
    assert company.user(LAST)["active"]
    assert company.ask("select hris_ref, rule from core.quarantine") == [
        (f"personio:{LAST}", "status_is_known")
    ]


def test_c15_a_new_field_is_no_trouble(company, faults):
    company.forget_requests()
    switch_on(
        faults,
        "/employees",
        "change",
        value={"ids": [], "with": {"employee_url": "https://hr.example/1"}},
    )
    assert company.sync(night=0.1).code == 0
    assert (company.changes(), company.writes()) == ([], [])


def test_c18_that_merge_goes_on_syncing_is_no_change_in_the_people(company):
    changed = "select changed_at from state.source_changes where resource = 'employees'"
    first = company.ask(changed)
    tomorrow(company, 1)  # which moves the moments of Merge's syncs, and nothing else
    company.sync(night=1)
    assert company.ask(changed) == first
    company.tenant.change(5, first_name="Other")
    company.sync(night=1.1)
    assert company.ask(changed) != first


def test_an_account_that_was_deleted_and_linked_anew_plans_nothing(company, faults):
    switch_on(faults, "/*", "relinked")
    assert company.sync(night=1).code == 0
    assert company.changes() == []


def test_a_hidden_manager_is_named_missing_and_deskbird_keeps_the_one_it_has(company, faults):
    company.forget_requests()
    switch_on(faults, "/employees*", "hide", value=["22"])
    company.tenant.change(LAST, supervisor=22)
    company.sync(night=1)
    problems = company.ask(
        f"select problem from core.manager_graph where person_id = 'personio:{LAST}'"
    )
    assert problems == [("missing",)]
    assert not [change for change in company.changes() if change[:2] == ("manager", "clear")]


def test_merges_first_sync_ends_the_night_with_an_error_that_says_to_wait(company, faults):
    switch_on(faults, "/sync-status", "sync", value={"Employee": {"is_initial_sync": True}})
    company.forget_requests()
    ended = company.sync(night=1)
    assert ended.code == 1
    assert "its first sync of Employee is not over" in ended.sentence
    assert company.writes() == []
