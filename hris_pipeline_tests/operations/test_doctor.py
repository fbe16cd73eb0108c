"""`hris-pipeline doctor`: names exactly what is missing and where it is switched on, and changes
nothing anywhere.
"""

import contextlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import dagster as dg
import pytest

from hris_pipeline import cli, settings
from hris_pipeline.hris.registry import SYSTEMS
from hris_pipeline.hris.systems.personio import v1
from hris_pipeline.orchestration import runs
from hris_pipeline.sandbox.company import SAMPLE, Tenant, load_company
from hris_pipeline.sandbox.deskbird import TOKEN, DeskbirdApp, deskbird_app
from hris_pipeline.sandbox.faults import Fault, Faults
from hris_pipeline.sandbox.hris.personio import (
    ATTRIBUTES,
    CREDENTIAL,
    SCOPES,
    Credential,
    personio_app,
)
from hris_pipeline.sandbox.server import serve
from hris_pipeline.warehouse import Warehouse

ROOT = Path(__file__).resolve().parents[2]
NOW = "2026-03-02T04:30:00+01:00"
FILE = """
timezone: Europe/Berlin
hris:
  personio: {{system: personio, base_url: "{hris}", client_id: {client_id},
    client_secret: "${{SANDBOX_SECRET}}", options: {{api: {api}, requests_per_second: 2000}}}}
deskbird: {{scim_url: "{desk}/v2/scim", scim_token: "${{SANDBOX_TOKEN}}",
  requests_per_second: 1000, scim_dialect: {dialect}}}
alerts: ["${{SANDBOX_ALERTS}}"]
"""


@dataclass
class Office:
    """The sample company, its two systems, and doctor."""

    home: Path
    tenant: Tenant
    deskbird: DeskbirdApp
    personio: Faults
    capture: pytest.CaptureFixture[str]
    text: str = field(repr=False)
    desk_url: str

    def configure(self, more: str = "", **replaced: str) -> None:
        text = self.text
        for old, new in replaced.items():
            text = text.replace(old, new)
        (self.home / "companies" / "acme.yaml").write_text(text + more)

    def doctor(self, *arguments):
        """Exit code, and what `--format json` says."""
        code = cli.run(["doctor", "acme", "--format", "json", *arguments])
        out, err = self.capture.readouterr()
        assert out, err
        return code, json.loads(out)

    def states(self, document, state):
        return [finding for finding in document["findings"] if finding["state"] == state]

    def missing(self, *arguments):
        code, document = self.doctor(*arguments)
        found = self.states(document, "missing")
        assert code == int(bool(found))
        return found


@pytest.fixture
def office(tmp_path, monkeypatch, capsys):
    """Makes the office; everything can be read and written unless told otherwise."""
    with contextlib.ExitStack() as stack:

        def make(api="v1", *, scopes=SCOPES, attributes=ATTRIBUTES, setting="auto", **desk):
            tenant, faults = load_company(SAMPLE, 1), Faults()
            hris_app = personio_app(
                tenant,
                faults=faults,
                rates=False,
                credentials=(Credential(scopes=scopes),),
                attributes=attributes,
            )
            deskbird = deskbird_app(None, requests_per_second=None, **desk)
            hris, served = (stack.enter_context(serve(app)) for app in (hris_app, deskbird))
            (tmp_path / "companies").mkdir(exist_ok=True)
            text = FILE.format(
                hris=hris.url,
                desk=served.url,
                client_id=CREDENTIAL.client_id,
                api=api,
                dialect=setting,
            )
            made = Office(tmp_path, tenant, deskbird, faults, capsys, text, served.url)
            made.configure()
            return made

        monkeypatch.setenv(settings.COMPANIES_VARIABLE, str(tmp_path / "companies"))
        monkeypatch.setenv(settings.DATA_VARIABLE, str(tmp_path / "data"))
        monkeypatch.setenv("HRIS_PIPELINE_NOW", NOW)
        monkeypatch.setenv("SANDBOX_SECRET", CREDENTIAL.client_secret)
        monkeypatch.setenv("SANDBOX_TOKEN", TOKEN)
        monkeypatch.setenv("SANDBOX_ALERTS", "json://localhost")
        yield make


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_a_company_that_is_in_line_has_nothing_missing_and_is_told_what_a_night_would_come_to(
    office, api
):
    code, document = office(api).doctor()
    assert (code, document["counts"]["missing"]) == (0, 0), office
    assert document["would_be"] == {
        "people": 246,
        "in_scope": 231,
        "quarantined": 5,
        "by_rule": {"email_is_present": 2, "email_is_unique": 2, "email_is_valid": 1},
        "groups": 46,
        "reporting_lines": 234,
    }
    assert document["exit_code"] == 0


