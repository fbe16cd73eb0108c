"""Whole nights from the command line, against the stand-ins over real HTTP: exit codes and what was
really sent.
"""

import datetime as dt
import json
import re
from dataclasses import dataclass

import pytest

from hris_pipeline import cli
from hris_pipeline.sandbox.company import generate
from hris_pipeline.sandbox.deskbird.behaviour import Behaviour, Refusal
from hris_pipeline.sandbox.faults import Fault
from hris_pipeline_tests.end_to_end.deployment import Deployment, deployed, in_line


@dataclass
class Office:
    """A company, its two systems, and the command line."""

    company: Deployment
    capture: pytest.CaptureFixture[str]

    def __post_init__(self):
        self.tenant, self.deskbird, self.personio = (
            self.company.tenant,
            self.company.deskbird,
            self.company.personio,
        )

    def run(self, *arguments, night=0):
        """A command as of the n-th night: exit code, standard output, standard error."""
        as_of = dt.datetime(2026, 3, 2, 4, tzinfo=dt.UTC) + dt.timedelta(days=night)
        timed = arguments[0] in {"sync", "plan", "apply", "approve", "undo", "status", "explain"}
        code = cli.run([*arguments, *(["--as-of", as_of.isoformat()] if timed else [])])
        return (code, *self.capture.readouterr())

    def plan(self, night=0):
        """The current plan's JSON document."""
        return json.loads(self.run("plan", "acme", "--format", "json", night=night)[1])

    def writes(self):
        """Requests to deskbird so far that were no reads."""
        return len(self.deskbird.writes())


def forty(folder, app=None):
    """A company of 40 and an empty deskbird."""
    return deployed(
        folder,
        generate(40),
        deskbird=app,
        more={"guards": {"deactivate_user": {"max_percent": 5, "max_count": 2}}},
    )


@pytest.fixture
def office(tmp_path, capsys):
    with forty(tmp_path) as company:
        yield Office(company, capsys)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("nights") / "first"


@pytest.fixture
def settled(tmp_path, kept, capsys):
    """The same after its first night."""
    with in_line(kept, tmp_path, forty) as company:
        yield Office(company, capsys)


def test_c72_c77_a_dry_run_writes_nothing_a_sync_writes_once_and_a_second_one_nothing(office):
    code, out, err = office.run("sync", "acme", "--dry-run")
    assert (code, office.writes()) == (2, 0), err
    assert "Create 3" in out  # thirty-odd users
    document = office.plan()
    assert document["exit_code"] == 2

    code, out, _ = office.run("sync", "acme")
    written = office.writes()
    assert code == 0
    assert written == len({change["request"] for change in document["changes"]})
    assert "carried out" in out
    assert office.run("plan", "acme")[0] == 0

    code, out, _ = office.run("sync", "acme", night=1)
    assert (code, office.writes()) == (0, written)
    assert "Nothing to change: deskbird is in line." in out
    assert office.run("status", "acme", night=1)[0] == 0


def test_a_blocked_night_waits_for_an_approval_and_apply_carries_exactly_that_out(settled):
    leavers = [
        p.id for p in settled.tenant.snapshot.persons.values() if p.current.status == "ACTIVE"
    ][-4:]
    for leaver in leavers:
        settled.tenant.change(leaver, status="INACTIVE", end_date=dt.date(2026, 3, 2))
    settled.tenant.change(1, last_name="Otherwise")

    assert settled.run("sync", "acme", "--dry-run", night=1)[0] == 3
    code, out, _ = settled.run("sync", "acme", night=1)
    assert code == 3
    assert "Deactivate 4 users  held back by guard deactivate_user" in out
    assert any(user["name"]["familyName"] == "Otherwise" for user in settled.deskbird.desk.users())
    plan_id = settled.plan(1)["plan_id"]
    assert settled.run("plan", "acme", night=1)[0] == 3
    assert settled.run("status", "acme", night=1)[0] == 3
    assert settled.run("apply", "acme", "--plan", plan_id, night=1)[0] == 3

    assert (
        settled.run(
            "approve",
            "acme",
            plan_id,
            "--only",
            "deactivate_user",
            "--because",
            "a season's end",
            night=1,
        )[0]
        == 0
    )
    assert settled.run("plan", "acme", night=1)[0] == 2
    before = settled.writes()
    assert settled.run("apply", "acme", "--plan", plan_id, night=1)[0] == 0
    assert settled.writes() - before == 4
    assert settled.run("plan", "acme", night=1)[0] == 0
    # a second time there is nothing to do
    assert settled.run("apply", "acme", "--plan", plan_id, night=1)[0] == 0
    assert settled.writes() - before == 4


