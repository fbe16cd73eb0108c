-- Whom a list of e-mails and hris_refs means, by any record or address of theirs, in the HRIS or in deskbird.
-- Reads: core.people, person_refs, user_matches, missing_tonight, addresses. Variable: listed. Adds to: listed.
insert into listed
with keys as (
    select unnest([email_key(x) for x in getvariable('listed')]) as key
), users as (
    select deskbird_id from addresses semi join keys using (key)
)
select hris_ref from person_refs where list_contains(getvariable('listed'), ref)
union
select hris_ref from core.people semi join keys k on k.key = person_key(email)
union
select hris_ref from user_matches semi join users using (deskbird_id)
union
select hris_ref from missing_tonight
where list_contains(getvariable('listed'), hris_ref) or deskbird_id in (from users);
