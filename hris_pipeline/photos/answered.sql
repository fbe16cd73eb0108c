-- hris_{connection}.photos from the answers of the HR system. What deskbird refused stays refused
-- while it is the same picture.
-- Reads: answers, hris_{connection}.employees. Variable: now. Changes: hris_{connection}.photos.
create or replace temp table answered as
select a.id,
    case a.outcome when 'unchanged' then p.digest else a.digest end as digest,
    case a.outcome when 'unchanged' then p.media_type else a.media_type end as media_type,
    case
        when a.outcome = 'unchanged'
            or (p.digest = a.digest and p.problem is not null) then p.content
        else a.content
    end as content,
    case a.outcome when 'unchanged' then p.etag else a.etag end as etag,
    r.updated_at as record_updated_at,
    cast(getvariable('now') as timestamptz) as asked_at,
    case when a.outcome = 'unchanged' or p.digest = a.digest then p.problem
         when a.outcome in ('too_large', 'not_an_image') then a.outcome end as problem
from answers a
left join "hris_{connection}".photos p using (id)
left join (
    select id, max(updated_at) as updated_at from "hris_{connection}".employees group by id
) r using (id)
where a.outcome <> 'no_answer';
delete from "hris_{connection}".photos where id in (select id from answered);
insert into "hris_{connection}".photos by name from answered;
drop table answered;
drop table answers;
