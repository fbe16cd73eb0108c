"""Scope rules in the company file: what a night does with them, and what the UI is told."""

import dagster as dg

from hris_pipeline_tests.orchestration.office import problems, verdicts

SCOPE = """
sync:
  groups: [department]
  scope:
    include: [{{location: "*"}}, {{location: Nowhere}}]
    exclude: [{{hris_ref: "{excluded}"}}]
"""
CHECK = "core/people: scope_rules_match_somebody"


def test_a_rule_over_a_kind_that_is_not_synced_decides_and_makes_no_group(make_office):
    office = make_office()
    assert problems(office.job("dry_run")) == []
    ((somebody,),) = office.ask("select min(hris_ref) from core.people where wanted")
    with (office.companies / "acme.yaml").open("a") as file:
        file.write(SCOPE.format(excluded=somebody))
    night = office.job()
    assert problems(night) == []
    assert office.ask("select hris_ref, scope_rule from core.people where not in_scope") == [
        (somebody, "exclude 1")
    ]
    assert somebody not in {user["externalId"] for user in office.desk.desk.users()}
    assert office.ask("select distinct kind from core.groups") == [("department",)]
    ((everybody,),) = office.ask("select count(*) from core.people where status <> 'ended'")
    made = night.asset_materializations_for_node("acme__core__people")
    told = next(one for one in made if one.asset_key.path[-1] == "people").metadata
    assert {name: told[name].value for name in told if "scope" in name or "matched" in name} == {
        "out_of_scope": 1,
        "scope_not_known": 0,
        "matched_by_include_1": everybody,
        "matched_by_include_2": 0,
        "matched_by_exclude_1": 1,
    }
    assert verdicts(night)[CHECK] is False
    (check,) = [
        one
        for one in night.get_asset_check_evaluations()
        if one.check_name == "scope_rules_match_somebody"
    ]
    assert (check.severity, check.description) == (
        dg.AssetCheckSeverity.WARN,
        "Matching nobody: include 2.",
    )


def test_without_rules_the_check_holds(office):
    assert verdicts(office.job("dry_run"))[CHECK] is True
