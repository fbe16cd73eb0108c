-- What each person's row in core.people was, from some night on: the row of a night is the last one
-- until then. One without values: the person was gone.
-- Reads: state.people_past, state.people_since, core.people.
-- A patch takes out what is null. What is derived of the others (display_name, scope_code) and what
-- the HRIS kept to itself (unknown) makes no other row. What stands in the column "attributes"
-- stands among the others.
create or replace macro state.person_row(p) as json_merge_patch(
    json_merge_patch('{}', to_json(p)),
    coalesce(to_json(p.attributes), '{}'),
    '{"attributes": null, "person_id": null, "display_name": null, "unknown": null, '
    || '"scope_code": null}');

create or replace view state.people_history as
select person_id, seen_at, gone, attributes from state.people_past
union all
select p.person_id, coalesce(s.since, first_night.since), false, state.person_row(p)
from core.people p
left join state.people_since s using (person_id)
cross join (select since from state.people_since where person_id is null) first_night;
