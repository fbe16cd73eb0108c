-- Which findings there are to write down, or to forget, besides changes: by the names of their
-- files. Most nights have none of most.
-- Reads: changes_judged, empty_groups, group_matches, handed_on, ignored_drift, missing_people,
--   review_cases, state.contradictions, state.empty_groups, state.ignored_drift, state.missing,
--   state.review, state.undone, user_matches
-- Makes: none
-- Variables: none
select
    exists (from missing_people) or exists (from state.missing) as missing,
    exists (from review_cases)
        or exists (from state.review)
        -- what was refused for weeks
        or exists (from changes_judged where object in ('user', 'manager')) as review,
    exists (from empty_groups) or exists (from state.empty_groups) as empty_groups,
    exists (from user_matches where rule = 'marker') as links,
    exists (from group_matches where rule <> 'link') as group_links,
    exists (from state.undone) as undone,
    exists (from handed_on)
        or exists (from state.contradictions where code = 'address_handed_on')
        as addresses_handed_on,
    exists (from ignored_drift) or exists (from state.ignored_drift) as ignored_drift;
