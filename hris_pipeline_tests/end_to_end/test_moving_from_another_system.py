"""Case 106: a company moves from an identity provider, which has marked nearly every user as its
own.
"""

import csv
import datetime as dt
from collections import Counter

import pytest

from hris_pipeline.sandbox.company import generate
from hris_pipeline.sandbox.deskbird import deskbird_app
from hris_pipeline_tests.end_to_end.deployment import NIGHT, Deployment, deployed

MARKED = 60
BECAUSE = ("--because", "the old provider is switched off")


def moment(night):
    return ("--as-of", (NIGHT + dt.timedelta(days=night)).isoformat())


def settle_in(company: Deployment) -> list[int]:
    """Sixty users of the provider's, one of its users whom HR does not know, three made by hand;
    the ids of the sixty.
    """
    desk = company.deskbird.desk
    people = [
        p
        for p in company.tenant.snapshot.persons.values()
        if p.current.status == "ACTIVE" and p.email
    ]
    once = Counter(person.email.lower() for person in people)
    people = [person for person in people if once[person.email.lower()] == 1][:MARKED]
    assert len(people) == MARKED
    for person in people:
        desk.add_user(
            person.email, person.first_name, person.last_name, hris_ref=f"entra-{person.id}"
        )
    desk.add_user("robot@provider.example", "Ro", "Bot", hris_ref="entra-robot")
    for number in range(3):
        desk.add_user(f"guest{number}@elsewhere.example", "Guest", str(number))
    return [person.id for person in people]


def check_moved(company: Deployment, moved: list[int], in_deskbird: list[str]) -> None:
    """Each of the sixty has the same user as before, marked as ours and active; nobody has two and
    nobody was switched off.
    """
    users = company.deskbird.desk.users()
    assert {user["id"] for user in users} >= set(in_deskbird)
    for person in moved:
        user = company.user(person)
        assert user["id"] in in_deskbird
        assert user["active"]
    assert max(Counter(user["userName"].lower() for user in users).values()) == 1
    others = {
        user.get("externalId") for user in users if user["userName"].startswith(("robot@", "guest"))
    }
    assert others == {"entra-robot", None}
    assert company.ask(
        "select count(*) from deskbird.applied_changes where action = 'deactivate'"
    ) == [(0,)]


def test_c106_one_decision_moves_everybody_whom_an_identity_provider_has_marked(tmp_path):
    with deployed(
        tmp_path, generate(90), deskbird=deskbird_app(None, requests_per_second=None)
    ) as company:
        moved = settle_in(company)
        there = [user["id"] for user in company.deskbird.desk.users()]

        first = company.sync()
        assert (first.code, company.writes()) == (3, [])
        for said in (
            "First contact: deskbird has 64 active users.",
            "0 carry our marker already, 0 would be linked by their e-mail address.",
            (
                "61 are marked by another system, such as an identity provider; 60 of them have "
                "the e-mail address of somebody"
            ),
            "3 were made by hand and belong to nobody in the HR system",
            "60 people first need a decision",
            "hris-pipeline link acme --all-by-email --because TEXT",
            "hris-pipeline review acme --out FILE.csv",
            "deskbird.take_over: true",
        ):
            assert said in first.out, first.out

        examined = company.run("doctor", "acme").out
        assert "active users that another system has marked at the last read: 61" in examined
        assert "deskbird.take_over: true" in examined

        tried = company.run("link", "acme", "--all-by-email", "--dry-run")
        assert (tried.code, tried.out.splitlines()[0]) == (
            0,
            "Would decide: 60 links, 0 separations.",
        )
        assert company.ask("select count(*) from state.decisions") == [(0,)]
        decided = company.run("link", "acme", "--all-by-email", *BECAUSE, *moment(0.5))
        assert (decided.code, decided.out.splitlines()[0]) == (
            0,
            "Decided: 60 links, 0 separations.",
        )
        assert company.ask(
            "select count(*), count(distinct because) from state.decisions where decision = 'link'"
        ) == [(60, 1)]

        second = company.sync(night=1)
        assert second.code == 0, second.out
        check_moved(company, moved, there)
        company.forget_requests()
        assert (company.sync(night=2).code, company.writes()) == (0, [])


@pytest.mark.parametrize("way", ["file", "take_over"])
def test_c106_a_reviewed_file_or_take_over_moves_them_too(tmp_path, way):
    more = {"deskbird": {"take_over": way == "take_over"}}
    with deployed(
        tmp_path, generate(90), deskbird=deskbird_app(None, requests_per_second=None), more=more
    ) as company:
        moved = settle_in(company)
        there = [user["id"] for user in company.deskbird.desk.users()]
        first = company.sync()
        assert (first.code, company.writes()) == (3, [])
        if way == "take_over":
            assert (
                "60 of these are marked by another system and would get our marker: take_over "
                "is on." in first.out
            )
            ((plan_id,),) = company.ask(
                "select plan_id from state.plans order by number desc limit 1"
            )
            assert company.run("approve", "acme", plan_id, *BECAUSE).code == 0
        else:
            file = tmp_path / "review.csv"
            assert company.run("review", "acme", "--out", str(file)).code == 0
            with file.open(newline="") as given:
                rows = list(csv.DictReader(given))
            assert len(rows) == MARKED
            with file.open("w", newline="") as filled:
                writer = csv.DictWriter(filled, list(rows[0]))
                writer.writeheader()
                writer.writerows(row | {"decision": "link"} for row in rows)
            decided = company.run("link", "acme", "--from", str(file), *moment(0.5))
            assert (decided.code, decided.out.splitlines()[0]) == (
                0,
                "Decided: 60 links, 0 separations.",
            )
        second = company.sync(night=1)
        assert second.code == 0, second.out
        check_moved(company, moved, there)
