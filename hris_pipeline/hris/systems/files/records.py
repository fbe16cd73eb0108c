"""From a file's columns to the tables every HR system's people go into.

A file is read twice: first it is judged (:func:`survey`), so that nothing is written of one that is
refused, then written (:func:`write`). So a manager may stand anywhere in it, and it never lies in
memory as a whole.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from msgspec import UNSET

from hris_pipeline.hris.extract import EmployeeFile, OrgUnitFile
from hris_pipeline.hris.systems.files.contents import Content
from hris_pipeline.hris.systems.files.options import BLANK, EMPLOYED, Columns, Options
from hris_pipeline.hris.systems.files.places import Refused
from hris_pipeline.hris.systems.files.text import (
    UNREADABLE,
    Nothing,
    Spoilt,
    clean,
    clean_code,
    clean_ends,
    clean_id,
    day,
    unit_id,
)
from hris_pipeline.texts import clean_address, email_key

IDS = ("id", "employment_id", "manager_id")
DATES = ("start_date", "end_date")
UNASKED = ("given_name", "family_name", "manager_id")
"""What is unknown, and not empty, where the company file names no column for it."""
# of a column's dates: more, and its format is the wrong one, so that the readable ones are wrong
# too
UNREADABLE_SHARE = 0.1

Key = tuple[str, str | None]
Batch = dict[str, list[Any]]
"""Columns of equal length: our attributes, and ``kind.id`` and ``kind.name`` of each kind of group.
"""


ADDRESSES = ("email", "manager_email")
SUSPECTS = frozenset(
    (
        *(
            "NULL",
            "null",
            "(null)",
            "<null>",
            "N/A",
            "n/a",
            "NA",
            "nan",
            "NaN",
            "None",
            "none",
            "NIL",
            "nil",
            "k.A.",
            "n.a.",
        ),
        *("-", "--", "---", "?", ".", "/", "#", "x", "unknown", "UNKNOWN", "undefined"),
    )
)
"""Words that exports write where there is nothing. They are told, and mean nothing only where the
company file says so.
"""

_FAR_YEAR = "(?:2[2-9]|[3-9][0-9])[0-9]{2}"
_SUSPECT_DAYS = re.compile(
    "0+|(?:"
    "0{1,4}[-./]0{1,2}[-./]0{1,4}"
    rf"|{_FAR_YEAR}(?:[-./]?[0-9]{{2}}){{2}}"
    rf"|[0-9]{{1,2}}[-./ ]+(?:[0-9]{{1,2}}|[A-Za-z]{{3}})[-./ ]+{_FAR_YEAR}"
    r")(?:[T ][0-9:.]+)?"
)
"""Days of zeros, and days some hundred years ahead: nothing that says anything of a person."""
MOST_WORDS = 8  # for nothing that a remedy names
# people with contradicting rows: more than these, and than one in ten, and the file is of another
# kind than was said
FEW = 5

Named = Mapping[str, tuple[str, ...]]
"""Each attribute's columns: the first of them that is not empty counts."""


