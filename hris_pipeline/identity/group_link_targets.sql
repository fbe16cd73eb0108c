-- Which group each rule of the company file gives to which unit, where it gives one to one.
-- Reads: core.groups, group_rules, known_groups, observed_groups, group_link_targets,
--   state.group_links
-- Makes: none
-- Changes: review_cases, group_link_targets
-- Variables: none

-- A rule finds its unit by hris_ref or by kind and name, its group by deskbird's id or by name; it
-- must find one of each.
insert into group_link_targets
with units as (
    select r.unit, c.hris_ref from group_rules r join core.groups c on c.hris_ref = r.unit
    union
    select r.unit, c.hris_ref
    from group_rules r
    join core.groups c on name_key(c.kind || ':' || c.name) = name_key(r.unit)
), targets as (
    select r.unit, g.deskbird_id
    from group_rules r
    join observed_groups g on g.deskbird_id = r.target
    union
    select r.unit, g.deskbird_id
    from group_rules r
    join observed_groups g on g.name_key = name_key(r.target)
    where r.target not in (select deskbird_id from observed_groups)
), found as (
    select r.unit, min(u.hris_ref) as hris_ref, min(t.deskbird_id) as deskbird_id,
        count(distinct u.hris_ref) as units, count(distinct t.deskbird_id) as targets
    from group_rules r left join units u using (unit) left join targets t using (unit)
    group by r.unit
), in_use as (
    select k.deskbird_id, k.ref
    from known_groups k
    join core.groups c on c.hris_ref = k.ref
    where c.member_count > 0
)
select f.unit, f.hris_ref, f.deskbird_id,
    case
        -- a group that was linked earlier may be called otherwise by now
        when f.units = 1 and f.targets = 0 and l.hris_ref is not null then null
        when f.units = 0 or f.targets = 0 then 'link_groups_finds_nothing'
        when f.units > 1 or f.targets > 1
            or count(*) over (partition by f.hris_ref) > 1
            or count(*) over (partition by f.deskbird_id) > 1 then 'link_groups_finds_several'
        when i.ref is not null
            and i.ref <> f.hris_ref then 'link_groups_finds_the_group_of_another_unit'
    end as problem
from found f
left join in_use i on i.deskbird_id = f.deskbird_id
left join (
    select distinct hris_ref
    from state.group_links l
    semi join observed_groups using (deskbird_id)
    where rule = 'rule'
) l
    on l.hris_ref = f.hris_ref;

insert into review_cases (hris_ref, rule, deskbird_id)
select coalesce(hris_ref, unit), problem, min(deskbird_id)
from group_link_targets
where problem is not null
group by all;
delete from group_link_targets where problem is not null or deskbird_id is null;
