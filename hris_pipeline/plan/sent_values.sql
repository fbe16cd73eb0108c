-- What this run sent of a plan, one value a row: whose, which attribute, what was asked for, and
-- whether deskbird acknowledged it. A userName is the address too: both are written as one.
-- Reads: state.group_links, state.links, state.outcomes, state.plan_changes
-- Makes: sent_values
-- Variables: plan_id, run_id
create or replace temp table sent_values as
with outcomes as (
    select seq, bool_or(outcome = 'applied') as is_taken
    from state.outcomes
    where plan_id = getvariable('plan_id')
        and run_id = getvariable('run_id')
        and (outcome = 'applied' or (outcome = 'failed' and attempts > 0))
    group by seq
), users as (
    select hris_ref, max_by(deskbird_id, linked_at) as deskbird_id from state.links group by all
), units as (
    select hris_ref, max_by(deskbird_id, linked_at) as deskbird_id
    from state.group_links
    group by all
), sent as (
    select p.seq, p.object, p.action, p.hris_ref, p.group_ref, p.after, o.is_taken,
        case when p.object <> 'group' then coalesce(p.deskbird_id, u.deskbird_id) end as user_id,
        case p.object when 'group' then coalesce(p.deskbird_id, g.deskbird_id)
            when 'membership' then coalesce(p.group_deskbird_id, g.deskbird_id) end as group_id,
        coalesce(p.after->>'manager_deskbird_id', m.deskbird_id) as manager_id
    from state.plan_changes p
    join outcomes o using (seq)
    left join users u on u.hris_ref = p.hris_ref and p.object <> 'group'
    left join units g on g.hris_ref = coalesce(p.group_ref, p.hris_ref)
        and p.object in ('group', 'membership')
    left join users m on m.hris_ref = p.after->>'manager_ref' and p.object = 'manager'
    where p.plan_id = getvariable('plan_id')
), keyed as (
    select *, unnest(json_keys(after)) as key from sent where object in ('user', 'group')
)
select seq,
    object,
    action,
    hris_ref,
    null::varchar as group_ref,
    coalesce(user_id, group_id) as deskbird_id,
    case key when 'hris_ref' then 'external_id' else key end as attribute, after->>key as wanted,
        is_taken
from keyed
union all
select seq, object, action, hris_ref, null, user_id, 'user_name', after->>'email', false
from keyed where object = 'user' and key = 'email'
union all
select seq, object, action, hris_ref, null, group_id, 'gone', 'true', is_taken
from sent
where object = 'group' and action = 'delete'
union all
select seq,
    'user',
    action,
    hris_ref,
    null,
    user_id,
    'manager',
    case action when 'clear' then '' else manager_id end,
    is_taken
from sent where object = 'manager'
union all
select seq, object, action, hris_ref, group_ref, group_id, user_id, action, is_taken
from sent
where object = 'membership';
