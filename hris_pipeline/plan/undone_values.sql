-- What was undone is remembered with what the HRIS wants; what was done all the same, because
-- somebody approved it, is forgotten. "rows_done" is of the plan "plan_id"; "undoes" is empty of a
-- usual plan.
-- Reads: rows_done, state.plan_changes, state.undone
-- Makes: done_effects
-- Changes: state.approvals, state.undone
-- Variables: now, plan_id, undoes
create or replace temp table done_effects as
select object, hris_ref, group_ref,
    unnest(desired_effects(object, action, hris_ref, deskbird_id, after), recursive := true)
from rows_done
-- seldom, and a plan may be large
where hris_ref is not null and (getvariable('undoes') <> '' or exists (from state.undone));
delete from state.undone u
where exists (
    select 1
    from done_effects d
    where d.object = u.object
        and d.hris_ref = u.hris_ref
        and d.group_ref is not distinct from u.group_ref
        and d.attribute = u.attribute
);
insert into state.undone
select d.object,
    d.hris_ref,
    d.group_ref,
    d.attribute,
    w.value,
    getvariable('plan_id'),
    cast(getvariable('now') as timestamptz)
from (select distinct object, hris_ref, group_ref, attribute from done_effects) d
join (
    select object, hris_ref, group_ref, attribute, arg_max_null(value, seq) as value
    from (
        select seq, object, hris_ref, group_ref,
            unnest(desired_effects(object, action, hris_ref, deskbird_id, after), recursive := true)
        from state.plan_changes
        where plan_id = getvariable('undoes')
    )
    group by all
) w on w.object = d.object
    and w.hris_ref = d.hris_ref
    and w.group_ref is not distinct from d.group_ref
    and w.attribute = d.attribute;
-- An approval from before the undoing releases nothing after it.
update state.approvals set expires_at = cast(getvariable('now') as timestamptz),
    digest = approval_digest(
        plan_id, content, guards, decision, because, decided_by, decided_at,
        cast(getvariable('now') as timestamptz)
    )
where decision = 'approved' and list_contains(guards, 'undone') and expires_at > getvariable('now')
    and content in (select content from state.plan_changes where plan_id = getvariable('undoes'))
    and digest = approval_digest(
        plan_id, content, guards, decision, because, decided_by, decided_at, expires_at
    );
