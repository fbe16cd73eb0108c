"""One person end to end: the answer comes first, agrees with the plan, and nothing of it leaves by
another way.
"""

import datetime as dt
import json
import stat

import pytest
from plan.world import NOON, UNGUARDED, World

from hris_pipeline.errors import PipelineError
from hris_pipeline.presentation import explain, page
from hris_pipeline.presentation.explain.words import verdict
from hris_pipeline.reports import explain as report
from hris_pipeline_tests.presentation import hand_made_plan

DAY = dt.timedelta(days=1)


def before_the_first_night():
    world = World(guards=UNGUARDED)
    world.hire("1", "2", "3", manager_id="1", groups=(world.unit("team", "1", "Sales"),))
    for person, name in zip(world.people.values(), ("Ada", "Bo", "Cem"), strict=True):
        person.given_name = name
    return world


@pytest.fixture
def world():
    return before_the_first_night()


@pytest.fixture(scope="module")
def settled():
    """The same after a night, not to be changed, only copied."""
    world = before_the_first_night()
    night(world)
    return world


def read(world, asked):
    with world.warehouse.read() as con:
        return report.read(con, "acme", asked, world.rules, world.now, timezone="Europe/Berlin")


def printed(found):
    return page(lambda to: explain.show(to, found))


def night(world):
    world.make_plan()
    world.apply()
    world.now += DAY


def verdicts(found):
    return {row.attribute: verdict(row) for row in found.compared}


def leaves(world, id_, last_day="2026-03-02"):
    world.people[id_].status = "inactive"
    world.people[id_].end_date = last_day


# --- the answer -----------------------------------------------------------------------------------


def test_who_asks_why_they_were_deactivated_reads_when_by_which_plan_and_why(settled):
    world = settled.copy()
    leaves(world, "2")
    night(world)
    night(world)
    found = read(world, "p:2")
    (plan_id,) = {row["plan_id"] for row in found.requests if "user deactivate" in row["changes"]}
    assert (
        explain.answer(found)
        == f"The user is inactive: it was deactivated on 2026-03-03 by plan {plan_id}, because the "
        "employment ended on 2026-03-02."
    )
    assert printed(found).splitlines()[0] == explain.answer(found)
    assert [row["http_status"] for row in found.requests] == [201, 201, 204]
    assert verdicts(found)["active"] == "same"
    assert verdicts(found)["group Sales"].startswith("not compared")


def test_a_deactivation_that_only_the_journal_knows_is_told_too(settled):
    world = settled.copy()
    leaves(world, "2")
    night(world)
    world.execute("delete from state.outcomes where action = 'deactivate'")
    assert explain.answer(read(world, "p:2")).startswith(
        "The user is inactive: it was deactivated on 2026-03-03 by plan "
    )


def test_what_was_done_by_hand_is_not_ours(settled):
    world = settled.copy()
    user = world.user_of("2")
    user.active = False
    world.make_plan()
    found = read(world, "p:2")
    assert "somebody did so in deskbird itself" in explain.answer(found)
    assert (
        "reactivates it, because it was changed in deskbird by hand; the HR system still says that "
        "the person works here" in explain.answer(found)
    )
    leaves(world, "2")
    user.active = True
    night(world)
    user.active = True
    world.people["2"].status, world.people["2"].end_date = "active", None
    world.make_plan()
    assert (
        "and reactivated in deskbird itself since. Nothing is to change: it is as the HRIS says."
        in explain.answer(read(world, "p:2"))
    )


def test_what_is_left_alone_on_purpose_says_so(settled):
    world = settled.copy()
    user = world.user_of("2")
    user.family_name = "Byhand"
    world.group_of("team", "1").members.discard(user.id)
    world.rule(drift_kept=("family_name", "team"))
    world.make_plan()
    found = verdicts(read(world, "p:2"))
    for attribute in ("family_name", "group Sales"):
        assert (
            found[attribute]
            == "kept: somebody changed it in deskbird, and the company file's sync.drift leaves "
            "that so"
        )
    world.rule(drift_kept=())
    world.ignored = {"family_name"}
    for _ in range(3):
        night(world)
    found = verdicts(read(world, "p:2"))
    assert (
        found["family_name"]
        == "left alone: deskbird accepted it three nights in a row and did not hold it"
    )
    assert found["group Sales"] == "same"


