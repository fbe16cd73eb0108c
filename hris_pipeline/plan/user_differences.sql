-- What differs between the person and the user: one row per attribute. Inactive users are not compared, unless they come back.
-- Reads: addresses, core.people, deskbird.users, handed_on, leaving_addresses,
--   state.acknowledged_values, user_matches
-- Makes: compared, is_said, pairs, taken_addresses, user_differences
-- Changes: review_tonight
-- Variables: cleared, readable_users

-- Only what later steps ask of everybody; the rest they look up for the few that they draft. "Alike" are most, every night: to the letter, by a digest,
-- because to carry five texts of everybody through the joins would cost more than to compare them.
create or replace temp table pairs as
with persons as (
    select person_id, hris_ref, wanted, manager_ref, hash(email, email, display_name, given_name, family_name) as digest from core.people
), users as (
    select m.hris_ref, m.rule, u.deskbird_id, u.manager_deskbird_id as observed_manager, u.active, u.external_id = m.hris_ref as is_marked,
        hash(u.email, u.user_name, u.display_name, u.given_name, u.family_name) as digest
    from user_matches m join deskbird.users u using (deskbird_id)
)
select p.person_id, p.hris_ref, u.deskbird_id, u.rule, p.wanted, p.manager_ref, u.observed_manager, u.active,
    coalesce(u.is_marked, false) as is_marked, coalesce(p.digest = u.digest, false) as alike
from persons p left join users u using (hris_ref)
where p.wanted or u.deskbird_id is not null;

create or replace temp table compared as
select p.hris_ref, p.deskbird_id, c.email, c.given_name, c.family_name, c.display_name, c.unknown, u.email as observed_email, u.user_name,
    u.given_name as observed_given_name, u.family_name as observed_family_name, u.display_name as observed_display_name,
    person_key(c.email) as key, email_key(coalesce(u.email, u.user_name)) as observed_key, email_key(u.user_name) as user_name_key
from (from pairs where wanted and deskbird_id is not null and not alike) p
join core.people c using (hris_ref)
join deskbird.users u using (deskbird_id);

-- An address that somebody else's user holds and keeps cannot be taken: the rest of the person is updated, the address waits for a decision.
create or replace temp table taken_addresses as
select p.hris_ref, min(o.deskbird_id) as deskbird_id
from (from compared where key <> observed_key or key <> user_name_key) p
join addresses o on o.key = p.key and o.deskbird_id <> p.deskbird_id
anti join leaving_addresses l on l.deskbird_id = o.deskbird_id
group by p.hris_ref;

insert into review_tonight select hris_ref, 'email_is_taken', deskbird_id from taken_addresses;

-- An empty value says something only where the HRIS delivered it as empty and the company file has such values cleared (cases 12 and 13).
create or replace temp macro is_said(value, attribute, unknown) as
    value is not null or (list_contains(getvariable('cleared'), attribute) and not list_contains(unknown, attribute));

create or replace temp table user_differences as
with observed as (
    select c.*,
        case when list_contains(getvariable('readable_users'), 'given_name') then observed_given_name else g.value end as now_given_name,
        case when list_contains(getvariable('readable_users'), 'family_name') then observed_family_name else f.value end as now_family_name,
        case when list_contains(getvariable('readable_users'), 'display_name') then observed_display_name else d.value end as now_display_name
    from compared c
    left join state.acknowledged_values g on g.deskbird_id = c.deskbird_id and g.attribute = 'given_name'
    left join state.acknowledged_values f on f.deskbird_id = c.deskbird_id and f.attribute = 'family_name'
    left join state.acknowledged_values d on d.deskbird_id = c.deskbird_id and d.attribute = 'display_name'
)
select hris_ref, deskbird_id, 'email' as attribute, to_json(observed_email) as before, to_json(email) as after
from observed anti join taken_addresses using (hris_ref) anti join handed_on using (hris_ref)
where key is distinct from observed_key and not list_contains(unknown, 'email')
union all
select hris_ref, deskbird_id, 'user_name', to_json(user_name), to_json(email)
from observed anti join taken_addresses using (hris_ref) anti join handed_on using (hris_ref)
where key is distinct from user_name_key and observed_email is not null and not list_contains(unknown, 'email')
union all
select hris_ref, deskbird_id, 'given_name', to_json(now_given_name), to_json(given_name)
from observed where is_said(given_name, 'given_name', unknown) and nfc_normalize(now_given_name) is distinct from given_name
union all
select hris_ref, deskbird_id, 'family_name', to_json(now_family_name), to_json(family_name)
from observed where is_said(family_name, 'family_name', unknown) and nfc_normalize(now_family_name) is distinct from family_name
union all
select hris_ref, deskbird_id, 'display_name', to_json(now_display_name), to_json(display_name)
from observed
where nfc_normalize(now_display_name) is distinct from display_name and not list_has_any(unknown, ['given_name', 'family_name']);
