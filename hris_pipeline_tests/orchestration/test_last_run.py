"""The last run of a job is read without Dagster, and is the one that Dagster would tell."""

import contextlib
import os
import sqlite3
from pathlib import Path

import dagster as dg
import pytest

from hris_pipeline import settings
from hris_pipeline.errors import PipelineError
from hris_pipeline.orchestration import instance as instances
from hris_pipeline.orchestration import last_run as reading
from hris_pipeline.orchestration import place

ROOT = Path(__file__).resolve().parents[2]


@dg.op
def nothing(context):
    if "fails" in context.run.tags:
        raise dg.Failure("as it was told to")


@dg.job
def acme_nightly():
    nothing()


@dg.job
def globex_nightly():
    nothing()


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """The project's own home, its data elsewhere; where Dagster's records are."""
    monkeypatch.setenv("DAGSTER_HOME", str(ROOT))
    monkeypatch.setenv(settings.DATA_VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv(settings.COMPANIES_VARIABLE, str(tmp_path / "companies"))
    return tmp_path / "data" / "dagster"


def run(job, **tags):
    with instances.open_instance() as instance:
        return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False).run_id


@pytest.fixture
def not_asked(monkeypatch):
    """Dagster may not be asked."""

    def refuse(job):
        raise AssertionError(job)

    with monkeypatch.context() as patch:
        patch.setattr(reading, "_ask", refuse)
        yield


def test_it_is_the_one_that_dagster_would_tell(project, request):
    run(acme_nightly)
    failed = run(acme_nightly, fails="yes")
    run(globex_nightly)
    told = reading._ask("acme_nightly")
    request.getfixturevalue("not_asked")
    found = reading.last_run("acme_nightly")
    assert found == told
    assert (found.run_id, found.status) == (failed, "FAILURE")
    assert reading.last_run("globex_nightly").status == "SUCCESS"
    assert reading.last_run("nobody_nightly") is None


def test_without_records_there_is_none_and_they_are_made(project):
    assert reading.last_run("acme_nightly") is None
    assert (project / place.RUNS).exists()


@pytest.mark.parametrize(
    "damage", ["pragma user_version = 0", "alter table runs rename column status to state"]
)
def test_where_the_records_are_not_as_expected_dagster_is_asked(project, monkeypatch, damage):
    run(acme_nightly)
    with contextlib.closing(sqlite3.connect(project / place.RUNS)) as con:
        con.execute(damage)
        con.commit()
    asked = []
    monkeypatch.setattr(reading, "_ask", asked.append)
    reading.last_run("acme_nightly")
    assert asked == ["acme_nightly"]


def test_where_the_home_names_another_storage_dagster_is_asked(project, monkeypatch, tmp_path):
    run(acme_nightly)
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("storage: {sqlite: {base_dir: elsewhere}}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    asked = []
    monkeypatch.setattr(reading, "_ask", asked.append)
    reading.last_run("acme_nightly")
    (home / "dagster.yaml").unlink()
    reading.last_run("globex_nightly")
    assert asked == ["acme_nightly", "globex_nightly"]


def test_records_that_cannot_be_opened_are_one_sentence(project):
    (project / place.RUNS).parent.mkdir(parents=True)
    (project / place.RUNS).write_text("this is no database, but long enough to look at")
    with pytest.raises(
        PipelineError, match=r"Dagster's records of .* cannot be opened \(\w+\)\. Nothing was done"
    ):
        reading.last_run("acme_nightly")


def test_the_projects_own_home_needs_no_asking(project, monkeypatch, not_asked):
    with instances.open_instance():
        pass
    monkeypatch.delenv("DAGSTER_HOME")
    assert reading.last_run("acme_nightly") is None
    assert os.environ["DAGSTER_HOME"] == str(ROOT)
