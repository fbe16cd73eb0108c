-- The changes in the order of carrying out: by phase, then by depth, then by request. Requests and
-- stages are numbered densely.
-- Reads: held_changes, proposed_changes
-- Makes: numbered_changes
-- Variables: none
create or replace temp table numbered_changes as
with placed as (
    select
        changes.*,
        coalesce(held_changes.guards, []) as guards,
        phase::enum (
            'addresses_freed', -- for others, who take them
            'user_creations', -- by depth: from the top of the reporting lines down
            'users', -- links, updates, reactivations
            'names_freed', -- of groups
            'undone_groups', -- deleted, so that their names are free
            'groups', -- with their first hundred members
            'members_of_new_groups', -- the others
            'managers', -- who could not be known before
            'deactivations',
            'group_deletions',
            'photos' -- last, so that a refused one keeps nothing else waiting
        ) as place
    from proposed_changes as changes
    left join held_changes using (change)
), numbered as (
    select
        *,
        dense_rank() over (order by place, depth) as stage,
        dense_rank() over (order by place, depth, request_key) as request
    from placed
), described as (
    select
        *,
        sha256(concat_ws(
            chr(31),
            object,
            action,
            coalesce(hris_ref, ''),
            if(
                action in ('link', 'update', 'reactivate', 'deactivate', 'delete'),
                coalesce(deskbird_id, ''), ''
            ),
            coalesce(group_ref, ''),
            coalesce(identity, before::varchar || '>' || after::varchar))) as content
    from numbered
)
select
    row_number() over (
        order by
            request,
            case object when 'user' then 1 when 'group' then 2 when 'manager' then 3 else 4 end,
            case action when 'create' then 1 when 'link' then 2 when 'reactivate' then 3 else 4 end,
            action desc, hris_ref, group_ref, content) as seq,
    request, stage, object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id, before,
    after,
    reason_of(reason_code, object, action, after, evidence) as reason,
    reason_code, evidence, guards, content
from described;
