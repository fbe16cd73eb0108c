"""The command line: exit codes, what goes to which stream, mistakes, and that it starts without
what is slow.
"""

import json
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from presentation import hand_made_plan

from hris_pipeline import settings
from hris_pipeline.cli import reading
from hris_pipeline.orchestration.instance import open_instance
from hris_pipeline.sandbox.company import generate
from hris_pipeline.sandbox.faults import Fault, Faults
from hris_pipeline.sandbox.hris.personio import CREDENTIAL, personio_app
from hris_pipeline.sandbox.server import serve
from hris_pipeline.warehouse import Warehouse

ROOT = Path(__file__).resolve().parents[2]
PLAN = hand_made_plan.PLAN
FILE = """
timezone: Europe/Berlin
hris: {personio: {system: personio, client_id: x, client_secret: "${PERSONIO_SECRET}"}}
deskbird: {scim_token: "${DESKBIRD_TOKEN}"}
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Folders of our own, and the company ``acme`` in them, without credentials."""
    (tmp_path / "companies").mkdir()
    (tmp_path / "companies" / "acme.yaml").write_text(FILE)
    monkeypatch.setenv(settings.COMPANIES_VARIABLE, str(tmp_path / "companies"))
    monkeypatch.setenv(settings.DATA_VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv("DAGSTER_HOME", str(ROOT))
    monkeypatch.setenv("HRIS_PIPELINE_NOW", "2026-03-03T04:00:00Z")
    for name in ("PERSONIO_SECRET", "DESKBIRD_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def planned(home):
    """The same with the hand-made plan."""
    warehouse = Warehouse(home / "data", "acme")
    with warehouse.write(("personio",)) as con:
        hand_made_plan.fill(con, hand_made_plan.rows())
    return warehouse


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sync"], "Missing argument 'COMPANY'"),
        (["synk", "acme"], "Did you mean 'sync'?"),
        (["plan", "acme", "--format", "xml"], "'xml' is not one of"),
        (["apply", "acme"], "Missing option '--plan'"),
        (["sync", "acme", "--force"], "No such option"),
        (["sandbox", "--day", "two"], "valid integer"),
        (["sync", "acme", "extra"], "extra"),
    ],
)
def test_a_mistake_in_the_command_is_no_pending_change(run, arguments, said):
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert said in err
    assert "Nothing was done" in err


def test_without_a_command_there_is_help_and_no_success(run):
    code, out, err = run()
    assert code == 1
    assert "approve" in out
    assert "name a command" in err


def test_a_wrong_timestamp_is_one_sentence(home, planned, run):
    code, out, err = run("plan", "acme", "--as-of", "yesterday")
    assert (code, out) == (1, "")
    assert err == "'yesterday' is not a timestamp. Write it like 2026-03-02T04:30:00+01:00.\n"


def test_an_unknown_company_is_one_sentence(home, run):
    for arguments in (
        ("sync", "nowhere"),
        ("plan", "nowhere"),
        ("status", "nowhere"),
        ("approve", "nowhere", "p1"),
    ):
        code, out, err = run(*arguments)
        assert (code, out) == (1, "")
        assert err.count("\n") == 1
        assert "nowhere.yaml does not exist" in err


def test_before_the_first_run_there_is_no_plan(home, run):
    for command in (("plan", "acme"), ("status", "acme"), ("approve", "acme", "p1")):
        code, _, err = run(*command)
        assert code == 1
        assert "Run `hris-pipeline sync acme` first" in err
    assert not (home / "data" / "acme.duckdb").exists()


def test_missing_credentials_end_a_sync_with_the_variables_name(home, run):
    code, _, err = run("sync", "acme")
    assert code == 1
    assert "PERSONIO_SECRET, which is not set" in err
    assert "Traceback" not in err


def test_the_plan_goes_to_standard_output_and_its_weight_to_the_exit_code(planned, run):
    code, out, err = run("plan", "acme")
    assert (code, err) == (3, "")
    assert "Deactivate 3 users" in out
    assert "\x1b" not in out


def test_json_is_the_only_thing_on_standard_output(planned, run):
    code, out, _ = run("plan", "acme", "--format", "json")
    assert code == 3
    assert json.loads(out)["version"] == 1
    code, out, _ = run("status", "acme", "--format", "json")
    assert code == 3
    assert json.loads(out)["kind"] == "status"


