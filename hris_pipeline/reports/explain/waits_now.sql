-- What waits for a decision as of now; rows like those of state.review.
-- Reads: review_cases, review_candidates, state.review. Variable: now.
select
    t.hris_ref,
    t.rule,
    coalesce(min(r.since), cast(getvariable('now') as timestamptz)) as since,
    coalesce(any_value(c.candidates), list(t.deskbird_id)) as candidates,
    min(t.deskbird_id) as deskbird_id
from review_cases t
left join state.review r on r.hris_ref = t.hris_ref and r.rule = t.rule
left join review_candidates c on c.hris_ref = t.hris_ref
group by t.hris_ref, t.rule
