-- Whom the company file's lists of e-mails and hris_refs mean, by any record or address of theirs,
-- in the HRIS or in deskbird: by guard.
-- Reads: addresses, core.people, missing_people, person_refs, user_matches
-- Makes: listed_people
-- Variables: listed
create or replace temp table listed_people as
with named as (
    select guard, who, email_key(who) as key
    from (select unnest(getvariable('listed'), recursive := true))
), users as (
    select guard, deskbird_id from addresses join named using (key)
)
select guard, hris_ref from person_refs join named on ref = who
union
select guard, hris_ref from core.people join named on key = person_key(email)
union
select guard, hris_ref from user_matches join users using (deskbird_id)
union
select guard, hris_ref from missing_people join named on hris_ref = who
union
select guard, hris_ref from missing_people join users using (deskbird_id);
