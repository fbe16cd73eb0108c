"""The graph that people see, held against a text file: no change to lineage, checks, jobs or cron
lines slips in unseen.
"""

import os
import re
from graphlib import TopologicalSorter
from pathlib import Path

import dagster as dg
import pytest

from hris_pipeline import settings
from hris_pipeline.contracts.tables import CORE, DESKBIRD, EMPLOYEES, ORG_UNITS, PEOPLE
from hris_pipeline.definitions import build_defs
from hris_pipeline.operations.companies import load
from hris_pipeline.orchestration.tables import code_version

SNAPSHOT = Path(__file__).with_name("asset_graph.txt")
FILE = """
timezone: Europe/Berlin
schedule: {schedule}
hris:
{accounts}
deskbird: {{scim_token: "${{SCIM_TOKEN}}"}}
"""
ACCOUNT = (
    '  {name}: {{system: personio, client_id: x, client_secret: "${{SECRET}}", options: {{api: '
    "v2}}}}"
)


@pytest.fixture
def companies(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "companies"
    folder.mkdir()
    monkeypatch.setenv(settings.COMPANIES_VARIABLE, str(folder))
    monkeypatch.setenv(settings.DATA_VARIABLE, str(tmp_path / "data"))
    return folder


def write(
    folder: Path, name: str, schedule: str = "null", connections: tuple[str, ...] = ("personio",)
) -> None:
    accounts = "\n".join(ACCOUNT.format(name=connection) for connection in connections)
    (folder / f"{name}.yaml").write_text(FILE.format(schedule=schedule, accounts=accounts))


def described(defs: dg.Definitions) -> str:
    """Everything that matters about a graph, as text."""
    graph, lines = defs.resolve_asset_graph(), []
    for key in sorted(graph.get_all_asset_keys(), key=str):
        node = graph.get(key)
        lines.append(
            f"asset {key.to_user_string()}  [{node.group_name}]  {', '.join(sorted(node.kinds))}"
        )
        lines += [f"    from {dep.to_user_string()}" for dep in sorted(node.parent_keys, key=str)]
        lines += [f"    check {check.name}" for check in sorted(node.check_keys, key=str)]
    repository = defs.get_repository_def()
    for job in sorted(repository.get_all_jobs(), key=lambda job: job.name):
        if job.name.startswith("__"):
            continue
        lines.append(f"job {job.name}  {dict(job.run_tags)}")
        lines += [
            f"    {key.to_user_string()}"
            for key in sorted(job.asset_layer.executable_asset_keys, key=str)
        ]
        for op in job.nodes:
            waits = not job.name.endswith("_decision")  # a decision waits for no run
            assert op.definition.pool == (job.run_tags["hris_pipeline/company"] if waits else None)
            assert op.definition.retry_policy is None
    for schedule in sorted(repository.schedule_defs, key=lambda schedule: schedule.name):
        lines.append(
            f"schedule {schedule.name}  {schedule.cron_schedule} {schedule.execution_timezone} "
            f" {schedule.default_status.value}"
        )
    for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name):
        lines.append(
            f"sensor {sensor.name}  every {sensor.minimum_interval_seconds} s "
            f" {sensor.default_status.value}"
        )
    return "\n".join(lines) + "\n"


OPTIONS = {
    "plain": "",
    "photos": "sync: {photos: true}\n",
    "photos, no managers": "sync: {photos: true, managers: false}\n",
    "no groups": "sync: {groups: []}\n",
}


@pytest.mark.parametrize("more", OPTIONS.values(), ids=OPTIONS)
def test_no_group_of_assets_depends_on_itself_by_way_of_others(companies, more):
    """The lineage page opens with groups: a cycle among them is drawn as a knot."""
    write(companies, "acme", connections=("personio", "subsidiary"))
    with (companies / "acme.yaml").open("a") as file:
        file.write(more)
    graph = build_defs().resolve_asset_graph()
    needs: dict[str, set[str]] = {}
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        own = needs.setdefault(node.group_name, set())
        own.update(
            {graph.get(parent).group_name for parent in node.parent_keys} - {node.group_name}
        )
    assert ("acme_photos" in needs) is ("photos" in more)
    # a CycleError where there is one
    assert list(TopologicalSorter(needs).static_order())[-1] == "acme_plan"


