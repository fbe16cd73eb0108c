-- From version 2: what people's rows are now is no longer kept beside core.people, only what they
-- were before.
create table if not exists state.people_history (
    person_id varchar not null, seen_at timestamptz not null, gone boolean not null, attributes json
);
insert into state.people_past from state.people_history;
insert into state.people_since
select person_id, max(seen_at)
from state.people_past
semi join core.people using (person_id)
group by person_id
having not max_by(gone, seen_at);
delete from state.people_past p using state.people_since s
where p.person_id = s.person_id and p.seen_at = s.since;
insert into state.people_since
select null, min(since)
from state.people_since
having min(since) is not null;
drop table state.people_history;
drop table if exists state.people_now;

-- A plan may be the undoing of another.
alter table state.plans add column if not exists undoes varchar;
