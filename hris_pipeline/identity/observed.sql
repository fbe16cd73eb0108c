-- What deskbird holds, and whose it is: which users and groups carry a marker of ours, and which
-- record each is known to belong to. string_split, here and elsewhere, because DuckDB 2.0.0 fails
-- to compare split_part(x) where it knows that every x is null.
-- Reads: deskbird.group_members, deskbird.groups, deskbird.users, state.acknowledged_members,
--   state.group_links, state.links, state.partial_groups
-- Makes: known_groups, observed_groups, observed_users, our_marker, owned_users, owner_of,
--   present_members
-- Variables: connections, shown.groups

create or replace temp macro our_marker(external_id) as case when contains(external_id, ':')
    and list_contains(
        getvariable('connections'), left(external_id, instr(external_id, ':') - 1)
    ) then external_id end;

-- Whose each user is: by its marker, else by the stored link. Views, because most steps read one or
-- two columns of them; who needs no marker reads deskbird.users, and who asks for the owner of a
-- few asks owner_of: the view asks for everybody's.
create or replace temp view observed_users as
select * exclude (hris_ref), our_marker(external_id) as marker
from deskbird.users;
create or replace temp macro owner_of(id, marker) as coalesce(
    marker, (select min(l.hris_ref) from state.links l where l.deskbird_id = id)
);
create or replace temp view owned_users as
select *, owner_of(deskbird_id, marker) as owner
from observed_users;

create or replace temp table observed_groups as
select g.* exclude (hris_ref),
    name_key(g.name) as name_key,
    our_marker(g.external_id) as marker
from deskbird.groups g;

-- Who is in which group in deskbird: as it says, or, where it does not or shows only a part, as it
-- acknowledged.
create or replace temp view present_members as
select group_deskbird_id, user_deskbird_id, false as is_possible
from deskbird.group_members
where list_contains(getvariable('shown').groups, 'members')
union all
select group_deskbird_id, user_deskbird_id, is_possible
from state.acknowledged_members
where not list_contains(getvariable('shown').groups, 'members')
    or group_deskbird_id in (select group_deskbird_id from state.partial_groups);

-- Whose each group of ours is, as far as it is known before tonight.
create or replace temp table known_groups as
select g.deskbird_id, g.name_key, g.marker, coalesce(l.hris_ref, g.marker) as ref
from observed_groups g
left join (
    select deskbird_id, min(hris_ref) as hris_ref from state.group_links group by all
) l using (deskbird_id)
where coalesce(l.hris_ref, g.marker) is not null;
