"""Cases 71 and 104: what is stored of a plan or a decision and was altered is refused; nothing of
it becomes a write.
"""

from collections.abc import Callable

import pytest
from plan.world import GUARDS, UNGUARDED, World

from hris_pipeline import plan
from hris_pipeline.errors import PipelineError
from hris_pipeline.plan import integrity

TEXTS = {
    "object": "'usez'",
    "action": "'deactivatf'",
    "hris_ref": "'p:1'",
    "deskbird_id": "'u999'",
    "group_ref": "'p:team:t'",
    "group_deskbird_id": "'g99'",
    "before": """'{"active":true }'""",
    "after": """'{"active":false }'""",
    "reason": "reason || '.'",
    "reason_code": "'missing'",
    "evidence": """'{"rule": "link"}'""",
    "guard": "'create_user'",
    "guards": "[]",
    "content": "reverse(content)",
}
NUMBERS = {"seq": "seq + 100", "request": "request + 1", "stage": "stage + 1"}
ROWS = {**TEXTS, **NUMBERS, "verdict": "'planned'"}
PLANS = {
    "number": "number + 1",
    "made_at": "made_at + interval 1 microsecond",
    "after_plan": "after_plan || '0'",
    "changes": "0",
    "blocked": "0",
    "as_of": "as_of + interval 1 second",
    "undoes": "'0123456789abcdef'",
    "judgement_digest": "null",
}
DECISIONS = {
    "plan_id": "plan_id || '0'",
    "content": "reverse(content)",
    "guards": "[guards[1], 'create_user']",
    "decision": "'approved '",
    "because": "null",
    "decided_by": "'somebody else'",
    "decided_at": "decided_at + interval 1 second",
    "expires_at": "expires_at + interval 1 second",
    "digest": "null",
}


@pytest.fixture(scope="module")
def held() -> World:
    """Ten people in line, of whom seven leave, which a guard holds back; the plan is made."""
    world = World(guards=UNGUARDED)
    world.hire(*"0123456789", groups=(world.unit("team", "s", "Sales"),))
    world.settle()
    world.rule(
        guards={
            **UNGUARDED,
            **{guard: GUARDS[guard] for guard in ("deactivate_user", "create_user")},
        }
    )
    for id_ in "0123456":
        world.people[id_].status = "inactive"
    world.make_plan()
    return world


@pytest.fixture
def world(held: World) -> World:
    return held.copy()


def latest(world: World) -> str:
    ((plan_id,),) = world.query("select plan_id from state.plans order by number desc limit 1")
    return str(plan_id)


def change(world: World, sql: str) -> None:
    with world.warehouse.write() as con:
        con.execute(sql)


def approve(world: World, plan_id: str) -> int:
    with world.warehouse.write() as con:
        return plan.approve(
            con, plan_id, only=None, because="so be it", by="me", now=world.now, hours=72
        )


def check(world: World, plan_id: str) -> None:
    with world.warehouse.read() as con:
        plan.require_unaltered(con, "acme", plan_id, "Nothing was done.")


def assert_refused(world: World, plan_id: str, seq: int | None) -> None:
    """By whoever asks for the check, and by carrying it out; no write becomes of it."""
    with pytest.raises(PipelineError) as refusal:
        check(world, plan_id)
    text = str(refusal.value)
    assert text.startswith(f"Plan {plan_id} of company 'acme' is not stored as it was made")
    assert "Nothing was done." in text
    assert "hris-pipeline sync acme --dry-run" in text
    assert (f"The first altered row is seq {seq}." in text) is (seq is not None)
    with pytest.raises(PipelineError, match="Nothing was written"):
        world.apply(plan_id)
    assert world.writes == []


def test_c104_a_plan_as_it_was_made_is_carried_out(world: World) -> None:
    plan_id = latest(world)
    check(world, plan_id)
    assert approve(world, plan_id) == 7
    check(world, plan_id)
    applied, _ = world.apply(plan_id)
    assert applied.applied == 7
    check(world, plan_id)
    check(world, "no such plan")


@pytest.mark.parametrize("column", ROWS)
def test_c104_each_column_of_a_row_is_sealed(world: World, column: str) -> None:
    plan_id = latest(world)
    change(
        world,
        f"update state.plan_changes set {column} = {ROWS[column]} where plan_id = '{plan_id}' and "
        "seq = 3",
    )
    assert_refused(world, plan_id, 103 if column == "seq" else 3)


def test_c104_every_column_of_a_row_is_tried(world: World) -> None:
    described = world.query("select column_name from (describe state.plan_changes)")
    assert {name for (name,) in described} == {*ROWS, "plan_id", "row_digest"}
    described = world.query("select column_name from (describe state.plans)")
    assert {name for (name,) in described} == {*PLANS, "plan_id", "run_id", "written"}
    assert {
        name for (name,) in world.query("select column_name from (describe state.approvals)")
    } == set(DECISIONS)


@pytest.mark.parametrize("column", [column for column in ROWS if column != "guards"])
def test_c104_what_people_read_in_deskbird_changes_is_sealed_too(world: World, column: str) -> None:
    plan_id = latest(world)
    change(world, f"update deskbird.changes set {column} = {ROWS[column]} where seq = 3")
    assert_refused(world, plan_id, 3)


