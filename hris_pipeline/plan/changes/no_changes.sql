-- What the steps from here to the verdicts make of nothing: most nights nothing is wanted.
-- Reads: state.plan_changes, wanted_changes
-- Makes: changes_judged, proposed_changes
-- Variables: none
create or replace temp table proposed_changes as
select row as change, * exclude (row)
from wanted_changes
where false;

create or replace temp table changes_judged as
select * exclude (plan_id, row_digest), null::varchar[] as held_by
from state.plan_changes
where false;
