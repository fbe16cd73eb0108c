-- Which group is which in deskbird: the stored link, then our marker, then - for one of ours whose unit got a new id in the HRIS - kind and name.
-- A group made by hand is never taken over for its name.
-- Reads: core.groups, observed_groups, state.group_links. Makes: group_matches.

create or replace temp table group_matches as
select c.hris_ref, g.deskbird_id, 'link' as rule
from core.groups c join state.group_links l using (hris_ref) join observed_groups g on g.deskbird_id = l.deskbird_id
qualify row_number() over (partition by c.hris_ref order by l.linked_at desc, g.deskbird_id) = 1
    and row_number() over (partition by g.deskbird_id order by l.linked_at desc, c.hris_ref) = 1;

insert into group_matches
select c.hris_ref, min(g.deskbird_id), 'marker'
from core.groups c join observed_groups g on g.marker = c.hris_ref
anti join group_matches m on m.hris_ref = c.hris_ref
where g.deskbird_id not in (select deskbird_id from group_matches)
group by c.hris_ref;

insert into group_matches
with free_units as (
    select hris_ref, kind, name_key(name) as key, count(*) over (partition by kind, name_key(name)) as n
    from core.groups anti join group_matches using (hris_ref)
), known_groups as (
    select g.deskbird_id, g.name_key, coalesce(g.marker, l.hris_ref) as ref
    from observed_groups g left join (select deskbird_id, min(hris_ref) as hris_ref from state.group_links group by all) l using (deskbird_id)
    where coalesce(g.marker, l.hris_ref) is not null
), left_over as (
    select deskbird_id, name_key, split_part(ref, ':', 2) as kind
    from known_groups
    where ref not in (select hris_ref from core.groups) and deskbird_id not in (select deskbird_id from group_matches)
)
select f.hris_ref, min(g.deskbird_id), 'kind and name'
from free_units f join left_over g on g.kind = f.kind and g.name_key = f.key
where f.n = 1
group by f.hris_ref having count(*) = 1;
