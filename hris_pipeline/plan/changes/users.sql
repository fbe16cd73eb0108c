-- Users: create, link, update, reactivate, deactivate, and the photos of new users.
-- Reads: contested_users, core.people, deskbird.users, drifting, match_evidence, missing_people,
--   matched_people, person_refs, photos_wanted, review_cases, state.links, tripped_attributes,
--   undone_attributes, user_differences
-- Makes: user_changes
-- Variables: now, parameters.missing_hours, parameters.missing_reads, shown.users
create or replace temp table user_changes as
with created as (
    select people.*
    from matched_people
    join core.people as people using (hris_ref)
    anti join review_cases using (hris_ref)
    where matched_people.wanted and matched_people.deskbird_id is null
), values_held as (
    -- the guards that hold one attribute back, all of it or what comes by one connection
    select differences.*,
        list_concat(
            if(undone_attributes.attribute is not null, ['undone'], []),
            coalesce((
                select list(distinct tripped.guard order by tripped.guard)
                from tripped_attributes as tripped
                where tripped.attribute = differences.attribute
                    and (
                        tripped.connection is null
                        or tripped.connection = string_split(differences.hris_ref, ':')[1]
                    )
            ), [])) as held_by,
        drifting.attribute is not null as is_drift,
        differences.attribute = 'photo' as is_photo,
        differences.after->>'$' is null as is_cleared
    from user_differences as differences
    left join undone_attributes
        on undone_attributes.hris_ref = differences.hris_ref
            and undone_attributes.attribute = differences.attribute
    left join drifting
        on drifting.object = 'user' and drifting.deskbird_id = differences.deskbird_id
            and drifting.attribute = differences.attribute
)
select
    'user' as object,
    'create' as action,
    hris_ref,
    null::varchar as deskbird_id,
    '{}'::json as before,
    with_named_values(
        json_object(
            'hris_ref', hris_ref, 'email', email, 'given_name', given_name, 'family_name',
            family_name,
            'display_name', display_name, 'active', true),
        attributes) as after,
    'no_user' as reason_code,
    json_object(
        'rule', 'no link, marker or e-mail matches', 'status', status, 'start_date', start_date
    ) as evidence,
    'user:' || hris_ref as request_key,
    'user_creations' as phase,
    null::varchar[] as held_by
from created
union all by name
-- A link by state alone gets its marker, where deskbird shows markers at all; a marker of another
-- of the person's records becomes the primary one's.
select
    'user' as object,
    'link' as action,
    hris_ref,
    deskbird_id,
    json_object('hris_ref', external_id) as before,
    json_object('hris_ref', hris_ref) as after,
    case when rule = 'email' then 'same_email'
        when rule = 'successor' then 'same_email_and_name'
        when rule = 'decision' then 'decided'
        when external_id is null then 'user_not_marked'
        else 'other_primary_record' end as reason_code,
    json_merge_patch(
        json_object('rule', rule), coalesce(match_evidence.evidence, '{}')
    ) as evidence,
    'user:' || hris_ref as request_key,
    'users' as phase
from (from matched_people where wanted and not is_marked) as unmarked
join (select deskbird_id, external_id from deskbird.users) as observed using (deskbird_id)
left join match_evidence using (hris_ref, deskbird_id)
where case
    when rule in ('email', 'successor') then true
    when external_id is null
        and list_contains(getvariable('shown').users, 'external_id') then true
    when rule = 'decision' then external_id is not null or not exists (
        from state.links
        where links.hris_ref = unmarked.hris_ref and links.deskbird_id = unmarked.deskbird_id)
    else external_id in (select ref from person_refs where not is_primary) end
union all by name
-- What one guard might hold back and another not is a change of its own; so is what is cleared.
select
    'user' as object,
    'update' as action,
    hris_ref,
    deskbird_id,
    to_json(map_from_entries(list(row(attribute, before) order by attribute))) as before,
    to_json(map_from_entries(list(row(attribute, after) order by attribute))) as after,
    if(is_drift, 'changed_by_hand', 'values_differ') as reason_code,
    if(
        is_drift, json_object('rule', any_value(rule), 'drift', true),
        json_object('rule', any_value(rule))
    ) as evidence,
    if(is_photo, 'photo:', 'user:') || hris_ref as request_key,
    if(is_photo, 'photos', 'users') as phase,
    held_by
from values_held
join matched_people using (hris_ref, deskbird_id)
group by hris_ref, deskbird_id, held_by, is_drift, is_photo, is_cleared
union all by name
select
    'user' as object,
    'reactivate' as action,
    hris_ref,
    deskbird_id,
    json_object('active', false) as before,
    json_object('active', true) as after,
    'works_again' as reason_code,
    json_object('rule', rule, 'status', status, 'start_date', start_date) as evidence,
    'user:' || hris_ref as request_key,
    'users' as phase
from (from matched_people where wanted and not active)
join (select hris_ref, status, start_date from core.people) using (hris_ref)
union all by name
select
    'user' as object,
    'deactivate' as action,
    hris_ref,
    deskbird_id,
    json_object('active', true) as before,
    json_object('active', false) as after,
    case when status <> 'ended' then 'out_of_scope'
        when end_date is not null then 'ended_on_a_day'
        else 'ended' end as reason_code,
    json_object('rule', rule, 'status', status, 'end_date', end_date) as evidence,
    'user:' || hris_ref as request_key,
    'deactivations' as phase
from (from matched_people where not wanted and active and rule in ('link', 'marker', 'decision'))
join (select hris_ref, status, in_scope, end_date from core.people) using (hris_ref)
anti join contested_users using (deskbird_id)
where status = 'ended' or not in_scope
union all by name
-- Gone without a word, for as many complete reads and hours as the company file asks for (case 38).
select
    'user' as object,
    'deactivate' as action,
    hris_ref,
    deskbird_id,
    json_object('active', true) as before,
    json_object('active', false) as after,
    'missing' as reason_code,
    json_object(
        'rule', 'missing', 'missing_since', missing_since, 'complete_reads', complete_reads
    ) as evidence,
    'user:' || hris_ref as request_key,
    'deactivations' as phase
from missing_people
anti join contested_users using (deskbird_id)
where complete_reads >= getvariable('parameters').missing_reads
    and missing_since <= cast(getvariable('now') as timestamptz) - to_hours(
        getvariable('parameters').missing_hours
    )
union all by name
-- Written after the creation, so that a picture that deskbird refuses keeps nobody out.
select
    'user' as object,
    'update' as action,
    hris_ref,
    null as deskbird_id,
    json_object('photo', null) as before,
    json_object('photo', digest) as after,
    'photo_of_new_user' as reason_code,
    '{}'::json as evidence,
    'photo:' || hris_ref as request_key,
    'photos' as phase
from created
join photos_wanted using (hris_ref)
where photos_wanted.is_here;
