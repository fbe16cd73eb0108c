"""What is written in a file: CSV, TSV, Excel, JSON or one of them in a zip archive, as columns of
the attributes asked for.

Nothing is guessed that the file does not bear out: a file that can be read in no way that fits the
company file is :class:`~hris_pipeline.hris.systems.files.places.Refused`, with the number of the
row and never its content.
"""

import codecs
import csv
import io
import os
import shutil
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from hris_pipeline.hris.extract import BATCH
from hris_pipeline.hris.systems.files import encodings
from hris_pipeline.hris.systems.files.options import Format, Options
from hris_pipeline.hris.systems.files.places import CHUNK, Refused, new_file
from hris_pipeline.hris.systems.files.text import header_key

DELIMITERS = (",", ";", "\t", "|")
_ENDINGS: Mapping[Format, Sequence[str]] = {
    "csv": ("csv", "txt"),
    "tsv": ("tsv", "tab"),
    "xlsx": ("xlsx",),
    "json": ("json", "jsonl", "ndjson"),
}
_FIRST_YEAR = 1899  # of the days that Excel counts; old Macs counted from 1904
LONGEST_CELL = 64 << 20  # characters; Python's own limit is less than a long note
# what computers put into folders and archives for themselves
_NO_FILE = ("__MACOSX/", "~$", ".", "Thumbs.db", "desktop.ini")
_LONG_ROWS = 5  # that an error names
_END = 64  # bytes at a file's end in which a Ctrl-Z may stand

Value = str | int | float | bool | None | UnsetType  # what a key of a JSON file may hold
Rows = Iterator[tuple[int, Sequence[Any]]]
"""Each row's number, from 1, and its cells."""


