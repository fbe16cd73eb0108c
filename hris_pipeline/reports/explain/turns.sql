-- When this pipeline made, deactivated or reactivated the person's user: by the outcome, or by the
-- answer in the journal where a run was killed before.
-- Reads: state.plan_changes, state.outcomes, state.ledger. Parameters: refs, ids.
with mine as (
    select plan_id, seq, request, action, reason, reason_code
    from state.plan_changes
    where object = 'user'
        and action in ('create', 'deactivate', 'reactivate')
        and (list_contains($refs, hris_ref) or list_contains($ids, deskbird_id))
)
select
    mine.action,
    coalesce(min(o.applied_at), min(l.happened_at)) as done_at,
    mine.plan_id,
    any_value(mine.reason) as reason,
    any_value(mine.reason_code) as reason_code
from mine
left join state.outcomes o
    on o.plan_id = mine.plan_id and o.seq = mine.seq and o.outcome = 'applied'
left join state.ledger l
    on l.plan_id = mine.plan_id
    and l.request = mine.request
    and l.phase = 'answered'
    and l.status between 200 and 299
group by mine.plan_id, mine.action
having done_at is not null
order by done_at desc, mine.action
