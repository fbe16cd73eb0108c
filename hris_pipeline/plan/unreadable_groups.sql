-- A unit whose group deskbird gives in a form that cannot be read gets no other one.
-- Reads: core.groups, group_matches, state.unreadable_records
-- Makes: unread_groups
-- Changes: group_sizes, members
-- Variables: none
create or replace temp table unread_groups as
select g.rowid as group_row
from state.unreadable_records u join core.groups g using (hris_ref)
where u.resource = 'groups' and g.hris_ref not in (select hris_ref from group_matches);
delete from members where group_row in (select group_row from unread_groups);
delete from group_sizes where group_row in (select group_row from unread_groups);
drop table unread_groups;
