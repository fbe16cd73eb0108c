-- From version 3. New tables are in state.sql; here is what existing ones gain or lose.
select 1;
-- Which limit of a guard tripped, as data.
alter table state.guard_verdicts add column if not exists code varchar default 'other';
alter table state.guard_verdicts add column if not exists in_window bigint;
alter table state.guard_verdicts add column if not exists max_count double;
alter table state.guard_verdicts add column if not exists max_percent double;
alter table state.guard_verdicts add column if not exists days bigint;
alter table state.guard_verdicts add column if not exists connection varchar;
alter table state.guard_verdicts add column if not exists since timestamptz;
alter table state.guard_verdicts add column if not exists remedy varchar;

-- Plans and approvals are sealed: what an older version wrote is taken as it is.
alter table state.plans add column if not exists judgement_digest varchar;
alter table state.plan_changes add column if not exists row_digest varchar;
alter table state.approvals add column if not exists digest varchar;
update state.plan_changes set row_digest = change_digest(
    seq, request, stage, object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id,
    "before", "after",
    reason, evidence, verdict, guard, guards, content);
update state.plans p set judgement_digest = judgement_digest(
    plan_id, number, made_at, after_plan, changes, blocked, as_of, undoes,
    (
        select string_agg(row_digest, chr(30) order by seq)
        from state.plan_changes c
        where c.plan_id = p.plan_id
    ));
update state.approvals set digest = approval_digest(
    plan_id, content, guards, decision, because, decided_by, decided_at, expires_at);

-- What became of a change has a code beside its sentence, and may differ by attribute. Older files
-- have the sentence only.
alter table state.outcomes add column if not exists problem_code varchar;
alter table state.outcomes add column if not exists parts json;
update state.outcomes set problem_code = 'already_so'
where problem_code is null and problem = 'It is so in deskbird already.';
alter table if exists state.not_sticking
add column if not exists code varchar default 'not_retained';
alter table if exists state.left_alone add column if not exists code varchar;

-- Dialects were known by kind of write, whatever the request that proved it. Only the kinds that
-- have one form are proven by that.
create temp table known_forms as
select kind as form, dialect, learnt_at from state.dialects
where kind in (
    'user_create', 'user_active', 'user_photo', 'group_create', 'group_delete', 'members_remove'
);
drop table state.dialects;
create table state.dialects (
    form varchar primary key, dialect varchar not null, learnt_at timestamptz not null,
    evidence varchar, doubts integer not null default 0);
insert into state.dialects (form, dialect, learnt_at) from known_forms;
drop table known_forms;
