-- Groups of which deskbird shows only a part: hidden is not gone. Many services show the first N
-- members of a group and no more. A group is partial where a member that deskbird acknowledged is
-- not shown, while it shows as many as the largest group does: N. That several groups end at the
-- same N, or that N is not tiny, tells this from a member that deskbird did not keep. Or where a
-- member has no id.
-- Reads: members_before_read, deskbird.groups, deskbird.group_members, deskbird.users,
--   deskbird.changes, deskbird.applied_changes.
-- Variables: now, untold_groups. Writes: state.partial_groups, state.acknowledged_members.
create or replace temp table hidden_members as
select a.group_deskbird_id, a.user_deskbird_id, a.is_possible
from state.acknowledged_members a
semi join deskbird.groups g on g.deskbird_id = a.group_deskbird_id
semi join deskbird.users u on u.deskbird_id = a.user_deskbird_id
anti join deskbird.group_members m on m.group_deskbird_id = a.group_deskbird_id
    and m.user_deskbird_id = a.user_deskbird_id;

create or replace temp table partial_now as
with shown as (
    select group_deskbird_id, count(*) as members from deskbird.group_members group by all
), capped as (
    select group_deskbird_id, members from shown
    where members = (select max(members) from shown)
        and group_deskbird_id in (select group_deskbird_id from hidden_members)
)
select group_deskbird_id, members as shown
from capped
where members >= 10 or (select count(*) from capped) > 1
union
select g.deskbird_id,
    (select count(*) from deskbird.group_members m where m.group_deskbird_id = g.deskbird_id)
from deskbird.groups g where list_contains(getvariable('untold_groups'), g.deskbird_id);

-- Of these, who was there before and did not leave by our own doing is still there: others are
-- shown in their place.
insert into hidden_members
select b.group_deskbird_id, b.user_deskbird_id, false
from members_before_read b
semi join partial_now p on p.group_deskbird_id = b.group_deskbird_id
semi join deskbird.users u on u.deskbird_id = b.user_deskbird_id
anti join deskbird.group_members m on m.group_deskbird_id = b.group_deskbird_id
    and m.user_deskbird_id = b.user_deskbird_id
anti join hidden_members h on h.group_deskbird_id = b.group_deskbird_id
    and h.user_deskbird_id = b.user_deskbird_id
anti join (
    select c.group_deskbird_id, c.deskbird_id
    from deskbird.changes c join deskbird.applied_changes a using (plan_id, seq)
    where c.object = 'membership' and c.action = 'remove' and a.outcome = 'applied'
) r on r.group_deskbird_id = b.group_deskbird_id and r.deskbird_id = b.user_deskbird_id;

delete from state.acknowledged_members
where group_deskbird_id in (select group_deskbird_id from partial_now);
insert into state.acknowledged_members
select group_deskbird_id, user_deskbird_id, is_possible
from hidden_members
semi join partial_now using (group_deskbird_id);

create or replace temp table partial_since as
select p.group_deskbird_id, p.shown,
    coalesce(min(s.since), cast(getvariable('now') as timestamptz)) as since
from partial_now p left join state.partial_groups s using (group_deskbird_id)
group by all;
delete from state.partial_groups;
insert into state.partial_groups from partial_since;
drop table hidden_members; drop table partial_now; drop table partial_since;
