"""What waits for a decision, and deciding it from the command line."""

import csv
import datetime as dt
import getpass
import json
import re
import stat
from pathlib import Path

import pytest
from plan.world import World

import hris_pipeline
from hris_pipeline import settings
from hris_pipeline.contracts.tables import EMAIL_IS_UNIQUE, OTHER_RECORDS_ARE_SOUND, PEOPLE
from hris_pipeline.presentation import page
from hris_pipeline.presentation import review as rendering
from hris_pipeline.presentation.review.words import HELD_BACK, RULES
from hris_pipeline.reports import review as report

PACKAGE = Path(hris_pipeline.__file__).parent


@pytest.fixture(scope="module")
def waiting(tmp_path_factory):
    """Two people, and two hand-made users of the first one's address."""
    world = World(tmp_path_factory.mktemp("waiting"))
    world.hire("1", "2")
    world.stranger("1@acme.test")
    world.stranger("x@acme.test", "1@acme.test")
    world.make_plan()
    return world


@pytest.fixture
def world(waiting, data):
    return waiting.copy(data)


def decisions(world):
    return world.query(
        "select hris_ref, deskbird_id, decision, because from state.decisions order by rowid"
    )


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
    assert (code, document["version"], document["kind"], document["company"]) == (
        0,
        1,
        "review",
        "acme",
    )
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
    # the other hand-made one has it too
    assert "The address that the person has now is held by somebody else's user." in out
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
    assert [
        row["hris_ref"]
        for row in world.rows()
        if row["deskbird_id"] == "u1" and row["action"] == "link"
    ] == ["p:2"]


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
    for command in (
        ("review", "acme"),
        ("link", "acme", "p:1", "u1"),
        ("separate", "acme", "p:1", "u1"),
    ):
        code, _, err = run(*command)
        assert code == 1
        assert "Run `hris-pipeline sync acme` first" in err


def test_every_rule_that_sends_somebody_to_review_is_told_in_words():
    files = [*(PACKAGE / "identity").glob("*.sql"), PACKAGE / "plan" / "user_differences.sql"]
    text = "\n".join(
        line.split("--")[0]
        for file in files
        for line in file.read_text(encoding="utf-8").splitlines()
    )
    rules = set(re.findall(r"'([a-z]+(?:_[a-z]+){2,})'", text))
    # by plan/findings/ and plan/unreadable.sql
    of_the_plan = {"fails_for_28_days", "user_cannot_be_read"}
    assert rules | of_the_plan == set(RULES)


def test_a_name_cannot_paint_on_the_terminal(world):
    world.people["1"].given_name = "Ada[bold]"
    world.users["u1"].display_name = "Bo\x1b[31m"
    world.make_plan()
    with world.warehouse.read() as con:
        waiting = report.read(con)
    text = page(lambda to: rendering.show(to, "acme", waiting, timezone="UTC"))
    assert "Ada[bold]" in text
    assert "\x1b" not in text
    assert "1@acme.test" not in repr(waiting)


def test_a_rule_for_groups_that_finds_nothing_waits_for_the_company_file(world, run):
    world.execute(
        "insert into state.review by name select 'team:Sales' as hris_ref, "
        "'link_groups_finds_nothing' as rule, now() as since"
    )
    out = run("review", "acme")[1]
    assert "names a unit or a group that is not there. Correct it." in out
    assert "link acme team:Sales" not in out


