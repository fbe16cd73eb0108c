-- Managers as changes. Creations go top-down along the reporting lines, so that the manager goes
-- with the POST; of a cycle of new users one is created without, and gets the manager in a write of
-- its own after the groups.
-- Reads: manager_differences, user_changes
-- Makes: creation_depths, manager_changes
-- Variables: parameters.cycle_starts
create or replace temp table creation_depths as
with recursive new_users as (
    select created.hris_ref, differences.manager_ref
    from (select hris_ref from user_changes where action = 'create') as created
    left join manager_differences as differences
        on differences.hris_ref = created.hris_ref and differences.action = 'set'
), down as (
    select hris_ref, 0 as depth
    from new_users
    where manager_ref is null or manager_ref not in (select hris_ref from new_users)
        or list_contains(getvariable('parameters').cycle_starts, hris_ref)
    union all
    select new_users.hris_ref, down.depth + 1
    from down
    join new_users on new_users.manager_ref = down.hris_ref
    where not list_contains(getvariable('parameters').cycle_starts, new_users.hris_ref)
)
from down;

create or replace temp table manager_changes as
with lines as (
    select *, list_contains(getvariable('parameters').cycle_starts, hris_ref) as starts_cycle
    from manager_differences
    left join creation_depths using (hris_ref)
)
select
    'manager' as object,
    action,
    hris_ref,
    deskbird_id,
    if(
        observed_manager is null, '{}', json_object('manager_deskbird_id', observed_manager)
    ) as before,
    if(action = 'set',
        json_object('manager_ref', manager_ref, 'manager_deskbird_id', manager_deskbird_id),
        json_object('manager_ref', null)) as after,
    coalesce(observed_manager, '') || '>' || coalesce(manager_ref, '') as identity,
    if(action = 'set', 'manager_named', 'no_manager_named') as reason_code,
    json_object('problem', problem) as evidence,
    if(starts_cycle, 'manager:', 'user:') || hris_ref as request_key,
    case when deskbird_id is not null then 'users'
        when starts_cycle then 'managers'
        else 'user_creations' end as phase,
    if(phase = 'user_creations', depth, 0) as depth
from lines;
