-- What ties records to one person. Only the few are looked at that share an address with another
-- record, or that are known to be one of several.
-- Reads: people_records, state.persons. Makes: close_records, ties, labels (each record is a person
--   of its own yet).

create or replace temp table close_records as
with shared as (
    select person_key(email) as address
    from people_records
    where email is not null
    group by all
    having count(*) > 1
), stored as (
    from state.persons
    qualify row_number() over (partition by hris_ref order by since, person_id) = 1
), close as (
    select hris_ref from people_records where person_key(email) in (from shared)
    union
    select hris_ref from stored
    union
    select person_id from state.persons
)
select r.*,
    person_key(r.email) as address,
    folded_name(r.display_name) as name,
    r.status is distinct from 'ended' as is_current,
    s.person_id as stored_id,
    s.since
from people_records r semi join close using (hris_ref) left join stored s using (hris_ref);

-- What was one person stays one person. An address and a name together are the same person,
-- whatever became of the one record or the other (cases 27, 28 and 29); an address alone is not,
-- because it may have been given to somebody else (case 25).
create or replace temp table ties as
select hris_ref, 'person ' || coalesce(stored_id, hris_ref) as tie from close_records
union all
select hris_ref, 'name ' || address || ' ' || name from close_records
where regexp_full_match(address, '[^@\s]+@[^@\s]+\.[^@\s]+') and name is not null;

create or replace temp table labels as select hris_ref, hris_ref as label from close_records;
