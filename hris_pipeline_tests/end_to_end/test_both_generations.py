"""Personio's two generations tell the same of the sample company, and so do other systems, as far
as they can.

One generation may take the place of the other.
"""

import contextlib
import copy
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from hris_pipeline.sandbox.company import Tenant, load_company
from hris_pipeline.sandbox.hris import bamboohr, merge
from hris_pipeline.sandbox.server import App, serve
from hris_pipeline_tests.end_to_end.deployment import deployed

DAYS = {1: ((), 0), 2: (("--dry-run",), 2), 3: (("--dry-run",), 3)}
"""How each day is run, and how that ends: the core tables of a dry run are those of a night."""
CORE = ("core/people", "core/groups", "core/memberships", "core/manager_graph")


@dataclass(frozen=True)
class Other:
    """Another HR system with the same people: its stand-in, its account in the company file, and
    what it cannot deliver.
    """

    app: Callable[[Tenant], App]
    account: Mapping[str, object]
    kinds: tuple[str, ...]  # the kinds of group that both have
    # what it says in the place of another word
    instead: Mapping[str, str] = field(default_factory=dict)
    path: str = ""  # of its address


OTHERS = {
    "bamboohr": Other(
        bamboohr.bamboohr_app,
        {"system": "bamboohr", "api_key": bamboohr.API_KEY},
        ("team", "department", "location"),
        {"on_leave": "active"},
    ),
    "merge": Other(
        merge.merge_app,
        {
            "system": "merge",
            "api_key": merge.API_KEY,
            "account_token": merge.ACCOUNT_TOKEN,
            "options": {"requests_per_minute": 100_000},
        },
        ("team", "department", "cost_center", "location", "legal_entity"),
        # of a manager who is nobody it has no id but its own
        {"on_leave": "active", "personio:10999": f"personio:{merge.merge_id('employees', 10999)}"},
        "/api",
    ),
}


def core_tables(folder, generation, kinds=None, other=None):
    """The core tables after each of the sample company's days, with cost centres by name instead of
    id.
    """
    found = []
    folder.mkdir()
    more = {"sync": {"groups": list(kinds)}} if kinds else {}
    with contextlib.ExitStack() as stack:
        company = stack.enter_context(deployed(folder, load_company(), more=more))
        if other:
            address = stack.enter_context(serve(other.app(company.tenant))).url
            company.more["hris"] = {
                "personio": {**other.account, "base_url": address + other.path}
            }  # the name makes the refs the same
        company.write_file(api=generation)
        for day in (1, 2, 3):
            company.tenant.go_to(day)
            options, code = DAYS[day]
            ended = company.sync(*options, night=day - 1)
            assert ended.code == code, ended.err
            names = dict(
                company.ask(
                    "select hris_ref, 'cost_center:' || name from core.groups where kind = "
                    "'cost_center'"
                )
            )
            tables = company.tables()
            quarantine = company.ask(
                'select hris_ref, "table", rule from core.quarantine order by all'
            )
            found.append(
                (
                    {table: sorted(by_name(row, names) for row in tables[table]) for table in CORE},
                    quarantine,
                )
            )
    return found


def by_name(row, names):
    """A row as text, its references to cost centres replaced by their names."""
    return repr(
        [
            (
                sorted(names.get(v, v) for v in value)
                if isinstance(value, list)
                else names.get(value, value)
            )
            for value in row
        ]
    )


@pytest.fixture(scope="module")
def through_personio(tmp_path_factory):
    """The core tables by Personio v1 for some kinds of group, made once."""

    @functools.cache
    def tables(kinds):
        return core_tables(tmp_path_factory.mktemp("personio") / "v1", "v1", kinds)

    return tables


def test_both_generations_give_the_same_core_tables_on_every_day_of_the_sample_company(
    tmp_path, through_personio
):
    kinds = OTHERS["merge"].kinds
    assert core_tables(tmp_path / "v2", "v2", kinds) == through_personio(kinds)


@pytest.mark.parametrize("name", OTHERS)
def test_another_system_gives_the_same_core_tables_apart_from_what_it_cannot_deliver(
    tmp_path, through_personio, name
):
    other = OTHERS[name]
    expected = copy.deepcopy(through_personio(other.kinds))
    for tables, _ in expected:
        assert all(tables.values())
        for word, instead in other.instead.items():
            tables["core/people"] = sorted(
                row.replace(f"'{word}'", f"'{instead}'") for row in tables["core/people"]
            )
    assert core_tables(tmp_path / name, "v1", other.kinds, other) == expected


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
