-- From version 2: a plan may be the undoing of another; the tables of what was undone are new.
alter table state.plans add column if not exists undoes varchar;
