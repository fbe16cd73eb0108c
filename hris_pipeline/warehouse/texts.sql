-- How texts are cleaned and compared, in every connection and on both sides alike. Composed again
-- after the change of case: a few capitals are of two characters where the small letter is one.

-- Text as people see it: white space of any kind is one blank, what no screen shows is nothing;
-- null where nothing is left. Most text is plain, so it is searched once and changed only where
-- something was found. "texts.py" names the characters and does the same for one text.
create or replace macro odd_characters() as
    '[\t-\r\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}'
    || '\x00-\x08\x0E-\x1F\x7F-\x84\x86-\x9F\x{AD}\x{34F}\x{61C}'
    || '\x{115F}\x{1160}\x{180E}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{206F}\x{3164}'
    || '\x{FEFF}\x{FFA0}\x{FFF9}-\x{FFFB}\x{E0000}-\x{E007F}]';
create or replace macro blanks_cleaned(t) as regexp_replace(
    regexp_replace(
        t, '[ \t-\r\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+',
        ' ', 'g'
    ),
    '[\x00-\x08\x0E-\x1F\x7F-\x84\x86-\x9F\x{AD}\x{34F}\x{61C}'
    || '\x{115F}\x{1160}\x{180E}\x{200B}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2060}-\x{206F}\x{3164}'
    || '\x{FEFF}\x{FFA0}\x{FFF9}-\x{FFFB}\x{E0000}-\x{E007F}]+',
    '', 'g'
);
-- The joiners of Arabic and Indic scripts stay between their letters; elsewhere they say nothing.
create or replace macro unjoined(t) as regexp_replace(
    regexp_replace(
        t,
        '(^|[\x00-\x{5FF}\x{1E00}-\x{1FFF}\x{2000}-\x{200B}\x{200E}-\x{206F}])[\x{200C}\x{200D}]+',
        '\1', 'g'
    ),
    '[\x{200C}\x{200D}]+($|[\x00-\x{5FF}\x{1E00}-\x{1FFF}\x{2000}-\x{200B}\x{200E}-\x{206F}])',
    '\1', 'g'
);
create or replace macro clean_text(t) as nullif(nfc_normalize(
    case when regexp_matches(t, odd_characters() || '|  |^ | $')
    then trim(regexp_replace(unjoined(blanks_cleaned(t)), ' {2,}', ' ', 'g')) else t end), '');

-- An address without what stands around it. What stands within it stays, so that it is held back
-- and never becomes another address.
create or replace macro ends_cleaned(t) as regexp_replace(
    t, '^(' || odd_characters() || '| )+|(' || odd_characters() || '| )+$', '', 'g');
create or replace macro clean_address(t) as nullif(nfc_normalize(lower(nfc_normalize(
    case when regexp_matches(t, odd_characters() || '|[ <>]|^(?i:mailto):')
    then replace(
        ends_cleaned(
            regexp_replace(
                ends_cleaned(t), '^(?i:mailto:)?<([^<>]*)>$|^(?i:mailto):([^<>]*)$', '\1\2'
            )
        ),
        chr(0),
        ' '
    ) else t end))),
    '');

-- The same name, however it is typed. To trim costs more than all the rest, and few addresses hold
-- a space.
create or replace macro name_key(name) as nfc_normalize(
    lower(nfc_normalize(if(contains(name, ' '), trim(name), name)))
);

-- The same mailbox (design, section 5): of an address that is lower case and composed already, as
-- in core.people, and of any. Where addresses occur that can be written in several ways,
-- odd_addresses.sql says more of this.
create or replace macro person_key(email) as replace(email, '@googlemail.com', '@gmail.com');
create or replace macro email_key(address) as person_key(name_key(address));

-- The same value of an attribute.
create or replace macro same_value(attribute, one, two) as case
    when attribute in ('email', 'user_name') then email_key(one) is not distinct from email_key(two)
    else nfc_normalize(one) is not distinct from nfc_normalize(two) end;

-- The same name of a person, whatever its case, form and blanks; and whether two of them are the
-- same: null where either is not known.
create or replace macro folded_name(name) as
    trim(
        regexp_replace(
            replace(replace(nfc_normalize(lower(name)), 'ß', 'ss'), 'ς', 'σ'), '\s+', ' ', 'g'
        )
    );
create or replace macro same_name(one, two) as case
    when nullif(one, '') is null or nullif(two, '') is null then null
    when one = two or folded_name(one) = folded_name(two) then 'agrees'
    else 'differs' end;

-- Which facts of a person (a row of core.people) and a user (one of deskbird.users) agree, or
-- differ; what is not known does neither.
create or replace macro facts_that(relation, person, "user") as list_filter([
    case when (case
        when person.email is null or coalesce("user".email, "user".user_name) is null then null
        when email_key(person.email) in (
            email_key("user".email), email_key("user".user_name)
        ) then 'agrees'
        else 'differs' end) = relation then 'email' end,
    case when same_name(person.given_name, "user".given_name) = relation then 'given_name' end,
    case when same_name(person.family_name, "user".family_name) = relation then 'family_name' end
], lambda fact: fact is not null);

-- Which of two names that were compared by same_name agree, or differ.
create or replace macro names_that(relation, given, family) as list_concat(
    case when given = relation then ['given_name'] else [] end,
        case when family = relation then ['family_name'] else [] end);

-- What a group is called after its unit, by the pattern of the company file.
create or replace macro named(pattern, name, kind) as replace(
    replace(pattern, '{kind}', replace(kind, '_', ' ')), '{name}', name
);
