"""A night as a data team sees it: started, watched and read through Dagster's own webserver."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
import yaml

from hris_pipeline import cli
from hris_pipeline_tests.end_to_end import chromium
from hris_pipeline_tests.end_to_end.deployment import ROOT, deployed

LAUNCH = """mutation($p: ExecutionParams!) {
  launchPipelineExecution(executionParams: $p) {
    __typename ... on LaunchRunSuccess { run { runId } } } }"""
STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
ASSETS = """{ assetNodes { assetKey { path } groupName
  assetMaterializations(limit: 1) {
    metadataEntries { label ... on MarkdownMetadataEntry { mdStr } } }
  assetChecksOrError {
    ... on AssetChecks { checks { name executionForLatestMaterialization { status } } } } } }"""
SCHEDULES = """{ schedulesOrError(
  repositorySelector: {repositoryLocationName: "hris_pipeline", repositoryName: "__repository__"}) {
  ... on Schedules {
    results { name cronSchedule executionTimezone scheduleState { status } } } } }"""
TIMELINE = """query($filter: RunsFilter!) {
  runsOrError(filter: $filter, limit: 10) { ... on Runs { results {
  runId jobName status tags { key value }
  repositoryOrigin { repositoryName repositoryLocationName } } } } }"""
FEED = """query($filter: RunsFilter) {
  runsFeedOrError(limit: 10, view: RUNS, filter: $filter) { ... on RunsFeedConnection {
  results { id jobName tags { key value } } } } }"""
OF_JOB = """{ pipelineOrError(params: {
  repositoryLocationName: "hris_pipeline", repositoryName: "__repository__",
  pipelineName: "acme_dry_run"}) { ... on Pipeline { runs(limit: 5) { runId } } } }"""
STAGES = {"acme_hris", "acme_core", "acme_deskbird", "acme_plan"}


class Webserver:
    """Dagster's webserver, asked over GraphQL."""

    def __init__(self, url):
        self.url = url

    def ask(self, query, **variables):
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.load(answer)
        assert "errors" not in found, found["errors"]
        return found["data"]

    def run(self, job):
        """Launch a job as the launchpad does, and wait for its end."""
        selector = {
            "repositoryLocationName": "hris_pipeline",
            "repositoryName": "__repository__",
            "jobName": job,
        }
        parameters = {"selector": selector, "runConfigData": "{}", "mode": "default"}
        run_id = self.ask(LAUNCH, p=parameters)["launchPipelineExecution"]["run"]["runId"]
        deadline = time.monotonic() + 180
        while (status := self.ask(STATUS, id=run_id)["runOrError"]["status"]) not in {
            "SUCCESS",
            "FAILURE",
            "CANCELED",
        }:
            assert time.monotonic() < deadline
            time.sleep(0.3)
        return status


