-- The inverse of what a plan has done, drafted as rows of a plan. Nobody's user is ever deleted: who was created is deactivated.
-- Reads: done_then, revert_differences, group_differences, group_fates, tripped_attributes, deskbird.users, owned_users, observed_groups, known_groups,
-- present_members, state.acknowledged_values. Variables: undoes, managers_are_readable. Adds to: draft, not_undone.

-- Activity: who was created or reactivated is deactivated, who was deactivated comes back.
create or replace temp table activity as
select d.hris_ref, d.user_id as deskbird_id, d.action, u.active,
    case when u.deskbird_id is null then 'gone'
         when u.active <> (d.action <> 'deactivate') then 'so'
         when u.owner is null then 'overtaken'
         else 'goes back' end as fate
from done_then d left join owned_users u on u.deskbird_id = d.user_id
where d.object = 'user' and d.action in ('create', 'reactivate', 'deactivate')
qualify row_number() over (partition by d.hris_ref order by d.seq desc) = 1;

insert into draft
select 'user', case action when 'deactivate' then 'reactivate' else 'deactivate' end, hris_ref, deskbird_id, null, null,
    json_object('active', active), json_object('active', not active), null,
    case action when 'create' then 'undoes_creation' when 'reactivate' then 'undoes_reactivation' else 'undoes_deactivation' end,
    json_object('undoes', getvariable('undoes')), 'user:' || hris_ref, case action when 'deactivate' then 3000000 else 6000000 end, []
from activity where fate = 'goes back';

insert into draft
select 'user', 'update', hris_ref, deskbird_id, null, null,
    to_json(map_from_entries(list(row(attribute, before) order by attribute))), to_json(map_from_entries(list(row(attribute, after) order by attribute))),
    null,
    'undoes_values',
    json_object('undoes', getvariable('undoes'), 'unlinks', coalesce(bool_or(attribute = 'hris_ref' and unlinks), false)),
    'user:' || hris_ref,
    case when deskbird_id in (select deskbird_id from activity where fate = 'goes back' and action <> 'deactivate') then 6000000 else 3000000 end,
    case when bool_or(t.attribute is not null) then ['update_attribute'] else [] end
from revert_differences d
left join (
    select user_id as deskbird_id, bool_or(evidence->>'rule' in ('email', 'successor', 'decision') or evidence->>'unlinks' = 'true') as unlinks
    from done_then where object = 'user' and json_exists(after, '$.hris_ref') and action <> 'create' group by all
) l using (deskbird_id)
left join tripped_attributes t using (attribute)
group by hris_ref, deskbird_id, (t.attribute is not null);

-- Groups: deletions first, because they free names.
insert into draft
select 'group', 'delete', f.hris_ref, f.deskbird_id, null, null,
    json_object('name', g.name), '{}', null, 'undoes_group_creation',
    json_object('undoes', getvariable('undoes'), 'kind', string_split(f.hris_ref, ':')[2], 'former_members', coalesce(m.members, [])),
    'group:' || f.hris_ref || ':delete', 4400000, []
from group_fates f
join observed_groups g using (deskbird_id)
left join (select group_deskbird_id as deskbird_id, list(user_deskbird_id order by user_deskbird_id) as members from present_members group by all) m using (deskbird_id)
where f.fate = 'goes back' and f.action = 'create';

create or replace temp table come_back as
select distinct f.hris_ref as group_ref, u.deskbird_id, u.owner as hris_ref
from (
    select hris_ref, unnest(from_json(evidence->'former_members', '["VARCHAR"]')) as user_id from group_fates where fate = 'goes back' and action = 'delete'
    union
    select d.group_ref, d.user_id from done_then d join group_fates f on f.hris_ref = d.group_ref
    where f.fate = 'goes back' and f.action = 'delete' and d.object = 'membership' and d.action = 'remove'
) f join owned_users u on u.deskbird_id = f.user_id;

insert into draft
select 'group', 'create', f.hris_ref, null, null, null,
    '{}', json_object('hris_ref', f.hris_ref, 'name', f.name), null, 'undoes_group_deletion',
    json_object('undoes', getvariable('undoes'), 'kind', string_split(f.hris_ref, ':')[2], 'members', (select count(*) from come_back c where c.group_ref = f.hris_ref)),
    'group:' || f.hris_ref || ':0', 4500000, []
from group_fates f
where f.fate = 'goes back' and f.action = 'delete';

insert into draft
select 'group', case when bool_or(attribute = 'name') then 'rename' else 'update' end, hris_ref, deskbird_id, null, null,
    to_json(map_from_entries(list(row(attribute, before) order by attribute))), to_json(map_from_entries(list(row(attribute, after) order by attribute))),
    null,
    'undoes_values',
    json_object('undoes', getvariable('undoes'), 'kind', string_split(hris_ref, ':')[2],
        'unlinks', coalesce(bool_or(attribute = 'hris_ref' and (evidence->>'rule' in ('rule', 'members') or evidence->>'unlinks' = 'true')), false)),
    'group:' || hris_ref || ':0', 4500000, []
