"""What a company file says of files: which options go together, and what is wrong with those that
do not.
"""

import json
import re
from pathlib import Path

import asyncssh
import pytest
import yaml

from hris_pipeline.errors import SettingsError
from hris_pipeline.hris.systems.files import Options
from hris_pipeline.operations.companies import load, resolve
from hris_pipeline.operations.parameters import people_rules
from hris_pipeline.orchestration.resources import Connections
from hris_pipeline.settings.notation import Loader
from hris_pipeline_tests.hris.feed import COLUMNS, of, rows

ROOT = Path(__file__).resolve().parents[2]
KEY = asyncssh.generate_private_key("ssh-ed25519")
SFTP = {"host": "sftp.acme.test", "user": "acme", "host_key": KEY.export_public_key().decode()}


def company(folder, *, sync=None, account=None, **options):
    """The company ``acme`` with files as its only HR system."""
    columns = {**COLUMNS, **options.pop("columns", {})}
    files = {
        "system": "files",
        "options": {"path": "/srv/hr/people_*.csv", **options, "columns": columns},
        **(account or {}),
    }
    document = {"hris": {"hr": files}, "deskbird": {"scim_token": "${TOKEN}"}, "sync": sync or {}}
    (folder / "acme.yaml").write_text(json.dumps(document))  # JSON is YAML
    return load("acme", folder)


def refusal(folder, **options):
    with pytest.raises(SettingsError) as caught:
        company(folder, **options)
    return str(caught.value)


def test_the_least_that_a_company_file_needs(tmp_path):
    found = company(tmp_path)
    options = found.hris["hr"].options
    assert (options.folder, options.pattern, options.feed, options.max_age_hours) == (
        "/srv/hr",
        "people_*.csv",
        "full",
        26,
    )
    assert resolve(found, {"TOKEN": "x"}) == company(tmp_path).model_copy(
        update={"deskbird": resolve(found, {"TOKEN": "x"}).deskbird}
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"path": "/srv/hr/"}, "options.path must end in the file's name"),
        ({"path": "/srv/*/people.csv"}, "options.path must end in the file's name"),
        ({"columns": {"id": None}}, "options.columns.id must be text"),
        ({"columns": {"id": "e-mail"}}, "options.columns.id must be another column than email"),
        (
            {"columns": {"given_name": None, "family_name": None}},
            "options.columns.given_name is missing, and so is family_name",
        ),
        (
            {"columns": {"manager_id": "B", "manager_email": "C"}},
            "options.columns.manager_email is there beside manager_id",
        ),
        ({"columns": {"firstname": "x"}}, "options.columns.firstname is not a known key"),
        (
            {"columns": {"groups": {"Team": "x"}}},
            "options.columns.groups.Team is not a kind of group",
        ),
        (
            {"columns": {"groups": {"status": "x"}}},
            "options.columns.groups.status is not a kind of group",
        ),
        ({"columns": {"groups": {"team": {}}}}, "options.columns.groups.team must name a column"),
        (
            {"columns": {"status": "S"}},
            "options.statuses must say what each word of the status column means",
        ),
        (
            {"statuses": {"x": "active"}},
            "options.statuses explains words of a column that columns.status does not name",
        ),
        ({"columns": {"status": "S"}, "statuses": {"x": "gone"}}, "options.statuses.x must be"),
        (
            {"dates": {"default": "%d.%m"}},
            "options.dates.default must be a format of Python's strptime",
        ),
        ({"dates": {"birthday": "%Y-%m-%d"}}, "options.dates.birthday is not a known key"),
        ({"open_ended": ["never"]}, "options.open_ended[0] must be a day such as 2099-12-31"),
        ({"date_in_name": "%Y"}, "options.date_in_name must be made of %Y or %y, %m, %d"),
        ({"delimiter": ";;"}, "options.delimiter must be one character"),
        (
            {"delimiter": "|", "quote": "|"},
            "options.quote must be another character than the delimiter",
        ),
        ({"encoding": "utf-99"}, "options.encoding must be an encoding that Python knows"),
        ({"encoding": "base64"}, "options.encoding must be"),
        ({"encoding": "unicode_escape"}, "options.encoding must be"),
        ({"escape": ";", "delimiter": ";"}, "options.escape must be another character"),
        ({"columns": {"id": ["A", "B"]}}, "options.columns.id.columns must be one column"),
        ({"columns": {"end_date": {"column": "A", "columns": ["B"]}}}, "options.columns.end_date"),
        (
            {"columns": {"email": {"collumn": "A"}}},
            "options.columns.email.collumn is not a known key",
        ),
        (
            {"columns": {"groups": {"team": {"name": "T", "separator": ""}}}},
            "options.columns.groups.team.separator",
        ),
        (
            {"proof": {"marker": "done"}},
            "options.proof.marker must be a file's name with {name} or {stem} in it",
        ),
        ({"proof": {"marker": "../{name}"}}, "options.proof.marker must be a file's name"),
        (
            {"format": "json", "proof": {"trailer": {"starts_with": "T"}}},
            "options.proof.trailer is for csv, tsv and xlsx",
        ),
        (
            {"sftp": {**SFTP, "host_key": "sha256"}},
            "options.sftp.host_key must be the server's public key",
        ),
        ({"sftp": {"host": "h", "user": "u"}}, "options.sftp.host_key is missing"),
        ({"sftp": {**SFTP, "password": "x"}}, "options.sftp.password is not a known key"),
    ],
)
def test_a_mistake_is_told_with_the_path_of_its_key(tmp_path, options, said):
    assert f"hris.hr.{said}" in refusal(tmp_path, **options)


