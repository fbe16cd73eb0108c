"""One run of a company at a time, whatever becomes of the process that holds the lock."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from hris_pipeline.errors import BusyError, WarehouseError
from hris_pipeline.orchestration import lock
from hris_pipeline.sandbox.faults import Fault
from hris_pipeline_tests.orchestration.office import problem, problems

HOLD = """
import sys
from pathlib import Path
from hris_pipeline.orchestration.lock import Locks
locks = Locks(Path(sys.argv[1]))
locks.hold("acme", "the-other-run")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock of acme."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        if process.poll() is None:
            process.kill()


def test_c73_a_second_process_waits_a_bounded_time_and_then_says_who_holds_it(tmp_path, other):
    locks = lock.Locks(tmp_path, patience=0.2)
    with pytest.raises(
        BusyError,
        match=(
            f"'acme' is busy: run the-other-run \\(process {other.pid}, since .* Nothing was done"
        ),
    ) as busy:
        locks.hold("acme", "mine")
    assert "within 0.2 s" in str(busy.value)
    assert lock.is_held(tmp_path / "acme.lock")
    locks.hold("globex", "mine")  # another company does not wait
    locks.release()


def test_the_kernel_frees_the_lock_of_a_killed_process_and_the_file_still_names_it(tmp_path, other):
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    path = tmp_path / "acme.lock"
    assert not lock.is_held(path)
    assert lock.holder(path).run_id == "the-other-run"
    locks = lock.Locks(tmp_path, patience=0.2)
    assert locks.hold("acme", "mine")
    assert lock.holder(path).run_id == "mine"
    locks.release()
    assert path.exists()  # removed, it would be another file for those who wait
    assert lock.holder(path) is None


def test_a_run_that_waits_goes_on_as_soon_as_the_other_ends(tmp_path):
    first, second = lock.Locks(tmp_path), lock.Locks(tmp_path, patience=30)
    first.hold("acme", "one")
    threading.Timer(0.2, first.release).start()
    assert second.hold("acme", "two")
    second.release()


def test_a_run_takes_its_own_lock_once_and_the_file_is_for_its_owner_only(tmp_path):
    locks = lock.Locks(tmp_path / "new")
    assert locks.hold("acme", "one")
    assert not locks.hold("acme", "one")
    assert (tmp_path / "new" / "acme.lock").stat().st_mode & 0o777 == 0o600
    locks.release()


def test_a_data_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(
        WarehouseError, match=r"acme\.lock cannot be written in .* Nothing was done"
    ):
        lock.Locks(tmp_path / "data").hold("acme", "one")


def test_c73_two_runs_at_once_never_interleave(office):
    """The second one, started while the first is in the middle of its reading, ends without having
    done anything.
    """
    office.faults.add(Fault("*/employees", "timeout", value=2))
    first = threading.Thread(target=lambda: results.append(office.job("dry_run")))
    results = []
    first.start()
    while (
        not (office.data / "acme.lock").exists() or lock.holder(office.data / "acme.lock") is None
    ):
        first.join(0.01)
        assert first.is_alive()
    second = office.job("dry_run")
    sentences = set(problems(second))
    first.join()
    assert problems(results[0]) == []
    assert len(sentences) == 1
    assert next(iter(sentences)).startswith(f"Company 'acme' is busy: run {results[0].run_id}")
    assert lock.holder(office.data / "acme.lock") is None


def test_two_companies_do_not_wait_for_each_other(make_office):
    acme, globex = make_office("acme"), make_office("globex")
    held = lock.Locks(acme.data)
    held.hold("acme", "long-run")
    assert problems(globex.materialise("deskbird/users")) == []
    assert problem(acme.materialise("deskbird/users")).startswith("Company 'acme' is busy")
    held.release()
    assert problems(acme.materialise("deskbird/users")) == []
