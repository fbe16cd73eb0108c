"""Case 80: a file that an older version of this project wrote is brought up to date, and the next night goes on from there."""

from pathlib import Path

import duckdb
import pytest
from plan.world import NOON, Group, User, World

from hris_pipeline.errors import WarehouseError
from hris_pipeline.warehouse import SCHEMA_VERSION, Warehouse

OLD_FILES = sorted(Path(__file__).parent.glob("version_*.sql"))


@pytest.fixture(params=OLD_FILES, ids=lambda path: path.stem)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """The company whose last night the old file holds: ``p:4`` vanished two reads ago, ``p:5`` waits for a decision."""
    with duckdb.connect(tmp_path / "acme.duckdb") as con:
        con.execute(request.param.read_text(encoding="utf-8"))
        found = con.execute(
            """select deskbird_id, user_name, email, given_name, family_name, display_name, active, manager_deskbird_id,
                   external_id from deskbird.users"""
        ).fetchall()
    world = World(tmp_path)
    world.now = NOON.replace(day=5)
    team = world.unit("team", "7", "Sales")
    world.hire("1", groups=(team,))
    world.hire("2", "3", manager_id="1", groups=(team,))
    world.hire("5")
    world.users = {user.id: user for user in (User(*row) for row in found)}
    world.people["3"].family_name = world.users["u4"].family_name
    world.groups["g6"] = Group("g6", "Sales", "p:team:7", {"u1", "u3", "u4", "u5"})
    return world


def test_every_version_before_this_one_is_tried() -> None:
    assert [path.stem for path in OLD_FILES] == [f"version_{number}" for number in range(1, SCHEMA_VERSION)]


def test_c80_an_old_file_is_brought_up_to_date_and_nothing_changes_for_anybody(world: World) -> None:
    world.make_plan()
    assert world.kinds_of_changes() == []
    assert world.query("select max(version) from state.schema_version") == [(SCHEMA_VERSION,)]
    assert world.query("select hris_ref, deskbird_id, complete_reads from state.missing") == [("p:4", "u5", 3)]
    assert world.query("select hris_ref, rule, since from state.review") == [("p:5", "foreign_external_id", NOON)]


def test_c80_what_the_old_file_counted_counts_on(world: World) -> None:
    for _ in range(4):  # three complete reads and sixty hours, two of which the old version saw
        world.night()
    assert [(user.id, user.active) for user in world.users.values() if not user.active] == [("u5", False)]


def test_c80_an_old_file_is_only_changed_by_a_run(world: World, tmp_path: Path) -> None:
    before = (tmp_path / "acme.duckdb").read_bytes()
    with pytest.raises(WarehouseError, match="older version"), Warehouse(tmp_path, "acme").read():
        pass
    assert (tmp_path / "acme.duckdb").read_bytes() == before


def test_c80_what_people_were_on_earlier_nights_is_still_known(tmp_path: Path) -> None:
    """Version 2 was the first to keep it."""
    with duckdb.connect(tmp_path / "acme.duckdb") as con:
        con.execute((Path(__file__).parent / "version_2.sql").read_text(encoding="utf-8"))
        history = "select person_id, seen_at, gone, attributes from state.people_history order by all"
        before = con.execute(history).fetchall()
    with Warehouse(tmp_path, "acme").write(["p"]) as con:
        assert con.execute(history).fetchall() == before
    assert [person for person, *_ in before] == ["p:1", "p:2", "p:3", "p:3", "p:4", "p:4", "p:5"]