def test_the_host_key_is_demanded_and_never_accepted_by_itself():
    assert (
        Options.model_fields["sftp"].annotation.__args__[0].model_fields["host_key"].is_required()
    )


def test_c82_a_literal_password_is_refused(tmp_path):
    said = refusal(tmp_path, sftp=SFTP, account={"password": "hunter2"})
    assert "hris.hr.password must be written as ${NAME}" in said
    assert "hunter2" not in said


def test_a_private_key_comes_from_the_environment_with_its_line_breaks_and_a_password_without(
    tmp_path,
):
    environment = {"TOKEN": "x", "KEY": KEY.export_private_key().decode(), "WORD": "a\nb"}
    account = resolve(
        company(tmp_path, sftp=SFTP, account={"private_key": "${KEY}"}), environment
    ).hris["hr"]
    assert account.credentials["private_key"].get_secret_value() == environment["KEY"]
    with pytest.raises(
        SettingsError, match="needs the environment variable WORD, which holds a line break"
    ):
        resolve(company(tmp_path, sftp=SFTP, account={"password": "${WORD}"}), environment)


def test_the_path_and_the_server_may_come_from_the_environment(tmp_path):
    found = company(
        tmp_path,
        path="${HR_FILES}",
        sftp={**SFTP, "host": "${HOST}"},
        account={"password": "${WORD}"},
    )
    options = (
        resolve(found, {"TOKEN": "x", "HR_FILES": "/out/p_*.csv", "HOST": "h.test", "WORD": "w"})
        .hris["hr"]
        .options
    )
    assert (options.folder, options.pattern, options.sftp.host) == ("/out", "p_*.csv", "h.test")


def test_kinds_of_group_are_those_that_the_columns_name(tmp_path):
    groups = {"columns": {"groups": {"squad": "Squad", "location": "Office"}}}
    found = company(
        tmp_path, sync={"groups": ["squad"], "timezones": {"Berlin": "Europe/Berlin"}}, **groups
    )
    assert found.kinds_read == ("squad", "location")
    assert "delivers squad, location" in refusal(tmp_path, sync={"groups": ["team"]}, **groups)
    assert Connections().open(resolve(found, {"TOKEN": "x"}), "hr").kinds == ("squad", "location")


def test_two_feeds_of_one_company_deliver_the_kinds_of_both(tmp_path):
    one = {
        "system": "files",
        "options": {"path": "/a.csv", "columns": {**COLUMNS, "groups": {"squad": "S"}}},
    }
    two = {
        "system": "files",
        "options": {"path": "/b.csv", "columns": {**COLUMNS, "groups": {"guild": "G"}}},
    }
    document = {
        "hris": {"one": one, "two": two},
        "deskbird": {"scim_token": "${TOKEN}"},
        "sync": {"groups": ["guild", "squad"]},
    }
    (tmp_path / "acme.yaml").write_text(json.dumps(document))
    assert load("acme", tmp_path).sync.groups == ("guild", "squad")


