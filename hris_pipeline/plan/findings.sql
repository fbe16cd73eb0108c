-- What a plan finds besides changes: who vanished from the HRIS, what waits for a decision, and groups whose unit got a new id.
-- Reads: observed_users, core.people, core.quarantine, review_tonight, group_matches, state.extracts. Variable: now.

create or replace temp table missing_tonight as
with reads as (
    select connection, max(extracted_at) as read_at from state.extracts where resource = 'employees' and proof = 'proven' group by all
), vanished as (
    select coalesce(u.marker, u.linked_ref) as hris_ref, u.deskbird_id
    from observed_users u
    where u.active and coalesce(u.marker, u.linked_ref) is not null
        and coalesce(u.marker, u.linked_ref) not in (select hris_ref from core.people union all select hris_ref from core.quarantine)
    qualify row_number() over (partition by coalesce(u.marker, u.linked_ref) order by u.deskbird_id) = 1
)
select v.hris_ref, v.deskbird_id,
    coalesce(m.missing_since, cast(getvariable('now') as timestamptz)) as missing_since,
    coalesce(m.complete_reads, 0) + case when r.read_at is not null and (m.last_read is null or r.read_at > m.last_read) then 1 else 0 end as complete_reads,
    coalesce(r.read_at, m.last_read, cast(getvariable('now') as timestamptz)) as last_read
from vanished v
left join state.missing m using (hris_ref)
left join reads r on r.connection = string_split(v.hris_ref, ':')[1];
delete from state.missing;
insert into state.missing from missing_tonight;

create or replace temp table review_kept as
select t.hris_ref, t.rule, min(t.deskbird_id) as deskbird_id, coalesce(min(r.since), cast(getvariable('now') as timestamptz)) as since
from review_tonight t left join state.review r on r.hris_ref = t.hris_ref and r.rule = t.rule group by all;
delete from state.review;
insert into state.review from review_kept;

-- A match by marker, or by kind and name, is kept as a link.
insert into state.links
select hris_ref, deskbird_id, rule, cast(getvariable('now') as timestamptz) from user_matches
where rule = 'marker' and hris_ref not in (select hris_ref from state.links);
delete from state.group_links
where hris_ref in (select hris_ref from group_matches where rule <> 'link') or deskbird_id in (select deskbird_id from group_matches where rule <> 'link');
insert into state.group_links
select hris_ref, deskbird_id, rule, cast(getvariable('now') as timestamptz) from group_matches where rule <> 'link';
