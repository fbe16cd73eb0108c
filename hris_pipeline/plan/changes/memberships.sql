-- Memberships: one change per person and group to add or remove.
-- Reads: core.groups, core.people, group_kinds, group_matches, members, our_groups, matched_people
-- Makes: membership_changes
-- Variables: parameters.cleared
create or replace temp table membership_changes as
with differing as (
    -- a new group takes its members along, the first hundred with its creation; an existing one
    -- takes all together
    select
        'add' as action,
        matched_people.hris_ref,
        matched_people.deskbird_id,
        units.hris_ref as group_ref,
        matches.deskbird_id as group_deskbird_id
    from (from members where our_row is null) as missing
    join core.groups as units on units.rowid = missing.group_row
    join matched_people on matched_people.rowid = missing.pair_row
    left join group_matches as matches on matches.hris_ref = units.hris_ref
    union all
    -- Only people who are wanted are taken out, those who come back or are linked now included; a
    -- group of another connection or one that the person's own record still names, or a kind the
    -- HRIS did not deliver or delivered empty where that is to be kept, is left alone.
    select 'remove', matched_people.hris_ref, matched_people.deskbird_id, our_groups.group_ref,
        our_groups.group_deskbird_id
    from (from members where not is_wanted) as unwanted
    join our_groups on our_groups.rowid = unwanted.our_row
    join matched_people on matched_people.rowid = unwanted.pair_row
    join core.people as people on people.hris_ref = matched_people.hris_ref
    where our_groups.kind in (select kind from group_kinds)
        and list_contains(
            [string_split(ref, ':')[1] for ref in list_prepend(people.hris_ref, people.other_refs)],
            string_split(our_groups.group_ref, ':')[1])
        and not list_contains(people.group_refs, our_groups.group_ref)
        and not list_contains(people.unknown, our_groups.kind)
        and (list_contains(getvariable('parameters').cleared, our_groups.kind)
            or len(
                list_filter(
                    people.group_refs, lambda ref: string_split(ref, ':')[2] = our_groups.kind
                )
            ) > 0)
), numbered as (
    -- at most a hundred members a request
    select *,
        (
            row_number() over (partition by group_ref order by action desc, hris_ref) - 1
        ) // 100 as part
    from differing
)
select
    'membership' as object,
    action,
    hris_ref,
    deskbird_id,
    group_ref,
    group_deskbird_id,
    if(action = 'remove', json_object('group_ref', group_ref), '{}') as before,
    if(action = 'add', json_object('group_ref', group_ref), '{}') as after,
    if(action = 'add', 'in_group', 'not_in_group') as reason_code,
    json_object('kind', string_split(group_ref, ':')[2]) as evidence,
    'group:' || group_ref || ':' || part as request_key,
    -- what follows a creation needs the id that the creation brings
    if(group_deskbird_id is null and part > 0, 'members_of_new_groups', 'groups') as phase
from numbered;
