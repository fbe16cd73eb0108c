"""Every way in which a company may be read tells the same of the sample company; Personio's two may take each other's place."""

import pytest

from hris_pipeline.sandbox import files
from hris_pipeline.sandbox.company import load_company
from hris_pipeline_tests.end_to_end.deployment import deployed

CORE = ("core/people", "core/groups", "core/memberships", "core/manager_graph")


def personio(api):
    """Reads the company as Personio serves it."""
    return lambda company: company.write_file(api=api)


def nightly_file(company):
    """Reads the company as it is exported to a file, under the same connection's name."""
    path = company.folder / "people.csv"
    files.write_csv(company.tenant, path)
    account = {"system": "files", "options": {**files.OPTIONS, "path": str(path), "settle_seconds": 0}}
    company.more["hris"] = {"personio": account}
    company.write_file()


OTHER_WAYS = {"personio v1": personio("v1"), "a nightly file": nightly_file}


def core_tables(folder, way):
    """The core tables after each of the sample company's days, with cost centres by name instead of id."""
    found = []
    folder.mkdir()
    with deployed(folder, load_company()) as company:
        for day in (1, 2, 3):
            company.tenant.go_to(day)
            way(company)
            ended = company.sync(night=day - 1)
            assert ended.code == (3 if day == 3 else 0), ended.err
            names = dict(company.ask("select hris_ref, 'cost_center:' || name from core.groups where kind = 'cost_center'"))
            tables = company.tables()
            quarantine = company.ask('select hris_ref, "table", rule from core.quarantine order by all')
            found.append(({table: sorted(by_name(row, names) for row in tables[table]) for table in CORE}, quarantine))
    return found


def by_name(row, names):
    """A row as text, its references to cost centres replaced by their names."""
    return repr([sorted(names.get(v, v) for v in value) if isinstance(value, list) else names.get(value, value) for value in row])


@pytest.fixture(scope="module")
def from_personio_v2(tmp_path_factory):
    return core_tables(tmp_path_factory.mktemp("of_v2") / "v2", personio("v2"))


@pytest.mark.parametrize("way", OTHER_WAYS.values(), ids=OTHER_WAYS)
def test_every_way_gives_the_same_core_tables_on_every_day_of_the_sample_company(tmp_path, from_personio_v2, way):
    assert core_tables(tmp_path / "other", way) == from_personio_v2


def test_switching_the_generation_carries_groups_over_by_kind_and_name_and_plans_nothing(tmp_path):
    with deployed(tmp_path, load_company()) as company:
        company.write_file(api="v2")
        assert company.sync().code == 0
        for number, generation in enumerate(("v1", "v2", "v1"), start=1):
            company.write_file(api=generation)
            company.forget_requests()
            ended = company.sync(night=number / 24)
            assert ended.code == 0, ended.err
            assert company.ask("from deskbird.changes") == []
            assert company.writes() == []
