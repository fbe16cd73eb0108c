-- Who is ours in deskbird and in no record of the HRIS any more: since when, and how many complete
-- reads have passed without them.
-- Reads: core.quarantine, observed_users, person_refs, state.extracts, state.missing,
--   user_matches
-- Makes: missing_people
-- Variables: now
create or replace temp table missing_people as
with reads as (
    select connection, max(extracted_at) as read_at
    from state.extracts
    where resource = 'employees' and proof = 'proven'
    group by all
), vanished as (
    select u.hris_ref, min(u.deskbird_id) as deskbird_id
    from (
        select owner_of(deskbird_id, marker) as hris_ref, deskbird_id
        from observed_users anti join user_matches using (deskbird_id) where active
    ) u
    anti join person_refs r on r.ref = u.hris_ref
    anti join core.quarantine q on q.hris_ref = u.hris_ref
    where u.hris_ref is not null
    group by all
)
select v.hris_ref, v.deskbird_id,
    coalesce(m.missing_since, cast(getvariable('now') as timestamptz)) as missing_since,
    coalesce(m.complete_reads, 0) + case
        when r.read_at is not null and (m.last_read is null or r.read_at > m.last_read) then 1
        else 0
    end as complete_reads,
    coalesce(r.read_at, m.last_read, cast(getvariable('now') as timestamptz)) as last_read
from vanished v
left join state.missing m using (hris_ref)
left join reads r on r.connection = string_split(v.hris_ref, ':')[1];
