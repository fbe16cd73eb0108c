"""The guards, to the letter of the design: what trips them, what they block, and what they leave
alone.
"""

import datetime as dt
import json
from typing import Any

import pytest
from plan.world import GUARDS, UNGUARDED, World

from hris_pipeline import plan
from hris_pipeline.plan.guards import Judgement, Situation

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


# --- the arithmetic of the limits -----------------------------------------------------------------

LIMITS: list[tuple[str, dict[str, Any] | None, int, int, int, bool]] = [
    # guard, limits, base, count, applied in the window, trips
    ("deactivate_user", GUARDS["deactivate_user"], 10, 1, 0, False),  # one leaver of ten passes
    ("deactivate_user", GUARDS["deactivate_user"], 1000, 40, 0, False),  # and so do 40 of 1,000
    ("deactivate_user", GUARDS["deactivate_user"], 1000, 50, 0, False),  # at the limit
    ("deactivate_user", GUARDS["deactivate_user"], 1000, 51, 0, True),
    # half of them, but five always pass
    ("deactivate_user", GUARDS["deactivate_user"], 10, 5, 0, False),
    ("deactivate_user", GUARDS["deactivate_user"], 10, 6, 0, True),
    ("deactivate_user", GUARDS["deactivate_user"], 0, 5, 0, False),
    ("deactivate_user", GUARDS["deactivate_user"], 0, 6, 0, True),
    # max_hard trips by itself
    ("deactivate_user", GUARDS["deactivate_user"], 100_000, 100, 0, False),
    ("deactivate_user", GUARDS["deactivate_user"], 100_000, 101, 0, True),
    ("deactivate_user", {**GUARDS["deactivate_user"], "max_hard": None}, 100_000, 101, 0, False),
    ("deactivate_user", {"max_percent": 0, "max_count": 0}, 10, 0, 0, False),
    ("deactivate_user", {"max_percent": 0, "max_count": 0}, 10, 1, 0, True),
    ("deactivate_user", {"max_percent": 100, "max_count": 0}, 10, 10, 0, False),
    ("deactivate_user", {"max_percent": 100, "max_count": 0, "max_hard": 0}, 10, 1, 0, True),
    # the window: 100 of 1,000 in seven days
    ("deactivate_user", GUARDS["deactivate_user"], 1000, 40, 60, False),
    ("deactivate_user", GUARDS["deactivate_user"], 1000, 40, 61, True),
    # 25 %, but not more than max_count
    ("deactivate_user", GUARDS["deactivate_user"], 20, 3, 2, False),
    ("deactivate_user", GUARDS["deactivate_user"], 20, 3, 3, True),
    # nothing planned, nothing to block
    ("deactivate_user", GUARDS["deactivate_user"], 20, 0, 10, False),
    (
        "deactivate_user",
        {**GUARDS["deactivate_user"], "window_percent": None},
        1000,
        40,
        61,
        False,
    ),
    # off below ten people: a first sync is no mass creation
    ("create_user", GUARDS["create_user"], 0, 500, 0, False),
    ("create_user", GUARDS["create_user"], 9, 500, 0, False),
    ("create_user", GUARDS["create_user"], 10, 25, 0, False),
    ("create_user", GUARDS["create_user"], 10, 26, 0, True),
    ("create_user", GUARDS["create_user"], 130, 26, 0, False),  # exactly 20 %
    ("create_user", GUARDS["create_user"], 129, 26, 0, True),
    ("link_user", GUARDS["link_user"], 0, 25, 0, False),
    ("link_user", GUARDS["link_user"], 0, 26, 0, True),
    ("link_user", GUARDS["link_user"], 130, 26, 0, False),
    ("update_attribute", GUARDS["update_attribute"], 9, 9, 0, False),
    ("update_attribute", GUARDS["update_attribute"], 10, 3, 0, False),
    ("update_attribute", GUARDS["update_attribute"], 10, 4, 0, True),
    ("deactivate_user", None, 10, 10, 0, False),  # null switches off
]


@pytest.mark.parametrize(("guard", "limits", "base", "count", "applied", "trips"), LIMITS)
def test_c68_at_the_limit_it_passes_and_one_more_trips(
    guard: str, limits: dict[str, Any] | None, base: int, count: int, applied: int, trips: bool
) -> None:
    con: Any = None
    judgement = Judgement(con, {guard: limits}, Situation(base, False, NOON, ()))
    assert judgement.trips(guard, count, extra=applied)[0] is trips


