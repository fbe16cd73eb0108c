-- Whose user deskbird gives in a form that cannot be read is left alone: not created anew, not
-- taken for gone.
-- Reads: person_refs, state.unreadable_records, user_matches
-- Makes: none
-- Changes: review_cases
-- Variables: none
insert into review_cases (hris_ref, rule, deskbird_id)
select r.hris_ref, 'user_cannot_be_read', min(u.deskbird_id)
from state.unreadable_records u join person_refs r on r.ref = u.hris_ref
where u.resource = 'users' and r.hris_ref not in (select hris_ref from user_matches)
group by r.hris_ref;
