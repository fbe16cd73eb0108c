"""What a night says of itself: nothing that was lost is called in line, and nothing that no longer
comes is passed over.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from hris_pipeline.sandbox.company import generate
from hris_pipeline.sandbox.deskbird.behaviour import Behaviour
from hris_pipeline.sandbox.faults import Fault
from hris_pipeline_tests.end_to_end.deployment import Deployment, Ended, deployed
from hris_pipeline_tests.end_to_end.test_nightly_files import Night as FileNight

LIST = "/v1/company/employees"


@dataclass
class Story:
    """A company through nights of which each loses something; after each it is put right."""

    acme: Deployment
    nights: dict[str, Ended] = field(default_factory=dict)
    status: dict[str, Ended] = field(default_factory=dict)
    plans: dict[str, str] = field(default_factory=dict)
    writes: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def sync(self, name: str) -> None:
        number = len(self.nights)
        self.acme.forget_requests()
        self.nights[name] = self.acme.sync(night=number)
        self.writes[name] = len(self.acme.writes())
        self.status[name] = self.acme.run("status", "acme", night=number)
        self.plans[name] = self.acme.run("plan", "acme", night=number).out

    def members(self) -> dict[str, int]:
        return {
            group["displayName"]: len(group.get("members") or ())
            for group in self.acme.deskbird.desk.groups()
        }


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    more = {"sync": {"groups": ["team", "department"]}}
    with deployed(tmp_path_factory.mktemp("verdicts"), generate(40), more=more) as acme:
        made = Story(acme)
        tenant = acme.tenant
        made.sync("first")
        acme.personio.add(Fault(LIST, "missing_attribute", times=None, value="department"))
        made.sync("no right to departments")
        acme.personio.clear()
        acme.personio.add(Fault(LIST, "missing_attribute", times=None, value="supervisor"))
        made.sync("no right to supervisors")
        acme.personio.clear()
        made.sync("all rights")
        before = made.members()
        like = tenant.snapshot.persons[3]
        tenant.add(replace(like, id=900, email="new@nordlicht.example", last_name="New"))
        acme.deskbird.behave(Behaviour(add_replaces=True))
        made.sync("add is taken for replace")
        made.facts["lost"] = sum(before.values()) - sum(made.members().values())
        ((made.facts["damage"],),) = acme.ask(
            "select count(*) from state.damage where object = 'membership'"
        )
        acme.deskbird.behave(Behaviour())
        acme.more["guards"] = {"update_attribute": {"max_percent": 1, "from_size": 1}}
        acme.write_file()
        made.sync("the repair is held back")
        acme.more["guards"] = {"update_attribute": None}
        acme.write_file()
        made.facts["repairs"] = acme.run("sync", "acme", "--dry-run", night=5.5).out
        made.sync("the repair")
        made.facts["after"] = {
            name: number - before[name] for name, number in made.members().items()
        }
        yield made


@pytest.mark.parametrize(
    ("night", "what", "word"),
    [
        ("no right to departments", "department", "Department"),
        ("no right to supervisors", "manager", "Supervisor"),
    ],
)
def test_c11_c103_what_came_before_and_comes_for_nobody_is_told_with_the_screen_to_open(
    story: Story, night: str, what: str, word: str
) -> None:
    assert (story.nights[night].code, story.writes[night]) == (3, 0)
    screen = f"Tick '{word}' among the readable attributes of the credential under Settings"
    assert (
        f"attribute_vanished: {what} of connection personio comes for nobody since"
        in story.status[night].out
    )
    for told in (story.status[night].out, story.plans[night], story.nights[night].out):
        assert screen in " ".join(told.split())
    assert (
        f"Not given by the HR system: {what} (personio)."
        in " ".join(story.plans[night].split())[-500:]
    )
    assert story.status[night].code == 3
    assert (story.nights["all rights"].code, story.writes["all rights"]) == (0, 0)
    assert "not given" not in story.status["all rights"].out
    assert "in line with what the HR system gives, which is not all" in story.status[night].out


def test_c112_a_service_that_does_something_else_makes_the_night_red_and_the_repair_comes_first(
    story: Story,
) -> None:
    night = "add is taken for replace"
    assert story.facts["damage"] >= story.facts["lost"] > 0
    assert story.nights[night].code == 1
    assert "deskbird differs from what run" in story.nights[night].err
    assert f"{story.facts['damage']} member" in story.nights[night].err
    assert "not in line: deskbird differs from what a run left" in story.status[night].out
    assert story.status[night].code == 1
    assert story.facts["repairs"].split("\n\n")[1].splitlines()[0].startswith("+ Add ")
    assert ", a repair" in story.facts["repairs"].split("\n\n")[1].splitlines()[0]
    assert story.nights["the repair"].code == 0, story.nights["the repair"].err
    assert sum(story.facts["after"].values()) == 2
    assert "damage" not in story.status["the repair"].out


def test_c112_a_repair_of_our_own_doing_that_a_guard_holds_back_is_not_in_line(
    story: Story,
) -> None:
    night = "the repair is held back"
    assert story.nights[night].code == 3
    assert "repair what a run of ours left otherwise: deskbird is not in line" in story.plans[night]
    assert "not in line" in story.status[night].out
    assert story.acme.ask("select in_line from state.nights order by ended_at")[4:] == [
        (False,),
        (False,),
        (True,),
    ]


def test_c15_c101_c105_a_file_whose_managers_lead_to_nobody_is_told_and_what_it_cannot_have_is_news(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with deployed(tmp_path_factory.mktemp("files"), generate(40)) as acme:
        night = FileNight(acme)
        kinds = night.options["columns"]["groups"]
        night.options["columns"] = {
            **night.options["columns"],
            "groups": {kind: column for kind, column in kinds.items() if kind == "team"},
        }  # fmt: skip
        night.write()
        # cost centres and departments are defaults, and no column has them
        assert acme.sync().code == 0
        status = acme.run("status", "acme").out
        assert (
            "nobody is in a group of kind cost center, department, which sync.groups has by "
            "default" in " ".join(status.split())
        )
        acme.forget_requests()
        column = night.options["columns"]["manager_id"]

        def edit(text: str) -> str:
            lines = text.splitlines()
            at = lines[0].split(";").index(column)
            cells = [line.split(";") for line in lines]
            for row in cells[1:]:
                if len(row) > at and row[at]:
                    row[at] = f"X-{row[at]}"
            return "\r\n".join(";".join(row) for row in cells)

        night.write(edit)
        ended = acme.sync(night=1)
        assert (ended.code, acme.writes()) == (3, [])
        told = " ".join(acme.run("status", "acme", night=1).out.split())
        assert (
            "attribute_vanished: the manager references of connection hr lead to nobody since"
            in told
        )
        assert f"Look at the file's column '{column}'" in told
        night.write(lambda text: text.replace(column, "Boss", 1))  # a renamed column
        renamed = acme.sync(night=2)
        assert (renamed.code, acme.writes()) == (1, [])
        assert f"without the column '{column}'" in renamed.err
        # a new one
        night.write(lambda text: text.replace("\r\n", ";new\r\n").replace(";new", ";New", 1))
        assert acme.sync(night=2).code == 0, acme.sync(night=2).err
        assert acme.writes() == []
        document = json.loads(acme.run("status", "acme", "--format", "json", night=2).out)
        assert (document["not_given"], document["kinds_without_anybody"]) == (
            [],
            ["cost_center", "department"],
        )
