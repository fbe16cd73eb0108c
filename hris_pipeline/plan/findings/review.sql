-- state.review: what waits for a decision, since when.
-- Reads: changes_judged, review_candidates, review_cases, state.ledger, state.review
-- Makes: review_kept
-- Changes: state.review
-- Variables: now
create or replace temp table review_kept as
select t.hris_ref, t.rule, min(t.deskbird_id) as deskbird_id,
    coalesce(min(r.since), cast(getvariable('now') as timestamptz)) as since,
    any_value(c.candidates) as candidates
from review_cases t
left join state.review r on r.hris_ref = t.hris_ref and r.rule = t.rule
left join review_candidates c on c.hris_ref = t.hris_ref
group by t.hris_ref, t.rule;
-- People whose every write was refused for four weeks: something about them only a person can put
-- right.
insert into review_kept by name
with answers as (
    select hris_ref, happened_at, status between 200 and 299 as taken,
        max(happened_at) filter (
            status between 200 and 299
        ) over (partition by hris_ref) as last_taken
    from state.ledger
    semi join (
        from changes_judged where object in ('user', 'manager') and verdict = 'planned'
    ) using (hris_ref)
    where phase = 'answered' and starts_with(kind, 'user')
)
select hris_ref, 'fails_for_28_days' as rule, min(happened_at) as since from answers
where not taken and (last_taken is null or happened_at > last_taken)
group by hris_ref
having min(happened_at) <= cast(getvariable('now') as timestamptz) - interval 28 days;
delete from state.review;
insert into state.review by name from review_kept;
