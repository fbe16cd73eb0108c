"""The fault campaign in its short form, and whether it would notice."""

from collections.abc import Iterator

import pytest

from hris_pipeline_tests.end_to_end.chaos import Campaign, campaign

SEED, NIGHTS = 2, 5


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
    assert report.writes > 0


def test_the_campaign_notices_what_breaks_a_law(lived: Campaign) -> None:
    desk = lived.acme.deskbird.desk
    before = {user["id"]: user for user in desk.users()}
    ours = [user for user in before.values() if user["active"] and user.get("externalId")]
    one, other = [user for user in ours if not lived.may_go(user["externalId"])][:2]
    assert list(lived.laws(before)) == []
    desk.edit(one["id"], {"active": False})
    desk.edit(other["id"], {"externalId": one["externalId"]})
    assert list(lived.laws(before)) == [
        f"2 users for {one['externalId']}",
        f"{one['externalId']} was deactivated without a reason",
    ]