from group_differences
group by hris_ref, deskbird_id;

-- Memberships, except those that a group takes with it.
create or replace temp table membership_fates as
select d.hris_ref, d.user_id as deskbird_id, d.group_ref, d.group_id as group_deskbird_id, d.action,
    case
        when d.group_id in (select deskbird_id from group_fates where fate = 'goes back') or d.group_ref in (select group_ref from come_back) then 'so'
        when g.deskbird_id is null or u.deskbird_id is null then 'gone'
        when (m.user_deskbird_id is not null) <> (d.action = 'add') then 'so'
        when k.ref is null and d.group_id not in (select deskbird_id from group_differences where attribute = 'hris_ref') then 'overtaken'
        else 'goes back'
    end as fate
from done_then d
left join observed_groups g on g.deskbird_id = d.group_id
left join deskbird.users u on u.deskbird_id = d.user_id
left join known_groups k on k.deskbird_id = d.group_id
left join present_members m on m.group_deskbird_id = d.group_id and m.user_deskbird_id = d.user_id
where d.object = 'membership'
qualify row_number() over (partition by d.group_ref, d.user_id order by d.seq desc) = 1;

insert into draft
select 'membership', action, hris_ref, deskbird_id, group_ref, group_deskbird_id,
    case action when 'remove' then json_object('group_ref', group_ref) else '{}' end,
    case action when 'add' then json_object('group_ref', group_ref) else '{}' end,
    null, reason_code, json_object('undoes', getvariable('undoes'), 'kind', string_split(group_ref, ':')[2]),
    'group:' || group_ref || ':' || ((row_number() over (partition by group_ref order by action desc, hris_ref, deskbird_id) - 1) // 100),
    4500000, []
from (
    select case action when 'add' then 'remove' else 'add' end as action, hris_ref, deskbird_id, group_ref, group_deskbird_id,
        case action when 'add' then 'undoes_addition' else 'undoes_removal' end as reason_code
    from membership_fates where fate = 'goes back'
    union all
    select 'add', hris_ref, deskbird_id, group_ref, null, 'undoes_former_membership' from come_back
);
update draft set stage = 4600000
where object = 'membership' and group_deskbird_id is null and not suffix(request_key, ':0');

-- Managers, except those of users that the plan created.
create or replace temp table manager_fates as
select hris_ref, deskbird_id, was, held,
    case
        when gone then 'gone'
        when held is not distinct from was then 'so'
        when held is distinct from written or not ours then 'overtaken'
        when was is not null and was not in (select deskbird_id from deskbird.users) then 'gone'
        else 'goes back'
    end as fate
from (
    select d.hris_ref, d.user_id as deskbird_id, d.before->>'manager_deskbird_id' as was, d.manager_id as written, u.deskbird_id is null as gone,
        u.owner is not null or d.user_id in (select deskbird_id from revert_differences where attribute = 'hris_ref') as ours,
        case when getvariable('managers_are_readable') then u.manager_deskbird_id else a.value end as held
    from done_then d
    left join owned_users u on u.deskbird_id = d.user_id
    left join state.acknowledged_values a on a.deskbird_id = d.user_id and a.attribute = 'manager'
    where d.object = 'manager' and d.hris_ref not in (select hris_ref from done_then where object = 'user' and action = 'create')
    qualify row_number() over (partition by d.hris_ref order by d.seq desc) = 1
);

insert into draft
select 'manager', case when f.was is null then 'clear' else 'set' end, f.hris_ref, f.deskbird_id, null, null,
    case when f.held is null then '{}' else json_object('manager_deskbird_id', f.held) end,
    case when f.was is null then json_object('manager_ref', null) else json_object('manager_ref', m.owner, 'manager_deskbird_id', f.was) end,
    coalesce(f.held, '') || '>' || coalesce(m.owner, f.was, ''),
    'undoes_manager', json_object('undoes', getvariable('undoes')), 'user:' || f.hris_ref,
    case when f.deskbird_id in (select deskbird_id from activity where fate = 'goes back' and action <> 'deactivate') then 6000000 else 3000000 end, []
from manager_fates f left join owned_users m on m.deskbird_id = f.was
where f.fate = 'goes back';

insert into not_undone
select case action when 'create' then 'created' else 'bookings' end, hris_ref, null from activity where action in ('create', 'deactivate') and fate = 'goes back'
union
select 'invitation', hris_ref, null from activity where action = 'create'
union
select fate, hris_ref, null from activity where fate not in ('so', 'goes back')
union
select fate, hris_ref, 'manager' from manager_fates where fate not in ('so', 'goes back')
union
select fate, hris_ref, 'member' from membership_fates where fate not in ('so', 'goes back');
