-- Whose user is known, and who of them differs.
-- Reads: core.people, deskbird.users, person_digests, user_digests, user_matches
-- Makes: compared, matched_people
-- Variables: none

-- Only what later steps ask of everybody; the rest they look up for the few that they draft.
create or replace temp table matched_people as
with users as (
    select m.hris_ref, m.rule, u.deskbird_id, u.manager_deskbird_id as observed_manager, u.active,
        u.external_id = m.hris_ref as is_marked, u.digest
    from user_matches m join user_digests u using (deskbird_id)
)
select p.person_id,
    p.hris_ref,
    u.deskbird_id,
    u.rule,
    p.wanted,
    p.manager_ref,
    u.observed_manager,
    u.active,
    coalesce(u.is_marked, false) as is_marked, coalesce(p.digest = u.digest, false) as alike
from person_digests p left join users u using (hris_ref)
where p.wanted or u.deskbird_id is not null;

create or replace temp table compared as
select p.hris_ref, p.deskbird_id, c.email, c.unknown, u.email as observed_email, u.user_name,
    person_key(c.email) as key, email_key(coalesce(u.email, u.user_name)) as observed_key,
    email_key(u.user_name) as user_name_key
from (from matched_people where wanted and deskbird_id is not null and not alike) p
join core.people c using (hris_ref)
join deskbird.users u using (deskbird_id);