def test_the_counts_are_those_of_a_dry_run(office, monkeypatch):
    acme = office()
    promised = acme.doctor()[1]["would_be"]
    with dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setattr(runs, "open_instance", lambda: contextlib.nullcontext(instance))
        monkeypatch.setenv("DAGSTER_HOME", str(ROOT))
        assert cli.run(["sync", "acme", "--dry-run"]) == 2
    with Warehouse(acme.home / "data", "acme").read() as con:
        people, in_scope, held, made, lines = con.execute(
            """select
                   (select count(*) from core.people),
                   (select count(*) from core.people where wanted),
                   (select count(distinct hris_ref) from core.quarantine),
                   (select count(*) from core.groups),
                   (select count(*) from core.manager_graph)"""
        ).fetchone()
    assert (people, in_scope, held) == (
        promised["people"],
        promised["in_scope"],
        promised["quarantined"],
    )
    assert (made, lines) == (promised["groups"], promised["reporting_lines"])


def test_it_changes_nothing_in_deskbird_nor_in_the_companys_own_tables(office):
    acme = office()
    acme.deskbird.desk.add_user("ada@nordlicht.example", "Ada", "Lovelace")
    before = acme.deskbird.desk.users()
    data = acme.home / "data"
    acme.doctor()
    assert list(data.iterdir()) == []
    own = data / "acme.duckdb"
    own.write_bytes(b"whatever is in it")
    acme.doctor()
    assert [file.name for file in data.iterdir()] == ["acme.duckdb"]
    assert own.read_bytes() == b"whatever is in it"
    assert acme.deskbird.desk.users() == before
    assert acme.deskbird.desk.groups() == []
    sent = acme.deskbird.writes()
    assert {request.method for request in sent} == {"PATCH"}
    assert {request.status for request in sent} <= {400, 404}
    there = {user["id"] for user in before}
    assert not there & {request.path.rsplit("/", 1)[-1] for request in sent}
    asked = {request.method for request in acme.personio.requests() if "/auth" not in request.path}
    assert asked == {"GET"}


def test_offline_asks_nobody(office):
    acme = office()
    assert acme.doctor("--offline")[0] == 0
    assert not acme.personio.requests()
    assert not acme.deskbird.faults.requests()
    assert not (acme.home / "data").exists()
    assert cli.run(["doctor", "acme", "--offline"]) == 0
    assert acme.capture.readouterr().out.endswith("Next: hris-pipeline doctor acme\n")


def test_every_mistake_in_the_company_file_is_a_line_of_its_own(office):
    acme = office()
    acme.configure("sync: {absences: {enabled: true}, groups: [teams]}\n")
    missing = acme.missing()
    told = [
        ("absences.enabled" in one["problem"], "sync.groups[0]" in one["problem"])
        for one in missing
    ]
    assert told == [(True, False), (False, True)]
    assert not [one for one in missing if "teams" in one["problem"]]
    acme.configure("sync: {group: [team]}\nguards: {deactivate_users: null}\n")
    problems = [
        one["problem"].removeprefix(f"{acme.home / 'companies' / 'acme.yaml'}: ")
        for one in acme.missing()
    ]
    assert [problem.partition(" is not a known key")[0] for problem in problems] == [
        "sync.group",
        "guards.deactivate_users",
    ]
    assert acme.personio.requests() == []


def test_where_there_is_no_company_file_init_is_named(office):
    acme = office()
    (acme.home / "companies" / "acme.yaml").unlink()
    (one,) = acme.missing()
    assert "does not exist" in one["problem"]
    assert one["remedy"] == "`hris-pipeline init acme` writes one."