def test_what_comes_next_is_told_with_the_plan_that_does_it_and_the_guard_that_does_not(settled):
    world = settled.copy()
    leaves(world, "2")
    world.make_plan()
    plan_id = world.rows()[0]["plan_id"]
    assert explain.answer(read(world, "p:2")).endswith(
        f"Plan {plan_id} deactivates it, because the employment ended on 2026-03-02."
    )
    world.rule(protected=("p:2",))
    world.guard("protected", {})
    world.make_plan()
    found = read(world, "p:2")
    assert "but guard protected holds that back." in explain.answer(found)
    assert verdicts(found)["active"] == "held back by protected"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"start_date": "2026-04-01", "status": "onboarding"},
            "The person starts on 2026-04-01, so no user is wanted yet.",
        ),
        (
            {"status": "inactive", "end_date": "2026-02-27"},
            "By the HRIS the employment ended on 2026-02-27.",
        ),
        ({"email": None}, "breaks rule email_is_present (there is a work e-mail)"),
        ({"status": "sabbatical"}, "breaks rule status_is_known"),
        (
            {},
            (
                "makes one, because the person works here and deskbird has no user for them (2 "
                "more changes)."
            ),
        ),
    ],
)
def test_why_somebody_has_no_user(world, change, said):
    for name, value in change.items():
        setattr(world.people["2"], name, value)
    world.make_plan()
    answer = explain.answer(read(world, "p:2"))
    assert answer.startswith("There is no user in deskbird for the person.")
    assert said in answer


def test_who_waits_for_a_decision_reads_why_and_who_the_candidates_are(world):
    world.stranger("2@acme.test")
    world.stranger("x@acme.test", "2@acme.test")
    world.make_plan()
    found = read(world, "p:2")
    assert (
        "until somebody decides: More than one user in deskbird has the person's e-mail address."
        in explain.answer(found)
    )
    text = printed(found)
    assert "u1  Given Family  2@acme.test  active" in text
    world.execute(
        "insert into state.decisions values ('p:2', 'u1', 'link', 'HR said so', 'ada', ?)",
        [world.now],
    )
    found = read(world, "p:2")
    assert (found.match["rule"], found.deskbird_id) == ("decision", "u1")
    assert "links it to the person" in explain.answer(found)
    assert "HR said so" in printed(found)


def test_who_vanished_reads_since_when_and_what_is_still_needed(settled):
    world = settled.copy()
    del world.people["2"]
    world.make_plan()
    found = read(world, "p:2")
    assert (
        "The HRIS has had no record of the person since 2026-03-03: 1 complete read without it "
        "so far" in explain.answer(found)
    )
    assert found.missing["complete_reads"] == 1
    assert found.history[-1]["gone"]
    world.now += DAY
    night(world)
    world.now += DAY
    night(world)
    found = read(world, "p:2")
    assert "The user is inactive: it was deactivated on" in explain.answer(found)
    assert "because the HRIS has had no record of the person since 2026-03-03" in explain.answer(
        found
    )


def test_a_user_who_is_nobodys_is_left_alone(world):
    user = world.stranger("Guest@Elsewhere.test")
    world.make_plan()
    for asked in (user.id, " guest@elsewhere.TEST"):
        found = read(world, asked)
        assert (
            explain.answer(found)
            == "The user is active. It belongs to no record of the HRIS, so it is left alone."
        )
        assert found.refs == ()


# --- who is meant ---------------------------------------------------------------------------------


def test_a_person_is_known_by_address_record_and_user(world):
    world.people["2"].email = "Zoë.2@googlemail.com"
    night(world)
    user = world.user_of("2").id
    for asked in ("p:2", user, " zoe\u0308.2@GMAIL.com ", "zoë.2@googlemail.com"):
        assert read(world, asked).refs == ("p:2",)
        assert read(world, asked).deskbird_id == user


def test_an_address_of_other_days_finds_the_person_where_nobody_has_it_now(settled):
    world = settled.copy()
    world.people["2"].email = "new@acme.test"
    night(world)
    assert read(world, "2@acme.test").refs == ("p:2",)
    world.people["3"].email = "2@acme.test"
    night(world)
    assert read(world, "2@acme.test").refs == ("p:3",)


def test_more_than_one_is_told_by_their_records_alone(world):
    world.people["3"].email = "2@acme.test"
    world.make_plan()
    with pytest.raises(PipelineError, match=r"p:2, p:3\. .*explain acme p:2$") as caught:
        read(world, "2@acme.test")
    assert "@" not in str(caught.value)


def test_all_records_of_a_person_lead_to_the_same_explanation(settled):
    world = settled.copy()
    world.execute("update core.people set other_refs = ['p:22'] where hris_ref = 'p:2'")
    world.execute(
        "insert into hris_p.employees by name select * replace ('22' as id) from hris_p.employees "
        "where id = '2'"
    )
    for asked in ("p:2", "p:22", "2@acme.test"):
        found = read(world, asked)
        assert found.refs == ("p:2", "p:22")
        assert [record["hris_ref"] for record in found.records] == ["p:2", "p:22"]


# --- what it says agrees with the plan ------------------------------------------------------------


