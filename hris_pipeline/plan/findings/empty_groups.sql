-- state.empty_groups: groups of ours that are empty and stay. What a guard holds back keeps its
-- group from being so.
-- Reads: changes_judged, empty_groups, present_members, state.empty_groups
-- Makes: empty_kept
-- Changes: state.empty_groups
-- Variables: now
create or replace temp table empty_kept as
with held as (
    select group_deskbird_id as deskbird_id
    from changes_judged
    where object = 'membership' and action = 'remove' and verdict = 'blocked'
    union
    select m.group_deskbird_id
    from present_members m
    join changes_judged c on c.deskbird_id = m.user_deskbird_id
    where c.object = 'user' and c.action = 'deactivate' and c.verdict = 'blocked'
)
select e.hris_ref, e.deskbird_id,
    coalesce(s.since, cast(getvariable('now') as timestamptz)) as since
from empty_groups e left join state.empty_groups s using (hris_ref, deskbird_id)
where e.deskbird_id not in (select deskbird_id from held)
    and e.deskbird_id not in (
        select deskbird_id
        from changes_judged
        where object = 'group' and action = 'delete' and verdict = 'planned'
    );
delete from state.empty_groups;
insert into state.empty_groups from empty_kept;