def test_no_description_loses_words_when_it_is_shown_as_markdown(companies):
    """The UI reads descriptions as Markdown: `<company>` would be a tag that shows nothing, and two
    underscores emphasis.
    """
    write(companies, "acme", '"30 4 * * *"', ("personio", "subsidiary"))
    with (companies / "acme.yaml").open("a") as file:
        file.write('sync: {photos: true}\nchanges_schedule: "0 * * * *"\n')
    defs = build_defs()
    graph, repository = defs.resolve_asset_graph(), defs.get_repository_def()
    texts = []
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        texts.append(node.description)
        columns = node.metadata.get("dagster/column_schema")
        texts += [column.description for column in columns.columns] if columns else []
    for assets in repository.assets_defs_by_key.values():
        texts += (
            [check.description for check in assets.check_specs] + [assets.op.description]
            if assets.is_executable
            else []
        )
    named = [*repository.get_all_jobs(), *repository.schedule_defs, *repository.sensor_defs]
    texts += [thing.description for thing in named if not thing.name.startswith("__")]
    assert len(texts) > 60
    for text in texts:
        assert text
        plain = re.sub(r"`[^`]*`", "", text)
        assert not re.search(r"<[A-Za-z/!]", plain), text
        assert not re.search(r"(?<!\w)([_*]{1,2})\w.*?\1(?!\w)", plain), text
        assert not re.search(r"&\w+;|^\s*[#>]|\]\(|~~", plain), text


def test_the_graph_is_as_the_text_file_says(companies):
    write(companies, "acme", '"30 4 * * *"', ("personio", "subsidiary"))
    write(companies, "globex")
    defs = build_defs()
    dg.Definitions.validate_loadable(defs)
    now = described(defs)
    if os.environ.get("REWRITE_SNAPSHOTS"):
        SNAPSHOT.write_text(now, encoding="utf-8")
    assert now == SNAPSHOT.read_text(encoding="utf-8"), (
        "run once with REWRITE_SNAPSHOTS=1 and read what changed"
    )


def test_each_table_shows_its_columns_their_meaning_and_what_is_personal(companies):
    write(companies, "acme")
    node = build_defs().resolve_asset_graph().get(dg.AssetKey(["acme", "core", "people"]))
    columns = {column.name: column for column in node.metadata["dagster/column_schema"].columns}
    assert set(columns) == set(PEOPLE.names)
    assert columns["email"].tags == {"pii": ""}
    assert columns["status"].tags == {}
    assert columns["person_id"].constraints.unique
    assert not columns["person_id"].constraints.nullable
    assert any("email_is_valid" in rule for rule in columns["email"].constraints.other)
    assert all(column.description for column in columns.values())
    assert node.tags["pii"] == "true"
    assert list(node.owners) == ["team:people-data"]


def test_column_lineage_names_columns_that_exist():
    tables = {
        f"{table.schema}.{table.name}": table for table in (EMPLOYEES, ORG_UNITS, *CORE, *DESKBIRD)
    }
    named = 0
    for table in tables.values():
        for column in table.columns:
            for source in column.comes_from:
                schema, name, attribute = source.split(".")
                assert attribute in tables[f"{schema}.{name}"].names, source
                named += 1
    assert named > 50


def test_a_code_version_follows_the_company_file_and_the_code(companies):
    write(companies, "acme")
    before = load("acme")
    (companies / "acme.yaml").write_text(
        (companies / "acme.yaml").read_text() + "sync: {prehire_days: 3}\n"
    )
    after = load("acme")
    assert code_version(before, "people") == code_version(before, "people")
    assert code_version(before, "people") != code_version(after, "people")
    assert code_version(before, "people") != code_version(before, "people", "groups")


def test_a_broken_company_file_shows_its_mistake_and_leaves_the_others_working(companies, caplog):
    write(companies, "acme")
    write(companies, "globex")
    with (companies / "globex.yaml").open("a") as file:
        file.write("sync: {prehire_days: many}\n")
    (companies / "Bad Name!.yaml").write_text("")
    defs = build_defs()
    dg.Definitions.validate_loadable(defs)
    graph = defs.resolve_asset_graph()
    shown = graph.get(dg.AssetKey(["globex", "company_file"]))
    assert "sync.prehire_days must be a whole number" in shown.description
    assert shown.group_name == "broken_company_files"
    assert "globex" in caplog.text
    assert defs.resolve_job_def("acme_nightly")
    assert {
        job.name for job in defs.get_repository_def().get_all_jobs() if "globex" in job.name
    } == set()
    assert (
        "is not a company name" in graph.get(dg.AssetKey(["Bad_Name_", "company_file"])).description
    )


def test_an_asset_that_returned_people_would_not_be_pickled(companies, tmp_path):
    @dg.asset
    def people():
        return ["Ada"]

    with dg.DagsterInstance.ephemeral() as instance:
        io_manager = build_defs([]).get_repository_def().get_top_level_resources()["io_manager"]
        result = dg.materialize(
            [people], resources={"io_manager": io_manager}, instance=instance, raise_on_error=False
        )
    assert not result.success
    assert "would be pickled to disk" in str(
        [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    )