def test_c14_the_words_for_a_status_are_those_of_the_company_file(tmp_path):
    told = {
        "columns": {"status": "S"},
        "statuses": {
            " Beurlaubt (fru\u0308her)": "on_leave",
            " Aktiv ": "active",
            "AUSGETRETEN": "ended",
        },
    }
    assert people_rules(company(tmp_path, **told)).statuses == {
        "hr": {"beurlaubt (früher)": "on_leave", "aktiv": "active", "ausgetreten": "ended"}
    }
    assert people_rules(company(tmp_path)).statuses == {"hr": {"employed": "active"}}


@pytest.mark.parametrize(
    ("account", "options", "said"),
    [
        (
            {"base_url": "https://files.test"},
            {},
            "base_url is not for files: the folder stands in options.path",
        ),
        (
            {},
            {"sftp": SFTP},
            "password is missing, or private_key, as ${NAME}, to log in at options.sftp",
        ),
        ({"passphrase": "${WORD}"}, {"sftp": SFTP}, "password is missing, or private_key"),
        ({"password": "${WORD}"}, {}, "password is for a server, and there is no options.sftp"),
    ],
)
def test_an_address_and_credentials_that_do_not_fit_the_options_are_told_with_the_path_of_their_key(
    tmp_path, account, options, said
):
    assert f"acme.yaml: hris.hr.{said}" in refusal(tmp_path, account=account, **options)


def test_c96_words_for_nothing_are_words_however_they_look_in_yaml(tmp_path):
    (tmp_path / "acme.yaml").write_text("""
hris:
  hr:
    system: files
    options:
      path: /srv/people.csv
      empty: [NULL, N/A, "-", 0000-00-00, 00.00.0000, 2999-12-31, 31-DEC-4712, ~, null, no, 0]
      columns:
        id: ID
        email: {column: E-Mail, empty: []}
        given_name: [Preferred, First]
        family_name: {column: Last, empty: [null]}
        status: Status
      statuses: {"": active, X: ended}
deskbird: {scim_token: "${TOKEN}"}
""")
    options = load("acme", tmp_path).hris["hr"].options
    assert options.empty == (
        *(
            "NULL",
            "N/A",
            "-",
            "0000-00-00",
            "00.00.0000",
            "2999-12-31",
            "31-DEC-4712",
            "~",
            "null",
            "no",
            "0",
        ),
    )
    assert options.words_for_nothing("email") == frozenset()
    assert options.words_for_nothing("family_name") == {"null"}
    assert options.columns.given_name.columns == ("Preferred", "First")
    assert options.status_words == {"(blank)": "active", "x": "ended"}


def test_a_day_that_no_calendar_has_is_told_where_it_is_no_word(tmp_path):
    (tmp_path / "acme.yaml").write_text(
        "hris: {hr: {system: files, options: {open_ended: [0000-00-00]}}}\n"
    )
    with pytest.raises(SettingsError, match="a day that no calendar has"):
        load("acme", tmp_path)


def test_the_example_of_the_page_is_a_company_file(tmp_path):
    page = (ROOT / "docs/files.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "acme.yaml").write_text(example)
    assert load("acme", tmp_path).hris["hr"].options.proof.trailer.starts_with == "TOTAL"


def test_c96_c100_c102_the_example_of_the_page_reads_such_a_file(feed):
    page = (ROOT / "docs/files.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    options = yaml.load(example, Loader=Loader)["hris"]["hr"]["options"]
    del options["sftp"], options["path"]
    header = (
        "Personnel number|Contract|Work e-mail|Preferred name|First name|Last "
        "name|Status|Entry|Exit|Manager|Teams"
    )
    lines = (
        header + "|Dept no|Dept",
        (
            '1|c1|lea@acme.test|-|"Léa '
            '\\"Lee\\""|Null||01.02.2020|0000-00-00|N/A|Sales;Support|7|Field'
        ),
        "2|c1|bob@acme.test|Bob|Robert|Crane|left|01.02.2020|31.01.2026|lea@acme.test|Support",
        "TOTAL|2",
    )
    feed.put("\r\n".join(lines).encode("cp1252"))
    employees, _ = feed.extracts(**options)
    lea, bob = rows(employees.path)
    assert employees.proof == "proven"
    assert of(lea, "given_name", "family_name", "status") == ('Léa "Lee"', "Null", "(blank)")
    assert of(lea, "end_date", "manager_id") == (None, None)
    assert of(bob, "given_name", "status", "end_date", "manager_id") == (
        "Bob",
        "left",
        "2026-01-31",
        "1",
    )
    assert [(group["kind"], group["id"]) for group in lea["groups"]] == [
        ("team", "sales"),
        ("team", "support"),
        ("department", "7"),
    ]
