-- Digests of what is written down and must not change afterwards. An empty value and a missing one
-- differ.

-- What plan_id is made of: one change, without its reason, evidence and verdict.
create or replace macro change_line(
    object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id, "before", "after"
) as
    sha256(
        concat_ws(
            chr(31), object, action, coalesce(hris_ref, ''), coalesce(deskbird_id, ''),
            coalesce(group_ref, ''), coalesce(group_deskbird_id, ''), "before"::varchar,
            "after"::varchar
        )
    );

-- One stored row of a plan: every column. A row from before there were codes has none, and the same
-- digest as then.
create or replace macro change_digest(
    seq, request, stage, object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id,
    "before", "after", reason, evidence, verdict, guard, guards, content, reason_code := null
) as
    left(
        sha256(
            concat_ws(
                chr(31), seq, request, stage, object, action, coalesce(hris_ref, chr(26)),
                coalesce(deskbird_id, chr(26)), coalesce(group_ref, chr(26)),
                coalesce(group_deskbird_id, chr(26)), "before"::varchar, "after"::varchar, reason,
                evidence::varchar, verdict, coalesce(guard, chr(26)),
                array_to_string(guards, chr(30)), content, reason_code
            )
        ),
        16
    );

-- A plan's own row and its rows together; "digests" is theirs, in the order of seq.
create or replace macro judgement_digest(
    plan_id, number, made_at, after_plan, changes, blocked, as_of, undoes, digests
) as
    sha256(
        concat_ws(
            chr(31), plan_id, number, epoch_us(made_at), after_plan, changes, blocked,
            epoch_us(as_of), coalesce(undoes, chr(26)), coalesce(digests, chr(26))
        )
    );

-- One decision about what guards hold back.
create or replace macro approval_digest(
    plan_id, content, guards, decision, because, decided_by, decided_at, expires_at
) as
    sha256(
        concat_ws(
            chr(31), plan_id, content, array_to_string(guards, chr(30)), decision,
            coalesce(because, chr(26)), decided_by, epoch_us(decided_at), epoch_us(expires_at)
        )
    );
