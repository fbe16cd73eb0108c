-- After the read-back: what was acknowledged or refused tonight and is not so counts one night
-- more; what is so, or wanted otherwise, counts no more. Runs within twelve hours of each other are
-- one night.
-- "differing" is what still differs, "tried" what was sent, its "row" the seq.
-- Reads: differing, drifting, ignored_drift, proposed_changes, state.not_retained, state.outcomes,
--   tried
-- Makes: counted, retention_counts
-- Changes: state.external_changes, state.not_retained
-- Variables: now, plan_id, run_id
create or replace temp table counted as
select distinct on (object, deskbird_id, attribute, wanted) * from (
    select t.object, t.deskbird_id, t.attribute, t.wanted,
        case
            when o.parts is not null then coalesce(
                o.parts->>case t.attribute when 'external_id' then 'hris_ref' else t.attribute end,
                -- written as one with the address
                case t.attribute when 'user_name' then o.parts->>'email' end,
                'not_retained')
            when o.outcome = 'failed' then o.problem_code
            else 'not_retained' end as code
    from tried t
    join state.outcomes o on o.seq = t.row
        and o.plan_id = getvariable('plan_id')
        and o.run_id = getvariable('run_id')
    where o.outcome in ('applied', 'failed')
)
where code = 'not_retained' or starts_with(code, 'refused_');

create or replace temp table retention_counts as
select d.object, d.deskbird_id, d.attribute, d.wanted, d.hris_ref,
    t.object is not null
        and coalesce(
            s.last_night <= cast(getvariable('now') as timestamptz) - interval 12 hours, true
        ) as is_another_night,
    coalesce(s.nights, 0) + cast(is_another_night as integer) as nights,
    coalesce(s.since, cast(getvariable('now') as timestamptz)) as since,
    case
        when is_another_night then cast(getvariable('now') as timestamptz)
        else s.last_night
    end as last_night,
    coalesce(t.code, s.code) as code
from (select distinct on (object, deskbird_id, attribute) * from differing) d
left join state.not_retained s
    on s.object = d.object
        and s.deskbird_id = d.deskbird_id
        and s.attribute = d.attribute
        and same_value(d.attribute, s.wanted, d.wanted)
left join counted t
    on t.object = d.object
        and t.deskbird_id = d.deskbird_id
        and t.attribute = d.attribute
        and same_value(d.attribute, t.wanted, d.wanted)
where s.object is not null or t.object is not null;

-- A creation that is refused is counted too, to be told of; it is tried again every night, because
-- a seat may be free then.
insert into retention_counts
select d.object, d.hris_ref, 'record', null, d.hris_ref,
    o.seq is not null
        and coalesce(
            s.last_night <= cast(getvariable('now') as timestamptz) - interval 12 hours, true
        ) as is_another_night,
    coalesce(s.nights, 0) + cast(is_another_night as integer),
    coalesce(s.since, cast(getvariable('now') as timestamptz)),
    case when is_another_night then cast(getvariable('now') as timestamptz) else s.last_night end,
    coalesce(o.problem_code, s.code)
from (select object, hris_ref from proposed_changes where action = 'create') d
left join state.not_retained s on s.object = d.object
    and s.deskbird_id = d.hris_ref
    and s.attribute = 'record'
left join state.outcomes o
    on o.plan_id = getvariable('plan_id')
        and o.run_id = getvariable('run_id')
        and o.object = d.object
        and o.action = 'create'
    and o.hris_ref = d.hris_ref and o.outcome = 'failed' and starts_with(o.problem_code, 'refused_')
where s.object is not null or o.seq is not null;

delete from state.not_retained
where (object, deskbird_id, attribute) not in (
    select (object, deskbird_id, attribute) from ignored_drift where why <> 'kept'
);
insert into state.not_retained by name
select object, deskbird_id, attribute, wanted, hris_ref, nights, since, last_night, code
from retention_counts;

-- What somebody changed and is in line again, or wanted otherwise by now, is history.
delete from state.external_changes
where (object, deskbird_id, attribute) not in (
    select (object, deskbird_id, attribute) from drifting
);
