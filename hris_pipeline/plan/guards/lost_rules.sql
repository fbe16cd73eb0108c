-- Scope rules that changed their meaning overnight: an include rule that matches nobody now but
-- did, or is new; an exclude rule that matches more than half of the managed users now and did not.
-- "Before" is the last night that ended in line without guard scope_lost, so that nothing comes of
-- waiting.
-- Reads: state.guard_verdicts, state.nights, state.rule_matches
-- Makes: none
-- Variables: base
with good as (
    select max(ended_at) as ended_at from state.nights
    where in_line
        and plan_id not in (
            select plan_id from state.guard_verdicts where guard = 'scope_lost' and tripped
        )
), tonight as (
    select rule, matched, digest
    from state.rule_matches
    where counted_at = (select max(counted_at) from state.rule_matches)
), earlier as (
    select string_split(rule, ' ')[1] as list, digest, arg_max(matched, counted_at) as matched
    from state.rule_matches where counted_at <= (select ended_at from good) group by all
)
select t.rule, string_split(t.rule, ' ')[1] as list
from tonight t left join earlier e on e.list = string_split(t.rule, ' ')[1] and e.digest = t.digest
where case string_split(t.rule, ' ')[1]
    when 'include' then t.matched = 0 and e.matched is distinct from 0
    else t.matched * 2 > getvariable('base')
        and coalesce(e.matched * 2 <= getvariable('base'), true) end
order by t.rule
