-- What deskbird holds, made comparable: the address and name keys, and whose user or group it is.
-- string_split, here and elsewhere, because DuckDB 2.0.0 fails to compare split_part(x) where it knows that every x is null.
-- Reads: deskbird.users, deskbird.groups, state.links, state.group_links. Variable: connections (list).

create or replace temp macro our_marker(external_id) as case when contains(external_id, ':')
    and list_contains(getvariable('connections'), left(external_id, instr(external_id, ':') - 1)) then external_id end;
create or replace temp macro named(pattern, name, kind) as replace(replace(pattern, '{kind}', replace(kind, '_', ' ')), '{name}', name);

-- A view: most steps read one or two columns of it, and DuckDB leaves out what the others would cost.
create or replace temp view observed_users as
select u.* exclude (hris_ref),
    email_key(coalesce(u.email, u.user_name)) as email_key,
    case when u.user_name = u.email then email_key else email_key(u.user_name) end as user_name_key,
    our_marker(u.external_id) as marker,
    l.hris_ref as linked_ref
from deskbird.users u
left join (select deskbird_id, min(hris_ref) as hris_ref from state.links group by all) l using (deskbird_id);

create or replace temp table observed_groups as
select g.* exclude (hris_ref),
    name_key(g.name) as name_key,
    our_marker(g.external_id) as marker
from deskbird.groups g;
