-- Managers as rows of the plan. Creations go top-down along the reporting lines, so that the manager goes with the POST; of a ring of new users
-- one is created without, and gets the manager in a write of its own after the groups.
-- Reads: manager_draft, draft. Variable: ring_starts (one hris_ref of each ring of new users). Adds to: draft.

create or replace temp table creation_depths as
with recursive new_users as (
    select d.hris_ref, m.manager_ref
    from (select hris_ref from draft where object = 'user' and action = 'create') d
    left join manager_draft m on m.hris_ref = d.hris_ref and m.action = 'set'
), down as (
    select n.hris_ref, 0 as depth from new_users n
    where n.manager_ref is null or n.manager_ref not in (select hris_ref from new_users) or list_contains(getvariable('ring_starts'), n.hris_ref)
    union all
    select n.hris_ref, d.depth + 1 from down d join new_users n on n.manager_ref = d.hris_ref
    where not list_contains(getvariable('ring_starts'), n.hris_ref)
)
from down;

update draft set stage = 2000000 + c.depth from creation_depths c
where draft.object = 'user' and draft.action = 'create' and c.hris_ref = draft.hris_ref;

insert into draft
select 'manager', m.action, m.hris_ref, m.deskbird_id, null, null,
    case when m.observed_manager is null then '{}' else json_object('manager_deskbird_id', m.observed_manager) end,
    case m.action when 'set' then json_object('manager_ref', m.manager_ref, 'manager_deskbird_id', m.manager_deskbird_id) else json_object('manager_ref', null) end,
    coalesce(m.observed_manager, '') || '>' || coalesce(m.manager_ref, ''),
    case m.action when 'set' then 'manager_named' else 'no_manager_named' end,
    json_object('problem', m.problem),
    case when list_contains(getvariable('ring_starts'), m.hris_ref) then 'manager:' || m.hris_ref else 'user:' || m.hris_ref end,
    case when m.deskbird_id is not null then 3000000 when list_contains(getvariable('ring_starts'), m.hris_ref) then 5000000 else 2000000 + c.depth end,
    []
from manager_draft m left join creation_depths c using (hris_ref);
drop table manager_draft;
