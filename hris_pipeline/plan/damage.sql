-- What differs, after the read-back, from what this run left: from what deskbird held before the
-- writes, with what was sent put in. Of users and groups that are ours or were written to. What is
-- as the HR system wants it does no harm; of inactive users only `active` is compared.
-- "new_external_changes" is what differs between the two reads, "differing_now" what the HR system
-- wants otherwise now.
-- Reads: deskbird.groups, deskbird.users, differing_now, groups_before, known_groups,
--   owned_users, new_external_changes, sent_values, state.unreadable_records, users_before
-- Makes: none
-- Changes: state.damage
-- Variables: now, plan_id, run_id
insert into state.damage by name
with written as (
    select distinct deskbird_id from sent_values where deskbird_id is not null
), ours as (
    select deskbird_id, owner as hris_ref from owned_users where owner is not null
    union all
    select deskbird_id, ref from known_groups
), unreadable as ( -- there, but not to be told from others
    select deskbird_id from state.unreadable_records where deskbird_id is not null
), different as (
    select object, deskbird_id, attribute, was, is_now from new_external_changes
    union all
    select 'user', deskbird_id, 'gone', 'false', 'true'
    from users_before
    anti join deskbird.users using (deskbird_id)
    anti join unreadable using (deskbird_id)
    union all
    select 'group', deskbird_id, 'gone', 'false', 'true'
    from groups_before
    anti join deskbird.groups using (deskbird_id)
    anti join unreadable using (deskbird_id)
), unasked as (
    select d.*, o.hris_ref, w.deskbird_id is not null as is_written,
        case
            when d.object = 'membership' then d.attribute
            when d.object = 'user' then d.deskbird_id
        end as user_id
    from different d
    left join (
        select deskbird_id, min(hris_ref) as hris_ref from ours group by all
    ) o using (deskbird_id)
    left join written w using (deskbird_id)
    where not exists (
        select 1 from sent_values s
        where s.object = d.object
            and s.deskbird_id = d.deskbird_id
            and s.attribute = d.attribute
            and same_value(d.attribute, s.wanted, d.is_now))
)
select getvariable('plan_id') as plan_id, getvariable('run_id') as run_id,
    cast(getvariable('now') as timestamptz) as seen_at,
    u.object, u.deskbird_id, u.attribute, coalesce(u.hris_ref, b.hris_ref, g.hris_ref) as hris_ref,
    u.was, u.is_now, u.is_written,
    case when u.object = 'membership' then u.was
        else coalesce((select arg_max(s.wanted, s.seq) from sent_values s
            where s.is_taken
                and s.object = u.object
                and s.deskbird_id = u.deskbird_id
                and s.attribute = u.attribute),
            u.was) end as expected
from unasked u
left join users_before b on u.attribute = 'gone'
    and u.object = 'user'
    and b.deskbird_id = u.deskbird_id
left join groups_before g on u.attribute = 'gone'
    and u.object = 'group'
    and g.deskbird_id = u.deskbird_id
left join deskbird.users n on n.deskbird_id = u.user_id
where (u.is_written or u.hris_ref is not null or b.hris_ref is not null or g.hris_ref is not null)
    and (u.attribute in ('active', 'gone') or u.object = 'group' or coalesce(n.active, false))
    and (u.object = 'group' or u.attribute in ('active', 'gone')
        or (u.object, u.deskbird_id, u.attribute) in (
            select (object, deskbird_id, attribute) from differing_now
        )
        or (
            u.object = 'membership'
            and u.was = 'add'
            and u.user_id not in (select deskbird_id from ours)
        )
        or (u.object = 'user' and u.hris_ref is null));
