-- Memberships: one row per person and group to add or remove.
-- Reads: effective_members, group_matches, known_groups, observed_groups, present_members, pairs, core.people, core.groups. Variable: cleared.
-- Makes: our_groups. Adds to: draft.

-- A marker or an old link counts where its unit has no other group: of two groups with one marker, only one is ours.
create or replace temp table our_groups as
select x.deskbird_id as group_deskbird_id, x.group_ref, string_split(x.group_ref, ':')[2] as kind, c.rowid as group_row
from (
    select g.deskbird_id, coalesce(m.hris_ref, case when t.hris_ref is null then k.ref end) as group_ref
    from observed_groups g
    left join known_groups k using (deskbird_id)
    left join group_matches m using (deskbird_id)
    left join group_matches t on t.hris_ref = k.ref
) x
left join core.groups c on c.hris_ref = x.group_ref
where x.group_ref is not null
qualify row_number() over (partition by x.group_ref order by x.deskbird_id) = 1;

create or replace temp table our_members as
select o.group_row, p.rowid as pair_row, o.rowid as our_row
from present_members m
join our_groups o using (group_deskbird_id)
join pairs p on p.deskbird_id = m.user_deskbird_id
where p.wanted;

-- A new group takes its members along; the first hundred go with its creation. An existing one takes additions and removals together.
create or replace temp table membership_draft as
select 'add' as action, p.hris_ref, p.deskbird_id, g.hris_ref as group_ref, m.deskbird_id as group_deskbird_id
from (from effective_members anti join our_members using (group_row, pair_row)) e
join core.groups g on g.rowid = e.group_row
join pairs p on p.rowid = e.pair_row
left join group_matches m on m.hris_ref = g.hris_ref;

-- Only people who are wanted are taken out, those who come back or are linked tonight included; a group of another connection or one that the
-- person's own record still names, or a kind the HRIS did not deliver or delivered empty where that is to be kept, is left alone.
create or replace temp table left_over as
from our_members anti join effective_members using (group_row, pair_row);
insert into membership_draft
select 'remove', p.hris_ref, p.deskbird_id, o.group_ref, o.group_deskbird_id
from left_over e
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
    case d.action when 'add' then 'The HRIS has the person in this group.' else 'The HRIS no longer has the person in this group.' end,
    json_object('kind', string_split(d.group_ref, ':')[2]),
    -- at most a hundred members a request
    'group:' || d.group_ref || ':' || ((row_number() over (partition by d.group_ref order by d.action desc, d.hris_ref) - 1) // 100),
    4500000, []
from membership_draft d;

-- What follows a creation needs the id that the creation brings.
update draft set stage = 4600000
where object = 'membership' and group_deskbird_id is null and not suffix(request_key, ':0');
drop table membership_draft; drop table our_members; drop table left_over;
