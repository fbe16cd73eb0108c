-- What became of a row's own parts, where a request was taken apart. A creation is as its record;
-- what it went without is told beside.
-- Reads: deskbird.users, result_parts, results, state.group_links, state.links, state.outcomes,
--   state.plan_progress, user_attributes
-- Makes: acknowledged, newly_acknowledged_members, deskbird.applied_changes, new_group_links,
--   new_links, new_outcomes, row_parts, rows_done
-- Changes: state.acknowledged_members, state.acknowledged_values, state.group_links, state.links,
--   state.outcomes, state.plans
-- Variables: now, plan_id, run_id, shown.users, undoes
create or replace temp table row_parts as
select p.seq,
    coalesce(
        max(t.outcome) filter (t.part = 'record'),
        arg_min(t.outcome, t.number) filter (t.outcome <> 'applied'), 'applied'
    ) as outcome,
    coalesce(
        arg_min(t.http_status, t.number) filter (t.outcome <> 'applied'), max(t.http_status)
    ) as http_status,
    string_agg(
        distinct t.problem, ' ' order by t.problem
    ) filter (t.outcome <> 'applied') as problem,
    arg_min(t.problem_code, t.number) filter (t.outcome <> 'applied') as problem_code,
    case
        when bool_or(t.part = 'attribute') then to_json(
            map_from_entries(
                list(row(t.name, t.problem_code)) filter (
                    t.part = 'attribute' and t.outcome <> 'applied'
                )
            )
        )
    end as parts
from state.plan_progress p
join result_parts t on t.request = p.request and p.outcome is null and case t.part
    when 'record' then p.object in ('user', 'group') and p.action in ('create', 'delete')
    when 'manager' then p.object = 'manager'
    when 'attribute' then p.object in ('user', 'group')
        and (
            json_exists(p.after, '$.' || t.name)
            or (t.name = 'email' and json_exists(p.after, '$.user_name'))
        )
    else p.object = 'membership' and p.action = t.part and p.hris_ref = t.name end
group by p.seq;

-- deskbird.applied_changes from the judgement before the writes and the answers to them; links and
-- acknowledged values follow from what was applied.
create or replace temp table new_outcomes as
select *,
    case when outcome = 'applied' then cast(getvariable('now') as timestamptz) end as applied_at,
    -- a killed run had sent it
    outcome = 'applied'
        or (getvariable('undoes') <> '' and judged is not distinct from 'skipped') as is_done
from (
    select p.plan_id,
        p.seq,
        p.object,
        p.action,
        p.hris_ref,
        p.group_ref,
        p.deskbird_id,
        p.group_deskbird_id,
        p.after,
        p.evidence,
        p.request,
        case
            when p.outcome is not null then p.outcome
            when r.request is null then 'skipped'
            when w.seq is not null then w.outcome
            when r.outcome = 'applied' and r.unset_manager and p.object = 'manager' then 'failed'
            when r.outcome = 'applied'
                and p.object = 'membership'
                and list_contains(r.left_out, p.hris_ref) then 'failed'
            else r.outcome
        end as outcome,
        coalesce(w.http_status, r.http_status) as http_status, coalesce(r.attempts, 0) as attempts,
        case
            when p.outcome is not null then p.problem
            when r.request is null then problem_of('not_reached', null)
            when w.seq is not null then w.problem
            when r.outcome = 'applied'
                and r.unset_manager
                and p.object = 'manager' then problem_of('manager_pending', null)
            when r.outcome = 'applied'
                and p.object = 'membership'
                and list_contains(r.left_out, p.hris_ref) then problem_of('reference_missing', null)
            when r.outcome = 'applied' and len(r.left_out) > 0 then null
            else r.problem
        end as problem,
        case
            when p.outcome is not null then p.problem_code
            when r.request is null then 'not_reached'
            when w.seq is not null then w.problem_code
            when r.outcome = 'applied'
                and r.unset_manager
                and p.object = 'manager' then 'manager_pending'
            when r.outcome = 'applied'
                and p.object = 'membership'
                and list_contains(r.left_out, p.hris_ref) then 'reference_missing'
            when r.outcome = 'applied' and len(r.left_out) > 0 then null
            else r.problem_code
        end as problem_code,
        case when json_array_length(json_keys(w.parts)::json) > 0 then w.parts end as parts,
        r.deskbird_id as new_id, p.outcome as judged
    from state.plan_progress p
    left join results r on r.request = p.request and p.outcome is null
    left join row_parts w on w.seq = p.seq
);

insert into state.outcomes by name
select plan_id,
    seq,
    object,
    action,
    hris_ref,
    outcome,
    http_status,
    attempts,
    applied_at,
    problem,
    getvariable('run_id') as run_id,
    problem_code,
    parts
from new_outcomes;

-- What was applied in an earlier go at the same plan stays so.
create or replace table deskbird.applied_changes as
select t.plan_id, t.seq, t.object, t.action,
    case
        when t.outcome in ('skipped', 'stale') and e.seq is not null then 'applied'
        else t.outcome
    end as outcome,
    coalesce(t.http_status, e.http_status) as http_status,
    greatest(t.attempts, coalesce(e.attempts, 0)) as attempts,
    coalesce(t.applied_at, e.applied_at) as applied_at,
    case
        when t.outcome in ('skipped', 'stale') and e.seq is not null then null
        else t.problem
    end as problem,
    case
        when t.outcome in ('skipped', 'stale') and e.seq is not null then null
        else t.problem_code
    end as problem_code
