-- Pictures that deskbird refused for what they are: it would refuse them every night.
-- Reads: state.outcomes, state.plan_changes. Parameters: plan_id, run_id. Changes:
--   hris_{connection}.photos.
update "hris_{connection}".photos set problem = 'refused', content = null
where ('{connection}:' || id, digest) in (
    select (c.hris_ref, c.after->>'photo')
    from state.plan_changes c
    join state.outcomes o using (plan_id, seq)
    where plan_id = $plan_id
        and o.run_id = $run_id
        and o.outcome = 'failed'
        and o.http_status in (400, 413, 415, 422)
        and c.after->>'photo' is not null);
