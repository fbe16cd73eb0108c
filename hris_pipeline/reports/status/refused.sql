-- What deskbird refuses night after night: parts that are left alone, and creations.
-- Reads: state.ignored_drift, state.not_retained.
select
    coalesce(hris_ref, deskbird_id) as hris_ref,
    case object when 'membership' then group_ref else attribute end as attribute,
    since,
    code,
    false as is_creation
from state.ignored_drift
where why = 'refused'
union all
select hris_ref, 'creation', since, code, true
from state.not_retained
where attribute = 'record'
order by since, 1, 2
