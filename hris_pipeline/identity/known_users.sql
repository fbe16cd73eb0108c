-- Which users are known to be whose before anything is weighed: what people decided, our marker,
-- the stored link.
-- Reads: core.people, deskbird.users, observed_users, state.decisions, state.links
-- Makes: separated, decided, by_link, by_marker, person_refs, review_cases,
--   user_matches
-- Variables: none

create or replace temp table review_cases (hris_ref varchar, rule varchar, deskbird_id varchar);

-- Every record of every person, and the person's primary one. A user may be linked to or marked
-- with any of them.
create or replace temp view person_refs as
select hris_ref as ref, true as is_primary, hris_ref, other_refs, hash(email, email) as address
from core.people
union all
select unnest(other_refs), false, hris_ref, other_refs, hash(email, email)
from core.people
where len(other_refs) > 0;

-- What people decided, the latest on each pair of record and user. A link settles all
-- contradictions about its person and its user.
create or replace temp table decided as
with latest as (
    select hris_ref as ref, deskbird_id, decision, decided_at, rowid as number from state.decisions
    qualify row_number() over (
        partition by hris_ref, deskbird_id order by decided_at desc, rowid desc
    ) = 1
)
select r.hris_ref, l.deskbird_id, l.decision
from latest l join person_refs r using (ref)
qualify l.decision = 'separate' or (
    row_number() over (
        partition by r.hris_ref, l.decision order by l.decided_at desc, l.number desc
    ) = 1
    and row_number() over (
        partition by l.deskbird_id, l.decision order by l.decided_at desc, l.number desc
    ) = 1);

create or replace temp table user_matches as
select d.hris_ref, d.deskbird_id, 'decision' as rule
from decided d semi join deskbird.users u using (deskbird_id)
where d.decision = 'link';

create or replace temp table separated as
select hris_ref, deskbird_id
from decided
anti join user_matches using (hris_ref, deskbird_id)
where decision = 'separate';

-- "Has address": the person's, to the letter, as most have; of the others the addresses are looked
-- at.
create or replace temp table by_marker as
select r.hris_ref, u.deskbird_id, r.address = hash(u.email, u.user_name) as has_address
from person_refs r join observed_users u on u.marker = r.ref
anti join separated a on a.hris_ref = r.hris_ref and a.deskbird_id = u.deskbird_id;

-- Once a person, of whichever of their records the links are: most have one.
create or replace temp table by_link as
with linked as not materialized (
    select r.is_primary, r.hris_ref, u.deskbird_id,
        coalesce(
            u.marker <> r.hris_ref and not list_contains(r.other_refs, u.marker), false
        ) as marked_otherwise,
        u.external_id is not null and u.marker is null as is_foreign,
        r.address = hash(u.email, u.user_name) as has_address
    from state.links l
    join person_refs r on r.ref = l.hris_ref
    join observed_users u on u.deskbird_id = l.deskbird_id
    anti join separated a on a.hris_ref = r.hris_ref and a.deskbird_id = u.deskbird_id
), by_other_refs as (
    select distinct * exclude (is_primary)
    from linked
    where not is_primary
)
from by_other_refs
union all
select * exclude (is_primary)
from linked
anti join by_other_refs using (hris_ref, deskbird_id)
where is_primary;
