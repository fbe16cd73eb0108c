-- state.people_past and state.people_since from what has changed.
-- Reads: people_changed, people_now, people_last_night. Variable: now.

-- The same night once more: what it kept before is replaced.
delete from state.people_past
where seen_at = getvariable('now') and person_id in (select person_id from people_changed);

insert into state.people_past
select person_id, c.since, false, state.person_row(b)
from people_changed c join people_last_night b using (person_id) where c.since < getvariable('now');

create or replace temp table latest_rows as
select person_id, max_by({'gone': gone, 'attributes': attributes}, seen_at) as latest,
    max(seen_at) as seen_at
from state.people_past semi join people_changed using (person_id) group by person_id;

insert into state.people_past
select person_id, getvariable('now'), true, null
from people_changed c join latest_rows l using (person_id) where c.gone and not l.latest.gone;

-- Back to what it was before this very night: nothing has happened.
create or replace temp table people_resumed as
select person_id, l.seen_at from latest_rows l join people_now t using (person_id)
where not l.latest.gone and l.latest.attributes = state.person_row(t);
delete from state.people_past p using people_resumed r
where p.person_id = r.person_id and p.seen_at = r.seen_at;

insert into state.people_since
select null, getvariable('now')
where not exists (from state.people_since);
delete from state.people_since where person_id in (select person_id from people_changed);
insert into state.people_since
select c.person_id, coalesce(r.seen_at, getvariable('now')) as began
from people_changed c left join people_resumed r using (person_id)
where not c.gone and began <> (select since from state.people_since where person_id is null);
drop table latest_rows; drop table people_resumed;
