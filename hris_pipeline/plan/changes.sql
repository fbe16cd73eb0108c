-- deskbird.changes from the draft: requests and stages numbered densely, in the order of carrying out.
-- Reads: draft. Macro: reason_of. Makes: changes_tonight (without plan_id).
create or replace temp table changes_tonight as
with numbered as (
    select *,
        dense_rank() over (order by stage) as dense_stage,
        dense_rank() over (order by stage, request_key) as request
    from draft
), described as (
    select *,
        sha256(concat_ws(chr(31), object, action, coalesce(hris_ref, ''),
            case when action in ('link', 'update', 'reactivate', 'deactivate', 'delete') then coalesce(deskbird_id, '') else '' end,
            coalesce(group_ref, ''), coalesce(identity, before::varchar || '>' || after::varchar))) as content
    from numbered
)
select
    row_number() over (
        order by request,
            case object when 'user' then 1 when 'group' then 2 when 'manager' then 3 else 4 end,
            case action when 'create' then 1 when 'link' then 2 when 'reactivate' then 3 else 4 end,
            action desc, hris_ref, group_ref, content) as seq,
    request, dense_stage as stage, object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id, before, after,
    reason_of(reason_code, object, action, after, evidence) as reason, reason_code, evidence, guards, content
from described;
