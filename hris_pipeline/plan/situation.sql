-- What is known before a plan is made: what deskbird gives back at all, how the last good night
-- ended, which extracts are not proven, and which seldom steps have anything to do.
-- Reads: core.manager_graph, core.people, state.external_changes, state.damage, state.extracts,
--   state.nights, state.not_retained, state.observations, state.undone, state.unreadable_records
-- Makes: none
-- Variables: none
with latest as (
    select connection, proof
    from state.extracts
    qualify row_number() over (
        partition by connection, resource order by extracted_at desc, rowid desc
    ) = 1
)
select
    (select any_value(readable) from state.observations where resource = 'users') as readable_users,
    (
        select any_value(readable) from state.observations where resource = 'groups'
    ) as readable_groups,
    (
        select managed from state.nights where in_line order by ended_at desc, rowid desc limit 1
    ) as managed,
    exists (from state.nights where in_line) as was_in_line,
    (select coalesce(list(distinct connection), []) from latest) as read,
    (
        select coalesce(list(distinct connection), []) from latest where proof <> 'proven'
    ) as unproven,
    exists (from state.unreadable_records) as unread,
    exists (from state.external_changes)
        or exists (from state.not_retained where nights >= 3 and attribute <> 'record') as drift,
    exists (from state.damage where ended_at is null) as damage,
    exists (from state.undone) as undone,
    exists (from core.manager_graph where problem = 'cycle') as cycles,
    exists (from core.people where wanted) as anybody;
