"""Making an extract: the files it lies in, and what proves it.

Nothing here knows a system: a connector hands columns to :class:`EmployeeFile`, page by page, and
says what proves them. Every connector imports this when its system is declared, so Arrow is
imported where a file is written.
"""

# ruff: noqa: PLC0415 - see above

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from msgspec import UNSET

from hris_pipeline.arrow import ArrowFile
from hris_pipeline.contracts.extracts import Extract, Proof
from hris_pipeline.contracts.tables import EMPLOYEES, ORG_UNITS, Table
from hris_pipeline.errors import HrisError

if TYPE_CHECKING:
    import pyarrow as pa

REQUIRED = ("email", "given_name", "family_name", "status")
"""The columns of people that nobody can do without: a read that brings one of them for nobody is
refused.
"""

BATCH = 10_000  # rows of an Arrow batch: enough to be quick, little enough to bound the memory


def only_changes(since: dt.datetime, employees: Extract, units: Extract) -> tuple[Extract, Extract]:
    """The extracts of a read of what changed ``since`` (UTC): they prove nothing of what they do
    not hold (case 19).
    """
    why = (
        f"Only what changed since {since:%Y-%m-%d %H:%M} UTC was asked for: nothing is taken away "
        "on the strength of that."
    )
    partial: dict[str, Any] = {
        "expected": None,
        "proof": "unproven",
        "why": why,
        "vanished": (),
        "partial": True,
    }
    return replace(employees, **partial), replace(units, **partial)


def nothing_read(directory: Path, why: str) -> tuple[Extract, Extract]:
    """The extracts of a connection that was not asked: what is there stays, and nothing of it is
    proven any more.
    """
    employees, units = EmployeeFile(directory, (), ()), OrgUnitFile(directory)
    with employees, units:
        pass
    return (
        Extract("employees", employees.path, 0, 0, None, "unproven", why, partial=True),
        Extract("org_units", units.path, 0, 0, None, "unproven", why, partial=True),
    )


def prove_by_total(
    read: int, duplicates: int, expected: int | None, system: str
) -> tuple[Proof, str]:
    """Judge a read by the total that the system itself gave (cases 1, 3 and 4)."""
    if not read:
        return (
            "unproven",
            (
                f"0 of {'?' if expected is None else expected} people were read: an empty list "
                "proves nothing."
            ),
        )
    if duplicates:
        return (
            "unproven",
            (
                f"{system} listed {duplicates} of its people more than once, so others may be "
                "missing."
            ),
        )
    if expected is None:
        return "unproven", f"{system} did not say how many people it has; {read} were read."
    if read != expected:
        return "unproven", f"{read} of the {expected} people that {system} announced were read."
    return "proven", f"All {expected} people that {system} announced were read, none twice."


class Moved(HrisError):  # noqa: N818 - says what happened
    """A list that changed while its pages were read, by the system's own word: to be read anew from
    its beginning.
    """


def twice_unless_proven(read: Callable[[], tuple[Extract, Extract]]) -> tuple[Extract, Extract]:
    """What ``read`` gives, the second time where the first was not proven or ended in
    :class:`Moved` (case 4).
    """
    with contextlib.suppress(Moved):
        first = read()
        if first[0].proof == "proven":
            return first
    employees, units = read()
    if employees.proof == "unproven":
        remark = " A second pass gave no better result."
        return replace(employees, why=employees.why + remark), replace(
            units, why=units.why + remark
        )
    return employees, units


class _TableFile(ArrowFile):
    """The file of one table, bearing its name; a disk that is full is told in one sentence."""

    table: Table

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / f"{self.table.name}.arrow", self.table)

    def __enter__(self) -> Self:
        with self._written():
            return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._written():
            super().__exit__(kind, error, trace)

    @contextlib.contextmanager
    def _written(self) -> Iterator[None]:
        """Turn a full or missing disk into one sentence."""
        try:
            yield
        except OSError as problem:
            raise HrisError(
                f"What the HR system gave could not be written to {self.path} "
                f"({problem.strerror or type(problem).__name__}). Nothing of this extract is "
                "used; deskbird is left as it is. Make room there, or make the folder writable."
            ) from None

    def _write(self, arrays: "Mapping[str, pa.Array]") -> None:
        import pyarrow as pa

        with self._written():
            self.write(
                pa.record_batch([arrays[name] for name in self.schema.names], schema=self.schema)
            )


