"""Three nights of a small company in which everything happens that makes identity, groups and
reporting lines hard.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from hris_pipeline.sandbox.company import Employment, OrgUnit, Person, Snapshot, Tenant
from hris_pipeline_tests.end_to_end.deployment import Deployment, Ended, deployed, manager_id

FIRST_DAY = dt.date(2020, 1, 1)
UNITS = (
    OrgUnit("team", 1, "Sales"),
    OrgUnit("department", 1, "Sales"),
    OrgUnit("department", 2, "Engineering"),
    OrgUnit("department", 3, "Innovation Lab"),
    OrgUnit("department", 4, "Print Shop"),
)
BOSS, LEADER, ANN, LEFT, UNKNOWN = 1, 2, 10, 40, 99


def person(ref: int, first: str, last: str, email: str, **employment: Any) -> Person:
    usual = {
        "number": 1,
        "status": "ACTIVE",
        "start_date": FIRST_DAY,
        "department": 2,
        "supervisor": BOSS,
    }
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return Person(ref, first, last, email, (Employment(**{**usual, **employment}),), moment, moment)


def people() -> list[Person]:
    gone = {"status": "INACTIVE", "end_date": dt.date(2025, 12, 31)}
    return [
        person(BOSS, "Berta", "Boss", "berta@nordlicht.example", supervisor=None),
        person(LEADER, "Lia", "Leader", "lia@nordlicht.example"),
        person(ANN, "Ann", "Maiden", "ann.maiden@nordlicht.example", team=1),
        person(11, "Same", "Name", "same.name@nordlicht.example"),
        person(12, "Same", "Name", "same.name2@nordlicht.example"),
        person(13, "Jörg", "Groß", " Jo\u0308rg.Gross@Nordlicht.Example ", department=1),
        person(14, "Gus", "Mail", "gus.mail@googlemail.com", department=4),
        person(15, "Hanna", "Hand", "hanna.hand@nordlicht.example"),
        person(LEFT, "Lars", "Left", "lars.left@nordlicht.example", **gone),
        person(21, "Reports", "ToLeft", "to.left@nordlicht.example", supervisor=LEFT),
        person(22, "Reports", "ToUnknown", "to.unknown@nordlicht.example", supervisor=UNKNOWN),
        person(23, "Reports", "ToSelf", "to.self@nordlicht.example", supervisor=23),
        person(24, "Ring", "One", "ring.one@nordlicht.example", supervisor=25),
        person(25, "Ring", "Two", "ring.two@nordlicht.example", supervisor=24),
        person(26, "Waits", "ForManager", "waits@nordlicht.example", supervisor=LEADER),
    ]


class Story:
    """What the three nights said and what they left."""

    def __init__(self, acme: Deployment) -> None:
        self.acme = acme
        self.nights: list[Ended] = []
        self.plans: list[list[tuple[str, str, str | None]]] = []
        self.users: list[dict[str, dict[str, Any]]] = []  # by marker
        self.groups: list[dict[str, dict[str, Any]]] = []
        self.problems: list[dict[str, str | None]] = []  # of reporting lines
        self.writes: list[int] = []

    def night(self) -> None:
        self.acme.forget_requests()
        self.nights.append(self.acme.sync(night=len(self.nights)))
        self.plans.append(self.acme.changes())
        desk = self.acme.deskbird.desk
        self.users.append(
            {str(user.get("externalId") or user["userName"]): user for user in desk.users()}
        )
        self.groups.append(
            {str(group.get("externalId") or group["displayName"]): group for group in desk.groups()}
        )
        self.problems.append(
            dict(self.acme.ask("select person_id, problem from core.manager_graph"))
        )
        self.writes.append(len(self.acme.writes()))

    def user(self, ref: int, night: int) -> dict[str, Any]:
        return self.users[night - 1][f"personio:{ref}"]

    def manager(self, ref: int, night: int) -> str | None:
        """The marker of a user's manager after a night."""
        marks = {user["id"]: mark for mark, user in self.users[night - 1].items()}
        return marks.get(manager_id(self.user(ref, night)))

    def group(self, ref: str, night: int) -> dict[str, Any]:
        return self.groups[night - 1][f"personio:{ref}"]

    def members(self, ref: str, night: int) -> set[str]:
        marks = {user["id"]: mark for mark, user in self.users[night - 1].items()}
        return {
            marks[member["value"]].removeprefix("personio:")
            for member in self.group(ref, night).get("members") or ()
        }

    def of(self, night: int, ref: str) -> set[tuple[str, str]]:
        """What the plan of a night had in mind for a person or a group."""
        return {
            (kind, action)
            for kind, action, whose in self.plans[night - 1]
            if whose == f"personio:{ref}"
        }


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    tenant = Tenant(Snapshot(dt.date(2026, 3, 2), {}, UNITS).with_persons(people()))
    guards = dict.fromkeys(("create_user", "update_attribute", "group_members"))
    with deployed(tmp_path_factory.mktemp("story"), tenant, more={"guards": guards}) as acme:
        desk, told = acme.deskbird.desk, Story(acme)
        desk.add_user("JO\u0308RG.GROSS@nordlicht.example", "Jörg", "Groß")
        desk.add_user("gus.mail@gmail.com", "Gus", "Mail")
        desk.add_user("hanna.hand@nordlicht.example", "Hannah", "Hand")
        desk.add_user("stranger@other.example", "Some", "Stranger")
        told.night()

        tenant.change(ANN, last_name="Married", email="ann.married@nordlicht.example")
        tenant.set_unit(OrgUnit("department", 2, "Engineering & Data"))
        tenant.change(11, department=3)
        tenant.change(14, department=2)
        tenant.add(person(UNKNOWN, "Una", "Known", "una@nordlicht.example", department=1))
        tenant.add(person(5, "Nina", "New", "nina@nordlicht.example", department=1))
        tenant.change(26, supervisor=5)
        tenant.change(23, supervisor=LEADER)
        tenant.change(25, supervisor=BOSS)
        told.night()
        told.night()
        yield told


