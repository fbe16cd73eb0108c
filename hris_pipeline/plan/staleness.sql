-- Each change of the plan against what is wanted now: sent (outcome null), blocked, already so
-- (skipped) or stale. "changes_judged" and "wanted_differences" are what is wanted now.
-- Reads: changes_judged, deskbird.group_members, deskbird.users, group_matches, known_groups,
--   observed_groups, observed_users, state.plan_changes, user_matches, user_values,
--   valid_approvals, wanted_differences
-- Makes: state.plan_progress, updates_now, updates_so
-- Variables: plan_id

-- A user's update is judged attribute by attribute: what else has come to differ since is another
-- change, and another plan's.
create or replace temp table updates_now as
select p.seq, bool_and(d.attribute is not null) as still_wanted, any_value(b.guard) as guard
from (
    select *, unnest(json_keys(after)) as attribute from state.plan_changes
    where plan_id = getvariable('plan_id') and object = 'user' and action = 'update'
) p
left join wanted_differences d
    on d.hris_ref = p.hris_ref
        and d.deskbird_id = coalesce(p.deskbird_id, d.deskbird_id)
        and d.attribute = p.attribute
    and d.before->>'$' is not distinct from p.before->>p.attribute
    and d.after->>'$' is not distinct from p.after->>p.attribute
left join changes_judged b
    on b.hris_ref = p.hris_ref
        and b.object = 'user'
        and b.action = 'update'
        and b.verdict = 'blocked'
        and json_exists(b.after, '$.' || p.attribute)
group by p.seq;

-- Whether deskbird holds each of the values that an update wants: by its acknowledgement, where it
-- does not give them back.
create or replace temp table updates_so as
select p.seq, bool_and(case p.attribute
    when 'hris_ref' then u.external_id is not distinct from p.after->>'hris_ref'
    else v.deskbird_id is not null
        and same_value(p.attribute, v.value, p.after->>p.attribute) end) as is_so
from (
    select *, unnest(json_keys(after)) as attribute from state.plan_changes
    where plan_id = getvariable('plan_id') and object = 'user' and action = 'update'
) p
left join user_matches m on m.hris_ref = p.hris_ref
left join deskbird.users u on u.deskbird_id = coalesce(p.deskbird_id, m.deskbird_id)
left join user_values v on v.deskbird_id = coalesce(p.deskbird_id, m.deskbird_id)
    and v.attribute = p.attribute
group by p.seq;

create or replace table state.plan_progress as
with judged as (
    select p.* exclude (deskbird_id, group_deskbird_id),
        coalesce(n.deskbird_id, p.deskbird_id) as deskbird_id,
        coalesce(n.group_deskbird_id, p.group_deskbird_id) as group_deskbird_id,
        n.content is not null or coalesce(u.still_wanted, false) as still_wanted,
        p.verdict = 'blocked' and not list_has_all(coalesce(a.guards, []), p.guards) as held,
        coalesce(n.guard, u.guard) as guard_now
    from state.plan_changes p
    left join (
        select *
        from changes_judged
        qualify row_number() over (partition by content order by seq) = 1
    ) n using (content)
    left join updates_now u on u.seq = p.seq
    left join valid_approvals a using (content)
    where p.plan_id = getvariable('plan_id')
), done as (
    -- what deskbird shows to be so already: carried out earlier, or by hand
    select j.seq,
        case j.object
            when 'user' then case j.action
                when 'create' then m.deskbird_id is not null
                when 'link' then u.marker is not distinct from j.after->>'hris_ref'
                when 'deactivate' then not u.active
                when 'reactivate' then u.active
                else s.is_so end
            when 'group' then case j.action
                when 'create' then coalesce(g.deskbird_id, k.deskbird_id) is not null
                when 'link' then o.marker is not distinct from j.after->>'hris_ref'
                when 'delete' then o.deskbird_id is null
                else (
                    not json_exists(j.after, '$.name')
                    or o.name is not distinct from j.after->>'name'
                )
                    and (
                        not json_exists(j.after, '$.hris_ref')
                        or o.external_id is not distinct from j.after->>'hris_ref'
                    ) end
            when 'manager' then case j.action
                when 'set' then w.manager_deskbird_id is not null
                    and w.manager_deskbird_id
                        = coalesce(mm.deskbird_id, j.after->>'manager_deskbird_id')
                else w.manager_deskbird_id is null end
            when 'membership' then (gm.user_deskbird_id is not null) = (j.action = 'add')
        end as is_so
    from judged j
    left join user_matches m on m.hris_ref = j.hris_ref and j.object <> 'group'
    left join observed_users u on u.deskbird_id = j.deskbird_id and j.object = 'user'
    left join group_matches g on g.hris_ref = coalesce(j.group_ref, j.hris_ref)
        and j.object in ('group', 'membership')
    left join observed_groups o on o.deskbird_id = j.deskbird_id and j.object = 'group'
    left join (select ref, min(deskbird_id) as deskbird_id from known_groups group by all) k
        on k.ref = j.hris_ref
        and j.object = 'group'
    left join deskbird.users w on w.deskbird_id = coalesce(j.deskbird_id, m.deskbird_id)
        and j.object = 'manager'
    left join user_matches mm on mm.hris_ref = j.after->>'manager_ref' and j.object = 'manager'
    left join updates_so s on s.seq = j.seq
    left join deskbird.group_members gm
        on gm.group_deskbird_id = coalesce(j.group_deskbird_id, g.deskbird_id)
            and gm.user_deskbird_id = coalesce(j.deskbird_id, m.deskbird_id)
            and j.object = 'membership'
    where not j.still_wanted
)
select j.*,
    case
        when not j.still_wanted then case when d.is_so then 'skipped' else 'stale' end
        when j.held or j.guard_now is not null then 'blocked'
    end as outcome,
    case
        when not j.still_wanted then case
            when d.is_so then 'already_so'
            else 'changed_meanwhile'
        end
        when j.held or j.guard_now is not null then 'held_back'
    end as problem_code,
    problem_of(problem_code, case when j.held then j.guard else j.guard_now end) as problem
from judged j left join done d using (seq);
