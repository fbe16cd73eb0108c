-- What waits for a decision, with the names behind the ids and what has been decided about each pair since.
-- Reads: waits (rows like those of state.review), state.decisions, core.people, core.groups, deskbird.users, deskbird.groups.
with waiting as (
    select hris_ref, rule, since,
        unnest(case when len(candidates) > 0 then candidates else [deskbird_id] end) as deskbird_id
    from waits
), decided as (
    select hris_ref, deskbird_id, decision, decided_by, decided_at from state.decisions
    qualify row_number() over (partition by hris_ref, deskbird_id order by decided_at desc, rowid desc) = 1
), named as (
    select hris_ref, display_name as name from core.people union all select hris_ref, name from core.groups
), known as (
    select deskbird_id, coalesce(display_name, nullif(concat_ws(' ', given_name, family_name), '')) as name, coalesce(email, user_name) as email,
        active, hris_ref, external_id, u as user
    from deskbird.users u
    union all
    select deskbird_id, name, null, null, hris_ref, external_id, null from deskbird.groups
)
select w.hris_ref, any_value(n.name) as name, w.rule, w.since,
    to_json(list({
        'deskbird_id': w.deskbird_id, 'there': k.deskbird_id is not null, 'name': k.name, 'email': k.email, 'active': k.active,
        'hris_ref': k.hris_ref, 'external_id': k.external_id,
        'agrees': coalesce(facts_that('agrees', p, k.user), []), 'differs': coalesce(facts_that('differs', p, k.user), []),
        'decision': d.decision, 'decided_by': d.decided_by, 'decided_at': d.decided_at} order by w.deskbird_id)) as candidates
from waiting w
left join known k using (deskbird_id)
left join core.people p on p.hris_ref = w.hris_ref
left join decided d on d.hris_ref = w.hris_ref and d.deskbird_id = w.deskbird_id and d.decision <> 'replaced' and d.decided_at >= w.since
left join named n on n.hris_ref = w.hris_ref
group by w.hris_ref, w.rule, w.since
order by w.since, w.hris_ref, w.rule
