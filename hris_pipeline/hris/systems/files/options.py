"""What a company file says of a feed of files: where they lie, how they are written, what is in
them, what proves them.
"""

import codecs
import datetime as dt
import posixpath
import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from hris_pipeline import rules
from hris_pipeline.contracts.extracts import Status
from hris_pipeline.settings import REFERENCE, KeyPath, Settings, Text, mistake, refuse
from hris_pipeline.texts import clean_text

Format = Literal["csv", "tsv", "xlsx", "json"]

EXCEL = "excel"  # a date as the number of days that Excel counts
EMPLOYED = "employed"
"""Our own word for the status in a file without a column for it: active, unless the dates say
otherwise.
"""

BLANK = "(blank)"
"""Our own word for a status that is blank in the file, where `statuses` says what that means."""

_NO_TEXT = frozenset({"idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined"})
"""What Python registers among its encodings, and what no file is written in."""

_DAY = dt.date(2026, 12, 31)
_IN_NAMES = {
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%m": r"\d{2}",
    "%d": r"\d{2}",
    "%H": r"\d{2}",
    "%M": r"\d{2}",
    "%S": r"\d{2}",
}


def date_in(pattern: str) -> re.Pattern[str]:
    """What finds a date written by ``pattern`` in a file's name; ValueError where the pattern does
    not make a whole date.
    """
    parts = re.split(r"(%.)", pattern)
    if (
        not {"%m", "%d"} <= set(parts)
        or not {"%Y", "%y"} & set(parts)
        or any(p[:1] == "%" and p not in _IN_NAMES for p in parts)
    ):
        raise ValueError(pattern)
    return re.compile(
        "(?<![0-9])"
        + "".join(_IN_NAMES.get(part) or re.escape(part) for part in parts)
        + "(?![0-9])"
    )


def _date_format(text: str) -> str:
    try:
        whole = text == EXCEL or dt.datetime.strptime(_DAY.strftime(text), text).date() == _DAY  # noqa: DTZ007 - a date
    except ValueError:
        whole = False
    if not whole:
        raise mistake(
            'must be a format of Python\'s strptime with year, month and day, such as "%d.%m.%Y", '
            "or excel"
        )
    return text


def _name_date(text: str) -> str:
    try:
        date_in(text)
    except ValueError:
        raise mistake('must be made of %Y or %y, %m, %d, %H, %M and %S, such as "%Y%m%d"') from None
    return text


def _iso_day(text: str) -> str:
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise mistake("must be a day such as 2099-12-31") from None


def _beside(text: str) -> str:
    rest, placeholders = re.subn(r"\{name\}|\{stem\}", "", text)
    if not placeholders or set("/{}") & set(rest):
        raise mistake(
            'must be a file\'s name with {name} or {stem} in it, such as "{name}.done" '
            "(people.csv.done)"
        )
    return text


def _encoding(text: str) -> str:
    try:
        codec = codecs.lookup(text)
        known = codec.name.replace("-", "_") not in _NO_TEXT and isinstance(
            "a".encode(text).decode(text), str
        )
    except (LookupError, ValueError):
        known = False
    if not known:
        raise mistake(
            "must be an encoding that Python knows, such as utf-8, windows-1252, windows-1250, "
            "iso-8859-2 or shift_jis"
        )
    return text


def _one_character(text: str) -> str:
    if len(text) != 1 or text in "\r\n":
        raise mistake("must be one character")
    return text


def _from_name(given: object) -> object:
    return {"name": given} if isinstance(given, str) else given


def _word(given: object) -> object:
    """YAML takes 2999-12-31 for a day and NULL for nothing; here both are words, and which letters
    NULL had is not known.
    """
    if given is None:
        raise mistake('must be a word in quotes: "NULL", "null" or "~", as the file has it')
    return (
        str(given)
        if isinstance(given, dt.date | int | float) and not isinstance(given, bool)
        else given
    )


