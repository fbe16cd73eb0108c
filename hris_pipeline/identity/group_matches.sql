-- Which group is which in deskbird: the stored link, then our marker, then - for one of ours whose unit got a new id in the HRIS - kind and name.
-- A group made by hand is never taken over for its name.
-- Reads: core.groups, observed_groups, state.group_links. Variable: names (patterns). Makes: group_matches.

create or replace temp table group_matches as
select c.hris_ref, g.deskbird_id, 'link' as rule
from core.groups c join state.group_links l using (hris_ref) join observed_groups g on g.deskbird_id = l.deskbird_id
qualify row_number() over (partition by c.hris_ref order by l.linked_at desc, g.deskbird_id) = 1;

insert into group_matches
select c.hris_ref, min(g.deskbird_id), 'marker'
from core.groups c join observed_groups g on g.marker = c.hris_ref
anti join group_matches m on m.hris_ref = c.hris_ref
where g.deskbird_id not in (select deskbird_id from group_matches)
group by c.hris_ref;

-- The name is the one that the group was given: by the pattern, or by the one for collisions.
insert into group_matches
with free_units as (
    select hris_ref, kind, name, count(*) over (partition by kind, name_key(name)) as n
    from core.groups anti join group_matches using (hris_ref)
), wanted as (
    select hris_ref, kind, unnest(list_distinct([name_key(named(pattern, name, kind)) for pattern in getvariable('names')])) as key
    from free_units where n = 1
), known_groups as (
    select g.deskbird_id, g.name_key, coalesce(g.marker, l.hris_ref) as ref
    from observed_groups g left join (select deskbird_id, min(hris_ref) as hris_ref from state.group_links group by all) l using (deskbird_id)
    where coalesce(g.marker, l.hris_ref) is not null
), left_over as (
    select deskbird_id, name_key, string_split(ref, ':')[2] as kind
    from known_groups
    where ref not in (select hris_ref from core.groups) and deskbird_id not in (select deskbird_id from group_matches)
)
select w.hris_ref, g.deskbird_id, 'kind and name'
from wanted w join left_over g on g.kind = w.kind and g.name_key = w.key
qualify count(*) over (partition by w.hris_ref) = 1 and count(*) over (partition by g.deskbird_id) = 1;
