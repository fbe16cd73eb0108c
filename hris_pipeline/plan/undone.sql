-- What was undone is not done again: the rows of which a wish was undone, and the HRIS still has it.
-- Reads: state.undone. Macro: wishes. Updates: draft.
update draft set guards = list_append(guards, 'undone')
from (
    select distinct d.object, d.action, d.hris_ref, d.group_ref, d.deskbird_id
    from (
        select object, action, hris_ref, group_ref, deskbird_id, unnest(wishes(object, action, hris_ref, deskbird_id, after), recursive := true)
        from draft semi join state.undone using (object, hris_ref)
        where not (object = 'user' and action = 'update')
    ) d
    join state.undone u on u.object = d.object and u.hris_ref = d.hris_ref and u.group_ref is not distinct from d.group_ref
        and u.attribute = d.attribute and u.value is not distinct from d.value
) x
where draft.object = x.object and draft.action = x.action and draft.hris_ref = x.hris_ref and draft.group_ref is not distinct from x.group_ref
    and draft.deskbird_id is not distinct from x.deskbird_id;