@pytest.mark.parametrize(
    "sql",
    [
        "delete from {rows} where plan_id = '{plan_id}' and seq = 7",
        (
            "insert into {rows} by name select * replace (8 as seq) from {rows} where plan_id = "
            "'{plan_id}' and seq = 7"
        ),
        (
            "update {rows} set seq = case seq when 1 then 2 else 1 end where plan_id = '{plan_id}' "
            "and seq < 3"
        ),
        "update {rows} set plan_id = '0' where plan_id = '{plan_id}'",
    ],
)
@pytest.mark.parametrize("rows", ["state.plan_changes", "deskbird.changes"])
def test_c104_rows_that_are_taken_away_added_or_swapped_are_found(
    world: World, rows: str, sql: str
) -> None:
    plan_id = latest(world)
    change(world, sql.format(rows=rows, plan_id=plan_id))
    with pytest.raises(PipelineError, match="not stored as it was made"):
        check(world, plan_id)
    with pytest.raises(PipelineError):
        world.apply(plan_id)
    assert world.writes == []


@pytest.mark.parametrize("column", PLANS)
def test_c104_the_plans_own_row_is_sealed(world: World, column: str) -> None:
    plan_id = latest(world)
    change(world, f"update state.plans set {column} = {PLANS[column]} where plan_id = '{plan_id}'")
    assert_refused(world, plan_id, None)


def test_c104_a_row_whose_digests_were_made_anew_is_still_found_by_the_plans_id(
    world: World,
) -> None:
    """Who alters what is done and all digests beside it makes another plan than the one that was
    looked at.
    """
    plan_id = latest(world)
    change(
        world,
        f"""update state.plan_changes
            set deskbird_id = 'u1'
            where plan_id = '{plan_id}' and seq = 3;
            update state.plan_changes
            set row_digest = change_digest(
                seq, request, stage, object, action, hris_ref, deskbird_id, group_ref,
                group_deskbird_id, before, after, reason, evidence, verdict, guard, guards, content,
                reason_code := reason_code
            );
            update state.plans p
            set judgement_digest = judgement_digest(
                plan_id, number, made_at, after_plan, changes, blocked, as_of, undoes,
                (
                    select string_agg(row_digest, chr(30) order by seq)
                    from state.plan_changes c
                    where c.plan_id = p.plan_id
                )
            );""",
    )
    with pytest.raises(PipelineError, match="not stored as it was made"):
        check(world, plan_id)


def test_c104_making_the_plan_anew_mends_it(world: World) -> None:
    plan_id = latest(world)
    change(world, "update state.plan_changes set verdict = 'planned'")
    world.plan_again()
    assert latest(world) == plan_id
    check(world, plan_id)
    applied, _ = world.apply(plan_id)
    assert (applied.applied, applied.blocked, world.writes) == (0, 7, [])


def test_c104_an_altered_plan_is_not_undone_nor_is_the_undoing_of_it_carried_out(
    world: World,
) -> None:
    plan_id = latest(world)
    approve(world, plan_id)
    world.apply(plan_id)
    summary = world.undo(plan_id)
    world.writes.clear()
    change(
        world,
        f"update state.plan_changes set reason = reason || ' ' where plan_id = '{plan_id}' and "
        "seq = 2",
    )
    with pytest.raises(PipelineError, match=r"first altered row is seq 2\. Nothing was planned"):
        world.undo(plan_id)
    with pytest.raises(PipelineError, match=f"Plan {plan_id} .*Nothing was written"):
        world.apply(summary.plan_id)
    assert world.writes == []


# --- decisions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", DECISIONS)
def test_c71_an_approval_that_was_altered_releases_nothing(world: World, column: str) -> None:
    plan_id = latest(world)
    approve(world, plan_id)
    one = "rowid = (select min(rowid) from state.approvals)"
    change(world, f"update state.approvals set {column} = {DECISIONS[column]} where {one}")
    applied, _ = world.apply(plan_id)
    assert (applied.applied, applied.blocked, world.writes) == (0, 7, [])
    with (
        world.warehouse.read() as con,
        pytest.raises(PipelineError, match=r"1 rows of state\.approvals .* were altered"),
    ):
        plan.require_unaltered_decisions(con, "acme", "Nothing was written.")
    world.plan_again()
    assert len(world.held()) == 7


def altered_rejection(world: World) -> None:
    """Approved, then rejected, and the rejection altered so that it is about another change."""
    plan_id = latest(world)
    approve(world, plan_id)
    with world.warehouse.write() as con:
        assert plan.reject(con, plan_id, because=None, by="me", now=world.now, hours=72) == 7
    change(
        world, "update state.approvals set content = reverse(content) where decision = 'rejected'"
    )


def expired(world: World) -> None:
    """An approval that has expired, brought back to life."""
    with world.warehouse.write() as con:
        plan.approve(con, latest(world), only=None, because=None, by="me", now=world.now, hours=-1)
    change(world, "update state.approvals set expires_at = expires_at + interval 1 year")


@pytest.mark.parametrize("alter", [altered_rejection, expired])
def test_c71_an_altered_decision_brings_no_approval_back(
    world: World, alter: Callable[[World], None]
) -> None:
    alter(world)
    applied, _ = world.apply(latest(world))
    assert (applied.applied, applied.blocked, world.writes) == (0, 7, [])


def test_c71_after_an_altered_decision_everything_is_decided_anew(world: World) -> None:
    plan_id = latest(world)
    altered_rejection(world)
    with world.warehouse.write() as con:
        assert plan.void_decisions(con) == 7
        assert plan.void_decisions(con) == 0
        assert integrity.altered_decisions(con) == 0
    applied, _ = world.apply(plan_id)
    assert (applied.applied, applied.blocked) == (0, 7)
    assert world.query("select decision, count(*) from state.approvals group by all") == [
        ("void", 14)
    ]
    assert approve(world, plan_id) == 7
    assert world.apply(plan_id)[0].applied == 7
