-- The last extract of each resource of each connection.
-- Reads: state.extracts.
select distinct on (connection, resource)
    connection, resource, extracted_at, pages, records, expected, proof, why
from state.extracts
order by connection, resource, extracted_at desc, rowid desc
