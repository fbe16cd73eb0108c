-- One plan as people read it: every change with what became of it, whether a decision belongs to it, and the names behind its ids.
-- A name is what the HR system says, else what deskbird shows. Of a change's guards, `guard` is the first that no valid approval covers.
-- Reads: valid_approvals, which plan/valid_approvals.sql makes.
with
    plan as (from state.plan_changes where plan_id = $plan_id),
    person as (select hris_ref, any_value(display_name) as name from core.people group by hris_ref),
    person_by_id as (select deskbird_id, coalesce(display_name, concat_ws(' ', given_name, family_name)) as name, hris_ref from deskbird.users),
    unit as (select hris_ref, any_value(name) as name, any_value(kind) as kind from core.groups group by hris_ref),
    unit_by_id as (select deskbird_id, name, hris_ref from deskbird.groups),
    held as (
        select seq, list_filter(p.guards, lambda g: not list_contains(coalesce(d.guards, []), g)) as guards
        from plan p left join valid_approvals d using (content)
        where verdict = 'blocked'),
    manager as (
        select seq,
            coalesce("before" ->> 'manager_ref', ub.hris_ref) as before_ref, coalesce(pb.name, ub.name) as before_name,
            coalesce("after" ->> 'manager_ref', ua.hris_ref) as after_ref, coalesce(pa.name, ua.name) as after_name
        from plan
        left join person_by_id ub on ub.deskbird_id = "before" ->> 'manager_deskbird_id'
        left join person_by_id ua on ua.deskbird_id = "after" ->> 'manager_deskbird_id'
        left join person pb on pb.hris_ref = coalesce("before" ->> 'manager_ref', ub.hris_ref)
        left join person pa on pa.hris_ref = coalesce("after" ->> 'manager_ref', ua.hris_ref)
        where object = 'manager')
select
    c.plan_id, c.seq, c.request, c.object, c.action, c.hris_ref, c.deskbird_id, c.group_ref, c.group_deskbird_id,
    c."before"::varchar as "before", c."after"::varchar as "after", c.reason, c.reason_code, c.evidence::varchar as evidence, c.verdict,
    coalesce(h.guards[1], c.guard) as guard,
    -- `skipped` is said of what is so already, and of what was not reached
    nullif(o.outcome, case when o.problem_code = 'already_so' then '' else 'skipped' end) as outcome, o.http_status, o.problem, o.problem_code,
    case when c.object = 'group' then coalesce(g.name, gi.name, c."after" ->> 'name', c."before" ->> 'name')
        else coalesce(p.name, u.name, c."after" ->> 'display_name', c."before" ->> 'display_name') end as who,
    coalesce(m.name, mi.name) as group_name,
    split_part(case when c.object = 'group' then c.hris_ref else c.group_ref end, ':', 2) as kind,
    b.before_ref, b.before_name, b.after_ref, b.after_name,
    coalesce(len(h.guards) = 0, false) as approved
from plan c
left join deskbird.applied_changes o on o.plan_id = c.plan_id and o.seq = c.seq
left join held h on h.seq = c.seq
left join person p on c.object <> 'group' and p.hris_ref = c.hris_ref
left join person_by_id u on c.object <> 'group' and u.deskbird_id = c.deskbird_id
left join unit g on c.object = 'group' and g.hris_ref = c.hris_ref
left join unit_by_id gi on c.object = 'group' and gi.deskbird_id = c.deskbird_id
left join unit m on m.hris_ref = c.group_ref
left join unit_by_id mi on mi.deskbird_id = c.group_deskbird_id
left join manager b on b.seq = c.seq
order by c.seq
