"""Nights of a small company in which people come, leave, come back, change records and addresses,
or vanish; over real HTTP.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from hris_pipeline.sandbox.company import OrgUnit, Snapshot, Tenant
from hris_pipeline_tests.end_to_end.deployment import Deployment, Ended, deployed, manager_id
from hris_pipeline_tests.end_to_end.test_people_and_groups import person

DAY = dt.date(2026, 3, 2)
BOSS, CONTRACTOR, EMPLOYEE, ONE, OTHER, LEFT, NEWCOMER, SOON, TWICE = 1, 2, 52, 3, 4, 5, 55, 6, 7
ABROAD, PARENT, VANISHED, BACK = 8, 9, 10, 11
CLEARED, SABBATICAL, GAME, REHIRED, REHIRE, TWO_JOBS, PARTNER, RESCINDED = (
    15,
    16,
    17,
    18,
    68,
    19,
    20,
    21,
)
UNITS = (
    OrgUnit("department", 2, "Engineering"),
    OrgUnit("location", 1, "Auckland"),
    OrgUnit("location", 2, "Berlin"),
)


def people() -> list[Any]:
    two_jobs = person(TWO_JOBS, "Theo", "Twojobs", "theo@nordlicht.example", weekly_hours=20)
    return [
        person(BOSS, "Berta", "Boss", "berta@nordlicht.example", supervisor=None),
        person(CONTRACTOR, "Cora", "Change", "cora@nordlicht.example"),
        person(ONE, "Olga", "One", "olga@nordlicht.example"),
        person(OTHER, "Otto", "Other", "otto@nordlicht.example"),
        person(LEFT, "Lars", "Left", "l.meyer@nordlicht.example"),
        person(
            SOON,
            "Sven",
            "Soon",
            "sven@nordlicht.example",
            status="ONBOARDING",
            start_date=dt.date(2026, 3, 12),
        ),
        person(TWICE, "Tom", "Twin", "twin@nordlicht.example"),
        person(ABROAD, "Ana", "Abroad", "ana@nordlicht.example", location=1),
        person(PARENT, "Pia", "Parent", "pia@nordlicht.example"),
        person(VANISHED, "Vera", "Vanished", "vera@nordlicht.example"),
        person(BACK, "Bo", "Back", "bo@nordlicht.example"),
        person(CLEARED, "Clea", "Red", "clea@nordlicht.example"),
        person(SABBATICAL, "Saba", "Tical", "saba@nordlicht.example"),
        person(
            GAME,
            " Zo\u0308e\u200b\x00 \U0001f680",
            "\u202e\u05d3\u05d5\u05d3\ufeff\u2067",
            "game@nordlicht.example",
        ),
        person(REHIRED, "Rita", "Return", "rita@nordlicht.example"),
        replace(
            two_jobs,
            employments=(
                *two_jobs.employments,
                replace(two_jobs.employments[0], number=2, weekly_hours=10),
            ),
        ),
        person(PARTNER, "Pat", "Partner", "pat@partner.example"),
    ]


class Story:
    """What each night planned, wrote and left."""

    def __init__(self, acme: Deployment) -> None:
        self.acme = acme
        self.nights: dict[float, Ended] = {}
        self.plans: dict[float, list[tuple[str, str, str | None]]] = {}
        self.users: dict[float, dict[str, dict[str, Any]]] = {}  # by address
        self.review: dict[float, dict[str, str]] = {}
        self.quarantine: dict[float, dict[str, str]] = {}
        self.memberships: dict[float, set[str | None]] = {}  # who is in any group
        self.requests: dict[float, list[tuple[str, str, int | None]]] = {}

    def night(self, night: float) -> None:
        self.acme.forget_requests()
        self.nights[night] = self.acme.sync(night=night)
        self.plans[night] = self.acme.changes()
        self.users[night] = {user["userName"]: user for user in self.acme.deskbird.desk.users()}
        self.review[night] = dict(self.acme.ask("select hris_ref, rule from state.review"))
        self.quarantine[night] = dict(self.acme.ask("select hris_ref, rule from core.quarantine"))
        self.requests[night] = self.acme.writes()
        marks = {user["id"]: user.get("externalId") for user in self.acme.deskbird.desk.users()}
        members = [
            member
            for group in self.acme.deskbird.desk.groups()
            for member in group.get("members") or ()
        ]
        self.memberships[night] = {marks[member["value"]] for member in members}

    def of(self, night: float, ref: int) -> set[str]:
        return {
            f"{kind} {action}"
            for kind, action, whose in self.plans[night]
            if whose == f"personio:{ref}"
        }

    def user(self, night: float, name: str) -> dict[str, Any]:
        return self.users[night][f"{name}@nordlicht.example"]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    tenant = Tenant(Snapshot(DAY, {}, UNITS).with_persons(people()))
    more = {
        "guards": dict.fromkeys(
            ("create_user", "update_attribute", "group_members", "deactivate_user", "link_user")
        ),
        "sync": {
            "groups": ["department"],
            "timezones": {"Auckland": "Pacific/Auckland"},
            "scope": {"exclude": [{"email_domain": "partner.example"}]},
            "missing": {"complete_reads": 3, "hours": 48},
        },
    }
    with deployed(tmp_path_factory.mktemp("lifecycle"), tenant, more=more) as acme:
        told = Story(acme)
        acme.deskbird.desk.add_user("guest@elsewhere.example", "Gus", "Guest")
        told.night(0)

        tenant.change(CONTRACTOR, status="INACTIVE", end_date=DAY)
        tenant.add(person(EMPLOYEE, "Cora", "Change", "cora@nordlicht.example"))
        tenant.change(ONE, email="otto@nordlicht.example")
        tenant.change(OTHER, email="olga@nordlicht.example")
        tenant.change(LEFT, status="INACTIVE", end_date=dt.date(2026, 2, 1))
        tenant.add(person(NEWCOMER, "Lisa", "Late", "l.meyer@nordlicht.example"))
        tenant.add(person(57, "Another", "Person", "twin@nordlicht.example"))
        tenant.change(PARENT, status="LEAVE")
        tenant.change(BACK, status="INACTIVE", end_date=dt.date(2026, 2, 20))
        tenant.change(ABROAD, end_date=dt.date(2026, 3, 3))
        tenant.remove(VANISHED)
        tenant.add(
            person(13, "No", "Mail", ""), person(14, "Two", "Ats", "two@ats@nordlicht.example")
        )
        tenant.change(CLEARED, department=None)
        tenant.change(SABBATICAL, status="SABBATICAL")
        tenant.change(REHIRED, status="INACTIVE", end_date=dt.date(2026, 3, 1))
        tenant.add(
            person(
                RESCINDED,
                "Resi",
                "Scinded",
                "resi@nordlicht.example",
                start_date=dt.date(2026, 3, 3),
            )
        )
        told.night(1)  # 3 March, 03:30 in UTC: 16:30 in Auckland

        tenant.remove(57)
        tenant.change(BACK, status="ACTIVE", end_date=None)  # corrected
        told.night(1.3)  # 3 March, 10:42 in UTC: 23:42 in Auckland
        told.night(1.4)  # 13:06 in UTC: 4 March there
        tenant.add(
            person(
                REHIRE, "Rita", "Return", "rita@nordlicht.example", start_date=dt.date(2026, 3, 4)
            )
        )
        tenant.change(RESCINDED, status="INACTIVE", end_date=dt.date(2026, 3, 2))
        told.night(2.5)
        told.night(4)
        told.night(4.1)
        yield told


def test_every_night_ends_well(story: Story) -> None:
    assert {night: ended.code for night, ended in story.nights.items()} == dict.fromkeys(
        story.nights, 0
    ), {night: ended.err for night, ended in story.nights.items()}
    assert story.plans[4.1] == []
    assert story.requests[4.1] == []


def test_nobody_is_ever_deleted_or_made_twice(story: Story) -> None:
    assert not [
        request
        for requests in story.requests.values()
        for request in requests
        if request[0] == "DELETE"
    ]
    marks = [user.get("externalId") for user in story.users[4.1].values()]
    assert len(marks) == len(set(marks))


def test_c27_a_contractor_who_becomes_an_employee_keeps_user_groups_and_manager(
    story: Story,
) -> None:
    before, after = story.user(0, "cora"), story.user(1, "cora")
    assert story.of(1, EMPLOYEE) == {"user link"}
    assert story.of(1, CONTRACTOR) == set()
    assert (after["id"], after["active"], after["externalId"]) == (
        before["id"],
        True,
        f"personio:{EMPLOYEE}",
    )
    assert manager_id(after) == manager_id(before) is not None


def test_c26_two_people_who_swap_their_addresses_do_so_in_one_night(story: Story) -> None:
    assert story.user(1, "olga")["externalId"] == f"personio:{OTHER}"
    assert story.user(1, "otto")["externalId"] == f"personio:{ONE}"
    assert {story.user(1, name)["id"] for name in ("olga", "otto")} == {
        story.user(0, name)["id"] for name in ("olga", "otto")
    }


def test_c12_who_really_has_no_department_any_more_leaves_its_group(story: Story) -> None:
    assert story.of(1, CLEARED) == set()
    assert story.memberships[1] & {f"personio:{CLEARED}"} == set()
    removed = [change for change in story.plans[1] if change[:2] == ("membership", "remove")]
    assert removed == [("membership", "remove", "personio:department:2")]
    assert f"personio:{CLEARED}" in story.memberships[0]


def test_c14_a_status_that_nobody_knows_holds_the_record_back_and_changes_nothing(
    story: Story,
) -> None:
    assert story.quarantine[1][f"personio:{SABBATICAL}"] == "status_is_known"
    assert {tuple(sorted(story.of(night, SABBATICAL))) for night in list(story.nights)[1:]} == {()}
    assert story.user(4.1, "saba") == story.user(0, "saba")


def test_c20_unusual_letters_are_kept_and_invisible_ones_are_not(story: Story) -> None:
    name = story.user(0, "game")["name"]
    assert (name["givenName"], name["familyName"]) == ("Z\u00f6e \U0001f680", "\u05d3\u05d5\u05d3")
    assert story.user(4.1, "game") == story.user(0, "game")


def test_c28_a_rehire_under_a_new_id_gets_the_old_user_back_with_groups_and_manager(
    story: Story,
) -> None:
    assert story.of(1, REHIRED) == {"user deactivate"}
    assert story.of(2.5, REHIRE) >= {"user reactivate"}
    before, after = story.user(0, "rita"), story.user(2.5, "rita")
    assert (after["id"], after["active"], after["externalId"]) == (
        before["id"],
        True,
        f"personio:{REHIRE}",
    )
    assert manager_id(after) == manager_id(before) is not None
    assert f"personio:{REHIRE}" in story.memberships[2.5]


def test_c29_two_employments_of_one_person_make_one_user(story: Story) -> None:
    assert story.of(0, TWO_JOBS) >= {"user create"}
    assert [user.get("externalId") for user in story.users[0].values()].count(
        f"personio:{TWO_JOBS}"
    ) == 1


def test_c32_an_address_of_another_domain_is_skipped_and_counted(story: Story) -> None:
    assert all("pat@partner.example" not in users for users in story.users.values())
    assert story.acme.ask("select hris_ref, scope_rule from core.people where not in_scope") == [
        (f"personio:{PARTNER}", "exclude 1")
    ]


def test_c34_a_rescinded_hire_is_deactivated_and_leaves_nothing_open(story: Story) -> None:
    assert story.of(1, RESCINDED) >= {"user create"}
    assert story.of(2.5, RESCINDED) == {"user deactivate"}
    assert story.user(4.1, "resi")["active"] is False


def test_c25_who_gets_a_leavers_address_waits_and_does_not_inherit(story: Story) -> None:
    assert story.review[4.1] == {f"personio:{NEWCOMER}": "email_belongs_to_another_person"}
    assert story.user(4.1, "l.meyer")["externalId"] == f"personio:{LEFT}"


def test_c23_two_people_with_one_address_are_both_held_back_and_the_user_stays(
    story: Story,
) -> None:
    held = {ref for ref, rule in story.quarantine[1].items() if rule == "email_is_unique"}
    assert held == {f"personio:{TWICE}", "personio:57"}
    assert story.user(1, "twin") == story.user(0, "twin") == story.user(4.1, "twin")


def test_c31_impossible_addresses_are_held_back(story: Story) -> None:
    rules = story.quarantine[1]
    assert (rules["personio:13"], rules["personio:14"]) == ("email_is_present", "email_is_valid")


def test_c33_a_future_hire_is_not_made_before_the_day(story: Story) -> None:
    assert all("sven@nordlicht.example" not in users for users in story.users.values())


def test_c35_the_last_day_ends_where_the_person_works(story: Story) -> None:
    assert [story.of(night, ABROAD) for night in (1, 1.3, 1.4)] == [
        set(),
        set(),
        {"user deactivate"},
    ]
    assert story.user(1.4, "ana")["active"] is False


def test_c36_a_corrected_termination_brings_everything_back(story: Story) -> None:
    assert story.of(1, BACK) == {"user deactivate"}
    assert story.of(1.3, BACK) == {"user reactivate"}
    assert {**story.user(1.3, "bo"), "meta": None} == {**story.user(0, "bo"), "meta": None}


def test_c37_long_leave_changes_nothing(story: Story) -> None:
    assert story.user(4.1, "pia") == story.user(0, "pia")


def test_c38_who_vanished_is_deactivated_after_as_many_reads_and_hours_as_the_company_says(
    story: Story,
) -> None:
    assert [story.of(night, VANISHED) for night in (1, 1.3, 1.4, 2.5, 4)] == [set()] * 4 + [
        {"user deactivate"}
    ]


def test_c40_a_guest_is_never_touched(story: Story) -> None:
    users = [users["guest@elsewhere.example"] for users in story.users.values()]
    assert all(user == users[0] for user in users)
