"""The status screen."""

import datetime as dt
import json

from hris_pipeline.presentation import page
from hris_pipeline.presentation import status as rendering
from hris_pipeline.reports import status as report
from hris_pipeline_tests.presentation.hand_made_plan import NOW

LATER = NOW + dt.timedelta(hours=5)


def read(warehouse, last_run=None):
    with warehouse.read() as con:
        return report.read(
            con, "acme", LATER, timezone="Europe/Berlin", schedule="30 4 * * *", last_run=last_run
        )


def printed(status):
    return page(lambda to: rendering.show(to, status))


def after_a_night(warehouse):
    with warehouse.write() as con:
        con.execute(
            "insert into state.nights values ('p0', ?, 40, true, 'r0')",
            [NOW - dt.timedelta(days=1)],
        )
        con.execute("insert into state.nights values ('p1', ?, 41, true, 'r1')", [NOW])
        con.execute(
            "insert into state.extracts values ('personio', 'employees', ?, 3, 250, 250, 'proven', "
            "'The totals agree.', [])",
            [NOW],
        )
        con.execute(
            "insert into state.extracts values ('personio', 'employees', ?, 3, 249, 250, "
            "'unproven', 'Old.', [])",
            [NOW - dt.timedelta(days=1)],
        )
        con.execute(
            "insert into core.quarantine values ('personio:8', 'core.people', 'email_is_valid', "
            "?, ?)",
            [NOW, NOW],
        )
        con.execute("insert into state.missing values ('personio:9', 'u9', ?, 1, ?)", [NOW, NOW])
        con.execute(
            "insert into state.review values ('personio:7', 'email_is_taken', 'u7', ?, ['u7'])",
            [NOW],
        )


def test_one_screen_tells_the_night_the_reads_and_who_waits(planned):
    after_a_night(planned)
    text = printed(read(planned))
    assert len(text.splitlines()) < 24
    assert "2026-03-03 04:30, in line but for what guards hold back" in text
    assert "personio employees: 250 of 250 in 3 pages, proven, 5 h ago. The totals agree." in text
    assert "30 4 * * * (Europe/Berlin)" in text
    assert "deactivate_user: 3 of 40 people: 8 %, limit 5 % and 2" in text
    assert "1 record, rule email_is_valid, since 2026-03-03 04:30" in text
    assert "1 person in no record any more, the first since 2026-03-03 04:30" in text
    assert "1 person to decide on: email is taken" in text
    assert "hris-pipeline review acme" in text
    assert "guards count from 41" in text


def test_of_two_runs_at_one_moment_the_later_one_is_shown(planned):
    after_a_night(planned)
    with planned.write() as con:
        con.execute("insert into state.nights values ('p2', ?, 42, true, 'r2')", [NOW])
        con.execute("insert into state.nights values ('p3', ?, 43, false, 'r3')", [NOW])
        con.execute(
            "insert into state.extracts select * replace ('Later.' as why) from state.extracts "
            "where proof = 'proven'"
        )
    status = read(planned)
    assert (status.last_night, status.base, status.extracts[0].why) == ((NOW, False), 42, "Later.")


def test_a_run_that_failed_since_is_told_and_is_an_error(planned):
    after_a_night(planned)
    status = read(
        planned, report.LastRun(NOW + dt.timedelta(hours=1), "failure", "0123456789abcdef")
    )
    assert "failed, run 01234567 of 2026-03-03 05:30" in printed(status)
    assert status.exit_code == 1


def test_before_the_first_night_it_says_how_to_begin(warehouse):
    with warehouse.write():
        pass
    status = read(warehouse)
    assert "none has ended yet" in printed(status)
    assert "hris-pipeline sync acme --dry-run" in printed(status)
    assert status.exit_code == 1


def test_json_is_one_versioned_document(planned):
    after_a_night(planned)
    document = json.loads(rendering.as_json(read(planned)))
    assert (document["version"], document["kind"], document["company"], document["exit_code"]) == (
        1,
        "status",
        "acme",
        3,
    )
    assert document["plan"]["counts"] == {"changes": 8, "planned": 5, "blocked": 3}
    assert document["extracts"][0]["records"] == 250
    assert len(document["extracts"]) == 1
    assert document["missing"] == {"people": 1, "since": NOW.isoformat()}
    assert document["base"] == 41


def test_what_is_kept_and_what_does_not_stick_is_counted_and_named(planned):
    assert "by hand" not in printed(read(planned))
    with planned.write() as con:
        for number in range(7):
            con.execute(
                "insert into state.ignored_drift values (?, 'user', ?, 'family_name', null, "
                "'not_retained', ?, 'not_retained')",
                [f"personio:{number}", f"u{number}", NOW],
            )
        con.execute(
            "insert into state.ignored_drift values ('personio:9', 'membership', 'g', 'u', "
            "'p:team:1', 'kept', ?, null)",
            [NOW],
        )
    status = read(planned)
    text = printed(status)
    assert "1 value changed there by hand is kept; 7 values do not stick there." in text
    assert "does not stick, since 2026-03-03 04:30: family name of personio:0" in text
    assert "... and 2 more, in state.ignored_drift" in text
    document = json.loads(rendering.as_json(status))
    assert document["by_hand"] == {"repaired": 0, "kept": 1}
    assert len(document["not_retained"]) == 7


def test_c89_contradictions_are_counted_by_code_and_say_where_to_look(planned):
    assert "contradictions" not in printed(read(planned))
    with planned.write() as con:
        con.execute(
            "insert into state.contradictions values ('personio:7', 'last_day_before_first_day', "
            "'2026-02-01', '2024-05-31', 'active', 'active', ?, ?)",
            [NOW, NOW],
        )
    text = printed(read(planned))
    assert "1 record: last day before first day, the first since 2026-03-03 04:30" in text
    assert "hris-pipeline review acme" in text
    found = json.loads(rendering.as_json(read(planned)))["contradictions"]
    assert [(one["code"], one["records"]) for one in found] == [("last_day_before_first_day", 1)]