def _source(given: object) -> object:
    """A column's name, a list of them, or all keys."""
    if isinstance(given, str):
        return {"columns": [given]}
    if isinstance(given, list | tuple):
        return {"columns": list(given)}
    if given is None or isinstance(given, bool | int | float):
        raise mistake("must be text, a list of texts, or {column: ..., empty: [...]}")
    if isinstance(given, dict) and "column" in given:
        if "columns" in given:
            raise mistake("has column and columns: keep one of them")
        return {
            **{key: value for key, value in given.items() if key != "column"},
            "columns": [given["column"]],
        }
    return given


DateFormat = Annotated[str, AfterValidator(_date_format)]
Beside = Annotated[str, AfterValidator(_beside)]
Character = Annotated[str, AfterValidator(_one_character)]
Header = Annotated[str, Field(min_length=1)]
Encoding = Annotated[str, AfterValidator(_encoding)]
Word = Annotated[str, BeforeValidator(_word), AfterValidator(clean_text), Field(min_length=1)]
Words = Annotated[tuple[Word, ...], Field(strict=False)]


class Column(Settings):
    """Where one attribute stands: in one column, or in the first of several that says anything."""

    columns: Annotated[tuple[Header, ...], Field(strict=False, min_length=1)] = Field(
        description="column's name, or several: the first that is not empty counts"
    )
    empty: Words | None = Field(
        default=None, description="words for nothing in this attribute, in place of options.empty"
    )


Source = Annotated[Column, BeforeValidator(_source)]


