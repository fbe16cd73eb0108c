-- Managers: set where the HRIS names one that deskbird has or gets, cleared where the HRIS has none; a reporting line with a problem is held as it is.
-- Reads: pairs, core.manager_graph, core.people, review_tonight, state.acknowledged_values. Variables: managers_are_readable, cleared. Makes: manager_draft.

create or replace temp table manager_draft as
with coming as (
    select *, case when getvariable('managers_are_readable') then observed_manager
        else (select min(a.value) from state.acknowledged_values a where a.deskbird_id = pairs.deskbird_id and a.attribute = 'manager') end as held
    from pairs where wanted and (deskbird_id is not null or hris_ref not in (select hris_ref from review_tonight))
), differing as (
    select p.person_id, p.hris_ref, p.deskbird_id, p.manager_ref, m.deskbird_id as manager_deskbird_id, p.held as observed_manager, 'set' as action
    from coming p join coming m on m.hris_ref = p.manager_ref
    where p.deskbird_id is null or m.deskbird_id is null or m.deskbird_id is distinct from p.held
    union all
    select person_id, hris_ref, deskbird_id, null, null, held, 'clear' from coming where manager_ref is null and held is not null
)
select d.*, g.problem
from differing d join core.manager_graph g using (person_id) join core.people c using (person_id)
where case d.action when 'set' then coalesce(g.problem, 'cycle') = 'cycle'
    else list_contains(getvariable('cleared'), 'manager') and not list_contains(c.unknown, 'manager_id') end;
