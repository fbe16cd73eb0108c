-- What people decided about one person: who is who, and what guards held back.
-- Reads: state.decisions, state.approvals, state.plan_changes. Parameters: refs, ids.
select decided_at, decision, concat_ws(' ', hris_ref, deskbird_id) as about, because, decided_by
from state.decisions
where list_contains($refs, hris_ref) or list_contains($ids, deskbird_id)
union all
select
    a.decided_at,
    a.decision,
    concat_ws(' ', 'plan', a.plan_id || ':', c.object, c.action, c.group_ref),
    a.because,
    a.decided_by
from state.approvals a
join state.plan_changes c using (plan_id, content)
where c.object <> 'group'
    and (list_contains($refs, c.hris_ref) or list_contains($ids, c.deskbird_id))
order by 1