# --- a company of a hundred -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def hundred() -> World:
    """A hundred people, the first of them the manager of all, in two teams of fifty and one
    department; all in line.
    """
    world = World(guards=UNGUARDED)
    teams = world.unit("team", "a", "Alpha"), world.unit("team", "b", "Beta")
    everybody = world.unit("department", "e", "Everybody")
    for n in range(100):
        world.hire(f"{n:02}", manager_id="00" if n else None, groups=(teams[n % 2], everybody))
    world.settle()
    world.rule(guards=GUARDS)
    return world


@pytest.fixture
def world(hundred: World) -> World:
    return hundred.copy()


def people(world: World, count: int, start: int = 1) -> list[Any]:
    return [world.people[f"{n:02}"] for n in range(start, start + count)]


def types_held(world: World) -> dict[str, tuple[set[str], int]]:
    """For each blocked type of change: by which guards, and how many."""
    found: dict[str, tuple[set[str], int]] = {}
    for row in world.rows():
        if row["verdict"] == "blocked":
            guards, count = found.get(f"{row['object']} {row['action']}", (set(), 0))
            found[f"{row['object']} {row['action']}"] = (guards | {row["guard"]}, count + 1)
    return found


def test_the_base_is_the_number_of_managed_users_when_the_last_night_ended_in_line(
    world: World,
) -> None:
    assert world.query("select managed, in_line from state.nights") == [(100, True)]
    world.stranger("guest@elsewhere.test")
    for person in people(world, 6):
        person.status = "inactive"
    (verdict,) = world.make_plan().guards
    assert (verdict.guard, verdict.count, verdict.base, verdict.tripped) == (
        "deactivate_user",
        6,
        100,
        True,
    )


def test_c70_only_the_type_that_tripped_is_blocked_and_what_needs_it_is_not_counted(
    world: World,
) -> None:
    for person in people(world, 6):
        person.status = "inactive"
    people(world, 1, 10)[0].family_name = "New"
    world.hire("new", manager_id="00", groups=(("team", "a"),))
    world.make_plan()
    assert types_held(world) == {"user deactivate": ({"deactivate_user"}, 6)}
    applied, night = world.apply()
    assert (applied.applied, applied.blocked, night.in_line, night.blocked) == (4, 6, True, 6)
    assert all(user.active for user in world.users.values())


def test_creations_that_are_too_many_hold_back_what_needs_them_and_nothing_else(
    world: World,
) -> None:
    law = world.unit("team", "l", "Law")
    ids = [f"new{n}" for n in range(26)]
    world.hire(*ids, manager_id="00", groups=(("team", "a"), law))
    world.people["02"].manager_id = "new0"  # needs a blocked one
    world.people["03"].manager_id = "04"
    world.make_plan()
    assert types_held(world) == {
        "user create": ({"create_user"}, 26), "manager set": ({"create_user"}, 27),
        "membership add": ({"create_user"}, 52), "group create": ({"create_user"}, 1),
    }  # fmt: skip
    assert [row["hris_ref"] for row in world.rows() if row["verdict"] == "planned"] == ["p:03"]
    del world.people["new25"]
    assert world.make_plan().blocked == 0


def test_links_that_are_too_many_hold_back_what_belongs_to_them_and_are_counted_once(
    world: World,
) -> None:
    ids = [f"new{n:02}" for n in range(40)]
    world.hire(*ids, manager_id="00", groups=(("team", "a"),))
    for id_ in ids:
        world.stranger(f"{id_}@acme.test", display_name="Else", family_name="Else")
    # 40 memberships that come with a link are not his 31st
    world.people["03"].groups = (("team", "a"), ("department", "e"))
    world.people["03"].family_name = "New"
    summary = world.make_plan()
    assert {verdict.guard for verdict in summary.tripped} == {"link_user"}
    assert {guard for guards, _ in types_held(world).values() for guard in guards} == {"link_user"}
    assert {row["hris_ref"] for row in world.rows() if row["verdict"] == "planned"} == {"p:03"}
    world.rule(guards=UNGUARDED | {"link_user": {"max_percent": 20, "max_count": 40}})
    assert world.make_plan().blocked == 0


def test_each_attribute_is_judged_alone_and_counts_people(world: World) -> None:
    for person in people(world, 31):
        person.family_name = "New"  # and with it the display name
    for person in people(world, 30, 20):
        person.given_name = "Else"
    world.make_plan()
    held = [row for row in world.rows() if row["verdict"] == "blocked"]
    assert {tuple(sorted(json_keys(row["after"]))) for row in held} == {
        ("display_name", "family_name")
    } | {("display_name",)}
    assert len(held) == 49
    free = [row for row in world.rows() if row["verdict"] == "planned"]
    assert {tuple(json_keys(row["after"])) for row in free} == {("given_name",)}
    assert len(free) == 30


