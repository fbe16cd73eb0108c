"""A package of others adds an HR system by an entry point; what it does wrong is told and stops
nobody else.
"""

import configparser
import json
import subprocess
import sys
import tomllib

import pyarrow as pa
import pytest
import yaml

from hris_pipeline.definitions import build_defs
from hris_pipeline.errors import PipelineError, SettingsError
from hris_pipeline.hris.registry import GROUP, OURS, SYSTEMS, connect
from hris_pipeline.operations import companies
from hris_pipeline.sandbox.server import serve
from hris_pipeline.settings import COMPANIES_VARIABLE
from hris_pipeline_tests.conftest import ROOT

PACKAGES = ROOT / "hris_pipeline_tests" / "hris" / "systems_of_others"
PAGE = (ROOT / "docs" / "systems-of-others.md").read_text(encoding="utf-8")
PEOPLE = [
    {
        "id": "1",
        "email": "ada@acme.test",
        "first_name": "Ada",
        "last_name": "One",
        "state": "Employed",
    },
    {
        "id": "2",
        "email": "bob@acme.test",
        "first_name": "Bob",
        "last_name": "Two",
        "state": "On leave",
    },
    {
        "id": "3",
        "email": None,
        "first_name": "Cy",
        "last_name": "Three",
        "state": "Left",
        "team": None,
    },
]
TEAM = {"id": "t1", "name": "Paper"}
EVERYTHING = {"first_day": "2024-01-01", "last_day": None, "manager": "1", "team": TEAM}
ANSWERS = [{**EVERYTHING, **person} for person in PEOPLE]
PAPER = {"system": "paper", "api_key": "${PAPER_KEY}", "options": {"page_size": 2}}
BAMBOO = {"system": "bamboohr", "base_url": "https://acme.bamboohr.com", "api_key": "${KEY}"}


@pytest.fixture
def installed(monkeypatch):
    """Makes the folders known as if packages were installed in them; each test finds the registry
    as new.
    """
    modules = set()

    def install(*folders):
        modules.update(module.stem for folder in folders for module in folder.glob("*.py"))
        _forget(modules)
        for folder in folders:
            monkeypatch.syspath_prepend(folder)

    yield install
    monkeypatch.undo()
    _forget(modules)


