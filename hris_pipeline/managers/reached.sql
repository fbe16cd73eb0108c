-- The reporting lines that can be followed from the top: depth, chain to the top, spans. What is
-- not reached here hangs in or below a cycle.
-- Reads: core.people. Top-down, because a walk from below with a path list costs a gigabyte on a
--   chain of a thousand.

create or replace temp table reporting_lines as
select
    p.person_id,
    m.person_id as manager_id,
    case
        when p.manager_ref = p.hris_ref then 'self'
        when p.manager_ref is not null and m.person_id is null then 'missing'
        when m.status = 'ended' then 'inactive'
    end as problem
from core.people p
left join core.people m on m.hris_ref = p.manager_ref
where p.status <> 'ended';

create or replace temp table reached as
with recursive down as (
    select person_id, manager_id, problem, 0 as depth, cast([] as varchar[]) as chain
    from reporting_lines where manager_id is null or problem is not null
    union all
    select l.person_id, l.manager_id, l.problem, d.depth + 1, list_prepend(l.manager_id, d.chain)
    from down d join reporting_lines l on l.manager_id = d.person_id and l.problem is null
)
from down;

create or replace temp table unreached as
select person_id, manager_id
from reporting_lines
anti join reached using (person_id);

create or replace temp table direct_spans as
select manager_id as person_id, count(*) as direct_reports
from reporting_lines
where manager_id is not null and problem is null
group by all;

create or replace temp table spans as
select ancestor as person_id, count(*) as all_reports
from (select unnest(chain) as ancestor from reached)
group by all;

create or replace temp table around_cycles (
    person_id varchar, all_reports bigint, in_cycle boolean
);
