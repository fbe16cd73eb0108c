-- One plan as people read it: every change with what became of it, whether a decision belongs to
-- it, and the names behind its ids.
-- A name is what the HR system says, else what deskbird shows. Of a change's guards, `guard` is the
-- first that no valid approval covers.
-- Reads: state.plan_changes, deskbird.applied_changes, core.people, core.groups, deskbird.users,
--   deskbird.groups,
-- valid_approvals, which plan/valid_approvals.sql makes. Parameter: plan_id.
with plan as (
    from state.plan_changes where plan_id = $plan_id
), person as (
    select hris_ref, any_value(display_name) as name from core.people group by hris_ref
), person_by_id as (
    select deskbird_id, coalesce(display_name, concat_ws(' ', given_name, family_name)) as name,
        hris_ref
    from deskbird.users
), unit as (
    select hris_ref, any_value(name) as name, any_value(kind) as kind
    from core.groups
    group by hris_ref
), unit_by_id as (
    select deskbird_id, name, hris_ref from deskbird.groups
), held as (
    select
        seq,
        list_filter(
            p.guards, lambda g: not list_contains(coalesce(approval.guards, []), g)
        ) as guards
    from plan p
    left join valid_approvals approval using (content)
    where verdict = 'blocked'
), manager as (
    select
        seq,
        coalesce("before" ->> 'manager_ref', user_before.hris_ref) as before_ref,
        coalesce(person_before.name, user_before.name) as before_name,
        coalesce("after" ->> 'manager_ref', user_after.hris_ref) as after_ref,
        coalesce(person_after.name, user_after.name) as after_name
    from plan
    left join person_by_id user_before
        on user_before.deskbird_id = "before" ->> 'manager_deskbird_id'
    left join person_by_id user_after on user_after.deskbird_id = "after" ->> 'manager_deskbird_id'
    left join person person_before
        on person_before.hris_ref = coalesce("before" ->> 'manager_ref', user_before.hris_ref)
    left join person person_after
        on person_after.hris_ref = coalesce("after" ->> 'manager_ref', user_after.hris_ref)
    where object = 'manager'
)
select
    c.plan_id,
    c.seq,
    c.request,
    c.object,
    c.action,
    c.hris_ref,
    c.deskbird_id,
    c.group_ref,
    c.group_deskbird_id,
    c."before"::varchar as "before",
    c."after"::varchar as "after",
    c.reason,
    c.reason_code,
    c.evidence::varchar as evidence,
    c.verdict,
    coalesce(held.guards[1], c.guard) as guard,
    -- `skipped` is said of what is so already, and of what was not reached
    nullif(
        o.outcome, case when o.problem_code = 'already_so' then '' else 'skipped' end
    ) as outcome,
    o.http_status,
    o.problem,
    o.problem_code,
    case
        when c.object = 'group'
            then coalesce(unit.name, unit_by_id.name, c."after" ->> 'name', c."before" ->> 'name')
        else coalesce(
            person.name, u.name, c."after" ->> 'display_name', c."before" ->> 'display_name'
        )
    end as who,
    coalesce(member_of.name, member_of_id.name) as group_name,
    split_part(case when c.object = 'group' then c.hris_ref else c.group_ref end, ':', 2) as kind,
    manager.before_ref,
    manager.before_name,
    manager.after_ref,
    manager.after_name,
    coalesce(len(held.guards) = 0, false) as approved
from plan c
left join deskbird.applied_changes o on o.plan_id = c.plan_id and o.seq = c.seq
left join held on held.seq = c.seq
left join person on c.object <> 'group' and person.hris_ref = c.hris_ref
left join person_by_id u on c.object <> 'group' and u.deskbird_id = c.deskbird_id
left join unit on c.object = 'group' and unit.hris_ref = c.hris_ref
left join unit_by_id on c.object = 'group' and unit_by_id.deskbird_id = c.deskbird_id
left join unit member_of on member_of.hris_ref = c.group_ref
left join unit_by_id member_of_id on member_of_id.deskbird_id = c.group_deskbird_id
left join manager on manager.seq = c.seq
order by c.seq
