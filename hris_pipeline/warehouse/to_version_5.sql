-- From version 4. The reason of a change, and what the scope says of a person, have a code beside
-- the words. Of what is stored the code follows from the facts that the reason rests on, never from
-- the words.
alter table state.plan_changes add column if not exists reason_code varchar;
alter table deskbird.changes add column if not exists reason_code varchar;

-- Only what is as it was sealed is sealed anew: what was altered is still found.
create temp table sound_rows as
select plan_id, seq from state.plan_changes
where row_digest = change_digest(
    seq, request, stage, object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id,
    "before", "after",
    reason, evidence, verdict, guard, guards, content, reason_code := reason_code);
create temp table sound_plans as
select plan_id from state.plans p
where judgement_digest = judgement_digest(
    plan_id, number, made_at, after_plan, changes, blocked, as_of, undoes,
    (
        select string_agg(row_digest, chr(30) order by seq)
        from state.plan_changes c
        where c.plan_id = p.plan_id
    ));

update state.plan_changes c set reason_code = case
    -- this step of a swap is known by its digest (plan/changes.sql), which does not tell the value
    -- it steps aside to
    when content = sha256(concat_ws(chr(31), object, action, coalesce(hris_ref, ''),
        if(action = 'update', coalesce(deskbird_id, ''), ''), coalesce(group_ref, ''),
        'aside')) then 'steps_aside'
    when json_exists(evidence, '$.damage') then 'changed_by_a_run'
    when evidence->>'drift' = 'true' then 'changed_by_hand'
    when json_exists(evidence, '$.undoes') then case
        when object = 'user' and action = 'reactivate' then 'undoes_deactivation'
        when object = 'user' and action = 'deactivate' then if(exists (
                from state.plan_changes o
                where o.plan_id = c.evidence->>'undoes'
                    and o.object = 'user'
                    and o.action = 'create'
                    and o.hris_ref = c.hris_ref),
            'undoes_creation', 'undoes_reactivation')
        when object = 'group' and action = 'delete' then 'undoes_group_creation'
        when object = 'group' and action = 'create' then 'undoes_group_deletion'
        when object = 'membership' and action = 'remove' then 'undoes_addition'
        when object = 'membership' then if(
            group_deskbird_id is null, 'undoes_former_membership', 'undoes_removal'
        )
        when object = 'manager' then 'undoes_manager'
        else 'undoes_values' end
    when object = 'user' then case action
        when 'create' then 'no_user'
        when 'link' then case evidence->>'rule'
            when 'email' then 'same_email'
            when 'successor' then 'same_email_and_name'
            when 'decision' then 'decided'
            else if("before"->>'hris_ref' is null, 'user_not_marked', 'other_primary_record') end
        when 'update' then if(json_exists(evidence, '$.rule'), 'values_differ', 'photo_of_new_user')
        when 'reactivate' then 'works_again'
        when 'deactivate' then case
            when evidence->>'rule' = 'missing' then 'missing'
            when evidence->>'status' <> 'ended' then 'out_of_scope'
            when evidence->>'end_date' is not null then 'ended_on_a_day'
            else 'ended' end end
    when object = 'group' then case action
        when 'create' then if(
            json_exists(evidence, '$.name_held_by'), 'group_name_taken', 'no_group'
        )
        when 'link' then case evidence->>'rule'
            when 'rule' then 'group_linked_by_rule'
            when 'members' then 'group_has_same_members'
            else 'group_not_marked' end
        when 'rename' then if(
            evidence->>'rule' = 'members', 'unit_with_new_id_renamed', 'unit_renamed'
        )
        when 'delete' then 'group_empty' end
    when object = 'membership' then if(action = 'add', 'in_group', 'not_in_group')
    when object = 'manager' then if(action = 'set', 'manager_named', 'no_manager_named')
end;

update state.plan_changes set row_digest = change_digest(
    seq, request, stage, object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id,
    "before", "after",
    reason, evidence, verdict, guard, guards, content, reason_code := reason_code)
where (plan_id, seq) in (select (plan_id, seq) from sound_rows);
update state.plans p set judgement_digest = judgement_digest(
    plan_id, number, made_at, after_plan, changes, blocked, as_of, undoes,
    (
        select string_agg(row_digest, chr(30) order by seq)
        from state.plan_changes c
        where c.plan_id = p.plan_id
    ))
where plan_id in (select plan_id from sound_plans);
update deskbird.changes p set reason_code = c.reason_code
from state.plan_changes c where c.plan_id = p.plan_id and c.seq = p.seq;
drop table sound_rows;
drop table sound_plans;

alter table core.people add column if not exists scope_rule varchar;
alter table core.people add column if not exists scope_code varchar;
update core.people set scope_code = case scope_rule
    when 'not known yet' then 'not_known_yet'
    when 'not known: as it was' then 'not_known'
    when 'no exclude rule matches' then 'not_excluded'
    when 'no include rule matches' then 'not_included'
    else string_split(scope_rule, ' ')[1] || 'd' end;
