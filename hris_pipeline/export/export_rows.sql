-- One row for each person who is to be active in deskbird: what the import's cells would be,
-- whether that differs from the last export, and what stands against writing it. A rule of whose
-- attribute the HRIS told nothing decides nothing, nor do the rules after it.
-- Reads: core.people, deskbird.users, state.links, state.exports, export_judged. Variables: roles,
--   offices (what each rule gives), frozen.
-- Makes: export_rows.
create or replace temp macro chosen(said, given) as case
    when list_position(
        list_transform(said, lambda one: one is distinct from false), true
    ) = list_position(said, true)
    then given[list_position(said, true)] end;
create or replace temp macro is_formula(cell) as regexp_matches(cell, '^[=+\-@\t\r\n]');

create or replace temp table export_rows as
with users as (
    select u.*, coalesce(u.hris_ref, l.hris_ref) as ref
    from (select * from deskbird.users where active) u
    left join (
        select deskbird_id, min(hris_ref) as hris_ref from state.links group by all
    ) l using (deskbird_id)
), refs as (
    select hris_ref, hris_ref as ref from core.people where wanted
    union all
    select hris_ref, unnest(other_refs) from core.people where wanted and other_refs <> []
), matched as (
    -- of several users none is known to be the person's
    select r.hris_ref, any_value(u.deskbird_id) as deskbird_id from refs r join users u using (ref)
    group by r.hris_ref having count(distinct u.deskbird_id) = 1
), rows as (
    select p.hris_ref, m.deskbird_id,
        coalesce(u.email, u.user_name, p.email) as email,
        coalesce(nullif(trim(u.given_name), ''), p.given_name) as given_name,
        coalesce(nullif(trim(u.family_name), ''), p.family_name) as family_name,
        chosen(j.roles, getvariable('roles')) as role,
        chosen(j.offices, getvariable('offices')) as main_office,
        list_has_any(getvariable('frozen'), list_prepend(p.hris_ref, p.other_refs))
            or list_has_any(
                [email_key(x) for x in getvariable('frozen')],
                [email_key(x) for x in [p.email, u.email, u.user_name]]
            ) as is_frozen
    from (select * from core.people where wanted) p
    join export_judged j using (hris_ref)
    left join matched m using (hris_ref)
    left join deskbird.users u on u.deskbird_id = m.deskbird_id
)
select r.* exclude (is_frozen),
    case
        when is_frozen then 'frozen'
        when r.deskbird_id is null then 'no_user'
        when r.role is null then 'no_role'
        when r.main_office is null then 'no_office'
        when r.given_name is null or r.family_name is null then 'no_name'
        when is_formula(r.email)
            or is_formula(r.given_name)
            or is_formula(r.family_name)
            or is_formula(r.main_office) then 'formula'
    end as obstacle,
    e.hris_ref is null
        or e.attributes->>'deskbird_id' <> r.deskbird_id
        or e.attributes->>'role' is distinct from r.role
        or e.attributes->>'main_office' is distinct from r.main_office as differs
from rows r left join state.exports e using (hris_ref);