@dataclass
class Content:
    """One file that is to be read, as often as wanted; each of the columns asked for is there, and
    there once.
    """

    name: str
    path: Path
    headers: tuple[str, ...]  # what the company file calls the columns, each once
    options: Options
    kind: Format
    encoding: str = "utf-8"
    delimiter: str = ","
    ignored: int = 0  # columns that the company file does not name
    # rows, by the trailer, once the file was read to its end
    announced: int | None = field(default=None, init=False)
    rows: int = field(default=0, init=False)
    # of the columns asked for, once the header was read
    places: list[int] = field(default_factory=list, init=False)
    padded: int = field(default=0, init=False)  # rows that ended before the header does

    def where(self, header: str, numbers: Sequence[int]) -> str:
        """Some cells of a column, as a spreadsheet names them."""
        if not self.places:
            named = [f"object {number}" for number in numbers]
        else:
            letters = _letters(self.places[self.headers.index(header)])
            named = [f"cell {letters}{number}" for number in numbers]
        more = f" and {len(named) - 3} more" if len(named) > 3 else ""
        return ", ".join(named[:3]) + more

    def batches(self) -> Iterator[tuple[list[int], dict[str, list[Any]]]]:
        """The rows' numbers and the columns by their header, some thousand rows at a time."""
        if self.kind == "json":
            yield from self._objects()
            return
        rows = self._body()
        self.places = places = _positions(next(rows)[1], self)
        pick = itemgetter(*places) if len(places) > 1 else lambda cells: (cells[places[0]],)
        numbers: list[int] = []
        picked: list[Any] = []
        self.rows, self.announced, self.padded = 0, None, 0
        for number, cells in rows:
            numbers.append(number)
            picked.append(pick(cells))
            if len(numbers) == BATCH:
                yield self._batch(numbers, picked)
                numbers, picked = [], []
        if numbers:
            yield self._batch(numbers, picked)
        if self.options.proof.trailer and self.announced is None:
            raise Refused(
                f"has a file {self.name} without its last row "
                f"({self.options.proof.trailer.starts_with}): it was cut off",
                "Ask the sender to send it again.",
            )

    def _batch(self, numbers: list[int], rows: list[Any]) -> tuple[list[int], dict[str, list[Any]]]:
        self.rows += len(numbers)
        return numbers, dict(zip(self.headers, map(list, zip(*rows, strict=True)), strict=True))

    def _body(self) -> Rows:
        """The header's row and those after it: blank ones left out, each as wide as the header, the
        trailer read and left out.
        """
        rows = (row for row in self._all_rows() if any(cell not in {None, ""} for cell in row[1]))
        header = next((row for row in rows if row[0] >= self.options.header_row), None)
        if header is None:
            raise Refused(
                f"has a file {self.name} with nothing in it",
                "Ask the sender to run the export again.",
            )
        yield header
        width, trailer = len(header[1]), self.options.proof.trailer
        addresses = self._address_places(header[1])
        # number and width of the row before, where that was a short one
        short: tuple[int, int] | None = None
        for number, cells in rows:
            if self.announced is not None:
                raise Refused(
                    f"has a file {self.name} that goes on after its last row (row {number})",
                    "Ask the sender why.",
                )
            if trailer and str(cells[0] or "").strip() == trailer.starts_with:
                self.announced = _whole(
                    cells[trailer.count_in - 1] if len(cells) >= trailer.count_in else None,
                    self.name,
                )
                continue
            if len(cells) > width and any(cell not in {None, ""} for cell in cells[width:]):
                raise self._too_long(number, cells, width, rows)
            if len(cells) < width:
                if self.kind != "xlsx" and _is_piece(cells, width, short, addresses):
                    raise Refused(
                        f"has a file {self.name} in whose row {number} there are {len(cells)} "
                        f"columns instead of {width}, as if it were the rest of the row before: a "
                        "value holds a line break without quotes",
                        "Have the export put quotes around values; if it does, correct "
                        "options.quote and options.escape.",
                    )
                short = number, len(cells)
                self.padded += 1
                yield number, [*cells, *[None] * (width - len(cells))]
                continue
            short = None
            yield number, cells
        if (
            short
            and self.kind != "xlsx"
            and not trailer
            and not self.options.proof.beside
            and not _ends_a_line(self)
        ):
            raise Refused(
                f"has a file {self.name} in whose row {short[0]}, the last one, there are "
                f"{short[1]} columns instead of {width}: it was cut off there",
                "Ask the sender to send it again; if it always ends so, have its last line ended, "
                "or set options.proof.",
            )

    def _too_long(self, number: int, cells: Sequence[Any], width: int, rows: Rows) -> Refused:
        others = []
        for other, more in rows:
            if len(more) > width and any(cell not in {None, ""} for cell in more[width:]):
                others.append(other)
                if len(others) == _LONG_ROWS:
                    break
        also = f" (and others, such as row {', '.join(map(str, others))})" if others else ""
        if self.kind == "xlsx":
            place = next(n for n in range(width, len(cells)) if cells[n] not in {None, ""})
            where = (
                f"has a file {self.name} with something in cell {_letters(place)}{number}, where "
                "the header has no column"
            )
            return Refused(
                f"{where}{also}", "Give the column a name in the header's row, or empty it."
            )
        return Refused(
            f"has a file {self.name} in whose row {number} there are {len(cells)} columns instead "
            f"of {width}{also}: a value holds the delimiter without quotes",
            "Have the export put quotes around values, or correct options.quote, options.escape or "
            "options.delimiter.",
        )

    def _address_places(self, header: Sequence[Any]) -> frozenset[int]:
        columns = self.options.columns
        names = {
            header_key(name)
            for source in (columns.email, columns.manager_email)
            if source
            for name in source.columns
        }
        return frozenset(place for place, cell in enumerate(header) if header_key(cell) in names)

    def _all_rows(self) -> Rows:
        return _sheet(self) if self.kind == "xlsx" else _csv(self)

    def _objects(self) -> Iterator[tuple[list[int], dict[str, list[Any]]]]:
        """The objects of a JSON file: only the keys that are mapped ever become values; one that is
        not there is UNSET.
        """
        fields = [(f"f{number}", Value, UNSET) for number in range(len(self.headers))]
        names = {f"f{number}": header for number, header in enumerate(self.headers)}
        record = msgspec.defstruct("Record", fields, rename=names, gc=False)
        pick = [itemgetter(number) for number in range(len(fields))]
        self.rows = 0
        numbers: list[int] = []
        rows: list[Any] = []
        for number, found in enumerate(_records(self.path, record, self.name), start=1):
            numbers.append(number)
            rows.append(msgspec.structs.astuple(found))
            if len(numbers) == BATCH:
                self.rows += len(numbers)
                yield (
                    numbers,
                    {
                        header: list(map(get, rows))
                        for header, get in zip(self.headers, pick, strict=True)
                    },
                )
                numbers, rows = [], []
        if numbers:
            self.rows += len(numbers)
            yield (
                numbers,
                {
                    header: list(map(get, rows))
                    for header, get in zip(self.headers, pick, strict=True)
                },
            )


