-- state.changed_by_hand from what has changed between two reads. What the last plan wanted so is ours: a run that was killed may have written it.
-- Reads: planned, seen_changed, state.changed_by_hand
-- Makes: none
-- Changes: state.changed_by_hand
-- Variables: now
insert into state.changed_by_hand
select object, deskbird_id, attribute, was, cast(getvariable('now') as timestamptz)
from seen_changed s
where not exists (select 1 from state.changed_by_hand c where c.object = s.object and c.deskbird_id = s.deskbird_id and c.attribute = s.attribute)
    and not exists (select 1 from planned p where p.object = s.object and p.deskbird_id = s.deskbird_id and p.attribute = s.attribute
                    and same_value(s.attribute, p.wanted, s.is_now));
