-- Where everybody has a user already, nobody is looked for by e-mail.
-- Reads: none
-- Makes: email_candidates, match_evidence
-- Variables: none
create or replace temp table email_candidates (
    hris_ref varchar, deskbird_id varchar, succeeds boolean
);
create or replace temp table match_evidence (hris_ref varchar, deskbird_id varchar, evidence json);
