"""Nights in which HR systems do what they do: rehire under a new id, give ids away, contradict
themselves; over real HTTP.
"""

import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest

from hris_pipeline.sandbox.company import OrgUnit, Snapshot, Tenant
from hris_pipeline.sandbox.hris import files
from hris_pipeline_tests.end_to_end.deployment import Deployment, deployed, manager_id
from hris_pipeline_tests.end_to_end.test_lifecycle import DAY, Story
from hris_pipeline_tests.end_to_end.test_people_and_groups import person

RITA, RITA_AGAIN, MOVED, MOVED_TO, JOHN, LEO, LARS, LISA = 18, 68, 19, 69, 4, 5, 6, 56
RETURNER, NO_LAST_DAY, LATE_WORD, LATE_REHIRE, EARLY, NEXT_YEAR = 7, 8, 9, 10, 11, 12
NO_MAIL, TWO_ATS, TWO_DOTS, BLANK = 13, 14, 15, 16
YESTERDAY, TOMORROW = DAY - dt.timedelta(1), DAY + dt.timedelta(1)
GONE = {"status": "INACTIVE", "end_date": dt.date(2026, 2, 28)}


def here(name: str) -> str:
    return f"{name}@nordlicht.example"


def people() -> list[Any]:
    return [
        person(1, "Berta", "Boss", here("berta"), supervisor=None),
        person(RITA, "Rita", "Return", here("rita")),
        person(MOVED, "Mo", "Ved", here("mo")),
        person(JOHN, "John", "Smith", here("john")),
        person(LEO, "Leo", "Leaver", here("leo")),
        person(LARS, "Lars", "Left", here("l.meyer")),
        person(RETURNER, "Ada", "Again", here("ada")),
        person(NO_LAST_DAY, "Nora", "None", here("nora")),
        person(LATE_WORD, "Uma", "States", here("uma")),
        person(LATE_REHIRE, "Ria", "Hire", here("ria"), **GONE),
        person(
            EARLY,
            "Eva",
            "Early",
            here("eva"),
            status="ONBOARDING",
            start_date=dt.date(2026, 3, 20),
        ),
        person(
            NEXT_YEAR,
            "Ned",
            "Next",
            here("ned"),
            status="ONBOARDING",
            start_date=dt.date(2027, 3, 1),
        ),
    ]


def second_night(tenant: Tenant) -> None:
    tenant.change(RITA, status="INACTIVE", end_date=YESTERDAY)
    tenant.change(JOHN, first_name="Zoe", last_name="Quint", email=here("zoe"), start_date=DAY)
    tenant.change(LEO, **GONE)
    tenant.change(LARS, **GONE)
    tenant.add(person(LISA, "Lisa", "Late", here("l.meyer")))
    tenant.change(RETURNER, start_date=dt.date(2026, 2, 1), end_date=dt.date(2024, 5, 31))
    tenant.change(NO_LAST_DAY, end_date=dt.date(1753, 1, 1))
    tenant.change(LATE_WORD, status="INACTIVE", start_date=TOMORROW)
    tenant.change(LATE_REHIRE, status="INACTIVE", start_date=TOMORROW, end_date=None)
    tenant.change(EARLY, end_date=dt.date(2026, 3, 10))
    tenant.add(
        person(NO_MAIL, "No", "Mail", ""),
        person(TWO_ATS, "Two", "Ats", "two@ats@nordlicht.example"),
        person(TWO_DOTS, "Two", "Dots", here("two..dots")),
        person(BLANK, "Bla", "Nk", here("bla nk")),
    )


def third_night(tenant: Tenant) -> None:
    tenant.change(RITA, email="rita@nordlicht.example_a1b2c")
    tenant.add(person(RITA_AGAIN, "Rita", "Return", here("rita"), start_date=TOMORROW))
    tenant.change(MOVED, status="INACTIVE", end_date=TOMORROW, email="")
    tenant.add(person(MOVED_TO, "Mo", "Ved", here("mo"), start_date=dt.date(2026, 3, 4)))
    tenant.change(
        LEO,
        first_name="Max",
        last_name="Other",
        email=here("max"),
        status="ACTIVE",
        start_date=DAY,
        end_date=None,
    )
    tenant.change(LATE_WORD, status="ACTIVE")
    tenant.change(LATE_REHIRE, status="ACTIVE")


