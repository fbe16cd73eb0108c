-- Which wanted changes repair what a run damaged: what it was before, and which run of which plan
-- left it otherwise.
-- Reads: repairing, state.damage, wanted_changes
-- Makes: damage_repairs
-- Variables: none
create or replace temp table damage_repairs as
with open_damage as (
    select *, concat_ws('|', object, deskbird_id, attribute) as key
    from state.damage
    where ended_at is null
)
select repairing.row, plan_id, run_id, seen_at, damage.attribute, damage.was, damage.key
from open_damage as damage
join repairing
    on repairing.object = damage.object and repairing.deskbird_id = damage.deskbird_id
        and repairing.attribute = damage.attribute
        and same_value(damage.attribute, repairing.wanted, damage.expected)
union all
select creations.row, plan_id, run_id, seen_at, damage.attribute, damage.was, damage.key
from open_damage as damage
join wanted_changes as creations
    on damage.attribute = 'gone'
        and creations.object = damage.object
        and creations.action = 'create'
        and creations.hris_ref = damage.hris_ref;
