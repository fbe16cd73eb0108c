"""The one thing that is ever deleted in deskbird: a group of ours that nobody is in, where the
company file says so.
"""

from collections.abc import Callable

import pytest

from hris_pipeline.contracts.writes import Write
from hris_pipeline_tests.deskbird.scim_edge import Edge

Start = Callable[..., Edge]


def deletion(deskbird_id: str, request: int = 1, version: str | None = None) -> Write:
    return Write(request, 9, "delete_group", f"p:team:{request}", deskbird_id, version=version)


@pytest.mark.parametrize("dialect", ["rfc", "entra"])
@pytest.mark.parametrize("spoken", ["fixed", "auto"])
def test_a_group_is_deleted_in_both_dialects_and_journalled(
    start: Start, dialect: str, spoken: str
) -> None:
    edge = start(dialect=dialect)
    groups = [
        edge.app.desk.add_group(f"Empty {number}", hris_ref=f"p:team:{number}") for number in (1, 2)
    ]
    kept = edge.app.desk.add_group("Kept")
    writes = [deletion(group, number) for number, group in enumerate(groups, 1)]
    assert edge.outcomes(*writes, dialect=spoken if spoken == "auto" else dialect) == [
        "applied",
        "applied",
    ]
    assert [group["id"] for group in edge.app.desk.groups()] == [kept]
    assert sorted(edge.written()) == sorted(f"DELETE /Groups/{group}" for group in groups)
    lines = [(entry.kind, entry.phase, entry.deskbird_id, entry.status) for entry in edge.journal()]
    assert sorted(lines, key=lambda line: (groups.index(str(line[2])), line[1] != "sent")) == [
        ("group_delete", phase, group, status)
        for group in groups
        for phase, status in (("sent", None), ("answered", 204))
    ]
    assert edge.remembered == ({"group_delete": "rfc"} if spoken == "auto" else {})


def test_c60_a_group_that_is_gone_already_is_deleted(start: Start) -> None:
    edge = start()
    result = edge.run(deletion("no-such-group"), dialect="auto")[1]
    assert (result.outcome, result.http_status, result.problem) == ("applied", 404, None)


def test_c61_a_deletion_whose_answer_was_lost_is_sent_again_and_done(start: Start) -> None:
    edge = start()
    group = edge.app.desk.add_group("Empty", hris_ref="p:team:1")
    edge.fail("DELETE *", "answer_lost", times=1)
    result = edge.run(deletion(group))[1]
    assert (result.outcome, result.http_status, result.attempts) == ("applied", 404, 2)
    assert edge.app.desk.groups() == []


def test_a_deletion_that_is_refused_fails_alone(start: Start) -> None:
    edge = start()
    one, two = (edge.app.desk.add_group(name, hris_ref=f"p:team:{name}") for name in ("1", "2"))
    edge.fail(f"DELETE /v2/scim/Groups/{one}", "status", value=405)
    results = edge.run(deletion(one, 1), deletion(two, 2), dialect="auto")
    assert [results[number].outcome for number in (1, 2)] == ["failed", "applied"]
    assert results[1].problem == "deskbird refused the change of group p:team:1 (HTTP 405)."
    assert [group["id"] for group in edge.app.desk.groups()] == [one]


def test_a_deletion_that_is_accepted_and_not_carried_out_is_named(start: Start) -> None:
    edge = start()
    group = edge.app.desk.add_group("Empty", hris_ref="p:team:1")
    edge.fail("DELETE *", "status", value=204)
    result = edge.run(deletion(group), dialect="auto")[1]
    assert result.outcome == "failed"
    assert result.problem == "deskbird accepted the deletion of group p:team:1 but still shows it."


def test_a_group_that_somebody_has_changed_since_the_plan_is_not_deleted(start: Start) -> None:
    edge = start()
    group = edge.app.desk.add_group("Empty", hris_ref="p:team:1")
    version = edge.app.desk.group("Empty")["meta"]["version"]
    edge.app.desk.edit(group, {"displayName": "Not empty any more"})
    assert edge.outcomes(deletion(group, version=version)) == ["stale"]
    assert [held["id"] for held in edge.app.desk.groups()] == [group]
