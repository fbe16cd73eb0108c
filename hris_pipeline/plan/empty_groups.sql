-- Groups of ours whose unit has nobody any more, or is gone, and in which nobody stays: who is in them leaves them tonight, or is inactive.
-- They are kept, unless the company file has them deleted; what the HRIS did not deliver empties no group (case 41).
-- Reads: our_groups, core.groups, core.people, present_members, deskbird.users, group_kinds, draft, state.group_links,
-- state.unreadable_records.
-- Variables: delete_empty_groups, members_are_readable. Makes: empty_groups. Adds to: draft.
create or replace temp table empty_groups as
with without_unit as (
    select o.group_ref as hris_ref, o.group_deskbird_id as deskbird_id, o.kind, o.group_row
    from our_groups o left join core.groups c on c.rowid = o.group_row
    where coalesce(c.member_count, 0) = 0 and o.kind in (select kind from group_kinds)
), still_named as (
    -- by a record whose unit has lost its name
    select unnest(group_refs) as ref from core.people
    where wanted and list_has_any(group_refs, (select list(hris_ref) from without_unit where group_row is null))
), leaving as (
    select group_deskbird_id, deskbird_id from draft where object = 'membership' and action = 'remove'
), inside as materialized ( -- a few of all members: else the join with users would come first
    from present_members where group_deskbird_id in (select deskbird_id from without_unit)
), staying as (
    select m.group_deskbird_id
    from inside m
    join deskbird.users u on u.deskbird_id = m.user_deskbird_id
    anti join leaving l on l.group_deskbird_id = m.group_deskbird_id and l.deskbird_id = m.user_deskbird_id
    where u.active and m.user_deskbird_id not in (select deskbird_id from draft where object = 'user' and action = 'deactivate')
    union all
    select group_deskbird_id from inside
    where user_deskbird_id in (select deskbird_id from state.unreadable_records where resource = 'users')
)
select hris_ref, deskbird_id, kind from without_unit
where hris_ref not in (select ref from still_named) and deskbird_id not in (select group_deskbird_id from staying);

-- After the deactivations. Whoever made a group by hand may have put people into it whom deskbird does not show.
insert into draft
select 'group', 'delete', e.hris_ref, e.deskbird_id, null, null,
    json_object('name', g.name), '{}', null,
    'group_empty',
    json_object('kind', e.kind, 'former_members', coalesce(m.members, [])), 'group:' || e.hris_ref || ':delete', 7000000, []
from empty_groups e join observed_groups g using (deskbird_id)
left join (
    select group_deskbird_id as deskbird_id, list(user_deskbird_id order by user_deskbird_id) as members from present_members
    where group_deskbird_id in (select deskbird_id from empty_groups) group by all
) m using (deskbird_id)
where getvariable('delete_empty_groups') and e.kind not in (select unnest(unknown) from core.people where wanted)
    and (getvariable('members_are_readable') or e.deskbird_id not in (select deskbird_id from state.group_links where rule = 'rule'));
