-- The organisational units that can become groups: of a synced kind, with a name. Of nested units
-- the name may be the whole path, "Parent / Child": from the topmost unit that is known downwards.
-- Units that lie in a ring, or below one, have no topmost unit and keep their own name.
-- Reads: temp table units (all connections' org_units, with hris_ref), temp table group_kinds
--   (kind, precedence). Variable: nested_groups.
create or replace temp table named_units as
select u.hris_ref, u.kind, u.name, u.parent_ref, k.precedence
from (
    select hris_ref, kind, parent_ref, clean_text(name) as name from units
) u
join group_kinds k using (kind)
where u.name is not null
qualify row_number() over (partition by u.hris_ref order by u.name) = 1;

update named_units set name = p.path
from (
    with recursive paths as (
        select hris_ref, name as path from named_units
        where getvariable('nested_groups') = 'path'
            and (parent_ref is null or parent_ref not in (select hris_ref from named_units))
        union all
        select n.hris_ref, p.path || ' / ' || n.name
        from paths p
        join named_units n on n.parent_ref = p.hris_ref
    )
    from paths
) p
where p.hris_ref = named_units.hris_ref
    and getvariable('nested_groups') = 'path'
    and p.path <> named_units.name;
