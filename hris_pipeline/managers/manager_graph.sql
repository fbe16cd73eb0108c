-- core.manager_graph from the lines that lead to the top, and from those that hang in or below a
-- cycle.
-- Reads: reached, unreached, direct_spans, spans, around_cycles (person_id, all_reports, in_cycle;
--   of everybody unreached).
create or replace table core.manager_graph as
select l.person_id,
    l.manager_id,
    l.depth,
    l.chain,
    coalesce(d.direct_reports, 0) as direct_reports,
    coalesce(s.all_reports, 0) as all_reports,
    l.problem
from reached l left join direct_spans d using (person_id) left join spans s using (person_id)
union all
select l.person_id,
    l.manager_id,
    null,
    null,
    coalesce(d.direct_reports, 0),
    c.all_reports,
    case when c.in_cycle then 'cycle' end
from unreached l left join direct_spans d using (person_id) join around_cycles c using (person_id);
