-- Whether a stored plan is what was planned: its id and its digest worked out anew, and the first
-- row that differs.
-- Parameters: plan_id, company. Macros: change_line, change_digest, judgement_digest
-- (warehouse/digests.sql).
-- Reads: deskbird.changes, state.plan_changes, state.plans
-- Makes: none
-- Variables: none
with stored as (
    select seq, row_digest,
        change_line(
            object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id, "before", "after"
        ) as line,
        change_digest(
            seq, request, stage, object, action, hris_ref, deskbird_id, group_ref,
            group_deskbird_id, "before", "after",
            reason, evidence, verdict, guard, guards, content, reason_code := reason_code
        ) as found,
        guards
    from state.plan_changes where plan_id = $plan_id
), whole as (
    select string_agg(line, chr(30) order by seq) as lines,
        string_agg(found, chr(30) order by seq) as digests,
        min(seq) filter (row_digest is distinct from found) as altered
    from stored
), published as (
    select coalesce(s.seq, c.seq) as seq, s.found is distinct from change_digest(
            c.seq, c.request, c.stage, c.object, c.action, c.hris_ref, c.deskbird_id, c.group_ref,
            c.group_deskbird_id,
            c."before", c."after", c.reason, c.evidence, c.verdict, c.guard, s.guards, c.content,
            reason_code := c.reason_code
        ) or c.plan_id is distinct from $plan_id as differs
    from stored s full join deskbird.changes c on c.seq = s.seq
)
select
    left(sha256(concat_ws(chr(30), $company, p.after_plan, coalesce(w.lines, ''))), 16) = p.plan_id
        and p.judgement_digest is not distinct from judgement_digest(
            p.plan_id, p.number, p.made_at, p.after_plan, p.changes, p.blocked, p.as_of, p.undoes,
            w.digests) as is_so,
    w.altered,
    case when p.number = (select max(number) from state.plans)
        then (select min(seq) from published where differs) end as published_altered
from state.plans p, whole w
where p.plan_id = $plan_id
