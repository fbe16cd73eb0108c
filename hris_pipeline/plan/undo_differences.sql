-- What a plan has really done, and what of it deskbird still holds: that goes back. What was
-- changed since, or is gone, is listed instead.
-- Reads: addresses, known_groups, observed_groups, owned_users, present_members, state.group_links,
--   state.ledger, state.links, state.outcomes, state.plan_changes, user_values
-- Makes: done_then, group_differences, group_fates, group_values, held_addresses, held_names,
--   not_undone, revert_differences, revert_values, undone_attributes
-- Variables: shown.groups, shown.users, undoes

-- What was carried out, by whichever run: also what a killed one had sent and the next found to be
-- so already. Ids of what it created come from the answers.
create or replace temp table done_then as
with answered as (
    select string_split(kind, '_')[1] as object, hris_ref, request, deskbird_id,
        kind like '%\_create%' escape '\' as creates
    from state.ledger where plan_id = getvariable('undoes') and phase = 'answered' and status < 300
), created as (
    select object, hris_ref, max(deskbird_id) as deskbird_id
    from answered
    where creates and deskbird_id is not null
    group by all
), done as (
    select c.* from state.plan_changes c
    where c.plan_id = getvariable('undoes') and c.seq in (
        select o.seq from state.outcomes o
        where o.plan_id = getvariable('undoes')
            and (
                o.outcome = 'applied'
                or (
                    o.outcome = 'skipped'
                    and o.problem_code = 'already_so'
                    and c.request in (select request from answered)
                )
            ))
), links as (
    select hris_ref, max_by(deskbird_id, linked_at) as deskbird_id from state.links group by all
)
select d.* exclude (plan_id, deskbird_id, group_deskbird_id),
    case
        when d.object <> 'group' then coalesce(d.deskbird_id, u.deskbird_id, l.deskbird_id)
    end as user_id,
    case
        when d.object in ('group', 'membership') then coalesce(
            case d.object when 'group' then d.deskbird_id else d.group_deskbird_id end,
            g.deskbird_id, gl.deskbird_id
        )
    end as group_id,
    coalesce(d.after->>'manager_deskbird_id', um.deskbird_id, lm.deskbird_id) as manager_id
from done d
left join created u on u.object = 'user' and u.hris_ref = d.hris_ref and d.object <> 'group'
left join links l on l.hris_ref = d.hris_ref and d.object <> 'group'
left join created g on g.object = 'group'
    and g.hris_ref = coalesce(d.group_ref, d.hris_ref)
    and d.object in ('group', 'membership')
left join (
    select hris_ref, max_by(deskbird_id, linked_at) as deskbird_id
    from state.group_links
    group by all
) gl
    on gl.hris_ref = coalesce(d.group_ref, d.hris_ref) and d.object in ('group', 'membership')
left join created um on um.object = 'user'
    and um.hris_ref = d.after->>'manager_ref'
    and d.object = 'manager'
    and d.action = 'set'
left join links lm on lm.hris_ref = d.after->>'manager_ref'
    and d.object = 'manager'
    and d.action = 'set';

-- Users, attribute by attribute. "Aside" was only a step on the way. What is not ours any more is
-- left alone, unless it was this plan that gave it up.
create or replace temp table revert_values as
with then_values as (
    select *, before->>attribute as was, after->>attribute as written
    from (
        select *, unnest(json_keys(after)) as attribute
        from done_then
        where object = 'user' and action in ('update', 'link')
    )
    qualify row_number() over (partition by user_id, attribute order by seq desc) = 1
), now_values as (
    select t.hris_ref,
        t.user_id as deskbird_id,
        t.attribute,
        t.was,
        t.written,
        t.reason_code,
        u.deskbird_id is null as gone,
        u.owner is not null as ours, u.user_name,
        case t.attribute
            when 'hris_ref' then case when list_contains(
                getvariable('shown').users, 'external_id'
            ) then u.external_id
                when (
                    (t.hris_ref, t.user_id) in (select (hris_ref, deskbird_id) from state.links)
                ) = (t.written is not null) then t.written else t.was end
            else v.value
        end as held
    from then_values t
    left join owned_users u on u.deskbird_id = t.user_id
    left join user_values v on v.deskbird_id = t.user_id and v.attribute = t.attribute
)
select *,
    bool_or(
        attribute = 'hris_ref' and same_value(attribute, held, written)
    ) over (partition by deskbird_id) as gave_up,
    case
        when gone then 'gone'
        when same_value(attribute, held, was) then 'already_so'
        when not same_value(attribute, held, written) or not (ours or gave_up) then 'conflict'
        when attribute in ('email', 'user_name') and was is null then 'had_no_address'
        when attribute = 'photo' and was is not null then 'not_kept'
        else 'revert'
    end as fate
from now_values;

-- An address that somebody else took since, and keeps, cannot be given back; nor one that is held
-- by whoever cannot move for that.
create or replace temp table held_addresses as
with recursive moves as (
    select deskbird_id, email_key(was) as takes
    from revert_values
    where fate = 'revert' and attribute in ('email', 'user_name')
), held_by as (
    select m.deskbird_id, a.deskbird_id as holder
    from moves m
    join addresses a on a.key = m.takes and a.deskbird_id <> m.deskbird_id
), stuck as (
    select deskbird_id from held_by where holder not in (select deskbird_id from moves)
    union
    select h.deskbird_id from held_by h join stuck s on s.deskbird_id = h.holder
)
select distinct deskbird_id from stuck;
update revert_values set fate = 'taken'
where fate = 'revert'
    and attribute in ('email', 'user_name')
    and deskbird_id in (select deskbird_id from held_addresses);

