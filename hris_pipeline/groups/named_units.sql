-- The organisational units that can become groups: of a synced kind, with a name.
-- Reads: temp table units (all connections' org_units, with hris_ref), temp table group_kinds (kind, precedence).
create or replace temp table named_units as
select u.hris_ref, u.kind, u.name, u.parent_ref, k.precedence
from (
    select
        hris_ref, kind, parent_ref,
        nullif(trim(nfc_normalize(regexp_replace(name, '[\x00-\x1F\x7F\x{200B}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2060}\x{FEFF}]', '', 'g'))), '') as name
    from units
) u
join group_kinds k using (kind)
where u.name is not null
qualify row_number() over (partition by u.hris_ref order by u.name) = 1;
