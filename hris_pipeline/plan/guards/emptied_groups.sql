-- Groups that lose more of their active members at once than the guard allows. Parameters:
-- from_size, max_loss_percent.
-- Reads: deskbird.users, present_members, proposed_changes
-- Makes: none
-- Variables: none
with removals as (
    select group_ref, group_deskbird_id
    from proposed_changes
    where object = 'membership' and action = 'remove'
), inside as materialized (
    from present_members where group_deskbird_id in (select group_deskbird_id from removals)
), sizes as (
    select inside.group_deskbird_id, count(*) as members
    from inside
    join deskbird.users as users on users.deskbird_id = inside.user_deskbird_id and users.active
    group by all
)
select removals.group_ref, count(*) as leaving, any_value(sizes.members) as members
from removals
join sizes using (group_deskbird_id)
group by removals.group_ref
having any_value(sizes.members) >= $from_size
    and count(*) * 100 > $max_loss_percent * any_value(sizes.members)
order by all;