def test_c78_a_night_is_undone_and_stays_so_until_that_is_approved(settled):
    leaver = next(
        p.id
        for p in settled.tenant.snapshot.persons.values()
        if p.current.status == "ACTIVE" and p.email
    )
    settled.tenant.change(leaver, status="INACTIVE", end_date=dt.date(2026, 3, 2))
    settled.tenant.change(leaver + 1, last_name="Otherwise")
    before = [{**user, "meta": None} for user in settled.deskbird.desk.users()]
    assert settled.run("sync", "acme", night=1)[0] == 0
    night = settled.plan(1)["plan_id"]

    writes = settled.writes()
    code, out, err = settled.run("undo", "acme", night, night=1)
    assert (code, settled.writes()) == (2, writes), err
    assert f"undoes plan {night}" in out
    assert f"do not come back: 1 (personio:{leaver})." in out
    document = settled.plan(1)
    assert (document["undoes"], document["exit_code"]) == (night, 2)
    assert [one["why"] for one in document["not_undone"]] == ["bookings"]
    assert (
        f"Undoes plan {night}." in settled.run("plan", "acme", "--format", "markdown", night=1)[1]
    )

    assert settled.run("apply", "acme", "--plan", document["plan_id"], night=1)[0] == 0
    assert [{**user, "meta": None} for user in settled.deskbird.desk.users()] == before
    code, _, err = settled.run("undo", "acme", night, night=1)
    assert (code, "is undone already" in err) == (1, True)

    writes = settled.writes()
    code, out, _ = settled.run("sync", "acme", night=2)
    assert (code, settled.writes()) == (3, writes)
    assert "held back by guard undone" in out
    assert (
        settled.run(
            "approve", "acme", settled.plan(2)["plan_id"], "--because", "it was right", night=2
        )[0]
        == 0
    )
    assert settled.run("sync", "acme", night=2)[0] == 0
    assert settled.writes() > writes
    assert settled.run("sync", "acme", night=3)[0] == 0

    code, out, _ = settled.run("explain", "acme", f"personio:{leaver}", night=3)
    assert code == 0
    assert f"Undoes plan {night}: it deactivated this user." in out


def personal(tenant):
    """Every name and address of the tenant's people."""
    people = tenant.snapshot.persons.values()
    return {text for one in people for text in (one.first_name, one.last_name, one.email) if text}


def test_what_machines_keep_of_sync_apply_and_undo_holds_references_and_no_names(
    office, monkeypatch
):
    kept = []

    def keep(*arguments, night, code):
        ended, out, err = office.run(*arguments, night=night)
        assert ended == code, err
        kept.extend((out, err))
        return out

    keep("sync", "acme", "--dry-run", night=0, code=2)
    keep("sync", "acme", night=0, code=0)
    leaver = next(
        p
        for p in office.tenant.snapshot.persons.values()
        if p.current.status == "ACTIVE" and p.email
    )
    office.tenant.change(leaver.id, status="INACTIVE", end_date=dt.date(2026, 3, 2))
    renamed = next(
        p.id
        for p in office.tenant.snapshot.persons.values()
        if p.id > leaver.id and p.current.status == "ACTIVE"
    )
    office.tenant.change(renamed, last_name="Otherwise", email="otherwise@sample.example")
    keep("sync", "acme", "--dry-run", night=1, code=2)
    plan_id = office.plan(1)["plan_id"]
    assert "Otherwise" in office.run("plan", "acme", night=1)[1]
    assert "Otherwise" in office.run("sync", "acme", "--dry-run", "--names", night=1)[1]
    out = keep("apply", "acme", "--plan", plan_id, night=1, code=0)
    assert f"personio:{renamed}  " in out
    assert "family name" in out
    keep("undo", "acme", plan_id, night=1, code=2)
    text = "\n".join(kept)
    found = {
        word
        for word in personal(office.tenant) | {leaver.email}
        if re.search(rf"\b{re.escape(word)}\b", text)
    }
    assert found == set()
    assert "2026-03-02." not in text.replace("2026-03-02 0", "")  # the last day
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert "Otherwise" in office.run("undo", "acme", plan_id, night=1)[1]


