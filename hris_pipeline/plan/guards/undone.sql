-- What was undone is not done again: the changes of which a wish was undone, and the HRIS still has
-- it. Attributes of users are held one by one, before they become changes (undone_attributes.sql).
-- Reads: proposed_changes, state.undone
-- Makes: none
-- Changes: holds
-- Variables: none
insert into holds
select change, 'undone'
from proposed_changes
join (
    select distinct wished.object, wished.action, wished.hris_ref, wished.group_ref,
        wished.deskbird_id
    from (
        select
            object, action, hris_ref, group_ref, deskbird_id,
            unnest(desired_effects(object, action, hris_ref, deskbird_id, after), recursive := true)
        from proposed_changes
        semi join state.undone using (object, hris_ref)
        where not (object = 'user' and action = 'update')
    ) as wished
    join state.undone as undone
        on undone.object = wished.object and undone.hris_ref = wished.hris_ref
            and undone.group_ref is not distinct from wished.group_ref
            and undone.attribute = wished.attribute
            and undone.value is not distinct from wished.value
) as again
    on again.object = proposed_changes.object and again.action = proposed_changes.action
        and again.hris_ref = proposed_changes.hris_ref
        and again.group_ref is not distinct from proposed_changes.group_ref
        and again.deskbird_id is not distinct from proposed_changes.deskbird_id;
