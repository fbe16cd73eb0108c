"""Nights on which HR, the company file or deskbird itself is wrong: what is held back, what is not,
and how it is released.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from hris_pipeline.sandbox.company import generate
from hris_pipeline.sandbox.faults import Fault
from hris_pipeline_tests.end_to_end.deployment import Deployment, Ended, content, deployed

LIST = "/v1/company/employees"
PEOPLE = 60


@dataclass
class Night:
    """What one night did."""

    ended: Ended
    writes: int
    held: dict[str, int]  # by guard: rows of the plan
    active: int  # users of ours in deskbird afterwards


@dataclass
class Story:
    """A company through one dangerous night after another; after each of them everything is put
    right again.
    """

    acme: Deployment
    nights: dict[str, Night] = field(default_factory=dict)
    number: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    def sync(self, name: str) -> Night:
        self.number += 1
        self.acme.forget_requests()
        ended = self.acme.sync(night=self.number)
        held = self.acme.ask(
            "select guard, count(*) from deskbird.changes where verdict = 'blocked' group by all"
        )
        active = sum(
            bool(user.get("externalId") and user["active"])
            for user in self.acme.deskbird.desk.users()
        )
        self.nights[name] = Night(ended, len(self.acme.writes()), dict(held), active)
        return self.nights[name]

    def run(self, *words: str) -> Ended:
        return self.acme.run(*words, night=self.number)

    def plan_id(self) -> str:
        ((found,),) = self.acme.ask("select distinct plan_id from deskbird.changes")
        return str(found)

    def staff(self) -> list[int]:
        """Who works here, but for the top two."""
        persons = self.acme.tenant.snapshot.persons.values()
        return [
            p.id
            for p in persons
            if p.id > 2 and p.current and p.current.status == "ACTIVE" and not p.current.end_date
        ]

    def leave(self, *refs: int) -> None:
        for ref in refs:
            self.acme.tenant.change(ref, status="INACTIVE")

    def come_back(self, *refs: int) -> None:
        for ref in refs:
            self.acme.tenant.change(ref, status="ACTIVE")

    def company_file(self, sections: Mapping[str, Any]) -> None:
        """Write the company file with other sections for the nights that follow."""
        self.acme.more = {"sync": {"groups": ["team", "department"]}, **sections}
        self.acme.write_file()


def too_many_leave(story: Story) -> None:
    """Case 70, and case 68 at the limit."""
    one, *others = story.staff()
    story.leave(*others[:6])
    story.acme.tenant.change(one, last_name="Renamed")
    story.sync("six of sixty leave")
    story.come_back(*others[:6])
    story.sync("HR takes it back")


def the_window(story: Story) -> None:
    """Case 69: five pass, and two nights later five more do not."""
    some = story.staff()
    story.leave(*some[:5])
    story.sync("five leave")
    story.leave(*some[5:8])
    story.sync("three more leave")
    story.come_back(*some[:8])
    story.sync("they come back")


def a_reorganisation(story: Story) -> None:
    """Case 49."""
    units = [unit.id for unit in story.acme.tenant.snapshot.of_kind("department")]
    for ref in story.staff()[:40]:
        job = story.acme.tenant.snapshot.persons[ref].current
        assert job is not None
        story.acme.tenant.change(
            ref, department=units[0] if job.department != units[0] else units[1]
        )
    story.sync("a reorganisation")
    story.facts["approved"] = story.run(
        "approve", "acme", story.plan_id(), "--because", "it is meant"
    )
    story.sync("the reorganisation, approved")


def somebody_is_protected(story: Story) -> None:
    """Case 39."""
    guarded, frozen, other = story.staff()[:3]
    story.company_file({"protected": [f"personio:{guarded}"], "frozen": [f"personio:{frozen}"]})
    story.leave(guarded, other)
    story.acme.tenant.change(frozen, last_name="Otherwise")
    story.sync("a protected person leaves")
    story.facts["protected"] = [story.acme.user(ref)["active"] for ref in (guarded, frozen, other)]
    story.facts["frozen"] = story.acme.user(frozen)["name"]["familyName"]
    story.company_file({})
    story.come_back(guarded, other)
    story.sync("nobody is protected")


def rights_are_lost(story: Story) -> None:
    """Cases 11 and 4."""
    for name, fault in {
        "the right to departments is gone": Fault(
            LIST, "missing_attribute", times=None, value="department"
        ),
        "departments are empty for all": Fault(
            LIST, "null_attribute", times=None, value="department"
        ),
        "the list moves while it is read": Fault(LIST, "shift", times=None),
    }.items():
        story.acme.personio.add(fault)
        story.sync(name)
        story.acme.personio.clear()


def the_file_is_misspelt(story: Story) -> None:
    """Case 76."""
    story.company_file(
        {
            "sync": {
                "groups": ["team", "department"],
                "scope": {"include": [{"department": "Salse"}]},
            }
        }
    )
    story.sync("nobody is in scope")
    story.company_file({})


def hands_in_deskbird(story: Story) -> None:
    """Case 64."""
    one, other = story.staff()[:2]
    for ref in (one, other):
        story.acme.tenant.change(ref, last_name="Planned")
    story.acme.sync("--dry-run", night=story.number)
    story.acme.deskbird.desk.edit(story.acme.user(one)["id"], {"displayName": "By Hand"})
    story.facts["apply"] = story.run("apply", "acme", "--plan", story.plan_id())
    story.facts["outcomes"] = sorted(
        story.acme.ask(
            "select c.hris_ref, a.outcome from deskbird.applied_changes a join deskbird.changes c "
            "using (plan_id, seq)"
        )
    )
    story.facts["stale"] = [(f"personio:{one}", "stale"), (f"personio:{other}", "applied")]
    story.sync("after hands in deskbird")


def what_was_done_is_undone(story: Story) -> None:
    """Case 78."""
    one = story.staff()[0]
    before = content(story.acme.deskbird.desk)
    story.acme.tenant.change(one, last_name="Mistaken", email="mistaken@nordlicht.example")
    story.sync("a mistake")
    plan_id = story.plan_id()
    story.facts["undo"] = story.run("undo", "acme", plan_id)
    story.facts["undone"] = story.run("apply", "acme", "--plan", story.plan_id())
    story.facts["as before"] = content(story.acme.deskbird.desk) == before
    story.sync("what was undone stays so")
    story.acme.tenant.change(one, last_name="Right", email="right@nordlicht.example")
    story.sync("HR puts it right")


def files_are_lost(story: Story) -> None:
    """Cases 74 and 75."""
    new = replace(
        story.acme.tenant.snapshot.persons[3],
        id=900,
        email="late@nordlicht.example",
        last_name="Late",
    )
    backup = {user["id"]: user for user in story.acme.deskbird.desk.users()}
    story.acme.tenant.add(new)
    gone, renamed = story.staff()[:2]
    story.leave(gone)
    story.acme.tenant.change(renamed, last_name="Later")
    story.sync("an ordinary night")
    # deskbird is restored from the backup of the night before
    for user in story.acme.deskbird.desk.users():
        if user["id"] not in backup:
            story.acme.deskbird.desk.remove(user["id"])
        else:
            old = backup[user["id"]]
            story.acme.deskbird.desk.edit(
                user["id"], {name: old[name] for name in ("active", "displayName", "name")}
            )
    story.sync("deskbird from a backup")
    story.facts["restored"] = [story.acme.user(ref)["active"] for ref in (900, gone)]
    for file in Path(story.acme.data).glob("acme*.duckdb*"):
        file.unlink()
    story.leave(story.staff()[0])
    story.sync("the state is lost")
    story.sync("the night after the loss")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with deployed(tmp_path_factory.mktemp("dangerous"), generate(PEOPLE)) as acme:
        made = Story(acme)
        made.company_file({})
        made.sync("first")
        for chapter in (
            too_many_leave,
            the_window,
            a_reorganisation,
            somebody_is_protected,
            rights_are_lost,
            the_file_is_misspelt,
            hands_in_deskbird,
            what_was_done_is_undone,
            files_are_lost,
        ):
            chapter(made)
            made.number += 8  # so that no window reaches from one chapter into the next
        yield made


def held(story: Story, name: str) -> tuple[int, set[str]]:
    """The exit code of a night and the guards that held something back in it."""
    night = story.nights[name]
    return night.ended.code, set(night.held)


def test_c68_c70_one_leaver_too_many_holds_all_leavers_and_nothing_else(story: Story) -> None:
    assert held(story, "six of sixty leave") == (3, {"deactivate_user"})
    assert story.nights["six of sixty leave"].held == {"deactivate_user": 6}
    assert story.nights["six of sixty leave"].writes == 1  # the change of name
    assert held(story, "HR takes it back") == (0, set())
    assert story.nights["HR takes it back"].writes == 0
    assert held(story, "five leave") == (0, set())
    assert story.nights["five leave"].active == story.nights["first"].active - 5


def test_c69_many_small_nights_are_stopped_by_the_window(story: Story) -> None:
    assert held(story, "three more leave") == (3, {"deactivate_user"})
    assert story.nights["three more leave"].writes == 0
    assert story.nights["they come back"].active == story.nights["first"].active


def test_c49_a_reorganisation_waits_for_one_approval_and_is_then_carried_out_whole(
    story: Story,
) -> None:
    assert held(story, "a reorganisation") == (3, {"update_attribute"})
    assert story.nights["a reorganisation"].writes == 0
    assert story.facts["approved"].code == 0
    assert held(story, "the reorganisation, approved") == (0, set())
    # the two departments exchange people: whoever leaves the first one has joined the second one
    # before
    assert story.nights["the reorganisation, approved"].writes == 3


def test_c39_whom_the_company_file_protects_is_never_deactivated_and_who_is_frozen_never_changed(
    story: Story,
) -> None:
    assert held(story, "a protected person leaves") == (3, {"protected", "frozen"})
    assert story.facts["protected"] == [True, True, False]
    assert story.facts["frozen"] != "Otherwise"
    assert held(story, "nobody is protected") == (0, set())


def test_c11_an_attribute_that_nobody_has_any_more_clears_nothing(story: Story) -> None:
    for name, code, guards in (
        # unknown is not empty: nothing is wanted, and it is told
        ("the right to departments is gone", 3, set()),
        ("departments are empty for all", 3, {"attribute_vanished"}),
    ):
        assert held(story, name) == (code, guards)
        assert story.nights[name].writes == 0


def test_c04_a_list_that_moves_while_it_is_read_costs_nobody_their_access(story: Story) -> None:
    assert held(story, "the list moves while it is read") == (0, set())
    assert story.nights["the list moves while it is read"].active == story.nights["first"].active


def test_c76_a_scope_that_is_about_nobody_is_a_mistake_and_no_mass_deactivation(
    story: Story,
) -> None:
    assert held(story, "nobody is in scope") == (3, {"scope_lost"})
    assert story.nights["nobody is in scope"].writes == 0


def test_c64_what_was_changed_by_hand_since_the_plan_is_stale_and_the_rest_is_done(
    story: Story,
) -> None:
    assert story.facts["apply"].code == 1
    assert set(story.facts["stale"]) <= set(story.facts["outcomes"])
    assert held(story, "after hands in deskbird") == (0, set())
    assert story.nights["after hands in deskbird"].writes == 1


def test_c78_what_was_undone_is_as_it_was_and_stays_so_until_hr_says_otherwise(
    story: Story,
) -> None:
    assert (story.facts["undo"].code, story.facts["undone"].code) == (2, 0)
    assert story.facts["as before"]
    assert held(story, "what was undone stays so") == (3, {"undone"})
    assert story.nights["what was undone stays so"].writes == 0
    assert held(story, "HR puts it right") == (0, set())
    assert story.nights["HR puts it right"].writes == 1


def test_c75_a_deskbird_from_an_old_backup_is_brought_in_line_again(story: Story) -> None:
    assert held(story, "deskbird from a backup") == (0, set())
    assert story.nights["deskbird from a backup"].writes == story.nights["an ordinary night"].writes
    assert story.facts["restored"] == [True, False]


def test_c74_with_its_state_lost_it_finds_everybody_again_and_deactivates_nobody_in_the_first_night(
    story: Story,
) -> None:
    lost = story.nights["the state is lost"]
    assert (lost.ended.code, lost.held, lost.writes) == (3, {"first_contact": 1}, 0)
    assert (
        story.nights["the night after the loss"].ended.code,
        story.nights["the night after the loss"].writes,
    ) == (0, 1)


@pytest.mark.parametrize(("invited", "waits"), [(5, False), (30, True)])
def test_c79_a_deskbird_that_is_full_of_users_is_reported_on_before_it_is_touched(
    tmp_path: Path, invited: int, waits: bool
) -> None:
    with deployed(tmp_path, generate(40)) as acme:
        persons = [
            person
            for person in acme.tenant.snapshot.persons.values()
            if person.current and person.email
        ]
        for person in persons[:invited]:
            acme.deskbird.desk.add_user(str(person.email), person.first_name, person.last_name)
        stranger = acme.deskbird.desk.add_user("guest@elsewhere.example", "Gus", "Guest")
        assert acme.sync().code == (3 if waits else 0)
        assert bool(acme.writes()) is not waits
        if waits:
            told = acme.run("plan", "acme").out
            assert (
                "  0 carry our marker already, 30 would be linked by their e-mail address.\n"
                in told
            )
            assert (
                "  BLOCKED  first_contact (users that are not ours): 31, limit 25. It holds back "
                "200 changes.\n" in told
            )
            ((plan_id,),) = acme.ask("select distinct plan_id from deskbird.changes")
            assert acme.run("approve", "acme", str(plan_id)).code == 0
            assert acme.sync().code == 0
        users = acme.deskbird.desk.users()
        assert len(users) == len({user["userName"] for user in users})
        assert sum(bool(user.get("externalId")) for user in users) == len(users) - 1
        (guest,) = [user for user in users if user["id"] == stranger]
        assert guest["active"]
        assert "externalId" not in guest
