"""From a file's columns to the tables every HR system's people go into.

A file is read twice: first it is judged (:func:`survey`), so that nothing is written of one that is refused, then written
(:func:`write`). So a manager may stand anywhere in it, and it never lies in memory as a whole.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import UNSET

from hris_pipeline.hris.extract import EmployeeFile, OrgUnitFile
from hris_pipeline.hris.files.contents import Content
from hris_pipeline.hris.files.options import EMPLOYED, Columns, Options
from hris_pipeline.hris.files.places import Refused
from hris_pipeline.hris.files.text import UNREADABLE, Shortened, clean, clean_id, day, unit_id
from hris_pipeline.texts import email_key

IDS = ("id", "employment_id", "manager_id")
DATES = ("start_date", "end_date")
UNASKED = ("given_name", "family_name", "manager_id")
"""What is unknown, and not empty, where the company file names no column for it."""
UNREADABLE_SHARE = 0.1  # of a column's dates: more, and its format is the wrong one, so that the readable ones are wrong too

Key = tuple[str, str | None]
Batch = dict[str, list[Any]]
"""Columns of equal length: our attributes, and ``kind.id`` and ``kind.name`` of each kind of group."""


def headers(options: Options, kinds: Sequence[str]) -> dict[str, str]:
    """Each attribute's column: what the company file names, of the kinds that are asked for."""
    named = {name: header for name, header in options.columns if name != "groups" and header is not None}
    for kind in kinds:
        group = options.columns.groups[kind]
        named |= {f"{kind}.{part}": header for part, header in (("id", group.id), ("name", group.name)) if header}
    return named


@dataclass
class Survey:
    """What was found in all files before anything was written; numbers and ids only."""

    rows: list[int] = field(default_factory=list)  # of each file
    ids: set[str] = field(default_factory=set)
    newer: list[frozenset[str]] = field(default_factory=list)  # for each file the ids that newer ones hold too
    repeated: set[Key] = field(default_factory=set)
    by_address: dict[str, str | None] = field(default_factory=dict)  # None: of several people
    names: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)  # of the units, by kind and id
    without_id: int = 0
    unknown_statuses: int = 0
    lost: int = 0  # cells
    unreadable: Counter[str] = field(default_factory=Counter)
    dates: Counter[str] = field(default_factory=Counter)


def _mapped(content: Content, options: Options, named: Mapping[str, str]) -> Iterator[tuple[list[int], Batch]]:
    """The batches of one file by our names, each value clean."""
    open_ended = frozenset(options.open_ended)
    for numbers, found in content.batches():
        batch: Batch = {}
        for name, header in named.items():
            values = found[header]
            if name in IDS or name.endswith(".id"):
                batch[name] = _ids(values, numbers, header, content.name)
            elif name in DATES:
                batch[name] = _days(values, options.date_format(name), open_ended if name == "end_date" else frozenset())
            else:
                batch[name] = [clean(value) for value in values]
        yield numbers, batch


def _ids(values: Sequence[Any], numbers: Sequence[int], header: str, file: str) -> list[Any]:
    try:
        return [clean_id(value) for value in values]
    except Shortened:
        rows = (number for number, value in zip(numbers, values, strict=True) if _is_shortened(value))
        raise Refused(
            f"has a file {file} whose column '{header}' holds a number like 1.23E+11 in row {next(rows)}: digits are lost",
            "Have the column exported as text; do not save the file from a spreadsheet.",
        ) from None


def _is_shortened(value: Any) -> bool:
    try:
        clean_id(value)
    except Shortened:
        return True
    return False


def _days(values: Sequence[Any], form: str, open_ended: frozenset[str]) -> list[Any]:
    read = {value: day(value, form, open_ended) for value in set(values)}  # a day occurs many times
    return [read[value] for value in values]


