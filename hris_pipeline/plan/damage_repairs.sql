-- The drafted changes that repair what a run damaged say so: what it was before, and which run of which plan left it otherwise.
-- Reads: repairing (what the draft wants, one value a row), state.damage. Changes: draft.
create or replace temp table damage_repairs as
select r.row, d.plan_id, d.run_id, d.seen_at, d.attribute, d.was, concat_ws('|', d.object, d.deskbird_id, d.attribute) as key
from state.damage d
join repairing r on r.object = d.object and r.deskbird_id = d.deskbird_id and r.attribute = d.attribute
    and same_value(d.attribute, r.wanted, d.expected)
where d.ended_at is null
union all
select c.rowid, d.plan_id, d.run_id, d.seen_at, d.attribute, d.was, concat_ws('|', d.object, d.deskbird_id, d.attribute)
from state.damage d
join draft c on d.attribute = 'gone' and c.object = d.object and c.action = 'create' and c.hris_ref = d.hris_ref
where d.ended_at is null;

update draft set
    evidence = json_merge_patch(draft.evidence, json_object('damage', json_object(
        'plan_id', r.plan_id, 'run_id', r.run_id, 'seen_at', r.seen_at, 'before', r.before, 'keys', r.keys))),
    reason_code = 'changed_by_a_run'
from (
    select row, max_by(plan_id, seen_at) as plan_id, max_by(run_id, seen_at) as run_id, max(seen_at) as seen_at,
        to_json(map_from_entries(list(distinct row(attribute, was)))) as before, list(distinct key order by key) as keys
    from damage_repairs group by row
) r
where draft.rowid = r.row;
