-- What a plan has found besides changes, in numbers; last the kinds of group by default that nobody
-- is in anywhere.
-- Reads: state.arrivals, state.empty_groups, state.ignored_drift, state.missing, state.review
-- Makes: none
-- Variables: none
select
    (select count(*) from state.missing) as missing,
    (select count(*) from state.review) as review,
    (select count(*) from state.empty_groups) as empty_groups,
    (select count(*) from state.ignored_drift where why = 'kept') as kept,
    (select count(*) from state.ignored_drift where why <> 'kept') as not_retained,
    (
        select coalesce(list(distinct subject order by subject), [])
        from state.arrivals
        where code = 'not_given' and kind = 'group_kind'
    ) as not_given;