def open_content(name: str, path: Path, headers: Sequence[str], options: Options) -> Content:
    """Find out how a file is written; :class:`Refused` where it is not written as the company file
    says.
    """
    ending = name.lower().rpartition(".")[2]
    if ending == "zip":
        ending, path = _unpacked(name, path, options)
    kind = options.format or _kind(ending, name)
    headers = tuple(dict.fromkeys(headers))
    content = Content(name, path, headers, options, kind)
    if kind == "json":
        _cut_ctrl_z(path, "utf-8")
        return content
    if kind != "xlsx":
        content.encoding = encodings.find(path, name, options.encoding)
        _cut_ctrl_z(path, content.encoding)
        content.delimiter = options.delimiter or ("\t" if kind == "tsv" else _delimiter(content))
    header = next(content._body())[1]  # noqa: SLF001 - its own
    content.ignored = sum(1 for cell in header if header_key(cell)) - len(
        _positions(header, content)
    )
    return content


def _kind(ending: str, name: str) -> Format:
    for kind, endings in _ENDINGS.items():
        if ending in endings:
            return kind
    raise Refused(
        f"has a file {name} whose name does not say how it is written",
        f"Set options.format to one of {', '.join(_ENDINGS)}.",
    )


# --- the header -----------------------------------------------------------------------------------


def _positions(header: Iterable[Any], content: Content) -> list[int]:
    """Where the columns asked for stand; capitals and blanks around a name make no difference (a
    renamed one is another one).
    """
    keys = [header_key(cell) for cell in header]
    wanted = [header_key(name) for name in content.headers]
    missing = [name for name, key in zip(content.headers, wanted, strict=True) if key not in keys]
    if missing:
        named = ", ".join(f"'{name}'" for name in missing)
        raise Refused(
            f"has a file {content.name} without the column{'s' if len(missing) > 1 else ''} "
            f"{named}",
            "Correct options.columns (or header_row, delimiter, sheet) in the company file, or "
            "have the export changed back.",
        )
    twice = [name for name, key in zip(content.headers, wanted, strict=True) if keys.count(key) > 1]
    if twice:
        named = ", ".join(f"'{name}'" for name in twice)
        raise Refused(
            f"has a file {content.name} with more than one column {named}",
            "Have one of them renamed in the export.",
        )
    return [keys.index(key) for key in wanted]


def _delimiter(content: Content) -> str:
    """The delimiter by which the columns asked for are in the header; where there is none, the one
    that finds most of them.
    """
    best, found = ",", -1
    for delimiter in DELIMITERS:
        content.delimiter = delimiter
        try:
            keys = {header_key(cell) for cell in next(content._body())[1]}  # noqa: SLF001 - its own
        except Refused:
            # such as quotes that do not match by this one; if by none, it is told when the file is
            # read
            continue
        number = sum(header_key(name) in keys for name in content.headers)
        if number > found:
            best, found = delimiter, number
    return best


# --- CSV and TSV ----------------------------------------------------------------------------------


