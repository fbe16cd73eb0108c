-- After the read-back: what deskbird does give back needs no memory of what it acknowledged.
-- Reads: state.partial_groups
-- Makes: none
-- Changes: state.acknowledged_members, state.acknowledged_values
-- Variables: shown.groups, shown.users
delete from state.acknowledged_values where list_contains(getvariable('shown').users, attribute);
delete from state.acknowledged_members
where list_contains(getvariable('shown').groups, 'members')
    and group_deskbird_id not in (select group_deskbird_id from state.partial_groups);
