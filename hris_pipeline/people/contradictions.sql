-- state.contradictions: whose word and days do not go together tonight, with the night it was first
-- seen.
-- Reads: people_records, violations, status_words. Variables: now, contradictions_of_records
--   (codes). Writes: state.contradictions.

create or replace temp table current_contradictions as
with talkative as (
    select connection from status_words group by connection having count(distinct meaning) > 1
)
select p.hris_ref, p.contradiction.code as code, p.start_date as first_day,
    p.contradiction.last_day as last_day, p.contradiction.word as word,
    p.status as decided,
    coalesce(c.first_seen, cast(getvariable('now') as timestamptz)) as first_seen,
    cast(getvariable('now') as timestamptz) as last_seen
from people_records p
left join state.contradictions c on c.hris_ref = p.hris_ref and c.code = p.contradiction.code
where p.contradiction is not null
    and p.hris_ref not in (select hris_ref from violations where "table" = 'core.people')
    and (p.contradiction.code <> 'active_after_last_day' or p.connection in (from talkative));
delete from state.contradictions
where list_contains(getvariable('contradictions_of_records'), code);
insert into state.contradictions by name from current_contradictions;
drop table current_contradictions;
