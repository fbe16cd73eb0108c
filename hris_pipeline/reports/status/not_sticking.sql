-- Values that deskbird accepted and did not hold.
-- Reads: state.left_alone.
select
    coalesce(hris_ref, deskbird_id) as hris_ref,
    case object when 'membership' then group_ref else attribute end as attribute,
    since
from state.left_alone
where why = 'does_not_stick'
order by since, 1, 2
