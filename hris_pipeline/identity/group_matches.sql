-- Which group is which in deskbird: a rule of the company file, the stored link, our marker; then, for one of ours whose unit got a new id in
-- the HRIS, kind and name, and last the same members (case 43). A group made by hand is never taken over for its name (case 45).
-- Reads: core.groups, core.memberships, core.people, user_matches, observed_groups, deskbird.group_members, state.group_links, group_rules.
-- Variables: names (patterns), members_are_readable. Makes: present_members, rules_found, group_matches, group_overlaps. Adds to: review_tonight.

-- Who is in which group in deskbird: as it says, or, where it does not, as it acknowledged.
create or replace temp view present_members as
select group_deskbird_id, user_deskbird_id from deskbird.group_members where getvariable('members_are_readable')
union all
select group_deskbird_id, user_deskbird_id from state.acknowledged_members where not getvariable('members_are_readable');

-- Whose each group of ours is, as far as it is known before tonight.
create or replace temp table known_groups as
select g.deskbird_id, g.name_key, g.marker, coalesce(l.hris_ref, g.marker) as ref
from observed_groups g
left join (select deskbird_id, min(hris_ref) as hris_ref from state.group_links group by all) l using (deskbird_id)
where coalesce(l.hris_ref, g.marker) is not null;

-- A rule finds its unit by hris_ref or by kind and name, its group by deskbird's id or by name; it must find one of each.
create or replace temp table rules_found as
with units as (
    select r.unit, c.hris_ref from group_rules r join core.groups c on c.hris_ref = r.unit
    union
    select r.unit, c.hris_ref from group_rules r join core.groups c on name_key(c.kind || ':' || c.name) = name_key(r.unit)
), targets as (
    select r.unit, g.deskbird_id from group_rules r join observed_groups g on g.deskbird_id = r.target
    union
    select r.unit, g.deskbird_id from group_rules r join observed_groups g on g.name_key = name_key(r.target)
    where r.target not in (select deskbird_id from observed_groups)
), found as (
    select r.unit, min(u.hris_ref) as hris_ref, min(t.deskbird_id) as deskbird_id,
        count(distinct u.hris_ref) as units, count(distinct t.deskbird_id) as targets
    from group_rules r left join units u using (unit) left join targets t using (unit)
    group by r.unit
), in_use as (
    select k.deskbird_id, k.ref from known_groups k join core.groups c on c.hris_ref = k.ref where c.member_count > 0
)
select f.unit, f.hris_ref, f.deskbird_id,
    case
        -- a group that was linked earlier may be called otherwise by now
        when f.units = 1 and f.targets = 0 and l.hris_ref is not null then null
        when f.units = 0 or f.targets = 0 then 'link_groups_finds_nothing'
        when f.units > 1 or f.targets > 1
            or count(*) over (partition by f.hris_ref) > 1 or count(*) over (partition by f.deskbird_id) > 1 then 'link_groups_finds_several'
        when i.ref is not null and i.ref <> f.hris_ref then 'link_groups_finds_the_group_of_another_unit'
    end as problem
from found f
left join in_use i on i.deskbird_id = f.deskbird_id
left join (select distinct hris_ref from state.group_links l semi join observed_groups using (deskbird_id) where rule = 'rule') l on l.hris_ref = f.hris_ref;

insert into review_tonight (hris_ref, rule, deskbird_id)
select coalesce(hris_ref, unit), problem, min(deskbird_id) from rules_found where problem is not null group by all;
delete from rules_found where problem is not null or deskbird_id is null;

create or replace temp table group_matches as
select c.hris_ref, g.deskbird_id, 'link' as rule
from core.groups c join state.group_links l using (hris_ref) join observed_groups g on g.deskbird_id = l.deskbird_id
left join rules_found r on r.hris_ref = c.hris_ref
left join rules_found t on t.deskbird_id = g.deskbird_id
where coalesce(r.deskbird_id = g.deskbird_id, true) and coalesce(t.hris_ref = c.hris_ref, true)
qualify row_number() over (partition by c.hris_ref order by l.linked_at desc, g.deskbird_id) = 1;

insert into group_matches
select hris_ref, deskbird_id, 'rule' from rules_found anti join group_matches using (hris_ref);

insert into group_matches
select c.hris_ref, min(g.deskbird_id), 'marker'
from core.groups c join observed_groups g on g.marker = c.hris_ref
anti join group_matches m on m.hris_ref = c.hris_ref
where g.deskbird_id not in (select deskbird_id from group_matches)
group by c.hris_ref;

-- The group that was made for a unit before a rule gave it another one: it is for a person to delete.
insert into review_tonight (hris_ref, rule, deskbird_id)
select f.hris_ref, 'link_groups_leaves_another_group', min(g.deskbird_id)
from rules_found f join observed_groups g on g.marker = f.hris_ref and g.deskbird_id <> f.deskbird_id
group by f.hris_ref;

-- The name is the one that the group was given: by the pattern, or by the one for collisions.
insert into group_matches
with free_units as (
    select hris_ref, kind, name, count(*) over (partition by kind, name_key(name)) as n
    from core.groups anti join group_matches using (hris_ref)
), wanted as (
    select hris_ref, kind, unnest(list_distinct([name_key(named(pattern, name, kind)) for pattern in getvariable('names')])) as key
    from free_units where n = 1
), left_over as (
    select deskbird_id, name_key, string_split(ref, ':')[2] as kind
    from known_groups
    where ref not in (select hris_ref from core.groups) and deskbird_id not in (select deskbird_id from group_matches)
)
select w.hris_ref, g.deskbird_id, 'kind and name'
from wanted w join left_over g on g.kind = w.kind and g.name_key = w.key
qualify count(*) over (partition by w.hris_ref) = 1 and count(*) over (partition by g.deskbird_id) = 1;

-- Whoever is in a unit without a group and in a group without a unit: one that the HRIS has no more, or that only people who left still name.
create or replace temp table units_without_group as
select rowid as group_row, hris_ref, kind, member_count from core.groups
anti join group_matches using (hris_ref)
where member_count > 1;
create or replace temp table groups_without_unit as
select k.deskbird_id, k.ref, string_split(k.ref, ':')[2] as kind
from known_groups k left join core.groups c on c.hris_ref = k.ref
where coalesce(c.member_count, 0) = 0 and string_split(k.ref, ':')[2] in (select kind from units_without_group)
    and k.deskbird_id not in (select deskbird_id from group_matches where rule <> 'link' and rule <> 'marker')
    and k.deskbird_id not in (select deskbird_id from rules_found);

create or replace temp table group_overlaps as
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
    select u.hris_ref, u.member_count as unit_members, g.deskbird_id, g.ref, count(distinct g.person_id) as common_members
    from units_without_group u
    join core.memberships s on s.group_ref = u.hris_ref
    join in_groups g on g.person_id = s.person_id and g.kind = u.kind
    where string_split(g.ref, ':')[1] = string_split(u.hris_ref, ':')[1]
    group by all
)
select c.hris_ref, c.deskbird_id, c.ref as was, c.common_members, c.unit_members, s.members as group_members
from common c join sizes s using (deskbird_id)
where c.common_members > 1 and c.common_members * 2 > least(c.unit_members, s.members)
qualify count(*) over (partition by c.hris_ref) = 1 and count(*) over (partition by c.deskbird_id) = 1;

delete from group_matches where deskbird_id in (select deskbird_id from group_overlaps);
insert into group_matches select hris_ref, deskbird_id, 'members' from group_overlaps;
drop table units_without_group; drop table groups_without_unit;
