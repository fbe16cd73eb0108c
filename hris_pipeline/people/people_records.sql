-- Every record of a person once: the employment that counts, clean text, a status derived from the
-- HRIS's word and the dates.
-- Reads: temp view records (all connections' employees with hris_ref and the HRIS's word already
--   translated), core.people_before,
-- core.quarantine, state.people_past, temp macros zone_of, status_of, contradiction_of,
-- last_day_of.
-- Variables: todays (the date in each zone), prehire_days. Makes: people_records.

-- Of several employments or records: an active one, else leave, else upcoming, else one whose word
-- we do not know, else an ended one.
create or replace temp macro status_rank(status) as
    case status
        when 'active' then 1
        when 'on_leave' then 2
        when 'upcoming' then 3
        when 'ended' then 5
        else 4
    end;

-- Of attributes those that somebody has; null for none.
create or replace temp macro known_values(entries) as case when len(
    list_filter(entries, lambda e: e.v is not null)
) > 0
    then map_from_entries(list_filter(entries, lambda e: e.v is not null)) end;

create or replace temp table several_employments as
select hris_ref from records group by hris_ref having count(*) > 1;

-- What people were the night before, where that decides: the word says that they left or are to
-- come, and the first day is not over or lies after the last one. Of a record that was held back
-- that night: what it was before that. Where another record made the person what they were, that
-- counts on the first day only: who goes from one record to the next stays, who waits between two
-- does not.
create or replace temp table statuses_before as
with asked as (
    select distinct hris_ref from records
    where (
        word in ('ended', 'not_active')
        and left(start_date, 10) >= getvariable('first_today')::varchar
    )
        or left(end_date, 10) < left(start_date, 10)
), known as (
    select hris_ref, status, false as by_another from core.people_before
    union all
    select unnest(other_refs), status, true from core.people_before where len(other_refs) > 0
    union all
    select q.hris_ref, max_by(p.attributes->>'status', p.seen_at), false
    from core.quarantine q join asked using (hris_ref)
    join state.people_past p on p.attributes->>'hris_ref' = q.hris_ref
    where q."table" = 'core.people' and not p.gone
    group by q.hris_ref
)
select hris_ref, min(status) as before, bool_and(by_another) as by_another
from known
semi join asked using (hris_ref)
group by hris_ref;

-- "Not materialized", because DuckDB would else write every record down once more to read it twice.
create or replace temp table people_records as
with dated as not materialized (
    select * exclude (before, by_another),
        try_cast(left(start_date, 10) as date) as first_day,
        try_cast(left(end_date, 10) as date) as last_day,
        zone_of(connection, groups) as zone,
        getvariable('todays')[zone] as today,
        case
            when by_another and first_day is distinct from today then null
            else before
        end as before
    from records left join statuses_before using (hris_ref)
), judged as not materialized (
    select *, status_of(word, first_day, last_day, today, before) as derived from dated
), counted as (
    select *, true as rows_agree from judged anti join several_employments using (hris_ref)
    union all
    -- a file's rows for one and the same contract, which contradict each other, because else they
    -- are one already
    select *, count(*) over (partition by hris_ref, employment_id) = 1
    from judged
    semi join several_employments using (hris_ref)
    qualify row_number() over (
        partition by hris_ref
        order by status_rank(derived), first_day desc nulls last, employment_id,
            updated_at desc nulls last) = 1
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
    last_day_of(derived, first_day, last_day, today) as end_date,
    connection || ':' || manager_id as manager_ref,
    zone as timezone,
    coalesce(
        derived in ('active', 'on_leave')
        -- whom the word says not to be here yet on the first day stays as wanted as the night
        -- before
        or (
            derived = 'upcoming'
            and first_day <= today + cast(getvariable('prehire_days') as integer)
                - case when first_day = today and word in ('ended', 'not_active') then 1 else 0 end
        ),
        false
    ) as wanted,
    list_sort(coalesce(absent, [])) as unknown,
    known_values(
        [{'k': e.key, 'v': clean_text(e.value)} for e in map_entries(attributes)]
    ) as attributes,
    list_sort(
        list_distinct([connection || ':' || g.kind || ':' || g.id for g in coalesce(groups, [])])
    ) as group_refs,
    (start_date is null or start_date = '' or first_day is not null)
        and (end_date is null or end_date = '' or last_day is not null) as dates_are_readable,
    rows_agree,
    case when contradiction_of(word, first_day, last_day, today, before) is not null then {
        'code': contradiction_of(word, first_day, last_day, today, before),
        'last_day': last_day,
        'word': word
    } end as contradiction
from counted;
drop table several_employments; drop table statuses_before;
