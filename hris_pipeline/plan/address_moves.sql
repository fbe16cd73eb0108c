-- Users who give up one address and take another, where an address is involved that somebody else gives or takes: request, gives, takes.
-- A user whose userName is not their e-mail gives up both.
with moves as (
    select d.request_key, a.key as gives, d.takes
    from (
        select request_key, deskbird_id, email_key(coalesce(after->>'email', after->>'user_name')) as takes from draft
        where object = 'user' and action = 'update'
    ) d join addresses a using (deskbird_id)
    where a.key <> d.takes
    union all
    select request_key, null, email_key(after->>'email') from draft where object = 'user' and action = 'create'
)
select distinct request_key, gives, takes from moves
where gives in (select takes from moves) or takes in (select gives from moves where gives is not null);
