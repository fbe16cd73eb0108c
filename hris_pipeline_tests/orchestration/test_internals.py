"""What is private in Dagster is used in one file, for one version."""

import ast
import importlib.metadata
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hris_pipeline.orchestration import internals

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("hris_pipeline", "hris_pipeline_tests", "benchmarks")
ALLOWED = "hris_pipeline/orchestration/internals.py"


def private_uses(source: str) -> Iterator[str]:
    """Dagster's private modules and names that a file imports or reaches through the package."""
    aliases = {"dagster"}
    nodes = list(ast.walk(ast.parse(source)))
    for node in nodes:
        if isinstance(node, ast.Import):
            aliases |= {
                name.asname for name in node.names if name.name == "dagster" and name.asname
            }
    for node in nodes:
        if isinstance(node, ast.Import):
            found = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found = [f"{node.module}.{name.name}" for name in node.names]
        elif isinstance(node, ast.Attribute):
            found = [
                re.sub(
                    r"^\w+",
                    lambda first: "dagster" if first[0] in aliases else first[0],
                    ast.unparse(node),
                )
            ]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            found = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        else:
            continue
        yield from (name for name in found if re.match(r"dagster(_\w+)?(\.\w+)*\._[a-z]", name))


def test_no_other_file_uses_a_private_part_of_dagster():
    files = [
        path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts
    ]
    found = {
        str(path.relative_to(ROOT)): sorted(set(private_uses(path.read_text(encoding="utf-8"))))
        for path in files
    }
    assert {name: uses for name, uses in found.items() if uses and name != ALLOWED} == {}
    assert found[ALLOWED]


@pytest.mark.parametrize(
    "line",
    [
        "from dagster._core.storage.tags import USER_TAG",
        "import dagster._utils.schedules",
        "from dagster import _core",
        "import dagster as dg\ndg._core.events",
        "from dagster_shared._model import x",
        "import importlib\nimportlib.import_module('dagster._core')",
    ],
)
def test_each_way_to_use_one_is_seen(line):
    assert list(private_uses(line))


@pytest.mark.parametrize(
    "line",
    ["import dagster as dg\ndg.asset", "from hris_pipeline import _x", "self._dagster._core"],
)
def test_what_is_public_or_not_of_dagster_is_not(line):
    assert not list(private_uses(line))


def test_they_are_pinned_to_the_version_that_is_installed():
    """Whoever moves Dagster's pin is led to the list of what may have changed."""
    (pin,) = (
        line
        for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
        if re.match(r"dagster\b(?!-)", line)
    )
    assert pin == f"dagster=={internals.PINNED}"
    assert importlib.metadata.version("dagster") == internals.PINNED
