"""Case 18: an HR system that answers well and says the same for weeks."""

import datetime as dt

import dagster as dg

from hris_pipeline_tests.orchestration.office import NIGHT, problems

CHECK = "source_still_changes"


def warning(result: dg.ExecuteInProcessResult) -> str | None:
    """What the check says; None where it holds."""
    (check,) = [one for one in result.get_asset_check_evaluations() if one.check_name == CHECK]
    assert check.severity == dg.AssetCheckSeverity.WARN
    return None if check.passed else check.description


def test_c18_a_source_that_stands_still_is_warned_of_once_its_days_are_over_and_holds_nothing_back(
    make_office,
):
    office = make_office()
    (company,) = office.companies.iterdir()
    said = {}
    for day in (0, 13, 14, 15):
        if day == 15:
            office.tenant.change(1, last_name="Otherwise")
        result = office.materialise("hris_personio/employees", now=NIGHT + dt.timedelta(days=day))
        assert problems(result) == []
        said[day] = warning(result)
    assert said[0] is said[13] is said[15] is None
    assert "exactly the same people for 14 days" in said[14]
    assert "hris.personio.quiet_days (now 14)" in said[14]
    company.write_text(
        company.read_text().replace(
            "    system: personio\n", "    system: personio\n    quiet_days: null\n"
        )
    )
    assert (
        warning(office.materialise("hris_personio/employees", now=NIGHT + dt.timedelta(days=400)))
        is None
    )
