"""People who come as one list of flat records, each naming its own units: a connector adds only its
fields and its pages.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import UnsetType

from hris_pipeline.contracts.extracts import Extract, Progress
from hris_pipeline.hris.api import Api, PageWalk
from hris_pipeline.hris.extract import (
    EmployeeFile,
    OrgUnitFile,
    only_changes,
    prove_by_total,
    twice_unless_proven,
)

Row = Mapping[str, Any]
"""One employee: our columns to values as ``EmployeeFile.add`` takes them (``id`` is text), and each
kind of group to its units as ``{id: name}``, None, or ``msgspec.UNSET`` where the system does not
say. One may show a unit's name that another one hides.
"""


def extracts(
    api: Api,
    path: str,
    pages: Callable[[PageWalk], Iterable[tuple[Sequence[Row], int]]],
    directory: Path,
    *,
    columns: Sequence[str],
    kinds: Sequence[str],
    labels: Mapping[str, str],
    remedy: str,
    progress: Progress,
    since: dt.datetime | None = None,
) -> tuple[Extract, Extract]:
    """Employees and the units they name, from the ``pages`` of a walk over ``path``: rows, and the
    total that came with them.

    Where the proof fails all is read once more (case 4). ``labels`` and ``remedy`` are for columns
    that nobody can do without (:meth:`~hris_pipeline.hris.api.Api.demand`). With ``since`` the
    pages hold only who changed: nothing is missed in them.
    """

    def read() -> tuple[Extract, Extract]:
        walk = PageWalk(api, path)
        names: dict[str, dict[Any, Any]] = {kind: {} for kind in kinds}
        totals: list[int | None] = []
        people, units = EmployeeFile(directory, columns, kinds), OrgUnitFile(directory)
        with people, units:
            for page, total in pages(walk):
                rows = [page[i] for i in walk.take([row["id"] for row in page])]
                people.add(
                    {column: [row[column] for row in rows] for column in columns},
                    {kind: [_ids(row[kind]) for row in rows] for kind in kinds},
                )
                for kind, found in names.items():
                    for row in rows:
                        found |= {
                            ref: name or found.get(ref) for ref, name in (row[kind] or {}).items()
                        }
                if total not in totals:
                    totals.append(total)
                progress("employees", len(walk.seen), total if since is None else None)
            for kind, found in names.items():
                units.add(kind, [str(ref) for ref in found], list(found.values()))
            people.flush()
            if since is None:
                api.demand(people.vanished, labels, remedy)
        return judged(walk, totals, people, units)

    return twice_unless_proven(read) if since is None else only_changes(since, *read())


def _ids(units: Mapping[Any, Any] | UnsetType | None) -> Any:
    return list(units) if isinstance(units, Mapping) else units


def judged(
    walk: PageWalk, totals: Sequence[int | None], people: EmployeeFile, units: OrgUnitFile
) -> tuple[Extract, Extract]:
    """What a walk has brought into both files, judged by the ``totals`` of its pages: each
    different one once, in their order.
    """
    title, expected = walk.api.title, totals[-1] if totals else None
    proof, why = prove_by_total(len(walk.seen), walk.duplicates, expected, title)
    if len(totals) > 1:
        said = ", then ".join(map(str, totals))
        proof, why = (
            "unproven",
            f"The number of people that {title} announced changed while they were read ({said}).",
        )
    return (
        Extract(
            "employees",
            people.path,
            walk.pages,
            len(walk.seen),
            expected,
            proof,
            why,
            people.vanished,
        ),
        Extract(
            "org_units",
            units.path,
            walk.pages,
            units.count,
            None,
            proof,
            f"Read from the employees' own pages. {why}",
        ),
    )
