-- Which person is which user: a decision, the stored link, our marker. What contradicts itself goes
-- to review and is left alone. And who holds which address in deskbird, for whoever looks for one.
-- Reads: by_link, by_marker, core.people, deskbird.users, review_cases, user_matches
-- Makes: addresses, handed_on, leaving_addresses
-- Changes: review_cases, user_matches
-- Variables: parameters.take_over

insert into review_cases
with several_records as (
    select hris_ref from core.people where len(other_refs) > 0
), several_users as (
    select hris_ref, 'several_users_belong_to_the_person' as rule, min(deskbird_id) as deskbird_id
    from (
        select hris_ref, deskbird_id
        from by_marker
        union all
        select hris_ref, deskbird_id
        from by_link
    )
    semi join several_records using (hris_ref)
    group by hris_ref
    having count(distinct deskbird_id) > 1
    union all
    select hris_ref, 'several_users_carry_the_marker', min(deskbird_id)
    from by_marker anti join several_records using (hris_ref)
    group by hris_ref
    having count(*) > 1
), contradictions as (
    from several_users
    union all
    select distinct l.hris_ref, 'link_and_marker_disagree', l.deskbird_id
    from by_link l left join by_marker m on m.hris_ref = l.hris_ref
    where (l.marked_otherwise or (m.deskbird_id is not null and m.deskbird_id <> l.deskbird_id))
        and l.hris_ref not in (select hris_ref from several_users)
        and l.hris_ref not in (select hris_ref from review_cases)
    union all
    select distinct hris_ref, 'foreign_external_id', deskbird_id
    from by_link where is_foreign and not getvariable('parameters').take_over
)
from contradictions anti join user_matches using (hris_ref);

insert into user_matches
from (
    select hris_ref, deskbird_id, 'link' as rule from by_link
    union all
    select hris_ref, deskbird_id, 'marker' from by_marker anti join by_link using (hris_ref)
)
anti join review_cases using (hris_ref)
anti join user_matches d using (hris_ref)
anti join user_matches e using (deskbird_id);

-- Who holds which address in deskbird: as e-mail, or as userName where that is another one.
create or replace temp table addresses as
select deskbird_id, email_key(coalesce(email, user_name)) as key from deskbird.users
union all
select deskbird_id, email_key(user_name) from deskbird.users
where user_name is distinct from email
    and email_key(user_name) <> email_key(coalesce(email, user_name));

-- A record that is about to end lost its address to the next record of the same name: one person
-- (case 91). The user keeps the address until the old record has ended, and is the next record's
-- then.
create or replace temp table handed_on as
with held as (
    select m.hris_ref, a.key
    from user_matches m join addresses a using (deskbird_id)
    where m.hris_ref in (select hris_ref from core.people where wanted and end_date is not null)
)
select p.hris_ref, min(n.hris_ref) as next_ref
from held h
join core.people p on p.hris_ref = h.hris_ref and person_key(p.email) <> h.key
join core.people n on person_key(n.email) = h.key and n.hris_ref <> p.hris_ref
where n.status <> 'ended' and folded_name(n.display_name) = folded_name(p.display_name)
    and n.hris_ref not in (select hris_ref from user_matches)
group by p.hris_ref;

-- A user whose own person takes another address tonight does not stand in the way of whoever takes
-- the old one; unless the move itself cannot be, because the address it needs is held by somebody
-- who stays, or by somebody who cannot move either.
create or replace temp table leaving_addresses as
with recursive moves as (
    select k.deskbird_id, person_key(p.email) as takes
    from (
        select hris_ref, deskbird_id
        from by_link
        where not has_address
        union
        select hris_ref, deskbird_id
        from by_marker
        where not has_address
    ) k
    semi join user_matches using (hris_ref, deskbird_id)
    join core.people p using (hris_ref)
    anti join addresses a on a.deskbird_id = k.deskbird_id and a.key = person_key(p.email)
    where p.wanted and k.hris_ref not in (select hris_ref from handed_on)
), held_by as (
    select m.deskbird_id, a.deskbird_id as holder from moves m join addresses a on a.key = m.takes
), stuck as (
    select deskbird_id from held_by where holder not in (select deskbird_id from moves)
    union
    select h.deskbird_id from held_by h join stuck s on s.deskbird_id = h.holder
)
select deskbird_id from moves where deskbird_id not in (select deskbird_id from stuck);
