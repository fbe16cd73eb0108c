"""The plan as people and programs read it."""

import datetime as dt
import io
import json

import pytest
from rich.console import Console

from hris_pipeline.errors import PipelineError
from hris_pipeline.presentation import clean, page
from hris_pipeline.presentation import plan as rendering
from hris_pipeline.presentation.plan.sections import sections
from hris_pipeline.reports import plan as report
from hris_pipeline_tests.presentation.hand_made_plan import NOW, PLAN, fill, id_of, outcome, rows

ZONE = "Europe/Berlin"


PROBLEMS = {
    "so already": ("skipped", "It is so in deskbird already.", "already_so"),
    "not reached": (
        "skipped",
        "Not reached: the run ended before. The next run goes on from here.",
        "not_reached",
    ),
}


def read(warehouse):
    with warehouse.read() as con:
        return report.read(con, "acme", NOW)


def printed(plan, **more):
    return page(lambda to: rendering.show(to, plan, timezone=ZONE, **more))


def test_what_takes_away_comes_first_and_creations_last(planned):
    text = printed(read(planned))
    order = [
        "Deactivate 3 users",
        "Remove 1 membership",
        "Update 1 user",
        "Rename 1 group",
        "Create 1 user",
    ]
    places = [text.index(title) for title in order]
    assert places == sorted(places)


def test_a_row_says_who_what_before_and_after_and_why(planned):
    text = printed(read(planned))
    update = next(line for line in text.splitlines() if "family name" in line)
    assert all(part in update for part in ("Dora Ejemplo", "personio:4", "Alt -> Ejemplo"))
    assert "Help -> Support" in text
    assert "Support (team)" in next(
        line for line in text.splitlines() if "personio:4" in line and "Support" in line
    )
    assert "Ended on 2026-03-02." in text


def test_without_names_it_says_by_reference_who_and_what_changes_and_no_value(planned):
    with planned.write(("personio",)) as con:
        con.execute(
            """update state.plan_changes
               set evidence = '{"status": "ended", "end_date": "2026-03-02"}'
               where action = 'deactivate'"""
        )
    plan = read(planned)
    named, text = printed(plan), printed(plan, names=False)
    told = (
        "Ada",
        "Bo Muster",
        "Cem",
        "Dora",
        "Emil",
        "Ejemplo",
        "Alt",
        "emil@example.com",
        "Help",
        "Support",
        "Ended on",
    )
    assert all(word in named for word in told)
    assert not [word for word in told if word in text]
    assert all(f"personio:{number}" in text for number in range(1, 6))
    lines = text.splitlines()
    assert any("personio:4" in line and "family name" in line for line in lines)
    assert any("personio:5" in line and line.rstrip().endswith("personio:4") for line in lines)
    assert any("personio:team:9" in line and "name" in line for line in lines)
    assert "The HRIS says that the employment ended." in text
    assert lines[-1] == named.splitlines()[-1]


def test_a_manager_is_shown_by_name(planned):
    line = next(
        line
        for line in printed(read(planned)).splitlines()
        if "personio:5" in line and "Dora" in line
    )
    assert "Dora Ejemplo" in line


def test_a_blocked_change_names_its_guard_and_the_guards_numbers(planned):
    text = printed(read(planned))
    assert "Deactivate 3 users  held back by guard deactivate_user" in text
    assert "deactivate_user: 3 of 40 people: 8 %, limit 5 % and 2. It holds back 3 changes." in text


def test_the_end_counts_and_says_what_to_do_next(planned):
    text = printed(read(planned))
    assert "8 changes: 5 to carry out, 3 held back." in text
    assert f"hris-pipeline approve acme {PLAN}" in text.splitlines()[-1]


def test_who_waits_is_counted_on_the_last_line_but_one(planned):
    with planned.write() as con:
        con.execute(
            "insert into core.quarantine values ('personio:8', 'core.people', 'email_is_valid', "
            "?, ?)",
            [NOW, NOW],
        )
        con.execute("insert into state.missing values ('personio:9', 'u9', ?, 1, ?)", [NOW, NOW])
    plan = read(planned)
    assert plan.waiting == report.Waiting(quarantined=1, missing=1, review=0)
    assert "1 person quarantined, 1 missing, 0 waiting for a decision." in printed(plan)


def test_a_long_section_is_shortened_with_a_count_of_the_rest(planned):
    text = printed(read(planned), rows=2)
    assert "... and 1 more" in text
    assert "personio:3" not in text
    assert "personio:3" in printed(read(planned))


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ({}, 3),
        ({6: "applied", 7: "applied", 8: "applied"}, 2),
        (dict.fromkeys(range(1, 6), "applied"), 3),
        (dict.fromkeys(range(1, 9), "applied"), 0),
        ({**dict.fromkeys(range(1, 8), "applied"), 8: "so already"}, 0),
        ({**dict.fromkeys(range(2, 9), "applied"), 1: "not reached"}, 2),
        ({1: "failed"}, 1),
        ({1: "stale"}, 1),
        ({**dict.fromkeys(range(1, 6), "applied"), **dict.fromkeys(range(6, 9), "blocked")}, 3),
    ],
)
def test_the_exit_code_weighs_errors_over_blocks_over_pending(planned, outcomes, code):
    with planned.write() as con:
        for seq, became in outcomes.items():
            outcome(
                con,
                seq,
                *{**PROBLEMS, "applied": ("applied",)}.get(
                    became, (became, "deskbird answered 400.")
                ),
            )
    assert read(planned).exit_code == code


