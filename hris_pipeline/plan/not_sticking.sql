-- After the read-back: what was acknowledged tonight and is not so counts one night more; what is so, or wanted otherwise, counts no more.
-- Runs within twelve hours of each other are one night.
-- Reads: differing (what still differs), tried (what was acknowledged tonight), left_alone, drifting. Variable: now. Makes: state.not_sticking.
create or replace temp table sticking_counts as
select d.object, d.deskbird_id, d.attribute, d.wanted, d.hris_ref,
    t.object is not null and coalesce(s.last_night <= cast(getvariable('now') as timestamptz) - interval 12 hours, true) as is_another_night,
    coalesce(s.nights, 0) + cast(is_another_night as integer) as nights,
    coalesce(s.since, cast(getvariable('now') as timestamptz)) as since,
    case when is_another_night then cast(getvariable('now') as timestamptz) else s.last_night end as last_night
from (select distinct on (object, deskbird_id, attribute) * from differing) d
left join state.not_sticking s
    on s.object = d.object and s.deskbird_id = d.deskbird_id and s.attribute = d.attribute and same_value(d.attribute, s.wanted, d.wanted)
left join (select distinct object, deskbird_id, attribute, wanted from tried) t
    on t.object = d.object and t.deskbird_id = d.deskbird_id and t.attribute = d.attribute and same_value(d.attribute, t.wanted, d.wanted)
where s.object is not null or t.object is not null;
delete from state.not_sticking where (object, deskbird_id, attribute) not in (select (object, deskbird_id, attribute) from left_alone where why = 'does_not_stick');
insert into state.not_sticking select object, deskbird_id, attribute, wanted, hris_ref, nights, since, last_night from sticking_counts;

-- What somebody changed and is in line again, or wanted otherwise by now, is history.
delete from state.changed_by_hand where (object, deskbird_id, attribute) not in (select (object, deskbird_id, attribute) from drifting);
