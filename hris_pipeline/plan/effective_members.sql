-- Who should be in which group in deskbird: people who are wanted there and whose user is or will be there.
-- Reads: core.memberships, core.groups, pairs, review_tonight. Makes: effective_members (rows of core.groups and of pairs, by rowid: millions of
-- refs, twice, would fill the memory).
create or replace temp table effective_members as
select g.rowid as group_row, p.rowid as pair_row
from core.memberships s
join core.groups g on g.hris_ref = s.group_ref
join pairs p using (person_id)
where p.wanted and (p.deskbird_id is not null or p.hris_ref not in (select hris_ref from review_tonight));
