"""What is wrong around a night: each ends with one sentence that says what to do, and leaves
everything as it was.
"""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import duckdb
import pytest

from hris_pipeline.sandbox.faults import Fault
from hris_pipeline.warehouse import SCHEMA_VERSION, Warehouse
from hris_pipeline_tests.end_to_end.deployment import NIGHT, Deployment, content, deployed

HOLD = (
    "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); "
    "sys.stdin.read()"
)
FULL = """
import resource, sys
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
from hris_pipeline import cli
sys.exit(cli.run(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def in_line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A company after a good night, with a change that waits for the next one."""
    with deployed(tmp_path_factory.mktemp("in_line")) as acme:
        assert acme.sync().code == 0
        acme.tenant.change(1, last_name="Otherwise")
        yield acme


@pytest.fixture
def acme(in_line: Deployment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    in_line.forget_requests()
    yield in_line
    monkeypatch.undo()
    in_line.personio.clear()
    in_line.deskbird.faults.clear()
    in_line.write_file()


@pytest.fixture
def closed_port() -> str:
    """The URL of a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def refused(acme: Deployment, *, run: Callable[[], tuple[int, str, str]] | None = None) -> str:
    """A night that cannot be: its sentence, after a look at what must not have changed."""
    tables, held = acme.tables(), content(acme.deskbird.desk)
    if run is None:
        ended = acme.sync(night=1)
        code, out, err = ended.code, ended.out, ended.err
    else:
        code, out, err = run()
    assert (code, out) == (1, ""), err
    *progress, sentence = err.splitlines()
    assert all(": " in line and "Traceback" not in line and len(line) < 40 for line in progress), (
        err
    )
    assert sentence.endswith(".")
    assert acme.writes() == []
    assert content(acme.deskbird.desk) == held
    assert acme.tables() == tables
    return sentence


def test_a_mistake_in_the_company_file_is_named_with_its_place_and_what_would_be_right(
    acme: Deployment,
) -> None:
    acme.file.write_text(acme.file.read_text().replace('"timezone"', '"time_zone"'))
    sentence = refused(acme)
    assert "acme.yaml" in sentence
    assert "time_zone" in sentence
    assert "Did you mean timezone?" in sentence


@pytest.mark.parametrize("variable", ["SANDBOX_SECRET", "SANDBOX_TOKEN"])
def test_a_missing_credential_is_named(
    acme: Deployment, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(variable)
    assert variable in refused(acme)


def test_a_wrong_credential_of_the_hris_is_told_from_everything_else(
    acme: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_SECRET", "not-the-secret")
    sentence = refused(acme)
    assert "refused the credential" in sentence
    assert "Settings > Integrations > API credentials" in sentence
    assert "not-the-secret" not in sentence


def test_a_permission_that_is_missing_in_the_hris_is_named(acme: Deployment) -> None:
    acme.personio.add(Fault("*/employees", "status", value=403, times=None))
    assert "Switch on" in refused(acme)


def test_an_hris_that_does_not_answer(
    acme: Deployment, closed_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acme, "personio_url", closed_port)
    acme.write_file()
    assert "gave no usable answer" in refused(acme)


def test_a_deskbird_that_does_not_answer(
    acme: Deployment, closed_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acme, "deskbird_url", closed_port)
    acme.write_file()
    assert "deskbird" in refused_by_deskbird(acme)


def refused_by_deskbird(acme: Deployment) -> str:
    """As :func:`refused`; what the HRIS gave is published by then, and is the same as the night
    before but for the change.
    """
    acme.sync("--dry-run", night=1)
    return refused(acme)


def test_a_wrong_token_of_deskbird(acme: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_TOKEN", "not-the-token")
    sentence = refused_by_deskbird(acme)
    assert "HTTP 401" in sentence
    assert "Admin > API keys" in sentence
    assert "not-the-token" not in sentence


def test_a_deskbird_that_forbids_it(acme: Deployment) -> None:
    acme.deskbird.faults.add(Fault("GET *", "status", value=403, times=None))
    assert "HTTP 403" in refused_by_deskbird(acme)


def test_a_deskbird_that_is_not_there(acme: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acme, "deskbird_url", f"{acme.deskbird_url}/elsewhere")
    acme.write_file()
    sentence = refused_by_deskbird(acme)
    assert "HTTP 404" in sentence
    assert "scim_url" in sentence


def test_a_warehouse_that_another_process_has_open(
    acme: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Warehouse.__init__.__kwdefaults__, "patience", 0.3)
    tables = acme.tables()
    path = str(acme.data / "acme.duckdb")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"held\n"
            ended = acme.sync(night=1)
        finally:
            other.communicate(b"")
    assert (ended.code, ended.out) == (1, "")
    assert "acme.duckdb is open in another process" in ended.sentence
    assert "acme.read.duckdb" in ended.sentence
    assert acme.writes() == []
    assert acme.tables() == tables


def test_a_warehouse_of_another_version(acme: Deployment) -> None:
    def set_version(version: int) -> None:
        with duckdb.connect(str(acme.data / "acme.duckdb")) as con:
            con.execute("update state.schema_version set version = ?", [version])

    set_version(SCHEMA_VERSION + 1)
    try:
        assert "was written by another version of this project" in refused(acme)
    finally:
        set_version(SCHEMA_VERSION)


def test_c119_a_warehouse_that_is_none(acme: Deployment) -> None:
    path = acme.data / "acme.duckdb"
    kept = path.read_bytes()
    path.write_bytes(b"a letter to somebody, which is no database at all" * 100)
    try:
        ended = acme.sync(night=1)
    finally:
        path.write_bytes(kept)
    assert (ended.code, ended.out) == (1, "")
    assert "is no DuckDB file" in ended.sentence
    assert acme.writes() == []


def test_c119_a_night_whose_log_is_damaged_writes_nothing_and_goes_on_once_it_is_moved_away(
    acme: Deployment,
) -> None:
    path, log = acme.data / "acme.duckdb", acme.data / "acme.duckdb.wal"
    kept = path.read_bytes()
    with duckdb.connect(str(path)) as con:
        con.execute(
            "set wal_autocheckpoint = '1GB'; create table state.much as select range as i from "
            "range(3000)"
        )
        damaged = bytearray(log.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(kept)
    log.write_bytes(damaged)
    try:
        ended = acme.sync(night=1)
    finally:
        log.unlink()
        path.write_bytes(kept)
    assert (ended.code, ended.out) == (1, "")
    assert "acme.duckdb.wal" in ended.sentence
    assert "move acme.duckdb.wal away" in ended.sentence
    assert acme.writes() == []


def test_a_full_disk(acme: Deployment) -> None:
    """The whole command in a process whose files may not grow beyond 100 kB, which is less than
    anything needs.
    """

    def run() -> tuple[int, str, str]:
        arguments = ["100000", "sync", "acme", "--as-of", NIGHT.isoformat()]
        done = subprocess.run(
            [sys.executable, "-c", FULL, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout, done.stderr

    assert "the disk's room" in refused(acme, run=run)
