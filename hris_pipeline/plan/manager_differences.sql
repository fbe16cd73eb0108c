-- Managers: set where the HRIS names one that deskbird has or gets, cleared where the HRIS has
-- none; a reporting line with a problem is held as it is.
-- Reads: core.manager_graph, core.people, matched_people, review_cases, state.acknowledged_values
-- Makes: manager_differences
-- Variables: parameters.cleared, parameters.managers, shown.users
create or replace temp table manager_differences as
with coming as (
    select *,
        case when list_contains(getvariable('shown').users, 'manager') then observed_manager
            else (
                select min(acknowledged.value)
                from state.acknowledged_values as acknowledged
                where acknowledged.deskbird_id = matched_people.deskbird_id
                    and acknowledged.attribute = 'manager') end as held
    from matched_people
    where wanted and getvariable('parameters').managers
        and (deskbird_id is not null or hris_ref not in (select hris_ref from review_cases))
), differing as (
    select
        person.person_id,
        person.hris_ref,
        person.deskbird_id,
        person.manager_ref,
        manager.deskbird_id as manager_deskbird_id,
        person.held as observed_manager,
        'set' as action
    from coming as person
    join coming as manager on manager.hris_ref = person.manager_ref
    where person.deskbird_id is null or manager.deskbird_id is null
        or manager.deskbird_id is distinct from person.held
    union all
    select person_id, hris_ref, deskbird_id, null, null, held, 'clear'
    from coming
    where manager_ref is null and held is not null
)
select differing.*, lines.problem
from differing
join core.manager_graph as lines using (person_id)
join core.people as people using (person_id)
where case differing.action
    when 'set' then coalesce(lines.problem, 'cycle') = 'cycle'
    else list_contains(getvariable('parameters').cleared, 'manager')
        and not list_contains(people.unknown, 'manager_id') end;
