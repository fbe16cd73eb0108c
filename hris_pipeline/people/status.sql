-- What a person is tonight, from the word and the days of the HR system: the one place that decides
-- it, for every system. status.py says it as a table of every combination; a test holds the table
-- against these macros.
-- Makes: macros real_day, status_of, contradiction_of, last_day_of.

-- Some systems write a day of long ago for none: 1900-01-01, 1753-01-01, 1970-01-01. Nobody who is
-- listed today left then.
create or replace temp macro real_day(last_day) as case
    when last_day > date '1980-01-01' then last_day
end;

-- Here last_day is a real day or null. "Before" is the status of the last night; null where the
-- record was not known.
create or replace temp macro status_of_days(word, first_day, last_day, today, before) as case
    when word is null then null
    when last_day < first_day then case
        when first_day > today then case
            when before in ('active', 'on_leave')
                and (
                    last_day = today or (last_day > today and word not in ('ended', 'not_active'))
                ) then before
            else 'ended' end
        when word in ('active', 'on_leave') then word
        when word = 'upcoming' then case
            when before in ('active', 'on_leave') then before
            else 'ended'
        end
        when first_day = today then coalesce(before, 'ended')
        else 'ended' end
    when word in ('ended', 'not_active') then case
        when last_day = today then 'active'
        when first_day = today then coalesce(before, 'ended')
        when first_day > today and before in ('active', 'on_leave') then before
        when first_day > today and word = 'not_active' then 'upcoming'
        else 'ended' end
    when last_day < today then 'ended'
    when first_day > today or (word = 'upcoming' and first_day is null) then 'upcoming'
    when word = 'on_leave' then 'on_leave'
    else 'active' end;

create or replace temp macro status_of(word, first_day, last_day, today, before) as
    status_of_days(word, first_day, real_day(last_day), today, before);

-- Where the word and the days do not go together: a code, even where it is decided; null where they
-- do.
create or replace temp macro contradiction_of(word, first_day, last_day, today, before) as case
    when word in ('active', 'on_leave', 'upcoming') then case
        when last_day < first_day and first_day <= today then 'last_day_before_first_day'
        when last_day <= date '1980-01-01' then 'last_day_is_no_day'
        when last_day < first_day
            and last_day >= today
            and before in ('active', 'on_leave') then 'last_day_before_first_day'
        when last_day < today - 1
            and last_day >= coalesce(first_day, last_day)
            and word <> 'upcoming'
            then 'active_after_last_day' end
    when word in ('ended', 'not_active') then case
        when first_day = today and last_day is distinct from today then 'ended_on_first_day'
        when first_day > today and before in ('active', 'on_leave') then case
            when real_day(last_day) is null or last_day >= first_day then 'ended_before_first_day'
            when last_day = today then 'last_day_before_first_day'
            when last_day > today then 'ended_before_last_day' end
        when last_day > today
            and (first_day is null or first_day < today) then 'ended_before_last_day' end
    end;

-- The last day that counts; null where there is none, or where it lies before the first day of
-- somebody who is here.
create or replace temp macro last_day_of(status, first_day, last_day, today) as
    case when not coalesce(
        last_day < first_day and first_day <= today and status in ('active', 'on_leave'), false
    )
        then real_day(last_day) end;
