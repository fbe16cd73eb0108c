-- By which guards each change is held back: by those that look at it, and by those that hold what
-- it needs. A group is not created while every one of its first members is held back.
-- Reads: dependencies, holds, proposed_changes
-- Makes: held_changes
-- Variables: parameters.guards
create or replace temp table held_changes as
with recursive held as (
    select change, guard from holds
    union
    select dependencies.change, held.guard
    from held
    join dependencies on dependencies.needs = held.change
), members as (
    select groups.change as creation, additions.change
    from proposed_changes as groups
    join proposed_changes as additions on additions.group_ref = groups.hris_ref
    where groups.object = 'group' and groups.action = 'create'
        and additions.object = 'membership' and additions.action = 'add'
), without_members as (
    select creation
    from members
    left join (select distinct change, true as is_held from held) as held using (change)
    group by creation
    having bool_and(coalesce(is_held, false))
), in_vain as (
    -- the creation, and with it the memberships
    select without_members.creation, held.guard
    from without_members
    join members using (creation)
    join held using (change)
), every_hold as (
    from held
    union
    select creation, guard from in_vain
    union
    select dependencies.change, in_vain.guard
    from in_vain
    join dependencies on dependencies.needs = in_vain.creation
)
select change, list(guard order by list_position(getvariable('parameters').guards, guard)) as guards
from every_hold
group by change;
