-- The changes that are proposed, one a row, "change" its number: what is wanted without what is
-- left alone. What repairs a change by hand or the damage of a run says so. Of a cycle of swaps one
-- member first takes a temporary address or name. Nothing adds to this table or changes it; what
-- holds a change back stands in held_changes.
-- Reads: damage_repairs, drifting, group_deletions, ignored_drift, moves, wanted_changes
-- Makes: proposed_changes
-- Variables: none
create or replace temp table proposed_changes as
with drift as (
    select distinct row from drifting where row is not null
), repairs as (
    select
        row,
        json_object('damage', json_object(
            'plan_id', max_by(plan_id, seen_at),
            'run_id', max_by(run_id, seen_at),
            'seen_at', max(seen_at),
            'before', to_json(map_from_entries(list(distinct row(attribute, was)))),
            'keys', list(distinct key order by key))) as evidence
    from damage_repairs
    group by row
), wanted as (
    select wanted_changes.* replace (
        case
            when repairs.row is not null and drift.row is not null
                then json_merge_patch(wanted_changes.evidence, '{"drift": true}', repairs.evidence)
            when repairs.row is not null then json_merge_patch(
                wanted_changes.evidence, repairs.evidence
            )
            when drift.row is not null then json_merge_patch(
                wanted_changes.evidence, '{"drift": true}'
            )
            else wanted_changes.evidence end as evidence,
        case
            when repairs.row is not null then 'changed_by_a_run'
            when drift.row is not null then 'changed_by_hand'
            else wanted_changes.reason_code end as reason_code)
    from wanted_changes
    left join drift using (row)
    left join repairs using (row)
    where row not in (select row from ignored_drift where row is not null)
    union all by name
    from group_deletions
), placed as (
    select
        wanted.* exclude (row),
        requests.phase as phase_freed,
        requests.level,
        coalesce(requests.steps_aside, false) as steps_aside,
        -- a manager who does not exist yet cannot go with a change that comes before the creations
        coalesce(
            requests.level is not null
            and object = 'manager'
            and action = 'set'
            and deskbird_id is not null
            and after->>'manager_deskbird_id' is null,
            false
        ) as waits_for_manager
    from wanted
    left join (
        select request_key, phase, any_value(level) as level, bool_or(steps_aside) as steps_aside
        from moves
        where not creates
        group by all
    ) as requests using (request_key)
), in_order as (
    select * replace (
        if(waits_for_manager, 'manager:' || hris_ref, request_key) as request_key,
        case
            when waits_for_manager then 'managers'
            when level is not null then phase_freed
            else phase
        end as phase,
        case
            when waits_for_manager then 0
            when level is not null then 1 + level
            else depth
        end as depth)
    from placed
    union all by name
    select * replace (
        if(object = 'user',
            json_object(
                'email',
                'moving-' || left(sha256(hris_ref), 12) || '@' || split_part(
                    after->>'email', '@', 2
                )
            ),
            json_object('name', 'moving-' || left(sha256(hris_ref), 12))) as after,
        'aside' as identity,
        'steps_aside' as reason_code,
        request_key || ':aside' as request_key,
        phase_freed as phase,
        0 as depth)
    from placed
    where steps_aside
        and ((object = 'user' and action = 'update' and json_exists(after, '$.email'))
            or (object = 'group' and action = 'rename'))
)
select
    row_number() over () as change,
    object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id, before, after, identity,
    reason_code, evidence,
    request_key, phase,
    coalesce(depth, 0) as depth,
    coalesce(held_by, []) as held_by
from in_order;
