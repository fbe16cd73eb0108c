-- What rows of a plan want of deskbird's users and groups that are there, one value a row. Its
-- source and its name are put in.
-- Reads: {source}
-- Makes: {table}
-- Variables: none
create or replace temp table {table} as
with rows as (
    select row, object, action, hris_ref, group_ref, deskbird_id, group_deskbird_id, after
    from {source}
    where deskbird_id is not null
)
select row, hris_ref, group_ref, object, deskbird_id, attribute, after->>attribute as wanted
from (
    select *, unnest(json_keys(after)) as attribute
    from rows
    where object = 'user' and action = 'update'
)
union all
select row, hris_ref, group_ref, object, deskbird_id,
    case action when 'link' then 'external_id' when 'rename' then 'name' else 'active' end,
    case action
        when 'link' then after->>'hris_ref'
        when 'rename' then after->>'name'
        else after->>'active'
    end
from rows where action in ('link', 'rename', 'reactivate', 'deactivate')
union all
select row,
    hris_ref,
    group_ref,
    'user',
    deskbird_id,
    'manager',
    case action when 'clear' then '' else after->>'manager_deskbird_id' end
from rows where object = 'manager'
union all
select row, hris_ref, group_ref, object, group_deskbird_id, deskbird_id, action
from rows where object = 'membership' and group_deskbird_id is not null;