def _cut_ctrl_z(path: Path, encoding: str) -> None:
    """Take the mark off the end of our copy by which old systems end a text (Ctrl-Z), and the zeros
    that fill their blocks.
    """
    with path.open("r+b") as file:
        begin = file.read(4)
        codec = encodings.with_byte_order(encoding, begin)
        mark, fill = "\x1a".encode(codec), {each.encode(codec) for each in "\x1a\0\r\n "}
        size = file.seek(0, io.SEEK_END)
        # a character of several bytes is looked at as a whole
        start = max(0, (size - _END) // len(mark) * len(mark))
        file.seek(start)
        end = file.read()
        letters = [end[at : at + len(mark)] for at in range(0, len(end), len(mark))]
        if mark in letters and fill.issuperset(letters[letters.index(mark) :]):
            file.truncate(start + letters.index(mark) * len(mark))


def _ends_a_line(content: Content) -> bool:
    with content.path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - 4))
        return file.read().rstrip(b"\0")[-1:] in {b"\r", b"\n"}


def _is_piece(
    cells: Sequence[Any], width: int, short: tuple[int, int] | None, addresses: frozenset[int]
) -> bool:
    """Whether a short row is the second half of one that a line break in a value has torn apart,
    rather than one without ends.
    """
    if len(cells) == 1:
        return True
    halves = short is not None and short[1] + len(cells) - 1 == width
    return halves and not any("@" in str(cells[place]) for place in addresses if place < len(cells))


def _letters(place: int) -> str:
    """A column's letters, from its place: 0 is A, 26 is AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _csv(content: Content) -> Rows:
    csv.field_size_limit(LONGEST_CELL)
    quote = content.options.quote
    dialect: dict[str, Any] = {"delimiter": content.delimiter, "strict": True}
    if content.options.escape:
        dialect["escapechar"] = content.options.escape
    dialect |= {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE, "quotechar": None}
    with content.path.open(encoding=content.encoding, newline="") as file:
        reader = csv.reader(file, **dialect)
        try:
            for number, cells in enumerate(reader, start=1):
                # Excel's own hint, which is no row
                if number > 1 or not "".join(cells).startswith("sep="):
                    yield number, cells
        except csv.Error:
            raise Refused(
                f"has a file {content.name} whose quotes do not match near line {reader.line_num}: "
                "it was cut off, or has others",
                _about_quotes(content),
            ) from None
        except UnicodeDecodeError:
            raise Refused(
                f"has a file {content.name} that is not {content.encoding} near line "
                f"{reader.line_num + 1}",
                encodings.remedy(content.path),
            ) from None


def _about_quotes(content: Content) -> str:
    if content.options.escape is None and b'\\"' in content.path.read_bytes():
        return (
            "It has backslashes before quotes: set options.escape to a backslash, '\\', in the "
            "company file."
        )
    return (
        "Ask the sender to send it again, or correct options.quote, options.escape and "
        "options.delimiter."
    )


# --- Excel ----------------------------------------------------------------------------------------


def _sheet(content: Content) -> Rows:
    """The rows of the one sheet, or of the one that the company file names; numbers as they are
    shown where that is all zeros.
    """
    import openpyxl  # noqa: PLC0415 - slow to import, and only for who has Excel files

    try:
        with content.path.open("rb") as file:  # openpyxl would go by the name of a path
            with zipfile.ZipFile(file) as archive:
                _check_size(archive, content.name, content.options)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of styles and validations, which nobody reads
                book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheet = book[_sheet_name(book, content)]
            sheet.reset_dimensions()  # many programs write wrong ones
            for number, row in enumerate(sheet.iter_rows(), start=1):
                yield number, [_shown(cell) for cell in row]
    except Refused:
        raise
    except Exception:  # noqa: BLE001 - openpyxl raises whatever a broken file leads it to, with values in the text
        raise Refused(
            f"has a file {content.name} that cannot be read as Excel's: it was cut off, is locked "
            "by a password, or is no .xlsx",
            "Open it in Excel to see which, and have it sent again.",
        ) from None


def _sheet_name(book: Any, content: Content) -> str:
    if book.epoch.year != _FIRST_YEAR:
        raise Refused(
            f"has a file {content.name} that counts days from 1904",
            "Switch that off in Excel and save it.",
        )
    names = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    wanted = content.options.sheet
    if (wanted not in names) if wanted else len(names) != 1:
        said = f"no sheet '{wanted}'" if wanted else f"{len(names)} sheets"
        raise Refused(
            f"has a file {content.name} with {said}",
            "Set options.sheet to the name of the one to read.",
        )
    return wanted or str(names[0])


def _shown(cell: Any) -> Any:
    """A cell's value; a number in a format of zeros with them, as everybody sees it (00123)."""
    value = cell.value
    if value.__class__ is int and not cell.number_format.strip("0"):
        return f"{value:0{len(cell.number_format)}d}"
    return value


