-- Who should be in which group in deskbird, and who is: of the people who are wanted and whose user
-- is or will be there. "members" holds rows of core.groups, matched_people and our_groups, by
-- rowid: millions of refs, twice, would fill the memory.
-- Reads: core.groups, core.memberships, group_matches, known_groups, observed_groups,
--   matched_people, present_members, review_cases
-- Makes: group_sizes, members, our_groups
-- Variables: none

-- A marker or an old link counts where its unit has no other group: of two groups with one marker,
-- only one is ours.
create or replace temp table our_groups as
select x.deskbird_id as group_deskbird_id, x.group_ref, string_split(x.group_ref, ':')[2] as kind,
    c.rowid as group_row
from (
    select g.deskbird_id,
        coalesce(m.hris_ref, case when t.hris_ref is null then k.ref end) as group_ref
    from observed_groups g
    left join known_groups k using (deskbird_id)
    left join group_matches m using (deskbird_id)
    left join group_matches t on t.hris_ref = k.ref
) x
left join core.groups c on c.hris_ref = x.group_ref
where x.group_ref is not null
qualify row_number() over (partition by x.group_ref order by x.deskbird_id) = 1;

-- "Is wanted": by the HRIS; with a row of our_groups: there already. Somebody who is only possibly
-- there is added again.
create or replace temp table members as
with wanted as (
    select g.rowid as group_row, p.rowid as pair_row, true as is_wanted
    from core.memberships s
    join core.groups g on g.hris_ref = s.group_ref
    join matched_people p using (person_id)
    where p.wanted
        and (p.deskbird_id is not null or p.hris_ref not in (select hris_ref from review_cases))
), present as (
    select o.group_row, p.rowid as pair_row, o.rowid as our_row, m.is_possible
    from present_members m
    join our_groups o using (group_deskbird_id)
    join matched_people p on p.deskbird_id = m.user_deskbird_id
    where p.wanted
)
select group_row, pair_row, coalesce(is_wanted, false) as is_wanted,
    case when is_wanted and is_possible then null else our_row end as our_row
from wanted full join present using (group_row, pair_row);

create or replace temp table group_sizes as
select group_row, count(*) as members from members where is_wanted group by all;