def json_keys(text: str) -> list[str]:
    return list(json.loads(text))


def test_a_user_name_is_the_address_too(world: World) -> None:
    for person in people(world, 31):
        person.email = f"new.{person.email}"
    summary = world.make_plan()
    assert {(verdict.subject, verdict.count) for verdict in summary.guards} == {("email", 31)}
    assert types_held(world) == {"user update": ({"update_attribute"}, 31)}
    world.writes.clear()
    world.apply()
    assert world.writes == []


def test_c49_a_reorganisation_waits_by_its_kind_of_group_until_it_is_approved(
    world: World,
) -> None:
    for person in people(world, 31):
        person.groups = (("team", "b" if person.groups[0][1] == "a" else "a"), ("department", "e"))
    world.people["90"].groups = (("team", "a"),)  # of another kind
    summary = world.make_plan()
    assert [(v.guard, v.subject, v.count, v.tripped) for v in summary.guards] == [
        ("update_attribute", "team", 31, True), ("update_attribute", "department", 1, False),
    ]  # fmt: skip
    assert types_held(world) == {
        "membership add": ({"update_attribute"}, 31),
        "membership remove": ({"update_attribute"}, 31),
    }  # fmt: skip


def test_managers_count_as_an_attribute(world: World) -> None:
    for person in people(world, 31, 2):
        person.manager_id = "01"
    assert [(v.subject, v.count, v.tripped) for v in world.make_plan().guards] == [
        ("manager", 31, True)
    ]
    assert types_held(world) == {"manager set": ({"update_attribute"}, 31)}
    world.people["02"].manager_id = "00"
    assert world.make_plan().blocked == 0


@pytest.mark.parametrize("members_readable", [True, False])
def test_a_group_that_would_lose_more_than_half_keeps_them_all(members_readable: bool) -> None:
    world = World(guards=UNGUARDED, members_readable=members_readable)
    big, small, at_the_limit = (
        world.unit("team", "b", "Big"),
        world.unit("team", "s", "Small"),
        world.unit("team", "l", "Limit"),
    )
    world.hire(*(f"b{n}" for n in range(10)), groups=(big, at_the_limit))
    world.hire(*(f"s{n}" for n in range(9)), groups=(small,))
    world.settle()
    world.guard("group_members", GUARDS["group_members"])
    for n in range(6):
        world.people[f"b{n}"].groups = (at_the_limit,) if n == 5 else ()
    for n in range(9):
        world.people[f"s{n}"].groups = ()
    summary = world.make_plan()
    assert [(v.guard, v.subject, v.count, v.base) for v in summary.tripped] == [
        ("group_members", "p:team:b", 6, 10)
    ]
    assert set(world.held()) == {f"membership remove p:b{n} p:team:b" for n in range(6)}
    world.guard("group_members", None)
    assert world.make_plan().blocked == 0


def test_c3_an_unproven_extract_adds_and_changes_but_takes_nothing_away(world: World) -> None:
    world.proof = "unproven"
    people(world, 1)[0].status = "inactive"
    people(world, 1, 2)[0].groups = (("team", "b"), ("department", "e"))
    people(world, 1, 3)[0].manager_id = None
    people(world, 1, 4)[0].family_name = "New"
    world.units["team", "a"] = "Renamed"
    world.hire("new", groups=(("team", "a"),))
    world.make_plan()
    assert types_held(world) == {
        kind: ({"incomplete_extract"}, 1)
        for kind in ("user deactivate", "membership remove", "manager clear")
    }
    assert {
        f"{row['object']} {row['action']}" for row in world.rows() if row["verdict"] == "planned"
    } == {
        "user create", "user update", "group rename", "membership add",
    }  # fmt: skip
    world.proof = "proven"
    assert world.make_plan().blocked == 0
    world.guard("incomplete_extract", None)
    world.proof = "unproven"
    assert world.make_plan().blocked == 0


def test_c3_a_name_that_an_unproven_extract_has_empty_stays_and_what_else_it_says_is_done(
    world: World,
) -> None:
    world.rule(cleared=("family_name",))
    world.proof = "unproven"
    person = people(world, 1)[0]
    person.given_name, person.family_name = "Another", None
    world.make_plan()
    rows = {(row["verdict"], row["guard"]): json.loads(row["after"]) for row in world.rows()}
    assert rows["blocked", "incomplete_extract"] == {"family_name": None}
    assert rows["planned", None]["given_name"] == "Another"
    world.proof = "proven"
    assert world.make_plan().blocked == 0