def test_each_night_ends_in_line(story: Story) -> None:
    assert [ended.code for ended in story.nights] == [0, 0, 0], [
        ended.err for ended in story.nights
    ]
    assert story.acme.ask("select in_line from state.nights") == [(True,)] * 3
    assert story.acme.ask("from core.quarantine") == []


def test_c72_the_third_night_has_nothing_to_do_after_all_that(story: Story) -> None:
    assert story.plans[2] == []
    assert story.writes[2] == 0
    assert story.users[2] == story.users[1]
    assert story.groups[2] == story.groups[1]


def test_c21_a_new_name_and_address_are_one_update_of_the_same_user(story: Story) -> None:
    before, after = story.user(ANN, 1), story.user(ANN, 2)
    assert story.of(2, str(ANN)) == {("user", "update")}
    assert after["id"] == before["id"]
    assert (after["userName"], after["name"]["familyName"]) == (
        "ann.married@nordlicht.example",
        "Married",
    )
    assert [mail["value"] for mail in after["emails"]] == ["ann.married@nordlicht.example"]
    assert str(ANN) in story.members("team:1", 2) & story.members("department:2", 2)


def test_c22_other_ways_to_write_an_address_make_no_second_user(story: Story) -> None:
    addresses = [user["userName"] for user in story.users[2].values()]
    assert (
        len([name for name in addresses if name.lower().endswith("rg.gross@nordlicht.example")])
        == 1
    )
    assert len([name for name in addresses if name.startswith("gus.mail@")]) == 1
    for ref in ("13", "14"):
        assert ("user", "link") in story.of(1, ref)
        assert ("user", "create") not in story.of(1, ref)


def test_c24_a_hand_made_user_with_the_same_address_is_adopted_and_a_stranger_is_not_touched(
    story: Story,
) -> None:
    assert story.of(1, "15") >= {("user", "link"), ("user", "update")}
    assert story.user(15, 1)["name"]["givenName"] == "Hanna"
    stranger = story.users[2]["stranger@other.example"]
    assert stranger.get("externalId") is None
    assert stranger["meta"]["created"] == stranger["meta"]["lastModified"]


def test_c30_two_people_of_one_name_are_two_users(story: Story) -> None:
    one, two = story.user(11, 2), story.user(12, 2)
    assert one["displayName"] == two["displayName"] == "Same Name"
    assert one["id"] != two["id"]
    assert (one["userName"], two["userName"]) == (
        "same.name@nordlicht.example",
        "same.name2@nordlicht.example",
    )


def test_c41_a_group_comes_with_its_first_member_and_stays_when_its_last_one_leaves(
    story: Story,
) -> None:
    assert "personio:department:3" not in story.groups[0]
    assert story.members("department:3", 2) == {"11"}
    assert story.members("department:4", 1) == {"14"}
    assert story.members("department:4", 2) == set()
    assert story.group("department:4", 2)["id"] == story.group("department:4", 1)["id"]


def test_c42_a_renamed_department_is_one_rename_and_nobody_leaves_it(story: Story) -> None:
    assert story.group("department:2", 2)["id"] == story.group("department:2", 1)["id"]
    assert story.group("department:2", 2)["displayName"] == "Engineering & Data"
    # who moved
    assert story.members("department:2", 1) - story.members("department:2", 2) == {"11"}
    assert ("group", "rename") in story.of(2, "department:2")
    assert not {("group", "create"), ("group", "delete")} & story.of(2, "department:2")


def test_c44_a_team_and_a_department_of_one_name_are_two_groups(story: Story) -> None:
    team, department = story.group("team:1", 1), story.group("department:1", 1)
    assert (team["displayName"], department["displayName"]) == ("Sales", "Sales (department)")
    assert (story.members("team:1", 1), story.members("department:1", 1)) == ({str(ANN)}, {"13"})


@pytest.mark.parametrize(("ref", "problem"), [(21, "inactive"), (22, "missing"), (23, "self")])
def test_c47_who_has_an_impossible_manager_is_synced_without_one(
    story: Story, ref: int, problem: str
) -> None:
    assert story.user(ref, 1)["active"]
    assert story.manager(ref, 1) is None
    assert story.problems[0][f"personio:{ref}"] == problem


def test_c47_a_ring_of_managers_is_named_and_its_people_are_synced(story: Story) -> None:
    for ref in (24, 25):
        assert story.user(ref, 1)["active"]
        assert story.problems[0][f"personio:{ref}"] == "cycle"
    assert (story.manager(24, 2), story.manager(25, 2)) == ("personio:25", "personio:1")


def test_c47_the_next_night_heals_what_has_become_possible(story: Story) -> None:
    assert story.manager(22, 2) == f"personio:{UNKNOWN}"
    assert story.manager(23, 2) == f"personio:{LEADER}"
    assert story.manager(21, 3) is None
    assert {ref: problem for ref, problem in story.problems[2].items() if problem} == {
        "personio:21": "inactive"
    }


def test_c48_a_manager_who_is_created_in_the_same_night_is_set_in_that_night(story: Story) -> None:
    assert story.manager(26, 1) == f"personio:{LEADER}"
    assert ("user", "create") in story.of(2, "5")
    assert story.manager(26, 2) == "personio:5"