def survey(contents: Sequence[Content], options: Options, named: Mapping[str, str], kinds: Sequence[str]) -> Survey:
    """Read every file once, the newest first. :class:`Refused` where one must not be used."""
    found = Survey(names={kind: {} for kind in kinds})
    resolves = options.columns.manager_email is not None
    for content in contents:
        found.newer.append(frozenset(found.ids))
        keys: set[Key] = set()
        of_file: set[str] = set()
        for _, batch in _mapped(content, options, named):
            _note_ids(batch, keys, of_file, found)
            _note_dates(batch, found)
            if options.columns.status is not None:
                words = Counter(batch["status"]).items()
                found.unknown_statuses += sum(n for word, n in words if (word or "").lower() not in options.status_words)
            for kind in kinds:
                _note_names(batch, kind, found.names[kind])
            if resolves:
                _note_addresses(batch, found.newer[-1], found.by_address)
            found.lost += sum(values.count(UNSET) for values in batch.values()) if content.kind != "json" else 0
        found.rows.append(content.rows)
        found.ids |= of_file
        if content.rows < options.min_rows:
            raise Refused(
                f"has a file {content.name} with {content.rows} rows below its header (options.min_rows: {options.min_rows})",
                "Ask the sender whether the export failed; if so few people are right, lower options.min_rows.",
            )
    if not found.ids:
        raise Refused("has a file in which nobody has an id", "Correct options.columns.id in the company file.")
    for name, number in found.unreadable.items():
        if number > found.dates[name] * UNREADABLE_SHARE:
            raise Refused(
                f"has {number} of {found.dates[name]} dates in column '{named[name]}' that are not written as "
                f"{options.date_format(name)}",
                f'Set options.dates.{name} to how they are written, such as "%d.%m.%Y".',
            )
    return found


def _note_ids(batch: Batch, keys: set[Key], of_file: set[str], found: Survey) -> None:
    ids = batch["id"]
    for key in zip(ids, batch.get("employment_id") or [None] * len(ids), strict=True):
        if not key[0]:
            found.without_id += 1
        elif key in keys:
            found.repeated.add(key)
        else:
            keys.add(key)
            of_file.add(key[0])
    if any("@" in person for person in ids if person):
        raise Refused(
            "has e-mail addresses in the column of ids, and ids appear in logs",
            "Map options.columns.id to a permanent number or code of each person.",
        )


def _note_dates(batch: Batch, found: Survey) -> None:
    for name in DATES:
        if name in batch:
            values = [value for value in batch[name] if value is not None and value is not UNSET]
            found.dates[name] += len(values)
            found.unreadable[name] += sum(value.startswith(UNREADABLE) for value in values)


def _note_names(batch: Batch, kind: str, names: dict[str, Counter[str]]) -> None:
    """Count the spellings of each unit's name: the most frequent one is the name, so that it does not change with the order."""
    spelt = batch.get(f"{kind}.name") or batch[f"{kind}.id"]
    for (unit, name), number in Counter(zip(_unit_ids(batch, kind), spelt, strict=True)).items():
        if unit:
            names.setdefault(unit, Counter())[name or ""] += number


def _name(spelt: Counter[str]) -> str:
    """The most frequent spelling, of several the first in the alphabet; none only where there is no other."""
    return min(spelt, key=lambda name: (not name, -spelt[name], name))


def _unit_ids(batch: Batch, kind: str) -> list[Any]:
    """The ids of one kind's units, row by row."""
    if f"{kind}.id" in batch:
        return batch[f"{kind}.id"]
    names = batch[f"{kind}.name"]
    ids = {name: unit_id(name) if name else name for name in set(names)}  # a unit occurs many times
    return [ids[name] for name in names]


def _note_addresses(batch: Batch, newer: frozenset[str], by_address: dict[str, str | None]) -> None:
    for person, address in zip(batch["id"], batch["email"], strict=True):
        if person and address and person not in newer:
            key = email_key(address)
            by_address[key] = person if by_address.get(key, person) == person else None


@dataclass
class Written:
    """What went into the tables."""

    vanished: tuple[str, ...]
    unresolved: int  # managers whose address is nobody's


