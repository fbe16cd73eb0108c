-- From version 3. New tables are in state.sql; here is what existing ones gain or lose.
select 1;

-- What became of a change has a code beside its sentence, and may differ by attribute.
alter table state.outcomes add column if not exists problem_code varchar;
alter table state.outcomes add column if not exists parts json;
update state.outcomes set problem_code = 'already_so' where problem_code is null and starts_with(problem, 'It is so');
alter table state.not_sticking add column if not exists code varchar default 'not_retained';
alter table state.left_alone add column if not exists code varchar;

-- Dialects were known by kind of write, whatever the request that proved it. Only the kinds that have one form are proven by that.
create temp table known_forms as
select kind as form, dialect, learnt_at from state.dialects
where kind in ('user_create', 'user_active', 'user_photo', 'group_create', 'group_delete', 'members_remove');
drop table state.dialects;
create table state.dialects (
    form varchar primary key, dialect varchar not null, learnt_at timestamptz not null, evidence varchar, doubts integer not null default 0);
insert into state.dialects (form, dialect, learnt_at) from known_forms;
drop table known_forms;
