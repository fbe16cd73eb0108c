-- What is to change about one person, and why it is not done yet; by the names of the plan's own
-- tables (see plan.sql).
-- Reads: changes_judged (what is wanted now), state.plans, state.plan_changes, core.groups,
--   core.people, deskbird.users,
-- deskbird.groups. Parameters: refs, ids.
select
    c.object,
    c.action,
    c.hris_ref,
    c.deskbird_id,
    c.group_ref,
    c.group_deskbird_id,
    c.before::varchar as before,
    c.after::varchar as after,
    c.reason,
    c.reason_code,
    c.evidence::varchar as evidence,
    c.verdict,
    c.guard,
    (
        select any_value(plan_id)
        from state.plan_changes p
        where p.content = c.content
            and p.plan_id = (select plan_id from state.plans order by number desc limit 1)
    ) as plan_id,
    coalesce(unit.name, observed.name) as group_name,
    string_split(c.group_ref, ':')[2] as kind,
    coalesce(manager_before.hris_ref, c.before->>'manager_deskbird_id') as manager_before,
    coalesce(
        manager_before.display_name,
        nullif(concat_ws(' ', manager_before.given_name, manager_before.family_name), '')
    ) as manager_before_name,
    c.after->>'manager_ref' as manager_after,
    manager_after.display_name as manager_after_name
from changes_judged c
left join core.groups unit on unit.hris_ref = c.group_ref
left join deskbird.groups observed on observed.deskbird_id = c.group_deskbird_id
left join deskbird.users manager_before
    on manager_before.deskbird_id = c.before->>'manager_deskbird_id'
left join core.people manager_after on manager_after.hris_ref = c.after->>'manager_ref'
where c.object <> 'group'
    and (list_contains($refs, c.hris_ref) or list_contains($ids, c.deskbird_id))
order by c.seq