def test_it_never_contradicts_the_plan():
    world = World()
    world.hire(
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        manager_id="1",
        groups=(world.unit("team", "1", "Sales"),),
    )
    world.settle()
    leaves(world, "2")
    world.people["3"].family_name = "Other"
    world.people["4"].groups = (world.unit("department", "1", "Sales"),)
    world.people["5"].manager_id = "4"
    world.user_of("6").active = False
    world.people["7"].email = "3@acme.test"  # taken
    world.hire("8", manager_id="3")
    world.stranger("9@acme.test")
    world.hire("9")
    world.rule(frozen=("p:5",))
    world.guard("create_user", {"max_percent": 0, "max_count": 0})
    world.make_plan()
    planned = [
        (
            row["hris_ref"],
            row["object"],
            row["action"],
            row["group_ref"],
            row["verdict"],
            row["guard"],
        )
        for row in world.rows()
        if row["object"] != "group"
    ]
    told = [
        (c.hris_ref, c.object, c.action, c.group_ref, c.verdict, c.guard)
        for person in range(1, 10)
        for c in read(world, f"p:{person}").changes
    ]
    assert sorted(told, key=str) == sorted(planned, key=str)
    assert {row[5] for row in planned} >= {"frozen", "create_user", None}
    plan_id = world.rows()[0]["plan_id"]
    assert {plan for n in range(1, 10) for plan in read(world, f"p:{n}").plan_ids.values()} == {
        plan_id
    }


def test_what_differs_and_is_left_alone_is_told_with_its_reason(settled):
    world = settled.copy()
    world.people["2"].manager_id = "77"
    world.people["3"].email = "1@acme.test"
    world.people["1"].status, world.people["1"].end_date = "inactive", "2026-03-01"
    world.user_of("1").active = False
    hand_made = world.hand_made_group("Bookclub")
    hand_made.members = {world.user_of("2").id}
    world.make_plan()
    found = read(world, "p:2")
    assert verdicts(found)["manager"] == "left alone: the reporting line has the problem 'missing'"
    assert verdicts(found)["group Bookclub"] == "not ours, left alone"
    found = read(world, "p:3")
    assert verdicts(found)["email"] == "left alone: somebody else's user has the address"
    assert "held by somebody else's user" in explain.answer(found)


def test_what_deskbird_does_not_give_back_is_marked():
    world = World(
        guards=UNGUARDED, managers_readable=False, members_readable=False, markers_readable=False
    )
    world.hire("1", "2", manager_id="1", groups=(world.unit("team", "1", "Sales"),))
    night(world)
    world.make_plan()
    rows = {
        row["attribute"]: row for row in json.loads(explain.as_json(read(world, "p:2")))["compared"]
    }
    assert (
        rows["manager"]["source"],
        rows["manager"]["observed"],
        rows["manager"]["verdict"],
    ) == ("acknowledged", "p:1", "same")
    assert (rows["group Sales"]["source"], rows["group Sales"]["verdict"]) == (
        "acknowledged",
        "same",
    )
    # the group came back under another id, so whoever is wanted is added again
    # (warehouse/renumbered_members.sql)
    world.execute("update state.acknowledged_members set is_possible = true")
    world.make_plan()
    assert verdicts(read(world, "p:2"))["group Sales"] == "membership add is planned"
    assert (rows["hris_ref"]["source"], rows["hris_ref"]["observed"]) == ("not given back", None)
    assert rows["hris_ref"]["verdict"] == "not known: deskbird does not give it back"


def test_a_request_gives_its_reasons_in_the_order_of_its_changes(settled):
    world = settled.copy()
    request = next(row for row in read(world, "p:2").requests if "user create" in row["changes"])
    assert request["changes"] == ["user create", "manager set"]
    assert (
        request["reason"]
        == "The person works here and deskbird has no user for them. The HRIS names this manager."
    )


def test_history_says_what_changed_on_which_night_and_since_when_it_is_so(settled):
    world = settled.copy()
    night(world)
    world.people["2"].family_name = "Other"
    night(world)
    found = read(world, "p:2")
    first, second = found.history
    assert second["changed"] == {"family_name": {"before": "Family", "after": "Other"}}
    assert (first["seen_at"], second["seen_at"]) == (NOON, NOON + 2 * DAY)
    lines = [line.split() for line in printed(found).splitlines()]
    assert ["status", "active", "2026-03-02", "13:00"] in lines
    assert ["2026-03-04", "13:00", "family", "name", "Family", "Other"] in lines


# --- what was never read --------------------------------------------------------------------------


def test_without_a_read_of_both_sides_what_is_stored_is_told(planned):
    world = World()
    with planned.read() as con:
        found = report.read(
            con, "acme", "personio:1", world.rules, hand_made_plan.NOW, timezone="UTC"
        )
    assert not found.live
    assert (
        explain.answer(found)
        == f"There is no user in deskbird for the person. Plan {hand_made_plan.PLAN} deactivates "
        "it, because ended on 2026-03-01; but guard deactivate_user holds that back."
    )


