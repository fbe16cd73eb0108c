-- Values that deskbird accepted and did not hold.
-- Reads: state.ignored_drift.
select
    coalesce(hris_ref, deskbird_id) as hris_ref,
    case object when 'membership' then group_ref else attribute end as attribute,
    since
from state.ignored_drift
where why = 'not_retained'
order by since, 1, 2
