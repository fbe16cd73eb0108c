-- Groups: create those that have a member, rename those whose unit was renamed. Nothing is deleted.
-- Reads: core.groups, group_matches, group_names (desired names), observed_groups, effective_members. Adds to: draft.

insert into draft
select 'group', 'create', g.hris_ref, null, null, null,
    '{}', json_object('hris_ref', g.hris_ref, 'name', n.name), null,
    'People are in it in the HRIS and deskbird has no such group.',
    json_object('kind', g.kind, 'members', e.members), 'group:' || g.hris_ref || ':0', 4500000, []
from core.groups g
join group_names n using (hris_ref)
join (select group_row, count(*) as members from effective_members group by all) e on e.group_row = g.rowid
anti join group_matches m on m.hris_ref = g.hris_ref;

insert into draft
select 'group', 'rename', g.hris_ref, m.deskbird_id, null, null,
    json_object('name', o.name), json_object('name', n.name), null,
    'The HRIS calls it otherwise now.',
    json_object('kind', g.kind, 'rule', m.rule), 'group:' || g.hris_ref || ':0', 4500000, []
from core.groups g
join group_names n using (hris_ref) join group_matches m using (hris_ref) join observed_groups o on o.deskbird_id = m.deskbird_id
where nfc_normalize(o.name) is distinct from n.name;
