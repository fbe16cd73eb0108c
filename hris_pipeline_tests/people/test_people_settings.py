"""What the company file says about people: zones by location, and whose value counts."""

from pathlib import Path

import pytest

from hris_pipeline.errors import SettingsError
from hris_pipeline.operations.companies import load
from hris_pipeline.operations.parameters import people_rules
from hris_pipeline.settings import Company

FILE = """\
timezone: Europe/Berlin
hris:
  personio: {system: personio, client_id: "${ID}", client_secret: "${SECRET}"}
  agency: {system: personio, client_id: "${ID}", client_secret: "${SECRET}"}
deskbird: {scim_token: "${TOKEN}"}
"""
KNOWN = "Known here: default, email, given_name, family_name, manager."


def company(folder: Path, sync: str = "{}") -> Company:
    (folder / "acme.yaml").write_text(f"{FILE}sync: {sync}\n", encoding="utf-8")
    return load("acme", folder)


def test_without_a_word_the_order_of_the_connections_and_the_companys_zone_count(
    tmp_path: Path,
) -> None:
    rules = people_rules(company(tmp_path))
    assert (list(rules.statuses), rules.precedence, rules.timezones) == (
        ["personio", "agency"],
        {},
        {},
    )


def test_precedence_and_zones_reach_the_core(tmp_path: Path) -> None:
    sync = (
        "{precedence: {default: [agency, personio], email: [personio]}, timezones: {Auckland: "
        "Pacific/Auckland, '7': Asia/Tokyo}}"
    )
    rules = people_rules(company(tmp_path, sync))
    assert rules.precedence == {"default": ("agency", "personio"), "email": ("personio",)}
    assert rules.timezones == {"Auckland": "Pacific/Auckland", "7": "Asia/Tokyo"}


def test_locations_are_read_where_they_tell_the_zone(tmp_path: Path) -> None:
    assert company(tmp_path).kinds_read == ("team", "department", "cost_center")
    assert company(tmp_path, "{groups: [team], timezones: {A: Asia/Tokyo}}").kinds_read == (
        "team",
        "location",
    )
    assert company(tmp_path, "{groups: [location], timezones: {A: Asia/Tokyo}}").kinds_read == (
        "location",
    )


@pytest.mark.parametrize(
    ("sync", "mistake"),
    [
        (
            "{timezones: {Auckland: Pacific/Aukland}}",
            (
                "sync.timezones.Auckland must be a time zone such as Europe/Berlin. Did you mean "
                "Pacific/Auckland?"
            ),
        ),
        ("{timezones: {Auckland: 7}}", "sync.timezones.Auckland must be text; put it in quotes."),
        (
            "{timezones: [Europe/Berlin]}",
            "sync.timezones must hold keys of its own, indented below it.",
        ),
        (
            "{precedence: {default: [personio, agancy]}}",
            (
                "sync.precedence.default[1] is not a connection of `hris`. Did you mean agency? "
                "Known: personio, agency."
            ),
        ),
        (
            "{precedence: {manager: [agency, agency]}}",
            "sync.precedence.manager[1] is there twice: each connection has one place.",
        ),
        (
            "{precedence: {mail: [agency]}}",
            f"sync.precedence.mail is not a known key. Did you mean email? {KNOWN}",
        ),
        ("{precedence: {email: agency}}", "sync.precedence.email must be a list."),
    ],
)
def test_a_mistake_is_one_line_that_says_what_would_be_right(
    tmp_path: Path, sync: str, mistake: str
) -> None:
    with pytest.raises(SettingsError) as problem:
        company(tmp_path, sync)
    assert str(problem.value).splitlines() == [f"{tmp_path / 'acme.yaml'}: {mistake}"]
