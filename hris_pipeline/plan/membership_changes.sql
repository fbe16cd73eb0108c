-- Memberships: one row per person and group to add or remove.
-- Reads: members, our_groups, group_matches, group_kinds, pairs, core.people, core.groups. Variable: cleared. Adds to: draft.

-- A new group takes its members along; the first hundred go with its creation. An existing one takes additions and removals together.
create or replace temp table membership_draft as
select 'add' as action, p.hris_ref, p.deskbird_id, g.hris_ref as group_ref, m.deskbird_id as group_deskbird_id
from (from members where our_row is null) e
join core.groups g on g.rowid = e.group_row
join pairs p on p.rowid = e.pair_row
left join group_matches m on m.hris_ref = g.hris_ref
union all
-- Only people who are wanted are taken out, those who come back or are linked tonight included; a group of another connection or one that the
-- person's own record still names, or a kind the HRIS did not deliver or delivered empty where that is to be kept, is left alone.
select 'remove', p.hris_ref, p.deskbird_id, o.group_ref, o.group_deskbird_id
from (from members where not is_wanted) e
join our_groups o on o.rowid = e.our_row
join pairs p on p.rowid = e.pair_row
join core.people c on c.hris_ref = p.hris_ref
where o.kind in (select kind from group_kinds)
    and list_contains([string_split(ref, ':')[1] for ref in list_prepend(c.hris_ref, c.other_refs)], string_split(o.group_ref, ':')[1])
    and not list_contains(c.group_refs, o.group_ref) and not list_contains(c.unknown, o.kind)
    and (list_contains(getvariable('cleared'), o.kind) or len(list_filter(c.group_refs, lambda ref: string_split(ref, ':')[2] = o.kind)) > 0);

insert into draft
select 'membership', d.action, d.hris_ref, d.deskbird_id, d.group_ref, d.group_deskbird_id,
    case d.action when 'remove' then json_object('group_ref', d.group_ref) else '{}' end,
    case d.action when 'add' then json_object('group_ref', d.group_ref) else '{}' end,
    null,
    case d.action when 'add' then 'in_group' else 'not_in_group' end,
    json_object('kind', string_split(d.group_ref, ':')[2]),
    -- at most a hundred members a request
    'group:' || d.group_ref || ':' || ((row_number() over (partition by d.group_ref order by d.action desc, d.hris_ref) - 1) // 100),
    4500000, []
from membership_draft d;

-- What follows a creation needs the id that the creation brings.
update draft set stage = 4600000
where object = 'membership' and group_deskbird_id is null and not suffix(request_key, ':0');
drop table membership_draft;