class EmployeeFile(_TableFile):
    """Employees in the form of ``contracts.tables.EMPLOYEES``, written in batches while pages come
    in.

    ``attributes`` are the mapped columns (by our names), ``kinds`` the kinds of group. What is no
    column of the contract goes into its column ``attributes``. Absent keys (case 13) are followed
    per record in the column ``absent``, over all records in :attr:`vanished`. For a system that
    leaves out the keys of empty values (``omits_empty``) a key that came in another record is no
    unknown but empty; so its records wait for the last one. So they do for a system that names
    managers by other ids than people's: ``manager_ids`` translates those it holds by then, and
    another one stays, as the id of nobody.
    """

    table = EMPLOYEES
    NEVER_ABSENT = frozenset({"id", "employment_id", "updated_at"})

    def __init__(
        self,
        directory: Path,
        attributes: Iterable[str],
        kinds: Iterable[str],
        *,
        omits_empty: bool = False,
        manager_ids: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(directory)
        self._omits_empty = omits_empty
        self._manager_ids = manager_ids
        self._waiting: list[tuple[int, dict[str, pa.Array]]] = []
        self._columns: dict[str, list[Any]] = {name: [] for name in attributes}
        self._groups: dict[str, list[Any]] = {kind: [] for kind in kinds}
        self._came: set[str] = set()
        self._rows = 0
        self._all_rows = 0

    @property
    def vanished(self) -> tuple[str, ...]:
        """Mapped attributes whose key came in no record; none while there are no records."""
        mapped = (name for name in (*self._columns, *self._groups) if name not in self.NEVER_ABSENT)
        return tuple(name for name in mapped if name not in self._came) if self._all_rows else ()

    def add(
        self, columns: Mapping[str, Sequence[Any]], groups: Mapping[str, Sequence[Any]]
    ) -> None:
        """Add rows, given as columns of equal length.

        A value is text or a number, None or "" (both: the system says that it is empty), or
        ``msgspec.UNSET`` (its key was not there). A value of a kind of group is an id or a list of
        ids, and else likewise; [] is empty.
        """
        for name, values in self._columns.items():
            values.extend(columns[name])
        for kind, values in self._groups.items():
            values.extend(groups[kind])
        self._rows += len(columns["id"])
        if self._rows >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits for the batch to be full; :attr:`vanished` is up to date then."""
        if not self._rows:
            return
        import pyarrow as pa

        from hris_pipeline.hris.columns import by_name, memberships, names, texts

        rows, arrays, absent = self._rows, {}, {}
        for name, values in self._columns.items():
            arrays[name], absent[name] = texts(values)
            values.clear()
        if named := [name for name in arrays if name not in self.schema.names]:
            arrays["attributes"] = by_name({name: arrays.pop(name) for name in named}, rows)
        arrays["groups"] = memberships(self._groups, rows)
        for kind, values in self._groups.items():
            absent[kind] = [value is UNSET for value in values] if UNSET in values else None
            values.clear()
        self._came.update(
            name for name, missing in absent.items() if missing is None or not all(missing)
        )
        if not self._omits_empty:
            masks = {
                name: missing
                for name, missing in absent.items()
                if missing is not None and name not in self.NEVER_ABSENT
            }
            arrays["absent"] = names(masks, rows)
        for name in self.schema.names:
            if name not in arrays:
                arrays[name] = pa.nulls(rows, self.schema.field(name).type)
        self._all_rows += rows
        self._rows = 0
        if self._omits_empty or self._manager_ids is not None:
            self._waiting.append((rows, arrays))
        else:
            self._write(arrays)

    def finish(self) -> None:
        """Write also what had to wait for the last record."""
        import pyarrow as pa

        from hris_pipeline.hris.columns import names

        self.flush()
        for rows, arrays in self._waiting:
            if self._omits_empty:
                arrays["absent"] = names({name: [True] * rows for name in self.vanished}, rows)
            if self._manager_ids is not None:
                managers = arrays["manager_id"].to_pylist()
                arrays["manager_id"] = pa.array(
                    [self._manager_ids.get(each, each) for each in managers], pa.string()
                )
            self._write(arrays)


class OrgUnitFile(_TableFile):
    """Org units in the form of ``contracts.tables.ORG_UNITS``."""

    table = ORG_UNITS
    count = 0  # units added so far

    def add(
        self,
        kind: str,
        ids: Sequence[Any],
        names: Sequence[Any],
        parents: Sequence[Any] | None = None,
    ) -> None:
        """Add units of one kind; values as in :meth:`EmployeeFile.add`."""
        from hris_pipeline.hris.columns import texts

        self.count += len(ids)
        columns = {
            "kind": [kind] * len(ids),
            "id": ids,
            "name": names,
            "parent_id": parents or [None] * len(ids),
        }
        self._write({name: texts(values)[0] for name, values in columns.items()})
