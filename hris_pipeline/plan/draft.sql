-- The plan in the making: what is to change, one row each, and by the names of which guards it is held back.
create or replace temp table draft (
    object varchar, action varchar, hris_ref varchar, deskbird_id varchar, group_ref varchar, group_deskbird_id varchar,
    before json, after json, identity varchar, reason_code varchar, evidence json, request_key varchar, stage integer, guards varchar[]);

-- Stages leave room between them; they are numbered densely at the end.
-- 1000000+ addresses freed for others, 2000000+ creations from the top of the reporting lines down, 3000000 other users,
-- 4000000+ groups, 5000000 managers left over, 6000000 deactivations, 7000000 groups deleted, 8000000 photos.
