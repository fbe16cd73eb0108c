"""What waits for a decision, and deciding it from the command line."""

import datetime as dt
import getpass
import json
import re
from pathlib import Path

import pytest
from plan.world import World

import hris_pipeline
from hris_pipeline import contracts, settings
from hris_pipeline.presentation import page
from hris_pipeline.presentation import review as rendering

PACKAGE = Path(hris_pipeline.__file__).parent


@pytest.fixture
def world(data):
    """Two people, and two hand-made users of the first one's address."""
    world = World(data)
    world.hire("1", "2")
    world.stranger("1@acme.test")
    world.stranger("x@acme.test", "1@acme.test")
    world.make_plan()
    return world


def decisions(world):
    return world.query("select hris_ref, deskbird_id, decision, because from state.decisions order by rowid")


def test_what_waits_is_told_in_words_with_the_users_and_the_commands(world, run):
    code, out, err = run("review", "acme")
    assert (code, err) == (0, "")
    assert "Given Family  p:1  since 2026-03-02 13:00" in out
    assert "More than one user in deskbird has the person's e-mail address." in out
    assert "u1  Given Family  1@acme.test  active" in out
    assert "hris-pipeline link acme p:1 u2" in out
    assert "1 to decide on." in out
    assert "p:2" not in out


def test_json_is_one_versioned_document(world, run):
    code, out, _ = run("review", "acme", "--format", "json")
    document = json.loads(out)
    assert (code, document["version"], document["kind"], document["company"]) == (0, 1, "review", "acme")
    (one,) = document["waiting"]
    assert (one["hris_ref"], one["rule"]) == ("p:1", "several_users_share_the_email")
    assert [candidate["deskbird_id"] for candidate in one["candidates"]] == ["u1", "u2"]
    assert one["commands"][0] == "hris-pipeline link acme p:1 u1"


def test_nobody_waits(world, run):
    world.users.clear()
    world.make_plan()
    assert run("review", "acme")[:2] == (0, "Nobody waits for a decision.\n")
    assert json.loads(run("review", "acme", "--format", "json")[1])["waiting"] == []


def test_a_link_is_kept_with_who_and_why_and_the_next_plan_uses_it(world, run):
    code, out, err = run("link", "acme", "p:1", "u2", "--because", "they said so")
    assert (code, err) == (0, "")
    assert "Decided: record p:1 is user u2." in out
    assert "The next sync or apply uses it" in out
    assert decisions(world) == [("p:1", "u2", "link", "they said so")]
    assert world.query("select decided_by, decided_at from state.decisions") == [
        (getpass.getuser(), dt.datetime(2026, 3, 3, 4, tzinfo=dt.UTC))
    ]
    assert "(link decided; the next sync uses it)" in run("review", "acme")[1]
    world.make_plan()
    assert "user link p:1" in world.kinds_of_changes()
    out = run("review", "acme")[1]
    assert "several_users" not in out
    assert "The address that the person has now is held by somebody else's user." in out  # the other hand-made one has it too
    assert "separate" not in out


def test_the_same_decision_twice_is_one(world, run):
    run("separate", "acme", "p:1", "u1")
    code, out, _ = run("separate", "acme", "p:1", "u1")
    assert code == 0
    assert "decided already that record p:1 is not user u1. Nothing was changed." in out
    assert decisions(world) == [("p:1", "u1", "separate", None)]


def test_the_latest_decision_on_a_pair_counts(world, run):
    run("link", "acme", "p:1", "u1")
    run("separate", "acme", "p:1", "u1")
    code, out, _ = run("link", "acme", "p:1", "u1")
    assert (code, "Decided" in out) == (0, True)
    assert [decision for *_, decision, _ in decisions(world)] == ["link", "separate", "link"]


def test_another_link_of_the_record_takes_the_place_of_the_first_and_does_not_come_back(world, run):
    run("link", "acme", "p:1", "u1")
    code, out, _ = run("link", "acme", "p:1", "u2")
    assert code == 0
    assert "takes the place of the decision that record p:1 is user u1" in out
    assert decisions(world)[1:] == [
        ("p:1", "u1", "replaced", "replaced by the link of p:1 to u2"),
        ("p:1", "u2", "link", None),
    ]
    run("separate", "acme", "p:1", "u2")
    world.make_plan()
    assert [row for row in world.rows() if row["deskbird_id"] == "u1"] == []
    assert world.query("select count(*) from state.decisions where decision = 'link'") == [(2,)]


def test_another_record_for_the_same_user_takes_the_place_of_the_first(world, run):
    run("link", "acme", "p:1", "u1")
    out = run("link", "acme", "p:2", "u1")[1]
    assert "takes the place of the decision that record p:1 is user u1" in out
    world.make_plan()
    assert [row["hris_ref"] for row in world.rows() if row["deskbird_id"] == "u1" and row["action"] == "link"] == ["p:2"]


def test_what_the_user_was_before_is_told(world, run):
    world.users["u1"].external_id = "okta-77"
    world.users["u2"].external_id = "p:9"
    world.make_plan()
    world.execute("update deskbird.users set hris_ref = external_id where deskbird_id = 'u2'")
    assert "carries another system's externalId" in run("link", "acme", "p:1", "u1")[1]
    assert "So far the user has belonged to record p:9." in run("link", "acme", "p:1", "u2")[1]


