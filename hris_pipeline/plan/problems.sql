-- The one place that puts into words what the plan itself knows of a change that was not carried
-- out, from its code (contracts/writes.py has all of them; what deskbird answered is worded in
-- deskbird/). Nothing decides by these sentences.
-- Reads: none
-- Makes: problem_of
-- Variables: none
create or replace temp macro problem_of(code, guard) as case code
    when 'already_so' then 'It is so in deskbird already.'
    when 'changed_meanwhile'
        then 'Not done: deskbird or the HRIS has changed since the plan was made. Make a new plan.'
    when 'held_back' then 'Held back by guard ' || guard || '.'
    when 'not_reached' then 'Not reached: the run ended before. The next run goes on from here.'
    when 'manager_pending' then 'The manager is not in deskbird yet; it is set as soon as they are.'
    when 'reference_missing' then 'deskbird has no such user yet; the next run tries again.'
end;
