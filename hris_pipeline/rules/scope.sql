-- Who is in scope, and the rule that decided. An exclude rule wins over an include rule.
-- Reads: scope_judged (for each person what each rule says: true, false, or null where it is not
--   known), core.people_before (as it
-- was the night before). Variable: anybody (there is no include rule). Changes: core.people.
create or replace temp table scope as
with said as not materialized (
    select hris_ref,
        list_position(excluded, true) as out_by,
        list_position(included, true) as in_by,
        list_count(excluded) < len(excluded) as may_be_out,
        list_count(included) < len(included) as may_be_in
    from scope_judged
), judged as not materialized (
    select hris_ref, out_by, in_by,
        case
            when out_by is not null then false
            when in_by is null and not getvariable('anybody') and not may_be_in then false
            when not may_be_out and (getvariable('anybody') or in_by is not null) then true
        end as verdict
    from said
)
select j.hris_ref,
    coalesce(j.verdict, b.in_scope, true) as in_scope,
    -- of somebody new nothing was ever known: neither created nor taken away
    j.verdict is null and coalesce(b.scope_code = 'not_known_yet', b.in_scope is null) as undecided,
    case
        when undecided then 'not_known_yet'
        when j.verdict is null then 'not_known'
        when out_by is not null then 'excluded'
        when in_by is not null then 'included'
        when j.verdict then 'not_excluded'
        else 'not_included'
    end as code,
    case code
        when 'not_known_yet' then 'not known yet'
        when 'not_known' then 'not known: as it was'
        when 'excluded' then 'exclude ' || out_by
        when 'included' then 'include ' || in_by
        when 'not_excluded' then 'no exclude rule matches'
        else 'no include rule matches'
    end as scope_rule
from judged j left join core.people_before b using (hris_ref);
drop table scope_judged;

create or replace table core.people as
select p.* replace (
    s.in_scope as in_scope,
    p.wanted and s.in_scope and not s.undecided as wanted,
    s.scope_rule as scope_rule,
    s.code as scope_code)
from core.people p join scope s using (hris_ref);
