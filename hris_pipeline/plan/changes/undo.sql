-- The inverse of what a plan has done, as changes that are wanted. Nobody's user is ever deleted:
-- who was created is deactivated. Groups that the plan created are deleted before all others,
-- because that frees names.
-- Reads: deskbird.users, done_then, group_differences, group_fates, known_groups,
--   observed_groups, owned_users, present_members, revert_differences, state.acknowledged_values,
--   tripped_attributes
-- Makes: activity, come_back, group_deletions, manager_fates, membership_fates, wanted_changes
-- Changes: not_undone
-- Variables: shown.users, undoes

-- Who was created or reactivated is deactivated, who was deactivated comes back.
create or replace temp table activity as
select
    done.hris_ref,
    done.user_id as deskbird_id,
    done.action,
    users.active,
    case
        when users.deskbird_id is null then 'gone'
        when users.active <> (done.action <> 'deactivate') then 'already_so'
        when users.owner is null then 'conflict'
        else 'revert' end as fate
from done_then as done
left join owned_users as users on users.deskbird_id = done.user_id
where done.object = 'user' and done.action in ('create', 'reactivate', 'deactivate')
qualify row_number() over (partition by done.hris_ref order by done.seq desc) = 1;

-- Who was in a group that comes back.
create or replace temp table come_back as
select distinct former.hris_ref as group_ref, users.deskbird_id, users.owner as hris_ref
from (
    select hris_ref, unnest(from_json(evidence->'former_members', '["VARCHAR"]')) as user_id
    from group_fates
    where fate = 'revert' and action = 'delete'
    union
    select done.group_ref, done.user_id
    from done_then as done
    join group_fates as fates on fates.hris_ref = done.group_ref
    where fates.fate = 'revert' and fates.action = 'delete'
        and done.object = 'membership' and done.action = 'remove'
) as former
join owned_users as users on users.deskbird_id = former.user_id;

-- Memberships, except those that a group takes with it.
create or replace temp table membership_fates as
select
    done.hris_ref,
    done.user_id as deskbird_id,
    done.group_ref,
    done.group_id as group_deskbird_id,
    done.action,
    case
        when done.group_id in (select deskbird_id from group_fates where fate = 'revert')
            or done.group_ref in (select group_ref from come_back) then 'already_so'
        when observed.deskbird_id is null or users.deskbird_id is null then 'gone'
        when (present.user_deskbird_id is not null) <> (done.action = 'add') then 'already_so'
        when known.ref is null
            and done.group_id not in (
                select deskbird_id from group_differences where attribute = 'hris_ref'
            )
            then 'conflict'
        else 'revert' end as fate
from done_then as done
left join observed_groups as observed on observed.deskbird_id = done.group_id
left join deskbird.users as users on users.deskbird_id = done.user_id
left join known_groups as known on known.deskbird_id = done.group_id
left join present_members as present
    on present.group_deskbird_id = done.group_id and present.user_deskbird_id = done.user_id
where done.object = 'membership'
qualify row_number() over (partition by done.group_ref, done.user_id order by done.seq desc) = 1;

-- Managers, except those of users that the plan created.
create or replace temp table manager_fates as
select
    hris_ref,
    deskbird_id,
    was,
    held,
    case
        when gone then 'gone'
        when held is not distinct from was then 'already_so'
        when held is distinct from written or not ours then 'conflict'
        when was is not null and was not in (select deskbird_id from deskbird.users) then 'gone'
        else 'revert' end as fate
from (
    select
        done.hris_ref,
        done.user_id as deskbird_id,
        done.before->>'manager_deskbird_id' as was,
        done.manager_id as written,
        users.deskbird_id is null as gone,
        users.owner is not null
            or done.user_id in (
                select deskbird_id from revert_differences where attribute = 'hris_ref'
            ) as ours,
        if(
            list_contains(getvariable('shown').users, 'manager'), users.manager_deskbird_id,
            acknowledged.value
        ) as held
    from done_then as done
    left join owned_users as users on users.deskbird_id = done.user_id
    left join state.acknowledged_values as acknowledged
        on acknowledged.deskbird_id = done.user_id and acknowledged.attribute = 'manager'
    where done.object = 'manager'
        and done.hris_ref not in (
            select hris_ref from done_then where object = 'user' and action = 'create'
        )
    qualify row_number() over (partition by done.hris_ref order by done.seq desc) = 1
);

create or replace temp table group_deletions as
with former as (
    select group_deskbird_id as deskbird_id,
        list(user_deskbird_id order by user_deskbird_id) as members
    from present_members
    group by all
)
select
    'group' as object,
    'delete' as action,
    fates.hris_ref,
    deskbird_id,
    json_object('name', observed_groups.name) as before,
    '{}'::json as after,
    'undoes_group_creation' as reason_code,
    json_object(
        'undoes', getvariable('undoes'), 'kind', string_split(fates.hris_ref, ':')[2],
        'former_members', coalesce(former.members, [])) as evidence,
    'group:' || fates.hris_ref || ':delete' as request_key,
    'undone_groups' as phase
from group_fates as fates
join observed_groups using (deskbird_id)
left join former using (deskbird_id)
where fates.fate = 'revert' and fates.action = 'create';

