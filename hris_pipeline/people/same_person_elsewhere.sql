-- Two accounts of one company: records of different connections that share an address, none of them
-- ended, are one person whatever they are called.
-- Reads: close_records, labels. Adds to: ties. Makes: labels_before.
create or replace temp table labels_before as from labels;
insert into ties
select hris_ref, 'address ' || address from close_records
where is_current and regexp_full_match(address, '[^@\s]+@[^@\s]+\.[^@\s]+');
