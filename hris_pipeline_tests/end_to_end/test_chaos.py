"""The fault campaign in its short form, and whether it would notice."""

import random
from collections.abc import Iterator

import pytest

from hris_pipeline.sandbox.deskbird.behaviour import Behaviour
from hris_pipeline_tests.end_to_end.chaos import Allowed, Before, Campaign, _members, campaign
from hris_pipeline_tests.end_to_end.deployment import NIGHT, Ended
from hris_pipeline_tests.end_to_end.oddities import OF_A_NIGHT, Night, World, draw, service

SEED, NIGHTS = 3, 5


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """A company after some nights of faults, kills, and everyday changes."""
    with campaign(tmp_path_factory.mktemp("chaos"), SEED) as made:
        for _ in range(NIGHTS):
            made.one_night()
        yield made


def test_random_nights_under_random_faults_break_no_law(lived: Campaign) -> None:
    report = lived.report
    assert report.violations == []
    assert (report.nights, report.calm) == (NIGHTS, NIGHTS // 4)
    assert report.faults > 0
    assert report.oddities.total() > 0
    assert report.writes > 0


def test_the_campaign_notices_what_breaks_a_law(lived: Campaign) -> None:
    desk, quiet = lived.acme.deskbird.desk, Ended(1, "", "")
    lived.clear()
    lived.tonight, lived.kept_back = Night(lived.service), set()
    before = Before(lived.users(), lived.groups())
    working = [user for user in before.users.values() if user["active"] and user.get("externalId")]
    one, other, third = [user for user in working if not lived.may_go(user["externalId"])][:3]
    group = next(group for group in before.groups.values() if third["id"] in _members(group))
    assert list(lived.laws(before, Ended(-9, "", ""))) == []
    desk.edit(one["id"], {"active": False})
    desk.edit(other["id"], {"externalId": one["externalId"]})
    desk.edit(third["id"], {"displayName": "Otherwise"})
    desk.edit(
        group["id"],
        {"members": [{"value": id_} for id_ in sorted(_members(group) - {third["id"]})]},
    )
    found = set(lived.laws(before, Ended(0, "", "")))
    assert {
        f"2 users for {one['externalId']}",
        f"{one['externalId']} was deactivated without a reason",
        f"it said in line, but {one['externalId']}: twice",
        f"it said in line, but {other['externalId']}: missing",
        f"it said in line, but {third['externalId']}: displayName",
        f"it said in line, but {group['externalId']}: member:{third['externalId']} (not in it)",
        f"{group['externalId']} lost {third['externalId']}, whom HR keeps there",
    } <= found
    assert f"a refusal stopped {third['externalId']}: displayName" in set(lived.laws(before, quiet))
    lived.tonight.refused = {(third["externalId"], "displayName")}
    assert f"a refusal stopped {third['externalId']}: displayName" not in set(
        lived.laws(before, quiet)
    )


def test_faults_are_switched_off_by_name() -> None:
    only, but = Allowed("refused_*,seats"), Allowed("-kill,-personio_*")
    assert (only("refused_user"), only("seats"), only("paging"), only("kill")) == (
        True,
        True,
        False,
        False,
    )
    assert (but("refused_user"), but("kill"), but("personio_status"), but("deskbird_status")) == (
        True,
        False,
        False,
        True,
    )
    with pytest.raises(SystemExit, match="no fault nonsense"):
        Allowed("-nonsense")


def test_what_is_switched_off_leaves_the_other_dice_as_they_are() -> None:
    world = World(["personio:1", "personio:2"], [], ["personio:team:1"], 2, NIGHT)
    drawn = [
        draw(random.Random(5), Behaviour(), world, 12, allowed)
        for allowed in (Allowed(), Allowed("-paging"))
    ]
    assert [name for name in drawn[0].names if name != "paging"] == drawn[1].names
    assert drawn[0].behaviour.refusals == drawn[1].behaviour.refusals


@pytest.mark.parametrize("seed", range(12))
def test_a_service_is_the_same_each_time_and_any_oddity_can_be_drawn(seed: int) -> None:
    assert service(seed, Allowed()) == service(seed, Allowed())
    world = World(["personio:1"], ["personio:9"], ["personio:team:1"], 1, NIGHT)
    for name in OF_A_NIGHT:
        night = Night(Behaviour())
        OF_A_NIGHT[name][1](random.Random(seed), night, world)
        assert night.behaviour != Behaviour() or night.faults
