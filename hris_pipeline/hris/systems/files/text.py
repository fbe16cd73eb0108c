"""What a cell says: text without what nobody sees, ids that are never numbers, days without a time
zone.

A cell that was lost before the file was written (``#N/A``, U+FFFD) is ``UNSET``: unknown, which is
not empty.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Self

from msgspec import UNSET

from hris_pipeline.hris.systems.files.options import EXCEL
from hris_pipeline.texts import clean_text, strip_unseen

UNREADABLE = "unreadable: "
"""Before a date that is none, so that nothing further on takes it for one: the record is held back
(``dates_are_readable``).
"""

_LOST = frozenset(
    {
        "#N/A",
        "#NAME?",
        "#REF!",
        "#VALUE!",
        "#DIV/0!",
        "#NULL!",
        "#NUM!",
        "#N/V",
        "#BEZUG!",
        "#WERT!",
    }
)
_MONTHS = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|m\u00e4r|mrz|mai|okt|dez|janv|f\u00e9vr|avr|juin|juil|ao\u00fbt|d\u00e9c|ene|abr|ago|dic|"
    "fev|out|mrt|mei"
)
_DATE = re.compile(  # how spreadsheets show and store what they took for a date
    rf"[0-9]{{1,2}}(?:[- ]|\. ?)(?:{_MONTHS})\.?|(?:{_MONTHS})\.?[-"
    r" ][0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]+)?"
    r"|[0-9]{1,2}([./])[0-9]{1,2}\1[0-9]{4}(?: [0-9:.]+)?",
    re.IGNORECASE,
)
_SHORTENED = re.compile(r"[0-9]+([.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)
_EXACT = 10**15  # Excel keeps 15 digits of a number and makes zeros of the rest
# Excel counts a 29 February 1900, so this day zero fits from March 1900 on
_DAY_ZERO = dt.date(1899, 12, 30)
_DAY_NUMBER = re.compile(r"[0-9]{1,7}([.,][0-9]+)?")
# 1950-01-01: a smaller number in a sheet is a year or a code rather than a day
_FIRST_SERIAL = 18264
# with 0001-01-01, 1601-01-01 and 1753-01-01, which systems write for none
_YEARS = frozenset({1, *range(1600, 2201)})


class Spoilt(ValueError):  # noqa: N818 - named after what happened
    """A code that a spreadsheet has made a rounded number or a date of."""

    def __init__(self, made: Literal["number", "date"]) -> None:
        super().__init__(made)
        self.made: Literal["number", "date"] = made


def clean(value: Any) -> Any:
    """A cell as text, as people see it; None and "" are empty, UNSET is unknown."""
    value = clean_ends(value)
    if value.__class__ is not str or (
        value.isascii() and value.isprintable() and "  " not in value
    ):
        return value
    return clean_text(value)


def clean_ends(value: Any) -> Any:
    """A cell as text, NFC, without blanks and unseen characters around it; within it all stays: in
    ids and in addresses.
    """
    if value.__class__ is not str:
        if value is None or value is UNSET:
            return value
        value = _plain(value)
    if value.isascii() and value.isprintable():
        value = value.strip()
        if value[:1] in {"#", "="}:
            if value in _LOST:
                return UNSET
            if value.startswith('="') and value.endswith('"') and len(value) > 2:
                # ="00123": how an export keeps Excel from cutting zeros off
                return value[2:-1].strip()
        return value
    if "\ufffd" in value:
        return UNSET
    if value.isprintable():
        return unicodedata.normalize("NFC", value.strip())
    return unicodedata.normalize("NFC", strip_unseen(value))


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return str(value)


def clean_id(value: Any) -> Any:
    """A cell as an id: text as it stands. :class:`Spoilt` where that is not the code that somebody
    typed.
    """
    return _unspoilt(value, clean_ends(value))


def clean_code(value: Any) -> Any:
    """A cell as a group's name. :class:`Spoilt` as for ids, because cost centers are codes."""
    return _unspoilt(value, clean(value))


