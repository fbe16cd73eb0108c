-- Which group is which in deskbird: a rule of the company file, the stored link, our marker. A
-- group made by hand is never taken over for its name (case 45); of ours, one whose unit got a new
-- id in the HRIS is found by renumbered_units.sql.
-- Reads: core.groups, observed_groups, group_link_targets, state.group_links
-- Makes: group_matches, group_overlaps
-- Changes: review_cases
-- Variables: none

-- Filled by renumbered_units.sql.
create or replace temp table group_overlaps (
    hris_ref varchar, deskbird_id varchar, was varchar, common_members bigint, unit_members bigint,
    group_members bigint);

-- The stored link counts before a rule's group, that before a marker.
create or replace temp table group_matches as
with by_link as (
    select c.hris_ref, g.deskbird_id, 'link' as rule
    from core.groups c
    join state.group_links l using (hris_ref)
    join observed_groups g on g.deskbird_id = l.deskbird_id
    left join group_link_targets r on r.hris_ref = c.hris_ref
    left join group_link_targets t on t.deskbird_id = g.deskbird_id
    where coalesce(r.deskbird_id = g.deskbird_id, true) and coalesce(t.hris_ref = c.hris_ref, true)
    qualify row_number() over (partition by c.hris_ref order by l.linked_at desc, g.deskbird_id) = 1
), by_rule as (
    from by_link
    union all
    select hris_ref, deskbird_id, 'rule' from group_link_targets anti join by_link using (hris_ref)
)
from by_rule
union all
select c.hris_ref, min(g.deskbird_id), 'marker'
from core.groups c join observed_groups g on g.marker = c.hris_ref
anti join by_rule m on m.hris_ref = c.hris_ref
where g.deskbird_id not in (select deskbird_id from by_rule)
group by c.hris_ref;

-- The group that was made for a unit before a rule gave it another one: it is for a person to
-- delete.
insert into review_cases (hris_ref, rule, deskbird_id)
select f.hris_ref, 'link_groups_leaves_another_group', min(g.deskbird_id)
from group_link_targets f
join observed_groups g on g.marker = f.hris_ref and g.deskbird_id <> f.deskbird_id
group by f.hris_ref;