create or replace temp table revert_differences as
select hris_ref, deskbird_id, attribute, to_json(held) as before, to_json(was) as after
from revert_values
where fate = 'revert'
union all
-- a userName that was right already is not to follow the address
select hris_ref, deskbird_id, 'user_name', to_json(user_name), to_json(user_name)
from revert_values v
where fate = 'revert'
    and attribute = 'email'
    and reason_code <> 'steps_aside'
    and email_key(was) <> email_key(user_name)
    and not exists (
        from revert_values o where o.deskbird_id = v.deskbird_id and o.attribute = 'user_name'
    );

-- Groups likewise: the name and our marker.
create or replace temp table group_values as
with then_values as (
    select *, before->>attribute as was, after->>attribute as written
    from (
        select *, unnest(json_keys(after)) as attribute
        from done_then
        where object = 'group' and action in ('rename', 'link', 'update')
    )
    qualify row_number() over (partition by group_id, attribute order by seq desc) = 1
), now_values as (
    select t.hris_ref,
        t.group_id as deskbird_id,
        t.attribute,
        t.was,
        t.written,
        t.evidence,
        g.deskbird_id is null as gone,
        k.ref is not null as ours,
        case t.attribute when 'name' then g.name
            when 'hris_ref' then case when list_contains(
                getvariable('shown').groups, 'external_id'
            ) then g.external_id
                when (
                    (t.hris_ref, t.group_id) in (
                        select (hris_ref, deskbird_id) from state.group_links
                    )
                ) = (t.written is not null) then t.written else t.was end
        end as held
    from then_values t
    left join observed_groups g on g.deskbird_id = t.group_id
    left join known_groups k on k.deskbird_id = t.group_id
)
select *,
    bool_or(
        attribute = 'hris_ref' and same_value(attribute, held, written)
    ) over (partition by deskbird_id) as gave_up,
    case
        when gone then 'gone'
        when same_value(attribute, held, was) then 'already_so'
        when not same_value(attribute, held, written) or not (ours or gave_up) then 'conflict'
        else 'revert'
    end as fate
from now_values;

-- Groups that the plan made go where nobody is in them whom it did not put there; those that it
-- deleted come back.
create or replace temp table group_fates as
with staying as (
    select group_deskbird_id, user_deskbird_id from present_members
    anti join (
        select group_id, user_id from done_then where object = 'membership' and action = 'add'
    ) x
        on x.group_id = group_deskbird_id and x.user_id = user_deskbird_id
)
select d.hris_ref, d.group_id as deskbird_id, d.action, d.before->>'name' as name, d.evidence,
    case
        when d.action = 'create' and g.deskbird_id is null then 'gone'
        when d.action = 'create' and k.ref is null then 'conflict'
        when d.action = 'create'
            and d.group_id in (select group_deskbird_id from staying) then 'stays'
        when d.action = 'delete' and d.hris_ref in (select ref from known_groups) then 'already_so'
        else 'revert'
    end as fate
from done_then d
left join observed_groups g on g.deskbird_id = d.group_id
left join known_groups k on k.deskbird_id = d.group_id
where d.object = 'group' and d.action in ('create', 'delete')
qualify row_number() over (partition by d.hris_ref order by d.seq desc) = 1;

create or replace temp table held_names as
with recursive moves as (
    select 'group:' || deskbird_id as mover, deskbird_id, name_key(was) as takes
    from group_values
    where fate = 'revert' and attribute = 'name'
    union all
    select 'ref:' || hris_ref, null, name_key(name)
    from group_fates
    where fate = 'revert' and action = 'delete'
), held_by as (
    select m.mover, o.deskbird_id as holder
    from moves m
    join observed_groups o on o.name_key = m.takes and o.deskbird_id is distinct from m.deskbird_id
    where o.deskbird_id not in (
        select deskbird_id from group_fates where fate = 'revert' and action = 'create'
    )
), stuck as (
    select mover
    from held_by
    where holder not in (select deskbird_id from moves where deskbird_id is not null)
    union
    select h.mover from held_by h join stuck s on s.mover = 'group:' || h.holder
)
select distinct mover from stuck;
update group_values set fate = 'taken'
where fate = 'revert'
    and attribute = 'name'
    and 'group:' || deskbird_id in (select mover from held_names);
update group_fates set fate = 'taken'
where fate = 'revert'
    and action = 'delete'
    and 'ref:' || hris_ref in (select mover from held_names);

create or replace temp table group_differences as
select hris_ref, deskbird_id, attribute, to_json(held) as before, to_json(was) as after, evidence
from group_values
where fate = 'revert';

-- what was undone may be done again by undoing that
create or replace temp table undone_attributes (hris_ref varchar, attribute varchar);
create or replace temp table not_undone as
select fate as why, hris_ref, attribute
from revert_values
where fate not in ('already_so', 'revert')
union
select fate, hris_ref, attribute from group_values where fate not in ('already_so', 'revert')
union
select fate, hris_ref, null from group_fates where fate not in ('already_so', 'revert');
