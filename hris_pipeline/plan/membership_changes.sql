-- Memberships: one row per person and group to add or remove.
-- Reads: effective_members, group_matches, observed_groups, deskbird.group_members, pairs, core.people. Variable: members_are_readable.
-- Makes: present_members. Adds to: draft.

create or replace temp view present_members as
select group_deskbird_id, user_deskbird_id from deskbird.group_members where getvariable('members_are_readable')
union all
select group_deskbird_id, user_deskbird_id from state.acknowledged_members where not getvariable('members_are_readable');

-- A marker counts where its group is not to be told by a link: of two groups with one marker, only one is ours.
create or replace temp table our_groups as
select deskbird_id as group_deskbird_id, group_ref, string_split(group_ref, ':')[2] as kind
from (
    select g.deskbird_id, coalesce(m.hris_ref, case when t.hris_ref is null then g.marker end) as group_ref
    from observed_groups g
    left join group_matches m using (deskbird_id)
    left join group_matches t on t.hris_ref = g.marker
)
where group_ref is not null
qualify row_number() over (partition by group_ref order by deskbird_id) = 1;

create or replace temp view our_members as
select o.group_deskbird_id, o.user_deskbird_id, g.group_ref, g.kind, p.hris_ref
from present_members o
join our_groups g using (group_deskbird_id)
join pairs p on p.deskbird_id = o.user_deskbird_id
where p.wanted and g.kind in (select kind from group_kinds)
    -- of the person's own connection; not written as an equality, which DuckDB would join on first
    and starts_with(g.group_ref, string_split(p.hris_ref, ':')[1] || ':');

-- A new group takes its members along; the first hundred go with its creation. An existing one takes additions and removals together.
create or replace temp table membership_draft as
select 'add' as action, e.hris_ref, e.deskbird_id, e.group_ref, m.deskbird_id as group_deskbird_id
from effective_members e
left join group_matches m on m.hris_ref = e.group_ref
anti join present_members o on o.group_deskbird_id = m.deskbird_id and o.user_deskbird_id = e.deskbird_id;

-- Only people who are wanted are taken out, those who come back or are linked tonight included; a group that the person's own record still
-- names, or a kind the HRIS did not deliver, is left alone.
insert into membership_draft
select 'remove', o.hris_ref, o.user_deskbird_id, o.group_ref, o.group_deskbird_id
from (from our_members o anti join effective_members e on e.group_ref = o.group_ref and e.hris_ref = o.hris_ref) o
join core.people c on c.hris_ref = o.hris_ref
where not list_contains(c.group_refs, o.group_ref) and not list_contains(c.unknown, o.kind);

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
drop table membership_draft;
