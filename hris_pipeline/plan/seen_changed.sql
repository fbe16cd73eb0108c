-- What differs between two reads of deskbird, one value a row: what it was and what it is.
-- The tables "..._before" are as it was read before.
-- Reads: deskbird.group_members, deskbird.groups, deskbird.users, groups_before, members_before,
--   state.acknowledged_members, state.partial_groups, users_before
-- Makes: seen_changed
-- Variables: none
create or replace temp table seen_changed as
with present as (
    -- who is hidden in a group that shows only a part is still there
    select group_deskbird_id, user_deskbird_id from deskbird.group_members
    union all
    select group_deskbird_id, user_deskbird_id from state.acknowledged_members
    where group_deskbird_id in (select group_deskbird_id from state.partial_groups)
), users as (
    select b.deskbird_id, unnest([
        {'attribute': 'email', 'was': b.email, 'is': n.email}, {'attribute': 'user_name', 'was': b.user_name, 'is': n.user_name},
        {'attribute': 'given_name', 'was': b.given_name, 'is': n.given_name}, {'attribute': 'family_name', 'was': b.family_name, 'is': n.family_name},
        {'attribute': 'display_name', 'was': b.display_name, 'is': n.display_name},
        {'attribute': 'active', 'was': b.active::varchar, 'is': n.active::varchar},
        {'attribute': 'manager', 'was': coalesce(b.manager_deskbird_id, ''), 'is': coalesce(n.manager_deskbird_id, '')},
        {'attribute': 'external_id', 'was': b.external_id, 'is': n.external_id}]) as value
    from users_before b join deskbird.users n using (deskbird_id)
    where b.email is distinct from n.email or b.user_name is distinct from n.user_name or b.given_name is distinct from n.given_name
        or b.family_name is distinct from n.family_name or b.display_name is distinct from n.display_name or b.active <> n.active
        or b.manager_deskbird_id is distinct from n.manager_deskbird_id or b.external_id is distinct from n.external_id
), groups as (
    select b.deskbird_id, unnest([
        {'attribute': 'name', 'was': b.name, 'is': n.name}, {'attribute': 'external_id', 'was': b.external_id, 'is': n.external_id}]) as value
    from groups_before b join deskbird.groups n using (deskbird_id)
    where b.name is distinct from n.name or b.external_id is distinct from n.external_id
), members as (
    -- of groups that are in both reads
    select group_deskbird_id as deskbird_id, {'attribute': user_deskbird_id, 'was': 'add', 'is': 'remove'} as value
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
