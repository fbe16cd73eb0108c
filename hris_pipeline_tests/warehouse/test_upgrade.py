"""Case 80: a file that an older version of this project wrote is brought up to date, and the next
night goes on from there.
"""

from pathlib import Path

import duckdb
import pytest
from plan.world import NOON, UNGUARDED, Group, User, World

from hris_pipeline import plan
from hris_pipeline.errors import PipelineError, WarehouseError
from hris_pipeline.warehouse import SCHEMA_VERSION, Warehouse

OLD_FILES = sorted(Path(__file__).parent.glob("version_*.sql"))


@pytest.fixture(params=OLD_FILES, ids=lambda path: path.stem)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """The company whose last night the old file holds: ``p:4`` vanished two reads ago, ``p:5``
    waits for a decision.
    """
    with duckdb.connect(tmp_path / "acme.duckdb") as con:
        con.execute(request.param.read_text(encoding="utf-8"))
        found = con.execute(
            """select
                   deskbird_id,
                   user_name,
                   email,
                   given_name,
                   family_name,
                   display_name,
                   active,
                   manager_deskbird_id,
                   external_id
               from deskbird.users"""
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
    assert [path.stem for path in OLD_FILES] == [
        f"version_{number}" for number in range(1, SCHEMA_VERSION)
    ]


def test_c80_an_old_file_is_brought_up_to_date_and_nothing_changes_for_anybody(
    world: World,
) -> None:
    world.make_plan()
    assert world.kinds_of_changes() == []
    assert world.query("select max(version) from state.schema_version") == [(SCHEMA_VERSION,)]
    assert world.query("select hris_ref, deskbird_id, complete_reads from state.missing") == [
        ("p:4", "u5", 3)
    ]
    assert world.query("select hris_ref, rule, since from state.review") == [
        ("p:5", "foreign_external_id", NOON)
    ]


def test_c80_what_the_old_file_counted_counts_on(world: World) -> None:
    for _ in range(4):  # three complete reads and sixty hours, two of which the old version saw
        world.night()
    assert [(user.id, user.active) for user in world.users.values() if not user.active] == [
        ("u5", False)
    ]


def test_c80_an_old_file_is_only_changed_by_a_run(world: World, tmp_path: Path) -> None:
    before = (tmp_path / "acme.duckdb").read_bytes()
    with pytest.raises(WarehouseError, match="older version"), Warehouse(tmp_path, "acme").read():
        pass
    assert (tmp_path / "acme.duckdb").read_bytes() == before


def test_c80_what_people_were_on_earlier_nights_is_still_known(tmp_path: Path) -> None:
    """Version 2 was the first to keep it."""
    with duckdb.connect(tmp_path / "acme.duckdb") as con:
        con.execute((Path(__file__).parent / "version_2.sql").read_text(encoding="utf-8"))
        history = (
            "select person_id, seen_at, gone, attributes from state.people_history order by all"
        )
        before = con.execute(history).fetchall()
    with Warehouse(tmp_path, "acme").write(["p"]) as con:
        assert con.execute(history).fetchall() == before
    assert [person for person, *_ in before] == ["p:1", "p:2", "p:3", "p:3", "p:4", "p:4", "p:5"]


# --- version 4: reasons had no codes --------------------------------------------------------------

_SEAL = """
    update state.plan_changes set row_digest = change_digest(
        seq, request, stage, object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id,
        before, after, reason, evidence, verdict, guard, guards, content
    );
    update state.plans p set judgement_digest = judgement_digest(
        plan_id, number, made_at, after_plan, changes, blocked, as_of, undoes,
        (
            select string_agg(row_digest, chr(30) order by seq)
            from state.plan_changes c
            where c.plan_id = p.plan_id
        )
    );"""
_TO_VERSION_4 = f"""
    alter table state.plan_changes drop column reason_code;
    alter table deskbird.changes drop column reason_code;
    alter table core.people drop column scope_code;
    {_SEAL}
    update state.schema_version set version = 4;"""
_CODES = "select plan_id, seq, reason_code from state.plan_changes order by all"


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Some nights of most kinds of change, and the undoing of two; as version 5 keeps them."""
    world = World(tmp_path_factory.mktemp("varied"), guards=UNGUARDED)
    sales, it = world.unit("team", "1", "Sales"), world.unit("team", "2", "IT")
    world.hire("1", groups=(sales,))
    world.hire("2", "3", "4", "5", manager_id="1", groups=(sales,))
    world.stranger("5@acme.test")
    first = world.night()[0].plan_id
    world.people["2"].email, world.people["3"].email = (
        world.people["3"].email,
        world.people["2"].email,
    )
    world.people["1"].groups = (it,)
    world.people["3"].manager_id = None
    world.people["4"].status, world.people["4"].end_date = "inactive", "2026-03-02"
    world.units[sales] = "Selling"
    world.user_of("5").given_name = "By hand"
    second = world.night()[0].plan_id
    world.undo(second)
    world.rule(delete_empty_groups=True)
    world.people["1"].groups = (sales,)
    world.people["4"].status, world.people["4"].end_date = "active", None
    third = world.night()[0].plan_id
    for plan_id in (first, third):
        world.undo(plan_id)
    world.make_plan()
    return world


@pytest.fixture
def varied(nights: World, tmp_path: Path) -> World:
    return nights.copy(tmp_path)


def upgrade(world: World) -> None:
    with world.warehouse.write(["p"]):
        pass


def check(world: World) -> None:
    """Every plan is as it was made."""
    for (plan_id,) in world.query("select plan_id from state.plans"):
        with world.warehouse.read() as con:
            plan.require_unaltered(con, "acme", plan_id, "Nothing was done.")


def test_c80_the_codes_of_older_plans_follow_from_their_facts_and_the_plans_stay_sealed(
    varied: World,
) -> None:
    before = varied.query(_CODES)
    found = {code for *_, code in before}
    assert found >= {
        "steps_aside",
        "changed_by_hand",
        "same_email",
        "ended_on_a_day",
        "works_again",
        "group_empty",
        "unit_renamed",
    }
    assert found >= {
        "undoes_values",
        "undoes_creation",
        "undoes_reactivation",
        "undoes_deactivation",
        "undoes_former_membership",
    }
    check(varied)
    varied.execute(_TO_VERSION_4)
    upgrade(varied)
    assert varied.query(_CODES) == before
    check(varied)
    assert varied.query("select count(*) from deskbird.changes where reason_code is null") == [(0,)]


def test_c104_what_was_altered_before_the_upgrade_is_found_after_it(varied: World) -> None:
    ((plan_id,),) = varied.query("select plan_id from state.plans where number = 2")
    varied.execute(_TO_VERSION_4)
    altered = (
        f"update state.plan_changes set reason = reason || '.' where plan_id = '{plan_id}' and "
        "seq = 2"
    )
    with duckdb.connect(varied.warehouse.path) as con:
        con.execute(altered)
    upgrade(varied)
    with pytest.raises(PipelineError, match=f"Plan {plan_id} .*The first altered row is seq 2"):
        check(varied)


def test_c80_what_is_known_of_drift_moves_to_the_tables_of_today(tmp_path: Path) -> None:
    """Three tables had other names up to version 6; what they know decides what is not written."""
    with duckdb.connect(tmp_path / "acme.duckdb") as con:
        con.execute(OLD_FILES[5].read_text(encoding="utf-8"))
        con.execute(
            """insert into state.changed_by_hand values ('user', 'u1', 'given_name', 'Old', now());
               insert into state.not_sticking values
                   ('user', 'u1', 'family_name', 'New', 'p:1', 3, now(), now(), 'not_retained');
               insert into state.left_alone values
                   ('p:1', 'user', 'u1', 'family_name', null, 'does_not_stick', now(), null),
                   ('p:1', 'user', 'u1', 'given_name', null, 'kept', now(), null)"""
        )
    with Warehouse(tmp_path, "acme").write(["p"]) as con:
        tables = ("external_changes", "not_retained", "ignored_drift")
        assert [len(con.execute(f"from state.{table}").fetchall()) for table in tables] == [1, 1, 2]
        why = con.execute("select attribute, why from state.ignored_drift order by 1").fetchall()
        assert why == [("family_name", "not_retained"), ("given_name", "kept")]
        left = con.execute(
            "select table_name from duckdb_tables() where table_name = any(?)",
            [["changed_by_hand", "not_sticking", "left_alone"]],
        ).fetchall()
    assert left == []
