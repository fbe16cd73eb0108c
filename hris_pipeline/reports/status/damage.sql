-- What differs from what a run left and is not repaired yet, by run.
-- Reads: state.damage. Parameter: run (null: all of them).
select run_id, list({'kind': kind, 'number': number} order by kind) as kinds
from (
    select
        run_id,
        min(seen_at) as seen_at,
        count(*) as number,
        case object when 'membership' then 'member' else attribute end as kind
    from state.damage
    where ended_at is null and ($run is null or run_id = $run)
    group by run_id, kind
)
group by run_id
order by min(seen_at)