def headers(options: Options, kinds: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Each attribute's columns: what the company file names, of the kinds that are asked for."""
    named = {
        name: source.columns
        for name, source in options.columns
        if name != "groups" and source is not None
    }
    for kind in kinds:
        group = options.columns.groups[kind]
        named |= {
            f"{kind}.{part}": (header,)
            for part, header in (("id", group.id), ("name", group.name))
            if header
        }
    return named


@dataclass
class Survey:
    """What was found in all files before anything was written; numbers and ids only."""

    rows: list[int] = field(default_factory=list)  # of each file
    ids: set[str] = field(default_factory=set)
    # for each file the ids that newer ones hold too
    newer: list[frozenset[str]] = field(default_factory=list)
    repeated: set[Key] = field(default_factory=set)
    by_address: dict[str, str | None] = field(default_factory=dict)  # None: of several people
    # of the units, by kind and id
    names: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    without_id: int = 0
    unknown_statuses: int = 0
    lost: int = 0  # cells
    unreadable: Counter[str] = field(default_factory=Counter)
    # of the newest file that has any, some
    unreadable_rows: dict[str, list[int]] = field(default_factory=dict)
    # words that may mean nothing, and attributes they stand in
    suspects: dict[str, list[str]] = field(default_factory=dict)
    # of each column, as they are written
    suspect_days: dict[str, Counter[str]] = field(default_factory=dict)
    # whose rows differ in more than their groups
    contradicting: set[Key] = field(default_factory=set)
    padded: int = 0  # rows that were shorter than the header
    dates: Counter[str] = field(default_factory=Counter)


def _mapped(content: Content, options: Options, named: Named) -> Iterator[tuple[list[int], Batch]]:
    """The batches of one file by our names, each value clean."""
    readers = {name: _reader(name, content, options) for name in named}
    for numbers, found in content.batches():
        yield (
            numbers,
            {
                name: _first(
                    columns, found, numbers, readers[name], omits_empty=options.omits_empty
                )
                for name, columns in named.items()
            },
        )


Reader = Callable[[Sequence[Any], Sequence[int], str], list[Any]]
"""Makes of the values of a column, the rows' numbers and the column's name what is written of them.
"""


def _reader(name: str, content: Content, options: Options) -> Reader:
    words = options.words_for_nothing(name)
    if name in DATES:
        form = options.date_format(name)
        nothing = Nothing.of(words, form, options.open_ended if name == "end_date" else ())
        in_sheet = content.kind == "xlsx"
        return lambda values, _numbers, _header: _days(values, form, nothing, in_sheet=in_sheet)
    kind, part, _ = name.partition(".")
    separator = options.columns.groups[kind].separator if part else None
    read = (
        clean_id
        if name in IDS or part == "id"
        else clean_code
        if part
        else clean_ends
        if name in ADDRESSES
        else clean
    )

    def one(value: Any) -> Any:
        if separator is not None and value.__class__ is str and separator in value:
            parts = [read(each) for each in value.split(separator)]
            return (
                UNSET if UNSET in parts else [each for each in parts if each and each not in words]
            )
        value = read(value)
        return "" if value.__class__ is str and value in words else value

    def several(values: Sequence[Any], numbers: Sequence[int], header: str) -> list[Any]:
        try:
            if part and content.kind != "json":  # a unit occurs many times
                known = {value: one(value) for value in set(values)}
                return [known[value] for value in values]
            return [one(value) for value in values] if words else [read(value) for value in values]
        except Spoilt:
            raise _spoilt(content, header, numbers, values, one) from None

    return several


def _first(
    columns: Sequence[str],
    found: Mapping[str, list[Any]],
    numbers: Sequence[int],
    read: Reader,
    *,
    omits_empty: bool,
) -> list[Any]:
    """The first column that is not empty, row by row; what is unknown there stays unknown."""
    values, *others = (read(found[header], numbers, header) for header in columns)
    for more in others:
        values = [
            other if value is None or value == "" or (omits_empty and value is UNSET) else value
            for value, other in zip(values, more, strict=True)
        ]
    return values


def _spoilt(
    content: Content,
    header: str,
    numbers: Sequence[int],
    values: Sequence[Any],
    read: Callable[[Any], Any],
) -> Refused:
    """What to say of a column of codes that a spreadsheet has made numbers or dates of."""
    rows: dict[str, list[int]] = {}
    for number, value in zip(numbers, values, strict=True):
        try:
            read(value)
        except Spoilt as problem:
            rows.setdefault(problem.made, []).append(number)
    made, wrong = next(iter(rows.items()))
    where = content.where(header, wrong)
    what = (
        f"a number like 1.23E+11 in row {wrong[0]} ({where}): digits are lost"
        if made == "number"
        else (
            f"a date in row {wrong[0]} ({where}): a spreadsheet took a code such as 3-1 or 10-12 "
            "for one"
        )
    )
    return Refused(
        f"has a file {content.name} whose column '{header}' holds {what}",
        "Have the column exported as text, or format it as text in the spreadsheet and type these "
        "codes again; do not save a CSV file from a spreadsheet.",
    )


def _days(values: Sequence[Any], form: str, nothing: Nothing, *, in_sheet: bool) -> list[Any]:
    # a day occurs many times
    read = {value: day(value, form, nothing, in_sheet=in_sheet) for value in set(values)}
    return [read[value] for value in values]


def survey(
    contents: Sequence[Content], options: Options, named: Named, kinds: Sequence[str]
) -> Survey:
    """Read every file once, the newest first. :class:`Refused` where one must not be used."""
    found = Survey(names={kind: {} for kind in kinds})
    resolves = options.columns.manager_email is not None
    for content in contents:
        found.newer.append(frozenset(found.ids))
        keys: set[Key] = set()
        of_file: set[str] = set()
        for numbers, batch in _mapped(content, options, named):
            _note_ids(batch, keys, of_file, found)
            _note_dates(batch, numbers, found)
            _note_suspects(batch, found)
            if options.columns.status is not None:
                words = Counter(_statuses(batch["status"], options.status_words)).items()
                found.unknown_statuses += sum(
                    n for word, n in words if (word or "").lower() not in options.status_words
                )
            for kind in kinds:
                _note_names(batch, kind, found.names[kind])
            if resolves:
                _note_addresses(batch, found.newer[-1], found.by_address)
            found.lost += (
                sum(values.count(UNSET) for values in batch.values())
                if content.kind != "json"
                else 0
            )
        found.rows.append(content.rows)
        found.padded += content.padded
        found.ids |= of_file
        if content.rows < options.min_rows:
            raise Refused(
                f"has a file {content.name} with {content.rows} rows below its header "
                f"(options.min_rows: {options.min_rows})",
                "Ask the sender whether the export failed; if so few people are right, lower "
                "options.min_rows.",
            )
    for word, names in list(found.suspects.items()):
        if word in found.ids and "manager_id" in names:  # somebody's id after all
            found.suspects[word] = [name for name in names if name != "manager_id"]
    found.suspects = {word: names for word, names in found.suspects.items() if names}
    if not found.ids:
        raise Refused(
            "has a file in which nobody has an id",
            "Correct options.columns.id in the company file.",
        )
    for name, number in found.unreadable.items():
        if number > found.dates[name] * UNREADABLE_SHARE:
            raise Refused(
                f"has {number} of {found.dates[name]} dates in column '{named[name][0]}' that are "
                f"not written as {options.date_format(name)}",
                remedy_for_days(name, found, named[name][0]),
            )
    return found


def contradicting(
    contents: Sequence[Content], options: Options, named: Named, found: Survey
) -> set[str]:
    """The ids of those whose rows differ in more than their groups; read once more, and only where
    rows share a key.
    """
    ids: set[str] = set()
    for content in contents if found.repeated else ():
        rows: dict[Key, tuple[Any, ...]] = {}
        for _, batch in _mapped(content, options, named):
            keys = zip(
                batch["id"], batch.get("employment_id") or [None] * len(batch["id"]), strict=True
            )
            values = zip(
                *(column for name, column in batch.items() if "." not in name), strict=True
            )
            ids |= {
                key[0]
                for key, row in zip(keys, values, strict=True)
                if key in found.repeated and rows.setdefault(key, row) != row
            }
    return ids


def remedy_for_days(name: str, found: Survey, header: str) -> str:
    """What to do about dates that are none: say how they are written, or which of them mean that
    there is none.
    """
    form = (
        f'Set options.dates.{name} to how they are written, such as "%d.%m.%Y" (excel for day '
        "numbers)"
    )
    rows = ", ".join(map(str, found.unreadable_rows.get(name, [])))
    suspects = found.suspect_days.get(name, Counter())
    if not suspects:
        return f"{form}; the first are in row {rows}." if rows else f"{form}."
    shown = [f'"{word}"' for word, _ in suspects.most_common(MOST_WORDS)] + (
        ["..."] if len(suspects) > MOST_WORDS else []
    )
    written = f"[{', '.join(shown)}]"
    words = (
        f"name them in options.empty: {written}, or in options.columns.{name}: {{column: {header}, "
        f"empty: {written}}}"
    )
    if suspects.total() == found.unreadable[name]:
        return f"If they mean that there is no day (row {rows}), {words}."
    return (
        f"{form}. {suspects.total()} of them seem to mean that there is no day (the first are in "
        f"row {rows}): {words}."
    )


def _note_suspects(batch: Batch, found: Survey) -> None:
    for name, values in batch.items():
        if name in DATES or name in ("id", "employment_id", "status"):
            continue
        seen = set(
            chain.from_iterable(value if value.__class__ is list else (value,) for value in values)
        )
        for word in seen & SUSPECTS:
            attribute = name.partition(".")[0]
            if attribute not in found.suspects.setdefault(word, []):
                found.suspects[word].append(attribute)


def _statuses(values: Sequence[Any], words: Mapping[str, str]) -> list[Any]:
    """The words of the status column; our own for a blank where the company file says what that
    means.
    """
    if BLANK not in words:
        return list(values)
    return [BLANK if value is None or value == "" else value for value in values]


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


def _note_dates(batch: Batch, numbers: Sequence[int], found: Survey) -> None:
    for name in DATES:
        if name in batch:
            known = [value for value in batch[name] if value is not None and value is not UNSET]
            found.dates[name] += len(known)
            wrong = [value for value in known if value.startswith(UNREADABLE)]
            if wrong:
                found.unreadable[name] += len(wrong)
                texts = (
                    value.removeprefix(UNREADABLE).removesuffix("T00:00:00") for value in wrong
                )
                found.suspect_days.setdefault(name, Counter()).update(
                    text for text in texts if _seems_nothing(text)
                )
                rows = (
                    n
                    for n, value in zip(numbers, batch[name], strict=True)
                    if value and value.startswith(UNREADABLE)
                )
                kept = found.unreadable_rows.setdefault(name, [])
                kept += islice(rows, max(0, 3 - len(kept)))


def _seems_nothing(text: str) -> bool:
    return text in SUSPECTS or _SUSPECT_DAYS.fullmatch(text) is not None


def _note_names(batch: Batch, kind: str, names: dict[str, Counter[str]]) -> None:
    """Count the spellings of each unit's name: the most frequent one is the name, so that it does
    not change with the order.
    """
    spelt = batch.get(f"{kind}.name") or batch[f"{kind}.id"]
    pairs = zip(_unit_ids(batch, kind), spelt, strict=True)
    for (unit, name), number in Counter(chain.from_iterable(map(_pairs, pairs))).items():
        if unit:
            names.setdefault(unit, Counter())[name or ""] += number


def _pairs(unit_and_name: tuple[Any, Any]) -> Sequence[tuple[Any, Any]]:
    """A row's units of one kind with their names; of as many names as ids, else it is not known
    whose they are.
    """
    units, names = unit_and_name
    if units.__class__ is not list and names.__class__ is not list:
        return ((units, names),)
    ids, spelt = _as_list(units), _as_list(names)
    return tuple(zip(ids, spelt if len(spelt) == len(ids) else [""] * len(ids), strict=True))


def _as_list(value: Any) -> list[Any]:
    return value if value.__class__ is list else [value] if value else []


def _name(spelt: Counter[str]) -> str:
    """The most frequent spelling, of several the first in the alphabet; none only where there is no
    other.
    """
    return min(spelt, key=lambda name: (not name, -spelt[name], name))


def _unit_ids(batch: Batch, kind: str) -> list[Any]:
    """The ids of one kind's units, row by row."""
    if f"{kind}.id" in batch:
        return batch[f"{kind}.id"]
    names = batch[f"{kind}.name"]
    ids: dict[Any, Any] = {}  # a unit occurs many times
    for name in set(
        chain.from_iterable(name if name.__class__ is list else (name,) for name in names)
    ):
        ids[name] = unit_id(name) if name else name
    return [[ids[each] for each in name] if name.__class__ is list else ids[name] for name in names]


def _note_addresses(batch: Batch, newer: frozenset[str], by_address: dict[str, str | None]) -> None:
    for person, address in zip(batch["id"], batch["email"], strict=True):
        if person and address and person not in newer:
            key = email_key(clean_address(address))
            by_address[key] = person if by_address.get(key, person) == person else None


@dataclass
class Written:
    """What went into the tables."""

    vanished: tuple[str, ...]
    unresolved: int  # managers whose address is nobody's


def write(
    contents: Sequence[Content],
    options: Options,
    named: Named,
    found: Survey,
    *,
    people: EmployeeFile,
    units: OrgUnitFile,
    progress: Callable[[int], None],
) -> Written:
    """Read every file once more and write what is in it; rows of one person that contradict each
    other all of them.

    :class:`Refused` where so many people have such rows that the file must be of another kind than
    the company file says.
    """
    writer = _Writer(options, named, found, people)
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
    """Puts batches into the table of people; rows that share a key are held until their file has
    ended.
    """

    def __init__(self, options: Options, named: Named, found: Survey, people: EmployeeFile) -> None:
        self.attributes = attributes(options.columns)
        self.unresolved = 0
        self._columns = options.columns
        self._words = options.status_words
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
        else:
            table["status"] = _statuses(table["status"], self._words)
        if self._columns.manager_email is not None:
            table["manager_id"] = self._managers(batch["manager_email"])
        table |= {name: [UNSET] * size for name in UNASKED if name not in table}
        groups = {kind: _unit_ids(batch, kind) for kind in self._found.names}
        keys = list(zip(batch["id"], batch.get("employment_id") or [None] * size, strict=True))
        kept = [
            n
            for n, key in enumerate(keys)
            if key[0] and key[0] not in newer and key not in self._found.repeated
        ]
        for n, key in enumerate(keys):
            if key in self._found.repeated and key[0] not in newer:
                row = {name: values[n] for name, values in table.items()}
                self._held.setdefault(key, []).append(
                    {"row": row, "groups": {kind: ids[n] for kind, ids in groups.items()}}
                )
        if len(kept) < size:
            table = {name: [values[n] for n in kept] for name, values in table.items()}
            groups = {kind: [ids[n] for n in kept] for kind, ids in groups.items()}
        self._people.add(table, groups)

    def add_repeated(self, file: str) -> None:
        """Write what was held: rows that differ only in their groups are one record in all of these
        groups.

        Of the others each row is written: whoever has one record twice is held back
        (``rows_agree``).
        """
        wrong = {
            key
            for key, rows in self._held.items()
            if any(each["row"] != rows[0]["row"] for each in rows)
        }
        people = {person for person, _ in wrong}
        if len(people) > max(FEW, len(self._found.ids) // 10):
            shown = ", ".join(sorted(people)[:3])
            raise Refused(
                f"has a file {file} with several rows for {len(people)} people that differ in more "
                f"than their groups (ids {shown}{', ...' if len(people) > 3 else ''})",
                "Where a file has one row for each contract, map options.columns.employment_id to "
                "the contract's id; else have the export corrected.",
            )
        self._found.contradicting |= wrong
        together = [rows for key, rows in self._held.items() if key not in wrong]
        self._add([rows[:1] for rows in together], together)
        apart = [[row] for key, rows in self._held.items() if key in wrong for row in rows]
        self._add(apart, apart)
        self._held.clear()

    def _add(
        self,
        records: Sequence[Sequence[dict[str, Any]]],
        groups_of: Sequence[Sequence[dict[str, Any]]],
    ) -> None:
        if not records:
            return
        table = {name: [rows[0]["row"][name] for rows in records] for name in records[0][0]["row"]}
        groups = {
            kind: [_together([each["groups"][kind] for each in rows]) for rows in groups_of]
            for kind in self._found.names
        }
        self._people.add(table, groups)

    def _managers(self, addresses: Sequence[Any]) -> list[Any]:
        """The managers' ids; unknown where the address is nobody's, or several people's."""
        ids: list[Any] = []
        for address in addresses:
            if address:
                known = self._found.by_address.get(email_key(clean_address(address)))
                self.unresolved += known is None
                ids.append(UNSET if known is None else known)
            else:
                ids.append(address)
        return ids


def _together(ids: Sequence[Any]) -> Any:
    """The groups of one kind in several rows of one person; unknown where one of them is."""
    return (
        UNSET
        if any(each is UNSET for each in ids)
        else [unit for each in ids for unit in _as_list(each)]
    )


def attributes(columns: Columns) -> tuple[str, ...]:
    """Our columns that a file fills."""
    named = {name for name, header in columns if header and name not in {"groups", "manager_email"}}
    resolved = {"manager_id"} if columns.manager_email else set()
    return tuple(sorted(named | resolved | {"status"}))