def write(
    contents: Sequence[Content],
    options: Options,
    named: Mapping[str, str],
    found: Survey,
    *,
    people: EmployeeFile,
    units: OrgUnitFile,
    progress: Callable[[int], None],
) -> Written:
    """Read every file once more and write what is in it. :class:`Refused` for rows of one person that contradict each other."""
    writer = _Writer(options.columns, named, found, people)
    done = 0
    for content, newer in zip(contents, found.newer, strict=True):
        for _, batch in _mapped(content, options, named):
            writer.add(batch, newer)
            done += len(batch["id"])
            progress(done)
        writer.add_repeated(content.name)
    people.flush()
    for kind, names in found.names.items():
        units.add(kind, list(names), [_name(spelt) for spelt in names.values()])
    unasked = {name for name in UNASKED if name not in writer.attributes}
    vanished = tuple(name for name in people.vanished if name not in unasked)
    return Written(vanished, writer.unresolved)


class _Writer:
    """Puts batches into the table of people; rows that share a key are held until their file has ended."""

    def __init__(self, columns: Columns, named: Mapping[str, str], found: Survey, people: EmployeeFile) -> None:
        self.attributes = attributes(columns)
        self.unresolved = 0
        self._columns = columns
        self._named = named
        self._found = found
        self._people = people
        self._held: dict[Key, list[dict[str, Any]]] = {}

    def add(self, batch: Batch, newer: frozenset[str]) -> None:
        """Write the rows of one batch: those with an id that no newer file has."""
        size = len(batch["id"])
        table = {name: batch[name] for name in self.attributes if name in batch}
        if self._columns.status is None:
            table["status"] = [EMPLOYED] * size
        if self._columns.manager_email is not None:
            table["manager_id"] = self._managers(batch["manager_email"])
        table |= {name: [UNSET] * size for name in UNASKED if name not in table}
        groups = {kind: _unit_ids(batch, kind) for kind in self._found.names}
        keys = list(zip(batch["id"], batch.get("employment_id") or [None] * size, strict=True))
        kept = [n for n, key in enumerate(keys) if key[0] and key[0] not in newer and key not in self._found.repeated]
        for n, key in enumerate(keys):
            if key in self._found.repeated and key[0] not in newer:
                row = {name: values[n] for name, values in table.items()}
                self._held.setdefault(key, []).append({"row": row, "groups": {kind: ids[n] for kind, ids in groups.items()}})
        if len(kept) < size:
            table = {name: [values[n] for n in kept] for name, values in table.items()}
            groups = {kind: [ids[n] for n in kept] for kind, ids in groups.items()}
        self._people.add(table, groups)

    def add_repeated(self, file: str) -> None:
        """Write what was held: rows that differ only in their groups are one record in all of these groups."""
        wrong = [key for key, rows in self._held.items() if any(each["row"] != rows[0]["row"] for each in rows)]
        if wrong:
            shown = ", ".join(sorted({person for person, _ in wrong})[:3])
            raise Refused(
                f"has a file {file} with several rows for {len(wrong)} people that differ in more than their groups (ids {shown}"
                f"{', ...' if len(wrong) > 3 else ''})",
                "Where a file has one row for each contract, map options.columns.employment_id to the contract's id; else "
                "have the export corrected.",
            )
        if self._held:
            held = list(self._held.values())
            table = {name: [rows[0]["row"][name] for rows in held] for name in held[0][0]["row"]}
            groups = {kind: [_together([each["groups"][kind] for each in rows]) for rows in held] for kind in self._found.names}
            self._people.add(table, groups)
            self._held.clear()

    def _managers(self, addresses: Sequence[Any]) -> list[Any]:
        """The managers' ids; unknown where the address is nobody's, or several people's."""
        ids: list[Any] = []
        for address in addresses:
            if address:
                known = self._found.by_address.get(email_key(address))
                self.unresolved += known is None
                ids.append(UNSET if known is None else known)
            else:
                ids.append(address)
        return ids


def _together(ids: Sequence[Any]) -> Any:
    """The groups of one kind in several rows of one person; unknown where one of them is."""
    return UNSET if UNSET in ids else [each for each in ids if each]


def attributes(columns: Columns) -> tuple[str, ...]:
    """Our columns that a file fills."""
    named = {name for name, header in columns if header and name not in {"groups", "manager_email"}}
    resolved = {"manager_id"} if columns.manager_email else set()
    return tuple(sorted(named | resolved | {"status"}))
