-- Whose row in core.people is another one than before, or new, or gone. What is derived of the others (display_name), and what the HRIS kept to
-- itself (unknown), makes no other row.
-- Reads: core.people, state.people_now (the digest of each person's row). Makes: people_changed.
create or replace temp view people_tonight as
select * exclude (display_name, unknown) from core.people;

create or replace temp table people_changed as
select coalesce(t.person_id, n.person_id) as person_id, t.person_id is null as gone, t.digest
from (select person_id, hash(p) as digest from people_tonight p) t
full join state.people_now n using (person_id)
where t.digest is distinct from n.digest;
