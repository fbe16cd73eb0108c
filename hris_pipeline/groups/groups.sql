-- core.groups: one group per named unit of a synced kind that somebody's record names, whoever it
-- is. A unit nobody was ever in cannot be told by every HRIS (Personio v1 has no list of units), so
-- none is listed; one whose people have all left is, and only the plan leaves it out.
-- Reads: named_units, core.people.
create or replace table core.groups as
select u.hris_ref, u.kind, u.name, u.parent_ref, p.member_count
from named_units u
join (
    select ref, count(*) filter (wanted) as member_count
    from (select unnest(group_refs) as ref, wanted from core.people) group by ref
) p on p.ref = u.hris_ref;
