-- Groups: create those that have a member, rename those whose unit was renamed, mark those that a
-- rule or their members gave to a unit.
-- Reads: core.groups, group_matches, group_names, group_overlaps, group_sizes, known_groups,
--   observed_groups
-- Makes: group_changes
-- Variables: parameters.names, shown.groups
create or replace temp table group_changes as
with name_holders as (
    -- made by hand: it is left alone, and named in the evidence (case 45)
    select name_key, min(deskbird_id) as deskbird_id
    from observed_groups
    where deskbird_id not in (select deskbird_id from group_matches)
        and deskbird_id not in (select deskbird_id from known_groups)
    group by name_key
), matched as (
    -- "Marks": our marker goes where none or another of ours is, never over somebody else's. Where
    -- only the unit's id has changed it goes with the next rename, so that another id alone changes
    -- nothing in deskbird.
    select
        units.hris_ref,
        matches.deskbird_id,
        matches.rule,
        observed.name as name_before,
        group_names.name as name_after,
        observed.external_id,
        nfc_normalize(observed.name) is distinct from group_names.name as renames,
        (observed.external_id is null or observed.marker is not null)
            and observed.external_id is distinct from units.hris_ref
            and (observed.external_id is not null or matches.rule in ('rule', 'members')
                or list_contains(getvariable('shown').groups, 'external_id')) as marks,
        marks and matches.rule <> 'rule' and observed.external_id is not null as marks_with_name,
        'group:' || units.hris_ref || ':0' as request_key,
        if(shared.hris_ref is null,
            json_object('kind', units.kind, 'rule', matches.rule),
            json_object('kind', units.kind, 'rule', matches.rule, 'was', shared.was,
                'common_members', shared.common_members, 'unit_members', shared.unit_members,
                'group_members', shared.group_members)) as evidence
    from core.groups as units
    join group_names using (hris_ref)
    join group_matches as matches using (hris_ref)
    join observed_groups as observed on observed.deskbird_id = matches.deskbird_id
    left join group_overlaps as shared on shared.hris_ref = matches.hris_ref
    where matches.rule in ('rule', 'members')
        or nfc_normalize(observed.name) is distinct from group_names.name
        or observed.external_id is null
)
select
    'group' as object,
    'create' as action,
    units.hris_ref,
    null::varchar as deskbird_id,
    '{}'::json as before,
    json_object('hris_ref', units.hris_ref, 'name', group_names.name) as after,
    if(name_holders.deskbird_id is null, 'no_group', 'group_name_taken') as reason_code,
    if(name_holders.deskbird_id is null,
        json_object('kind', units.kind, 'members', group_sizes.members),
        json_object(
            'kind', units.kind, 'members', group_sizes.members, 'name_held_by',
            name_holders.deskbird_id
        )
    ) as evidence,
    'group:' || units.hris_ref || ':0' as request_key,
    'groups' as phase
from core.groups as units
join group_names using (hris_ref)
join group_sizes on group_sizes.group_row = units.rowid
anti join group_matches as matches on matches.hris_ref = units.hris_ref
left join name_holders
    on name_holders.name_key = name_key(
        named(getvariable('parameters').names[1], units.name, units.kind)
    )
union all by name
select
    'group' as object,
    'link' as action,
    hris_ref,
    deskbird_id,
    json_object('hris_ref', external_id) as before,
    json_object('hris_ref', hris_ref) as after,
    case rule
        when 'rule' then 'group_linked_by_rule'
        when 'members' then 'group_has_same_members'
        else 'group_not_marked' end as reason_code,
    evidence,
    request_key,
    'groups' as phase
from matched
where marks and (rule = 'rule' or external_id is null or not renames)
union all by name
select
    'group' as object,
    'rename' as action,
    hris_ref,
    deskbird_id,
    if(marks_with_name,
        json_object('hris_ref', external_id, 'name', name_before),
        json_object('name', name_before)) as before,
    if(
        marks_with_name, json_object('hris_ref', hris_ref, 'name', name_after),
        json_object('name', name_after)
    ) as after,
    if(rule = 'members', 'unit_with_new_id_renamed', 'unit_renamed') as reason_code,
    evidence,
    request_key,
    'groups' as phase
from matched
where renames;
