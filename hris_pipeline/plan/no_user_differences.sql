-- Where every user is to the letter as the person is to be, no attribute is looked at.
-- Reads: none
-- Makes: user_differences
-- Variables: none
create or replace temp table user_differences (
    hris_ref varchar, deskbird_id varchar, attribute varchar, before json, after json
);
