-- Whom one decision links: people who wait because another system marked the user with their e-mail
-- address, where no other user has that address and the user is nobody else's.
-- Reads: state.review, state.decisions, core.people, deskbird.users. Makes: linkable_by_email.
create or replace temp table linkable_by_email as
with waiting as (
    select distinct hris_ref from state.review where rule = 'foreign_external_id'
), keys as (
    select hris_ref, person_key(email) as key
    from core.people
    where wanted and email is not null
), addresses as (
    select deskbird_id, email_key(coalesce(email, user_name)) as key from deskbird.users
    union
    select deskbird_id, email_key(user_name) from deskbird.users
), decided as (
    select hris_ref, deskbird_id, decision
    from state.decisions
    qualify row_number() over (
        partition by hris_ref, deskbird_id order by decided_at desc, rowid desc) = 1
), pairs as (
    select w.hris_ref, a.deskbird_id,
        count(*) over (partition by w.hris_ref) as users,
        (select count(*) from keys other where other.key = k.key) as people
    from waiting w
    join keys k using (hris_ref)
    join addresses a using (key)
)
select p.hris_ref, p.deskbird_id
from pairs p
join deskbird.users u using (deskbird_id)
anti join decided d on d.hris_ref = p.hris_ref and d.deskbird_id = p.deskbird_id
    and d.decision in ('link', 'separate')
anti join decided e on e.deskbird_id = p.deskbird_id and e.decision = 'link'
where p.users = 1 and p.people = 1
    and u.external_id is not null and u.hris_ref is null;
