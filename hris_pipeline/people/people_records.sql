-- Every record of a person once: the employment that counts, clean text, a status derived from the HRIS's word and the dates.
-- Reads: temp view records (all connections' employees with hris_ref and the HRIS's word already translated), temp macro zone_of.
-- Variables: todays (the date in each zone), prehire_days.

-- A last day is inclusive. The HRIS's own "ended" acts at once, except on the last day itself: an HRIS turns the word at its own midnight,
-- which may come hours before the person's. Who was to leave before the first day does not come at all (case 34). A system with one word for
-- those who left and those who are still to come ("not_active") is believed to mean the latter while the first day is ahead.
create or replace temp macro derived_status(word, first_day, last_day, today) as case
    when word is null then null
    when last_day < first_day then 'ended'
    when word = 'not_active' and first_day > today then 'upcoming'
    when word in ('ended', 'not_active') then case when last_day = today then 'active' else 'ended' end
    when last_day < today then 'ended'
    when first_day > today or (word = 'upcoming' and first_day is null) then 'upcoming'
    when word = 'on_leave' then 'on_leave'
    else 'active' end;

-- Of several employments or records: an active one, else leave, else upcoming, else one whose word we do not know, else an ended one.
create or replace temp macro status_rank(status) as
    case status when 'active' then 1 when 'on_leave' then 2 when 'upcoming' then 3 when 'ended' then 5 else 4 end;

create or replace temp table several_employments as
select hris_ref from records group by hris_ref having count(*) > 1;

-- "Not materialized", because DuckDB would else write every record down once more to read it twice.
create or replace temp table people_records as
with dated as not materialized (
    select *,
        try_cast(left(start_date, 10) as date) as first_day,
        try_cast(left(end_date, 10) as date) as last_day,
        zone_of(connection, groups) as zone,
        getvariable('todays')[zone] as today
    from records
), judged as not materialized (
    select *, derived_status(word, first_day, last_day, today) as derived from dated
), counted as (
    select *, true as rows_agree from judged anti join several_employments using (hris_ref)
    union all
    -- a file's rows for one and the same contract, which contradict each other, because else they are one already
    select *, count(*) over (partition by hris_ref, employment_id) = 1 from judged semi join several_employments using (hris_ref)
    qualify row_number() over (
        partition by hris_ref order by status_rank(derived), first_day desc nulls last, employment_id, updated_at desc nulls last) = 1
)
select
    hris_ref,
    connection,
    clean_address(email) as email,
    clean_text(given_name) as given_name,
    clean_text(family_name) as family_name,
    nullif(concat_ws(' ', clean_text(given_name), clean_text(family_name)), '') as display_name,
    derived as status,
    first_day as start_date,
    last_day as end_date,
    connection || ':' || manager_id as manager_ref,
    zone as timezone,
    coalesce(derived in ('active', 'on_leave')
        or (derived = 'upcoming' and first_day <= today + cast(getvariable('prehire_days') as integer)), false) as wanted,
    list_sort(coalesce(absent, [])) as unknown,
    list_sort(list_distinct([connection || ':' || g.kind || ':' || g.id for g in coalesce(groups, [])])) as group_refs,
    (start_date is null or start_date = '' or first_day is not null) and (end_date is null or end_date = '' or last_day is not null) as dates_are_readable,
    rows_agree
from counted;
drop table several_employments;
