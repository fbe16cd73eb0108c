-- Managers: set where the HRIS names one that deskbird has or gets, cleared where the HRIS has none; a reporting line with a problem is held as it is.
-- Reads: pairs, core.manager_graph, draft, review_tonight, state.acknowledged_values. Variables: managers_are_readable, cleared. Makes: manager_draft.

create or replace temp table manager_draft as
with lines as (
    select p.hris_ref, p.deskbird_id, p.active, p.manager_ref, p.unknown,
        case when getvariable('managers_are_readable') then p.observed_manager else a.value end as observed_manager,
        a.value is not null or getvariable('managers_are_readable') as is_known,
        g.problem,
        m.deskbird_id as manager_deskbird_id,
        m.wanted and (m.deskbird_id is not null or m.hris_ref not in (select hris_ref from review_tonight)) as manager_is_coming
    from pairs p
    join core.manager_graph g using (person_id)
    left join pairs m on m.person_id = g.manager_id
    left join state.acknowledged_values a on a.deskbird_id = p.deskbird_id and a.attribute = 'manager'
    where p.wanted and (p.deskbird_id is not null or p.hris_ref not in (select hris_ref from review_tonight))
)
select * from (
    select
        case
            when manager_ref is not null then case
                when coalesce(problem, 'cycle') = 'cycle' and manager_is_coming
                    and (deskbird_id is null or manager_deskbird_id is null or manager_deskbird_id is distinct from observed_manager) then 'set' end
            when deskbird_id is not null and is_known and observed_manager is not null and not list_contains(unknown, 'manager_id')
                and list_contains(getvariable('cleared'), 'manager') then 'clear'
        end as action, *
    from lines
) where action is not null;
