-- state.arrivals: for how many records each attribute, kind of group, list of units and manager
-- reference came tonight, and what is wrong with that.
-- Codes: "vanished" (came before, comes for nobody), "never_came" (the company file names it),
-- "not_given" (a default that nobody has), "unresolved" (manager references that lead to nobody),
-- "fell" (less than half of the share of references that led to somebody). A silent one keeps what
-- last came. An end date counts as given where its key comes: that nobody leaves is usual.
-- The queries of all connections' employees and units are put in.
-- Reads: core.people, state.arrivals
-- Makes: judged_arrivals
-- Changes: state.arrivals
-- Variables: arrivals.expected, arrivals.from_size, arrivals.now
create or replace temp table judged_arrivals as
with records_read as (
    {records}
), units_read as (
    {units}
), expected as (
    select unnest(getvariable('arrivals').expected, recursive := true)
), counted as (
    select connection, count(*) as of,
        count(email) as email, count(given_name) as given_name, count(family_name) as family_name,
        count(status) as status,
        count(start_date) as start_date, count(manager_id) as manager,
        count(*) filter (
            end_date is not null or not list_contains(coalesce(absent, []), 'end_date')
        ) as end_date
    from records_read group by connection
), attributes as (
    unpivot counted on email, given_name, family_name, status, start_date, manager,
    end_date into name subject value came
), named_attributes as (
    select connection, e.key as subject, count(e.value) as came
    from (select connection, unnest(map_entries(attributes)) as e from records_read) group by all
), kinds as (
    select connection, g.kind as subject, count(distinct id) as came
    from (select connection, id, unnest(groups) as g from records_read) group by all
), arrived as (
    select connection, subject, 'attribute' as kind, came, of from attributes
    union all
    select c.connection, n.subject, 'attribute', n.came, c.of
    from counted c
    join named_attributes n using (connection)
    union all
    select c.connection, k.subject, 'group_kind', k.came, c.of
    from counted c
    join kinds k using (connection)
    union all
    -- of the people in core.people, where a reference that is written in another way has found its
    -- record; who was given none that could be read (an address that is nobody's) has one too, as
    -- long as anybody's leads to somebody
    select connection, 'manager', 'manager', count(ref) filter (leads),
        count(ref) + case when bool_or(leads) then count(*) - count(ref) else 0 end
    from (
        select string_split(coalesce(manager_ref, hris_ref), ':')[1] as connection,
            manager_ref as ref,
            coalesce(
                manager_ref in (select connection || ':' || id from records_read), false
            ) as leads
        from core.people where manager_ref is not null or list_contains(unknown, 'manager_id')
    ) group by connection
    union all
    select connection, kind, 'list', count(name), count(*) from units_read group by connection, kind
), joined as (
    select e.connection,
        e.subject,
        e.kind,
        e.is_named,
        e.is_offered,
        coalesce(t.came, 0) as came,
        coalesce(t.of, n.of, 0) as of,
        p.last_came, p.last_of, p.last_came_at, p.silent_since, p.code as code_before,
        sum(coalesce(t.came, 0)) over (partition by e.subject, e.kind) as came_anywhere,
        bool_or(e.is_offered) over (partition by e.subject, e.kind) as is_offered_anywhere
    from expected e
    left join arrived t using (connection, subject, kind)
    left join counted n on n.connection = e.connection and e.kind in ('attribute', 'group_kind')
    left join state.arrivals p using (connection, subject, kind)
)
select *,
    case
        when kind = 'manager' then case
            when came = 0 and of >= 3 then 'unresolved'
            when last_came >= getvariable('arrivals').from_size
                and of > 0
                and came * last_of * 2 < last_came * of then 'fell' end
        when kind = 'list' then case
            when of > 0 and came = 0 and last_came_at is not null then 'vanished'
        end
        when came > 0 then null
        when of = 0 then code_before
        when last_came_at is not null then 'vanished'
        when kind = 'attribute' then case when is_named then 'never_came' end
        when came_anywhere > 0 then null
        when is_named and is_offered then 'never_came'
        when is_offered or not is_offered_anywhere then 'not_given'
    end as code
from joined;

delete from state.arrivals;
insert into state.arrivals by name
select connection, subject, kind, came, of, is_named, is_offered, code,
    case when code is null and came > 0 then came else last_came end as last_came,
    case when code is null and came > 0 then of else last_of end as last_of,
    case
        when code is null and came > 0 then cast(getvariable('arrivals').now as timestamptz)
        else last_came_at
    end as last_came_at,
    case
        when code is not null then coalesce(
            silent_since, cast(getvariable('arrivals').now as timestamptz)
        )
    end as silent_since
from judged_arrivals;