class Told(Story):
    """The nights, and what the screens say after the second one."""

    screens: dict[str, str]


@contextlib.contextmanager
def company(folder: Any, system: str) -> Iterator[Deployment]:
    folder.mkdir()
    tenant = Tenant(
        Snapshot(DAY, {}, (OrgUnit("department", 2, "Engineering"),)).with_persons(people())
    )
    more: dict[str, Any] = {
        "guards": dict.fromkeys(
            ("create_user", "update_attribute", "group_members", "deactivate_user", "link_user")
        ),
        "sync": {"groups": ["department"], "prehire_days": 30},
    }
    if system == "files":  # the connection's name makes the refs the same
        path = folder / "people.csv"
        more["hris"] = {
            "personio": {
                "system": "files",
                "options": {**files.OPTIONS, "path": str(path), "settle_seconds": 0},
            }
        }
    with deployed(
        folder, tenant, options={} if system == "files" else {"api": system}, more=more
    ) as acme:
        yield acme


@pytest.fixture(scope="module", params=["v1", "files"])
def story(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    with company(tmp_path_factory.mktemp("somebody") / request.param, request.param) as acme:
        told = Told(acme)

        def night(number: float) -> None:
            if request.param == "files":
                files.write_csv(acme.tenant, acme.folder / "people.csv")
            told.night(number)

        night(0)
        second_night(acme.tenant)
        night(1)
        told.screens = {
            "status": acme.run("status", "acme", night=1).out,
            "review": acme.run("review", "acme").out,
            "json": acme.run("review", "acme", "--format", "json").out,
            "john": acme.run("explain", "acme", f"personio:{JOHN}").out,
            "ada": acme.run("explain", "acme", f"personio:{RETURNER}").out,
        }
        third_night(acme.tenant)
        night(2)
        night(2.1)
        yield told


def test_every_night_ends_well_and_the_last_one_writes_nothing(story: Told) -> None:
    assert {night: ended.code for night, ended in story.nights.items()} == dict.fromkeys(
        story.nights, 0
    ), {night: ended.err for night, ended in story.nights.items()}
    assert (story.plans[2.1], story.requests[2.1]) == ([], [])
    assert not [
        request
        for requests in story.requests.values()
        for request in requests
        if request[0] == "DELETE"
    ]


def test_c89_an_old_last_day_or_one_that_means_none_deactivates_nobody_and_is_listed(
    story: Told,
) -> None:
    for ref, name in ((RETURNER, "ada"), (NO_LAST_DAY, "nora")):
        assert [story.of(night, ref) for night in (1, 2)] == [set(), set()]
        assert story.user(2, name)["active"]
    code = "last_day_before_first_day"
    found = story.acme.ask(
        f"select hris_ref, decided from state.contradictions where code = '{code}' order by all"
    )
    assert found == [(f"personio:{RETURNER}", "active"), (f"personio:{NO_LAST_DAY}", "active")]
    assert (
        "2 records: last day before first day, the first since 2026-03-03"
        in story.screens["status"]
    )
    assert "status active, first day 2026-02-01, last day 2024-05-31; counts as active" in " ".join(
        story.screens["review"].split()
    )
    assert "Contradicts itself" in story.screens["ada"]


def test_c90_a_word_that_turns_later_than_the_day_changes_nobody(story: Told) -> None:
    assert [story.of(night, LATE_WORD) for night in (1, 2)] == [set(), set()]
    assert story.user(2, "uma") == story.user(0, "uma")
    assert story.of(1, LATE_REHIRE) == set()
    assert story.of(2, LATE_REHIRE) == {"user create", "manager set"}
    assert "2 records: ended on first day" in story.screens["status"]
    assert (
        story.acme.ask("select code from state.contradictions where code = 'ended_on_first_day'")
        == []
    )


def test_c91_a_rehire_by_the_hr_systems_own_procedure_gets_the_user_back_with_everything(
    story: Told,
) -> None:
    assert story.of(1, RITA) == {"user deactivate"}
    assert story.of(2, RITA_AGAIN) == {"user link", "user reactivate"}
    before, after = story.user(0, "rita"), story.user(2, "rita")
    assert (after["id"], after["active"], after["externalId"]) == (
        before["id"],
        True,
        f"personio:{RITA_AGAIN}",
    )
    assert manager_id(after) == manager_id(before) is not None
    assert f"personio:{RITA_AGAIN}" in story.memberships[2]
    ((evidence,),) = story.acme.ask(
        f"select evidence from state.plan_changes where hris_ref = 'personio:{RITA_AGAIN}' and "
        "action = 'link'"
    )
    agrees = ["email", "given_name", "family_name"]
    assert json.loads(evidence) == {
        "rule": "successor", "predecessor": f"personio:{RITA}", "agrees": agrees, "differs": [],
    }  # fmt: skip


def test_c91_who_moves_to_another_legal_entity_in_one_night_keeps_the_user(story: Told) -> None:
    assert (story.of(2, MOVED), story.of(2, MOVED_TO)) == (set(), {"user link"})
    before, after = story.user(1, "mo"), story.user(2, "mo")
    assert (after["id"], after["active"], after["externalId"]) == (
        before["id"],
        True,
        f"personio:{MOVED_TO}",
    )
    assert f"personio:{MOVED_TO}" in story.memberships[2]


def test_c92_an_id_that_was_given_to_somebody_else_waits_above_all_a_leavers(story: Told) -> None:
    waits = "id_given_to_somebody_else"
    assert (story.review[1][f"personio:{JOHN}"], story.of(1, JOHN)) == (waits, set())
    assert story.user(2, "john") == story.user(0, "john")
    assert (story.of(1, LEO), story.review[2][f"personio:{LEO}"], story.of(2, LEO)) == (
        {"user deactivate"},
        waits,
        set(),
    )
    assert (story.user(2, "leo")["active"], story.user(2, "leo")["name"]["givenName"]) == (
        False,
        "Leo",
    )
    assert here("zoe") not in story.users[2]
    assert here("max") not in story.users[2]
    assert "differs: email, given name, family name" in story.screens["review"]
    assert "differs: email, given name, family name" in story.screens["john"]


def test_c93_a_leaver_is_deactivated_in_the_night_that_somebody_else_gets_the_address(
    story: Told,
) -> None:
    assert (story.of(1, LARS), story.of(1, LISA)) == ({"user deactivate"}, set())
    assert story.review[1][f"personio:{LISA}"] == "email_belongs_to_another_person"
    assert f"personio:{LISA}" not in story.quarantine[1]
    assert (story.user(2, "l.meyer")["active"], story.user(2, "l.meyer")["externalId"]) == (
        False,
        f"personio:{LARS}",
    )


def test_c31_what_cannot_be_an_address_is_held_back_with_its_reason_and_listed_for_hr(
    story: Told,
) -> None:
    held = {
        NO_MAIL: "email_is_present",
        TWO_ATS: "email_is_valid",
        TWO_DOTS: "email_is_valid",
        BLANK: "email_is_valid",
    }
    assert story.quarantine[1] == {f"personio:{ref}": rule for ref, rule in held.items()}
    listed = {one["hris_ref"]: one for one in json.loads(story.screens["json"])["to_correct"]}
    assert {listed[f"personio:{ref}"]["code"] for ref in held} == {
        "email_is_present",
        "email_is_valid",
    }
    assert listed[f"personio:{NO_MAIL}"]["name"] == "No Mail"
    assert (
        "It has no work e-mail. Enter one; a private address does not count."
        in story.screens["review"]
    )


def test_c33_c34_a_future_hire_comes_as_early_as_configured_and_goes_when_it_is_called_off(
    story: Told,
) -> None:
    assert "user create" in story.of(0, EARLY)
    assert story.of(1, EARLY) == {"user deactivate"}
    assert story.user(2, "eva")["active"] is False
    assert here("ned") not in story.users[2]
