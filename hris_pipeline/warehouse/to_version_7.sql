-- From version 6. Three tables have other names: what somebody else changed, what deskbird does not
-- retain, and the drift that is ignored. A file of version 1 or 2 has none of the old ones.
create table if not exists state.changed_by_hand as from state.external_changes limit 0;
create table if not exists state.not_sticking as from state.not_retained limit 0;
create table if not exists state.left_alone as from state.ignored_drift limit 0;
insert into state.external_changes by name from state.changed_by_hand;
insert into state.not_retained by name from state.not_sticking;
insert into state.ignored_drift by name
select * replace (if(why = 'does_not_stick', 'not_retained', why) as why) from state.left_alone;
drop table state.changed_by_hand;
drop table state.not_sticking;
drop table state.left_alone;
-- What an undoing left as it was, because somebody had changed it since.
update state.not_undone set why = 'conflict' where why = 'overtaken';
