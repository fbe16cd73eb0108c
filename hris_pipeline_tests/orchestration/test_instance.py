"""The instance: where it keeps its records, which runs it lets wait, and what a crash leaves behind."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from hris_pipeline import settings
from hris_pipeline.errors import PipelineError
from hris_pipeline.orchestration import instance as instances
from hris_pipeline.orchestration import lock, reap, storage

ROOT = Path(__file__).resolve().parents[2]


@dg.op
def nothing():
    pass


@dg.job
def anything():
    nothing()


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """The project's own home, its data elsewhere; the data folder."""
    monkeypatch.setenv("DAGSTER_HOME", str(ROOT))
    monkeypatch.setenv(settings.DATA_VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv(settings.COMPANIES_VARIABLE, str(tmp_path / "companies"))
    return tmp_path / "data"


def test_all_that_dagster_writes_lies_in_the_data_folder_whatever_the_working_directory(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = set(ROOT.iterdir())
    with instances.open_instance() as instance:
        anything.execute_in_process(instance=instance)
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert type(instance.compute_log_manager).__name__ == "NoOpComputeLogManager"
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1
        assert str(instance.get_concurrency_config().pool_config.pool_granularity.value) == "run"
    assert {path.name for path in (project / "dagster").iterdir()} <= {"history", "schedules", "storage"}
    assert (project / "dagster" / "history" / "runs.db").exists()
    assert set(ROOT.iterdir()) == before
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_without_a_home_it_is_the_projects_own_and_without_a_data_folder_its_data(monkeypatch, tmp_path):
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.delenv(settings.DATA_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    assert instances.home() == ROOT
    assert os.environ["DAGSTER_HOME"] == str(ROOT)
    assert storage.folder() == ROOT / "data" / "dagster"


def test_a_relative_home_is_made_absolute_and_one_that_cannot_be_made_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", "here/dagster")
    assert instances.home() == tmp_path / "here" / "dagster"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "file" / "below"))
    with pytest.raises(PipelineError, match=r"DAGSTER_HOME, .* cannot be made .* Nothing was done"):
        instances.home()


def test_an_instance_that_cannot_be_opened_is_one_sentence(project):
    (project / "dagster" / "history").mkdir(parents=True)
    (project / "dagster" / "history" / "runs.db").write_text("this is no database, but long enough to look at")
    with pytest.raises(PipelineError, match=r"Dagster's records of .* cannot be opened \(\w+\)\. Nothing was done"):
        instances.open_instance()


def test_the_queue_knows_every_company_before_its_first_run(project):
    with instances.open_instance() as instance:
        instances.prepare_instance(instance, ["acme", "globex"])
        instances.prepare_instance(instance, ["acme", "globex"])
        assert {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()} == {"acme": 1, "globex": 1}


def test_a_run_that_died_with_its_lock_is_ended_at_once_and_a_living_one_is_not(instance, tmp_path):
    dead, alive, fresh, waiting = (
        instance.create_run_for_job(anything, status=status).run_id
        for status in (
            dg.DagsterRunStatus.STARTED,
            dg.DagsterRunStatus.STARTED,
            dg.DagsterRunStatus.STARTING,
            dg.DagsterRunStatus.NOT_STARTED,
        )
    )
    (tmp_path / "acme.lock").write_text(f'{{"run_id": "{dead}", "pid": 1, "since": "then"}}')
    locks = lock.Locks(tmp_path)
    locks.hold("globex", alive)
    assert instances.reap_orphans(instance, tmp_path) == [dead]
    assert instance.get_run_by_id(dead).status is dg.DagsterRunStatus.FAILURE
    assert instance.get_run_by_id(dead).tags["dagster/max_retries"] == "0"
    # later, what never took a lock is dead too; what holds one lives, however long
    assert instances.reap_orphans(instance, tmp_path, grace=-dt.timedelta(minutes=1)) == [fresh]
    assert instance.get_run_by_id(alive).status is dg.DagsterRunStatus.STARTED
    assert instance.get_run_by_id(waiting).status is dg.DagsterRunStatus.NOT_STARTED
    locks.release()


def test_reaping_is_a_command_too(project, capsys):
    with instances.open_instance() as instance:
        run_id = instance.create_run_for_job(anything, status=dg.DagsterRunStatus.STARTED).run_id
    (project / "acme.lock").write_text(f'{{"run_id": "{run_id}", "pid": 1, "since": "then"}}')
    assert reap.main() == 0
    assert capsys.readouterr().out == f"Runs that an earlier crash left in flight, now failed: {run_id}\n"
    assert reap.main() == 0
    assert capsys.readouterr().out == ""


def test_the_definitions_load_in_a_process_of_their_own_and_write_nothing(tmp_path):
    environment = {**os.environ, settings.COMPANIES_VARIABLE: str(tmp_path), settings.DATA_VARIABLE: str(tmp_path / "data")}
    code = "import hris_pipeline.definitions as d; print(type(d.defs).__name__)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "Definitions\n"
    assert list(tmp_path.iterdir()) == []
