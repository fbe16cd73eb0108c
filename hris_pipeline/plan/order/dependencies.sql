-- Which change needs which other one: a change does not happen while what it needs is held back.
-- Reads: moves, present_members, proposed_changes
-- Makes: dependencies
-- Variables: none
create or replace temp table dependencies as
with recursive frees as (
    -- an address or a name is not free while the request that would free it waits, and so on along
    -- the chain
    select distinct request_key, request_key as needs from moves
    union
    select frees.request_key, givers.request_key
    from frees
    join moves as takers on takers.request_key = frees.needs
    join moves as givers on givers.gives = takers.takes and givers.request_key <> takers.request_key
), named as (
    select change, request_key, action
    from proposed_changes
    where object in ('user', 'group')
        and (json_exists(after, '$.email') or json_exists(after, '$.name') or action = 'link')
), new_users as (
    select change, hris_ref, action
    from proposed_changes
    where object = 'user'
        and (action = 'create' or (action = 'link' and evidence->>'rule' not in ('link', 'marker')))
), new_groups as (
    select change, hris_ref from proposed_changes where object = 'group' and action = 'create'
), linked_groups as (
    select change, deskbird_id
    from proposed_changes
    where object = 'group' and action in ('link', 'rename') and json_exists(after, '$.hris_ref')
        and evidence->>'rule' in ('rule', 'members')
), deleted_groups as (
    select change, deskbird_id from proposed_changes where object = 'group' and action = 'delete'
), needs as (
    select takes.change, gives.change as needs, 'value is freed' as why
    from frees
    join named as takes
        on takes.request_key in (frees.request_key, frees.request_key || ':aside')
    join named as gives on gives.request_key = frees.needs
    where takes.action <> 'link' -- a marker is nobody else's
    union all
    select changes.change, new_users.change, 'user is there'
    from proposed_changes as changes
    join new_users using (hris_ref)
    where changes.object in ('user', 'membership', 'manager')
    union all
    select changes.change, new_users.change, 'manager is there'
    from proposed_changes as changes
    join new_users on new_users.hris_ref = changes.after->>'manager_ref'
    where changes.object = 'manager' and changes.action = 'set' and new_users.action = 'create'
    union all
    select changes.change, new_groups.change, 'group is there'
    from proposed_changes as changes
    join new_groups on new_groups.hris_ref = changes.group_ref
    where changes.object = 'membership'
    union all
    -- a group is not ours before it is linked
    select changes.change, linked_groups.change, 'group is ours'
    from proposed_changes as changes
    join linked_groups
        on linked_groups.deskbird_id = if(
            changes.object = 'membership', changes.group_deskbird_id, changes.deskbird_id
        )
    where changes.object = 'membership'
        or (changes.object = 'group' and changes.action in ('link', 'rename'))
    union all
    -- a group is not deleted while somebody stays in it
    select deleted_groups.change, changes.change, 'group is empty'
    from deleted_groups
    join proposed_changes as changes on changes.group_deskbird_id = deleted_groups.deskbird_id
    where changes.object = 'membership'
    union all
    select deleted_groups.change, changes.change, 'group is empty'
    from deleted_groups
    join present_members on present_members.group_deskbird_id = deleted_groups.deskbird_id
    join proposed_changes as changes on changes.deskbird_id = present_members.user_deskbird_id
    where changes.object = 'user' and changes.action = 'deactivate'
)
select distinct change, needs, why from needs where change <> needs;
