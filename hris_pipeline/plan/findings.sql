-- What a plan finds besides changes: who vanished from the HRIS, what waits for a decision, and
-- groups whose unit got a new id. What was undone is forgotten once the HRIS says otherwise, so
-- that a later return to the old value is planned as usual.
-- Reads: changes_judged, core.groups, core.memberships, core.people, empty_groups, group_matches,
--   group_names, missing_people, person_values, photos_wanted, present_members, review_candidates,
--   review_cases, state.empty_groups, state.ledger, state.links, state.review, state.undone,
--   user_attributes, user_matches
-- Makes: empty_kept, new_group_matches, review_kept
-- Changes: state.empty_groups, state.group_links, state.links, state.missing, state.review,
--   state.undone
-- Variables: now

delete from state.missing;
insert into state.missing from missing_people;

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

-- Groups of ours that are empty and stay: what a guard holds back keeps its group from being so.
create or replace temp table empty_kept as
with held as (
    select group_deskbird_id as deskbird_id
    from changes_judged
    where object = 'membership' and action = 'remove' and verdict = 'blocked'
    union
    select m.group_deskbird_id
    from present_members m
    join changes_judged c on c.deskbird_id = m.user_deskbird_id
    where c.object = 'user' and c.action = 'deactivate' and c.verdict = 'blocked'
)
select e.hris_ref, e.deskbird_id,
    coalesce(s.since, cast(getvariable('now') as timestamptz)) as since
from empty_groups e left join state.empty_groups s using (hris_ref, deskbird_id)
where e.deskbird_id not in (select deskbird_id from held)
    and e.deskbird_id not in (
        select deskbird_id
        from changes_judged
        where object = 'group' and action = 'delete' and verdict = 'planned'
    );
delete from state.empty_groups;
insert into state.empty_groups from empty_kept;

-- A match by marker, by kind and name, by a rule or by members is kept as a link; where a change
-- carries it out, once that is applied.
create or replace temp table new_group_matches as
select hris_ref, deskbird_id, rule from group_matches
where rule <> 'link'
    and not (
        rule in ('rule', 'members')
        and hris_ref in (select hris_ref from changes_judged where object = 'group')
    );
insert into state.links
select hris_ref, deskbird_id, rule, cast(getvariable('now') as timestamptz) from user_matches
where rule = 'marker' and hris_ref not in (select hris_ref from state.links);
delete from state.group_links
where hris_ref in (select hris_ref from new_group_matches)
    or deskbird_id in (select deskbird_id from new_group_matches);
insert into state.group_links
select hris_ref, deskbird_id, rule, cast(getvariable('now') as timestamptz) from new_group_matches;

-- Nothing is concluded of who is in no record tonight, and from what the HRIS did not deliver.
delete from state.undone where rowid in (
    select u.rowid
    from state.undone u join core.people p on u.object <> 'group' and p.hris_ref = u.hris_ref
    left join user_matches m on u.attribute = 'hris_ref' and m.hris_ref = u.hris_ref
    left join core.memberships s on u.object = 'membership'
        and s.group_ref = u.group_ref
        and s.person_id = p.person_id
    left join photos_wanted w on u.attribute = 'photo' and w.hris_ref = u.hris_ref
    left join user_attributes a on a.name = u.attribute
    left join person_values v on v.hris_ref = u.hris_ref and v.attribute = u.attribute
    where case u.attribute
        when 'active' then cast(p.wanted as varchar) <> u.value
        when 'hris_ref' then m.deskbird_id is distinct from u.value
            and u.hris_ref not in (select hris_ref from review_cases)
        when 'member' then cast(s.person_id is not null as varchar) <> u.value
            and not list_contains(p.unknown, string_split(u.group_ref, ':')[2])
        when 'manager' then p.manager_ref is distinct from u.value
            and not list_contains(p.unknown, 'manager_id')
        when 'photo' then w.hris_ref is not null and w.digest is distinct from u.value
        else v.value is distinct from u.value and not list_has_any(p.unknown, a.made_of) end
    union all
    select u.rowid
    from state.undone u left join core.groups c using (hris_ref)
    left join group_matches m using (hris_ref) left join group_names n using (hris_ref)
    where u.object = 'group' and case u.attribute
        when 'active' then cast(coalesce(c.member_count, 0) > 0 as varchar) <> u.value
        when 'hris_ref' then m.deskbird_id is distinct from u.value
        else c.hris_ref is null or n.name <> u.value end);
