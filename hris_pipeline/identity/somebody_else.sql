-- An id or a whole profile that was given to somebody else: first name, last name, address and
-- first day are all new at once, against the user and against the record as it was when the user
-- was like it. Who is not known to be the same waits; a decision settles it (case 92). What is not
-- known speaks for nobody: of a record without first days the name and the address decide. One fact
-- that agrees is enough: who marries, moves to another legal entity or whose first day is corrected
-- is the same person. Whose record ended is not asked: nobody takes over anything.
-- Reads: core.people, deskbird.users, by_link, by_marker, observed_users, person_refs,
--   state.acknowledged_values, state.links, state.people_past, user_matches
-- Makes: given_away
-- Changes: by_link, review_cases
-- Variables: none

-- The link of a record that ended is over once its user carries the marker of somebody who works
-- here: it was succeeded (case 91).
delete from by_link
where marked_otherwise and hris_ref in (select hris_ref from core.people where status = 'ended')
    and deskbird_id in (
        select deskbird_id
        from observed_users u
        join person_refs r on r.ref = u.marker
        join core.people p on p.hris_ref = r.hris_ref
        where p.status <> 'ended');

create or replace temp table given_away as
with known as (
    select hris_ref, deskbird_id from by_marker where not has_address
    union
    select hris_ref, deskbird_id from by_link where not has_address
), suspects as (
    select k.hris_ref,
        k.deskbird_id,
        p.person_id,
        p.other_refs,
        person_key(p.email) as address,
        p.given_name,
        p.family_name,
        p.display_name,
        p.start_date,
        [email_key(coalesce(u.email, u.user_name)), email_key(u.user_name)] as user_addresses,
        coalesce(u.given_name, g.value) as user_given_name,
        coalesce(u.family_name, f.value) as user_family_name,
        coalesce(
            nullif(concat_ws(' ', user_given_name, user_family_name), ''), u.display_name, d.value
        ) as user_display_name
    from known k
    anti join user_matches m using (hris_ref, deskbird_id)
    join core.people p using (hris_ref)
    join deskbird.users u using (deskbird_id)
    left join state.acknowledged_values g on g.deskbird_id = k.deskbird_id
        and g.attribute = 'given_name'
    left join state.acknowledged_values f on f.deskbird_id = k.deskbird_id
        and f.attribute = 'family_name'
    left join state.acknowledged_values d on d.deskbird_id = k.deskbird_id
        and d.attribute = 'display_name'
    where p.status <> 'ended'
), strangers as (
    -- nothing of the user is the person's
    select * from suspects
    where address is not null and not list_contains(user_addresses, address)
        and same_name(given_name, user_given_name) is distinct from 'agrees'
        and same_name(family_name, user_family_name) is distinct from 'agrees'
        and same_name(display_name, user_display_name) is distinct from 'agrees'
), rows_before as (
    select s.hris_ref, s.deskbird_id, h.seen_at, person_key(h.attributes->>'email') as address,
        h.attributes->>'given_name' as given_name,
        h.attributes->>'family_name' as family_name,
        try_cast(h.attributes->>'start_date' as date) as start_date
    from strangers s join state.people_past h using (person_id)
    where not h.gone and (
        list_contains(s.user_addresses, person_key(h.attributes->>'email'))
        or same_name(
            concat_ws(' ', h.attributes->>'given_name', h.attributes->>'family_name'),
            s.user_display_name
        ) = 'agrees')
), was_like_the_user as (
    from rows_before
    qualify row_number() over (partition by hris_ref, deskbird_id order by seen_at desc) = 1
)
select s.hris_ref, s.deskbird_id
from strangers s left join was_like_the_user w using (hris_ref, deskbird_id)
where case
    when w.hris_ref is not null then
        s.address is distinct from w.address
        and same_name(s.given_name, w.given_name) is distinct from 'agrees'
        and same_name(s.family_name, w.family_name) is distinct from 'agrees'
        and (s.start_date = w.start_date) is distinct from true
    -- The record was never like the user. If it is linked all the same, somebody changed the user
    -- by hand; else nothing is remembered of it.
    else not exists (
        select 1 from state.links l
        where l.deskbird_id = s.deskbird_id
            and (l.hris_ref = s.hris_ref or list_contains(s.other_refs, l.hris_ref)))
    end;
insert into review_cases
select hris_ref, 'id_given_to_somebody_else', deskbird_id
from given_away
anti join user_matches using (hris_ref);
drop table given_away;
