-- The attributes of users as rows: what they are, what people are to have, and what deskbird holds.
-- All are views. "user_attributes" is the catalogue of contracts/attributes.py, "shown.synced"
-- what sync.attributes names.
-- Reads: core.people, deskbird.users, state.acknowledged_values
-- Makes: is_given_back, named_values, person_digests, person_values, user_attributes, user_digests,
--   user_values, with_named_values
-- Variables: shown.attributes, shown.synced, shown.users

create or replace temp view user_attributes as
select *, not opt_in or list_contains(getvariable('shown').synced, name) as is_synced,
    shown = 'always'
        or (
            shown = 'if_read' and list_contains(getvariable('shown').users, name)
        ) as is_given_back
from (select unnest(getvariable('shown').attributes, recursive := true));

create or replace temp macro is_given_back(attribute) as
    exists (from user_attributes a where a.name = attribute and a.is_given_back);

-- Each attribute is a scan of its own, so that whoever asks for a few people reads little of the
-- tables.
create or replace temp view person_values as
select hris_ref, 'email' as attribute, email as value from core.people
union all
select hris_ref, 'user_name', email from core.people
union all
select hris_ref, 'given_name', given_name from core.people
union all
select hris_ref, 'family_name', family_name from core.people
union all
select hris_ref, 'display_name', display_name from core.people
union all
select p.hris_ref, a.name, p.attributes[a.name]
from core.people p
cross join (from user_attributes where opt_in and is_synced) a;

-- As deskbird shows it, or, where it does not give the attribute back, as it acknowledged it last.
-- No row: not known.
create or replace temp view user_values as
select deskbird_id, 'email' as attribute, email as value from deskbird.users
union all
select deskbird_id, 'user_name', user_name from deskbird.users
union all
select deskbird_id, 'given_name', given_name from deskbird.users where is_given_back('given_name')
union all
select deskbird_id, 'family_name', family_name
from deskbird.users
where is_given_back('family_name')
union all
select deskbird_id, 'display_name', display_name
from deskbird.users
where is_given_back('display_name')
union all
select u.deskbird_id, a.name, u.attributes[a.name]
from deskbird.users u cross join (from user_attributes where opt_in and is_given_back) a
union all
select deskbird_id, attribute, value from state.acknowledged_values
where attribute in (select name from user_attributes where not is_given_back);

-- What sync.attributes names, in its order; null where it names nothing.
create or replace temp macro named_values(attributes) as case when len(
    getvariable('shown').synced
) > 0
    then list_transform(getvariable('shown').synced, lambda name: attributes[name]) end;

-- The same with a record's other values, as JSON.
create or replace temp macro with_named_values(record, attributes) as case
    when attributes is null or len(getvariable('shown').synced) = 0 then record
    else json_merge_patch(record, to_json(map_from_entries(list_filter(
        map_entries(attributes),
        lambda e: list_contains(getvariable('shown').synced, e.key))))) end;

-- The same digest: deskbird shows to the letter what the person is to have. Most people are so,
-- every night, and to carry the texts of everybody through the joins would cost more than to
-- compare them.
create or replace temp view person_digests as
select person_id, hris_ref, wanted, manager_ref,
    hash(email, email, display_name, given_name, family_name, named_values(attributes)) as digest
from core.people;

create or replace temp view user_digests as
select deskbird_id, manager_deskbird_id, active, external_id,
    hash(
        email, user_name, display_name, given_name, family_name, named_values(attributes)
    ) as digest
from deskbird.users;
