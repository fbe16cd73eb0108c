-- state.group_links: a match by marker, by kind and name, by a rule or by members is kept as a
-- link; where a change carries it out, once that is applied.
-- Reads: changes_judged, group_matches
-- Makes: new_group_matches
-- Changes: state.group_links
-- Variables: now
create or replace temp table new_group_matches as
select hris_ref, deskbird_id, rule from group_matches
where rule <> 'link'
    and not (
        rule in ('rule', 'members')
        and hris_ref in (select hris_ref from changes_judged where object = 'group')
    );
delete from state.group_links
where hris_ref in (select hris_ref from new_group_matches)
    or deskbird_id in (select deskbird_id from new_group_matches);
insert into state.group_links
select hris_ref, deskbird_id, rule, cast(getvariable('now') as timestamptz) from new_group_matches;