def _forget(modules):
    vars(SYSTEMS).pop("_declared", None)
    for name in set(SYSTEMS._loaded) - set(OURS):
        del SYSTEMS[name]
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Writes company files, by name."""
    monkeypatch.setenv(COMPANIES_VARIABLE, str(tmp_path))

    def write(**accounts):
        for name, account in accounts.items():
            file = {"deskbird": {"scim_token": "${SCIM}"}, "hris": {"hr": account}}
            (tmp_path / f"{name}.yaml").write_text(json.dumps(file))

    return write


def package(folder, name, *points, text=""):
    """A folder in which a package is installed, with these entry points and one module."""
    about = folder / f"{name}-2.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n")
    (about / "entry_points.txt").write_text(
        f"[{GROUP}]\n" + "".join(f"{point}\n" for point in points)
    )
    (folder / f"{name.replace('-', '_')}.py").write_text(text)
    return folder


async def paper(scope, receive, send):
    """Paper HR, in pages, for whoever has the key."""
    query = dict(pair.split("=") for pair in scope["query_string"].decode().split("&"))
    number, size = int(query["page"]), int(query["size"])
    known = dict(scope["headers"]).get(b"x-api-key") == b"k3y"
    answer = {"total": len(ANSWERS), "people": ANSWERS[(number - 1) * size : number * size]}
    await send({"type": "http.response.start", "status": 200 if known else 401, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(answer if known else {}).encode()})


def rows(extract):
    with pa.OSFile(str(extract.path), "rb") as file, pa.ipc.open_stream(file) as reader:
        return reader.read_all().to_pylist()


# --- the example ----------------------------------------------------------------------------------


def test_a_system_of_others_is_listed_after_ours_and_loaded_only_when_it_is_asked_for(
    installed, files
):
    installed(PACKAGES)
    assert list(SYSTEMS) == [*OURS, "paper"]
    assert "paper" in SYSTEMS
    files(acme=BAMBOO, globex=PAPER)
    companies.load("acme")
    assert "paper_hr" not in sys.modules
    companies.load("globex")
    assert "paper_hr" in sys.modules


def test_its_accounts_are_checked_as_those_of_ours(installed, files):
    installed(PACKAGES)
    files(acme={**PAPER, "api_key": "s3cret", "options": {"page_size": 0, "pages": 1}})
    with pytest.raises(SettingsError) as problem:
        companies.load("acme")
    places = [line.partition(": ")[2].split()[0] for line in str(problem.value).splitlines()]
    assert sorted(places) == [
        "hris.hr.api_key",
        "hris.hr.options.page_size",
        "hris.hr.options.pages",
    ]
    assert "s3cret" not in str(problem.value)


def test_its_people_and_teams_are_read_and_proven(installed, files, tmp_path):
    installed(PACKAGES)
    with serve(paper) as server:
        files(acme={**PAPER, "base_url": server.url})
        company = companies.resolve(companies.load("acme"), {"PAPER_KEY": "k3y", "SCIM": "s"})
        connection = connect("hr", company.hris["hr"], company.kinds_read)
        people, units = connection.read(tmp_path, lambda *_: None)
        assert [probe.problem for probe in connection.probes()] == [None]
    assert (people.proof, people.records, people.pages) == ("proven", 3, 2)
    assert [row["email"] for row in rows(people)] == ["ada@acme.test", "bob@acme.test", None]
    assert [len(row["groups"]) for row in rows(people)] == [1, 1, 0]
    assert [(row["kind"], row["id"], row["name"]) for row in rows(units)] == [
        ("team", "t1", "Paper")
    ]


def test_a_refused_key_is_told_in_its_own_words(installed, files):
    installed(PACKAGES)
    with serve(paper) as server:
        files(acme={**PAPER, "base_url": server.url})
        company = companies.resolve(companies.load("acme"), {"PAPER_KEY": "wrong", "SCIM": "s"})
        (probe,) = connect("hr", company.hris["hr"], company.kinds_read).probes()
    assert (
        probe.problem
        == "Paper HR connection 'hr' refused the credential at /people (page 1) (HTTP 401)."
    )
    assert "Settings > API in Paper HR" in probe.remedy


def test_the_command_line_knows_it(installed, run):
    installed(PACKAGES)
    code, out, _ = run("systems", "paper")
    assert code == 0
    assert "proven by the total that comes with each page" in out
    assert "page_size" in out


def test_the_command_line_knows_it_in_a_process_of_its_own():
    script = (
        "import sys; from hris_pipeline.cli import main; sys.argv[1:] = ['systems', 'paper']; "
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": f"{ROOT}:{PACKAGES}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Paper HR" in done.stdout


def test_only_the_systems_of_the_company_file_are_loaded(files):
    files(acme=BAMBOO)
    script = (
        "import sys; from hris_pipeline.operations.companies import load; "
        "load('acme')\nprint(*sorted({name.split('.')[3] for name in sys.modules if "
        "name.startswith('hris_pipeline.hris.systems.')}))"
    )
    folder = companies.settings.companies_folder()
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(ROOT), COMPANIES_VARIABLE: str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["bamboohr"]


# --- what others may do wrong ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import no_such_module", "It cannot be imported (ModuleNotFoundError)."),
        ("raise RuntimeError('ada@acme.test')", "It cannot be imported (RuntimeError)."),
        ("", "It cannot be imported (AttributeError)."),
        ("SYSTEM = 'ada@acme.test'", "It is no System of the name odd."),
        (
            "from hris_pipeline.hris.systems.bamboohr import SYSTEM",
            "It is no System of the name odd.",
        ),
    ],
)
def test_a_system_that_cannot_be_used_is_a_mistake_of_the_company_files_that_name_it(
    installed, files, tmp_path, text, told
):
    installed(package(tmp_path / "site", "odd-hr", "odd = odd_hr:SYSTEM", text=text))
    files(acme=BAMBOO, globex={"system": "odd", "api_key": "${KEY}"})
    with pytest.raises(SettingsError) as problem:
        companies.load("globex")
    (line,) = str(problem.value).splitlines()
    package_said = "odd-hr 2.0 (odd_hr:SYSTEM) declares the HR system odd."
    assert line.endswith(
        f"globex.yaml: hris.hr.system cannot be used. {package_said} {told} Update or uninstall it."
    )
    keys = {tuple(key.path) for key in build_defs().resolve_all_asset_keys()}
    assert ("acme", "core", "people") in keys
    assert ("globex", "company_file") in keys


def test_two_packages_that_claim_one_name_are_both_named(installed, tmp_path):
    one, other = (
        package(tmp_path / name, name, f"odd = {name}:SYSTEM") for name in ("one", "other")
    )
    installed(one, other)
    with pytest.raises(PipelineError) as problem:
        SYSTEMS["odd"]
    assert "one 2.0 (one:SYSTEM)" in str(problem.value)
    assert "other 2.0 (other:SYSTEM)" in str(problem.value)
    assert SYSTEMS["personio"].name == "personio"


def test_no_package_takes_the_place_of_a_system_of_ours_in_silence(installed, tmp_path):
    installed(package(tmp_path / "site", "my-bamboo", "bamboohr = my_bamboo:SYSTEM"))
    SYSTEMS._loaded.pop("bamboohr", None)
    with pytest.raises(
        PipelineError,
        match=r"hris-pipeline \(hris_pipeline.hris.systems.bamboohr:SYSTEM\) and my-bamboo 2.0",
    ):
        SYSTEMS["bamboohr"]


# --- the page -------------------------------------------------------------------------------------


def block(language):
    return PAGE.partition(f"```{language}\n")[2].partition("```")[0]


def test_the_page_declares_the_entry_point_that_the_example_has():
    declared = configparser.ConfigParser()
    declared.read(PACKAGES / "paper_hr-1.0.dist-info" / "entry_points.txt")
    said = tomllib.loads(block("toml"))["project"]
    assert said["entry-points"] == {
        section: dict(declared[section]) for section in declared.sections()
    }
    assert said["name"] == "paper-hr"


def test_the_company_file_of_the_page_is_sound(installed, monkeypatch, tmp_path):
    installed(PACKAGES)
    monkeypatch.setenv(COMPANIES_VARIABLE, str(tmp_path))
    (tmp_path / "acme.yaml").write_text(block("yaml"))
    assert yaml.safe_load(block("yaml"))["hris"]["hr"]["system"] == "paper"
    assert companies.load("acme").hris["hr"].options.page_size == 50


def test_every_file_that_the_page_names_is_there():
    links = [part.partition(")")[0] for part in PAGE.split("](../")[1:]]
    assert len(links) > 3
    assert [link for link in links if not (ROOT / link).exists()] == []
