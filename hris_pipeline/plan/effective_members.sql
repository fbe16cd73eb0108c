-- Who should be in which group in deskbird: people who are wanted there and whose user is or will be there.
-- Reads: core.memberships, pairs, review_tonight. Makes: effective_members.
create or replace temp table effective_members as
select s.group_ref, p.hris_ref, p.deskbird_id
from core.memberships s join pairs p using (person_id)
where p.wanted and (p.deskbird_id is not null or p.hris_ref not in (select hris_ref from review_tonight));
