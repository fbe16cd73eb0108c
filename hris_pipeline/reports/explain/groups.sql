-- The groups that one person should be in, and those that the user is in.
-- Reads: core.memberships, core.groups, deskbird.group_members, state.acknowledged_members,
--   state.partial_groups,
-- observed_groups, state.group_links. Parameters: person_id, id, readable.
with wanted as (
    select g.hris_ref as group_ref, g.kind, g.name
    from core.memberships m
    join core.groups g on g.hris_ref = m.group_ref
    where m.person_id = $person_id
), members as (
    select group_deskbird_id, false as is_possible
    from deskbird.group_members
    where $readable and user_deskbird_id = $id
    union all
    select group_deskbird_id, is_possible
    from state.acknowledged_members
    where user_deskbird_id = $id
        and (
            not $readable
            or group_deskbird_id in (select group_deskbird_id from state.partial_groups)
        )
), groups as (
    select
        g.deskbird_id,
        g.name,
        m.is_possible,
        coalesce(
            g.marker,
            (select min(l.hris_ref) from state.group_links l where l.deskbird_id = g.deskbird_id)
        ) as group_ref
    from members m
    join observed_groups g on g.deskbird_id = m.group_deskbird_id
), held as (
    -- who is only possibly in a group that they should be in is added again
    from groups where not is_possible or group_ref not in (select group_ref from wanted)
)
select
    coalesce(wanted.group_ref, held.group_ref) as group_ref,
    held.deskbird_id,
    coalesce(wanted.kind, string_split(held.group_ref, ':')[2]) as kind,
    wanted.name as wanted,
    held.name as observed
from wanted
full join held on held.group_ref = wanted.group_ref
order by kind, coalesce(wanted.name, held.name)
