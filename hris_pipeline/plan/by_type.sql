-- The judged changes in numbers, by type: all, those that are blocked, those that repair what was
-- changed by hand.
-- Reads: changes_judged
-- Makes: none
-- Variables: none
select
    object || ' ' || action as type,
    count(*) as changes,
    count(*) filter (verdict = 'blocked') as blocked,
    count(*) filter (evidence->>'drift' = 'true') as repairs
from changes_judged
group by object, action
order by object, action;
