"""People who come as one list of flat records, each naming its own units: a connector adds only its fields and its pages."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hris_pipeline.hris.api import Walk
from hris_pipeline.hris.extract import EmployeeFile, Extract, OrgUnitFile, Progress, prove_by_totals

Row = Mapping[str, Any]
"""One employee: our columns to values as ``EmployeeFile.add`` takes them (``id`` is text), and each kind of group to its units as
``{id: name}``, None, or ``msgspec.UNSET`` where the system does not say."""


def extracts(
    walk: Walk,
    pages: Iterable[tuple[Sequence[Row], int]],
    directory: Path,
    *,
    columns: Sequence[str],
    kinds: Sequence[str],
    required: Mapping[str, str],
    remedy: str,
    progress: Progress,
    partial: bool = False,
) -> tuple[Extract, Extract]:
    """Employees and the units they name, from ``pages``: each page's rows, and the total that the system gave with it.

    ``required`` are the columns nobody can do without, in the system's own words: one that nobody has is an
    :class:`~hris_pipeline.errors.HrisError`, which ends in ``remedy`` with ``{attributes}`` for the words. A ``partial`` read is
    of some people only, so it proves nothing and nothing is missed in it.
    """
    names: dict[str, dict[Any, Any]] = {kind: {} for kind in kinds}
    totals: list[int | None] = []
    employees, units = directory / "employees.arrow", directory / "org_units.arrow"
    with EmployeeFile(employees, columns, kinds) as file, OrgUnitFile(units) as unit_file:
        for page, total in pages:
            rows = [page[i] for i in walk.take([row["id"] for row in page])]
            file.add(
                {column: [row[column] for row in rows] for column in columns},
                {kind: [list(row[kind]) if row[kind] else row[kind] for row in rows] for kind in kinds},
            )
            for kind, found in names.items():
                for row in rows:
                    found.update(row[kind] or {})
            if total not in totals:
                totals.append(total)
            progress("employees", len(walk.seen), None if partial else total)
        for kind, found in names.items():
            unit_file.add(kind, [str(ref) for ref in found], list(found.values()))
        file.flush()
        vanished = () if partial else file.vanished
        words = [f"'{word}'" for column, word in required.items() if column in vanished]
        walk.api.demand(words, remedy.format(attributes=" and ".join(words)))
    count, known = len(walk.seen), sum(map(len, names.values()))
    if partial:
        why = "Only who changed was read."
        return (
            Extract("employees", employees, walk.pages, count, None, "unproven", why, partial=True),
            Extract("org_units", units, walk.pages, known, None, "unproven", why, partial=True),
        )
    proof, why = prove_by_totals(count, walk.duplicates, totals, walk.api.title)
    return (
        Extract("employees", employees, walk.pages, count, totals[-1], proof, why, vanished),
        Extract("org_units", units, walk.pages, known, None, proof, f"Read from the employees' own pages. {why}"),
    )
