-- What differs because somebody changed it in deskbird, and what of all that differs is left alone: kept as the company file's sync.drift says, or not
-- written again because it did not stick on three nights in a row. Both hold only while the HRIS wants what it wanted then.
-- Reads: differing (what differs, one value a row), state.changed_by_hand, state.not_sticking. Variable: drift_kept. Adds to: drifting, left_alone.
insert into drifting
select d.*, h.since
from differing d
join state.changed_by_hand h on h.object = d.object and h.deskbird_id = d.deskbird_id and h.attribute = d.attribute and same_value(d.attribute, h.was, d.wanted);

insert into left_alone
select row, d.hris_ref, group_ref, object, deskbird_id, attribute, 'does_not_stick' as why, s.since
from differing d join state.not_sticking s using (object, deskbird_id, attribute)
where s.nights >= 3 and same_value(attribute, s.wanted, d.wanted)
union all
select row, hris_ref, group_ref, object, deskbird_id, attribute, 'kept', since
from drifting semi join differing using (object, deskbird_id, attribute)
where attribute <> 'external_id' and list_contains(getvariable('drift_kept'), case
        when object = 'membership' then string_split(group_ref, ':')[2]
        when object = 'group' then 'group_names'
        when attribute = 'user_name' then 'email'
        else attribute end)
    and (object, deskbird_id, attribute) not in (
        select (object, deskbird_id, attribute) from state.not_sticking where nights >= 3);
