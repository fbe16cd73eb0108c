"""Nights in which deskbird refuses a person, a part of one, or a member, night after night (cases
107 to 109).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hris_pipeline.sandbox.company import Employment, OrgUnit, Person, generate
from hris_pipeline.sandbox.deskbird.behaviour import Answers, Behaviour, Forms, Odd, Refusal
from hris_pipeline_tests.end_to_end.deployment import (
    NIGHT,
    Deployment,
    content,
    deployed,
    in_line,
    manager_id,
)

PEOPLE = 14


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path, generate(PEOPLE)) as made:
        yield made


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("in_line") / "first_night"


@pytest.fixture
def settled(tmp_path: Path, kept: Path) -> Iterator[Deployment]:
    """The same after its first night."""
    with in_line(
        kept, tmp_path, lambda folder, app: deployed(folder, generate(PEOPLE), deskbird=app)
    ) as made:
        yield made


def address(number: int) -> str:
    return f"person.{number}@nordlicht.example"


def names(acme: Deployment) -> dict[str, str]:
    return {user["externalId"]: user["name"]["familyName"] for user in acme.deskbird.desk.users()}


def test_c107_c108_c109_what_is_refused_waits_alone_is_named_and_is_not_tried_for_ever(
    acme: Deployment,
) -> None:
    """A protected account, a name, a manager and a member are refused for four nights; then the HR
    system says otherwise.
    """
    (elsewhere := acme.folder / "wanted").mkdir()
    with deployed(elsewhere, generate(PEOPLE)) as other:
        assert other.sync().code == 0
        wanted = content(other.deskbird.desk)
    acme.deskbird.behave(
        refusals=(
            Refusal(who="personio:2", what="create", status=403),
            Refusal(who="personio:9", what="displayName", status=422),
            Refusal(who="personio:10", what="manager", status=400),
            Refusal(who="personio:11", what="member", status=403),
        )
    )
    ended = acme.sync()
    assert ended.code == 1
    held = content(acme.deskbird.desk)["users"]
    assert wanted["users"].keys() - held.keys() == {address(2)}
    otherwise = {who for who in held if held[who] != wanted["users"][who]}
    reports = {who for who, user in wanted["users"].items() if "personio:2" in map(str, user)} - {
        address(2)
    }
    assert otherwise == {address(9), address(10)} | reports
    told = dict(
        acme.ask(
            "select hris_ref, problem_code from state.outcomes where object = 'user' and "
            "problem_code is not null"
        )
    )
    assert (told["personio:2"], told["personio:9"]) == ("refused_forbidden", "refused_value")
    ((sentence,),) = acme.ask(
        "select problem from state.outcomes where object = 'user' and hris_ref = 'personio:9'"
    )
    assert "display name of user personio:9" in sentence
    for night in (1, 2, 3):  # what a creation went without counts from the next night on
        assert acme.sync(night=night).code == 1
    counted = acme.ask(
        "select hris_ref, attribute, nights, code from state.not_retained where object <> "
        "'membership' order by all"
    )
    assert ("personio:2", "record", 4, "refused_forbidden") in counted
    left = acme.ask(
        "select hris_ref, object, code from state.ignored_drift where why = 'refused' order by all"
    )
    assert {(ref, object_) for ref, object_, _ in left} >= {
        ("personio:9", "user"),
        ("personio:11", "membership"),
    }
    acme.forget_requests()
    acme.sync(night=4)
    # the creation alone is tried again
    assert {(method, path) for method, path, _ in acme.writes()} == {("POST", "/Users")}
    screen = acme.run("status", "acme", night=4).out
    assert "refused by deskbird" in screen
    assert "creation of personio:2, no right to it" in " ".join(screen.split())
    assert "and 1 more, in state.not_retained" in screen
    acme.tenant.change(9, last_name="Anders")
    acme.forget_requests()
    acme.sync(night=5)
    # what is not refused of a new value gets through
    assert acme.user(9)["name"]["familyName"] == "Anders"
    acme.deskbird.behave(Behaviour())
    acme.tenant.change(9, last_name="Wieder")
    acme.sync(night=6)
    assert acme.user(9)["displayName"].endswith("Wieder")
    assert acme.user(2)["active"] is True


@pytest.mark.parametrize("status", [403, 204])
def test_c107_a_deactivation_is_tried_every_night_however_often_it_was_refused_or_ignored(
    settled: Deployment, status: int
) -> None:
    """A leaver's account is protected in deskbird for five nights: who could still log in is never
    given up.
    """
    settled.deskbird.behave(refusals=(Refusal(who="personio:9", what="active", status=status),))
    settled.tenant.change(9, status="INACTIVE", end_date=NIGHT.date())
    settled.tenant.change(5, last_name="Anders")
    for night in range(1, 6):
        settled.forget_requests()
        ended = settled.sync(night=night)
        assert ended.code == 1, (night, ended.out)
        assert [path for method, path, _ in settled.writes() if method == "PATCH"].count(
            f"/Users/{settled.user(9)['id']}"
        ) >= 1
    assert names(settled)["personio:5"] == "Anders"
    screen = " ".join(settled.run("status", "acme", night=5).out.split())
    assert "deactivate user personio:9:" in screen
    settled.deskbird.behave(Behaviour())
    assert settled.sync(night=6).code == 0
    assert settled.user(9)["active"] is False


def test_c107_a_user_who_is_gone_is_told_as_gone_whatever_was_to_be_written(
    settled: Deployment,
) -> None:
    settled.tenant.change(
        10, supervisor=1 if settled.tenant.snapshot.persons[10].current.supervisor != 1 else 2
    )  # type: ignore[union-attr]
    id_, serve = settled.user(10)["id"], settled.deskbird.app

    async def deletes(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "PATCH":
            settled.deskbird.desk.remove(id_)
        await serve(scope, receive, send)

    settled.deskbird.app = deletes
    assert settled.sync(night=1).code == 1
    ((object_, code, problem),) = settled.ask(
        "select object, problem_code, problem from deskbird.applied_changes where outcome = "
        "'failed'"
    )
    assert (object_, code) == ("manager", "gone")
    assert "is gone in deskbird" in problem


def test_c110_a_service_of_both_dialects_is_in_line_the_second_night_and_refuses_nothing_the_third(
    acme: Deployment,
) -> None:
    """The RFC's POST without a manager inside, Entra's PATCH of managers, the RFC's of members."""
    forms = Forms(
        post_manager="refused",
        manager="entra",
        attributes="entra",
        dotted_keys=False,
        otherwise="untyped",
        op="strict",
    )
    acme.deskbird.behave(forms=forms)
    acme.sync()
    acme.tenant.change(3, last_name="Anders")
    ended = acme.sync(night=1)
    assert ended.code == 0, ended.out
    assert manager_id(acme.user(3)) is not None
    acme.tenant.change(4, last_name="Anders")
    acme.forget_requests()
    assert acme.sync(night=2).code == 0
    assert {status for _, _, status in acme.writes()} <= {200, 204}
    known = {
        form: (dialect, evidence)
        for form, dialect, evidence in acme.ask(
            "select form, dialect, evidence from state.dialects"
        )
    }
    assert known["user_create.manager"] == ("entra", "read_back")
    assert known["manager.set"] == ("entra", "read_back")
    assert names(acme)["personio:4"] == "Anders"


