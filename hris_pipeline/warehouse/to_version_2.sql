-- From version 1: what waits for a decision names all its candidates.
alter table state.review add column if not exists candidates varchar[];
