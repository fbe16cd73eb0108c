-- Persons with their records, by the labels; not where one connection would have two people who
-- were not one already (case 23).
-- Reads: close_records, labels, labels_before, violations, core.people_before (last night's
--   core.people), core.quarantine
-- of the night before, state.links, state.people_past, precedence.
-- Adds to: violations. Makes: person_records, primary_refs. Writes: state.persons.

create or replace temp table person_records as
with refused as (
    select distinct label
    from (
        select distinct l.label, b.label as before, connection
        from labels l
        join labels_before b using (hris_ref)
        join close_records using (hris_ref)
        where is_current
    )
    group by label, connection having count(*) > 1
)
select r.*, case when x.label is null then l.label else b.label end as label
from close_records r
join labels l using (hris_ref)
join labels_before b using (hris_ref)
left join refused x on x.label = l.label;

-- Case 23: two people who have not left share an address. Neither is touched, because nobody can
-- say whose account it is.
insert into violations
select hris_ref, 'core.people', 'email_is_unique'
from person_records
where is_current and address in (
    select address
    from person_records
    where is_current and address is not null
    group by address
    having count(distinct label) > 1);

-- A record held back leaves the person's others alone; but from them alone nobody may seem to have
-- left.
insert into violations
with judged as (
    select *, hris_ref in (select hris_ref from violations where "table" = 'core.people') as held
    from person_records
), doubtful as (
    select label
    from judged
    group by label
    having bool_or(held) and not coalesce(bool_or(is_current) filter (not held), false)
)
select hris_ref, 'core.people', 'other_records_are_sound'
from judged
semi join doubtful using (label)
where not held;

create or replace temp table person_records as
with judged as (
    select r.*, c.* exclude (connection),
        hris_ref in (select hris_ref from violations where "table" = 'core.people') as held,
        stored_id is null and hris_ref in (
            select hris_ref
            from core.people_before
            union all
            select hris_ref
            from core.quarantine
            union all
            select hris_ref
            from state.links
            union all select person_id from state.people_past) as was_known
    from person_records r join precedence c using (connection)
), ranked as (
    select *,
        row_number() over (
            partition by label
            order by held, status_rank(status), by_default, start_date desc nulls last, hris_ref
        ) as rank,
        count(*) over (partition by label) as records
    from judged
)
select *,
    first(hris_ref) over (partition by label order by rank) as primary_ref,
    -- the first one the person was known by
    coalesce(
        first(stored_id) over (partition by label order by stored_id is null, since, stored_id),
        first(case when was_known then hris_ref end) over (
            partition by label order by not was_known, start_date nulls last, hris_ref
        ),
        primary_ref) as person_id
from ranked;

create or replace temp table primary_refs as
select hris_ref, primary_ref
from person_records
where hris_ref <> primary_ref;

-- Two persons who turn out to be one: those of their records that are not there tonight come along.
update state.persons p set person_id = m.person_id
from (select distinct stored_id, person_id from person_records where stored_id <> person_id) m
where p.person_id = m.stored_id;
create or replace temp table current_persons as
select hris_ref, person_id from person_records where records > 1 or person_id <> hris_ref
except select hris_ref, person_id from state.persons;
delete from state.persons where hris_ref in (select hris_ref from current_persons);
insert into state.persons
select hris_ref, person_id, cast(getvariable('now') as timestamptz)
from current_persons;
drop table close_records;
drop table ties;
drop table labels;
drop table labels_before;
drop table current_persons;
