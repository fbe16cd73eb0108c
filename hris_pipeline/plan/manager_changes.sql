-- Managers: set where the HRIS names one that deskbird has or gets, cleared where the HRIS has none; a reporting line with a problem is held as it is.
-- Reads: pairs, core.manager_graph, core.people, review_tonight, state.acknowledged_values. Variables: managers_are_readable, cleared. Makes: manager_draft.

create or replace temp table manager_draft as
with lines as (
    select p.person_id, p.hris_ref, p.deskbird_id, p.manager_ref, m.deskbird_id as manager_deskbird_id,
        case when getvariable('managers_are_readable') then p.observed_manager else a.value end as observed_manager,
        m.wanted and (m.deskbird_id is not null or m.hris_ref not in (select hris_ref from review_tonight)) as manager_is_coming
    from pairs p
    left join pairs m on m.hris_ref = p.manager_ref
    left join state.acknowledged_values a on a.deskbird_id = p.deskbird_id and a.attribute = 'manager'
    where p.wanted and (p.deskbird_id is not null or p.hris_ref not in (select hris_ref from review_tonight))
), differing as (
    select *, case when manager_ref is null then 'clear' else 'set' end as action
    from lines
    where case when manager_ref is null then deskbird_id is not null and observed_manager is not null
        else manager_is_coming and (deskbird_id is null or manager_deskbird_id is null or manager_deskbird_id is distinct from observed_manager) end
)
select d.*, g.problem
from differing d join core.manager_graph g using (person_id) join core.people c using (person_id)
where case d.action when 'set' then coalesce(g.problem, 'cycle') = 'cycle'
    else list_contains(getvariable('cleared'), 'manager') and not list_contains(c.unknown, 'manager_id') end;
