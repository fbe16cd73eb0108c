"""What a person's row was on any night: kept when it changed, and only then."""

import datetime as dt
import json

import pytest
from plan.world import World

DAY = dt.timedelta(days=1)


@pytest.fixture
def world():
    world = World()
    world.hire("1", "2", manager_id="1", groups=(world.unit("team", "1", "Sales"),))
    return world


def night(world, *, later=DAY):
    """People are read and built; how many have another row than before."""
    with world.warehouse.write() as con:
        world.extract(con)
        counts = world.derive(con)
    world.now += later
    return counts.changed


def rows(world, person="p:2"):
    """(attributes or None of a night on which the person was gone) of each night."""
    query = (
        f"select attributes::varchar, gone from state.people_history where person_id = '{person}' "
        "order by seen_at"
    )
    found = world.query(query)
    assert all((text is None) == gone for text, gone in found)
    return [None if gone else json.loads(text) for text, gone in found]


def test_a_row_is_kept_for_each_person_and_none_on_a_night_without_a_change(world):
    assert night(world) == 2
    assert night(world) == night(world) == 0
    (row,) = rows(world)
    assert row == {
        "hris_ref": "p:2",
        "email": "2@acme.test",
        "given_name": "Given",
        "family_name": "Family",
        "status": "active",
        "start_date": "2020-01-01",
        "manager_ref": "p:1",
        "timezone": "Europe/Berlin",
        "in_scope": True,
        "wanted": True,
        "group_refs": ["p:team:1"],
        "other_refs": [],
    }


def test_only_who_changed_gets_another_row_and_since_when_is_one_query(world):
    night(world)
    world.people["2"].status = "inactive"
    ended = world.now
    assert night(world) == 1
    night(world)
    (since,) = world.query(
        "select min(seen_at) from state.people_history where person_id = 'p:2' and "
        "attributes->>'status' = 'ended'"
    )
    assert since == (ended,)
    assert [row["status"] for row in rows(world)] == ["active", "ended"]
    assert len(rows(world, "p:1")) == 1


def test_who_is_gone_has_a_row_without_values_and_another_one_when_back(world):
    night(world)
    gone = world.people.pop("2")
    assert night(world) == 1
    assert night(world) == 0
    world.people["2"] = gone
    assert night(world) == 1
    first, between, back = rows(world)
    assert between is None
    assert back == first


def test_the_day_that_ends_an_employment_makes_a_row_though_the_record_is_the_same(world):
    world.people["2"].end_date = "2026-03-02"
    assert night(world) == 2
    assert night(world) == 1
    assert [(row["status"], row["wanted"]) for row in rows(world)] == [
        ("active", True),
        ("ended", False),
    ]


def test_the_same_night_once_more_replaces_what_it_kept(world):
    night(world)
    world.people["2"].family_name = "Second"
    night(world, later=dt.timedelta())
    world.people["2"].family_name = "Third"
    night(world, later=dt.timedelta())
    assert [row["family_name"] for row in rows(world)] == ["Family", "Third"]
    world.people["2"].family_name = "Family"
    night(world)
    assert [row["family_name"] for row in rows(world)] == ["Family"]


def test_who_came_and_went_in_one_night_leaves_nothing(world):
    night(world)
    world.hire("3")
    night(world, later=dt.timedelta())
    del world.people["3"]
    night(world)
    assert rows(world, "p:3") == []


def test_who_is_gone_and_back_in_the_same_night_was_never_gone(world):
    night(world)
    gone = world.people.pop("2")
    night(world, later=dt.timedelta())
    world.people["2"] = gone
    night(world)
    assert len(rows(world)) == 1


def test_a_company_without_changes_is_kept_once(world):
    for _ in range(3):
        night(world)
    assert world.query("from state.people_past") == []
    assert len(world.query("from state.people_since")) == 1


def test_a_lost_past_begins_anew(world):
    night(world)
    world.lose_state()
    world.people["2"].family_name = "Other"
    lost = world.now
    assert night(world) == 1
    assert [row["family_name"] for row in rows(world)] == ["Other"]
    assert world.query("select distinct seen_at from state.people_history") == [(lost,)]


def test_what_the_hris_kept_to_itself_is_no_change(world):
    night(world)
    world.people["2"].absent = ("manager_id",)
    world.people["2"].manager_id = "1"
    assert night(world) == 0


def test_a_person_is_forgotten_by_their_id_alone(world):
    night(world)
    world.people["2"].family_name = "Second"
    night(world)
    for table in ("core.people", "state.people_past", "state.people_since"):
        world.execute(f"delete from {table} where person_id = 'p:2'")
    assert "2@acme.test" not in str(world.query("from state.people_history"))
