"""Case 79: what the first contact with a deskbird in use would do is told before anything is
written.
"""

from plan.world import GUARDS, World

from hris_pipeline.presentation import adoption, page
from hris_pipeline.presentation import plan as rendering
from hris_pipeline.reports import plan as plans
from hris_pipeline.reports.adoption import Adoption


def told(world: World) -> plans.Plan:
    with world.warehouse.read() as con:
        return plans.read(con, "acme", world.now)


def test_c79_the_report_counts_who_is_matched_linked_made_by_hand_and_disputed() -> None:
    world = World(guards=GUARDS)
    world.hire(*map(str, range(30)), "disputed", "new")
    for number in range(30):
        world.stranger(f"{number}@acme.test", external_id="p:0" if number == 0 else None)
    for number in range(4):
        world.stranger(f"guest{number}@elsewhere.test")
    world.stranger("disputed@acme.test", external_id="somebody-elses")
    world.stranger("inactive@elsewhere.test", active=False)
    world.make_plan()
    # as a read does
    world.execute(
        "update deskbird.users set hris_ref = external_id where starts_with(external_id, 'p:')"
    )
    plan = told(world)
    assert plan.adoption == Adoption(
        active=35,
        ours=1,
        would_link=29,
        by_hand=4,
        to_create=1,
        conflicts=1,
        other_system=1,
        other_system_in_hris=1,
    )
    text = page(lambda to: rendering.show(to, plan, timezone="Europe/Berlin"))
    assert all(sentence in text for sentence in adoption.sentences(plan.adoption, "acme"))
    assert adoption.sentences(plan.adoption, "acme")[0] in rendering.markdown(
        plan, timezone="Europe/Berlin"
    )
    assert '"would_link": 29' in rendering.as_json(plan)


def test_c79_there_is_no_report_on_an_empty_deskbird_nor_after_a_night_in_line() -> None:
    world = World(guards=GUARDS)
    world.hire("1", "2")
    world.make_plan()
    assert told(world).adoption is None
    world.stranger("2@acme.test")
    world.night()
    world.stranger("guest@elsewhere.test")
    world.make_plan()
    assert told(world).adoption is None


def test_c79_where_everybody_waits_for_a_decision_nobody_is_said_to_be_out_of_scope() -> None:
    world = World(guards=GUARDS)
    names = list(map(str, range(30)))
    world.hire(*names)
    for name in names:
        world.stranger(f"{name}@acme.test", external_id="somebody-elses")
    world.make_plan()
    plan = told(world)
    assert (plan.changes, plan.exit_code, plan.nobody_left) == ((), 3, False)
    text = page(lambda to: rendering.show(to, plan, timezone="Europe/Berlin"))
    assert "Nothing to change: nothing is decided." in text
    assert "Decide whose user is whose: hris-pipeline review acme" in text
