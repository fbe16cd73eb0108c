-- Who gives up an address or a group's name and takes another, where somebody else gives or takes
-- one of them: what order.py puts in order. A user whose userName is not their e-mail gives up both
-- addresses; a creation gives up none.
-- Reads: addresses, ignored_drift, observed_groups, wanted_changes
-- Makes: none
-- Variables: none
with wanted as (
    select * from wanted_changes
    where object in ('user', 'group') and action in ('create', 'update', 'rename')
        and row not in (select row from ignored_drift where row is not null)
), address_moves as (
    select updates.request_key, addresses.key as gives, updates.takes, false as creates
    from (
        select request_key, deskbird_id,
            email_key(coalesce(after->>'email', after->>'user_name')) as takes
        from wanted
        where object = 'user' and action = 'update'
    ) as updates
    join addresses using (deskbird_id)
    where addresses.key <> updates.takes
    union all
    select request_key, null, email_key(after->>'email'), true
    from wanted
    where object = 'user' and action = 'create'
), name_moves as (
    select wanted.request_key, observed_groups.name_key as gives, name_key(after->>'name') as takes,
        action = 'create' as creates
    from wanted
    left join observed_groups on observed_groups.deskbird_id = wanted.deskbird_id
    where object = 'group' and action in ('create', 'rename')
)
select distinct 'addresses_freed' as phase, request_key, gives, takes, creates
from address_moves
where gives in (select takes from address_moves)
    or takes in (select gives from address_moves where gives is not null)
union all
select 'names_freed', request_key, gives, takes, creates
from name_moves
where gives is distinct from takes
    and (
        gives in (select takes from name_moves)
        or takes in (select gives from name_moves where gives is not null)
    );