class GroupColumns(Settings):
    """The columns of one kind of group."""

    id: Header | None = Field(
        default=None, description="column with the unit's id; without one the name is the id"
    )
    name: Header | None = Field(
        default=None, description="column with the unit's name; without one the id is the name"
    )
    separator: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description='between several units in one cell, such as ";"; null: a cell is one unit',
    )
    empty: Words | None = Field(
        default=None, description="words for nothing in these columns, in place of options.empty"
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if not (self.id or self.name):
            raise mistake("must name a column: {id: ..., name: ...}, or the name's column alone")
        return self


class Columns(Settings):
    """Our attributes, and the file's columns (of a JSON file: the keys) that hold them."""

    id: Source = Field(description="column with the person's permanent id")
    employment_id: Source | None = Field(
        default=None, description="contract's id, where a file has one row for each contract"
    )
    email: Source = Field(description="column with the work e-mail")
    given_name: Source | None = Field(default=None, description="first name")
    family_name: Source | None = Field(default=None, description="last name")
    status: Source | None = Field(
        default=None, description="status, in words that `statuses` explains"
    )
    start_date: Source | None = Field(default=None, description="first day")
    end_date: Source | None = Field(default=None, description="last day, inclusive")
    manager_id: Source | None = Field(default=None, description="the manager's id")
    manager_email: Source | None = Field(
        default=None, description="the manager's work e-mail, where the file has no id of them"
    )
    updated_at: Source | None = Field(default=None, description="when the row was last changed")
    title: Source | None = Field(
        default=None, description="job title, where sync.attributes names it"
    )
    phone: Source | None = Field(
        default=None, description="work phone, where sync.attributes names it"
    )
    groups: Annotated[
        dict[str, Annotated[GroupColumns, BeforeValidator(_from_name)]], Field(strict=False)
    ] = Field(
        default={},
        description='kinds of group: {team: Team} or {team: {id: "Team ID", name: Team}}',
    )

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        taken = {
            *rules.Vocabulary((), ()).attributes,
            "given_name",
            "family_name",
            "manager",
            "active",
            "default",
        }
        wrong: list[tuple[KeyPath, str | None]] = [
            (
                ("groups", kind),
                (
                    "is not a kind of group: use a-z, 0-9 and _, a letter first, and no name of an "
                    "attribute"
                ),
            )
            for kind in self.groups
            if not re.fullmatch(r"[a-z][a-z0-9_]*", kind) or kind in taken
        ]
        wrong += [
            (
                (name, "columns"),
                "must be one column: an id must not come from another one tomorrow",
            )
            for name in ("id", "employment_id")
            if (source := getattr(self, name)) and len(source.columns) > 1
        ]
        if self.id.columns[0].casefold() in {column.casefold() for column in self.email.columns}:
            wrong.append(
                (
                    ("id",),
                    (
                        "must be another column than email: an address may change, and ids appear "
                        "in logs"
                    ),
                )
            )
        if self.manager_id and self.manager_email:
            wrong.append((("manager_email",), "is there beside manager_id: keep one of them"))
        if not (self.given_name or self.family_name):
            wrong.append(
                (("given_name",), "is missing, and so is family_name: map one of them at least")
            )
        refuse(wrong)
        return self


class Dates(Settings):
    """How days are written, in Python's notation ("%d.%m.%Y") or as Excel's numbers (excel)."""

    default: DateFormat = Field(
        default="%Y-%m-%d",
        description="how they are written where the column has no form of its own",
    )
    start_date: DateFormat | None = Field(default=None, description="first days")
    end_date: DateFormat | None = Field(default=None, description="last days")


class Trailer(Settings):
    """A last row that says how many rows come before it."""

    starts_with: Header = Field(description="what stands in its first column")
    count_in: Annotated[int, Field(ge=2)] = Field(
        default=2, description="the number of the column with the count, from 1"
    )


class Proof(Settings):
    """What shows that a file is whole; what is given here must be there, else the file is not
    read.
    """

    marker: Beside | None = Field(
        default=None, description='empty file that appears when the file is whole: "{name}.done"'
    )
    count: Beside | None = Field(
        default=None, description='file that holds the number of rows: "{name}.count"'
    )
    manifest: Beside | None = Field(
        default=None,
        description='JSON file with rows and, where wanted, sha256: "{name}.manifest.json"',
    )
    trailer: Trailer | None = Field(default=None, description="last row with the number of rows")

    @property
    def beside(self) -> dict[str, str]:
        """The patterns of the files that lie beside."""
        found = {"marker": self.marker, "count": self.count, "manifest": self.manifest}
        return {what: pattern for what, pattern in found.items() if pattern}


class Sftp(Settings):
    """The server that files are fetched from. The credential is `password` or `private_key` of the
    connection.
    """

    host: Text = Field(description="the server's name")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(default=22, description="its port")
    user: Text = Field(description="the user to log in as")
    host_key: str = Field(
        description=(
            "the server's public key, as in its known_hosts entry without the host; one a line"
        )
    )
    timeout_seconds: Annotated[float, Field(gt=0)] = Field(
        default=120, description="longest wait for a log-in, a list or a file"
    )

    @field_validator("host_key")
    @classmethod
    def _public_keys(cls, text: str) -> str:
        import asyncssh  # noqa: PLC0415 - slow to import, and only for who fetches from a server

        try:
            keys = [asyncssh.import_public_key(line) for line in text.splitlines() if line.strip()]
        except (asyncssh.KeyImportError, ValueError):
            keys = []
        if not keys:
            raise mistake(
                "must be the server's public key, such as ssh-ed25519 AAAA...; ssh-keyscan shows it"
            )
        return text


class Options(Settings):
    """What only a connection to files has."""

    path: Text = Field(
        description=(
            "folder and name of the file, * for what changes: /srv/hr/people_*.csv; on the server "
            "with sftp"
        )
    )
    sftp: Sftp | None = Field(
        default=None, description="the server to fetch from; null for a folder of this machine"
    )
    format: Format | None = Field(
        default=None, description="csv, tsv, xlsx or json; null to go by the name's ending"
    )
    feed: Literal["full", "delta"] = Field(
        default="full", description="whether a file holds everybody or only what changed"
    )
    columns: Columns = Field(
        description="our attributes and the file's columns: id, email and a name at least"
    )
    statuses: Annotated[dict[str, Status], Field(strict=False)] = Field(
        default={},
        description=(
            "what each word of the status column means: active, on_leave, upcoming or ended"
        ),
    )
    dates: Dates = Field(default=Dates(), description="how days are written")
    open_ended: Annotated[
        tuple[Annotated[str, AfterValidator(_iso_day)], ...], Field(strict=False)
    ] = Field(
        default=("2099-12-31", "9999-12-31"), description="last days that mean that there is none"
    )
    empty: Words = Field(
        default=(),
        description=(
            'words that mean nothing in every column, to the letter: ["NULL", "N/A", "-", '
            '"0000-00-00"]'
        ),
    )
    encoding: Encoding = Field(
        default="utf-8",
        description=(
            "what a text file is written in where it is no UTF-8 and has no BOM: any that Python "
            "knows"
        ),
    )
    delimiter: Character | None = Field(
        default=None, description="between columns; null to find out by the header"
    )
    quote: Character | None = Field(
        default='"', description="around values that hold the delimiter; null for none"
    )
    escape: Character | None = Field(
        default=None,
        description=(
            "before a quote within a value, such as a backslash; null: a quote is written twice "
            "there"
        ),
    )
    sheet: str | None = Field(
        default=None, description="xlsx: the sheet's name; null where there is only one"
    )
    header_row: Annotated[int, Field(ge=1)] = Field(
        default=1, description="number of the row with the columns' names"
    )
    omits_empty: bool = Field(
        default=False, description="json: whether the keys of empty values are left out"
    )
    proof: Proof = Field(
        default=Proof(),
        description="what shows that a file is whole; without any nobody is ever taken away",
    )
    min_rows: Annotated[int, Field(ge=1)] = Field(
        default=1, description="a file with fewer rows is refused"
    )
    max_age_hours: Annotated[float, Field(gt=0)] | None = Field(
        default=26, description="an older file is yesterday's and refused; null for any age"
    )
    date_in_name: Annotated[str, AfterValidator(_name_date)] | None = Field(
        default=None,
        description=(
            'the date in a file\'s name, such as "%Y%m%d": the newest is read, and its age judged, '
            "by it too"
        ),
    )
    settle_seconds: Annotated[float, Field(ge=0)] = Field(
        default=5, description="a file is read if its size has not changed for so long"
    )
    max_mb: Annotated[int, Field(ge=1)] = Field(
        default=512, description="a file that is larger, or grows larger unpacked, is refused"
    )

    @property
    def folder(self) -> str:
        """Where the files lie."""
        return posixpath.dirname(self.path) or "."

    @property
    def pattern(self) -> str:
        """What the files are called."""
        return posixpath.basename(self.path)

    @property
    def group_kinds(self) -> tuple[str, ...]:
        """The kinds of group that the columns name."""
        return tuple(self.columns.groups)

    @property
    def status_words(self) -> Mapping[str, Status]:
        """What the words of the file mean, in lower case."""
        if self.columns.status is None:
            return {EMPLOYED: "active"}
        return {clean_text(word).lower() or BLANK: status for word, status in self.statuses.items()}

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        wrong: list[tuple[KeyPath, str | None]] = []
        whole = not REFERENCE.search(self.path)  # else judged when the run starts
        if whole and (not self.pattern or "**" in self.path or set("*?[") & set(self.folder)):
            wrong.append(
                (
                    ("path",),
                    "must end in the file's name; only the name may hold *, not the folder",
                )
            )
        if self.columns.status and not self.statuses:
            wrong.append(
                (
                    ("statuses",),
                    (
                        "must say what each word of the status column means, such as {working: "
                        "active, left: ended}"
                    ),
                )
            )
        if self.statuses and not self.columns.status:
            wrong.append(
                (("statuses",), "explains words of a column that columns.status does not name")
            )
        if self.format == "json" and self.proof.trailer:
            wrong.append(
                (("proof", "trailer"), "is for csv, tsv and xlsx: a JSON file has no last row")
            )
        if self.delimiter is not None and self.delimiter == self.quote:
            wrong.append((("quote",), "must be another character than the delimiter"))
        if self.escape is not None and self.escape in {self.delimiter, self.quote}:
            wrong.append(
                (("escape",), "must be another character than the delimiter and the quote")
            )
        refuse(wrong)
        return self

    def date_format(self, column: str) -> str:
        """How the dates of ``start_date`` or ``end_date`` are written."""
        return str(getattr(self.dates, column) or self.dates.default)

    def words_for_nothing(self, name: str) -> frozenset[str]:
        """The words that mean nothing in an attribute, or in a column of a kind of group
        (``team.name``).
        """
        kind, part, _ = name.partition(".")
        source = self.columns.groups[kind] if part else getattr(self.columns, kind)
        return frozenset(self.empty if source.empty is None else source.empty)
