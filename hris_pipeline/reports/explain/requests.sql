-- Every request ever made for one person: when, of which plan, what for, what was answered. A
-- request for a group counts where the person was in it.
-- Reads: state.plan_changes, state.outcomes, state.ledger. Parameters: refs, ids.
with mine as (
    select plan_id, request, seq, object, action, group_ref, reason
    from state.plan_changes
    where object <> 'group' and (list_contains($refs, hris_ref) or list_contains($ids, deskbird_id))
), asked as (
    select plan_id, request from mine
    union
    select plan_id, request
    from state.ledger
    where list_contains($refs, hris_ref) or list_contains($ids, deskbird_id)
), became as (
    select
        o.plan_id,
        o.seq,
        max_by(o.outcome, o.rowid) as outcome,
        max_by(o.problem, o.rowid) as problem
    from state.outcomes o
    semi join mine using (plan_id, seq)
    where o.outcome in ('applied', 'failed')
    group by all
), reasons as (
    select plan_id, request, string_agg(reason, ' ' order by seq) as reason
    from (select plan_id, request, reason, min(seq) as seq from mine group by all)
    group by all
), purposes as (
    select
        mine.plan_id,
        mine.request,
        list(concat_ws(' ', mine.object, mine.action, mine.group_ref) order by mine.seq) as changes,
        string_agg(distinct became.problem, ' ' order by became.problem) as problem
    from mine
    left join became using (plan_id, seq)
    group by all
)
select
    coalesce(min(l.happened_at) filter (l.phase = 'sent'), min(l.happened_at)) as sent_at,
    l.plan_id,
    l.request,
    l.attempt,
    any_value(l.kind) as kind,
    coalesce(any_value(purposes.changes), []) as changes,
    any_value(reasons.reason) as reason,
    max(l.status) filter (l.phase = 'answered') as http_status,
    bool_or(l.phase = 'answered') as answered,
    any_value(purposes.problem) as problem
from state.ledger l
semi join asked using (plan_id, request)
left join purposes using (plan_id, request)
left join reasons using (plan_id, request)
group by l.plan_id, l.request, l.attempt
order by sent_at, l.request, l.attempt
