"""The documents: their links lead somewhere, their company files load, the README stays short."""

import doctest
import importlib
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from hris_pipeline.hris.registry import SYSTEMS
from hris_pipeline.operations.companies import load
from hris_pipeline.settings import reference

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*.md")]
)
NEEDED = {
    "hris": "{hr: {system: personio, client_id: '${ID}', client_secret: '${SECRET}'}}",
    "deskbird": "{scim_token: '${TOKEN}'}",
}
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings make, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), link
        assert not anchor or anchor in anchors(there), link


def test_every_page_of_the_docs_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = {link.partition("#")[0] for link in re.findall(r"\]\((docs/[^)]+)\)", readme)}
    assert {name for name in NAMES if name.startswith("docs/")} - linked == set()


def test_the_readme_leads_in_and_stops() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def top_keys(text: str) -> set[str]:
    """The keys at the outer level of a YAML sample."""
    return set(re.findall(r"^(\w+):", text, re.MULTILINE))


def company_files() -> list[tuple[str, str]]:
    """Every YAML sample of the documents that is a part of a company file, with its page."""
    found = []
    for page, name in zip(PAGES, NAMES, strict=True):
        for block in re.findall(
            r"^ *```yaml\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        ):
            text = textwrap.dedent(block)
            if top_keys(text) & {"hris", "deskbird", "sync", "export", "guards"}:
                found.append((name, text))
    return found


@pytest.mark.parametrize(
    ("page", "text"), company_files(), ids=[page for page, _ in company_files()]
)
def test_every_sample_of_a_company_file_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, text: str
) -> None:
    if page == "docs/systems-of-others.md":  # its system comes with a package of its own
        monkeypatch.syspath_prepend(ROOT / "hris_pipeline_tests" / "hris" / "systems_of_others")
        monkeypatch.setitem(SYSTEMS, "paper", importlib.import_module("paper_hr").SYSTEM)
    for key, value in NEEDED.items():
        text += "" if key in top_keys(text) else f"{key}: {value}\n"
    (tmp_path / "acme.yaml").write_text(text)
    assert load("acme", tmp_path).name == "acme"


def test_the_page_of_the_company_file_is_written_from_its_sections() -> None:
    """Where this fails: python -m hris_pipeline.settings.reference > docs/company-file.md."""
    assert (ROOT / "docs" / "company-file.md").read_text(encoding="utf-8") == reference.page()


def test_the_example_of_a_guard_fits(tmp_path: Path) -> None:
    """The diff in CONTRIBUTING.md applies to the product as it is, and what it makes is Python."""
    git = shutil.which("git")
    if git is None:
        pytest.skip(
            "git is not installed here: whether the diff in CONTRIBUTING.md applies is not "
            "looked at"
        )
    shutil.copytree(
        ROOT / "hris_pipeline",
        tmp_path / "hris_pipeline",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (diff,) = re.findall(
        r"^```diff\n(.*?)^```$",
        (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    subprocess.run(
        [git, "apply", "--unidiff-zero", "-"], cwd=tmp_path, input=diff, text=True, check=True
    )
    for changed in re.findall(r"^\+\+\+ b/(.+)$", diff, re.MULTILINE):
        compile((tmp_path / changed).read_text(encoding="utf-8"), changed, "exec")
    loaded = (
        "from hris_pipeline.plan import guards; print(guards.reactivate_user.NAME in guards.ORDER)"
    )
    done = subprocess.run(
        [sys.executable, "-c", loaded], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


EXAMPLES = [
    path.relative_to(ROOT).with_suffix("")
    for path in sorted((ROOT / "hris_pipeline").rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("path", EXAMPLES, ids=str)
def test_the_examples_in_docstrings_say_what_comes_of_them(path):
    found = doctest.testmod(importlib.import_module(".".join(path.parts)))
    assert (found.failed, found.attempted > 0) == (0, True)
