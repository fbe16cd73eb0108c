"""Pausing, resuming, approving and rejecting, with the runs that go with it."""

import datetime as dt

import dagster as dg
import duckdb
import pytest

from hris_pipeline.contracts.pauses import Pause
from hris_pipeline.operations import pause
from hris_pipeline.sandbox.company import generate
from hris_pipeline_tests.orchestration.office import NIGHT, problem, problems, verdicts

APPLIED = "deskbird/applied_changes: every_change_was_applied"


def stopped(office, by="ada") -> Pause:
    return pause.begin(office.data, office.name, by=by, because="moving offices", now=NIGHT)[0]


def told(result: dg.ExecuteInProcessResult, name: str) -> dg.AssetCheckEvaluation:
    (found,) = [one for one in result.get_asset_check_evaluations() if one.check_name == name]
    return found


# --- pausing --------------------------------------------------------------------------------------


def test_a_paused_night_reads_and_plans_succeeds_writes_nothing_and_says_why(office):
    stopped(office)
    night = office.job()
    assert problems(night) == []
    assert office.writes() == []
    assert office.ask("select count(*) > 20 from deskbird.changes") == [(True,)]
    check = told(night, "every_change_was_applied")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.description.startswith(
        "acme is paused since 2026-03-02 04:30 by ada; nothing was written; `hris-pipeline resume "
        "acme` ends it."
    )
    assert "moving offices" not in check.description
    pause.end(office.data, "acme")
    after = office.job(now=NIGHT + dt.timedelta(days=1))
    assert problems(after) == []
    assert all(verdicts(after).values())
    stopped(office)
    quiet = told(office.job(now=NIGHT + dt.timedelta(days=2)), "every_change_was_applied")
    assert quiet.passed  # there was nothing to send
    assert "nothing was written" in quiet.description


def test_c88_a_pause_ends_a_night_that_is_writing_within_one_record_and_the_next_one_goes_on(
    make_office,
):
    office = make_office(tenant=generate(60))

    class Pausing:
        """Pauses the company while deskbird answers the tenth write, as somebody else would."""

        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            if len(office.writes()) >= 10:
                stopped(office)
            await self.app(scope, receive, send)

    office.desk.app = Pausing(office.desk.app)
    night = office.job()
    assert problems(night) == []
    written = len(office.writes())
    assert 10 <= written <= 10 + 4 + 1  # four at a time were under way
    check = told(night, "every_change_was_applied")
    assert "nothing more was written after" in check.description
    assert not verdicts(night)["deskbird/applied_changes: deskbird_is_in_line"]
    office.job(now=NIGHT + dt.timedelta(hours=1))
    assert len(office.writes()) == written
    pause.end(office.data, "acme")
    office.desk.app = office.desk.app.app
    assert all(verdicts(office.job(now=NIGHT + dt.timedelta(days=1))).values())
    users = [user["externalId"] for user in office.desk.desk.users()]
    assert len(users) == len(set(users))


def test_whoever_asks_for_writes_while_paused_is_refused_in_one_sentence(office):
    office.job("dry_run")
    ((plan_id,),) = office.ask("select distinct plan_id from deskbird.changes")
    stopped(office)
    for result in (
        office.job("apply", plan_id=plan_id),
        office.materialise("deskbird/applied_changes"),
    ):
        assert problem(result).startswith(
            "acme is paused since 2026-03-02 04:30 by ada; nothing was written;"
        )
    assert office.writes() == []


def test_a_pause_needs_no_warehouse_and_outlives_its_loss(office):
    office.job("dry_run")
    with duckdb.connect(str(office.data / "acme.duckdb")):  # somebody holds it
        assert office.decide("pause", user="ada", because="moving offices").success
    assert pause.in_force(office.data, "acme").by == "ada"
    (office.data / "acme.duckdb").unlink()
    assert problems(office.job()) == []
    assert office.writes() == []


# --- from the Dagster UI --------------------------------------------------------------------------


