-- Groups of ours whose unit got a new id in the HRIS: found by kind and name, and last by the same
-- members (case 43).
-- Reads: core.groups, core.memberships, core.people, group_matches, group_overlaps, known_groups,
--   present_members, group_link_targets, user_matches
-- Makes: groups_without_unit, units_without_group
-- Changes: group_matches, group_overlaps
-- Variables: parameters.names

-- The name is the one that the group was given: by the pattern, or by the one for collisions.
insert into group_matches
with free_units as (
    select hris_ref, kind, name, count(*) over (partition by kind, name_key(name)) as n
    from core.groups anti join group_matches using (hris_ref)
), wanted as (
    select hris_ref,
        kind,
        unnest(
            list_distinct([
                name_key(named(pattern, name, kind)) for pattern in getvariable('parameters').names
            ])
        ) as key
    from free_units where n = 1
), left_over as (
    select deskbird_id, name_key, string_split(ref, ':')[2] as kind
    from known_groups
    where ref not in (select hris_ref from core.groups)
        and deskbird_id not in (select deskbird_id from group_matches)
)
select w.hris_ref, g.deskbird_id, 'kind and name'
from wanted w join left_over g on g.kind = w.kind and g.name_key = w.key
qualify count(*) over (partition by w.hris_ref) = 1
    and count(*) over (partition by g.deskbird_id) = 1;

-- Whoever is in a unit without a group and in a group without a unit: one that the HRIS has no
-- more, or that only people who left still name.
create or replace temp table units_without_group as
select rowid as group_row, hris_ref, kind, member_count from core.groups
anti join group_matches using (hris_ref)
where member_count > 1;
create or replace temp table groups_without_unit as
select k.deskbird_id, k.ref, string_split(k.ref, ':')[2] as kind
from known_groups k left join core.groups c on c.hris_ref = k.ref
where coalesce(c.member_count, 0) = 0
    and string_split(k.ref, ':')[2] in (select kind from units_without_group)
    and k.deskbird_id not in (
        select deskbird_id from group_matches where rule <> 'link' and rule <> 'marker'
    )
    and k.deskbird_id not in (select deskbird_id from group_link_targets);

insert into group_overlaps
with in_groups as not materialized (
    select g.deskbird_id, g.ref, g.kind, p.person_id
    from groups_without_unit g
    join present_members m on m.group_deskbird_id = g.deskbird_id
    join user_matches u on u.deskbird_id = m.user_deskbird_id
    join core.people p on p.hris_ref = u.hris_ref
    where p.wanted
), sizes as (
    select deskbird_id, count(distinct person_id) as members from in_groups group by all
), common as (
    select u.hris_ref, u.member_count as unit_members, g.deskbird_id, g.ref,
        count(distinct g.person_id) as common_members
    from units_without_group u
    join core.memberships s on s.group_ref = u.hris_ref
    join in_groups g on g.person_id = s.person_id and g.kind = u.kind
    where string_split(g.ref, ':')[1] = string_split(u.hris_ref, ':')[1]
    group by all
)
select c.hris_ref,
    c.deskbird_id,
    c.ref as was,
    c.common_members,
    c.unit_members,
    s.members as group_members
from common c join sizes s using (deskbird_id)
where c.common_members > 1 and c.common_members * 2 > least(c.unit_members, s.members)
qualify count(*) over (partition by c.hris_ref) = 1
    and count(*) over (partition by c.deskbird_id) = 1;

delete from group_matches where deskbird_id in (select deskbird_id from group_overlaps);
insert into group_matches select hris_ref, deskbird_id, 'members' from group_overlaps;
drop table units_without_group; drop table groups_without_unit;
