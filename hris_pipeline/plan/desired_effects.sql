-- What a row of a plan desired_effects for, as attributes and values: of a user or group that it be
-- active (there), of a membership that it be, of a link whose it is. Two rows that wish for the
-- same are the same change, whatever deskbird held before.
-- Reads: none
-- Makes: desired_effects
-- Variables: none
create or replace temp macro desired_effects(object, action, hris_ref, deskbird_id, after) as case
    when object = 'manager' then [{'attribute': 'manager', 'value': after->>'manager_ref'}]
    when object = 'membership' then [
        {'attribute': 'member', 'value': cast(action = 'add' as varchar)}
    ]
    when action in ('create', 'reactivate', 'deactivate', 'delete') then [
        {'attribute': 'active', 'value': cast(action in ('create', 'reactivate') as varchar)}
    ]
    else [
        {
            'attribute': key,
            'value': case
                when key <> 'hris_ref' then after->>key
                when after->>key = hris_ref then deskbird_id
            end
        } for key in json_keys(after)
    ]
end;
