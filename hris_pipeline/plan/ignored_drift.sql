-- What differs because somebody changed it in deskbird, and what of all that differs is left alone:
-- kept as the company file's sync.drift says, or not written again because it did not stick, or was
-- refused, on three nights in a row. Both hold only while the HRIS wants what it wanted then. A
-- deactivation is never given up: while a leaver can still log in, every night tries it and says
-- so. "differing" is what differs, one value a row.
-- Reads: differing, drifting, ignored_drift, state.external_changes, state.not_retained,
--   user_attributes
-- Makes: none
-- Changes: drifting, ignored_drift
-- Variables: parameters.drift_kept
insert into drifting
select d.*, h.since
from differing d
join state.external_changes h on h.object = d.object
    and h.deskbird_id = d.deskbird_id
    and h.attribute = d.attribute
    and same_value(d.attribute, h.was, d.wanted);

insert into ignored_drift
select row,
    d.hris_ref,
    group_ref,
    object,
    deskbird_id,
    attribute,
    if(s.code = 'not_retained', 'not_retained', 'refused') as why,
    s.since,
    s.code
from differing d join state.not_retained s using (object, deskbird_id, attribute)
where s.nights >= 3
    and same_value(attribute, s.wanted, d.wanted)
    and not (attribute = 'active' and d.wanted = 'false')
union all
select row, hris_ref, group_ref, object, deskbird_id, attribute, 'kept', since, null
from drifting semi join differing using (object, deskbird_id, attribute)
where attribute <> 'external_id' and list_contains(getvariable('parameters').drift_kept, case
        when object = 'membership' then string_split(group_ref, ':')[2]
        when object = 'group' then 'group_names'
        else coalesce(
            (select min(a.subject) from user_attributes a where a.name = attribute), attribute
        ) end)
    and (object, deskbird_id, attribute) not in (
        select (object, deskbird_id, attribute) from state.not_retained where nights >= 3);

-- Nobody leaves a group of a kind while the next one refuses them.
insert into ignored_drift
select d.row,
    d.hris_ref,
    d.group_ref,
    d.object,
    d.deskbird_id,
    d.attribute,
    'refused',
    any_value(l.since),
    'successor_refused'
from differing d
join ignored_drift l on l.object = 'membership'
    and l.attribute = d.attribute
    and l.why = 'refused'
    and l.code <> 'successor_refused'
    and string_split(l.group_ref, ':')[2] = string_split(d.group_ref, ':')[2]
join state.not_retained s on s.object = l.object
    and s.deskbird_id = l.deskbird_id
    and s.attribute = l.attribute
    and s.wanted = 'add'
where d.object = 'membership' and d.wanted = 'remove'
group by all;
