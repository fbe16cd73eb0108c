-- How texts are cleaned and compared, in every connection and on both sides alike. Composed again after the change of case: a few capitals are of two
-- characters where the small letter is one.

-- Without control characters, zero-width and direction marks; null where nothing is left.
create or replace temp macro clean_text(t) as nullif(trim(nfc_normalize(regexp_replace(
    t, '[\x00-\x1F\x7F\x{200B}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2060}\x{2066}-\x{2069}\x{FEFF}]', '', 'g'))), '');

-- The same name, however it is typed. To trim costs more than all the rest, and few addresses hold a space.
create or replace temp macro name_key(name) as nfc_normalize(lower(nfc_normalize(if(contains(name, ' '), trim(name), name))));

-- The same mailbox (design, section 5): of an address that is lower case and composed already, as in core.people, and of any.
create or replace temp macro person_key(email) as replace(email, '@googlemail.com', '@gmail.com');
create or replace temp macro email_key(address) as person_key(name_key(address));

-- The same value of an attribute.
create or replace temp macro same_value(attribute, one, two) as case when attribute in ('email', 'user_name')
    then email_key(one) is not distinct from email_key(two) else nfc_normalize(one) is not distinct from nfc_normalize(two) end;

-- The same name of a person, whatever its case, form and blanks; and whether two of them are the same: null where either is not known.
create or replace temp macro folded_name(name) as
    trim(regexp_replace(replace(replace(nfc_normalize(lower(name)), 'ß', 'ss'), 'ς', 'σ'), '\s+', ' ', 'g'));
create or replace temp macro same_name(one, two) as case
    when nullif(one, '') is null or nullif(two, '') is null then null
    when one = two or folded_name(one) = folded_name(two) then 'agrees'
    else 'differs' end;

-- Which facts of a person (a row of core.people) and a user (one of deskbird.users) agree, or differ; what is not known does neither.
create or replace temp macro facts_that(relation, person, "user") as list_filter([
    case when (case
        when person.email is null or coalesce("user".email, "user".user_name) is null then null
        when email_key(person.email) in (email_key("user".email), email_key("user".user_name)) then 'agrees'
        else 'differs' end) = relation then 'email' end,
    case when same_name(person.given_name, "user".given_name) = relation then 'given_name' end,
    case when same_name(person.family_name, "user".family_name) = relation then 'family_name' end
], lambda fact: fact is not null);
