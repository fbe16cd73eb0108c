"""The demo and the UI from their commands, as a person starts them, on free ports and in folders of
their own.
"""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from hris_pipeline import cli, settings
from hris_pipeline.operations import companies
from hris_pipeline.sandbox import clock as demo_clock
from hris_pipeline.sandbox.demo import sandbox

ROOT = Path(__file__).resolve().parents[2]


def free_ports(number):
    """Ports that nobody uses right now."""
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def demo(tmp_path, monkeypatch):
    """The company file of the demo, on free ports; v1 takes two requests where v2 takes one for
    each person.
    """
    personio, deskbird = free_ports(2)
    text = (ROOT / "companies" / "demo.yaml").read_text()
    text = (
        text.replace("8171", str(personio))
        .replace("8172", str(deskbird))
        .replace("api: v2", "api: v1")
    )
    (tmp_path / "companies").mkdir()
    (tmp_path / "companies" / "demo.yaml").write_text(text)
    monkeypatch.setenv(settings.COMPANIES_VARIABLE, str(tmp_path / "companies"))
    monkeypatch.setenv(settings.DATA_VARIABLE, str(tmp_path / "data"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.delenv("HRIS_PIPELINE_NOW", raising=False)
    return tmp_path


def play():
    return subprocess.run(
        [sys.executable, "-m", "hris_pipeline.sandbox.demo"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def without_ids(text):
    """Lines without the ids of plans, which differ between the two generations of Personio."""
    return [re.sub(r"\b[0-9a-f]{16}\b", "ID", line.rstrip()) for line in text.splitlines()]


def asked(url, query):
    request = urllib.request.Request(
        f"{url}/graphql",
        json.dumps({"query": query}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["data"]


def test_the_demo_tells_three_nights_and_leaves_them_for_the_ui(demo, capsys):
    (demo / "data").mkdir()
    (demo / "data" / "other.duckdb").write_text("somebody else's")
    # no DuckDB file: starting over removes it
    (demo / "data" / "demo.duckdb").write_text("left over")
    done = play()
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr[-2000:]
    told = done.stdout
    for sentence in (
        "Night 1, Monday 2 March 2026: the first import",
        "Link 2 users",
        "Night 2, Tuesday 3 March 2026: an ordinary night",
        "Deactivate 3 users",
        "name People -> People & Culture",
        "The same night once more: no change planned, no write made.",
        "Night 3, Wednesday 4 March 2026: a night when HR broke something",
        "Deactivate 40 users  held back by guard deactivate_user",
        "40 held back, 10 carried out.",
        "hris-pipeline approve demo",
        "make ui",
    ):
        assert sentence in told
    assert len(told.splitlines()) < 140
    (sample,) = re.findall(
        r"```text\n(demo  plan.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    printed = iter(without_ids(told))
    missing = [
        line for line in without_ids(sample) if line and line != "..." and line not in printed
    ]
    assert missing == []  # each line of the README's sample, in its order
    assert (demo / "data" / "other.duckdb").exists()
    assert stat.S_IMODE((demo / "data" / "demo.duckdb").stat().st_mode) == 0o600

    as_of = ("--as-of", "2026-03-04T05:00:00+01:00")
    assert cli.run(["plan", "demo", *as_of]) == 3
    assert cli.run(["plan", "demo"]) == 3  # the demo's own clock, which the UI has too
    assert demo_clock.kept() == "2026-03-04T04:30:00+01:00"
    assert "HRIS_PIPELINE_NOW" not in os.environ
    assert cli.run(["status", "demo", *as_of, "--format", "json"]) == 3
    screen = json.loads(
        capsys.readouterr().out.partition('{\n  "version"')[2].join(['{\n  "version"', ""])
    )
    assert screen["last_run"]["outcome"] == "success"
    assert screen["plan"]["blocking"] == {"deactivate_user": 40}

    release = re.search(r"hris-pipeline (approve demo \w+ --as-of \S+)", told)
    assert release is not None
    assert cli.run(release[1].split()) == 0
    with sandbox(demo / "data", companies.load("demo"), day=3, fresh=False) as stands:
        before = len(stands.deskbird.writes())
        assert cli.run(["sync", "demo", *as_of]) == 0
        assert [request.method for request in stands.deskbird.writes()[before:]] == ["PATCH"] * 40


def test_the_ui_starts_everything_on_loopback_and_ctrl_c_stops_everything(demo):
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "hris_pipeline.sandbox.ui", "--port", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as ui:
        try:
            jobs = None
            deadline = time.monotonic() + 180
            while jobs is None and ui.poll() is None and time.monotonic() < deadline:
                try:
                    jobs = asked(
                        f"http://127.0.0.1:{port}",
                        "{ repositoriesOrError { ... on RepositoryConnection { nodes { jobs { name "
                        "} schedules { name scheduleState { status } } } } } }",
                    )
                except OSError:
                    time.sleep(0.3)
        finally:
            ui.send_signal(signal.SIGINT)
            told = ui.communicate(timeout=60)[0]
    assert jobs, told[-2000:]
    assert {"name": "demo_nightly"} in jobs["repositoriesOrError"]["nodes"][0]["jobs"]
    assert jobs["repositoriesOrError"]["nodes"][0]["schedules"] == [
        {"name": "demo_nightly_schedule", "scheduleState": {"status": "STOPPED"}}
    ]
    assert not re.search("DEBUG|Traceback", told)
    assert "`make demo` first" in told
    assert ui.returncode == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_port_that_is_taken_is_one_sentence_and_nothing_is_removed(demo):
    (demo / "data").mkdir()
    kept = demo / "data" / "demo.duckdb"
    kept.write_text("kept")
    port = companies.load("demo").deskbird.scim_url.split(":")[2].split("/")[0]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(port)))
        taken.listen()
        done = play()
    assert done.returncode == 1
    assert f"127.0.0.1:{port} (Address already in use)" in done.stderr
    assert "Traceback" not in done.stderr
    assert kept.read_text() == "kept"