# --- many at once ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """People whose users another system has marked: of 1 to 3 plainly, of the others in some
    unclear way.
    """
    world = World(tmp_path_factory.mktemp("marked"))
    world.hire("1", "2", "3", "several", "separated", "new")
    for name in ("1", "2", "separated"):
        world.stranger(
            f"{name}@acme.test",
            external_id=f"okta-{name}",
            display_name="=Evil" if name == "2" else None,
        )
    world.stranger("alias@acme.test", "3@acme.test", external_id="okta-3")
    world.stranger("several@acme.test", external_id="okta-4")
    world.stranger("several@acme.test", "other@acme.test")
    world.make_plan()
    return world


@pytest.fixture
def moving(marked, data):
    return marked.copy(data)


def user(world, address):
    (found,) = [one.id for one in world.users.values() if one.user_name == address]
    return found


def test_c106_one_decision_links_whoever_has_exactly_one_marked_user(moving, run):
    run("separate", "acme", "p:separated", user(moving, "separated@acme.test"))
    code, out, _ = run("link", "acme", "--all-by-email", "--dry-run")
    assert (code, out.splitlines()[0], len(decisions(moving))) == (
        0,
        "Would decide: 3 links, 0 separations.",
        1,
    )
    assert (
        "1 person of the same rule is decided already, or the e-mail does not fit exactly one user"
        in out
    )
    code, out, err = run("link", "acme", "--all-by-email", "--because", "moved")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "Decided: 3 links, 0 separations."
    assert "3 users of them carry another system's externalId" in out
    assert decisions(moving)[1:] == [
        ("p:1", user(moving, "1@acme.test"), "link", "moved"),
        ("p:2", user(moving, "2@acme.test"), "link", "moved"),
        ("p:3", user(moving, "3@acme.test"), "link", "moved"),
    ]
    assert (
        run("link", "acme", "--all-by-email", "--because", "again")[1].splitlines()[0]
        == "Decided: 0 links, 0 separations."
    )
    moving.make_plan()
    assert sorted(row["hris_ref"] for row in moving.rows() if row["action"] == "link") == [
        "p:1",
        "p:2",
        "p:3",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--all-by-email"], "needs --because TEXT"),
        (["p:1"], "Missing argument 'DESKBIRD_ID'"),
        ([], "Give HRIS_REF and DESKBIRD_ID, or --all-by-email, or --from FILE.csv"),
        (
            ["p:1", "u1", "--all-by-email", "--because", "x"],
            "Give HRIS_REF and DESKBIRD_ID, or --all-by-email",
        ),
        (["p:1", "u1", "--dry-run"], "--dry-run goes with"),
    ],
)
def test_c106_a_decision_is_asked_for_in_one_way(moving, run, arguments, said):
    code, out, err = run("link", "acme", *arguments)
    assert (code, out) == (1, "")
    assert said in err
    assert decisions(moving) == []


def filled(file, decided, *, encoding="utf-8", delimiter=","):
    """Write the file anew as a spreadsheet does, with what was decided on each pair."""
    with file.open(newline="", encoding="utf-8") as given:
        rows = list(csv.DictReader(given))
    with file.open("w", newline="", encoding=encoding) as out:
        writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(
            row | {"decision": decided.get((row["hris_ref"], row["deskbird_id"]), "")}
            for row in rows
        )
    return rows


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ";"), ("cp1252", "\t")]
)
def test_c106_a_file_is_written_once_filled_in_and_carried_out(
    moving, run, tmp_path, encoding, delimiter
):
    file = tmp_path / "review.csv"
    code, out, err = run("review", "acme", "--out", str(file))
    assert (code, out) == (0, "")
    assert f"hris-pipeline link acme --from {file}" in err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run("review", "acme", "--out", str(file))[0] == 1
    one, two = user(moving, "several@acme.test"), user(moving, "other@acme.test")
    made = {("p:1", user(moving, "1@acme.test")): "Link ", ("p:several", two): "separate"}
    rows = filled(file, made, encoding=encoding, delimiter=delimiter)
    assert list(rows[0])[:5] == ["hris_ref", "rule", "deskbird_id", "candidates", "decision"]
    assert {row["candidates"] for row in rows if row["hris_ref"] == "p:several"} == {f"{one} {two}"}
    assert not [cell for row in rows for cell in row.values() if cell[:1] in {"=", "+", "-", "@"}]
    code, out, err = run("link", "acme", "--from", str(file), "--because", "reviewed")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "Decided: 1 link, 1 separation."
    assert set(decisions(moving)) == {
        ("p:1", user(moving, "1@acme.test"), "link", "reviewed"),
        ("p:several", two, "separate", "reviewed"),
    }


def test_c106_rows_that_cannot_be_used_are_named_and_none_is_carried_out(moving, run, tmp_path):
    file = tmp_path / "filled.csv"
    file.write_text("hris_ref,deskbird_id,decision\np:1,u1,link\np:2,u1,yes\n,u1,link\n")
    code, out, err = run("link", "acme", "--from", str(file))
    assert (code, out) == (1, "")
    assert [line.partition("line ")[2] for line in err.splitlines()[:-1]] == [
        "3: the decision must be link, separate or nothing.",
        "4: a decision needs an hris_ref and a deskbird_id.",
    ]
    assert err.splitlines()[-1] == "Nothing was decided: correct these 2 rows and start again."
    file.write_text(
        "deskbird_id,decision,hris_ref\n"
        "u1,link,p:1\n"
        "u1,link,p:2\n"
        "u2,link,p:1\n"
        "u1,separate,p:1\n"
        "u77,link,p:3\n"
        "u3,link,p:77\n"
    )
    code, out, err = run("link", "acme", "--from", str(file))
    assert (code, out) == (1, "")
    assert [line.partition("line ")[2] for line in err.splitlines()[:-1]] == [
        "3: Line 2 links the same user already.",
        "4: Line 2 links the same person already.",
        "5: Line 2 says link of the same record and user.",
        "6: The last read of deskbird shows no user with this id.",
        (
            "7: The last read of the HR system shows no record with this hris_ref, which is "
            "written <connection>:<id>."
        ),
    ]
    assert decisions(moving) == []
    file.write_text("a,b\n1,2\n")
    assert (
        "has no column hris_ref and no column deskbird_id and no column decision"
        in run("link", "acme", "--from", str(file))[2]
    )
    assert "could not be read" in run("link", "acme", "--from", str(tmp_path / "nowhere.csv"))[2]


# --- what the HR department is to correct ---------------------------------------------------------


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
        "email_is_present: It has no work e-mail. Enter one; a private address does not count. "
        "Given Nomail p:3 held back" in told
    )
    assert (
        "last_day_before_first_day: The last day lies before the first day. Correct or clear the "
        "last day" in told
    )
    assert (
        "Given Family p:1 status active, first day 2026-02-01, last day 2024-05-31; counts as "
        "active since 2026-03-02" in told
    )
    found = json.loads(run("review", "acme", "--format", "json")[1])["to_correct"]
    assert [(one["hris_ref"], one["code"], one["decided"]) for one in found] == [
        ("p:3", "email_is_present", None),
        ("p:1", "last_day_before_first_day", "active"),
    ]


def test_every_rule_that_holds_a_person_back_has_a_sentence():
    rules = {rule.name for rule in (*PEOPLE.rules, EMAIL_IS_UNIQUE, OTHER_RECORDS_ARE_SOUND)}
    assert rules == set(HELD_BACK)


def test_c92_a_candidate_says_what_agrees_and_what_differs(world, run):
    world.users.clear()
    world.night()
    world.people["1"].given_name, world.people["1"].family_name, world.people["1"].email = (
        "Zoe",
        "Quint",
        "zoe@acme.test",
    )
    world.people["1"].start_date = "2026-03-01"
    world.make_plan()
    out = " ".join(run("review", "acme")[1].split())
    assert "perhaps its id was given to somebody else" in out
    assert "differs: email, given name, family name" in out
    (one,) = json.loads(run("review", "acme", "--format", "json")[1])["waiting"]
    assert (one["candidates"][0]["agrees"], one["candidates"][0]["differs"]) == (
        [],
        ["email", "given_name", "family_name"],
    )
