-- Memberships: one row per person and group to add or remove.
-- Reads: effective_members, group_matches, observed_groups, deskbird.group_members, pairs, core.people. Variable: members_are_readable. Adds to: draft.

create or replace temp table present_members as
select group_deskbird_id, user_deskbird_id from deskbird.group_members where getvariable('members_are_readable')
union all
select group_deskbird_id, user_deskbird_id from state.acknowledged_members where not getvariable('members_are_readable');

-- A new group takes its members along; the first hundred go with its creation. An existing one takes additions and removals together.
create or replace temp table membership_draft as
select 'add' as action, e.hris_ref, e.deskbird_id, e.group_ref, m.deskbird_id as group_deskbird_id
from effective_members e
left join group_matches m on m.hris_ref = e.group_ref
anti join present_members o on o.group_deskbird_id = m.deskbird_id and o.user_deskbird_id = e.deskbird_id
union all
-- Only people who are wanted and known are taken out; a group that the person's own record still names, or a kind the HRIS did not deliver, is left alone.
select 'remove', p.hris_ref, p.deskbird_id, g.ref, o.group_deskbird_id
from present_members o
join pairs p on p.deskbird_id = o.user_deskbird_id and p.wanted and p.active and p.rule in ('link', 'marker')
join (
    select g.deskbird_id, coalesce(m.hris_ref, g.marker) as ref
    from observed_groups g left join group_matches m using (deskbird_id)
    where coalesce(m.hris_ref, g.marker) is not null
) g on g.deskbird_id = o.group_deskbird_id
join core.people c on c.hris_ref = p.hris_ref
join group_kinds k on k.kind = split_part(g.ref, ':', 2)
anti join effective_members e on e.group_ref = g.ref and e.hris_ref = p.hris_ref
where not list_contains(c.group_refs, g.ref) and not list_contains(c.unknown, k.kind)
    and split_part(g.ref, ':', 1) = split_part(p.hris_ref, ':', 1);

insert into draft
select 'membership', d.action, d.hris_ref, d.deskbird_id, d.group_ref, d.group_deskbird_id,
    case d.action when 'remove' then json_object('group_ref', d.group_ref) else '{}' end,
    case d.action when 'add' then json_object('group_ref', d.group_ref) else '{}' end,
    null,
    case d.action when 'add' then 'The HRIS has the person in this group.' else 'The HRIS no longer has the person in this group.' end,
    json_object('kind', split_part(d.group_ref, ':', 2)),
    -- at most a hundred members a request
    'group:' || d.group_ref || ':' || ((row_number() over (partition by d.group_ref order by d.action desc, d.hris_ref) - 1) // 100),
    4500, []
from membership_draft d;

-- What follows a creation needs the id that the creation brings.
update draft set stage = 4600
where object = 'membership' and group_deskbird_id is null and not suffix(request_key, ':0');
drop table membership_draft; drop table present_members;
