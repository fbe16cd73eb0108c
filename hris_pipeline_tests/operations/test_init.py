"""`hris-pipeline init`: a company file from a few answers, for any system of the registry, without
a single secret.
"""

from dataclasses import replace

import pytest
from pydantic import Field
from typer.testing import CliRunner

from hris_pipeline import settings
from hris_pipeline.cli.app import app
from hris_pipeline.hris.registry import SYSTEMS
from hris_pipeline.operations import companies


class Columns(settings.Settings):
    id: str = Field(description="column with the person's id")
    status: str | None = Field(default=None, description="column with the status")


class PaperOptions(settings.Settings):
    shelf: int = Field(description="number of the shelf")
    columns: Columns = Field(description="the columns")
    language: str = Field(default="en", description="of the labels")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Folders of our own, and no variable that a question would suggest."""
    monkeypatch.setenv(settings.COMPANIES_VARIABLE, str(tmp_path / "companies"))
    monkeypatch.setenv(settings.DATA_VARIABLE, str(tmp_path / "data"))
    for name in ("PERSONIO_CLIENT_ID", "PERSONIO_CLIENT_SECRET", "DESKBIRD_SCIM_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "companies"


@pytest.fixture
def paper(monkeypatch):
    """A system that is nothing like Personio: an address, a credential and options of its own,
    kinds of its own.
    """
    system = replace(
        SYSTEMS["personio"],
        name="paper",
        title="Paper",
        credentials=("library_card",),
        options=PaperOptions,
        default_base_url="https://{library}.paper.example",
        group_kinds=("bookcase",),
        variants=(),
    )
    monkeypatch.setitem(SYSTEMS, "paper", system)
    return system


def test_with_defaults_it_writes_a_file_that_doctor_finds_valid_and_says_what_to_do_next(home, run):
    code, out, err = run("init", "acme", "--yes")
    assert (code, err) == (0, "")
    assert (
        "PERSONIO_CLIENT_ID, PERSONIO_CLIENT_SECRET, DESKBIRD_SCIM_TOKEN in the environment" in out
    )
    assert "hris-pipeline doctor acme" in out
    assert "hris-pipeline sync acme --dry-run" in out
    company = companies.load("acme")
    assert (company.timezone, company.schedule) == ("Europe/Berlin", "30 4 * * *")
    assert (company.sync.groups, company.sync.managers) == (
        ("team", "department", "cost_center"),
        True,
    )
    _, out, _ = run("doctor", "acme", "--offline")
    assert "acme.yaml is valid" in out


def test_once_the_variables_are_set_doctors_offline_part_has_nothing_missing(
    home, run, monkeypatch
):
    run("init", "acme", "--yes", "--alerts", "ALERT_URL")
    for name in ("PERSONIO_CLIENT_ID", "PERSONIO_CLIENT_SECRET", "DESKBIRD_SCIM_TOKEN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("ALERT_URL", "json://localhost")
    code, out, _ = run("doctor", "acme", "--offline")
    assert code == 0, out
    assert " 0 missing" in out


def test_every_answer_lands_in_the_file(home, run):
    code, _, err = run(
        *(
            "init",
            "acme",
            "--yes",
            "--system",
            "personio_v1",
            "--connection",
            "hr",
            "--base-url",
            "https://hr.acme.example",
        ),
        *(
            "--variable",
            "client_id=PID",
            "--variable",
            "scim_token=DESK",
            "--option",
            "requests_per_second=3",
        ),
        *(
            "--timezone",
            "Europe/Madrid",
            "--scope",
            "Acme.com, @acme.de",
            "--groups",
            "team, location",
            "--managers",
            "no",
        ),
        *(
            "--night",
            "3:05",
            "--alerts",
            "ALERT_URL",
            "--scim-url",
            "https://scim.acme.example/v2",
        ),
    )
    assert (code, err) == (0, "")
    company = companies.load("acme")
    account = company.hris["hr"]
    assert {key: secret.get_secret_value() for key, secret in account.credentials.items()} == {
        "client_id": "${PID}",
        "client_secret": "${HR_CLIENT_SECRET}",
    }
    assert (account.base_url, account.options.api, account.options.requests_per_second) == (
        "https://hr.acme.example",
        "v1",
        3,
    )
    assert (company.timezone, company.schedule) == ("Europe/Madrid", "5 3 * * *")
    assert company.sync.scope.include == ({"email_domain": ["acme.com", "acme.de"]},)
    assert (company.sync.groups, company.sync.managers) == (("team", "location"), False)
    assert company.deskbird.scim_token.get_secret_value() == "${DESK}"
    assert company.deskbird.scim_url == "https://scim.acme.example/v2"
    assert [secret.get_secret_value() for secret in company.alerts] == ["${ALERT_URL}"]


def test_no_schedule_no_groups_and_no_alerts_can_be_wanted(home, run):
    assert run("init", "acme", "--yes", "--night", "none", "--groups", "none")[0] == 0
    company = companies.load("acme")
    assert (company.schedule, company.sync.groups, company.alerts) == (None, (), ())


def test_it_refuses_to_overwrite_before_it_asks_anything(home, run):
    home.mkdir()
    (home / "acme.yaml").write_text("mine")
    code, out, err = run("init", "acme")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "is there already and was left as it is" in err
    assert (home / "acme.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("init", "Acme", "--yes"), "is not a company name"),
        (
            ("init", "acme", "--yes", "--system", "peoplesoft"),
            "There is no HR system 'peoplesoft' here",
        ),
        (
            ("init", "acme", "--yes", "--system", "ADP"),
            "'ADP' may be ADP Decidium or ADP Workforce Now: which of them?",
        ),
        (("init", "acme", "--yes", "--connection", "core"), "cannot be a connection name"),
        (("init", "acme", "--yes", "--timezone", "Berlin"), "timezone must be a time zone"),
        (("init", "acme", "--yes", "--night", "25:00"), "the hour must lie between 0 and 23"),
        (("init", "acme", "--yes", "--groups", "teams"), "Did you mean team?"),
        (("init", "acme", "--yes", "--scope", "Berlin"), "looks like acme.com"),
        (("init", "acme", "--yes", "--managers", "perhaps"), "Answer yes or no."),
        (("init", "acme", "--yes", "--option", "apis=v1"), "apis is not a known key"),
        (("init", "acme", "--yes", "--base-url", "api.example.com"), "must be a whole URL"),
    ],
)
def test_a_wrong_answer_is_one_sentence_and_nothing_is_written(home, run, arguments, said):
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert said in err
    assert "Nothing was written." in err
    assert not home.exists()


def test_c82_a_secret_in_place_of_a_variables_name_is_refused_and_not_repeated(home, run):
    for given in (
        ("--variable", "client_secret=s3cr3t-value"),
        ("--alerts", "https://hooks.example/s3cr3t"),
    ):
        code, out, err = run("init", "acme", "--yes", *given)
        assert code == 1
        assert "is no variable's name" in err
        assert "s3cr3t" not in out + err


def test_the_questions_are_asked_in_turn_and_a_wrong_answer_is_asked_again(home):
    answers = [
        "",
        "Hr",
        "hr",
        "s3cr3t-value",
        "PID",
        "",
        "",
        "Berlin",
        "Europe/Paris",
        "acme.com",
        "team",
        "no",
        "03:15",
        "none",
    ]
    done = CliRunner().invoke(app, ["init", "acme"], input="\n".join(answers) + "\n")
    assert done.exit_code == 0, done.output
    assert "is not a connection name" in done.output
    assert "Never write the secret itself" in done.output
    assert "timezone must be a time zone" in done.output
    company = companies.load("acme")
    assert company.hris["hr"].credentials["client_id"].get_secret_value() == "${PID}"
    assert (company.timezone, company.schedule, company.sync.groups) == (
        "Europe/Paris",
        "15 3 * * *",
        ("team",),
    )
    assert company.sync.managers is False


def test_who_stops_in_the_middle_has_no_file(home, monkeypatch):
    done = CliRunner().invoke(app, ["init", "acme"], input="personio\n")
    assert done.exit_code == 1
    assert not home.exists()


def test_another_system_is_asked_for_its_own_address_credentials_and_required_options(home, paper):
    account = ["paper", "", "paper.example", "https://acme.paper.example", "", ""]
    # what is wrong is asked again
    answers = [*account, "twelve", "12", "Person ID", "12", *[""] * 6]
    done = CliRunner().invoke(app, ["init", "acme"], input="\n".join(answers) + "\n")
    assert done.exit_code == 0, done.output
    assert (
        "Which environment variable will hold Paper's library_card? [PAPER_LIBRARY_CARD]"
        in done.output
    )
    assert "number of the shelf" in done.output
    assert "of the labels" not in done.output  # it has a default
    account = companies.load("acme").hris["paper"]
    assert account.credentials["library_card"].get_secret_value() == "${PAPER_LIBRARY_CARD}"
    assert (account.base_url, account.options.shelf, account.options.columns.id) == (
        "https://acme.paper.example",
        12,
        "Person ID",
    )
    assert companies.load("acme").sync.groups == ("bookcase",)


def test_without_questions_a_required_option_has_to_be_given(home, paper, run):
    given = (
        "init",
        "acme",
        "--yes",
        "--system",
        "Paper",
        "--base-url",
        "https://acme.paper.example",
        "--option",
        "shelf=3",
    )
    code, _, err = run(*given)
    assert code == 1
    assert "columns.id" in err
    assert not home.exists()
    assert run(*given, "--option", "columns.id=ID", "--option", "columns.status=State")[0] == 0
    assert companies.load("acme").hris["paper"].options.columns.status == "State"
    # a whole section at once
    given = ("init", "globex", *given[2:], "--option", "columns={id: ID}")
    assert run(*given)[0] == 0
    assert companies.load("globex").hris["paper"].options.columns.id == "ID"


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_of_the_registry_can_be_chosen(home, run, name):
    given = (
        ("--base-url", "https://acme.example")
        if "{" in (SYSTEMS[name].default_base_url or "")
        else ()
    )
    code, _, err = run("init", "acme", "--yes", "--system", name, *given)
    assert code == 0 or "has no default: give it as an option" in err
    assert code == 1 or companies.load("acme").hris[name].system == name
