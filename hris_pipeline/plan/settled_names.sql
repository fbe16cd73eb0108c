-- Groups whose name needs no thought: deskbird has it by the plain pattern already, and nobody
-- else's is like it. "units_to_name" has all groups that need a name, settled or not; the first of
-- "names" is the plain pattern.
-- Reads: core.groups, group_kinds, group_matches, group_sizes, observed_groups
-- Makes: units_to_name
-- Variables: parameters.names
create or replace temp table units_to_name as
select c.hris_ref, c.kind, c.name, k.precedence, o.name as present,
    coalesce(
        nfc_normalize(o.name) = named(getvariable('parameters').names[1], c.name, c.kind)
            and o.holders = 1,
        false
    ) as settled
from core.groups c join group_kinds k using (kind)
left join group_matches m using (hris_ref)
left join (select *, count(*) over (partition by name_key) as holders from observed_groups) o
    on o.deskbird_id = m.deskbird_id
where m.deskbird_id is not null or c.rowid in (select group_row from group_sizes);
