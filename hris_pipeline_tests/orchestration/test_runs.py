"""Runs from the command line, and bad input of every kind: one sentence, the last good tables
untouched, no write.
"""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from hris_pipeline.errors import SettingsError
from hris_pipeline.orchestration import runs
from hris_pipeline.orchestration.resources import AS_OF
from hris_pipeline.sandbox.company import generate
from hris_pipeline.sandbox.faults import Fault
from hris_pipeline_tests.orchestration.conftest import offices
from hris_pipeline_tests.orchestration.office import NIGHT, problem, problems

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(ROOT))


def test_a_run_appears_in_the_books_with_its_moment_and_tells_its_progress_and_nothing_else(
    office, home, capfd
):
    seen = []
    finished = runs.execute(
        "acme", "dry_run", as_of=NIGHT, on_progress=lambda *progress: seen.append(progress)
    )
    assert finished.success
    assert finished.problem is None
    assert {what for what, _, _ in seen} >= {"users", "groups"}
    assert capfd.readouterr() == ("", "")
    with dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(finished.run_id)
        assert run.job_name == "acme_dry_run"
        assert run.status is dg.DagsterRunStatus.SUCCESS
        assert run.tags[AS_OF] == NIGHT.isoformat()
        assert (
            instance.get_latest_materialization_event(
                dg.AssetKey(["acme", "core", "people"])
            ).run_id
            == finished.run_id
        )
        assert {pool.name for pool in instance.event_log_storage.get_pool_limits()} == {"acme"}
    assert office.ask("select as_of from state.plans") == [(NIGHT,)]


def test_a_failed_run_says_why_in_one_sentence(office, home, capfd):
    office.faults.add(Fault("*/auth", "status", times=None, value=403))
    finished = runs.execute("acme", "nightly", as_of=NIGHT)
    assert not finished.success
    assert finished.problem.startswith("Personio connection 'personio' refused the credential")
    assert capfd.readouterr() == ("", "")


def test_a_company_file_with_a_mistake_ends_before_anything_begins(office, home):
    with (office.companies / "acme.yaml").open("a") as file:
        file.write("guards: {deactivate_user: {max_percent: 200}}\n")
    with pytest.raises(
        SettingsError,
        match=r"acme\.yaml: guards\.deactivate_user\.max_percent must be at most 100",
    ):
        runs.execute("acme", "nightly")
    assert not office.data.exists()


# --- bad input ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def company(doors, tmp_path_factory):
    """A company after a good night, with something to do; no test of bad input may change it."""
    with (
        dg.DagsterInstance.ephemeral() as instance,
        offices(doors, instance, tmp_path_factory.mktemp("settled")) as make,
    ):
        office = make()
        assert problems(office.job()) == []
        office.tenant.change(3, first_name="Changed")
        yield office


@pytest.fixture
def settled(company):
    """Yields the company, then holds it against what it was."""
    before, writes = company.tables(), company.writes()
    yield company
    assert company.tables() == before
    assert company.writes() == writes


def test_a_missing_variable(settled, monkeypatch):
    monkeypatch.delenv("SANDBOX_SECRET")
    for result in (
        settled.materialise("hris_personio/employees"),
        settled.materialise("deskbird/users"),
    ):
        assert problem(result).endswith(
            "hris.personio.client_secret needs the environment variable SANDBOX_SECRET, which is "
            "not set. Nothing was read or written; set it and start again."
        )


def test_what_stays_on_the_machine_needs_no_credential(settled, monkeypatch):
    monkeypatch.delenv("SANDBOX_SECRET")
    for table in ("core/people", "core/groups", "core/manager_graph"):
        assert problems(settled.materialise(table)) == []