# --- JSON -----------------------------------------------------------------------------------------


def _records(path: Path, record: type[msgspec.Struct], name: str) -> Iterator[Any]:
    """The objects of an array, or of lines; :class:`Refused` for anything else."""
    then = (
        "It must hold one array of objects, or one object a line, in UTF-8; nested values cannot "
        "be mapped."
    )
    number = 0
    try:
        with path.open("rb") as file:
            if file.read(3) != codecs.BOM_UTF8:
                file.seek(0)
            first = file.read(1)
            while first.isspace():
                first = file.read(1)
            file.seek(-1 if first else 0, io.SEEK_CUR)
            if first == b"[":
                yield from msgspec.json.decode(file.read(), type=list[record])  # type: ignore[valid-type]
                return
            decoder = msgspec.json.Decoder(record)
            for number, line in enumerate(file, start=1):  # noqa: B007 - told by the error
                if not line.isspace():
                    yield decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        where = f" (line {number})" if number else ""
        raise Refused(
            f"has a file {name} that is cut off, broken or in another form than can be read{where}",
            then,
        ) from None


# --- zip ------------------------------------------------------------------------------------------


def _check_size(archive: zipfile.ZipFile, name: str, options: Options) -> None:
    if sum(member.file_size for member in archive.infolist()) > options.max_mb << 20:
        raise Refused(
            f"has a file {name} that unpacks to more than {options.max_mb} MB",
            "If that is right, raise options.max_mb.",
        )


def _unpacked(name: str, path: Path, options: Options) -> tuple[str, Path]:
    """The one file in a zip archive: the ending of its name, and our copy of it."""
    to = path.with_name(f"{path.name}.unpacked")
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                member
                for member in archive.infolist()
                if not member.is_dir() and not _is_of_no_use(member.filename)
            ]
            if len(members) != 1:
                raise Refused(
                    f"has a file {name} with {len(members)} files in it",
                    "Have exactly one put into the archive.",
                )
            _check_size(archive, name, options)
            with archive.open(members[0]) as packed, os.fdopen(new_file(to), "wb") as copy:
                # never more than the size that the archive told, true or not
                shutil.copyfileobj(packed, copy, CHUNK)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error):
        raise Refused(
            f"has a file {name} that cannot be unpacked: it was cut off, or is encrypted",
            "Have it sent again, as a plain zip archive without a password.",
        ) from None
    return members[0].filename.lower().rpartition(".")[2], to


def _is_of_no_use(path: str) -> bool:
    name = path.rpartition("/")[2]
    return (
        path.startswith(_NO_FILE[0])
        or "/__MACOSX/" in path
        or name.startswith(_NO_FILE[1:3])
        or name in _NO_FILE[3:]
    )


def _whole(value: Any, name: str) -> int:
    text = str(value).strip() if value is not None else ""
    if not text.isdecimal():
        raise Refused(
            f"has a file {name} whose last row names no number of rows",
            "Correct options.proof.trailer.count_in.",
        )
    return int(text)
