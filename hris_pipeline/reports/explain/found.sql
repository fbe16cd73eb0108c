-- Who may be meant: every record and user that bears the text as its hris_ref, id or address;
-- addresses of other days only where none of today does.
-- Reads: records_read, core.people, core.quarantine, deskbird.users, and all of schema state.
--   Parameter: asked.
with today as (
    select hris_ref as ref, null as id, email_key(email) as key from records_read
    union all select hris_ref, null, person_key(email) from core.people
    union all select person_id, null, person_key(email) from core.people
    union all select unnest(other_refs), null, null from core.people
    union all select hris_ref, null, null from core.quarantine where "table" = 'core.people'
    union all select null, deskbird_id, email_key(coalesce(email, user_name)) from deskbird.users
    union all select null, deskbird_id, email_key(user_name) from deskbird.users
), past as (
    select attributes->>'hris_ref' as ref, null as id, person_key(attributes->>'email') as key
    from state.people_past
    union all select hris_ref, deskbird_id, null from state.links
    union all select hris_ref, deskbird_id, null from state.missing
    union all
    select hris_ref, deskbird_id, email_key(before->>'email')
    from state.plan_changes
    where object = 'user'
    union all
    select hris_ref, deskbird_id, email_key(after->>'email')
    from state.plan_changes
    where object = 'user'
), found as (
    select 1 as rank, ref, id from today where $asked in (ref, id) or key = email_key($asked)
    union
    select 2, ref, id from past where $asked in (ref, id) or key = email_key($asked)
)
select distinct ref, id from found where rank = (select min(rank) from found)
