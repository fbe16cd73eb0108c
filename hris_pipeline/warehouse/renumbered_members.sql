-- Members that deskbird acknowledged under an id that it no longer shows, where it shows the record
-- under another id: hidden is not gone. Whether the new record still has them is not known, so they
-- are possible members.
-- Reads: known_before (what the last read showed), deskbird.users, deskbird.groups, state.links,
--   state.group_links.
-- Writes: state.acknowledged_members.
create or replace temp table renumbered as
with known as (
    select resource, deskbird_id, hris_ref from known_before
    union
    select 'users', deskbird_id, hris_ref from state.links
    union
    select 'groups', deskbird_id, hris_ref from state.group_links
), shown as (
    select 'users' as resource, deskbird_id, hris_ref from deskbird.users
    union all
    select 'groups', deskbird_id, hris_ref from deskbird.groups
)
select k.resource, k.deskbird_id as was, min(s.deskbird_id) as is_now
from known k
anti join shown t on t.resource = k.resource and t.deskbird_id = k.deskbird_id
join shown s on s.resource = k.resource and s.hris_ref = k.hris_ref
group by all
having count(distinct s.deskbird_id) = 1;

create or replace temp table possible_members as
select distinct
    coalesce(g.is_now, a.group_deskbird_id) as group_deskbird_id,
    coalesce(u.is_now, a.user_deskbird_id) as user_deskbird_id
from state.acknowledged_members a
left join renumbered g on g.resource = 'groups' and g.was = a.group_deskbird_id
left join renumbered u on u.resource = 'users' and u.was = a.user_deskbird_id
where g.was is not null or u.was is not null;

delete from state.acknowledged_members
where group_deskbird_id in (select was from renumbered where resource = 'groups')
    or user_deskbird_id in (select was from renumbered where resource = 'users');
insert into state.acknowledged_members
select group_deskbird_id, user_deskbird_id, true
from possible_members
anti join state.acknowledged_members using (group_deskbird_id, user_deskbird_id);
drop table renumbered;
drop table possible_members;
drop table known_before;
