"""Each run carries what it came to as tags, so that the Runs page tells a blocked, paused or stale
night from a good one.
"""

import datetime as dt

import dagster as dg
import pytest
import yaml

from hris_pipeline.operations import pause
from hris_pipeline.orchestration import instance as instances
from hris_pipeline.orchestration import outcomes, runs
from hris_pipeline.orchestration.outcomes import Outcome
from hris_pipeline.plan import Night
from hris_pipeline.sandbox.company import generate
from hris_pipeline.sandbox.faults import Fault
from hris_pipeline_tests.orchestration.office import NIGHT, problems
from hris_pipeline_tests.orchestration.test_runs import ROOT

DAY = dt.timedelta(days=1)
GOOD = Night(in_line=True, left=0, blocked=0, managed=9)
WANTED = Night(in_line=False, left=2, blocked=0, managed=9)
HELD = Night(in_line=True, left=0, blocked=3, managed=9)
NONE = {"failed": 0, "stale": 0, "unsent": 0, "held_back": 0, "paused": False}


@pytest.mark.parametrize(
    ("night", "more", "outcome"),
    [
        (GOOD, {}, Outcome.IN_LINE),
        (HELD, {"held_back": 3}, Outcome.BLOCKED),
        (HELD, {"held_back": 0}, Outcome.IN_LINE),  # between nights, as it is meant
        (Night(False, 0, 0, 9), {}, Outcome.BLOCKED),  # nobody is left in scope
        (WANTED, {}, Outcome.NOT_IN_LINE),
        (WANTED, {"held_back": 3}, Outcome.NOT_IN_LINE),  # errors win over blocks
        (GOOD, {"unsent": 1}, Outcome.NOT_IN_LINE),
        (WANTED, {"paused": True, "unsent": 4}, Outcome.PAUSED),
        (WANTED, {"stale": 1, "paused": True}, Outcome.STALE),
        (WANTED, {"failed": 1, "stale": 1, "held_back": 1}, Outcome.FAILED),
    ],
)
def test_what_a_night_came_to(night, more, outcome):
    assert outcomes.of_night(night, **{**NONE, **more}) is outcome


def tags(office, result) -> list[str]:
    found = office.instance.get_run_by_id(result.run_id).tags
    return [found.get(name) for name in ("outcome", "held_back", "failed", "stale")]


def test_the_nights_of_a_company_tell_what_they_came_to(make_office):
    office = make_office(
        tenant=generate(40), more="guards: {deactivate_user: {max_percent: 5, max_count: 2}}\n"
    )
    assert tags(office, office.job("dry_run")) == ["pending", "0", "0", "0"]
    pause.begin(office.data, "acme", by="ada", because=None, now=NIGHT)
    assert tags(office, office.job()) == ["paused", "0", "0", "0"]
    pause.end(office.data, "acme")
    assert tags(office, office.job()) == ["in_line", "0", "0", "0"]
    assert tags(office, office.job("dry_run")) == ["in_line", "0", "0", "0"]

    for leaver in [
        p.id for p in office.tenant.snapshot.persons.values() if p.current.status == "ACTIVE"
    ][-4:]:
        office.tenant.change(leaver, status="INACTIVE", end_date=dt.date(2026, 3, 1))
    assert tags(office, office.job("dry_run", now=NIGHT + DAY)) == ["blocked", "4", "0", "0"]
    office.tenant.change(1, last_name="Otherwise")
    office.job("dry_run", now=NIGHT + DAY)
    ((plan_id,),) = office.ask("select distinct plan_id from deskbird.changes")
    office.tenant.change(1, last_name="Once More")
    assert tags(office, office.job(now=NIGHT + DAY)) == ["blocked", "4", "0", "0"]
    # overtaken
    assert tags(office, office.job("apply", plan_id=plan_id, now=NIGHT + DAY)) == [
        "stale",
        "4",
        "0",
        "1",
    ]

    office.faults.add(Fault("*/auth", "status", times=None, value=403))
    failed = office.job(now=NIGHT + 2 * DAY)
    assert len(problems(failed)) == 1
    assert tags(office, failed) == ["failed", "0", "0", "0"]


def test_a_run_whose_process_died_is_tagged_by_whoever_finds_it(instance, tmp_path):
    @dg.op
    def nothing():
        pass

    @dg.job
    def anything():
        nothing()

    run_id = instance.create_run_for_job(anything, status=dg.DagsterRunStatus.STARTED).run_id
    (tmp_path / "acme.lock").write_text(f'{{"run_id": "{run_id}", "pid": 1, "since": "then"}}')
    assert instances.reap_orphans(instance, tmp_path) == [run_id]
    assert instance.get_run_by_id(run_id).tags["outcome"] == "stopped"


def test_the_code_location_is_the_one_of_the_workspace():
    (place,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    assert place["python_module"] == {"module_name": runs.MODULE, "location_name": runs.LOCATION}
    assert (
        runs.origin_of("acme_nightly").repository_origin.get_label()
        == "__repository__@hris_pipeline"
    )
