-- Every change that the HR system asks for, but for the deletions of groups; "row" identifies one.
-- Reads: creation_depths, group_changes, manager_changes, membership_changes, user_changes
-- Makes: wanted_changes
-- Variables: none
create or replace temp table wanted_changes as
select
    object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id, before, after, identity,
    reason_code, evidence,
    request_key, phase,
    coalesce(changes.depth, if(phase = 'user_creations', creation_depths.depth, 0), 0) as depth,
    coalesce(held_by, []) as held_by,
    row_number() over () as row
from (
    from user_changes
    union all by name
    from group_changes
    union all by name
    from membership_changes
    union all by name
    from manager_changes
) as changes
left join creation_depths using (hris_ref);
