-- What is to change about one person, and why it is not done yet; by the names of the plan's own tables (see plan.sql).
-- Reads: changes_judged (what is wanted now), state.plan_changes. Parameters: refs, ids.
select c.object, c.action, c.hris_ref, c.deskbird_id, c.group_ref, c.group_deskbird_id, c.before::varchar as before, c.after::varchar as after,
    c.reason, c.reason_code, c.evidence::varchar as evidence, c.verdict, c.guard,
    (select any_value(plan_id) from state.plan_changes p where p.content = c.content
        and p.plan_id = (select plan_id from state.plans order by number desc limit 1)) as plan_id,
    coalesce(g.name, og.name) as group_name, string_split(c.group_ref, ':')[2] as kind,
    coalesce(mb.hris_ref, c.before->>'manager_deskbird_id') as manager_before,
    coalesce(mb.display_name, nullif(concat_ws(' ', mb.given_name, mb.family_name), '')) as manager_before_name,
    c.after->>'manager_ref' as manager_after, ma.display_name as manager_after_name
from changes_judged c
left join core.groups g on g.hris_ref = c.group_ref
left join deskbird.groups og on og.deskbird_id = c.group_deskbird_id
left join deskbird.users mb on mb.deskbird_id = c.before->>'manager_deskbird_id'
left join core.people ma on ma.hris_ref = c.after->>'manager_ref'
where c.object <> 'group' and (list_contains($refs, c.hris_ref) or list_contains($ids, c.deskbird_id))
order by c.seq
