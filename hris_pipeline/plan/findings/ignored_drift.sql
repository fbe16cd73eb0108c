-- state.ignored_drift: what is left alone, for people to see.
-- Reads: ignored_drift
-- Makes: none
-- Changes: state.ignored_drift
-- Variables: none
delete from state.ignored_drift;
insert into state.ignored_drift by name
select hris_ref, object, deskbird_id, attribute, group_ref, why, since, code
from ignored_drift;
