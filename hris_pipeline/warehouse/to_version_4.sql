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
