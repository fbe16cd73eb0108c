-- Pictures that differ from the last one that deskbird acknowledged: one more attribute of users.
-- Left alone is what is not known, what could not be written because its bytes are not here, and
-- that somebody has none any more, unless the company file has such values cleared.
-- Reads: matched_people, photos_wanted, state.acknowledged_values
-- Makes: none
-- Changes: user_differences
-- Variables: parameters.cleared
insert into user_differences
select p.hris_ref, p.deskbird_id, 'photo', to_json(a.value), to_json(w.digest)
from matched_people p join photos_wanted w using (hris_ref)
left join state.acknowledged_values a on a.deskbird_id = p.deskbird_id and a.attribute = 'photo'
where p.wanted and p.deskbird_id is not null and w.digest is distinct from a.value
    and case
        when w.digest is null then list_contains(getvariable('parameters').cleared, 'photo')
        else w.is_here
    end;