create or replace temp table wanted_changes as
with leaving as (
    select deskbird_id from activity where fate = 'revert' and action <> 'deactivate'
), links as (
    select
        user_id as deskbird_id,
        bool_or(
            evidence->>'rule' in ('email', 'successor', 'decision') or evidence->>'unlinks' = 'true'
        ) as unlinks
    from done_then
    where object = 'user' and json_exists(after, '$.hris_ref') and action <> 'create'
    group by all
), memberships as (
    select
        if(action = 'add', 'remove', 'add') as action,
        hris_ref,
        deskbird_id,
        group_ref,
        group_deskbird_id,
        if(action = 'add', 'undoes_addition', 'undoes_removal') as reason_code
    from membership_fates
    where fate = 'revert'
    union all
    select 'add', hris_ref, deskbird_id, group_ref, null, 'undoes_former_membership' from come_back
), numbered_memberships as (
    select *,
        (
            row_number() over (
                partition by group_ref order by action desc, hris_ref, deskbird_id
            ) - 1
        ) // 100 as part
    from memberships
), changes as (
    select
        'user' as object,
        if(action = 'deactivate', 'reactivate', 'deactivate') as action,
        hris_ref,
        deskbird_id,
        json_object('active', active) as before,
        json_object('active', not active) as after,
        case action
            when 'create' then 'undoes_creation'
            when 'reactivate' then 'undoes_reactivation'
            else 'undoes_deactivation' end as reason_code,
        json_object('undoes', getvariable('undoes')) as evidence,
        'user:' || hris_ref as request_key,
        if(action = 'deactivate', 'users', 'deactivations') as phase
    from activity
    where fate = 'revert'
    union all by name
    select
        'user' as object,
        'update' as action,
        hris_ref,
        deskbird_id,
        to_json(map_from_entries(list(row(attribute, before) order by attribute))) as before,
        to_json(map_from_entries(list(row(attribute, after) order by attribute))) as after,
        'undoes_values' as reason_code,
        json_object(
            'undoes', getvariable('undoes'),
            'unlinks', coalesce(bool_or(attribute = 'hris_ref' and unlinks), false)) as evidence,
        'user:' || hris_ref as request_key,
        if(deskbird_id in (select deskbird_id from leaving), 'deactivations', 'users') as phase,
        if(tripped.attribute is null, [], ['update_attribute']) as held_by
    from revert_differences
    left join links using (deskbird_id)
    left join (select distinct attribute from tripped_attributes) as tripped using (attribute)
    group by hris_ref, deskbird_id, held_by
    union all by name
    select
        'group' as object,
        'create' as action,
        hris_ref,
        '{}'::json as before,
        json_object('hris_ref', hris_ref, 'name', name) as after,
        'undoes_group_deletion' as reason_code,
        json_object(
            'undoes', getvariable('undoes'), 'kind', string_split(hris_ref, ':')[2],
            'members',
            (
                select count(*) from come_back where come_back.group_ref = fates.hris_ref
            )) as evidence,
        'group:' || hris_ref || ':0' as request_key,
        'groups' as phase
    from group_fates as fates
    where fate = 'revert' and action = 'delete'
    union all by name
    select
        'group' as object,
        if(bool_or(attribute = 'name'), 'rename', 'update') as action,
        hris_ref,
        deskbird_id,
        to_json(map_from_entries(list(row(attribute, before) order by attribute))) as before,
        to_json(map_from_entries(list(row(attribute, after) order by attribute))) as after,
        'undoes_values' as reason_code,
        json_object(
            'undoes', getvariable('undoes'), 'kind', string_split(hris_ref, ':')[2],
            'unlinks', coalesce(bool_or(attribute = 'hris_ref'
                and (evidence->>'rule' in ('rule', 'members') or evidence->>'unlinks' = 'true')),
                false)) as evidence,
        'group:' || hris_ref || ':0' as request_key,
        'groups' as phase
    from group_differences
    group by hris_ref, deskbird_id
    union all by name
    select
        'membership' as object,
        action,
        hris_ref,
        deskbird_id,
        group_ref,
        group_deskbird_id,
        if(action = 'remove', json_object('group_ref', group_ref), '{}') as before,
        if(action = 'add', json_object('group_ref', group_ref), '{}') as after,
        reason_code,
        json_object(
            'undoes', getvariable('undoes'), 'kind', string_split(group_ref, ':')[2]
        ) as evidence,
        'group:' || group_ref || ':' || part as request_key,
        if(group_deskbird_id is null and part > 0, 'members_of_new_groups', 'groups') as phase
    from numbered_memberships
    union all by name
    select
        'manager' as object,
        if(fates.was is null, 'clear', 'set') as action,
        fates.hris_ref,
        fates.deskbird_id,
        if(fates.held is null, '{}', json_object('manager_deskbird_id', fates.held)) as before,
        if(fates.was is null,
            json_object('manager_ref', null),
            json_object('manager_ref', managers.owner, 'manager_deskbird_id', fates.was)) as after,
        coalesce(fates.held, '') || '>' || coalesce(managers.owner, fates.was, '') as identity,
        'undoes_manager' as reason_code,
        json_object('undoes', getvariable('undoes')) as evidence,
        'user:' || fates.hris_ref as request_key,
        if(
            fates.deskbird_id in (select deskbird_id from leaving), 'deactivations', 'users'
        ) as phase
    from manager_fates as fates
    left join owned_users as managers on managers.deskbird_id = fates.was
    where fates.fate = 'revert'
)
select
    object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id, before, after, identity,
    reason_code, evidence,
    request_key, phase,
    0 as depth,
    coalesce(held_by, []) as held_by,
    row_number() over () as row
from changes;

insert into not_undone
select if(action = 'create', 'created', 'bookings'), hris_ref, null
from activity
where action in ('create', 'deactivate') and fate = 'revert'
union
select 'invitation', hris_ref, null from activity where action = 'create'
union
select fate, hris_ref, null from activity where fate not in ('already_so', 'revert')
union
select fate, hris_ref, 'manager' from manager_fates where fate not in ('already_so', 'revert')
union
select fate, hris_ref, 'member' from membership_fates where fate not in ('already_so', 'revert');
