-- From version 5. A member that deskbird acknowledged under an id that is no longer there is possibly still one.
alter table state.acknowledged_members add column if not exists is_possible boolean default false;