def test_a_paused_company_is_read_and_planned_and_nothing_is_written_until_it_is_resumed(office):
    assert office.run("pause", "acme", "--because", "moving offices")[0] == 0
    code, out, _ = office.run("sync", "acme")
    assert (code, office.writes()) == (2, 0)
    assert "acme is paused since " in out
    assert "nothing was written; `hris-pipeline resume acme` ends it." in out
    assert "Carry it out" not in out
    plan_id = office.plan()["plan_id"]
    code, out, err = office.run("apply", "acme", "--plan", plan_id)
    assert (code, out, office.writes()) == (1, "", 0)
    assert err.startswith("acme is paused since ")
    assert office.run("resume", "acme")[0] == 0
    assert office.run("apply", "acme", "--plan", plan_id)[0] == 0
    assert office.run("pause", "acme")[0] == 0
    code, out, _ = office.run("sync", "acme", night=1)
    assert code == 0  # in line
    assert "nothing was written" in out


def test_c64_what_somebody_changed_meanwhile_makes_a_plan_stale(settled):
    settled.tenant.change(5, last_name="Planned")
    assert settled.run("sync", "acme", "--dry-run", night=1)[0] == 2
    plan_id = settled.plan(1)["plan_id"]
    user = next(
        user for user in settled.deskbird.desk.users() if user["externalId"] == "personio:5"
    )
    settled.deskbird.desk.edit(user["id"], {"name.familyName": "Byhand"})
    code, out, _ = settled.run("apply", "acme", "--plan", plan_id, night=1)
    assert code == 1
    assert "stale" in out
    assert "Make a new plan" in out


def test_who_asks_why_they_were_deactivated_is_told_without_a_request(settled):
    leaver = next(
        p
        for p in settled.tenant.snapshot.persons.values()
        if p.current.status == "ACTIVE" and p.email
    )
    ref, address = f"personio:{leaver.id}", leaver.email
    settled.tenant.change(leaver.id, status="INACTIVE", end_date=dt.date(2026, 3, 2))
    assert settled.run("sync", "acme", night=1)[0] == 0
    plan_id = settled.plan(1)["plan_id"]
    requests = len(settled.deskbird.faults.requests()), len(settled.personio.requests())
    code, out, err = settled.run("explain", "acme", address, night=2)
    assert (code, err) == (0, "")
    said = (
        f"was deactivated on 2026-03-03 by plan {plan_id}, because the employment ended on "
        "2026-03-02."
    )
    assert out.startswith(f"The user is inactive: it {said}")
    (user,) = [user for user in settled.deskbird.desk.users() if user["externalId"] == ref]
    for asked in (ref, user["id"]):
        document = json.loads(settled.run("explain", "acme", asked, "--format", "json", night=2)[1])
        assert (document["refs"], document["deskbird_id"], document["live"]) == (
            [ref],
            user["id"],
            True,
        )
    assert [row["http_status"] for row in document["requests"]][-1] in {200, 204}
    assert [night["changed"].get("status", {}).get("after") for night in document["history"]] == [
        "active",
        "ended",
    ]
    assert (len(settled.deskbird.faults.requests()), len(settled.personio.requests())) == requests


def test_a_failed_write_is_an_error_and_the_rest_is_carried_out(office):
    office.deskbird.behave(refusals=(Refusal(who="personio:4", what="create"),))
    code, out, _ = office.run("sync", "acme")
    assert code == 1
    assert "failed" in out
    assert office.run("plan", "acme")[0] == 1
    assert office.run("sync", "acme", "--dry-run")[0] == 2  # a new plan, which nobody has tried yet
    office.deskbird.behave(Behaviour())
    assert office.run("sync", "acme", night=1)[0] == 0


def test_an_hris_that_cannot_be_read_is_one_sentence_and_no_write(office):
    office.personio.add(Fault("GET /v1/*", "status", value=403, times=None))
    code, out, err = office.run("sync", "acme")
    assert (code, out, office.writes()) == (1, "", 0)
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert "personio" in last.lower()


def test_there_is_no_plan_to_apply_before_the_first_one(office):
    code, out, err = office.run("apply", "acme", "--plan", "0000")
    assert (code, out) == (1, "")
    assert "no plan" in err
