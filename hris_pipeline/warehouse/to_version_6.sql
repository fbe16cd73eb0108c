-- From version 5. A member that deskbird acknowledged under an id that is no longer there is
-- possibly still one. Tables of a night have a column for what sync.attributes names: what a table
-- lacks is added by its contract.
alter table state.acknowledged_members add column if not exists is_possible boolean default false;
