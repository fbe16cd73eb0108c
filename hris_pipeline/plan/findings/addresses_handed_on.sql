-- Whose address went to their next record before the old one ended (case 91), with the others whose
-- record contradicts itself.
-- Reads: core.people, handed_on, state.contradictions
-- Makes: addresses_handed_on
-- Changes: state.contradictions
-- Variables: now

create or replace temp table addresses_handed_on as
select h.hris_ref, p.start_date, p.end_date, p.status, c.first_seen
from handed_on h
join core.people p using (hris_ref)
left join state.contradictions c on c.hris_ref = h.hris_ref and c.code = 'address_handed_on';

delete from state.contradictions where code = 'address_handed_on';

insert into state.contradictions by name
select hris_ref,
    'address_handed_on' as code,
    start_date as first_day,
    end_date as last_day,
    status as word,
    status as decided,
    coalesce(first_seen, cast(getvariable('now') as timestamptz)) as first_seen,
    cast(getvariable('now') as timestamptz) as last_seen
from addresses_handed_on;
