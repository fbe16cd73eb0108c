-- The plan's id, and that of the plan that wrote last (empty if none ever did). The id is a digest
-- of the company, the plan that wrote last, and the ordered (object, action, refs, before, after).
-- Parameter: the company.
-- Reads: changes_judged, state.plans
-- Makes: none
-- Variables: none
with latest as (
    select coalesce(
        (select plan_id from state.plans where written order by number desc limit 1), ''
    ) as last_written
), lines as (
    select
        seq,
        change_line(
            object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id, before, after
        ) as line
    from changes_judged
)
select
    left(
        sha256(
            concat_ws(
                chr(30), ?, last_written, coalesce(string_agg(line, chr(30) order by seq), '')
            )
        ),
        16
    ) as plan_id,
    last_written
from latest
left join lines on true
group by last_written;
