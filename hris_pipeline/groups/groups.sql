-- core.groups: one group per named unit of a synced kind. A group without members is listed here too; only the plan leaves it out.
-- Reads: named_units, core.people.
create or replace temp table groups_tonight as
select u.hris_ref, u.kind, u.name, u.parent_ref, count(p.ref) as member_count
from named_units u
left join (select unnest(group_refs) as ref from core.people where wanted) p on p.ref = u.hris_ref
group by all;
