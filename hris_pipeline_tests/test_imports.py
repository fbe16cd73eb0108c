"""The rule of who may import whom holds, and it notices each way to break it."""

import shutil

import pytest

from hris_pipeline_tests import imports
from hris_pipeline_tests.imports import HOUSE, broken, graph, libraries


@pytest.fixture(scope="module")
def house():
    return graph()


def test_the_house_keeps_its_rule(house):
    assert broken(house) == []
    assert libraries() == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("errors", "settings"),
        ("contracts.tables", "warehouse.loading"),
        ("rules.scope", "people.status"),
        ("wording", "clock"),
        ("settings.accounts", "hris.registry"),
        ("settings.loading", "warehouse"),
        ("clock", "http"),
        ("warehouse.loading", "hris.extract"),
        ("warehouse", "plan"),
        ("people", "settings"),
        ("plan.planning", "clock"),
        ("photos", "hris.system"),
        ("plan.execution", "deskbird.dialects"),
        ("groups", "operations.companies"),
        ("export", "presentation"),
        ("operations.parameters", "orchestration.jobs"),
        ("operations.decisions", "presentation.plan"),
        ("operations.doctor", "cli.door"),
        ("operations.pause", "orchestration.lock"),
        ("reports.plan", "presentation.plan.cells"),
        ("reports.status", "orchestration.last_run"),
        ("reports.status", "operations.pause"),
        ("presentation.status", "warehouse"),
        ("presentation.plan.terminal", "cli.shared"),
        ("orchestration.step", "cli"),
        ("presentation.plan", "sandbox.run"),
        ("orchestration.jobs", "definitions"),
        ("arrow", "warehouse"),
        ("http", "warehouse"),
        ("alerts", "operations.companies"),
        ("hris.extract", "warehouse.loading"),
        ("hris.api", "people"),
        ("deskbird.apply", "plan"),
        ("deskbird.probes", "hris.extract"),
        ("hris.api", "deskbird.scim"),
        ("hris.systems.bamboohr", "hris.systems.personio.v1"),
        ("hris.registry", "hris.systems.files"),
        ("hris.flat", "hris.systems.merge.units"),
    ],
)
def test_an_import_against_the_rule_is_noticed(house, one, other):
    assert one in house
    assert other in house
    line, *_ = broken({**house, one: house[one] | {other}})
    assert line.startswith(f"{one} must not import {other}: ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("plan.guards", "people.status"),
        ("deskbird.scim", "settings"),
        ("deskbird.scim", "arrow"),
        ("hris.systems.personio.v2", "hris.systems.personio.v1"),
        ("alerts", "http"),
        ("operations.companies", "warehouse"),
        ("cli.reading", "hris.systems.files"),
        ("operations.doctor", "reports.plan"),
        ("presentation.plan", "operations.doctor"),
    ],
)
def test_an_import_that_the_rule_allows_is_let_through(house, one, other):
    assert broken({**house, one: house[one] | {other}}) == []


@pytest.mark.parametrize(
    "more",
    [
        {"plan.writing": {"plan.reading"}, "plan.reading": {"plan.writing"}},
        {"settings.base": {"settings.company"}},  # a longer way back
        # between rooms only: people knows another file of groups
        {"groups.ages": {"people.status"}},
        # to import a part is to run its package first
        {
            "sandbox.kit": {"sandbox.tool"},
            "sandbox.kit.part": set(),
            "sandbox.tool": {"sandbox.kit.part"},
        },
    ],
)
def test_a_circle_is_noticed(house, more):
    (line,) = broken(
        {**house, **{one: house.get(one, set()) | others for one, others in more.items()}}
    )
    assert line.startswith("a circle: ")


def test_an_edge_may_know_the_source_of_a_core_package_and_no_other_file_of_it(house):
    found = {**house, "photos.source": set(), "hris.api": house["hris.api"] | {"photos.source"}}
    assert broken(found) == []
    found["hris.api"] |= {"photos"}
    (line,) = broken(found)
    assert line.startswith("hris.api must not import photos: ")


def test_a_room_without_a_place_in_the_order_is_noticed(house):
    assert broken({**house, "helpers.texts": set()}) == ["helpers has no layer"]


def test_an_exception_is_let_through_while_it_is_needed_and_no_longer(house):
    one, other = "wording", "clock"
    exception = {(one, other): "until it is told what time it is"}
    found = {**house, one: house[one] | {other}}
    assert broken(found, exception) == []
    assert broken(house, exception) == [
        f"{one} does not import {other}, or may: the exception has to go"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "from hris_pipeline.hris.registry import SYSTEMS\n",
        "from hris_pipeline.hris import registry\n",
        "import hris_pipeline.hris.registry\n",
        "def known():\n    from hris_pipeline.hris.registry import SYSTEMS\n    return SYSTEMS\n",
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from "
            "hris_pipeline.hris.registry import Registry\n"
        ),
    ],
)
def test_an_import_is_found_however_it_is_written(tmp_path, text):
    copy = tmp_path / "hris_pipeline"
    shutil.copytree(HOUSE, copy, ignore=shutil.ignore_patterns("*.sql", "__pycache__"))
    (copy / "settings" / "shortcut.py").write_text(text)
    lines = [line for line in broken(graph(copy)) if "circle" not in line]
    assert [line.partition(":")[0] for line in lines] == [
        "settings.shortcut must not import hris.registry"
    ]


def test_a_relative_import_is_refused(tmp_path):
    copy = tmp_path / "hris_pipeline"
    copy.mkdir()
    (copy / "one.py").write_text("from . import two\n")
    with pytest.raises(ValueError, match="Write the whole name"):
        imports.graph(copy)


@pytest.mark.parametrize(
    ("room", "text", "library"),
    [
        ("presentation", "import duckdb\n", "duckdb"),
        (
            "presentation",
            "def asked():\n    from duckdb import connect\n    return connect\n",
            "duckdb",
        ),
        ("reports", "from rich.text import Text\n", "rich"),
        ("operations", "import typer\n", "typer"),
        ("cli", "import duckdb\n", "duckdb"),
    ],
)
def test_a_library_that_a_room_does_not_know_is_noticed(tmp_path, room, text, library):
    copy = tmp_path / "hris_pipeline"
    shutil.copytree(
        HOUSE / room, copy / room, ignore=shutil.ignore_patterns("*.sql", "__pycache__")
    )
    (copy / room / "shortcut.py").write_text(text)
    assert libraries(copy) == [
        f"{room}.shortcut must not import {library}: {room} does not know it"
    ]
