"""The suite itself: which cases it covers, and what it may skip."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hris_pipeline_tests.conftest import may_skip

HERE = Path(__file__).resolve().parent
CASES = {*range(1, 6), *range(7, 51), *range(59, 83), *range(85, 120)}
# what needs no night: a count of nights, the upgrade of a file, the fields that are asked for
IN_THE_CORE = {65, 80, 85}
NIGHTS = ("end_to_end", "orchestration")  # the folders whose tests run whole nights over real HTTP


def covered(folder):
    """The cases that the names of the tests in a folder bear: ``test_c21_...``,
    ``test_c14_c31_...``.
    """
    names = (
        re.findall(r"def (test_c\d+\w*)", path.read_text()) for path in folder.rglob("test_*.py")
    )
    return {
        int(number)
        for found in names
        for name in found
        for number in re.findall(r"(?<=_c)(\d+)(?=_)", name)
    }


def test_every_case_that_the_pipeline_must_survive_has_a_test_of_its_name():
    assert CASES - covered(HERE) == set()


def test_every_case_is_also_seen_in_whole_nights():
    assert CASES - IN_THE_CORE - set.union(*(covered(HERE / folder) for folder in NIGHTS)) == set()


@pytest.mark.parametrize(
    ("marks", "ci", "specs", "allowed"),
    [
        ({"browser"}, False, True, True),
        ({"browser"}, True, True, False),
        ({"foreign_servers"}, False, True, True),
        ({"foreign_servers"}, True, True, False),
        ({"vendor_documents"}, False, True, True),
        ({"vendor_documents"}, True, True, False),
        ({"vendor_documents"}, True, False, True),
        (set(), False, False, False),
    ],
)
def test_only_three_kinds_of_test_may_be_skipped(marks, ci, specs, allowed):
    assert may_skip(marks, ci=ci, specs_are_there=specs) is allowed


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize(("mark", "exit_code"), [("@pytest.mark.browser", 0), ("", 1)])
def test_a_skip_without_leave_fails_the_session_and_one_with_leave_is_counted(
    tmp_path, workers, mark, exit_code
):
    (tmp_path / "conftest.py").write_text((HERE / "conftest.py").read_text())
    (tmp_path / "test_skips.py").write_text(
        f"import pytest\n\ndef test_runs():\n    pass\n\n{mark}\ndef test_skips():\n   "
        " pytest.skip('there is no Chromium')\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = browser\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-n",
        workers,
        str(tmp_path),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == exit_code, done.stdout
    assert "1 skipped" in done.stdout
    assert ("1 because: there is no Chromium" in done.stdout) is (exit_code == 0)
    assert ("MUST NOT BE SKIPPED: test_skips.py::test_skips" in done.stdout) is (exit_code == 1)
