-- Attributes of users that were undone and that the HRIS still wants, so that they are not done
-- again (other rows: undone.sql).
-- Reads: state.undone, user_differences
-- Makes: undone_attributes
-- Variables: parameters.undone_is_on
create or replace temp table undone_attributes as
select d.hris_ref, d.attribute
from user_differences d
join state.undone u on u.object = 'user' and u.hris_ref = d.hris_ref and u.attribute = d.attribute
where u.value is not distinct from d.after->>'$' and getvariable('parameters').undone_is_on;
