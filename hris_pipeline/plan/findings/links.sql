-- state.links: a match by marker is kept as a link.
-- Reads: state.links, user_matches
-- Makes: none
-- Changes: state.links
-- Variables: now
insert into state.links
select hris_ref, deskbird_id, rule, cast(getvariable('now') as timestamptz) from user_matches
where rule = 'marker' and hris_ref not in (select hris_ref from state.links);