@pytest.mark.parametrize(
    ("tags", "created"),
    [("strong", "location"), ("moving", "nothing"), ("rewritten", "relative_location")],
)
def test_c113_c117_tags_that_never_match_and_creations_without_a_body_cost_nobody_a_change(
    acme: Deployment, tags: str, created: str
) -> None:
    acme.deskbird.behave(answers=Answers(tags=tags, created=created))  # type: ignore[arg-type]
    assert acme.sync().code == 0
    users = acme.deskbird.desk.users()
    assert len({user["externalId"] for user in users}) == len(users)
    for number in (3, 4, 5, 6):
        acme.tenant.change(number, last_name=f"Anders {number}")
    ended = acme.sync(night=1)
    assert ended.code == 0, ended.out
    held = names(acme)
    assert [held[f"personio:{number}"] for number in (3, 4, 5, 6)] == [
        f"Anders {number}" for number in (3, 4, 5, 6)
    ]
    acme.forget_requests()
    assert acme.sync(night=2).code == 0
    assert acme.writes() == []


def test_c113_c114_a_record_whose_id_is_a_number_is_written_and_read_back(
    acme: Deployment,
) -> None:
    """A tag that never matches makes each first write read the record by itself, in whatever form
    it comes.
    """
    unit = next(unit for unit in acme.tenant.snapshot.units if unit.kind == "team")
    odd = tuple(
        Odd(who=who, kind="number_id") for who in (f"personio:team:{unit.id}", "personio:3")
    )
    acme.deskbird.behave(answers=Answers(tags="strong"))
    assert acme.sync().code == 0
    acme.deskbird.behave(answers=Answers(tags="strong"), odd=odd)
    acme.sync(night=1)
    acme.tenant.set_unit(OrgUnit("team", unit.id, "Renamed"))
    acme.tenant.change(3, last_name="Anders")
    ended = acme.sync(night=2)
    assert not acme.ask("""select hris_ref, problem from deskbird.applied_changes
           join deskbird.changes using (plan_id, seq) where outcome = 'failed'""")
    assert ended.code in {0, 3}, ended.out
    assert names(acme)["personio:3"] == "Anders"
    assert "Renamed" in {group["displayName"] for group in acme.deskbird.desk.groups()}