def test_what_the_company_file_wants_and_its_hr_system_does_not_have_is_told_offline(
    office, monkeypatch
):
    acme = office()  # v1 has no units within units
    acme.configure("sync: {nested_groups: path}\nschedule: null\n")
    notes = [finding["what"] for finding in acme.states(acme.doctor("--offline")[1], "note")]
    assert notes == ["sync.nested_groups: path", "the schedule", "the HR systems and deskbird"]
    acme.configure("sync: {nested_groups: path}\n", v1="v2")
    notes = [finding["what"] for finding in acme.states(acme.doctor("--offline")[1], "note")]
    assert notes == ["the HR systems and deskbird"]

    personio = SYSTEMS["personio"]
    silent = replace(personio, name="silent", reads_changes=False)
    monkeypatch.setitem(SYSTEMS, "silent", silent)
    account = '{system: silent, client_id: x, client_secret: "${SANDBOX_SECRET}"}'
    acme.configure("changes_schedule: 0 12 * * *\n", **{"hris:\n": f"hris:\n  other: {account}\n"})
    notes = [finding["what"] for finding in acme.states(acme.doctor("--offline")[1], "note")]
    assert notes == ["changes_schedule", "the HR systems and deskbird"]

    without = replace(
        personio, capabilities=replace(personio.capabilities, manager="no"), group_kinds=("team",)
    )
    monkeypatch.setitem(SYSTEMS, "personio", replace(without, variants=()))
    acme.configure()
    code, document = acme.doctor("--offline")
    (one,) = acme.states(document, "missing")
    assert (code, one["what"]) == (1, "reporting lines")
    notes = [finding["what"] for finding in acme.states(document, "note")]
    assert notes[:2] == ["groups of kind department", "groups of kind cost_center"]


def test_c82_each_variable_that_is_not_set_is_named_with_the_key_that_needs_it(office, monkeypatch):
    acme = office()
    monkeypatch.delenv("SANDBOX_SECRET")
    monkeypatch.setenv("SANDBOX_TOKEN", "two\nlines")
    monkeypatch.delenv("SANDBOX_ALERTS")
    missing = acme.missing()
    assert [one["what"].rsplit(" ", 1)[1] for one in missing] == [
        "SANDBOX_SECRET",
        "SANDBOX_TOKEN",
        "SANDBOX_ALERTS",
    ]
    assert "hris.personio.client_secret needs it, and it is not set" in missing[0]["problem"]
    assert "line break" in missing[1]["problem"]
    assert "two" not in json.dumps(missing)
    assert acme.personio.requests() == acme.deskbird.faults.requests() == []


@pytest.mark.parametrize(
    ("unset", "asked"), [("SANDBOX_SECRET", "deskbird"), ("SANDBOX_TOKEN", "personio")]
)
def test_who_can_be_asked_is_asked_although_another_ones_variable_is_not_set(
    office, monkeypatch, unset, asked
):
    acme = office()
    monkeypatch.delenv(unset)
    code, document = acme.doctor()
    assert (code, len(acme.states(document, "missing"))) == (1, 1)
    assert bool(acme.personio.requests()) == (asked == "personio")
    assert bool(acme.deskbird.faults.requests()) == (asked == "deskbird")
    assert (document["would_be"] is not None) == (asked == "personio")


@pytest.mark.parametrize(
    ("scope", "named"),
    [
        ("personio:persons:read", "Persons"),
        ("personio:org-units:read", "Org units"),
        ("personio:cost-centers:read", "Cost centers"),
    ],
)
def test_v2_one_missing_right_is_the_one_thing_missing(office, scope, named):
    (one,) = office("v2", scopes=SCOPES - {scope}).missing()
    assert f"the right to read {named}" in one["remedy"]
    assert "Settings > Integrations > API credentials" in one["remedy"]


@pytest.mark.parametrize(
    "column",
    [
        "email",
        "given_name",
        "family_name",
        "status",
        "manager_id",
        "team",
        "department",
        "cost_center",
    ],
)
def test_one_missing_attribute_is_the_one_thing_missing(office, column):
    key = {**v1.ATTRIBUTES, **v1.GROUPS}[column]
    (one,) = office(attributes=tuple(each for each in ATTRIBUTES if each != key)).missing()
    assert f"Tick '{v1.LABELS[column]}'" in one["remedy"]


def test_an_attribute_that_nothing_asked_for_depends_on_is_a_note(office):
    acme = office(attributes=tuple(each for each in ATTRIBUTES if each != "supervisor"))
    acme.configure("sync: {managers: false}\n")
    code, document = acme.doctor()
    assert code == 0
    assert any("'Supervisor'" in finding["what"] for finding in acme.states(document, "note"))