def test_wrong_credentials_of_the_hr_system(settled, monkeypatch):
    monkeypatch.setenv("SANDBOX_SECRET", "wrong")
    sentences = set(problems(settled.job()))
    assert len(sentences) == 1
    assert next(iter(sentences)).startswith("Personio connection 'personio' refused the credential")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault("*/employees", "status", times=None, value=503), "gave no usable answer"),
        (Fault("*/employees", "reset", times=None), "gave no usable answer"),
        (Fault("*/employees", "html", times=None), "answered HTML instead of JSON"),
        (Fault("*/employees", "truncated", times=None), "JSON that is cut off or broken"),
        (Fault("*/employees", "status", times=None, value=403), "Switch on"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_c07_c09_an_hr_system_that_does_not_answer_as_it_should(settled, fault, sentence):
    settled.faults.add(fault)
    assert sentence in problem(settled.materialise("hris_personio/employees"))
    settled.faults.clear()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "refused the SCIM token"),
        (403, "lacks the right"),
        (404, "There is no SCIM service"),
        (503, "did not answer"),
    ],
)
def test_a_deskbird_that_refuses(settled, status, sentence):
    settled.desk.faults.add(Fault("GET /v2/scim/*", "status", times=None, value=status))
    for table in ("deskbird/users", "deskbird/groups", "deskbird/applied_changes"):
        assert sentence in problem(settled.materialise(table))
    settled.desk.faults.clear()


def test_c63_an_incomplete_list_of_deskbird_is_no_list(settled):
    settled.desk.faults.add(Fault("GET /v2/scim/Users", "truncated", times=None))
    night = settled.materialise("deskbird/users")
    assert "something that is no SCIM message" in problem(night)
    (verdict,) = night.get_asset_check_evaluations()
    assert (verdict.check_name, verdict.passed) == ("deskbird_was_read_completely", False)
    settled.desk.faults.clear()


def test_a_duckdb_file_that_is_open_elsewhere(settled, monkeypatch):
    monkeypatch.setattr(
        "hris_pipeline.warehouse.Warehouse.__init__.__kwdefaults__",
        {"memory": "700MB", "patience": 0.2},
    )
    code = (
        "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); "
        "sys.stdin.read()"
    )
    arguments = [sys.executable, "-c", code, str(settled.data / "acme.duckdb")]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "open\n"
        sentence = problem(settled.materialise("core/people"))
        other.stdin.close()
    assert sentence.startswith("acme.duckdb is open in another process. Nothing was written.")


def test_a_duckdb_file_of_another_version_of_ours(office):
    office.job("dry_run")
    with duckdb.connect(str(office.data / "acme.duckdb")) as con:
        con.execute("update state.schema_version set version = 99")
    assert "was written by another version of this project" in problem(
        office.materialise("core/people")
    )


def test_a_file_that_is_no_duckdb_file(office):
    office.data.mkdir()
    (office.data / "acme.duckdb").write_bytes(b"not a database" * 1000)
    assert "is no DuckDB file" in problem(office.materialise("core/people"))
    assert (office.data / "acme.duckdb").read_bytes() == b"not a database" * 1000


def test_a_data_folder_that_cannot_be_used(office):
    office.data.write_text("a file")
    assert problem(office.materialise("core/people")).startswith("acme.lock cannot be written")


def test_a_full_disk(make_office, home):
    """A process that may write no file larger than 200 kB, which is what a disk without room looks
    like to it.
    """
    code = (
        "import datetime as dt, resource, signal, sys\n"
        "from hris_pipeline.orchestration import runs\n"
        "from hris_pipeline.warehouse import Warehouse\n"
        "from hris_pipeline import settings\n"
        "with Warehouse(settings.data_folder(), 'acme').write(('personio',)): pass\n"
        "from hris_pipeline.orchestration.instance import open_instance, prepare_instance\n"
        "with open_instance() as instance: prepare_instance(instance, ['acme'])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))\n"
        "print(runs.execute('acme', 'nightly').problem)\n"
    )
    office = make_office(tenant=generate(2000))
    environment = {**os.environ, "HRIS_PIPELINE_NOW": NIGHT.isoformat()}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert "There is no room for acme.duckdb: the disk or the memory is full" in done.stdout, (
        done.stdout + done.stderr
    )
    assert office.writes() == []


def test_what_nobody_expected_is_told_by_its_type_and_place_only(office, monkeypatch):
    def broken(*_):
        raise ValueError("Ada Lovelace")

    monkeypatch.setattr("hris_pipeline.people.build", broken)
    office.job("dry_run")
    result = office.materialise("core/people", now=NIGHT + dt.timedelta(hours=1))
    assert problem(result).startswith(
        "The pipeline stumbled over something it does not know (ValueError in "
    )
    assert "Ada" not in str(office.instance.all_logs(result.run_id))
