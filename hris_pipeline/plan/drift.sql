-- The drafted changes that repair what somebody changed by hand say so; those that are left alone are no changes. 
-- Reads: drifting, left_alone. Changes: draft.
delete from draft where rowid in (select row from left_alone where row is not null);
update draft set
    evidence = json_merge_patch(evidence, '{"drift": true}'),
    reason = 'Changed in deskbird by hand; the HR system still ' || case object
        when 'membership' then case action when 'add' then 'has the person in this group.' else 'does not have the person in this group.' end
        when 'manager' then case action when 'set' then 'names this manager.' else 'names no manager.' end
        when 'group' then case action when 'rename' then 'calls it by the other name.' else 'has the unit that it belongs to.' end
        else case action when 'reactivate' then 'says that the person works here.' when 'deactivate' then 'says that the person should not be here.'
                  else 'has the person whose it is.' end end
where rowid in (select row from drifting where row is not null);
