-- Whose row in core.people is another one than before, or new, or gone; and since when the row
-- before was so (null: there was none).
-- Reads: people_now, people_last_night (views of the columns that count), state.people_since.
--   Makes: people_changed.
create or replace temp table people_changed as
select coalesce(t.person_id, b.person_id) as person_id, t.person_id is null as gone,
    case
        when b.person_id is not null then coalesce(
            s.since, (select since from state.people_since where person_id is null)
        )
    end as since
from (select person_id, hash(p) as digest from people_now p) t
full join (select person_id, hash(p) as digest from people_last_night p) b using (person_id)
left join state.people_since s on s.person_id = b.person_id
where t.digest is distinct from b.digest;
