-- Users who give up one address and take another, where an address is involved that somebody else gives or takes: request, gives, takes.
with moves as (
    select 'user:' || hris_ref as request_key, case when deskbird_id is null then null else observed_key end as gives, key as takes
    from pairs
    where wanted and key is distinct from observed_key
        and hris_ref not in (select hris_ref from taken_addresses)
        and hris_ref in (select hris_ref from draft where object = 'user' and action in ('create', 'update'))
)
select request_key, gives, takes from moves
where gives in (select takes from moves) or takes in (select gives from moves where gives is not null);
