-- Whose midnight counts for a record: that of its location, by name or id, else the company's. Of
-- locations in several zones the first zone by name.
-- Reads: temp table units. Variables: timezones (a location's name or id -> zone),
--   company_timezone. Makes: location_zones (variable), macro zone_of.
set variable location_zones = (
    select map(coalesce(list(hris_ref), []), coalesce(list(zone), []))
    from (
        select hris_ref, min(zone) as zone
        from units
        join (
            select unnest(map_keys(getvariable('timezones'))) as place,
                unnest(map_values(getvariable('timezones'))) as zone
        ) z
            on name_key(units.name) = name_key(z.place)
        where kind = 'location' group by all
    ));
create or replace temp macro zone_of(connection, groups) as coalesce(
    list_min([
        coalesce(
            getvariable('location_zones')[connection || ':location:' || g.id],
            getvariable('timezones')[g.id]
        )
        for g in groups if g.kind = 'location']),
    getvariable('company_timezone'));
