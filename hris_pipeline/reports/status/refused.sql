-- What deskbird refuses night after night: parts that are left alone, and creations.
-- Reads: state.left_alone, state.not_sticking.
select
    coalesce(hris_ref, deskbird_id) as hris_ref,
    case object when 'membership' then group_ref else attribute end as attribute,
    since,
    code,
    false as is_creation
from state.left_alone
where why = 'refused'
union all
select hris_ref, 'creation', since, code, true
from state.not_sticking
where attribute = 'record'
order by since, 1, 2