@pytest.mark.parametrize(
    ("key", "what", "problem"),
    [
        ("supervisor", "the attribute 'Supervisor'", "It came for nobody in Personio."),
        # v2 lists people's units of all kinds under one key
        ("team", "groups of kind team", "Nobody is in one."),
        ("cost_centers", "the attribute 'Cost center'", "It came for nobody in Personio."),
    ],
)
def test_v2_without_v1s_right_what_came_for_nobody_shows_in_the_read(office, key, what, problem):
    acme = office(
        "v2",
        scopes=SCOPES - {"employees:read"},
        attributes=tuple(each for each in ATTRIBUTES if each != key),
    )
    (one,) = acme.missing()
    assert (one["what"], one["problem"]) == (what, problem)


def test_a_wrong_secret_and_a_wrong_token_are_told_with_where_to_make_new_ones(office, monkeypatch):
    monkeypatch.setenv("SANDBOX_SECRET", "mistyped-secret")
    monkeypatch.setenv("SANDBOX_TOKEN", "mistyped-token")
    hris, desk = office().missing()
    assert "Settings > Integrations > API credentials in Personio" in hris["remedy"]
    assert "refused the SCIM token (HTTP 401)" in desk["problem"]
    assert "Admin > API keys" in desk["remedy"]
    assert "mistyped" not in json.dumps([hris, desk])


def test_an_alert_that_goes_nowhere_is_missing_and_no_alert_is_sent(office, monkeypatch):
    acme = office()
    monkeypatch.setenv("SANDBOX_ALERTS", "slac://hooks.example/s3cr3t")
    (one,) = acme.missing()
    assert (one["what"], "Apprise notation" in one["problem"]) == ("alerts[0]", True)
    assert "s3cr3t" not in json.dumps(one)
    monkeypatch.setenv("SANDBOX_ALERTS", acme.desk_url.replace("http", "json"))
    assert acme.missing() == []
    assert "POST" not in {request.method for request in acme.deskbird.faults.requests()}


def test_an_unproven_read_is_a_note_and_a_read_that_fails_is_missing(office):
    acme = office()
    acme.personio.add(Fault("/v1/company/employees", "drop_page", times=None, value=3))
    code, document = acme.doctor()
    assert code == 0
    assert any(
        "not proven complete" in finding["problem"] for finding in acme.states(document, "note")
    )
    acme.personio.clear()
    acme.personio.add(Fault("/v1/company/employees", "html", after=1, times=None))
    (one,) = acme.missing()
    assert "HTML instead of JSON" in one["problem"]
    assert not list((acme.home / "data").iterdir())


def test_where_nobody_can_be_read_for_want_of_a_folder_deskbird_is_tried_all_the_same(office):
    acme = office()
    (acme.home / "data").write_text("a file in the folder's place")
    code, document = acme.doctor()
    (one,) = acme.states(document, "missing")
    assert code == 1
    assert one["problem"].endswith("Make room there or make the folder writable, then run again.")
    assert any(finding["area"] == "deskbird" for finding in acme.states(document, "ok"))


def test_c76_a_scope_that_covers_nobody_is_missing_and_a_rule_that_matches_nobody_a_note(office):
    acme = office()
    acme.configure("sync: {scope: {include: [{department: Salse}]}}\n")
    (one,) = acme.missing()
    assert one["what"].startswith("0 of 246 people")
    assert "sync.scope" in one["remedy"]
    acme.configure("sync: {scope: {exclude: [{department: Salse}]}}\n")
    code, document = acme.doctor()
    assert code == 0
    assert any(
        finding["what"] == "rule exclude 1 of sync.scope"
        for finding in acme.states(document, "note")
    )


def test_a_dialect_that_deskbird_does_not_take_is_missing_and_the_other_one_is_recommended(office):
    missing = office(setting="rfc", dialect="entra").missing()
    assert [one["what"].split()[2] for one in missing] == ["users", "groups"]
    assert all("Set deskbird.scim_dialect to auto, or to entra" in one["remedy"] for one in missing)
    missing = office(setting="entra", dialect="rfc").missing()
    assert [one["what"].split()[2] for one in missing] == ["users", "groups"]
    assert all("Set deskbird.scim_dialect to auto, or to rfc" in one["remedy"] for one in missing)
    assert office(dialect="entra").missing() == []


