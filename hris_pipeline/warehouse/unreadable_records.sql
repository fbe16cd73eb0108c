-- Records that could not be read, as of this read of a list; since when is kept.
-- Reads: unreadable (of this read), state.links, state.group_links. Variables: resource,
--   connections, now.
-- Writes: state.unreadable_records.
create or replace temp table unreadable_now as
select u.deskbird_id, u.page, u.position, u.code,
    coalesce(
        case when contains(u.external_id, ':')
            and list_contains(
                getvariable('connections'), left(u.external_id, instr(u.external_id, ':') - 1)
            ) then u.external_id end,
        (select min(l.hris_ref) from (
            select 'users' as resource, hris_ref, deskbird_id from state.links
            union all
            select 'groups', hris_ref, deskbird_id from state.group_links
        ) l where l.resource = getvariable('resource') and l.deskbird_id = u.deskbird_id)
    ) as hris_ref,
    case when u.address is not null then hash(email_key(u.address)) end as address_hash,
    coalesce(
        (select min(r.first_seen) from state.unreadable_records r
         where r.resource = getvariable('resource') and r.code = u.code
             and (
                 r.deskbird_id = u.deskbird_id or (u.deskbird_id is null and r.deskbird_id is null)
             )),
        cast(getvariable('now') as timestamptz)
    ) as first_seen
from unreadable u;
delete from state.unreadable_records where resource = getvariable('resource');
insert into state.unreadable_records
select getvariable('resource'),
    deskbird_id,
    page,
    position,
    code,
    hris_ref,
    address_hash,
    first_seen,
    cast(getvariable('now') as timestamptz)
from unreadable_now;
drop table unreadable_now;
