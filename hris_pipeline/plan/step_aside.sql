-- One member of each ring first takes a temporary address or name, so that the others can move on.
-- Variables: aside (request keys), aside_stage.
insert into draft
select object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id, before,
    case object when 'user' then json_object('email', 'moving-' || left(sha256(hris_ref), 12) || '@' || split_part(after->>'email', '@', 2))
                else json_object('name', 'moving-' || left(sha256(hris_ref), 12)) end,
    'aside',
    'steps_aside',
    evidence, request_key || ':aside', cast(getvariable('aside_stage') as integer), guards
from draft
where list_contains(getvariable('aside'), request_key) and ((object = 'user' and action = 'update' and json_exists(after, '$.email')) or (object = 'group' and action = 'rename'));
