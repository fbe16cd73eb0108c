-- What differs between the person and the user: one row per attribute. Inactive users are not
-- compared, unless they come back.
-- Reads: addresses, compared, handed_on, leaving_addresses, person_values, user_attributes,
--   user_values
-- Makes: taken_addresses, user_differences
-- Changes: review_cases
-- Variables: parameters.cleared

-- An address that somebody else's user holds and keeps cannot be taken: the rest of the person is
-- updated, the address waits for a decision.
create or replace temp table taken_addresses as
select p.hris_ref, min(o.deskbird_id) as deskbird_id
from (from compared where key <> observed_key or key <> user_name_key) p
join addresses o on o.key = p.key and o.deskbird_id <> p.deskbird_id
anti join leaving_addresses l on l.deskbird_id = o.deskbird_id
group by p.hris_ref;

insert into review_cases select hris_ref, 'email_is_taken', deskbird_id from taken_addresses;

-- An address is compared as a mailbox; nothing is concluded where the HRIS did not deliver it.
create or replace temp table user_differences as
with addresses_compared as (
    from compared anti join taken_addresses using (hris_ref) anti join handed_on using (hris_ref)
    where not list_contains(unknown, 'email')
), compared_values as (
    select c.hris_ref, c.deskbird_id, a.name as attribute, h.value as held, w.value as wanted,
        -- an empty value says something only where the HRIS delivered it as empty and the company
        -- file has such values cleared (cases 12 and 13); what is made of several says nothing
        -- where one of them is not known
        case when a.made_of = [a.name]
            then w.value is not null
                or (
                    list_contains(getvariable('parameters').cleared, a.name)
                    and not list_contains(c.unknown, a.name)
                )
            else not list_has_any(c.unknown, a.made_of) end as is_said
    from compared c
    join person_values w using (hris_ref)
    join user_attributes a on a.name = w.attribute and a.shown <> 'always'
    left join user_values h on h.deskbird_id = c.deskbird_id and h.attribute = w.attribute
)
select hris_ref, deskbird_id, 'email' as attribute, to_json(observed_email) as before,
    to_json(email) as after
from addresses_compared where key is distinct from observed_key
union all
select hris_ref, deskbird_id, 'user_name', to_json(user_name), to_json(email)
from addresses_compared where key is distinct from user_name_key and observed_email is not null
union all
select hris_ref, deskbird_id, attribute, to_json(held), to_json(wanted)
from compared_values where is_said and not same_value(attribute, held, wanted);
