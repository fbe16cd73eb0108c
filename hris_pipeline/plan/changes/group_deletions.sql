-- Groups of ours whose unit has nobody any more, or is gone, and in which nobody stays: who is in
-- them leaves them now, or is inactive. They are kept, unless the company file has them deleted;
-- what the HRIS did not deliver empties no group (case 41).
-- Reads: core.groups, core.people, deskbird.users, group_kinds, ignored_drift, observed_groups,
--   our_groups, present_members, state.group_links, state.unreadable_records, wanted_changes
-- Makes: empty_groups, group_deletions
-- Variables: parameters.delete_empty_groups, shown.groups
create or replace temp table empty_groups as
with without_unit as (
    select
        our_groups.group_ref as hris_ref,
        our_groups.group_deskbird_id as deskbird_id,
        our_groups.kind,
        our_groups.group_row
    from our_groups
    left join core.groups as units on units.rowid = our_groups.group_row
    where coalesce(units.member_count, 0) = 0 and our_groups.kind in (select kind from group_kinds)
), still_named as (
    -- by a record whose unit has lost its name
    select unnest(group_refs) as ref
    from core.people
    where wanted
        and list_has_any(
            group_refs, (select list(hris_ref) from without_unit where group_row is null)
        )
), going as (
    select object, action, deskbird_id, group_deskbird_id
    from wanted_changes
    where action in ('remove', 'deactivate')
        and row not in (select row from ignored_drift where row is not null)
), inside as materialized (
    -- a few of all members: else the join with users would come first
    from present_members where group_deskbird_id in (select deskbird_id from without_unit)
), staying as (
    select inside.group_deskbird_id
    from inside
    join deskbird.users as users on users.deskbird_id = inside.user_deskbird_id
    anti join (from going where object = 'membership') as leaving
        on leaving.group_deskbird_id = inside.group_deskbird_id
            and leaving.deskbird_id = inside.user_deskbird_id
    where users.active
        and inside.user_deskbird_id not in (select deskbird_id from going where object = 'user')
    union all
    select group_deskbird_id
    from inside
    where user_deskbird_id in (
        select deskbird_id from state.unreadable_records where resource = 'users'
    )
)
select hris_ref, deskbird_id, kind
from without_unit
where hris_ref not in (select ref from still_named)
    and deskbird_id not in (select group_deskbird_id from staying);

-- Whoever made a group by hand may have put people into it whom deskbird does not show.
create or replace temp table group_deletions as
with former as (
    select group_deskbird_id as deskbird_id,
        list(user_deskbird_id order by user_deskbird_id) as members
    from present_members
    where group_deskbird_id in (select deskbird_id from empty_groups)
    group by all
)
select
    'group' as object,
    'delete' as action,
    hris_ref,
    deskbird_id,
    json_object('name', observed_groups.name) as before,
    '{}'::json as after,
    'group_empty' as reason_code,
    json_object('kind', kind, 'former_members', coalesce(former.members, [])) as evidence,
    'group:' || hris_ref || ':delete' as request_key,
    'group_deletions' as phase
from empty_groups
join observed_groups using (deskbird_id)
left join former using (deskbird_id)
where getvariable('parameters').delete_empty_groups
    and kind not in (select unnest(unknown) from core.people where wanted)
    and (list_contains(getvariable('shown').groups, 'members')
        or deskbird_id not in (select deskbird_id from state.group_links where rule = 'rule'));
