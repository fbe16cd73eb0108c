-- The drafted changes that repair what somebody changed by hand say so; those that are left alone are no changes. 
-- Reads: drifting, left_alone. Changes: draft.
delete from draft where rowid in (select row from left_alone where row is not null);
update draft set
    evidence = json_merge_patch(evidence, '{"drift": true}'),
    reason_code = 'changed_by_hand'
where rowid in (select row from drifting where row is not null);
