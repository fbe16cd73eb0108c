-- What only the HR department can put right: records that are held back, and those whose status and
-- days do not go together.
-- Reads: records_named (a view of every record's name), core.quarantine, state.contradictions.
select c.hris_ref, n.name, c.code, c.decided, c.word, c.first_day, c.last_day, c.since
from (
    select hris_ref, code, decided, word, first_day, last_day, first_seen as since
    from state.contradictions
    union all by name
    select hris_ref, rule as code, first_seen as since
    from core.quarantine
    where "table" = 'core.people'
) c
left join records_named n using (hris_ref)
order by c.decided is not null, c.code, c.since, c.hris_ref
