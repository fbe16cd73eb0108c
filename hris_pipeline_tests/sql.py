"""Where SQL stands and what it may do: ``python -m hris_pipeline_tests.sql``, which `make lint`
runs; and how long its lines are.

Reports only read, presentation and the command line ask nothing. SQL in Python is found by what its
strings say, so that a query that is put together from words without a verb is not noticed; DuckDB
itself refuses it, because reports get a connection that cannot write.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from hris_pipeline_tests.imports import HOUSE

WITHOUT_SQL = ("presentation", "cli")
READING = ("reports",)
LENGTH = 100

_QUERY = re.compile(
    r"\bselect\b[^;]*\bfrom\b|^\s*from\s+[\w\"]+\."
    r"|\binsert\s+into\b|\bdelete\s+from\b|\bupdate\s+[\w.\"]+\s+set\b"
    r"|\bcreate\s+(or\s+replace\s+)?(temp\s+)?(table|view|macro)\b",
    re.IGNORECASE,
)
_WRITE = re.compile(
    r"\binsert\s+(or\s+\w+\s+)?into\b|\bdelete\s+from\b|\bmerge\s+into\b"
    r"|\bupdate\s+[\w.\"{}]+\s+set\b|\btruncate\s+[\w.\"{}]+|\balter\s+table\b"
    r"|\bdrop\s+(table|view|schema|macro|sequence|index)\b"
    r"|\bcreate\s+(or\s+replace\s+)?(?!temp\b|or\b)(persistent\s+)?"
    r"(table|view|schema|macro|sequence|index|type|function)\b"
    r"|^\s*(copy|attach|detach|checkpoint|vacuum|import|export|install|load)\s",
    re.IGNORECASE | re.MULTILINE,
)


def misplaced(house: Path = HOUSE) -> list[str]:
    """One line for each query where there must be none, and each one in a report that writes."""
    lines = [
        f"{path.relative_to(house)} holds SQL: a report reads, {room} does not"
        for room in WITHOUT_SQL
        for path, text in texts(house / room)
        if path.suffix == ".sql" or _QUERY.search(text)
    ]
    lines += [
        f"{path.relative_to(house)} writes ({found[0].strip()}): a report only reads"
        for room in READING
        for path, text in texts(house / room)
        if (found := _WRITE.search(text))
    ]
    return list(dict.fromkeys(lines))


def long_lines(house: Path = HOUSE) -> list[str]:
    """One line for each line of SQL that is longer than the linter allows in Python."""
    return [
        f"{path.relative_to(house)}:{number} is longer than {LENGTH} characters"
        for path in sorted(house.rglob("*.sql"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > LENGTH
    ]


def texts(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every ``.sql`` file without its comments, and every string of the Python files but their
    docstrings.
    """
    for path in sorted(folder.rglob("*.sql")):
        yield path, re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
    for path in sorted(folder.rglob("*.py")):
        for text in _strings(ast.parse(path.read_text(encoding="utf-8"))):
            yield path, text


def _strings(tree: ast.AST) -> Iterator[str]:
    # a string that stands by itself
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            )
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and not {id(node)} & (docs | parts)
        ):
            yield node.value


if __name__ == "__main__":
    if lines := misplaced() + long_lines():
        sys.exit("\n".join(lines))
