"""What `hris-pipeline doctor` tries of Merge: it names what is missing, and reads one record of
each list at most.
"""

import pytest

from hris_pipeline.sandbox.hris.merge import PREFIX


def problems(account):
    return [probe for probe in account.probes() if probe.problem]


def test_nothing_is_missing_where_all_is_well_and_one_record_of_a_list_is_enough(merge):
    account = merge()
    probes = account.probes()
    assert [probe.problem for probe in probes] == [None] * 7
    asked = account.asked()
    assert {request.method for request in account.faults.requests("*")} == {"GET"}
    assert sorted(path for path, query in asked if query == "page_size=1") == [
        "/companies",
        "/employees",
        "/groups",
        "/locations",
    ]
    assert sorted(path for path, query in asked if query != "page_size=1") == [
        "/account-details",
        "/sync-status",
    ]


def test_only_lists_of_wanted_kinds_are_tried(merge):
    account = merge()
    account.probes(kinds=("team",))
    assert {path for path, _ in account.asked()} == {
        "/account-details",
        "/sync-status",
        "/employees",
        "/groups",
    }


@pytest.mark.parametrize(
    ("credential", "named"), [("api_key", "Set api_key"), ("account_token", "Set account_token")]
)
def test_a_wrong_credential_is_named_and_nothing_else_is_tried(merge, credential, named):
    account = merge()
    account.credentials[credential] = "wrong"
    (probe,) = account.probes()
    assert probe.needed
    assert probe.remedy.startswith(named)
    assert "deskbird is left as it is" not in probe.problem
    assert len(account.faults.requests(f"{PREFIX}/account-details")) == 1


def test_a_lost_link_is_named_but_does_not_stop_a_night(merge):
    account = merge()
    account.fault("/account-details", "account", value={"status": "RELINK_NEEDED"})
    (probe,) = problems(account)
    assert not probe.needed
    assert "must be linked anew" in probe.problem
    assert "relink it under Linked Accounts" in probe.problem


def test_a_sync_that_proves_nothing_is_named_but_does_not_stop_a_night(merge):
    account = merge()
    account.fault("/sync-status", "sync", value={"Group": {"status": "PARTIALLY_SYNCED"}})
    (probe,) = problems(account)
    assert not probe.needed
    assert "Merge's sync of Group lacks at least one field" in probe.problem
    assert "nothing is taken away" in probe.remedy


def test_merges_first_sync_stops_a_night(merge):
    account = merge()
    account.fault("/sync-status", "sync", value={"Employee": {"is_initial_sync": True}})
    (probe,) = problems(account)
    assert probe.needed
    assert "Wait until it has ended" in probe.remedy


@pytest.mark.parametrize(
    ("path", "needed"),
    [("/employees", True), ("/groups", False), ("/locations", False), ("/companies", False)],
)
@pytest.mark.parametrize("status", [403, 404])
def test_a_list_that_is_not_to_be_read_is_named_with_the_place_where_it_is_switched_on(
    merge, path, needed, status
):
    account = merge()
    account.fault(path, "status", value=status)
    (probe,) = problems(account)
    assert path in probe.what
    # a night without a list that is not there runs; a refused one ends it
    assert probe.needed == (needed or status == 403)
    assert "Linked Accounts in Merge's dashboard" in probe.remedy


def test_no_trial_raises_whatever_merge_answers(merge):
    for kind, value in (
        ("html", None),
        ("status", 500),
        ("status", 418),
        ("truncated", None),
        ("reset", None),
    ):
        account = merge()
        account.fault("/*", kind, value=value)
        (probe,) = account.probes()
        assert probe.problem
        assert probe.remedy
