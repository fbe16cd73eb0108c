-- Groups: create those that have a member, rename those whose unit was renamed, mark those that a rule or their members gave to a unit.
-- Reads: core.groups, group_matches, group_overlaps, group_names (desired names), observed_groups, group_sizes. Variable: readable_groups.
-- Adds to: draft.

-- A group made by hand that bears the name is left alone, and named in the evidence (case 45).
insert into draft
select 'group', 'create', g.hris_ref, null, null, null,
    '{}', json_object('hris_ref', g.hris_ref, 'name', n.name), null,
    case when h.deskbird_id is null then 'no_group' else 'group_name_taken' end,
    case when h.deskbird_id is null then json_object('kind', g.kind, 'members', e.members)
         else json_object('kind', g.kind, 'members', e.members, 'name_held_by', h.deskbird_id) end,
    'group:' || g.hris_ref || ':0', 4500000, []
from core.groups g
join group_names n using (hris_ref)
join group_sizes e on e.group_row = g.rowid
anti join group_matches m on m.hris_ref = g.hris_ref
left join (
    select name_key, min(deskbird_id) as deskbird_id from observed_groups
    where deskbird_id not in (select deskbird_id from group_matches) and deskbird_id not in (select deskbird_id from known_groups)
    group by name_key
) h on h.name_key = name_key(named(getvariable('names')[1], g.name, g.kind));

-- "Marks": our marker goes where none or another of ours is, never over somebody else's. Where only the unit's id has changed it goes with the
-- next rename, so that another id alone changes nothing in deskbird.
create or replace temp table marked_groups as
select g.hris_ref, g.kind, m.deskbird_id, m.rule, o.name as name_before, n.name as name_after, o.external_id,
    nfc_normalize(o.name) is distinct from n.name as renames,
    (o.external_id is null or o.marker is not null) and o.external_id is distinct from g.hris_ref
        and (o.external_id is not null or m.rule in ('rule', 'members') or list_contains(getvariable('readable_groups'), 'external_id')) as marks,
    case when v.hris_ref is null then json_object('kind', g.kind, 'rule', m.rule)
         else json_object('kind', g.kind, 'rule', m.rule, 'was', v.was, 'common_members', v.common_members,
            'unit_members', v.unit_members, 'group_members', v.group_members) end as evidence
from core.groups g
join group_names n using (hris_ref) join group_matches m using (hris_ref) join observed_groups o on o.deskbird_id = m.deskbird_id
left join group_overlaps v on v.hris_ref = m.hris_ref
where m.rule in ('rule', 'members') or nfc_normalize(o.name) is distinct from n.name or o.external_id is null;

insert into draft
select 'group', 'link', hris_ref, deskbird_id, null, null,
    json_object('hris_ref', external_id), json_object('hris_ref', hris_ref), null,
    case rule when 'rule' then 'group_linked_by_rule' when 'members' then 'group_has_same_members' else 'group_not_marked' end,
    evidence, 'group:' || hris_ref || ':0', 4500000, []
from marked_groups
where marks and (rule = 'rule' or external_id is null or not renames);

insert into draft
select 'group', 'rename', hris_ref, deskbird_id, null, null,
    case when marks and rule <> 'rule' and external_id is not null then json_object('hris_ref', external_id, 'name', name_before) else json_object('name', name_before) end,
    case when marks and rule <> 'rule' and external_id is not null then json_object('hris_ref', hris_ref, 'name', name_after) else json_object('name', name_after) end,
    null,
    case rule when 'members' then 'unit_with_new_id_renamed' else 'unit_renamed' end,
    evidence, 'group:' || hris_ref || ':0', 4500000, []
from marked_groups
where renames;