def test_what_deskbird_refuses_in_both_dialects_is_missing(office):
    acme = office()
    acme.deskbird.faults.add(Fault("PATCH /v2/scim/Users/*", "status", value=400, times=None))
    (one,) = acme.missing()
    assert "What would be sent is refused (rfc: " in one["problem"]
    assert "deskbird's support" in one["remedy"]


def test_where_deskbird_looks_for_the_user_first_nothing_is_claimed(office):
    acme = office()
    acme.deskbird.faults.add(Fault("PATCH /v2/scim/*", "status", value=404, times=None))
    code, document = acme.doctor()
    told = [
        finding
        for finding in acme.states(document, "note")
        if "before it reads what is sent" in (finding["problem"] or "")
    ]
    assert (code, len(told)) == (0, 2)


def test_a_token_that_may_only_read_is_missing_a_right(office):
    acme = office()
    acme.deskbird.faults.add(Fault("PATCH /v2/scim/*", "status", value=403, times=None))
    missing = acme.missing()
    assert [one["problem"] for one in missing] == [
        "The SCIM token may read but not change anything (HTTP 403)."
    ] * 2
    assert "Admin > API keys" in missing[0]["remedy"]


def test_where_anything_is_accepted_for_an_id_that_nobody_has_it_stops_there(office):
    acme = office()
    acme.deskbird.faults.add(Fault("PATCH /v2/scim/*", "html", times=None))  # which is a 200
    code, document = acme.doctor()
    assert code == 0
    assert (
        sum(
            "so nothing more was sent" in (one["problem"] or "")
            for one in acme.states(document, "note")
        )
        == 2
    )
    assert len(acme.deskbird.writes()) == 2


def test_a_filter_that_is_refused_is_a_note(office):
    acme = office()
    acme.deskbird.faults.add(Fault("GET /v2/scim/Groups", "status", value=400, after=1, times=None))
    code, document = acme.doctor()
    assert code == 0
    assert any(
        "The filter externalId eq is not understood" in (one["problem"] or "")
        for one in acme.states(document, "note")
    )


def test_a_deskbird_that_answers_with_a_web_page_is_missing(office):
    acme = office()
    acme.deskbird.faults.add(Fault("*", "html", times=None))
    (one,) = acme.missing()
    assert "a web page" in one["problem"]
    assert "proxy" in one["remedy"]


def test_it_says_which_forms_worked_in_earlier_nights_and_only_reads_where_that_is_kept(office):
    acme = office()
    warehouse = Warehouse(acme.home / "data", "acme")
    with warehouse.write(("personio",)) as con:
        con.execute(
            """insert into state.dialects values
                   ('user_create', 'rfc', '2026-03-02 04:00:00+00', 'read_back', 0),
                   ('manager.set', 'entra', '2026-03-03 04:00:00+00', 'accepted', 0),
                   ('user_active', 'rfc', now(), null, 1)"""
        )
    before = warehouse.path.read_bytes()
    code, document = acme.doctor()
    told = [
        finding["what"] for finding in acme.states(document, "ok") if finding["area"] == "deskbird"
    ]
    assert code == 0
    assert (
        told[-1] == "forms of write that worked in earlier nights: "
        "manager.set in entra since 2026-03-03 (accepted; deskbird does not show it); "
        "user_create in rfc since 2026-03-02 (read back)"
    )
    notes = [
        finding["what"]
        for finding in acme.states(document, "note")
        if finding["area"] == "deskbird"
    ]
    assert notes[-1] == "forms of write in doubt: user_active"
    assert warehouse.path.read_bytes() == before


def test_while_the_company_is_paused_no_patch_is_sent(office):
    acme = office()
    assert cli.run(["pause", "acme"]) == 0
    acme.capture.readouterr()
    assert acme.doctor()[0] == 0
    assert acme.deskbird.writes() == []


def test_c81_the_list_for_people_ends_with_a_summary_and_names_nobody(office):
    acme = office()
    code = cli.run(["doctor", "acme"])
    out, err = acme.capture.readouterr()
    assert code == 0
    assert out.splitlines()[-1].startswith("acme: ")
    assert out.splitlines()[-1].endswith("Next: hris-pipeline sync acme --dry-run")
    for person in acme.tenant.snapshot.persons.values():
        assert person.last_name not in (out + err).split()
        assert not person.email or person.email not in out + err
