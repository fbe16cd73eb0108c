"""A hand-made plan in a real warehouse: three leavers held back, a rename, a mover, a hire. Nobody in it exists."""

import datetime as dt
import json

NOW = dt.datetime(2026, 3, 3, 3, 30, tzinfo=dt.UTC)
PEOPLE = {
    "personio:1": "Ada Beispiel",
    "personio:2": "Bo Muster",
    "personio:3": "Cem Örnek",
    "personio:4": "Dora Ejemplo",
    "personio:5": "Emil | Voorbeeld",
}
_COLUMNS = (
    "plan_id, seq, request, object, action, hris_ref, deskbird_id, group_ref, group_deskbird_id, before, after, reason, "
    "evidence, verdict, guard, stage, content"
)


def rows():
    """(seq, request, object, action, hris_ref, deskbird_id, group_ref, before, after, reason, verdict, guard)."""
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


def fill(con, changes, plan_id="p1"):
    """Write a plan and the people it is about."""
    for ref, name in PEOPLE.items():
        con.execute(
            "insert into core.people (person_id, hris_ref, display_name, status, timezone, in_scope, wanted, unknown, "
            "group_refs, other_refs) values (?, ?, ?, 'active', 'UTC', true, true, [], [], [])",
            [ref, ref, name],
        )
    con.execute("insert into core.groups values ('personio:team:9', 'team', 'Support', null, 3)")
    con.execute(
        "insert into deskbird.users (deskbird_id, hris_ref, display_name, active) values ('u4', 'personio:4', 'Dora Alt', true)"
    )
    blocked = sum(change[10] == "blocked" for change in changes)
    con.execute(
        "insert into state.plans (plan_id, number, made_at, run_id, after_plan, changes, blocked, as_of) "
        "values (?, 1, ?, 'r', '', ?, ?, ?)",
        [plan_id, NOW, len(changes), blocked, NOW],
    )
    for seq, request, thing, action, ref, user, group, before, after, reason, verdict, guard in changes:
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
        con.execute(f"insert into deskbird.changes ({_COLUMNS}) values ({', '.join('?' * len(values))})", values)
        con.execute(
            f"insert into state.plan_changes ({_COLUMNS}, guards) values ({', '.join('?' * len(values))}, ?)",
            [*values, [guard] if guard else []],
        )
    if blocked:
        con.execute(
            "insert into state.guard_verdicts "
            "(plan_id, guard, subject, count, base, limit_text, tripped, code, max_count, max_percent) "
            "values (?, 'deactivate_user', 'user', ?, 40, '2 and 5 %', true, 'share', 2, 5)",
            [plan_id, blocked],
        )


def outcome(con, seq, outcome, problem=None, plan_id="p1"):
    """What became of one change."""
    con.execute(
        "insert into deskbird.applied_changes (plan_id, seq, object, action, outcome, attempts, problem) "
        "select plan_id, seq, object, action, ?, 1, ? from deskbird.changes where plan_id = ? and seq = ?",
        [outcome, problem, plan_id, seq],
    )