def test_an_empty_plan_is_in_line(warehouse):
    with warehouse.write() as con:
        fill(con, [])
    plan = read(warehouse)
    assert plan.exit_code == 0
    assert plan.plan_id == id_of([])
    assert "Nothing to change: deskbird is in line." in printed(plan)


def test_without_a_plan_there_is_one_sentence(warehouse):
    with warehouse.write():
        pass
    with pytest.raises(PipelineError, match="no plan of company 'acme'"):
        read(warehouse)


def test_a_failure_tells_its_problem(planned):
    with planned.write() as con:
        outcome(con, 3, "failed", "deskbird answered 400: familyName is too long")
    text = printed(read(planned))
    assert "failed: deskbird answered 400: familyName is too long" in text
    assert "1 failed" in text


def approve(con, seq, guards, *, expires=NOW + dt.timedelta(hours=1), decision="approved", at=NOW):
    con.execute(
        """insert into state.approvals by name
           select
               *,
               approval_digest(
                   plan_id, content, guards, decision, because, decided_by, decided_at, expires_at
               ) as digest
           from (
               select
                   ? as plan_id,
                   ? as content,
                   ?::varchar[] as guards,
                   ? as decision,
                   null::varchar as because,
                   'somebody' as decided_by,
                   ?::timestamptz as decided_at,
                   ?::timestamptz as expires_at
           )""",
        [PLAN, f"content-{seq}", guards, decision, at, expires],
    )


def test_an_approved_change_is_to_be_carried_out_until_the_approval_ends(planned):
    with planned.write() as con:
        for seq in (6, 7, 8):
            approve(con, seq, ["deactivate_user"])
    assert read(planned).exit_code == 2
    with planned.read() as con:
        assert report.read(con, "acme", NOW + dt.timedelta(hours=2)).exit_code == 3


def test_an_approval_for_another_guard_or_a_later_rejection_keeps_it_blocked(planned):
    with planned.write() as con:
        for seq in (6, 7):
            approve(con, seq, ["deactivate_user"])
        approve(con, 8, ["incomplete_extract"])
        approve(con, 6, [], decision="rejected", at=NOW + dt.timedelta(minutes=1))
    assert read(planned).states == {"planned": 6, "blocked": 2}


def test_markdown_holds_every_change_and_no_markup_of_its_data(planned):
    text = rendering.markdown(read(planned), timezone=ZONE)
    assert "## Deactivate 3 users (held back by guard deactivate_user)" in text
    assert "Emil \\| Voorbeeld" in text
    cells = [
        line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| who")
    ]
    assert len(cells) == len(rows())
    assert all(line.replace("\\|", "").count("|") == 6 for line in cells)


def test_json_is_one_versioned_document_with_the_tables_columns(planned):
    document = json.loads(rendering.as_json(read(planned)))
    assert (document["version"], document["kind"], document["company"], document["plan_id"]) == (
        1,
        "plan",
        "acme",
        PLAN,
    )
    assert document["exit_code"] == 3
    assert document["counts"] == {
        "changes": 8,
        "planned": 5,
        "blocked": 3,
        "applied": 0,
        "skipped": 0,
        "failed": 0,
        "stale": 0,
    }
    assert document["guards"][0]["guard"] == "deactivate_user"
    assert [change["seq"] for change in document["changes"]] == list(range(1, 9))
    update = document["changes"][2]
    assert update["before"] == {"family_name": "Alt"}
    assert update["after"] == {"family_name": "Ejemplo"}
    assert update["verdict"] == "planned"
    assert update["guard"] is None
    columns = {
        "seq",
        "request",
        "object",
        "action",
        "hris_ref",
        "deskbird_id",
        "group_ref",
        "group_deskbird_id",
    }
    assert columns | {"before", "after", "reason", "evidence", "verdict", "guard"} <= update.keys()


def test_the_same_plan_prints_the_same_twice(planned):
    assert printed(read(planned)) == printed(read(planned))
    assert rendering.as_json(read(planned)) == rendering.as_json(read(planned))


def test_a_terminal_gets_nothing_that_it_would_obey():
    assert clean("a\x1b[2Jb\u202ec\nd") == "a·[2Jb·c·d"
    page = io.StringIO()
    Console(file=page).print(clean("x\x1b]0;title\x07"))
    assert "\x1b" not in page.getvalue()


def test_a_change_has_no_repr_that_could_reach_a_log(planned):
    plan = read(planned)
    assert "Dora" not in repr(plan) + repr(plan.changes[0]) + repr(sections(plan.changes)[0])
