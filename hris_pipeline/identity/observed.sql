-- What deskbird holds, made comparable: the address and name keys, and whose user or group it is.
-- Reads: deskbird.users, deskbird.groups, state.links, state.group_links. Variable: connections (list).

create or replace temp macro email_key(address) as replace(lower(nfc_normalize(trim(address))), '@googlemail.com', '@gmail.com');
create or replace temp macro name_key(name) as lower(nfc_normalize(trim(name)));

create or replace temp table observed_users as
select u.* exclude (hris_ref),
    email_key(coalesce(u.email, u.user_name)) as email_key,
    email_key(u.user_name) as user_name_key,
    case when split_part(u.external_id, ':', 1) in (select unnest(getvariable('connections'))) and contains(u.external_id, ':') then u.external_id end as marker,
    l.hris_ref as linked_ref
from deskbird.users u
left join (select deskbird_id, min(hris_ref) as hris_ref from state.links group by all) l using (deskbird_id);

create or replace temp table observed_groups as
select g.* exclude (hris_ref),
    name_key(g.name) as name_key,
    case when split_part(g.external_id, ':', 1) in (select unnest(getvariable('connections'))) and contains(g.external_id, ':') then g.external_id end as marker
from deskbird.groups g;
