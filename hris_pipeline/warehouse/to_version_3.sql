-- From version 2: what people change in deskbird and what does not stick there is kept in tables of its own, which state.sql makes.
create table if not exists state.changed_by_hand (
    object varchar not null, deskbird_id varchar not null, attribute varchar not null, was varchar, since timestamptz not null);
create table if not exists state.not_sticking (
    object varchar not null, deskbird_id varchar not null, attribute varchar not null, wanted varchar, hris_ref varchar, nights bigint not null,
    since timestamptz not null, last_night timestamptz not null);
create table if not exists state.left_alone (
    hris_ref varchar, object varchar not null, deskbird_id varchar not null, attribute varchar not null, group_ref varchar, why varchar not null,
    since timestamptz not null);
