"""One company with two HR systems, Personio and another through Merge, and one deskbird: a person
in both is one user.
"""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from hris_pipeline.sandbox.company import Tenant, generate
from hris_pipeline.sandbox.hris.merge import ACCOUNT_TOKEN, API_KEY, merge_app
from hris_pipeline.sandbox.hris.personio import CREDENTIAL
from hris_pipeline.sandbox.server import serve
from hris_pipeline_tests.end_to_end.deployment import Deployment, deployed

# in both systems, under ids of their own; and somebody of the second one alone
BOTH, ELSEWHERE = 7, 900


@pytest.fixture
def second() -> Tenant:
    """A subsidiary: three people, one of whom the parent knows too, by another name and in a team
    of its own.
    """
    parent, tenant = generate(23), generate(3, seed=5)
    known = parent.snapshot.persons[BOTH]
    for ref in list(tenant.snapshot.persons):
        tenant.change(ref, email=f"sub{ref}@subsidiary.example", last_name=f"Sub {ref}")
    tenant.change(2, email=known.email, first_name="Nick", last_name=known.last_name)
    return tenant


@pytest.fixture
def acme(tmp_path: Path, second: Tenant) -> Iterator[Deployment]:
    with serve(merge_app(second, plan=None)) as merge, deployed(tmp_path, generate(23)) as made:
        accounts = {
            "personio": {
                "system": "personio",
                "base_url": made.personio_url,
                "client_id": CREDENTIAL.client_id,
                "client_secret": CREDENTIAL.client_secret,
                "options": {"api": "v1", "requests_per_second": 1000},
            },
            "subsidiary": {
                "system": "merge",
                "base_url": f"{merge.url}/api",
                "api_key": API_KEY,
                "account_token": ACCOUNT_TOKEN,
                "options": {"requests_per_minute": 100_000},
            },
        }
        made.more = {
            "hris": accounts,
            "sync": {
                "groups": ["team", "department"],
                "precedence": {"given_name": ["subsidiary"]},
            },
        }
        made.write_file()
        yield made


def test_a_person_in_two_hr_systems_is_one_user_who_leaves_when_both_say_so(
    acme: Deployment, second: Tenant
) -> None:
    assert acme.sync().code == 0
    users = acme.deskbird.desk.users()
    ((ref, others),) = acme.ask(
        "select hris_ref, other_refs from core.people where len(other_refs) > 0"
    )
    assert {ref, *others} == {f"personio:{BOTH}", "subsidiary:2"}
    (user,) = [
        user for user in users if user["userName"] == acme.tenant.snapshot.persons[BOTH].email
    ]
    # the precedence list decides
    assert (user["externalId"], user["name"]["givenName"]) == (ref, "Nick")
    assert len(users) == len({user["userName"] for user in users})
    teams = [
        group["externalId"]
        for group in acme.deskbird.desk.groups()
        if user["id"] in {m["value"] for m in group["members"]}
    ]
    assert {name.split(":")[0] for name in teams} == {"personio", "subsidiary"}

    acme.forget_requests()
    assert acme.sync().code == 0
    assert acme.writes() == []

    for night, (tenant, ref, active) in enumerate(
        ((second, 2, True), (acme.tenant, BOTH, False)), 1
    ):
        day = dt.date(2026, 3, 2) + dt.timedelta(days=night)
        for each in (second, acme.tenant):
            each.set_date(day)
        tenant.change(ref, status="INACTIVE", end_date=day - dt.timedelta(days=1))
        assert acme.sync(night=night).code == 0
        (now,) = [one for one in acme.deskbird.desk.users() if one["id"] == user["id"]]
        assert now["active"] is active
