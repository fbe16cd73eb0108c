-- core.people: one row for each person. Most have one record, which passes straight through.
-- Reads: people_records, person_records (those of the few who may have several), primary_refs,
--   violations.

create or replace temp table people_of_records as
with sound as (
    select *, is_current and not held as counts, is_current and held as is_held from person_records
), drawn as (
    -- Each attribute from the first current record that has a value, in the order of its
    -- connections. Where that record is held back it is not known tonight what the person should
    -- have: the next one's value is shown, and nothing is concluded from it.
    select
        label,
        first(email order by by_email, rank) filter (counts and email is not null) as email,
        first(
            given_name order by by_given_name, rank
        ) filter (counts and given_name is not null) as given_name,
        first(
            family_name order by by_family_name, rank
        ) filter (counts and family_name is not null) as family_name,
        first(
            manager_ref order by by_manager, rank
        ) filter (counts and manager_ref is not null) as manager_ref,
        list_reduce(
            list(attributes order by by_default, rank) filter (counts and attributes is not null),
            lambda one, other: map_concat(other, one)
        ) as attributes,
        coalesce(
            flatten(list(map_keys(attributes)) filter (is_held and is_current)), []
        ) as unsaid_attributes,
        coalesce(
            list_sort(list_distinct(flatten(list(group_refs) filter (counts)))), []
        ) as group_refs,
        list_reduce(
            list(unknown) filter (counts), lambda one, other: list_intersect(one, other)
        ) as unknown,
        list_filter([
            case
                when first(is_held order by by_email, rank) filter (
                    is_current and email is not null
                ) then 'email'
            end,
            case
                when first(is_held order by by_given_name, rank) filter (
                    is_current and given_name is not null
                ) then 'given_name'
            end,
            case
                when first(is_held order by by_family_name, rank) filter (
                    is_current and family_name is not null
                ) then 'family_name'
            end,
            case
                when first(is_held order by by_manager, rank) filter (
                    is_current and manager_ref is not null
                ) then 'manager_id'
            end
        ], lambda name: name is not null) as unsaid,
        coalesce(
            [string_split(ref, ':')[2] for ref in flatten(list(group_refs) filter (is_held))], []
        ) as unsaid_kinds,
        list_sort(list(hris_ref) filter (rank > 1)) as other_refs,
        bool_or(counts) as is_current
    from sound group by label
)
select
    p.person_id, p.hris_ref,
    case when d.is_current then d.email else p.email end as email,
    case when d.is_current then d.given_name else p.given_name end as given_name,
    case when d.is_current then d.family_name else p.family_name end as family_name,
    p.status, p.start_date, p.end_date,
    case when d.is_current then d.manager_ref else p.manager_ref end as manager_ref,
    p.timezone, p.wanted,
    case when d.is_current
        then list_sort(
            list_distinct(list_concat(d.unknown, d.unsaid, d.unsaid_kinds, d.unsaid_attributes))
        )
        else p.unknown end as unknown,
    -- of what a record that is held back has, nothing is concluded
    case when d.is_current then known_values([
        {
            'k': e.key,
            'v': case when not list_contains(d.unsaid_attributes, e.key) then e.value end
        } for e in map_entries(d.attributes)
    ]) else p.attributes end as attributes,
    case when d.is_current then d.group_refs else p.group_refs end as group_refs,
    coalesce(d.other_refs, []) as other_refs
from person_records p join drawn d using (label)
where p.rank = 1 and not p.held;

create or replace table core.people as
with everybody as (
    select hris_ref as person_id,
        hris_ref,
        email,
        given_name,
        family_name,
        display_name,
        status,
        start_date,
        end_date,
        manager_ref,
        timezone, wanted, unknown, group_refs, cast([] as varchar[]) as other_refs, attributes
    from people_records
    anti join (
        select hris_ref
        from person_records
        union all
        select hris_ref
        from violations
        where "table" = 'core.people'
    ) using (hris_ref)
    union all by name
    select *, nullif(concat_ws(' ', given_name, family_name), '') as display_name
    from people_of_records
)
select
    p.person_id, p.hris_ref, p.email, p.given_name, p.family_name, p.display_name, p.status,
    p.start_date, p.end_date,
    coalesce(m.primary_ref, p.manager_ref) as manager_ref,
    p.timezone, true as in_scope, cast(null as varchar) as scope_rule,
    cast(null as varchar) as scope_code,
    p.wanted, p.unknown, p.group_refs, p.other_refs, p.attributes
from everybody p left join primary_refs m on m.hris_ref = p.manager_ref;
drop table people_of_records;
drop table person_records;
drop table primary_refs;
drop table people_records;
