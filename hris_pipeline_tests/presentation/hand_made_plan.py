"""A hand-made plan in a real warehouse: three leavers held back, a rename, a mover, a hire. Nobody
in it exists.
"""

import datetime as dt
import json

import duckdb

from hris_pipeline.warehouse.connection import prepare

NOW = dt.datetime(2026, 3, 3, 3, 30, tzinfo=dt.UTC)
PEOPLE = {
    "personio:1": "Ada Beispiel",
    "personio:2": "Bo Muster",
    "personio:3": "Cem Örnek",
    "personio:4": "Dora Ejemplo",
    "personio:5": "Emil | Voorbeeld",
}
_COLUMNS = (
    "plan_id, seq, request, object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id, "
    "before, after, reason, evidence, verdict, guard, stage, content"
)


def rows():
    """(seq, request, object, action, hris_ref, deskbird_id, group_ref, before, after, reason,
    verdict, guard).
    """
    held = ("blocked", "deactivate_user")
    return [
        (
            1,
            1,
            "user",
            "create",
            "personio:5",
            None,
            None,
            {},
            {"email": "emil@example.com", "active": True},
            "Starts today.",
            "planned",
            None,
        ),
        (
            2,
            1,
            "manager",
            "set",
            "personio:5",
            None,
            None,
            {},
            {"manager_ref": "personio:4", "manager_deskbird_id": "u4"},
            "So it is.",
            "planned",
            None,
        ),
        (
            3,
            2,
            "user",
            "update",
            "personio:4",
            "u4",
            None,
            {"family_name": "Alt"},
            {"family_name": "Ejemplo"},
            "Differs.",
            "planned",
            None,
        ),
        (
            4,
            3,
            "group",
            "rename",
            "personio:team:9",
            "g9",
            None,
            {"name": "Help"},
            {"name": "Support"},
            "Renamed.",
            "planned",
            None,
        ),
        (
            5,
            3,
            "membership",
            "remove",
            "personio:4",
            "u4",
            "personio:team:9",
            {"group_ref": "personio:team:9"},
            {},
            "Moved.",
            "planned",
            None,
        ),
        (
            6,
            4,
            "user",
            "deactivate",
            "personio:1",
            "u1",
            None,
            {"active": True},
            {"active": False},
            "Ended on 2026-03-01.",
            *held,
        ),
        (
            7,
            5,
            "user",
            "deactivate",
            "personio:2",
            "u2",
            None,
            {"active": True},
            {"active": False},
            "Ended on 2026-03-01.",
            *held,
        ),
        (
            8,
            6,
            "user",
            "deactivate",
            "personio:3",
            "u3",
            None,
            {"active": True},
            {"active": False},
            "Ended on 2026-03-02.",
            *held,
        ),
    ]


def id_of(changes):
    """The id of a plan of company ``acme`` with these changes: made of them, so that no other id is
    believed.
    """
    with duckdb.connect() as con:
        prepare(con)
        lines = [
            con.execute(
                "select change_line(?, ?, ?::varchar, ?::varchar, ?::varchar, ?::varchar, ?, ?)",
                [
                    thing,
                    action,
                    ref,
                    user,
                    group,
                    "g9" if group else None,
                    json.dumps(before),
                    json.dumps(after),
                ],
            ).fetchone()[0]
            for _, _, thing, action, ref, user, group, before, after, *_ in changes
        ]
        row = con.execute(
            "select left(sha256(concat_ws(chr(30), 'acme', '', ?)), 16)", [chr(30).join(lines)]
        ).fetchone()
        return row[0]


PLAN = id_of(rows())


def fill(con, changes):
    """Write a plan and the people it is about, sealed as one that was made; returns its id."""
    plan_id = id_of(changes)
    for ref, name in PEOPLE.items():
        con.execute(
            "insert into core.people (person_id, hris_ref, display_name, status, timezone, "
            "in_scope, wanted, unknown, group_refs, other_refs) values (?, ?, ?, 'active', 'UTC', "
            "true, true, [], [], [])",
            [ref, ref, name],
        )
    con.execute("insert into core.groups values ('personio:team:9', 'team', 'Support', null, 3)")
    con.execute(
        "insert into deskbird.users (deskbird_id, hris_ref, display_name, active) values ('u4', "
        "'personio:4', 'Dora Alt', true)"
    )
    blocked = sum(change[10] == "blocked" for change in changes)
    con.execute(
        "insert into state.plans (plan_id, number, made_at, run_id, after_plan, changes, blocked, "
        "as_of) values (?, 1, ?, 'r', '', ?, ?, ?)",
        [plan_id, NOW, len(changes), blocked, NOW],
    )
    for (
        seq,
        request,
        thing,
        action,
        ref,
        user,
        group,
        before,
        after,
        reason,
        verdict,
        guard,
    ) in changes:
        values = [
            plan_id,
            seq,
            request,
            thing,
            action,
            ref,
            user,
            group,
            "g9" if group else None,
            json.dumps(before),
            json.dumps(after),
        ]
        values += [reason, "{}", verdict, guard, 1, f"content-{seq}"]
        con.execute(
            f"insert into deskbird.changes ({_COLUMNS}) values ({', '.join('?' * len(values))})",
            values,
        )
        con.execute(
            f"insert into state.plan_changes ({_COLUMNS}, guards) values "
            f"({', '.join('?' * len(values))}, ?)",
            [*values, [guard] if guard else []],
        )
    if blocked:
        con.execute(
            "insert into state.guard_verdicts (plan_id, guard, subject, count, base, limit_text, "
            "tripped, code, max_count, max_percent) values (?, 'deactivate_user', 'user', ?, 40, "
            "'2 and 5 %', true, 'share', 2, 5)",
            [plan_id, blocked],
        )
    con.execute(
        """update state.plan_changes
           set row_digest = change_digest(
               seq, request, stage, object, action, hris_ref, deskbird_id, group_ref,
               group_deskbird_id, before, after, reason, evidence, verdict, guard, guards, content
           )"""
    )
    con.execute(
        """update state.plans p
           set judgement_digest = judgement_digest(
               plan_id, number, made_at, after_plan, changes, blocked, as_of, undoes,
               (
                   select string_agg(row_digest, chr(30) order by seq)
                   from state.plan_changes c
                   where c.plan_id = p.plan_id
               )
           )"""
    )
    return plan_id


def outcome(con, seq, outcome, problem=None, code=None):
    """What became of one change of the plan; ``code`` is the problem's."""
    con.execute(
        "insert into deskbird.applied_changes (plan_id, seq, object, action, outcome, attempts, "
        "problem, problem_code) select plan_id, seq, object, action, ?, 1, ?, ? from "
        "deskbird.changes where plan_id = ? and seq = ?",
        [outcome, problem, code, PLAN, seq],
    )