@pytest.fixture
def blocked(make_office):
    """A company in line of which four leave at once, and the plan that holds them back."""
    office = make_office(
        tenant=generate(40), more="guards: {deactivate_user: {max_percent: 5, max_count: 2}}\n"
    )
    assert problems(office.job()) == []
    people = [
        p.id for p in office.tenant.snapshot.persons.values() if p.current.status == "ACTIVE"
    ][-4:]
    for leaver in people:
        office.tenant.change(leaver, status="INACTIVE", end_date=dt.date(2026, 3, 1))
    assert problems(office.job("dry_run", now=NIGHT + dt.timedelta(days=1))) == []
    office.people = people
    return office


def test_c71_a_plan_approved_from_the_ui_is_carried_out_exactly_and_approving_twice_is_nothing(
    blocked, monkeypatch
):
    monkeypatch.setenv("HRIS_PIPELINE_NOW", (NIGHT + dt.timedelta(days=1)).isoformat())
    ((plan_id,),) = blocked.ask("select distinct plan_id from deskbird.changes")
    altered = ("0" if plan_id[0] != "0" else "1") + plan_id[1:]
    for form, why in (
        ({"plan_id": altered}, f"There is no plan with the id {altered}. Nothing was approved."),
        ({}, "`approve` needs the plan_id. Nothing was decided."),
        (
            {"plan_id": plan_id, "only": "create_user"},
            f"Nothing of plan {plan_id} is held back by guard create_user",
        ),
    ):
        refused = blocked.decide("approve", **form)
        assert not refused.success
        assert problem(refused).startswith(why)
    assert blocked.ask("select count(*) from state.approvals") == [(0,)]
    assert blocked.decide("approve", plan_id=plan_id, because="a season's end").success
    assert blocked.decide("approve", plan_id=plan_id, user="bob").success  # a no-op
    assert blocked.ask(
        "select count(*), min(decided_by), max(decided_by), min(because) from state.approvals"
    ) == [(4, "the Dagster UI", "the Dagster UI", "a season's end")]
    assert blocked.ask(
        "select distinct expires_at - decided_at = interval 72 hours from state.approvals"
    ) == [(True,)]
    before = len(blocked.writes())
    assert problems(blocked.job("apply", plan_id=plan_id, now=NIGHT + dt.timedelta(days=1))) == []
    assert len(blocked.writes()) - before == 4
    gone = {user["externalId"] for user in blocked.desk.desk.users() if not user["active"]}
    assert gone == {f"personio:{leaver}" for leaver in blocked.people}


def test_c71_an_approval_expires_after_the_company_files_hours(blocked, monkeypatch):
    file = blocked.companies / "acme.yaml"
    file.write_text(file.read_text() + "approvals: {expire_hours: 2}\n")
    monkeypatch.setenv("HRIS_PIPELINE_NOW", (NIGHT + dt.timedelta(days=1)).isoformat())
    ((plan_id,),) = blocked.ask("select distinct plan_id from deskbird.changes")
    assert blocked.decide("approve", plan_id=plan_id, user="bob").success
    assert blocked.ask("select distinct decided_by from state.approvals") == [("bob",)]
    before = len(blocked.writes())
    blocked.job("apply", plan_id=plan_id, now=NIGHT + dt.timedelta(days=1, hours=2))
    assert len(blocked.writes()) == before
    blocked.job("apply", plan_id=plan_id, now=NIGHT + dt.timedelta(days=1, hours=1, minutes=59))
    assert len(blocked.writes()) == before + 4


def test_the_form_pauses_and_resumes_and_says_what_it_does_not_take(office):
    assert office.decide("pause", user="ada").success
    assert office.decide("pause").success
    assert pause.in_force(office.data, "acme").by == "ada"
    assert office.decide("resume").success
    assert office.decide("resume").success
    assert pause.in_force(office.data, "acme") is None
    assert (
        problem(office.decide("pause", plan_id="p"))
        == "`pause` takes no plan_id. Nothing was decided. Leave it out."
    )
    with pytest.raises(dg.DagsterInvalidConfigError):
        office.decide("stop")
    job = office.defs().resolve_job_def("acme_decision")
    assert "decision: approve" in job.description
    # a pause does not wait for the run that it stops
    assert all(node.definition.pool is None for node in job.nodes)