def test_c1_c76_nobody_left_is_no_reason_to_take_anybody_out(world: World) -> None:
    full = dict(world.people)
    world.people = {}
    summary, _, night = world.night()  # an empty list
    assert [(v.guard, v.count, v.base, v.tripped) for v in summary.guards] == [
        ("scope_lost", 0, 100, True)
    ]
    assert (summary.changes, summary.missing, night.in_line) == (0, 100, False)
    world.people = full
    for person in full.values():
        person.status = "inactive"
    world.make_plan()  # everybody is said to have left
    assert types_held(world) == {"user deactivate": ({"scope_lost"}, 100)}
    world.guard("scope_lost", None)
    assert set(world_guards(world)) == {"deactivate_user"}


def test_when_everybody_has_left_and_that_was_approved_this_night_and_those_after_are_in_line(
    world: World,
) -> None:
    for person in world.people.values():
        person.status = "inactive"
    world.guard("deactivate_user", None)
    summary = world.make_plan()
    assert [verdict.guard for verdict in summary.tripped] == ["scope_lost"]
    with world.warehouse.write() as con:
        assert (
            plan.approve(
                con, summary.plan_id, only=None, because=None, by="me", now=world.now, hours=72
            )
            == 100
        )
    for changes in (100, 0):
        summary, _, night = world.night()
        assert (summary.changes, night.in_line, night.managed) == (changes, True, 0)
    assert summary.guards == ()


def world_guards(world: World) -> list[str]:
    return [verdict.guard for verdict in world.make_plan().tripped]


def test_c11_an_attribute_that_vanished_for_everybody_clears_nothing(world: World) -> None:
    for person in world.people.values():
        person.groups, person.manager_id = (("department", "e"),), None
    world.rule(guards={**UNGUARDED, "attribute_vanished": {}})
    summary = world.make_plan()
    assert [(v.guard, v.subject, v.count) for v in summary.tripped] == [
        ("attribute_vanished", "team", 100), ("attribute_vanished", "manager", 99),
    ]  # fmt: skip
    assert types_held(world) == {
        "membership remove": ({"attribute_vanished"}, 100),
        "manager clear": ({"attribute_vanished"}, 99),
    }  # fmt: skip
    world.people["00"].groups, world.people["01"].manager_id = (
        (
            ("team", "a"),
            ("department", "e"),
        ),
        "00",
    )
    assert world.make_plan().blocked == 0  # one person has it: it is no fault of the mapping
    world.guard("attribute_vanished", None)


def test_c39_protected_people_are_not_deactivated_and_frozen_ones_not_changed(
    world: World,
) -> None:
    world.rule(protected=("p:01", " 02@ACME.test "), frozen=("03@acme.test", "p:04", "p:05"))
    for id_ in ("01", "02", "03", "06"):
        world.people[id_].status = "inactive"
    world.people["01"].family_name = "New"
    world.people["04"].family_name, world.people["04"].groups, world.people["04"].manager_id = (
        "New",
        (),
        None,
    )
    world.people["05"].email = "moved@acme.test"
    world.people["07"].family_name = "New"
    summary = world.make_plan()
    assert world.held() == {
        "user update p:04": "frozen", "manager clear p:04": "frozen", "user update p:05": "frozen",
        "membership remove p:04 p:department:e": "frozen",
        "membership remove p:04 p:team:a": "frozen",
        "user deactivate p:01": "protected", "user deactivate p:02": "protected",
        "user deactivate p:03": "frozen",
    }  # fmt: skip
    counted = {
        verdict.guard: verdict.count
        for verdict in summary.guards
        if verdict.guard == "deactivate_user"
    }
    assert counted == {"deactivate_user": 1}  # what never happens is not counted
    world.rule(guards={**UNGUARDED})  # null switches these off too
    assert world.make_plan().blocked == 0


