-- The same mailbox where some addresses can be written in several ways: with a typographic
-- apostrophe, or with a domain in ASCII (xn--). It is defined only where such an address was read,
-- because it costs more. "texts.py" does the same for one address.
-- Reads: state.address_forms. Makes: mail_domains (variable), macros person_key and email_key.
set variable mail_domains = (
    select map(coalesce(list(written), []), coalesce(list(letters), []))
    from state.address_forms
    where kind = 'domain');
create or replace temp macro person_key(email) as list_transform(
    [if(strlen(email) <> length(email), translate(email, '‘’ʼ＇。．｡', '''''''''...'), email)],
    lambda e: replace(
        if(contains(e, 'xn--'),
            left(e, strpos(e, '@')) || coalesce(
                getvariable('mail_domains')[e[strpos(e, '@') + 1:]], e[strpos(e, '@') + 1:]
            ),
            e),
        '@googlemail.com', '@gmail.com'))[1];
create or replace temp macro email_key(address) as person_key(name_key(address));
