-- Whose account is disputed, and all the users that a record may be.
-- Reads: by_link, by_marker, email_candidates, review_cases, separated, user_matches
-- Makes: contested_users, review_candidates
-- Variables: none

-- Whose account is disputed is not deactivated either; and one that a person said is somebody
-- else's is nobody's business. Somebody of another name who only looks for an address disputes no
-- account that is known to be its owner's: the owner's end waits for nobody (case 93).
create or replace temp table contested_users as
select distinct deskbird_id from email_candidates semi join review_cases using (hris_ref)
where succeeds or deskbird_id not in (select deskbird_id from user_matches)
union
select deskbird_id from review_cases anti join email_candidates using (hris_ref)
where rule <> 'email_is_taken' -- the address waits, nobody doubts whose account it is
union
select deskbird_id from by_link semi join review_cases using (hris_ref)
union
select deskbird_id from by_marker semi join review_cases using (hris_ref)
union
select deskbird_id from separated anti join user_matches using (deskbird_id);

-- All the users that a record may be, for whoever decides.
create or replace temp table review_candidates as
select hris_ref, list_sort(list(distinct deskbird_id)) as candidates
from (
    select hris_ref, deskbird_id from review_cases
    union all select hris_ref, deskbird_id from email_candidates
    union all select hris_ref, deskbird_id from by_marker
    union all select hris_ref, deskbird_id from by_link
) semi join review_cases using (hris_ref)
where deskbird_id is not null
group by hris_ref;
drop table by_marker; drop table by_link; drop table email_candidates;
