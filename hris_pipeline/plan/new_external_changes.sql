-- What differs between two reads of deskbird, one value a row: what it was and what it is.
-- The tables "..._before" are as it was read before.
-- Reads: deskbird.group_members, deskbird.groups, deskbird.users, groups_before, members_before,
--   state.acknowledged_members, state.partial_groups, users_before
-- Makes: new_external_changes
-- Variables: shown_attributes
create or replace temp table new_external_changes as
with present as (
    -- who is hidden in a group that shows only a part is still there
    select group_deskbird_id, user_deskbird_id from deskbird.group_members
    union all
    select group_deskbird_id, user_deskbird_id from state.acknowledged_members
    where group_deskbird_id in (select group_deskbird_id from state.partial_groups)
), other_users as (
    select b.deskbird_id,
        json_merge_patch(to_json(b), coalesce(to_json(b.attributes), '{}')) as before,
        json_merge_patch(to_json(n), coalesce(to_json(n.attributes), '{}')) as after
    from (select * exclude (hris_ref, version) from users_before) b
    join (select * exclude (hris_ref, version) from deskbird.users) n using (deskbird_id)
    where hash(b) <> hash(n)
), users as (
    select deskbird_id, unnest([
        {'attribute': attribute, 'was': before->>attribute, 'is': after->>attribute}
        for attribute in getvariable('shown_attributes') || ['active', 'external_id']
    ] || [{
        'attribute': 'manager',
        'was': coalesce(before->>'manager_deskbird_id', ''),
        'is': coalesce(after->>'manager_deskbird_id', '')
    }]) as value
    from other_users
), groups as (
    select b.deskbird_id, unnest([
        {'attribute': 'name', 'was': b.name, 'is': n.name},
        {'attribute': 'external_id', 'was': b.external_id, 'is': n.external_id}]) as value
    from groups_before b join deskbird.groups n using (deskbird_id)
    where b.name is distinct from n.name or b.external_id is distinct from n.external_id
), members as (
    -- of groups that are in both reads
    select group_deskbird_id as deskbird_id,
        {'attribute': user_deskbird_id, 'was': 'add', 'is': 'remove'} as value
    from (from members_before anti join present using (group_deskbird_id, user_deskbird_id))
    where group_deskbird_id in (select deskbird_id from deskbird.groups)
    union all
    select group_deskbird_id, {'attribute': user_deskbird_id, 'was': 'remove', 'is': 'add'}
    from (from present anti join members_before using (group_deskbird_id, user_deskbird_id))
    where group_deskbird_id in (select deskbird_id from groups_before)
)
select object, deskbird_id, value.attribute as attribute, value.was as was, value.is as is_now
from (
    select 'user' as object, deskbird_id, value from users
    union all select 'group', deskbird_id, value from groups
    union all select 'membership', deskbird_id, value from members
)
where value.was is distinct from value.is;
