-- Managers whose id is written in another way than their own record has it: "7" for "0007",
-- "1001.0", "Name (0001)", "0001 - Name". Only references that are nobody's id as they stand are
-- looked at, and only where exactly one record fits. Reads and changes: people_records
-- (manager_ref). Makes: manager_references (manager_ref, meant, lines).

-- The same id, whatever zeros a spreadsheet has taken or added, and in capitals or not.
create or replace temp macro loose_id(id) as case
    when regexp_full_match(id, '[0-9]+([.,]0+)?') then coalesce(
        nullif(ltrim(regexp_replace(id, '[.,]0+$', ''), '0'), ''), '0'
    )
    else lower(id) end;

create or replace temp table manager_references as
with unknown as (
    select distinct connection, manager_ref, trim(manager_ref[len(connection) + 2:]) as written
    from people_records
    where manager_ref is not null and manager_ref not in (select hris_ref from people_records)
), candidates as (
    select distinct connection, manager_ref, id
    from (
        select connection, manager_ref, trim(unnest([
            written,
            regexp_extract(written, '[(\[]([^()\[\]]+)[)\]]$', 1),
            regexp_extract(written, '^[(\[]([^()\[\]]+)[)\]]', 1),
            regexp_extract(written, '^(\S*[0-9]\S*?)[:;|,/]?\s+[^0-9]+$', 1),
            regexp_extract(written, '^(\S+)\s+[-–—|:/]\s+.*$', 1),
            regexp_extract(written, '^.*\s[-–—|:/]\s*(\S+)$', 1),
            regexp_extract(written, '^\D+[,;|:]\s*(\S+)$', 1)
        ])) as id
        from unknown
    ) where id <> ''
), ids as (
    select distinct connection, hris_ref, hris_ref[len(connection) + 2:] as id from people_records
), fits as (
    select c.manager_ref, i.hris_ref, true as is_exact
    from candidates c
    join ids i on i.connection = c.connection and i.id = c.id
    union
    select c.manager_ref, i.hris_ref, false
    from candidates c join ids i on i.connection = c.connection and loose_id(i.id) = loose_id(c.id)
), best as (
    from fits qualify rank() over (partition by manager_ref order by is_exact desc) = 1
)
select b.manager_ref, b.meant, p.lines
from (
    select manager_ref, min(hris_ref) as meant
    from best
    group by manager_ref
    having count(distinct hris_ref) = 1
) b
join (
    select manager_ref, count(*) as lines from people_records group by manager_ref
) p using (manager_ref);

update people_records set manager_ref = m.meant
from manager_references m where m.manager_ref = people_records.manager_ref;
