-- Which person is which user: a decision, the stored link, our marker, then the e-mail. What contradicts itself goes to review and is left alone.
-- Reads: core.people, core.quarantine, deskbird.users, observed_users, state.links, state.decisions. Variable: take_over.
-- Makes: person_refs, decided, user_matches, addresses, review_tonight, contested_users, leaving_addresses.

create or replace temp table review_tonight (hris_ref varchar, rule varchar, deskbird_id varchar);

-- Every record of every person, and the person's primary one. A user may be linked to or marked with any of them.
create or replace temp view person_refs as
select hris_ref as ref, true as is_primary, hris_ref, other_refs, hash(email, email) as address from core.people
union all
select unnest(other_refs), false, hris_ref, other_refs, hash(email, email) from core.people where len(other_refs) > 0;

-- What people decided, the latest on each pair of record and user. A link settles all contradictions about its person and its user.
create or replace temp table decided as
with latest as (
    select hris_ref as ref, deskbird_id, decision, decided_at, rowid as number from state.decisions
    qualify row_number() over (partition by hris_ref, deskbird_id order by decided_at desc, rowid desc) = 1
)
select r.hris_ref, l.deskbird_id, l.decision
from latest l join person_refs r using (ref)
qualify l.decision = 'separate' or (
    row_number() over (partition by r.hris_ref, l.decision order by l.decided_at desc, l.number desc) = 1
    and row_number() over (partition by l.deskbird_id, l.decision order by l.decided_at desc, l.number desc) = 1);

create or replace temp table user_matches as
select d.hris_ref, d.deskbird_id, 'decision' as rule
from decided d semi join deskbird.users u using (deskbird_id)
where d.decision = 'link';

create or replace temp table apart as
select hris_ref, deskbird_id from decided anti join user_matches using (hris_ref, deskbird_id) where decision = 'separate';

-- "Has address": the person's, to the letter, as most have; of the others the addresses are looked at.
create or replace temp table marked as
select r.hris_ref, u.deskbird_id, r.address = hash(u.email, u.user_name) as has_address
from person_refs r join observed_users u on u.marker = r.ref
anti join apart a on a.hris_ref = r.hris_ref and a.deskbird_id = u.deskbird_id;

create or replace temp view linked_refs as
select r.is_primary, r.hris_ref, u.deskbird_id,
    coalesce(u.marker <> r.hris_ref and not list_contains(r.other_refs, u.marker), false) as marked_otherwise,
    u.external_id is not null and u.marker is null as is_foreign,
    r.address = hash(u.email, u.user_name) as has_address
from state.links l join person_refs r on r.ref = l.hris_ref join observed_users u on u.deskbird_id = l.deskbird_id
anti join apart a on a.hris_ref = r.hris_ref and a.deskbird_id = u.deskbird_id;
create or replace temp table linked as select distinct * exclude (is_primary) from linked_refs where not is_primary;
insert into linked select * exclude (is_primary) from linked_refs anti join linked using (hris_ref, deskbird_id) where is_primary;

insert into review_tonight
with several_records as (select hris_ref from core.people where len(other_refs) > 0)
select hris_ref, 'several_users_belong_to_the_person', min(deskbird_id)
from (select hris_ref, deskbird_id from marked union all select hris_ref, deskbird_id from linked) semi join several_records using (hris_ref)
group by hris_ref having count(distinct deskbird_id) > 1
union all
select hris_ref, 'several_users_carry_the_marker', min(deskbird_id) from marked anti join several_records using (hris_ref) group by hris_ref having count(*) > 1;
insert into review_tonight
select distinct l.hris_ref, 'link_and_marker_disagree', l.deskbird_id
from linked l left join marked m on m.hris_ref = l.hris_ref
where (l.marked_otherwise or (m.deskbird_id is not null and m.deskbird_id <> l.deskbird_id)) and l.hris_ref not in (select hris_ref from review_tonight)
union all
select distinct hris_ref, 'foreign_external_id', deskbird_id from linked where is_foreign and not getvariable('take_over');
delete from review_tonight where hris_ref in (select hris_ref from user_matches);

insert into user_matches
from (
    select hris_ref, deskbird_id, 'link' as rule from linked
    union all
    select hris_ref, deskbird_id, 'marker' from marked anti join linked using (hris_ref)
)
anti join review_tonight using (hris_ref) anti join user_matches d using (hris_ref) anti join user_matches e using (deskbird_id);

-- Who holds which address in deskbird: as e-mail, or as userName where that is another one.
create or replace temp table addresses as
select deskbird_id, email_key(coalesce(email, user_name)) as key from deskbird.users
union all
select deskbird_id, email_key(user_name) from deskbird.users
where user_name is distinct from email and email_key(user_name) <> email_key(coalesce(email, user_name));

