-- Users: create, link, update, reactivate, deactivate, drafted as rows of the plan.
-- Reads: pairs, core.people, deskbird.users, state.links, person_refs, user_differences, drifting, review_tonight, contested_users, match_evidence, tripped_attributes, undone_attributes. Adds to: draft.

insert into draft
select 'user', 'create', hris_ref, null, null, null,
    '{}',
    with_named_values(
        json_object('hris_ref', hris_ref, 'email', email, 'given_name', given_name, 'family_name', family_name, 'display_name', display_name, 'active', true),
        attributes),
    null,
    'no_user',
    json_object('rule', 'no link, marker or e-mail matches', 'status', status, 'start_date', start_date),
    'user:' || hris_ref, 2000000, []
from (select hris_ref from pairs where wanted and deskbird_id is null) join core.people using (hris_ref) anti join review_tonight using (hris_ref);

-- A link by state alone gets its marker, where deskbird shows markers at all; a marker of another of the person's records becomes the primary one's.
insert into draft
select 'user', 'link', hris_ref, deskbird_id, null, null,
    json_object('hris_ref', external_id), json_object('hris_ref', hris_ref),
    null,
    case when rule = 'email' then 'same_email'
         when rule = 'successor' then 'same_email_and_name'
         when rule = 'decision' then 'decided'
         when external_id is null then 'user_not_marked'
         else 'other_primary_record' end,
    json_merge_patch(json_object('rule', rule), coalesce(e.evidence, '{}')), 'user:' || hris_ref, 3000000, []
from (from pairs where wanted and not is_marked) p join (select deskbird_id, external_id from deskbird.users) using (deskbird_id)
left join match_evidence e using (hris_ref, deskbird_id)
where case
    when rule in ('email', 'successor') then true
    when external_id is null and list_contains(getvariable('readable_users'), 'external_id') then true
    when rule = 'decision' then external_id is not null
        or not exists (from state.links l where l.hris_ref = p.hris_ref and l.deskbird_id = p.deskbird_id)
    else external_id in (select ref from person_refs where not is_primary) end;

-- What one guard might hold back and another not is a row of its own; so is what is cleared.
insert into draft
select 'user', 'update', d.hris_ref, d.deskbird_id, null, null,
    to_json(map_from_entries(list(row(d.attribute, before) order by d.attribute))), to_json(map_from_entries(list(row(d.attribute, after) order by d.attribute))),
    null,
    case when bool_and(f.attribute is null) then 'values_differ' else 'changed_by_hand' end,
    case when bool_and(f.attribute is null) then json_object('rule', any_value(p.rule)) else json_object('rule', any_value(p.rule), 'drift', true) end,
    case when (d.attribute = 'photo') then 'photo:' else 'user:' end || d.hris_ref, case when (d.attribute = 'photo') then 8000000 else 3000000 end,
    list_concat(case when bool_or(x.attribute is not null) then ['undone'] else [] end, d.held_by)
from (
    select u.*, coalesce((
        select list(distinct t.guard order by t.guard) from tripped_attributes t
        where t.attribute = u.attribute and (t.connection is null or t.connection = string_split(u.hris_ref, ':')[1])), []) as held_by
    from user_differences u
) d join pairs p using (hris_ref, deskbird_id)
left join undone_attributes x on x.hris_ref = d.hris_ref and x.attribute = d.attribute
left join drifting f on f.object = 'user' and f.deskbird_id = d.deskbird_id and f.attribute = d.attribute
group by d.hris_ref, d.deskbird_id, d.held_by, (x.attribute is not null), (f.attribute is null), (d.attribute = 'photo'), (d.after->>'$' is null);

insert into draft
select 'user', 'reactivate', hris_ref, deskbird_id, null, null,
    json_object('active', false), json_object('active', true),
    null,
    'works_again',
    json_object('rule', rule, 'status', status, 'start_date', start_date), 'user:' || hris_ref, 3000000, []
from (from pairs where wanted and not active) join (select hris_ref, status, start_date from core.people) using (hris_ref);

insert into draft
select 'user', 'deactivate', hris_ref, deskbird_id, null, null,
    json_object('active', true), json_object('active', false),
    null,
    case when status <> 'ended' then 'out_of_scope' when end_date is not null then 'ended_on_a_day' else 'ended' end,
    json_object('rule', rule, 'status', status, 'end_date', end_date), 'user:' || hris_ref, 6000000, []
from (from pairs where not wanted and active and rule in ('link', 'marker', 'decision')) join (select hris_ref, status, in_scope, end_date from core.people) using (hris_ref)
anti join contested_users using (deskbird_id)
where status = 'ended' or not in_scope;

-- Gone without a word, for as many complete reads and hours as the company file asks for (case 38).
insert into draft
select 'user', 'deactivate', hris_ref, deskbird_id, null, null,
    json_object('active', true), json_object('active', false),
    null,
    'missing',
    json_object('rule', 'missing', 'missing_since', missing_since, 'complete_reads', complete_reads), 'user:' || hris_ref, 6000000, []
from missing_tonight anti join contested_users using (deskbird_id)
where complete_reads >= getvariable('missing_reads') and missing_since <= cast(getvariable('now') as timestamptz) - to_hours(getvariable('missing_hours'));
