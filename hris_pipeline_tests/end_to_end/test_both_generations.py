"""All ways to read the sample company tell the same of it, and Personio's two generations may take each other's place."""

import contextlib
from functools import partial

import pytest

from hris_pipeline.sandbox.company import load_company
from hris_pipeline.sandbox.merge import merge_id
from hris_pipeline_tests.end_to_end.deployment import deployed
from hris_pipeline_tests.end_to_end.through_merge import through_merge

CORE = ("core/people", "core/groups", "core/memberships", "core/manager_graph")


@contextlib.contextmanager
def through_personio(folder, api):
    with deployed(folder, load_company(), options={"api": api}) as company:
        yield company


NOBODY = 10999  # whom one person of the sample company names as their manager
WAYS = {
    "Personio v1": (partial(through_personio, api="v1"), {}),
    "Merge": (
        partial(through_merge, tenant=load_company()),
        # it has no word for leave, and of nobody it has no id but its own
        {"on_leave": "active", f"personio:{merge_id('employees', NOBODY)}": f"personio:{NOBODY}"},
    ),
}
"""Each is compared with Personio v2: how to deploy the company, and what it says in the place of what, on either side."""


def core_tables(way, folder, merged):
    """The core tables after each of the sample company's days, with cost centres by name instead of id."""
    found = []
    folder.mkdir()
    with way(folder) as company:
        for day in (1, 2, 3):
            company.tenant.go_to(day)
            ended = company.sync(night=day - 1)
            assert ended.code == (3 if day == 3 else 0), ended.err
            names = dict(company.ask("select hris_ref, 'cost_center:' || name from core.groups where kind = 'cost_center'"))
            tables = company.tables()
            quarantine = company.ask('select hris_ref, "table", rule from core.quarantine order by all')
            words = {**merged, **names}
            found.append(({table: sorted(by_name(row, words) for row in tables[table]) for table in CORE}, quarantine))
    return found


def by_name(row, names):
    """A row as text, its references to cost centres replaced by their names."""
    return repr([sorted(names.get(v, v) for v in value) if isinstance(value, list) else names.get(value, value) for value in row])


@pytest.mark.parametrize(("way", "merged"), WAYS.values(), ids=WAYS)
def test_all_ways_give_the_same_core_tables_on_every_day_of_the_sample_company(tmp_path, way, merged):
    expected = core_tables(partial(through_personio, api="v2"), tmp_path / "v2", merged)
    assert core_tables(way, tmp_path / "other", merged) == expected


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