def test_whoever_needs_a_frozen_persons_address_or_a_blocked_move_waits(world: World) -> None:
    world.rule(frozen=("p:01",))
    world.people["01"].email, world.people["02"].email, world.people["03"].email = (
        "free@acme.test",
        "01@acme.test",
        "02@acme.test",
    )
    world.people["03"].family_name = "New"
    world.hire("new", groups=(("team", "a"),))
    world.people["new"].email = "03@acme.test"
    # a ring beside it
    world.people["05"].email, world.people["06"].email = "06@acme.test", "05@acme.test"
    world.make_plan()
    assert world.held() == {
        "user update p:01": "frozen", "user update p:02": "frozen", "user update p:03": "frozen",
        "user create p:new": "frozen", "membership add p:new p:team:a": "frozen",
    }  # fmt: skip
    _, night = world.apply()
    assert night.in_line
    world.rule(frozen=("p:05",))
    world.people["05"].email, world.people["06"].email = "05@acme.test", "06@acme.test"
    world.make_plan()
    ring = {
        change: guard for change, guard in world.held().items() if change[-4:] in {"p:05", "p:06"}
    }
    assert ring == {"user update p:05": "frozen", "user update p:06": "frozen"}


# --- first contact --------------------------------------------------------------------------------


def first_run(strangers: int, **rules: Any) -> World:
    world = World()
    team = world.unit("team", "a", "Alpha")
    for n in range(strangers):
        world.hire(f"{n:03}", groups=(team,))
        world.stranger(f"{n:03}@acme.test")
    world.hire("new", groups=(team,))
    world.hire("left", status="inactive")
    world.stranger("left@acme.test", external_id="p:left")
    world.stranger("gone@acme.test", active=False)  # inactive users do not count
    return world


def test_c79_a_first_run_with_five_strangers_links_at_once_and_deactivates_nobody() -> None:
    world = first_run(5)
    summary = world.make_plan()
    assert world.held() == {"user deactivate p:left": "first_contact"}
    assert summary.by_type["user link"] == 5
    _, night = world.apply()
    assert (night.in_line, len(world.users)) == (True, 8)
    assert world.user_of("left").active
    world.make_plan()  # the second night
    assert world.kinds_of_changes() == ["user deactivate p:left"]


def test_c79_a_first_run_with_many_strangers_waits_for_one_approval() -> None:
    for strangers, blocked in ((25, 1), (26, 56)):
        world = first_run(strangers)
        summary = world.make_plan()
        assert (summary.blocked, summary.changes == summary.blocked) == (blocked, strangers > 25)
    assert set(world.held().values()) == {"first_contact"}
    world.apply()
    assert (world.writes, world.make_plan().blocked) == ([], summary.blocked)
    with world.warehouse.write() as con:
        plan.approve(
            con, summary.plan_id, only=None, because=None, by="somebody", now=world.now, hours=24
        )
    _, applied, night = world.night()
    assert (applied.blocked, applied.failed, night.in_line) == (0, 0, True)
    assert world.make_plan().changes == 0
    world.people["new"].family_name = "New"
    assert world.make_plan().blocked == 0


def test_first_contact_takes_its_number_from_link_user_and_can_be_switched_off() -> None:
    world = first_run(1)
    world.guard("link_user", {"max_percent": 20, "max_count": 0})
    assert [(v.guard, v.subject) for v in world.make_plan().tripped] == [
        ("first_contact", "users that are not ours"), ("link_user", "links"),
    ]  # fmt: skip
    world.guard("link_user", None)
    assert world_guards(world) == ["first_contact"]  # the deactivation only
    world.guard("first_contact", None)
    assert world_guards(world) == []


# --- the rolling window ---------------------------------------------------------------------------


def test_c69_many_runs_just_below_the_limit_are_stopped_by_the_window(world: World) -> None:
    world.execute(
        "insert into state.nights values ('later', ?, 100, true, 'by the test')", [world.now]
    )
    left = 0
    for run in range(3):
        for person in people(world, 4, 1 + 4 * run):
            person.status = "inactive"
        world.now += dt.timedelta(hours=1)
        world.make_plan()
        applied, _ = world.apply()
        left += applied.applied
    assert left == 8  # the third four would be twelve of a hundred within a week
    world.now += dt.timedelta(days=7)
    world.make_plan()
    assert world.held() == {}


def test_the_order_of_the_guards_is_the_order_in_which_they_name_themselves(world: World) -> None:
    world.proof = "unproven"
    world.rule(protected=("p:01",))
    for person in people(world, 7):
        person.status = "inactive"
    world.make_plan()
    assert world.query(
        "select distinct guards from state.plan_changes where hris_ref = 'p:02' and verdict = "
        "'blocked'"
    ) == [(["incomplete_extract", "deactivate_user"],)]
    assert world.held()["user deactivate p:01"] == "protected"
    assert world.held()["user deactivate p:02"] == "incomplete_extract"
