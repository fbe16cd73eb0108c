"""What the planner's SQL reads and makes, taken from the SQL itself, and ``docs/plan.md``, which
lists its steps.

python -m hris_pipeline_tests.plan.steps      writes docs/plan.md anew
"""

import re
from dataclasses import dataclass
from pathlib import Path

from hris_pipeline.plan.pipeline import STEPS, Step

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "hris_pipeline"
DOCUMENT = ROOT / "docs" / "plan.md"
FILES = sorted(
    {*(PACKAGE / "plan").rglob("*.sql"), *(step.path for step in STEPS if step.path.exists())}
)
FIELDS = ("Reads", "Makes", "Changes", "Variables")
_NAME = r'("?[a-z_{}]+"?(?:\.[a-z_]+)?)'
_NOT_READ = {"select", "values", "unnest", "lateral"}


@dataclass(frozen=True)
class Facts:
    """What a file reads, makes, changes of what others made, and which variables it asks for."""

    reads: frozenset[str] = frozenset()
    makes: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()


def header(path: Path) -> list[str]:
    """The lines of the comment at the top of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    end = next(
        (number for number, line in enumerate(lines) if not line.startswith("--")), len(lines)
    )
    return [line.removeprefix("--").removeprefix(" ") for line in lines[:end]]


def told(path: Path) -> Facts:
    """What the header says."""
    fields: dict[str, str] = {}
    current = None
    for line in header(path):
        if match := re.match(rf"({'|'.join(FIELDS)}): (.*)", line):
            current = match[1]
            fields[current] = match[2]
        elif current and line.startswith("  "):
            fields[current] += " " + line.strip()
        else:
            current = None
    missing = [name for name in FIELDS if name not in fields and name != "Changes"]
    assert not missing, f"{path.name}: the header lacks {missing}"
    return Facts(*(_listed(fields.get(name, "none")) for name in FIELDS))


def found(path: Path) -> Facts:
    """What the SQL does."""
    sql = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
    variables = {
        name + field
        for name, field in re.findall(r"getvariable\('([a-z_]+)'\)((?:\.[a-z_]+)?)", sql)
    }
    sql = re.sub(r"'(?:[^']|'')*'", "''", sql)
    sql = re.sub(r"is\s+(?:not\s+)?distinct\s+from", "=", sql)
    makes = set(re.findall(rf"create or replace (?:temp )?(?:table|view|macro) {_NAME}", sql))
    changes = (
        set(re.findall(rf"(?:insert (?:or \w+ )?into|delete from|update) {_NAME}", sql)) - makes
    )
    asked = re.sub(r"delete\s+from", "delete", sql)
    near = set(re.findall(rf"[\s,]{_NAME}\s+as\s+(?:(?:not\s+)?materialized\s+)?\(", asked))
    reads = (
        set(re.findall(rf"\b(?:from|join|using)\s+{_NAME}(?![\w.]|\s*\()", asked))
        - near
        - makes
        - _NOT_READ
    )
    return Facts(frozenset(reads), frozenset(makes), frozenset(changes), frozenset(variables))


def facts(step: Step) -> Facts:
    """What a step reads and makes: by the header of its SQL, and by what it says of its Python."""
    by_header = told(step.path) if step.path.exists() else Facts()
    return Facts(
        by_header.reads | set(step.reads),
        by_header.makes | set(step.makes),
        by_header.changes,
        by_header.variables,
    )


def document() -> str:
    """The text of ``docs/plan.md``."""
    lines = [
        "# How a plan is made",
        "",
        (
            "The steps in their order, from `STEPS` in `hris_pipeline/plan/pipeline.py`; what each "
            "reads and makes is taken from the"
        ),
        (
            "header of its SQL. `python -m hris_pipeline_tests.plan.steps` writes this page. A "
            "step in *italics* is left out where"
        ),
        "there is nothing for it to do; most nights have no changes.",
        "",
        "| step | of | what it does | reads | makes |",
        "|---|---|---|---|---|",
    ]
    for step in STEPS:
        one = facts(step)
        name = f"*{step.name}*" if step.is_conditional else step.name
        makes = ", ".join(
            [
                *map(_code, sorted(one.makes)),
                *(f"adds to {_code(each)}" for each in sorted(one.changes)),
            ]
        )
        lines.append(
            f"| {name} | {step.of}{_given(step)} | {_about(step)} | "
            f"{', '.join(map(_code, sorted(one.reads)))} | "
            f"{makes} |"
        )
    return "\n".join(lines) + "\n"


def _about(step: Step) -> str:
    if step.about:
        return step.about
    text = " ".join(
        line
        for line in header(step.path)
        if line and not re.match(rf"({'|'.join(FIELDS)}):|  ", line)
    )
    return re.split(r"(?<=\.)\s", text, maxsplit=1)[0]


def _given(step: Step) -> str:
    return f", {step.given}" if step.given else ""


def _code(name: str) -> str:
    return f"`{name}`"


def _listed(text: str) -> frozenset[str]:
    return (
        frozenset()
        if text.strip() == "none"
        else frozenset(name.strip() for name in text.split(",") if name.strip())
    )


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