def test_c107_leavers_free_seats_for_newcomers_and_who_finds_none_waits_alone(
    settled: Deployment,
) -> None:
    """As many seats as people: one leaves, two come, one is renamed."""
    active = [user for user in settled.deskbird.desk.users() if user["active"]]
    settled.deskbird.behave(seats=len(active))
    moment, job = settled.tenant.snapshot.moment, Employment(1, "ACTIVE", NIGHT.date())
    newcomers = [
        Person(ref, "New", f"Hire {ref}", f"new.{ref}@nordlicht.example", (job,), moment, moment)
        for ref in (501, 502)
    ]
    settled.tenant.add(*newcomers)
    settled.tenant.change(5, status="INACTIVE", end_date=NIGHT.date())
    settled.tenant.change(6, last_name="Anders")
    assert settled.sync(night=1).code == 1
    assert names(settled)["personio:6"] == "Anders"
    assert settled.user(5)["active"] is False
    there = {user["externalId"] for user in settled.deskbird.desk.users()} & {
        "personio:501",
        "personio:502",
    }
    assert len(there) == 1
    codes = settled.ask(
        "select problem_code from state.outcomes where object = 'user' and action = 'create' and "
        "outcome = 'failed'"
    )
    assert codes == [("refused_payment",)]


def test_c107_leavers_free_seats_for_people_who_come_back(settled: Deployment) -> None:
    """Whoever comes back is written before anybody is deactivated, and needs a seat like a
    newcomer.
    """
    settled.tenant.change(6, status="INACTIVE", end_date=NIGHT.date())
    assert settled.sync(night=1).code == 0
    assert settled.user(6)["active"] is False
    settled.deskbird.behave(seats=sum(user["active"] for user in settled.deskbird.desk.users()))
    settled.tenant.change(6, status="ACTIVE", end_date=None)
    settled.tenant.change(5, status="INACTIVE", end_date=NIGHT.date())
    ended = settled.sync(night=2)
    assert ended.code == 0, ended.out
    assert (settled.user(5)["active"], settled.user(6)["active"]) == (False, True)
    assert settled.ask("select count(*) from state.not_retained") == [(0,)]
