-- core.quarantine: what is held back tonight, by rule, with the night it was first seen.
-- Reads: temp tables people_records and violations (what breaks a rule of people); adds the units'.

-- Units that people are in but that have no name or are in no list: their groups are left as they
-- are.
insert into violations
select distinct g.ref, 'core.groups', 'unit_has_a_name'
from (select unnest(group_refs) as ref from people_records where status is distinct from 'ended') g
join group_kinds k on k.kind = string_split(g.ref, ':')[2]
anti join named_units u on u.hris_ref = g.ref;

create or replace temp table current_quarantine as
select v.hris_ref, v."table", v.rule, coalesce(min(q.first_seen), getvariable('now')) as first_seen,
    cast(getvariable('now') as timestamptz) as last_seen
from (select distinct hris_ref, "table", rule from violations) v
left join core.quarantine q on q.hris_ref = v.hris_ref and q."table" = v."table" and q.rule = v.rule
group by all;
create or replace table core.quarantine as from current_quarantine;
drop table current_quarantine;