def test_an_empty_warehouse_knows_nobody(warehouse):
    with warehouse.write():
        pass
    with (
        warehouse.read() as con,
        pytest.raises(PipelineError, match=r"Nobody of company 'acme' is known"),
    ):
        report.read(con, "acme", "ada@example.com", World().rules, NOON, timezone="UTC")


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept_on_disk(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("explained"), guards=UNGUARDED)
    world.hire("1", "2", manager_id="1", groups=(world.unit("team", "1", "Sales"),))
    world.people["2"].given_name = "Ada|[bold]"
    night(world)
    return world


@pytest.fixture
def on_disk(kept_on_disk, data):
    return kept_on_disk.copy(data)


def test_the_screen_goes_to_standard_output_and_nothing_is_written(on_disk, run):
    before = on_disk.warehouse.path.read_bytes()
    code, out, err = run("explain", "acme", "2@acme.test")
    assert (code, err) == (0, "")
    assert out.startswith("The user is active: it was made on 2026-03-02 by plan ")
    assert "Ada|[bold]" in out
    assert "\x1b" not in out
    assert on_disk.warehouse.path.read_bytes() == before


def test_json_is_one_versioned_document(on_disk, run):
    code, out, err = run("explain", "acme", "p:2", "--format", "json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert (document["version"], document["kind"], document["company"]) == (1, "explain", "acme")
    assert document["refs"] == ["p:2"]
    assert document["records"][0]["values"]["email"] == "2@acme.test"
    assert {
        "answer",
        "person",
        "match",
        "review",
        "compared",
        "changes",
        "missing",
        "decisions",
        "requests",
        "history",
    } <= set(document)


def test_markdown_is_for_a_ticket(on_disk, run):
    code, out, _ = run("explain", "acme", "p:2", "--format", "markdown")
    assert code == 0
    assert out.startswith("# acme")
    assert "## Requests made" in out
    assert "Ada\\|\\[bold\\]" in out


@pytest.mark.parametrize("form", ["table", "markdown", "json"])
def test_a_file_is_for_its_owner_alone(on_disk, run, tmp_path, form):
    file = tmp_path / "answer"
    code, out, err = run("explain", "acme", "p:2", "--format", form, "--out", str(file))
    assert (code, out, err) == (0, "", f"Written to {file}.\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "2@acme.test" in file.read_text(encoding="utf-8")


def test_who_is_not_known_is_one_sentence_that_does_not_repeat_the_address(on_disk, run):
    code, out, err = run("explain", "acme", "nobody@acme.test")
    assert (code, out) == (1, "")
    assert err.startswith("Nobody of company 'acme' is known by that e-mail address")
    assert err.count("\n") == 1
    assert "nobody@" not in err


def test_more_than_one_is_an_error_that_lists_the_records(on_disk, run):
    on_disk.people["1"].email = "2@acme.test"
    on_disk.make_plan()
    code, out, err = run("explain", "acme", "2@acme.test")
    assert (code, out) == (1, "")
    assert "p:1, p:2" in err
    assert "@" not in err


def test_before_the_first_run_there_is_nobody_to_explain(data, run):
    code, _, err = run("explain", "acme", "p:1")
    assert code == 1
    assert "Run `hris-pipeline sync acme` first" in err


def test_no_name_is_in_a_repr(settled):
    world = settled.copy()
    assert "acme.test" not in repr(read(world, "p:2"))


def test_c89_c91_c92_the_evidence_and_the_contradictions_are_told(settled):
    world = settled.copy()
    world.people["2"].start_date, world.people["2"].end_date = "2026-02-01", "2024-05-31"
    night(world)
    found = read(world, "p:2")
    assert [(row["code"], row["decided"]) for row in found.contradictions] == [
        ("last_day_before_first_day", "active")
    ]
    (section,) = [each for each in explain.sections(found) if each.title == "Contradicts itself"]
    assert "counts as active. The last day lies before the first day." in section.rows[0][2]
    assert found.match["evidence"] == {
        "agrees": ["email", "given_name", "family_name"],
        "differs": [],
    }
    assert "agrees: email, given name, family name" in printed(found)
    person = world.people["2"]
    person.given_name, person.family_name, person.email, person.start_date = (
        "Zoe",
        "Quint",
        "zoe@acme.test",
        "2026-03-01",
    )
    world.make_plan()
    found = read(world, "p:2")
    assert "Nothing is changed until somebody decides" in explain.answer(found)
    assert "differs: email" in printed(found)
    leaves(world, "2")
    world.people["2"].email = None
    world.hire("9", given_name="Bo")
    world.people["9"].email = "2@acme.test"
    world.make_plan()
    found = read(world, "p:9")
    assert (found.match["rule"], found.match["evidence"]["predecessor"]) == ("successor", "p:2")
