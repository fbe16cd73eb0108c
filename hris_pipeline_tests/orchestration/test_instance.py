"""The instance: where it keeps its records, which runs it lets wait, and what a crash leaves
behind.
"""

import contextlib
import datetime as dt
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from hris_pipeline import settings
from hris_pipeline.errors import PipelineError
from hris_pipeline.orchestration import instance as instances
from hris_pipeline.orchestration import lock, place, reap, storage

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


def test_all_that_dagster_writes_lies_in_the_data_folder_whatever_the_working_directory(
    project, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    before = set(ROOT.iterdir())
    with instances.open_instance() as instance:
        anything.execute_in_process(instance=instance)
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert type(instance.compute_log_manager).__name__ == "NoOpComputeLogManager"
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1
        assert str(instance.get_concurrency_config().pool_config.pool_granularity.value) == "run"
    assert {path.name for path in (project / "dagster").iterdir()} <= {
        "history",
        "schedules",
        "storage",
    }
    assert (project / "dagster" / "history" / "runs.db").exists()
    assert set(ROOT.iterdir()) == before
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_a_terminal_beside_the_ui_shows_no_line_for_each_step_and_the_events_are_kept(
    project, capfd
):
    with instances.open_instance() as instance:
        run_id = anything.execute_in_process(instance=instance).run_id
        assert capfd.readouterr() == ("", "")
        kinds = {
            entry.dagster_event.event_type_value
            for entry in instance.all_logs(run_id)
            if entry.dagster_event
        }
        assert {"PIPELINE_SUCCESS", "STEP_START", "STEP_SUCCESS"} <= kinds


def test_without_a_home_it_is_the_projects_own_and_without_a_data_folder_its_data(
    monkeypatch, tmp_path
):
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.delenv(settings.DATA_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    assert place.home() == ROOT
    assert os.environ["DAGSTER_HOME"] == str(ROOT)
    assert place.records() == ROOT / "data" / "dagster"


def test_a_relative_home_is_made_absolute_and_one_that_cannot_be_made_is_one_sentence(
    monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", "here/dagster")
    assert place.home() == tmp_path / "here" / "dagster"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "file" / "below"))
    with pytest.raises(PipelineError, match=r"DAGSTER_HOME, .* cannot be made .* Nothing was done"):
        place.home()


def test_an_instance_that_cannot_be_opened_is_one_sentence(project):
    (project / "dagster" / "history").mkdir(parents=True)
    (project / "dagster" / "history" / "runs.db").write_text(
        "this is no database, but long enough to look at"
    )
    with pytest.raises(
        PipelineError, match=r"Dagster's records of .* cannot be opened \(\w+\)\. Nothing was done"
    ):
        instances.open_instance()


def test_the_queue_knows_every_company_before_its_first_run(project):
    with instances.open_instance() as instance:
        instances.prepare_instance(instance, ["acme", "globex"])
        instances.prepare_instance(instance, ["acme", "globex"])
        assert {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()} == {
            "acme": 1,
            "globex": 1,
        }


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
    assert (
        capsys.readouterr().out
        == f"Runs that an earlier crash left in flight, now failed: {run_id}\n"
    )
    assert reap.main() == 0
    assert capsys.readouterr().out == ""


def test_the_definitions_load_in_a_process_of_their_own_and_write_nothing(tmp_path):
    environment = {
        **os.environ,
        settings.COMPANIES_VARIABLE: str(tmp_path),
        settings.DATA_VARIABLE: str(tmp_path / "data"),
    }
    code = "import hris_pipeline.definitions as d; print(type(d.defs).__name__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "Definitions\n"
    assert list(tmp_path.iterdir()) == []


# --- Dagster's records, made by whoever comes first (case 73) -------------------------------------


def in_processes(project: Path, number: int, work: Callable[[], None]) -> list[int]:
    """Copies of this process that begin the work at the same moment: how each of them ended."""
    together = multiprocessing.get_context("fork")
    ready = together.Barrier(number)

    def begin() -> None:
        ready.wait()
        work()

    started = [together.Process(target=begin) for _ in range(number)]
    for process in started:
        process.start()
    for process in started:
        process.join(120)
    return [process.exitcode for process in started]


def make_them() -> None:
    with instances.open_instance() as instance:
        assert instance.get_runs(limit=1) == []


def databases(project: Path) -> list[Path]:
    return [
        project / "dagster" / file
        for file in ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
    ]


def is_whole(project: Path) -> bool:
    """Every database has its tables and exactly one revision, the same as in a folder that nobody
    disturbed.
    """
    found = []
    for path in databases(project):
        with contextlib.closing(sqlite3.connect(path)) as con:
            (version,) = con.execute("pragma user_version").fetchone()
            tables = con.execute(
                "select name from sqlite_master where name not like 'sqlite%' order by 1"
            ).fetchall()
            found.append(
                (
                    version,
                    con.execute("select version_num from alembic_version").fetchall(),
                    tables,
                )
            )
    return all(
        version == 1 and len(revisions) == 1 and len(tables) > 5
        for version, revisions, tables in found
    )


def test_c73_processes_that_open_a_fresh_folder_at_once_all_succeed(project):
    for _ in range(3):
        shutil.rmtree(project, ignore_errors=True)
        assert in_processes(project, 5, make_them) == [0] * 5
        assert is_whole(project)


HALF_MADE = {
    "an empty file": "",
    "no revision": "drop table alembic_version",
    "an empty list of revisions": "delete from alembic_version",
    "two revisions": "insert into alembic_version values ('5771160a95ad')",
    "the revision of an older Dagster": "update alembic_version set version_num = '5771160a95ad'",
    "no data migrations": "drop table if exists secondary_indexes",
}


@pytest.mark.parametrize("damage", HALF_MADE.values(), ids=HALF_MADE)
def test_c73_half_made_records_are_completed_and_lose_nothing(project, damage):
    with instances.open_instance() as instance:
        run_id = anything.execute_in_process(instance=instance).run_id
    for path in databases(project):
        with contextlib.closing(sqlite3.connect(path)) as con:
            con.execute("pragma user_version = 0")
            con.execute(damage or "select 1")
            con.commit()
    if not damage:  # of the one that holds nothing that is kept here
        databases(project)[2].unlink()
        databases(project)[2].touch()
    with instances.open_instance() as instance:
        assert [run.run_id for run in instance.get_runs()] == [run_id]
        assert len(instance.all_logs(run_id)) > 5
        instance.event_log_storage.set_concurrency_slots("acme", 1)
        assert instance.all_instigator_state() == []
    assert is_whole(project)


KILLED_AT = [
    ("_complete", 1),
    ("_complete", 2),
    ("_complete", 3),
    ("_forget", 1),
    ("_forget", 3),
    ("stamp_alembic_rev", 1),
]
KILLED_AT += [("stamp_alembic_rev", 2), ("DagsterSqliteStorage", 1)]


@pytest.mark.parametrize(("step", "calls"), KILLED_AT)
def test_c73_a_process_that_dies_while_it_makes_them_leaves_them_to_the_next(
    project, monkeypatch, step, calls
):
    known, left = getattr(storage, step), [calls]

    def dies(*given, **more):
        left[0] -= 1
        return known(*given, **more) if left[0] else os._exit(9)

    with monkeypatch.context() as patch:
        patch.setattr(storage, step, dies)
        assert in_processes(project, 1, lambda: storage.make(place.records())) == [9]
    assert in_processes(project, 2, make_them) == [0, 0]
    assert is_whole(project)


def test_c73_who_makes_them_for_ever_is_not_waited_for(project, monkeypatch):
    monkeypatch.setattr(storage, "PATIENCE", 0.1)
    held = lock.on_file(project / "dagster" / "history" / storage.LOCK, patience=0)
    with held, pytest.raises(PipelineError, match=r"cannot be opened \(TimeoutError\)"):
        instances.open_instance()
