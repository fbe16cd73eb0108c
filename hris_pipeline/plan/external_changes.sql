-- state.external_changes from what has changed between two reads. What the last plan wanted so is
-- ours: a run that was killed may have written it.
-- Reads: planned, new_external_changes, state.external_changes
-- Makes: none
-- Changes: state.external_changes
-- Variables: now
insert into state.external_changes
select object, deskbird_id, attribute, was, cast(getvariable('now') as timestamptz)
from new_external_changes s
where not exists (
    select 1
    from state.external_changes c
    where c.object = s.object and c.deskbird_id = s.deskbird_id and c.attribute = s.attribute
)
    and not exists (
        select 1
        from planned p
        where p.object = s.object
            and p.deskbird_id = s.deskbird_id
            and p.attribute = s.attribute
            and same_value(s.attribute, p.wanted, s.is_now)
    );