@pytest.mark.parametrize("form", ["table", "markdown", "json"])
def test_a_plan_in_a_file_is_whole_and_private(home, planned, run, form):
    file = home / "plan.out"
    file.write_text("old")
    file.chmod(0o644)
    code, out, _ = run("plan", "acme", "--format", form, "--out", str(file))
    assert (code, out) == (3, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert all(f"personio:{number}" in file.read_text(encoding="utf-8") for number in range(1, 6))


def test_a_file_that_cannot_be_written_is_one_sentence(home, planned, run):
    code, out, err = run("plan", "acme", "--out", str(home / "no" / "folder" / "plan.txt"))
    assert (code, out) == (1, "")
    assert "could not be written" in err


def test_approving_makes_pending_what_was_blocked_and_rejecting_takes_that_back(planned, run):
    code, out, _ = run("approve", "acme", PLAN, "--because", "the season is over")
    assert code == 0
    assert "3 changes released" in out
    assert f"hris-pipeline apply acme --plan {PLAN}" in out
    assert run("plan", "acme")[0] == 2
    assert "released already" in run("approve", "acme", PLAN)[1]
    assert run("reject", "acme", PLAN, "--as-of", "2026-03-03T05:00:00Z")[0] == 0
    assert run("plan", "acme", "--as-of", "2026-03-03T06:00:00Z")[0] == 3


def test_an_approval_expires(planned, run):
    assert run("approve", "acme", PLAN)[0] == 0
    assert run("plan", "acme", "--as-of", "2026-03-30T00:00:00Z")[0] == 3


def test_the_company_file_says_how_long_an_approval_is_good_for(home, planned, run):
    file = home / "companies" / "acme.yaml"
    file.write_text(f"{file.read_text()}approvals: {{expire_hours: 1}}\n")
    assert "3 changes released for 1 hour." in run("approve", "acme", PLAN)[1]
    assert run("plan", "acme", "--as-of", "2026-03-03T04:59:00Z")[0] == 2
    assert run("plan", "acme", "--as-of", "2026-03-03T05:00:00Z")[0] == 3


def test_pausing_and_resuming_say_what_they_did_and_twice_is_harmless(home, planned, run):
    code, out, _ = run("pause", "acme", "--because", "moving offices")
    assert code == 0
    assert "nothing is written to deskbird by any way" in out
    code, out, _ = run("pause", "acme", "--because", "again")
    assert code == 0
    assert "That stays as it is." in out
    screen = run("status", "acme")[1]
    assert "PAUSED" in screen
    assert "paused since 2026-03-03 05:00 by" in screen
    assert "`hris-pipeline resume acme` ends it" in screen
    assert "moving offices" in screen
    assert (
        json.loads(run("status", "acme", "--format", "json")[1])["paused"]["because"]
        == "moving offices"
    )
    code, out, err = run("apply", "acme", "--plan", PLAN)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "nothing was written; `hris-pipeline resume acme` ends it." in err
    assert run("approve", "acme", PLAN)[0] == 0  # decisions stay possible
    assert "is paused no more" in run("resume", "acme")[1]
    code, out, _ = run("resume", "acme")
    assert (code, out) == (0, "acme is not paused. Nothing was changed.\n")
    assert json.loads(run("status", "acme", "--format", "json")[1])["paused"] is None


def test_what_cannot_be_approved_is_refused_with_the_reason(planned, run):
    code, out, err = run("approve", "acme", "p0")
    assert (code, out) == (1, "")
    assert "no plan with the id p0" in err
    code, _, err = run("approve", "acme", PLAN, "--only", "create_user")
    assert code == 1
    assert "by guard create_user" in err


def test_an_unexpected_error_tells_its_type_and_no_value(planned, run, monkeypatch):
    def stumble(*_):
        raise KeyError("ada@example.com")

    monkeypatch.setattr(reading, "current_plan", stumble)
    code, out, err = run("plan", "acme")
    assert (code, out) == (1, "")
    assert "KeyError in test_commands.py" in err
    assert "ada@" not in err
    assert "Traceback" not in err


def test_the_sandbox_refuses_a_day_that_its_company_does_not_have(home, run):
    code, _, err = run("sandbox", "--day", "9")
    assert code == 1
    assert "has days 1 to" in err


def test_the_sandbox_refuses_a_behaviour_that_its_deskbird_does_not_have(home, run):
    code, _, err = run("sandbox", "--deskbird", "klingon")
    assert code == 1
    assert "there are rfc, entra" in err


def script(*arguments, **more):
    """The console script in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "hris_pipeline.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


def test_help_and_systems_import_neither_dagster_nor_pandas():
    code = (
        "import sys; from hris_pipeline import cli; "
        "codes = [cli.run(['--help']), cli.run(['sync', '--help']), cli.run(['systems'])]; "
        "print(codes, sorted({'dagster', 'pandas', 'duckdb'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[0, 0, 0] []"


NOT_FOR_READING = {
    "pandas",
    "pandera",
    "numpy",
    "pyarrow",
    "dagster",
    "sqlalchemy",
    "alembic",
    "httpx",
}
READING = [
    (["--help"], 0),
    (["systems"], 0),
    (["systems", "personio"], 0),
    (["plan", "acme"], 3),
    (["plan", "acme", "--format", "json"], 3),
    (["status", "acme"], 3),
    (["explain", "acme", "personio:3"], 0),
    (["review", "acme"], 0),
]


@pytest.mark.parametrize(
    ("command", "exit_code"),
    READING,
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_what_only_reads_loads_nothing_that_reading_does_not_need(planned, command, exit_code):
    with open_instance():  # from the first run on there are records
        pass
    code = (
        f"import sys; from hris_pipeline import cli; code = cli.run({command}); "
        f"print(code, sorted({NOT_FOR_READING} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"{exit_code} []", done.stderr


@pytest.mark.parametrize(
    "command", [["sync"], ["sync", "--dry-run"], ["apply", "--plan", "p1"], ["undo", "p1"]]
)
def test_what_the_company_file_and_the_environment_lack_is_told_before_anything_heavy_is_loaded(
    home, command
):
    file = home / "companies" / "acme.yaml"
    file.write_text(
        file.read_text().replace("Europe/Berlin", "Europe/Berln") + "frozen: [somebody]\n"
    )
    name, *options = command
    code = (
        f"import sys; from hris_pipeline import cli; code = cli.run({[name, 'acme', *options]}); "
        "print(code, sorted({'dagster', 'pandas', 'pandera', 'duckdb', 'sqlalchemy'} & "
        "set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1 []\n"
    assert [
        line.removeprefix(f"{file}: ").split(" which is")[0] for line in done.stderr.splitlines()
    ] == [
        "timezone must be a time zone such as Europe/Berlin. Did you mean Europe/Berlin?",
        (
            "frozen[0] must be an e-mail address or an hris_ref, <connection>:<id>, such as "
            "personio:1234."
        ),
        "hris.personio.client_secret needs the environment variable PERSONIO_SECRET,",
        "deskbird.scim_token needs the environment variable DESKBIRD_TOKEN,",
    ]
    assert not (home / "data").exists()


def test_the_console_script_ends_with_the_commands_exit_code(planned):
    assert script("plan", "acme").returncode == 3
    assert script("plan").returncode == 1


def without_reader(*arguments, both=False):
    """The console script, writing into a pipe whose reader has gone before it starts: exit code and
    standard error.
    """
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "hris_pipeline.cli", *arguments],
            stdout=writer,
            stderr=writer if both else subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["plan", "acme", "--format", "json"], 3),
        (["plan", "acme"], 3),
        (["status", "acme"], 3),
        (["review", "acme"], 0),
        (["systems", "--format", "json"], 0),
        (["--help"], 0),
    ],
)
def test_a_reader_that_leaves_early_is_no_error_and_changes_no_exit_code(planned, arguments, code):
    assert without_reader(*arguments) == (code, "")


def test_nobody_reads_either_stream(planned):
    assert without_reader("plan", "acme", both=True)[0] == 3
    assert without_reader("plan", "nowhere", both=True)[0] == 1


def test_a_reader_of_the_first_line_of_much_output_leaves(home):
    """Three times what a pipe holds, so that the writer meets the end of it in the middle of its
    work.
    """
    with Warehouse(home / "data", "acme").write(("personio",)) as con:
        rows = hand_made_plan.rows()
        again = [(number * 100 + seq, *row) for number in range(40) for seq, *row in rows]
        hand_made_plan.fill(con, again)
    command = [sys.executable, "-m", "hris_pipeline.cli", "plan", "acme", "--format", "json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as writing:
        assert writing.stdout.readline() == "{\n"
        writing.stdout.close()
        assert writing.stderr.read() == ""
    assert writing.returncode == 3


def test_a_disk_without_room_is_one_sentence_and_an_error(home):
    with (home / "out").open("w") as file:
        done = subprocess.run(
            [sys.executable, "-m", "hris_pipeline.cli", "systems"],
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Standard output could not be written whole (File too large)." in done.stderr


def test_ctrl_c_ends_a_sync_with_one_sentence(tmp_path):
    faults = Faults(Fault("GET *", "timeout", value=60, times=None))
    with serve(personio_app(generate(10), faults=faults)) as personio:
        (tmp_path / "acme.yaml").write_text(f"""
hris:
  personio: {{system: personio, base_url: "{personio.url}", client_id: "{CREDENTIAL.client_id}",
    client_secret: "{CREDENTIAL.client_secret}", options: {{api: v1}}}}
deskbird: {{scim_url: "{personio.url}", scim_token: x}}
""")
        own = {
            "HRIS_PIPELINE_COMPANIES": str(tmp_path),
            "HRIS_PIPELINE_DATA": str(tmp_path / "data"),
            "DAGSTER_HOME": str(ROOT),
        }
        command = [sys.executable, "-m", "hris_pipeline.cli", "sync", "acme"]
        with subprocess.Popen(
            command,
            env={**os.environ, **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as sync:
            deadline = time.monotonic() + 60
            while (
                not faults.requests("GET *") and sync.poll() is None and time.monotonic() < deadline
            ):
                time.sleep(0.05)
            sync.send_signal(signal.SIGINT)
            out, err = sync.communicate(timeout=30)
    assert (sync.returncode, out) == (1, "")
    assert "Stopped." in err.splitlines()[-1]
    assert "Traceback" not in err
