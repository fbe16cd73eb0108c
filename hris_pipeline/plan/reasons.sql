-- The one place that puts the reason of a change into words, from its code
-- (contracts/change_kinds.py) and the facts that it rests on. Nothing decides by these sentences;
-- whatever is to be decided goes by the code. DuckDB takes an arrow after a macro's parameter for a
-- lambda, so that facts are taken out by function.
-- Reads: none
-- Makes: reason_of
-- Variables: none

create or replace temp macro reason_of(code, object, action, "after", evidence) as case code
    when 'no_user' then 'The person works here and deskbird has no user for them.'
    when 'same_email' then 'A user with the same e-mail is there and belongs to nobody.'
    when 'same_email_and_name'
        then 'A user with the same e-mail and name is there, whose own record ended or is gone in '
            || 'the HRIS.'
    when 'decided' then 'It was decided that this user is the person''s.'
    when 'user_not_marked' then 'The user is linked to the person but does not carry our marker.'
    when 'other_primary_record' then 'The person has another primary record in the HRIS now.'
    when 'values_differ' then 'The HRIS says otherwise than deskbird: '
        || array_to_string(
            list_transform(json_keys("after"), lambda name: replace(name, '_', ' ')), ', '
        ) || '.'
    when 'works_again' then 'The person works here again and deskbird''s user is inactive.'
    when 'out_of_scope' then 'The person is no longer in the company file''s scope.'
    when 'ended_on_a_day' then 'The employment ended on ' || json_extract_string(
        evidence, '$.end_date'
    ) || '.'
    when 'ended' then 'The HRIS says that the employment ended.'
    when 'missing' then 'The HRIS has had no record of the person since '
        || left(json_extract_string(evidence, '$.missing_since'), 10)
        || ', in ' || json_extract_string(evidence, '$.complete_reads') || ' complete reads.'
    when 'photo_of_new_user' then 'The HRIS has a photo of the person whose user is new.'
    when 'no_group' then 'People are in it in the HRIS and deskbird has no such group.'
    when 'group_name_taken'
        then 'People are in it in the HRIS; deskbird''s group of that name was made by hand, so '
            || 'this one gets another name.'
    when 'group_linked_by_rule' then 'The company file links this group to the unit.'
    when 'group_has_same_members' then 'The unit has a new id in the HRIS and the same members.'
    when 'group_not_marked' then 'The group is linked to the unit but does not carry our marker.'
    when 'unit_with_new_id_renamed'
        then 'A unit of another id and name has the members of this group: it was renamed in the '
            || 'HRIS.'
    when 'unit_renamed' then 'The HRIS calls it otherwise now.'
    when 'group_empty'
        then 'Nobody is in it any more, and the company file has empty groups deleted.'
    when 'in_group' then 'The HRIS has the person in this group.'
    when 'not_in_group' then 'The HRIS no longer has the person in this group.'
    when 'manager_named' then 'The HRIS names this manager.'
    when 'no_manager_named' then 'The HRIS names no manager.'
    when 'steps_aside' then 'Two or more swap what only one can have; this one steps aside first.'
    when 'changed_by_hand'
        then 'Changed in deskbird by hand; the HR system still ' || case object || ' ' || action
        when 'user update' then 'has another value: '
            || array_to_string(
                list_transform(json_keys("after"), lambda name: replace(name, '_', ' ')), ', '
            ) || '.'
        when 'user reactivate' then 'says that the person works here.'
        when 'user deactivate' then 'says that the person should not be here.'
        when 'membership add' then 'has the person in this group.'
        when 'membership remove' then 'does not have the person in this group.'
        when 'manager set' then 'names this manager.'
        when 'manager clear' then 'names no manager.'
        when 'group rename' then 'calls it by the other name.'
        else case object
            when 'group' then 'has the unit that it belongs to.'
            else 'has the person whose it is.'
        end end
    when 'changed_by_a_run' then 'It is otherwise than run '
        || left(json_extract_string(evidence, '$.damage.run_id'), 8)
        || ' left it, and the HR system still wants it so.'
    else if(starts_with(code, 'undoes_'), 'Undoes plan '
        || json_extract_string(evidence, '$.undoes') || ': '
        || case code
            when 'undoes_creation'
                then 'it created this user; a user is never deleted, only deactivated.'
            when 'undoes_reactivation' then 'it reactivated this user.'
            when 'undoes_deactivation' then 'it deactivated this user.'
            when 'undoes_values'
                then array_to_string(list_transform(json_keys("after"), lambda name: case name
                        when 'hris_ref' then 'our marker' when 'name' then 'the name' else replace(
                            name, '_', ' '
                        ) end),
                        ', ')
                    || if(
                        len(json_keys("after")) > 1, ' go back to what they were.',
                        ' goes back to what it was.'
                    )
            when 'undoes_group_creation' then 'it created this group, and nobody else is in it.'
            when 'undoes_group_deletion'
                then 'it deleted this group; it comes back under another id.'
            when 'undoes_addition' then 'it put the person into this group.'
            when 'undoes_removal' then 'it took the person out of this group.'
            when 'undoes_former_membership'
                then 'it deleted this group; who was in it is in it again.'
            when 'undoes_manager' then 'the manager goes back to what it was.'
        end, null)
end;
