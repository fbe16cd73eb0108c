"""Cases 71 and 104 from the command line: a plan or a decision that was altered in the warehouse
reaches nobody.
"""

import contextlib
import datetime as dt

import duckdb
import pytest

from hris_pipeline import cli
from hris_pipeline.sandbox.company import generate
from hris_pipeline_tests.end_to_end.deployment import deployed

NIGHT = "2026-03-03T04:30:00+01:00"


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """In line, then four leave at once and somebody is renamed; a dry run holds the four back."""
    more = {"guards": {"deactivate_user": {"max_percent": 5, "max_count": 2}}}
    with deployed(tmp_path_factory.mktemp("altered"), generate(40), more=more) as made:
        assert cli.run(["sync", "acme", "--as-of", "2026-03-02T04:30:00+01:00"]) == 0
        for leaver in [
            p.id for p in made.tenant.snapshot.persons.values() if p.current.status == "ACTIVE"
        ][-4:]:
            made.tenant.change(leaver, status="INACTIVE", end_date=dt.date(2026, 3, 2))
        made.tenant.change(1, last_name="Otherwise")
        assert cli.run(["sync", "acme", "--dry-run", "--as-of", NIGHT]) == 3
        yield made


@contextlib.contextmanager
def altered(company, sql):
    """The warehouse with something altered in it, for as long as the block lasts."""
    file = company.folder / "data" / "acme.duckdb"
    kept = file.read_bytes()
    with duckdb.connect(str(file)) as con:
        con.execute(sql)
    try:
        yield
    finally:
        file.write_bytes(kept)


def refused(run, company, *command):
    """A command that must end with exit 1, one sentence, and no write."""
    before = len(company.deskbird.writes())
    code, out, err = run(*command, "--as-of", NIGHT)
    assert code == 1, (command, out, err)
    assert len(err.strip().splitlines()) == 1, err
    assert len(company.deskbird.writes()) == before
    return err


def plan_of(company, number):
    ((plan_id,),) = company.ask(
        f"select plan_id from state.plans order by number limit 1 offset {number - 1}"
    )
    return plan_id


def test_c104_an_altered_plan_is_neither_carried_out_nor_approved_nor_undone(company, run):
    first, plan_id = plan_of(company, 1), plan_of(company, 2)
    ((held, planned),) = company.ask(
        """select min(seq) filter (verdict = 'blocked'), min(seq) filter (verdict = 'planned')
           from deskbird.changes"""
    )
    row = f"where plan_id = '{plan_id}' and seq ="
    for sql, seq in (
        (
            (
                "update state.plan_changes set verdict = 'planned', guard = null, guards = [] "
                f"{row} {held}"
            ),
            held,
        ),
        (
            f"""update state.plan_changes
                set after = replace(after::varchar, 'Otherwise', 'Otherwisf')
                {row} {planned}""",
            planned,
        ),
        (
            (
                "update deskbird.changes set after = replace(after::varchar, 'Otherwise', "
                f"'Otherwisf') {row} {planned}"
            ),
            planned,
        ),
    ):
        with altered(company, sql):
            carried_out = refused(run, company, "apply", "acme", "--plan", plan_id)
            assert f"Plan {plan_id} of company 'acme' is not stored as it was made" in carried_out
            assert f"The first altered row is seq {seq}. Nothing was written." in carried_out
            assert "Otherwis" not in carried_out
            assert f"seq {seq}. Nothing was approved." in refused(
                run, company, "approve", "acme", plan_id
            )
    with altered(
        company,
        f"update state.plan_changes set reason = reason || '.' where plan_id = '{first}' and "
        "seq = 5",
    ):
        assert "seq 5. Nothing was planned." in refused(run, company, "undo", "acme", first)
    assert company.ask("select count(*) from state.approvals") == [(0,)]


def test_c71_an_altered_approval_is_refused_and_takes_every_earlier_one_back(company, run):
    plan_id = plan_of(company, 2)
    decided = run("approve", "acme", plan_id, "--because", "a season's end", "--as-of", NIGHT)
    assert decided[0] == 0, decided
    with altered(company, "update state.approvals set because = 'a season''s enb' where rowid = 0"):
        told = refused(run, company, "apply", "acme", "--plan", plan_id)
        assert "so that no approval is valid. Nothing was written." in told
        code, out, _ = run("approve", "acme", plan_id, "--as-of", NIGHT)
        assert code == 0
        assert "1 earlier decision had been altered" in out
        assert "4 changes released" in out
    before = len(company.deskbird.writes())
    assert run("apply", "acme", "--plan", plan_id, "--as-of", NIGHT)[0] == 0
    assert len(company.deskbird.writes()) - before == 5
