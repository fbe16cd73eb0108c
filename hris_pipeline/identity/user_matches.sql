-- Which person is which user: the stored link, then our marker, then the e-mail. What contradicts itself goes to review and is left alone.
-- Reads: core.people, observed_users, state.links. Variable: take_over. Makes: user_matches, review_tonight, contested_users, leaving_addresses.

create or replace temp table review_tonight (hris_ref varchar, rule varchar, deskbird_id varchar);

-- "takes" is the address of a person who takes another than the user has.
create or replace temp macro taken(wanted, email, email_key, user_name_key) as
    case when wanted and person_key(email) not in (email_key, user_name_key) then person_key(email) end;

create or replace temp table marked as
select p.hris_ref, u.deskbird_id, taken(p.wanted, p.email, u.email_key, u.user_name_key) as takes
from core.people p join observed_users u on u.marker = p.hris_ref;

create or replace temp table linked as
select p.hris_ref, u.deskbird_id,
    coalesce(u.marker <> p.hris_ref, false) as marked_otherwise, u.external_id is not null and u.marker is null as is_foreign,
    taken(p.wanted, p.email, u.email_key, u.user_name_key) as takes
from core.people p join state.links l using (hris_ref) join observed_users u on u.deskbird_id = l.deskbird_id;

insert into review_tonight
select hris_ref, 'several_users_carry_the_marker', min(deskbird_id) from marked group by hris_ref having count(*) > 1
union all
select l.hris_ref, 'link_and_marker_disagree', l.deskbird_id
from linked l left join marked m on m.hris_ref = l.hris_ref
where l.marked_otherwise or (m.deskbird_id is not null and m.deskbird_id <> l.deskbird_id)
union all
select hris_ref, 'foreign_external_id', deskbird_id from linked where is_foreign and not getvariable('take_over');

create or replace temp table user_matches as
select hris_ref, deskbird_id, 'link' as rule from linked anti join review_tonight using (hris_ref)
union all
select hris_ref, deskbird_id, 'marker' from marked anti join linked using (hris_ref) anti join review_tonight using (hris_ref);

-- A user whose own person takes another address tonight does not stand in the way of whoever takes the old one; unless the move itself
-- cannot be, because the address it needs is held by somebody who stays, or by somebody who cannot move either.
create or replace temp table leaving_addresses as
with recursive moves as (
    select deskbird_id, takes
    from (select hris_ref, deskbird_id, takes from linked where takes is not null union select hris_ref, deskbird_id, takes from marked where takes is not null)
    semi join user_matches using (hris_ref, deskbird_id)
), held_by as (
    select m.deskbird_id, o.deskbird_id as holder
    from moves m
    join (select deskbird_id, email_key as key from observed_users union all select deskbird_id, user_name_key from observed_users) o on o.key = m.takes
), stuck as (
    select deskbird_id from held_by where holder not in (select deskbird_id from moves)
    union
    select h.deskbird_id from held_by h join stuck s on s.deskbird_id = h.holder
)
select deskbird_id from moves where deskbird_id not in (select deskbird_id from stuck);

-- The e-mail decides last, and only for people who should be in deskbird.

create or replace temp table email_candidates as
with wanted as (
    select hris_ref, person_key(email) as key from core.people
    where wanted and email is not null and hris_ref not in (select hris_ref from user_matches union all select hris_ref from review_tonight)
), hits as (
    select w.hris_ref, u.deskbird_id from wanted w join observed_users u on u.email_key = w.key
    union
    select w.hris_ref, u.deskbird_id from wanted w join observed_users u on u.user_name_key = w.key
)
select h.hris_ref, h.deskbird_id, count(*) over (partition by h.deskbird_id) as people, u.external_id, u.marker, u.linked_ref
from hits h join observed_users u using (deskbird_id)
anti join leaving_addresses l on l.deskbird_id = h.deskbird_id;

insert into review_tonight
select hris_ref,
    case when count(*) > 1 then 'several_users_share_the_email'
         when bool_or(marker is not null or linked_ref is not null) then 'email_belongs_to_another_person'
         when max(people) > 1 then 'several_people_match_the_user'
         else 'foreign_external_id' end,
    min(deskbird_id)
from email_candidates
group by hris_ref
having count(*) > 1 or max(people) > 1 or bool_or(marker is not null or linked_ref is not null)
    or (bool_or(external_id is not null) and not getvariable('take_over'));

insert into user_matches
select hris_ref, deskbird_id, 'email' from email_candidates anti join review_tonight using (hris_ref);

-- Whose account is disputed is not deactivated either.
create or replace temp table contested_users as
select distinct deskbird_id from email_candidates semi join review_tonight using (hris_ref)
union
select deskbird_id from review_tonight;
drop table marked; drop table linked; drop table email_candidates;
