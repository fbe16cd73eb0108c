-- A unit whose group deskbird gives in a form that cannot be read gets no other one, and nobody
-- leaves another group of the kind for it: nobody leaves a group before the next one has them.
-- Reads: core.groups, group_matches, members, our_groups, state.unreadable_records
-- Makes: unread_groups
-- Changes: group_sizes, members
-- Variables: none
create or replace temp table unread_groups as
select g.rowid as group_row, g.kind
from state.unreadable_records u join core.groups g using (hris_ref)
where u.resource = 'groups' and g.hris_ref not in (select hris_ref from group_matches);
delete from members m using our_groups o
where not m.is_wanted and o.rowid = m.our_row
    and (m.pair_row, o.kind) in (
        select (w.pair_row, u.kind)
        from members w
        join unread_groups u using (group_row)
        where w.is_wanted);
delete from members where group_row in (select group_row from unread_groups);
delete from group_sizes where group_row in (select group_row from unread_groups);
drop table unread_groups;
