-- deskbird's active users by what a plan makes of them, for the report on a first contact.
-- Reads: state.plan_changes, state.nights, state.review, deskbird.users. Parameter: plan_id.
with plan as (
    from state.plan_changes where plan_id = $plan_id and object = 'user'
), links as (
    select distinct deskbird_id from plan where action = 'link'
), asked as (
    select distinct unnest(
        case when len(candidates) > 0 then candidates else [deskbird_id] end
    ) as deskbird_id
    from state.review
), users as (
    select
        u.hris_ref is not null as ours,
        l.deskbird_id is not null as would_link,
        u.external_id is not null as marked,
        a.deskbird_id is not null as asked
    from deskbird.users u
    left join links l on l.deskbird_id = u.deskbird_id
    left join asked a on a.deskbird_id = u.deskbird_id
    where u.active
), strangers as (
    from users where not ours and not would_link
)
select
    (select count(*) from state.nights where in_line) as nights_in_line,
    (select count(*) from users) as active,
    (select count(*) from users where ours) as ours,
    (select count(*) from users where not ours and would_link) as would_link,
    (select count(*) from strangers where not marked and not asked) as by_hand,
    (select count(*) from plan where action = 'create') as to_create,
    (select count(distinct hris_ref) from state.review) as conflicts,
    (select count(*) from strangers where marked) as other_system,
    (select count(*) from strangers where marked and asked) as other_system_in_hris,
    (select count(*) from users where not ours and would_link and marked) as taken_over,
    (select count(*) from strangers where not marked and asked) as disputed