def _unspoilt(value: Any, text: Any) -> Any:
    """1.23E+11, a number with more digits than Excel keeps, and a date are no codes."""
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        raise Spoilt("date")
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (abs(value) >= _EXACT or value != int(value))
    ):
        raise Spoilt("number")
    if text.__class__ is str and not text.isalnum():
        if _SHORTENED.fullmatch(text):
            raise Spoilt("number")
        if _DATE.fullmatch(text):
            raise Spoilt("date")
    return text


def unit_id(name: str) -> str:
    """The id of a unit that has only a name: capitals and the number of blanks make no other
    unit.
    """
    return " ".join(unicodedata.normalize("NFC", name.casefold()).split())


def header_key(cell: Any) -> str:
    """What two spellings of one column's name have in common."""
    return (
        ""
        if cell is None
        else " ".join(unicodedata.normalize("NFC", clean_text(str(cell)).casefold()).split())
    )


@dataclass(frozen=True)
class Nothing:
    """What means that there is no day: words as they are written, and days by whatever they are
    written with.
    """

    words: frozenset[str]  # small letters
    days: frozenset[str]  # ISO

    @classmethod
    def of(cls, words: Iterable[str], form: str, days: Iterable[str] = ()) -> Self:
        """From the words of a company file, of which some may be days in the column's form or in
        ISO's.
        """
        known = set(days)
        for word in words:
            for each in (form, "%Y-%m-%d"):
                found = _excel_day(word) if each == EXCEL else _written_day(word, each)
                known |= {found.isoformat()} if found else set()
        return cls(frozenset(word.casefold() for word in words), frozenset(known))


def day(value: Any, form: str, nothing: Nothing, *, in_sheet: bool = False) -> Any:
    """A cell as an ISO day, by the column's one format; Excel's own dates as they are; "" for one
    that means none.

    In a sheet (``in_sheet``) a number that is no day in that format is the number of a day: a date
    whose cell has lost its format.

    What is no day, or none of these centuries, is :data:`UNREADABLE` and the text. A spreadsheet's
    moment in the minute before midnight is the next day: programs that count in local time write
    23:59:17 for 0:00.
    """
    if isinstance(value, dt.datetime):
        found: dt.date | None = _nearest_day(value)
        text: Any = value.isoformat()
    elif isinstance(value, dt.date):
        found, text = value, value.isoformat()
    else:
        text = clean(value)
        if not text:
            return text or None
        if text.casefold() in nothing.words:
            return ""
        found = _excel_day(text) if form == EXCEL else _written_day(text, form)
        if found is None and in_sheet and isinstance(value, int | float) and value >= _FIRST_SERIAL:
            found = _excel_day(text)
    if found is not None and found.isoformat() in nothing.days:
        return ""
    return found.isoformat() if found is not None and found.year in _YEARS else UNREADABLE + text


def _nearest_day(moment: dt.datetime) -> dt.date:
    late = moment - moment.replace(hour=0, minute=0, second=0, microsecond=0) > dt.timedelta(
        hours=23, minutes=59
    )
    return moment.date() + dt.timedelta(days=late) if moment.year < dt.MAXYEAR else moment.date()


def _excel_day(text: str) -> dt.date | None:
    if not _DAY_NUMBER.fullmatch(text):
        return None
    number = int(float(text.replace(",", ".")) + 1 / (24 * 60))  # within a minute before midnight
    return (
        _DAY_ZERO + dt.timedelta(days=number)
        if 60 < number <= (dt.date.max - _DAY_ZERO).days
        else None
    )


def _written_day(text: str, form: str) -> dt.date | None:
    try:
        moment = dt.datetime.strptime(text, form)  # noqa: DTZ007 - a day, which has no zone
    except ValueError:
        return None
    # without anything between them, 2026112 could be the 11 February or the 2 November
    loose = re.search(r"%[Yymd]%", form) and moment.strftime(form) != text
    return None if loose else moment.date()
