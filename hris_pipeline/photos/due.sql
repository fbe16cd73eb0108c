-- Whose picture to ask for: id, and the validator of the picture that is known. Not sent along
-- where the bytes are needed again: to write them, because deskbird has lost the picture or the
-- user.
-- Reads: core.people, hris_{connection}.employees, hris_{connection}.photos, state.links,
--   state.acknowledged_values. Variable: now. Parameter: most.
with wanted as (
    select hris_ref, substr(hris_ref, length('{connection}') + 2) as id
    from core.people where wanted and starts_with(hris_ref, '{connection}:')
), records as (
    select id, max(updated_at) as updated_at from "hris_{connection}".employees group by id
), known as (
    select w.id, p.etag, p.asked_at,
        p.id is null as is_new,
        p.record_updated_at is distinct from r.updated_at as has_changed,
        p.asked_at <= cast(getvariable('now') as timestamptz) - to_days(
            cast(14 + hash(w.id) % 15 as integer)
        ) as is_old,
        p.digest is not null and p.problem is null and p.content is null and not exists (
            from state.links l
            join state.acknowledged_values a on a.deskbird_id = l.deskbird_id
                and a.attribute = 'photo'
            where l.hris_ref = w.hris_ref and a.value = p.digest) as is_needed
    from wanted w join records r using (id) left join "hris_{connection}".photos p using (id)
)
select id, case when not is_needed then etag end from known
where is_new or has_changed or is_old or is_needed
order by case when is_new then 2 when is_needed or has_changed then 1 else 3 end, asked_at, id
limit $most
