-- state.missing: who vanished from the HRIS.
-- Reads: missing_people
-- Makes: none
-- Changes: state.missing
-- Variables: none
delete from state.missing;
insert into state.missing from missing_people;
