-- What waits for a decision, with the names behind the ids and what has been decided about each
-- pair since.
-- Reads: waits (rows like those of state.review), state.decisions, core.people, core.groups,
--   deskbird.users, deskbird.groups.
with waiting as (
    select
        hris_ref,
        rule,
        since,
        unnest(case when len(candidates) > 0 then candidates else [deskbird_id] end) as deskbird_id
    from waits
), decided as (
    select hris_ref, deskbird_id, decision, decided_by, decided_at
    from state.decisions
    qualify row_number() over (
        partition by hris_ref, deskbird_id order by decided_at desc, rowid desc
    ) = 1
), named as (
    select hris_ref, display_name as name from core.people
    union all
    select hris_ref, name from core.groups
), known as (
    select
        deskbird_id,
        coalesce(display_name, nullif(concat_ws(' ', given_name, family_name), '')) as name,
        coalesce(email, user_name) as email,
        active,
        hris_ref,
        external_id,
        u as user
    from deskbird.users u
    union all
    select deskbird_id, name, null, null, hris_ref, external_id, null from deskbird.groups
)
select
    waiting.hris_ref,
    any_value(named.name) as name,
    waiting.rule,
    waiting.since,
    to_json(list({
        'deskbird_id': waiting.deskbird_id,
        'there': known.deskbird_id is not null,
        'name': known.name,
        'email': known.email,
        'active': known.active,
        'hris_ref': known.hris_ref,
        'external_id': known.external_id,
        'agrees': coalesce(facts_that('agrees', p, known.user), []),
        'differs': coalesce(facts_that('differs', p, known.user), []),
        'decision': decided.decision,
        'decided_by': decided.decided_by,
        'decided_at': decided.decided_at
    } order by waiting.deskbird_id)) as candidates
from waiting
left join known using (deskbird_id)
left join core.people p on p.hris_ref = waiting.hris_ref
left join decided
    on decided.hris_ref = waiting.hris_ref
    and decided.deskbird_id = waiting.deskbird_id
    and decided.decision <> 'replaced'
    and decided.decided_at >= waiting.since
left join named on named.hris_ref = waiting.hris_ref
group by waiting.hris_ref, waiting.rule, waiting.since
order by waiting.since, waiting.hris_ref, waiting.rule