-- A user whose own person takes another address tonight does not stand in the way of whoever takes the old one; unless the move itself
-- cannot be, because the address it needs is held by somebody who stays, or by somebody who cannot move either.
create or replace temp table leaving_addresses as
with recursive moves as (
    select k.deskbird_id, person_key(p.email) as takes
    from (select hris_ref, deskbird_id from linked where not has_address union select hris_ref, deskbird_id from marked where not has_address) k
    semi join user_matches using (hris_ref, deskbird_id)
    join core.people p using (hris_ref)
    anti join addresses a on a.deskbird_id = k.deskbird_id and a.key = person_key(p.email)
    where p.wanted
), held_by as (
    select m.deskbird_id, a.deskbird_id as holder from moves m join addresses a on a.key = m.takes
), stuck as (
    select deskbird_id from held_by where holder not in (select deskbird_id from moves)
    union
    select h.deskbird_id from held_by h join stuck s on s.deskbird_id = h.holder
)
select deskbird_id from moves where deskbird_id not in (select deskbird_id from stuck);

-- The e-mail decides last, and only for people who should be in deskbird. "Succeeds": the user belongs to a record that the HRIS has no more,
-- and to somebody of the same name: the same person under a new id (case 28). Of another name it is somebody else (case 25).
create or replace temp table email_candidates as
with looking as (
    select hris_ref, person_key(email) as key, name_key(display_name) as name
    from core.people
    where wanted and hris_ref not in (select hris_ref from user_matches) and hris_ref not in (select hris_ref from review_tonight)
), owned as (
    select l.hris_ref, l.name, deskbird_id, u.external_id, u.marker, owner_of(deskbird_id, u.marker) as owner,
        name_key(coalesce(nullif(concat_ws(' ', u.given_name, u.family_name), ''), u.display_name)) as user_is_called
    from looking l join addresses a using (key) join observed_users u using (deskbird_id)
), gone as (
    select owner from owned anti join person_refs r on r.ref = owner anti join core.quarantine q on q.hris_ref = owner
)
select o.hris_ref, o.deskbird_id, count(*) over (partition by o.deskbird_id) as people, o.external_id, o.marker, o.owner,
    coalesce(o.owner in (from gone) and o.name = o.user_is_called, false) as succeeds
from owned o
anti join leaving_addresses l on l.deskbird_id = o.deskbird_id
anti join user_matches m on m.deskbird_id = o.deskbird_id and m.rule = 'decision';

-- An account that was decided not to be the person's keeps its address all the same.
insert into review_tonight
select distinct hris_ref, 'email_is_taken', deskbird_id from email_candidates semi join apart using (hris_ref, deskbird_id);
delete from email_candidates where hris_ref in (select hris_ref from review_tonight);

insert into review_tonight
select hris_ref,
    case when count(*) > 1 then 'several_users_share_the_email'
         when bool_or(owner is not null and not succeeds) then 'email_belongs_to_another_person'
         when max(people) > 1 then 'several_people_match_the_user'
         else 'foreign_external_id' end,
    min(deskbird_id)
from email_candidates
group by hris_ref
having count(*) > 1 or max(people) > 1 or bool_or(owner is not null and not succeeds)
    or (bool_or(external_id is not null and marker is null) and not getvariable('take_over'));

insert into user_matches
select hris_ref, deskbird_id, case when succeeds then 'successor' else 'email' end from email_candidates anti join review_tonight using (hris_ref);

-- Whose account is disputed is not deactivated either; and one that a person said is somebody else's is nobody's business.
create or replace temp table contested_users as
select distinct deskbird_id from email_candidates semi join review_tonight using (hris_ref)
union
select deskbird_id from review_tonight where rule <> 'email_is_taken' -- the address waits, nobody doubts whose account it is
union
select deskbird_id from linked semi join review_tonight using (hris_ref)
union
select deskbird_id from marked semi join review_tonight using (hris_ref)
union
select deskbird_id from apart anti join user_matches using (deskbird_id);

-- All the users that a record may be, for whoever decides.
create or replace temp table review_candidates as
select hris_ref, list_sort(list(distinct deskbird_id)) as candidates
from (
    select hris_ref, deskbird_id from review_tonight
    union all select hris_ref, deskbird_id from email_candidates
    union all select hris_ref, deskbird_id from marked
    union all select hris_ref, deskbird_id from linked
) semi join review_tonight using (hris_ref)
where deskbird_id is not null
group by hris_ref;
drop table marked; drop table linked; drop table email_candidates;
