"""For all tests: this folder is importable, so that those of the core share ``plan/world.py``; the
command line; the skips.

A test that is marked ``browser``, ``foreign_servers`` or ``vendor_documents`` may be skipped, and
is counted and printed with its reason at the end. Any other skip fails the session. In the
continuous integration (``CI=true``) only missing documents may make a test skip.
"""

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from hris_pipeline import cli

ROOT = Path(__file__).resolve().parents[1]
SPECS = ROOT.parent / "shared" / "specs"

sys.path.append(str(Path(__file__).parent))


@pytest.fixture
def run(capsys):
    """Run a command: exit code, standard output, standard error."""

    def command(*arguments):
        code = cli.run(list(arguments))
        return (code, *capsys.readouterr())

    return command


def pytest_runtest_setup(item):
    """Skip what reads the vendors' documents, which are no part of the project, if they lack."""
    if item.get_closest_marker("vendor_documents") and not SPECS.is_dir():
        pytest.skip("the vendors' documents are not beside the checkout (../shared/specs)")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One worker more than there are cores with ``-n auto``: each waits now and then for the disk
    or another process.
    """
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else (os.cpu_count() or 1) + 1


def may_skip(marks, *, ci, specs_are_there):
    """Whether a test with these marks may be skipped."""
    if "vendor_documents" in marks:
        return not (ci and specs_are_there)
    return not ci and ("browser" in marks or "foreign_servers" in marks)


def _skipped(config):
    """(what, why, whether it may) of each skipped test."""
    reports = config.pluginmanager.get_plugin("terminalreporter").stats.get("skipped", [])
    ci = os.environ.get("CI", "").lower() == "true"
    for report in reports:
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        marks = getattr(report, "keywords", {})
        yield (
            report.nodeid,
            why.removeprefix("Skipped: "),
            may_skip(marks, ci=ci, specs_are_there=SPECS.is_dir()),
        )


def pytest_sessionfinish(session):
    """Fail a session that skipped what it must not; xdist's workers leave that to their
    controller.
    """
    if (
        hasattr(session.config, "workerinput")
        or session.config.pluginmanager.get_plugin("terminalreporter") is None
    ):
        return
    if session.exitstatus == pytest.ExitCode.OK and not all(
        allowed for _, _, allowed in _skipped(session.config)
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    """Count and name what was skipped."""
    found = list(_skipped(config))
    if not found:
        return
    terminalreporter.section(f"{len(found)} skipped")
    for why, number in sorted(Counter(why for _, why, allowed in found if allowed).items()):
        terminalreporter.line(f"{number} because: {why}")
    for what, why, allowed in found:
        if not allowed:
            terminalreporter.line(f"MUST NOT BE SKIPPED: {what} ({why})", red=True)
