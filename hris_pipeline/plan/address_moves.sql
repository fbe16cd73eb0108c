-- Users who give up one address and take another, where an address is involved that somebody else gives or takes: request, gives, takes.
-- A user whose userName is not their e-mail gives up both.
with moves as (
    select 'user:' || hris_ref as request_key, unnest(list_filter(list_distinct([observed_key, user_name_key]), lambda held: held <> key)) as gives, key as takes
    from pairs
    where wanted and deskbird_id is not null and (key is distinct from observed_key or key is distinct from user_name_key)
        and hris_ref not in (select hris_ref from taken_addresses)
        and hris_ref in (select hris_ref from draft where object = 'user' and action = 'update')
    union all
    select 'user:' || hris_ref, null, key from pairs where hris_ref in (select hris_ref from draft where object = 'user' and action = 'create')
)
select request_key, gives, takes from moves
where gives in (select takes from moves) or takes in (select gives from moves where gives is not null);
