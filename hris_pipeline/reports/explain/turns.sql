-- When this pipeline made, deactivated or reactivated the person's user: by the outcome, or by the answer in the journal where a run was killed before.
-- Reads: state.plan_changes, state.outcomes, state.ledger. Parameters: refs, ids.
with mine as (
    select plan_id, seq, request, action, reason, reason_code from state.plan_changes
    where object = 'user' and action in ('create', 'deactivate', 'reactivate') and (list_contains($refs, hris_ref) or list_contains($ids, deskbird_id))
)
select m.action, coalesce(min(o.applied_at), min(l.happened_at)) as done_at, m.plan_id, any_value(m.reason) as reason,
    any_value(m.reason_code) as reason_code
from mine m
left join state.outcomes o on o.plan_id = m.plan_id and o.seq = m.seq and o.outcome = 'applied'
left join state.ledger l on l.plan_id = m.plan_id and l.request = m.request and l.phase = 'answered' and l.status between 200 and 299
group by m.plan_id, m.action
having done_at is not null
order by done_at desc, m.action
