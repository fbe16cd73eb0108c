-- Groups that give up one name and take another, where a name is involved that another group gives or takes: request, gives, takes.
with moves as (
    select d.request_key, o.name_key as gives, name_key(d.after->>'name') as takes
    from draft d left join observed_groups o on o.deskbird_id = d.deskbird_id
    where d.object = 'group' and d.action in ('create', 'rename')
)
select request_key, gives, takes from moves
where gives is distinct from takes
    and (gives in (select takes from moves) or takes in (select gives from moves where gives is not null));
