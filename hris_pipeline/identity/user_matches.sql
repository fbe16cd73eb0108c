-- Which person is which user: a decision, the stored link, our marker, then the e-mail. What
-- contradicts itself goes to review and is left alone.
-- Reads: separated, core.people, core.quarantine, deskbird.users, by_link, by_marker,
--   observed_users, person_refs, review_cases, user_matches
-- Makes: addresses, contested_users, email_candidates, handed_on, leaving_addresses,
--   match_evidence, names_that, review_candidates
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

-- The e-mail decides last, and only for people who should be in deskbird. "Succeeds": the user
-- belongs to somebody of the same name whose record ended, or is gone: the same person under a new
-- id (case 28), whose old record lost the address to the new one (case 91). Of another name it is
-- somebody else (case 25).
create or replace temp table email_candidates as
with looking as (
    select hris_ref, person_key(email) as key, given_name, family_name, display_name
    from core.people
    where wanted
        and hris_ref not in (select hris_ref from user_matches)
        and hris_ref not in (select hris_ref from review_cases)
), owned as (
    select *, -- names matter only where the user is somebody's
        case when owner is not null then folded_name(display_name) end as name,
        case when owner is not null then folded_name(user_display_name) end as user_is_called
    from (
        select l.*, deskbird_id, u.external_id, u.marker, owner_of(deskbird_id, u.marker) as owner,
            u.given_name as user_given_name, u.family_name as user_family_name,
            coalesce(
                nullif(concat_ws(' ', u.given_name, u.family_name), ''), u.display_name
            ) as user_display_name
        from looking l join addresses a using (key) join observed_users u using (deskbird_id)
    )
), gone as (
    select owner
    from owned
    anti join person_refs r on r.ref = owner
    anti join core.quarantine q on q.hris_ref = owner
), left_ as (
    select r.ref as owner, any_value(r.hris_ref) as owner_ref,
        any_value(folded_name(p.display_name)) as was_called
    from person_refs r join core.people p using (hris_ref)
    where r.ref in (select owner from owned)
        and p.status = 'ended'
        and r.hris_ref not in (select hris_ref from review_cases)
    group by r.ref
)
select o.*, l.owner_ref, l.was_called, count(*) over (partition by o.deskbird_id) as people,
    coalesce(o.owner in (from gone) and o.name = o.user_is_called, false)
        or coalesce(
            l.owner is not null and o.name in (o.user_is_called, l.was_called), false
        ) as succeeds
from owned o
left join left_ l using (owner)
anti join leaving_addresses f on f.deskbird_id = o.deskbird_id
anti join user_matches m on m.deskbird_id = o.deskbird_id and m.rule = 'decision';

-- An account that was decided not to be the person's keeps its address all the same.
insert into review_cases
select distinct hris_ref, 'email_is_taken', deskbird_id
from email_candidates
semi join separated using (hris_ref, deskbird_id);
delete from email_candidates where hris_ref in (select hris_ref from review_cases);

insert into review_cases
select hris_ref,
    case when count(*) > 1 then 'several_users_share_the_email'
         when bool_or(owner is not null and not succeeds) then 'email_belongs_to_another_person'
         when max(people) > 1 then 'several_people_match_the_user'
         else 'foreign_external_id' end,
    min(deskbird_id)
from email_candidates
group by hris_ref
having count(*) > 1 or max(people) > 1 or bool_or(owner is not null and not succeeds)
    or (
        bool_or(external_id is not null and marker is null)
        and not getvariable('parameters').take_over
    );

-- Which facts agree and which differ, for whoever reads why an e-mail decided.
create or replace temp macro names_that(relation, given, family) as list_concat(
    case when given = relation then ['given_name'] else [] end,
        case when family = relation then ['family_name'] else [] end);
create or replace temp table match_evidence as
select hris_ref, deskbird_id, json_merge_patch(
    case when succeeds then json_object('predecessor', owner) else '{}' end,
    json_object(
        'agrees', list_concat(['email'], names_that('agrees', given, family)), 'differs',
        names_that('differs', given, family)
    )
) as evidence
from (
    select *, same_name(given_name, user_given_name) as given,
        same_name(family_name, user_family_name) as family
    from email_candidates anti join review_cases using (hris_ref)
);
insert into user_matches
select hris_ref, deskbird_id, case when succeeds then 'successor' else 'email' end
from email_candidates
anti join review_cases using (hris_ref);
-- The user is the successor's alone: the record that ended neither keeps it nor deactivates it.
delete from user_matches
where rule in ('link', 'marker')
    and deskbird_id in (
        select deskbird_id
        from email_candidates
        anti join review_cases using (hris_ref)
        where succeeds
    );

-- Whose account is disputed is not deactivated either; and one that a person said is somebody
-- else's is nobody's business. Somebody of another name who only looks for an address disputes no
-- account that is known to be its owner's: the owner's end waits for nobody (case 93).
create or replace temp table contested_users as
select distinct deskbird_id from email_candidates semi join review_cases using (hris_ref)
where succeeds or deskbird_id not in (select deskbird_id from user_matches)
union
select deskbird_id from review_cases anti join email_candidates using (hris_ref)
where rule <> 'email_is_taken' -- the address waits, nobody doubts whose account it is
union
select deskbird_id from by_link semi join review_cases using (hris_ref)
union
select deskbird_id from by_marker semi join review_cases using (hris_ref)
union
select deskbird_id from separated anti join user_matches using (deskbird_id);

-- All the users that a record may be, for whoever decides.
create or replace temp table review_candidates as
select hris_ref, list_sort(list(distinct deskbird_id)) as candidates
from (
    select hris_ref, deskbird_id from review_cases
    union all select hris_ref, deskbird_id from email_candidates
    union all select hris_ref, deskbird_id from by_marker
    union all select hris_ref, deskbird_id from by_link
) semi join review_cases using (hris_ref)
where deskbird_id is not null
group by hris_ref;
drop table by_marker; drop table by_link; drop table email_candidates;
