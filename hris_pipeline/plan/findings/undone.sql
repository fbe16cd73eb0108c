-- state.undone: what was undone is forgotten once the HRIS says otherwise, so that a later return
-- to the old value is planned as usual. Nothing is concluded of who is in no record tonight, and
-- from what the HRIS did not deliver.
-- Reads: core.groups, core.memberships, core.people, group_matches, group_names, person_values,
--   photos_wanted, review_cases, state.undone, user_attributes, user_matches
-- Makes: none
-- Changes: state.undone
-- Variables: none
delete from state.undone where rowid in (
    select u.rowid
    from state.undone u join core.people p on u.object <> 'group' and p.hris_ref = u.hris_ref
    left join user_matches m on u.attribute = 'hris_ref' and m.hris_ref = u.hris_ref
    left join core.memberships s on u.object = 'membership'
        and s.group_ref = u.group_ref
        and s.person_id = p.person_id
    left join photos_wanted w on u.attribute = 'photo' and w.hris_ref = u.hris_ref
    left join user_attributes a on a.name = u.attribute
    left join person_values v on v.hris_ref = u.hris_ref and v.attribute = u.attribute
    where case u.attribute
        when 'active' then cast(p.wanted as varchar) <> u.value
        when 'hris_ref' then m.deskbird_id is distinct from u.value
            and u.hris_ref not in (select hris_ref from review_cases)
        when 'member' then cast(s.person_id is not null as varchar) <> u.value
            and not list_contains(p.unknown, string_split(u.group_ref, ':')[2])
        when 'manager' then p.manager_ref is distinct from u.value
            and not list_contains(p.unknown, 'manager_id')
        when 'photo' then w.hris_ref is not null and w.digest is distinct from u.value
        else v.value is distinct from u.value and not list_has_any(p.unknown, a.made_of) end
    union all
    select u.rowid
    from state.undone u left join core.groups c using (hris_ref)
    left join group_matches m using (hris_ref) left join group_names n using (hris_ref)
    where u.object = 'group' and case u.attribute
        when 'active' then cast(coalesce(c.member_count, 0) > 0 as varchar) <> u.value
        when 'hris_ref' then m.deskbird_id is distinct from u.value
        else c.hris_ref is null or n.name <> u.value end);
