-- What a plan finds besides changes: who vanished from the HRIS, what waits for a decision, and groups whose unit got a new id.
-- Reads: missing_tonight, review_tonight, review_candidates, user_matches, group_matches, empty_groups, present_members, changes_judged, state.ledger. Variable: now.

delete from state.missing;
insert into state.missing from missing_tonight;

create or replace temp table review_kept as
select t.hris_ref, t.rule, min(t.deskbird_id) as deskbird_id, coalesce(min(r.since), cast(getvariable('now') as timestamptz)) as since,
    any_value(c.candidates) as candidates
from review_tonight t
left join state.review r on r.hris_ref = t.hris_ref and r.rule = t.rule
left join review_candidates c on c.hris_ref = t.hris_ref
group by t.hris_ref, t.rule;
-- People whose every write was refused for four weeks: something about them only a person can put right.
insert into review_kept by name
with answers as (
    select hris_ref, happened_at, status between 200 and 299 as taken,
        max(happened_at) filter (status between 200 and 299) over (partition by hris_ref) as last_taken
    from state.ledger semi join (from changes_judged where object in ('user', 'manager') and verdict = 'planned') using (hris_ref)
    where phase = 'answered' and starts_with(kind, 'user')
)
select hris_ref, 'fails_for_28_days' as rule, min(happened_at) as since from answers
where not taken and (last_taken is null or happened_at > last_taken)
group by hris_ref
having min(happened_at) <= cast(getvariable('now') as timestamptz) - interval 28 days;
delete from state.review;
insert into state.review by name from review_kept;

-- Groups of ours that are empty and stay: what a guard holds back keeps its group from being so.
create or replace temp table empty_kept as
with held as (
    select group_deskbird_id as deskbird_id from changes_judged where object = 'membership' and action = 'remove' and verdict = 'blocked'
    union
    select m.group_deskbird_id from present_members m join changes_judged c on c.deskbird_id = m.user_deskbird_id
    where c.object = 'user' and c.action = 'deactivate' and c.verdict = 'blocked'
)
select e.hris_ref, e.deskbird_id, coalesce(s.since, cast(getvariable('now') as timestamptz)) as since
from empty_groups e left join state.empty_groups s using (hris_ref, deskbird_id)
where e.deskbird_id not in (select deskbird_id from held)
    and e.deskbird_id not in (select deskbird_id from changes_judged where object = 'group' and action = 'delete' and verdict = 'planned');
delete from state.empty_groups;
insert into state.empty_groups from empty_kept;

-- A match by marker, by kind and name, by a rule or by members is kept as a link; where a change carries it out, once that is applied.
create or replace temp table new_group_matches as
select hris_ref, deskbird_id, rule from group_matches
where rule <> 'link' and not (rule in ('rule', 'members') and hris_ref in (select hris_ref from changes_judged where object = 'group'));
insert into state.links
select hris_ref, deskbird_id, rule, cast(getvariable('now') as timestamptz) from user_matches
where rule = 'marker' and hris_ref not in (select hris_ref from state.links);
delete from state.group_links
where hris_ref in (select hris_ref from new_group_matches) or deskbird_id in (select deskbird_id from new_group_matches);
insert into state.group_links
select hris_ref, deskbird_id, rule, cast(getvariable('now') as timestamptz) from new_group_matches;
