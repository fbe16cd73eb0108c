-- Whether a plan of this id was made before, whether it has written, and where rows of it are.
-- Parameter: the id.
-- Reads: state.guard_verdicts, state.not_undone, state.plan_changes, state.plans
-- Makes: none
-- Variables: none
select
    (select written from state.plans where plan_id = $1) as written,
    exists (from state.plans where plan_id = $1) as plans,
    exists (from state.plan_changes where plan_id = $1) as plan_changes,
    exists (from state.guard_verdicts where plan_id = $1) as guard_verdicts,
    exists (from state.not_undone where plan_id = $1) as not_undone;
