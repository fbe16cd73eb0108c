-- core.memberships: who is in which group, people who left apart.
-- Reads: core.people (whose group_refs are distinct), named_units.
create or replace table core.memberships as
select p.ref as group_ref, p.person_id
from (select person_id, unnest(group_refs) as ref from core.people where status <> 'ended') p
semi join named_units u on u.hris_ref = p.ref;
