"""The read-back is the judge: whatever deskbird did beside what was asked makes the night red and
is repaired first.
"""

import json
from typing import Any

import pytest
from plan.world import GUARDS, UNGUARDED, World

from hris_pipeline import plan
from hris_pipeline.contracts.writes import Result, Write


class Obstinate(World):
    """A deskbird that does something else than it is asked."""

    replaces_members = False
    clears: str | None = None

    def _write_group(self, write: Write, group_id: str | None, ids: dict[str, str]) -> Result:
        before = set(self.groups[group_id].members) if group_id in self.groups else set()
        result = super()._write_group(write, group_id, ids)
        if self.replaces_members and write.kind == "update_group" and write.add:
            self.groups[group_id or ""].members -= before
        return result

    def _write_user(self, write: Write, user_id: str | None, ids: dict[str, str]) -> Result:
        result = super()._write_user(write, user_id, ids)
        if self.clears and write.kind == "update_user" and result.deskbird_id:
            setattr(self.users[result.deskbird_id], self.clears, None)
        return result


@pytest.fixture(scope="module")
def settled() -> Obstinate:
    """Twenty people in a team, in line."""
    world = Obstinate(guards=UNGUARDED)
    team = world.unit("team", "s", "Sales")
    world.hire(*(f"{n:02}" for n in range(20)), groups=(team,))
    world.people["01"].manager_id = "00"
    world.settle()
    return world


@pytest.fixture
def world(settled: Obstinate) -> Obstinate:
    return settled.copy()


def hire_one(world: World) -> None:
    world.hire("new", groups=(("team", "s"),))


def repairs(world: World) -> list[dict[str, Any]]:
    return [row for row in world.rows() if "damage" in json.loads(str(row["evidence"]))]


def test_c112_members_that_a_replace_took_out_make_the_night_red_and_come_back_first(
    world: Obstinate,
) -> None:
    world.replaces_members = True
    for form in ("members_add", "user_update.replace"):
        world.execute(
            "insert into state.dialects (form, dialect, learnt_at) values (?, 'rfc', now())",
            [form],
        )
    hire_one(world)
    _, applied, night = world.night()
    assert world.query("select form from state.dialects where doubts > 0") == [("members_add",)]
    assert (applied.failed, night.in_line, night.damage.kinds) == (0, False, {"member": 20})
    assert "20 members" in night.damage.sentence("acme")
    world.replaces_members = False
    summary = world.make_plan()
    assert (summary.changes, len(repairs(world))) == (20, 20)
    assert json.loads(str(world.rows()[0]["evidence"]))["damage"]["run_id"] == "run"
    applied, night = world.apply()
    assert (applied.applied, night.in_line, night.damage.count) == (20, True, 0)
    assert len(world.group_of("team", "s").members) == 21
    assert world.make_plan().changes == 0


def test_c112_what_a_guard_holds_back_after_our_own_write_is_never_in_line(
    world: Obstinate,
) -> None:
    world.replaces_members = True
    hire_one(world)
    world.night()
    world.replaces_members = False
    world.guard("update_attribute", GUARDS["update_attribute"])
    world.base(20)
    for _ in range(2):
        summary, applied, night = world.night()
        assert (summary.blocked, applied.applied) == (20, 0)
        assert (night.left, night.in_line, night.held_of_ours) == (0, False, 20)
    with world.warehouse.write() as con:
        plan.approve(
            con, summary.plan_id, only=None, because=None, by="me", now=world.now, hours=72
        )
    _, applied, night = world.night()
    assert (applied.applied, night.in_line, night.held_of_ours) == (20, True, 0)


def test_c112_a_value_that_is_cleared_beside_the_one_that_was_written_is_seen(
    world: Obstinate,
) -> None:
    world.clears = "manager"
    world.people["01"].family_name = "New"
    _, applied, night = world.night()
    assert (applied.failed, night.in_line, night.damage.kinds) == (0, False, {"manager": 1})
    world.clears = None
    summary = world.make_plan()
    assert [(row["object"], row["action"]) for row in repairs(world)] == [("manager", "set")]
    assert summary.changes == 1
    assert world.apply()[1].in_line


def test_c112_strangers_whom_our_write_took_out_are_seen_though_no_plan_brings_them_back(
    world: Obstinate,
) -> None:
    stranger = world.stranger("guest@elsewhere.test")
    world.group_of("team", "s").members.add(stranger.id)
    world.replaces_members = True
    hire_one(world)
    _, _, night = world.night()
    assert night.damage.kinds == {"member": 21}
    world.replaces_members = False
    assert world.night()[2].in_line
    assert world.query("select count(*) from state.damage where ended_at is null") == [(0,)]


def test_c112_what_was_accepted_and_ignored_and_that_the_window_holds_back_now_is_not_in_line(
    world: Obstinate,
) -> None:
    world.ignored = {"active"}
    world.guard(
        "deactivate_user",
        {"max_percent": 100, "max_count": 0, "window_days": 7, "window_percent": 40},
    )
    for n in range(2, 8):
        world.people[f"{n:02}"].status = "inactive"
    assert world.make_plan().blocked == 0  # 6 of 20
    applied, night = world.apply()
    assert (applied.applied, night.left, night.blocked, night.held_of_ours, night.in_line) == (
        6,
        0,
        6,
        6,
        False,
    )


@pytest.mark.parametrize("members_readable", [True, False])
def test_a_night_that_did_what_was_asked_has_no_damage(members_readable: bool) -> None:
    world = World(guards=UNGUARDED, members_readable=members_readable)
    teams = world.unit("team", "a", "A"), world.unit("team", "b", "B")
    world.hire(*"123456", groups=(teams[0],))
    world.settle()
    for one, other in ("12", "34"):
        world.people[one].email, world.people[other].email = (
            world.people[other].email,
            world.people[one].email,
        )
    world.people["5"].groups, world.people["6"].status, world.people["2"].manager_id = (
        (teams[1],),
        "inactive",
        "1",
    )
    world.units["team", "a"] = "Alpha"
    world.hire("7", manager_id="1", groups=(teams[1],))
    _, _, night = world.night()
    assert (night.in_line, night.damage.count) == (True, 0)
    assert world.query("from state.damage") == []
    assert world.query("from state.before_writes") == []