@contextlib.contextmanager
def webserver(home):
    """The real one, on the project's dagster.yaml; runs start at once: no daemon is needed."""
    instance = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    instance["run_coordinator"] = {
        "module": "dagster._core.run_coordinator",
        "class": "DefaultRunCoordinator",
    }
    for queued in ("run_queue", "concurrency"):
        instance.pop(queued)
    home.mkdir()
    (home / "dagster.yaml").write_text(yaml.safe_dump(instance))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "dagster_webserver",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    command += ["-w", str(ROOT / "workspace.yaml")]
    environment = {**os.environ, "DAGSTER_HOME": str(home)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            deadline = time.monotonic() + 120
            while True:
                with contextlib.suppress(urllib.error.URLError, ConnectionError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5)
                    break
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
            yield Webserver(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A company whose first night was run from the UI."""
    folder = tmp_path_factory.mktemp("ui")
    more = {"schedule": "30 4 * * *"}
    with deployed(folder, more=more, records_in_memory=False) as company:
        os.environ["HRIS_PIPELINE_NOW"] = "2026-03-02T04:30:00+01:00"
        try:
            with webserver(folder / "home") as server:
                assert server.run("acme_nightly") == "SUCCESS"
                yield company, server
        finally:
            del os.environ["HRIS_PIPELINE_NOW"]


def test_the_whole_night_runs_through_the_webserver_and_its_checks_are_green(seen):
    company, server = seen
    assert company.ask(
        "select count(*) from deskbird.applied_changes where outcome <> 'applied'"
    ) == [(0,)]
    assert (
        len(company.deskbird.desk.users())
        == company.ask("select count(*) from core.people where wanted")[0][0]
    )
    verdicts = {
        f"{'/'.join(node['assetKey']['path'])}: {check['name']}": (
            (check["executionForLatestMaterialization"] or {}).get("status")
        )
        for node in server.ask(ASSETS)["assetNodes"]
        for check in node["assetChecksOrError"].get("checks", ())
    }
    assert len(verdicts) >= 8
    assert set(verdicts.values()) == {"SUCCEEDED"}, verdicts


def test_the_plan_is_readable_on_changes(seen):
    _, server = seen
    nodes = {"/".join(node["assetKey"]["path"]): node for node in server.ask(ASSETS)["assetNodes"]}
    told = nodes["acme/deskbird/changes"]["assetMaterializations"][0]["metadataEntries"]
    (plan,) = [entry["mdStr"] for entry in told if entry["label"] == "plan"]
    assert "| user | create | 23 | 0 |" in plan


def test_the_schedule_is_on_in_the_company_s_time_zone(seen):
    _, server = seen
    (schedule,) = server.ask(SCHEDULES)["schedulesOrError"]["results"]
    assert schedule == {
        "name": "acme_nightly_schedule",
        "cronSchedule": "30 4 * * *",
        "executionTimezone": "Europe/Berlin",
        "scheduleState": {"status": "RUNNING"},
    }


def test_runs_of_the_command_line_stand_in_the_timeline_and_the_jobs_with_their_outcome(seen):
    company, server = seen
    nightly = server.ask(TIMELINE, filter={"pipelineName": "acme_nightly"})["runsOrError"][
        "results"
    ]
    company.tenant.change(1, last_name="Otherwise")
    assert cli.run(["sync", "acme", "--dry-run"]) == 2
    label = [{"key": ".dagster/repository", "value": "__repository__@hris_pipeline"}]
    (run,) = server.ask(TIMELINE, filter={"pipelineName": "acme_dry_run", "tags": label})[
        "runsOrError"
    ]["results"]
    # what the Timeline draws a run's row by, and what the page of the job filters by
    assert run["repositoryOrigin"] == nightly[0]["repositoryOrigin"]
    assert run["repositoryOrigin"] == {
        "repositoryName": "__repository__",
        "repositoryLocationName": "hris_pipeline",
    }
    assert server.ask(OF_JOB)["pipelineOrError"]["runs"] == [{"runId": run["runId"]}]
    outcomes = {"outcome": "pending", "held_back": "0", "failed": "0", "stale": "0"}
    assert {tag["key"]: tag["value"] for tag in run["tags"]}.items() >= outcomes.items()
    assert {tag["key"]: tag["value"] for tag in nightly[0]["tags"]}.items() >= {
        **outcomes,
        "outcome": "in_line",
    }.items()
    feed = server.ask(FEED, filter={"tags": [{"key": "outcome", "value": "pending"}]})[
        "runsFeedOrError"
    ]["results"]
    assert [one["id"] for one in feed] == [run["runId"]]


@pytest.mark.browser
def test_the_lineage_page_leads_from_personio_to_deskbird(seen):
    if chromium.executable() is None:
        pytest.skip("there is no Chromium here")
    _, server = seen
    with chromium.opened(f"{server.url}/asset-groups") as page:
        for stage in STAGES:
            page.wait_for(stage)
        page.press("e", alt=True)
        page.wait_for("manager_graph")
        page.wait_for("changes")
