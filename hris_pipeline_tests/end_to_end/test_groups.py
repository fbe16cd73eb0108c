"""Groups over real HTTP: a unit that comes back under another id, a group that is adopted, one that
is emptied and deleted.
"""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hris_pipeline.sandbox.company import Employment, OrgUnit, Person, Snapshot, Tenant
from hris_pipeline_tests.end_to_end.deployment import Deployment, deployed

UNITS = (
    OrgUnit("team", 1, "Sales"),
    OrgUnit("team", 2, "Marketing"),
    OrgUnit("department", 1, "Print Shop"),
    OrgUnit("department", 2, "Everybody"),
)


def person(ref: int, **employment: Any) -> Person:
    usual = {"number": 1, "status": "ACTIVE", "start_date": dt.date(2020, 1, 1), "department": 2}
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    employments = (Employment(**{**usual, **employment}),)
    return Person(
        ref,
        f"Given{ref}",
        f"Family{ref}",
        f"p{ref}@nordlicht.example",
        employments,
        moment,
        moment,
    )


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Deployment]:
    """Read through v2; that both generations give the same groups is another test's matter."""
    people = [
        *(person(ref, team=1) for ref in (1, 2, 3)),
        person(4, team=2),
        person(5, department=1),
    ]
    tenant = Tenant(Snapshot(dt.date(2026, 3, 2), {}, UNITS).with_persons(people))
    guards = dict.fromkeys(
        ("create_user", "update_attribute", "group_members", "attribute_vanished")
    )
    more = {"guards": guards, "sync": {"link_groups": {"team:Marketing": "Brand & Marketing"}}}
    with deployed(tmp_path, tenant, options={"api": "v2"}, more=more) as made:
        made.by_hand = [
            made.deskbird.desk.add_group(name) for name in ("Sales", "Brand & Marketing")
        ]  # type: ignore[attr-defined]
        yield made


def members(acme: Deployment, ref: str) -> set[str]:
    marks = {user["id"]: user["externalId"] for user in acme.deskbird.desk.users()}
    return {
        marks[member["value"]].removeprefix("personio:")
        for member in acme.group(ref).get("members") or ()
    }


def test_c41_c43_c45_groups_keep_who_they_are(acme: Deployment) -> None:
    sales, marketing = acme.by_hand  # type: ignore[attr-defined]
    tenant = acme.tenant
    first = acme.sync(night=0)
    assert first.code == 0, first.err
    named = {group["id"]: group for group in acme.deskbird.desk.groups()}
    # case 45: the one is left alone, the other one is adopted by the rule
    assert (named[sales].get("externalId"), named[sales].get("members")) == (None, None)
    assert acme.group("team:1")["displayName"] == "Sales (team)"
    assert (acme.group("team:2")["id"], acme.group("team:2")["displayName"]) == (
        marketing,
        "Marketing",
    )
    assert (members(acme, "team:1"), members(acme, "team:2")) == ({"1", "2", "3"}, {"4"})
    made, shop = acme.group("team:1")["id"], acme.group("department:1")["id"]

    # case 43: another id, another name, the same members; case 41: the last member goes
    tenant.set_unit(OrgUnit("team", 77, "Revenue"))
    for ref in (1, 2, 3):
        tenant.change(ref, team=77)
    tenant.change(5, department=2)
    acme.forget_requests()
    assert acme.sync(night=1).code == 0
    assert sorted(acme.changes()) == [
        ("group", "rename", "personio:team:77"),
        ("membership", "add", "personio:department:2"),
        ("membership", "remove", "personio:department:1"),
    ]
    ((evidence,),) = acme.ask("select evidence from deskbird.changes where object = 'group'")
    told = json.loads(evidence)
    assert (told["rule"], told["was"], told["common_members"]) == ("members", "personio:team:1", 3)
    assert acme.group("team:77")["id"] == made
    assert acme.group("team:77")["displayName"] == "Revenue"
    assert members(acme, "team:77") == {"1", "2", "3"}
    assert acme.group("department:1")["id"] == shop
    assert members(acme, "department:1") == set()
    assert acme.ask("select hris_ref, deskbird_id from state.empty_groups") == [
        ("personio:department:1", shop)
    ]
    status = acme.run("status", "acme", night=1)
    assert "1 group of ours has nobody in it any more" in status.out

    # nothing is left to do
    acme.forget_requests()
    assert acme.sync(night=2).code == 0
    assert (acme.changes(), acme.writes()) == ([], [])

    # deleting is opt-in
    acme.more["sync"] = {"empty_groups": "delete"}
    acme.write_file()
    acme.forget_requests()
    assert acme.sync(night=3).code == 0
    assert acme.changes() == [("group", "delete", "personio:department:1")]
    assert acme.writes() == [("DELETE", f"/Groups/{shop}", 204)]
    assert acme.ask("select outcome, http_status from deskbird.applied_changes") == [
        ("applied", 204)
    ]
    ledger = (
        "select kind, phase, status from state.ledger where kind = 'group_delete' order by phase "
        "desc"
    )
    assert acme.ask(ledger) == [("group_delete", "sent", None), ("group_delete", "answered", 204)]
    assert shop not in {group["id"] for group in acme.deskbird.desk.groups()}
    assert (
        acme.ask("select * from state.group_links where hris_ref = 'personio:department:1'") == []
    )
    assert acme.ask("select * from state.empty_groups") == []
    assert acme.sync(night=4).code == 0
    assert acme.changes() == []