from new_outcomes t
left join (
    select seq, any_value(http_status) as http_status, max(attempts) as attempts,
        max(applied_at) as applied_at
    from state.outcomes where plan_id = getvariable('plan_id') and outcome = 'applied' group by seq
) e using (seq)
order by t.seq;

update state.plans set written = true
where plan_id = getvariable('plan_id')
    and exists (select 1 from new_outcomes where outcome = 'applied');

create or replace temp table new_links as
select hris_ref, coalesce(new_id, deskbird_id) as deskbird_id, action as rule,
    evidence->>'rule' = 'successor' as succeeds
from new_outcomes
where outcome = 'applied'
    and object = 'user'
    and action in ('create', 'link')
    and coalesce(new_id, deskbird_id) is not null;
-- A user who is found again under another id is possibly still a member where the old one was.
update state.acknowledged_members a set user_deskbird_id = n.deskbird_id, is_possible = true
from new_links n join state.links l using (hris_ref)
where a.user_deskbird_id = l.deskbird_id
    and n.rule = 'link'
    and l.deskbird_id not in (select deskbird_id from deskbird.users);
delete from state.links
where hris_ref in (select hris_ref from new_links)
    or deskbird_id in (select deskbird_id from new_links where succeeds);
insert into state.links
select hris_ref, deskbird_id, rule, cast(getvariable('now') as timestamptz)
from new_links;

create or replace temp table new_group_links as
select hris_ref, coalesce(new_id, deskbird_id) as deskbird_id,
    case action when 'create' then action else evidence->>'rule' end as rule
from new_outcomes
where outcome = 'applied' and object = 'group' and coalesce(new_id, deskbird_id) is not null
    and (
        action = 'create'
        or (action in ('link', 'rename') and evidence->>'rule' in ('rule', 'members'))
    )
qualify row_number() over (partition by hris_ref order by action) = 1;
delete from state.group_links
where hris_ref in (select hris_ref from new_group_links)
    or deskbird_id in (select deskbird_id from new_group_links)
    or deskbird_id in (
        select deskbird_id
        from new_outcomes
        where outcome = 'applied' and object = 'group' and action = 'delete'
    );
insert into state.group_links
select hris_ref, deskbird_id, rule, cast(getvariable('now') as timestamptz)
from new_group_links;

-- Undoing a link takes it off again; undoing that brings it back.
delete from state.links where (hris_ref, deskbird_id) in (
    select (hris_ref, deskbird_id)
    from new_outcomes
    where is_done and object = 'user' and evidence->>'unlinks' = 'true');
insert into state.links
select hris_ref, deskbird_id, 'link', cast(getvariable('now') as timestamptz) from new_outcomes
where is_done and object = 'user' and action = 'update' and after->>'hris_ref' = hris_ref;
delete from state.group_links where (hris_ref, deskbird_id) in (
    select (hris_ref, deskbird_id)
    from new_outcomes
    where is_done and object = 'group' and evidence->>'unlinks' = 'true');
insert into state.group_links
select hris_ref, deskbird_id, 'link', cast(getvariable('now') as timestamptz) from new_outcomes
where is_done
    and object = 'group'
    and getvariable('undoes') <> ''
    and after->>'hris_ref' = hris_ref
    and action <> 'create';

-- Only for what deskbird does not give back; the next read that shows it makes these rows
-- unnecessary.
create or replace temp table acknowledged as
select coalesce(t.deskbird_id, t.new_id, l.deskbird_id) as deskbird_id, k.attribute,
    case
        when k.attribute = 'manager' then coalesce(m.deskbird_id, t.after->>'manager_deskbird_id')
        else t.after->>k.attribute
    end as value
from new_outcomes t
left join state.links l on l.hris_ref = t.hris_ref
join (
    select name as attribute from user_attributes where shown <> 'always' union all select 'manager'
) k
    on (t.object = 'manager' and k.attribute = 'manager')
        or (t.object = 'user' and json_exists(t.after, '$.' || k.attribute))
left join state.links m on t.object = 'manager' and m.hris_ref = t.after->>'manager_ref'
where case
    when t.parts is null then t.outcome = 'applied'
    else not json_exists(t.parts, '$.' || k.attribute)
end
    and not list_contains(getvariable('shown').users, k.attribute)
    and coalesce(t.deskbird_id, t.new_id, l.deskbird_id) is not null;
delete from state.acknowledged_values a
where exists (
    select 1 from acknowledged k where k.deskbird_id = a.deskbird_id and k.attribute = a.attribute
);
insert into state.acknowledged_values from acknowledged;

create or replace temp table newly_acknowledged_members as
select coalesce(t.group_deskbird_id, g.deskbird_id) as group_deskbird_id,
    coalesce(t.deskbird_id, l.deskbird_id) as user_deskbird_id, t.action
from new_outcomes t
left join state.links l on l.hris_ref = t.hris_ref
left join state.group_links g on g.hris_ref = t.group_ref
where t.outcome = 'applied' and t.object = 'membership';
delete from state.acknowledged_members a
where exists (
    select 1
    from newly_acknowledged_members t
    where t.group_deskbird_id = a.group_deskbird_id and t.user_deskbird_id = a.user_deskbird_id
)
    or a.group_deskbird_id in (
        select deskbird_id
        from new_outcomes
        where outcome = 'applied' and object = 'group' and action = 'delete'
    );
insert into state.acknowledged_members by name
select group_deskbird_id, user_deskbird_id
from newly_acknowledged_members
where action = 'add';

create or replace temp view rows_done as
select object, action, hris_ref, group_ref, deskbird_id, after
from new_outcomes
where is_done;
