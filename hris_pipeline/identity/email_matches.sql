-- Which person without a user is which user by their e-mail.
-- Reads: addresses, core.people, core.quarantine, leaving_addresses, observed_users, person_refs,
--   review_cases, separated, user_matches
-- Makes: email_candidates, match_evidence
-- Changes: review_cases, user_matches
-- Variables: parameters.take_over

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
