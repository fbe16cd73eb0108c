-- Which guards approvals cover for which change, tonight: every approval that has not expired and
-- was not taken back by a later rejection. None is valid where a decision, approval or rejection,
-- was altered after it was made: which changes it was about is not known then.
-- Reads: state.approvals
-- Makes: valid_approvals
-- Variables: now
create or replace temp table valid_approvals as
with rejected as (
    select content, max({'at': decided_at, 'row': rowid}) as latest
    from state.approvals
    where decision = 'rejected'
    group by content
)
select a.content, list_distinct(flatten(list(a.guards))) as guards
from (select *, {'at': decided_at, 'row': rowid} as moment from state.approvals) a
left join rejected r on r.content = a.content
where a.decision = 'approved'
    and a.expires_at > getvariable('now')
    and (r.latest is null or a.moment > r.latest)
    and not exists (
        from state.approvals
        where digest is distinct from approval_digest(
            plan_id, content, guards, decision, because, decided_by, decided_at, expires_at
        ))
group by a.content;