def test_a_record_in_quarantine_can_be_decided_on_and_it_is_said_when_that_counts(world, run):
    world.people["1"].email = "no address"
    world.make_plan()
    assert "in quarantine" in run("link", "acme", "p:1", "u1")[1]


@pytest.mark.parametrize("command", ["link", "separate"])
@pytest.mark.parametrize(
    ("record", "user", "said"),
    [
        ("p:77", "u1", "no record with this hris_ref"),
        ("q:1", "u1", "no record with this hris_ref"),
        ("1@acme.test", "u1", "no record with this hris_ref"),
        ("p:1", "u77", "no user with this id"),
        ("p:1", "1@acme.test", "no user with this id"),
    ],
)
def test_what_nobody_knows_is_refused_and_not_repeated(world, run, command, record, user, said):
    code, out, err = run(command, "acme", record, user)
    assert (code, out) == (1, "")
    assert said in err
    assert "Nothing was decided" in err
    assert err.count("\n") == 1
    assert "acme.test" not in err
    assert decisions(world) == []


def test_before_the_first_run_there_is_nothing_to_decide(world, run, tmp_path, monkeypatch):
    monkeypatch.setenv(settings.DATA_VARIABLE, str(tmp_path / "elsewhere"))
    for command in (("review", "acme"), ("link", "acme", "p:1", "u1"), ("separate", "acme", "p:1", "u1")):
        code, _, err = run(*command)
        assert code == 1
        assert "Run `hris-pipeline sync acme` first" in err


def test_every_rule_that_sends_somebody_to_review_is_told_in_words():
    files = [*(PACKAGE / "identity").glob("*.sql"), PACKAGE / "plan" / "user_differences.sql"]
    text = "\n".join(line.split("--")[0] for file in files for line in file.read_text(encoding="utf-8").splitlines())
    rules = set(re.findall(r"'([a-z]+(?:_[a-z]+){2,})'", text)) - {"members_are_readable"}
    assert rules | {"fails_for_28_days"} == set(rendering.RULES)  # the last one comes from plan/findings.sql


def test_a_name_cannot_paint_on_the_terminal(world):
    world.people["1"].given_name = "Ada[bold]"
    world.users["u1"].display_name = "Bo\x1b[31m"
    world.make_plan()
    with world.warehouse.read() as con:
        waiting = rendering.read(con)
    text = page(lambda to: rendering.show(to, "acme", waiting, timezone="UTC"))
    assert "Ada[bold]" in text
    assert "\x1b" not in text
    assert "1@acme.test" not in repr(waiting)


def test_a_rule_for_groups_that_finds_nothing_waits_for_the_company_file(world, run):
    world.execute(
        "insert into state.review by name select 'team:Sales' as hris_ref, 'link_groups_finds_nothing' as rule, now() as since"
    )
    out = run("review", "acme")[1]
    assert "names a unit or a group that is not there. Correct it." in out
    assert "link acme team:Sales" not in out


# --- what the HR department is to correct -------------------------------------------------------------------------------------


@pytest.fixture
def to_correct(world):
    """A returner whose old last day still stands, and somebody without an address."""
    world.users.clear()
    world.people["1"].start_date, world.people["1"].end_date = "2026-02-01", "2024-05-31"
    world.hire("3", family_name="Nomail")
    world.people["3"].email = None
    world.make_plan()
    return world


def test_c31_c89_the_list_for_the_hr_department_says_who_what_and_which_field(to_correct, run):
    code, out, err = run("review", "acme")
    told = " ".join(out.split())
    assert (code, err) == (0, "")
    assert "Nobody waits for a decision. 2 records to correct in the HR system:" in told
    assert (
        "email_is_present: It has no work e-mail. Enter one; a private address does not count. Given Nomail p:3 held back" in told
    )
    assert "last_day_before_first_day: The last day lies before the first day. Correct or clear the last day" in told
    assert "Given Family p:1 status active, first day 2026-02-01, last day 2024-05-31; counts as active since 2026-03-02" in told
    found = json.loads(run("review", "acme", "--format", "json")[1])["to_correct"]
    assert [(one["hris_ref"], one["code"], one["decided"]) for one in found] == [
        ("p:3", "email_is_present", None),
        ("p:1", "last_day_before_first_day", "active"),
    ]


def test_every_rule_that_holds_a_person_back_has_a_sentence():
    rules = {rule.name for rule in (*contracts.PEOPLE.rules, contracts.EMAIL_IS_UNIQUE, contracts.OTHER_RECORDS_ARE_SOUND)}
    assert rules == set(rendering.HELD_BACK)


def test_c92_a_candidate_says_what_agrees_and_what_differs(world, run):
    world.users.clear()
    world.night()
    world.people["1"].given_name, world.people["1"].family_name, world.people["1"].email = "Zoe", "Quint", "zoe@acme.test"
    world.people["1"].start_date = "2026-03-01"
    world.make_plan()
    out = " ".join(run("review", "acme")[1].split())
    assert "perhaps its id was given to somebody else" in out
    assert "differs: email, given name, family name" in out
    (one,) = json.loads(run("review", "acme", "--format", "json")[1])["waiting"]
    assert (one["candidates"][0]["agrees"], one["candidates"][0]["differs"]) == ([], ["email", "given_name", "family_name"])
