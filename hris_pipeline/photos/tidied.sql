-- Reads: core.people, state.links, state.acknowledged_values. Changes: hris_{connection}.photos.
delete from "hris_{connection}".photos
where '{connection}:' || id not in (select hris_ref from core.people where wanted);
update "hris_{connection}".photos set content = null
where content is not null and ('{connection}:' || id, digest) in (
    select (l.hris_ref, a.value)
    from state.links l
    join state.acknowledged_values a using (deskbird_id)
    where a.attribute = 'photo' and a.value is not null);
