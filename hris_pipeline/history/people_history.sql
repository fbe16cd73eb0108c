-- state.people_history and state.people_now from what has changed. A digest may differ although nothing did (another version of DuckDB computes
-- another one), so the values decide.
-- Reads: people_changed, people_tonight, state.people_history. Variable: now.

-- The same night once more: what it kept before is replaced.
delete from state.people_history
where seen_at = getvariable('now') and person_id in (select person_id from people_changed);

insert into state.people_history
with tonight as (
    -- a patch takes out what is null
    select person_id, json_merge_patch(json_merge_patch('{}', to_json(p)), '{"person_id": null}') as attributes
    from people_tonight p semi join people_changed using (person_id)
), before as (
    select person_id, max_by({'gone': gone, 'attributes': attributes}, seen_at) as latest
    from state.people_history semi join people_changed using (person_id)
    where seen_at < getvariable('now') group by person_id
)
select c.person_id, getvariable('now'), c.gone, t.attributes
from people_changed c left join tonight t using (person_id) left join before b using (person_id)
where coalesce(b.latest.gone, true) <> c.gone or b.latest.attributes is distinct from t.attributes;

delete from state.people_now where person_id in (select person_id from people_changed);
insert into state.people_now select person_id, digest from people_changed where not gone;
