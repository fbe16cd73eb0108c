-- Who is ours in deskbird and in no record of the HRIS any more: since when, and how many complete reads have passed without them.
-- Reads: observed_users, person_refs, core.quarantine, user_matches, state.missing, state.extracts. Variable: now.
create or replace temp table missing_tonight as
with reads as (
    select connection, max(extracted_at) as read_at from state.extracts where resource = 'employees' and proof = 'proven' group by all
), vanished as (
    select coalesce(u.marker, u.linked_ref) as hris_ref, u.deskbird_id
    from observed_users u
    where u.active and coalesce(u.marker, u.linked_ref) is not null
        and coalesce(u.marker, u.linked_ref) not in (select ref from person_refs union all select hris_ref from core.quarantine)
        and u.deskbird_id not in (select deskbird_id from user_matches)
    qualify row_number() over (partition by coalesce(u.marker, u.linked_ref) order by u.deskbird_id) = 1
)
select v.hris_ref, v.deskbird_id,
    coalesce(m.missing_since, cast(getvariable('now') as timestamptz)) as missing_since,
    coalesce(m.complete_reads, 0) + case when r.read_at is not null and (m.last_read is null or r.read_at > m.last_read) then 1 else 0 end as complete_reads,
    coalesce(r.read_at, m.last_read, cast(getvariable('now') as timestamptz)) as last_read
from vanished v
left join state.missing m using (hris_ref)
left join reads r on r.connection = string_split(v.hris_ref, ':')[1];
