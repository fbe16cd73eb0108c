-- The verdict on each change: blocked by the first guard that no valid approval covers.
-- Reads: numbered_changes, valid_approvals
-- Makes: changes_judged
-- Variables: none
create or replace temp table changes_judged as
select c.*,
    list_filter(c.guards, lambda g: not list_contains(coalesce(a.guards, []), g)) as held_by,
    held_by[1] as guard,
    case when guard is null then 'planned' else 'blocked' end as verdict
from numbered_changes c left join valid_approvals a using (content);
