"""What a cell says: text without what nobody sees, ids that are never numbers, days without a time zone.

A cell that was lost before the file was written (``#N/A``, U+FFFD) is ``UNSET``: unknown, which is not empty.
"""

import datetime as dt
import re
import unicodedata
from typing import Any

from msgspec import UNSET

from hris_pipeline.hris.files.options import EXCEL

UNREADABLE = "unreadable: "
"""Before a date that is none, so that nothing further on takes it for one: the record is held back (``dates_are_readable``)."""

_LOST = frozenset({"#N/A", "#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#N/V", "#BEZUG!", "#WERT!"})
_UNSEEN = "\ufeff\u200b\u200c\u200d\u2060"
_SHORTENED = re.compile(r"[0-9]+([.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)
_EXACT = 10**15  # Excel keeps 15 digits of a number and makes zeros of the rest
_DAY_ZERO = dt.date(1899, 12, 30)  # Excel counts a 29 February 1900, so this day zero fits from March 1900 on
_YEARS = frozenset({1, *range(1600, 2201)})  # with 0001-01-01, 1601-01-01 and 1753-01-01, which systems write for none


class Shortened(ValueError):  # noqa: N818 - named after what happened
    """An id that a spreadsheet has made a rounded number of."""


def clean(value: Any) -> Any:
    """A cell as text, NFC, without blanks around it (the non-breaking ones too); None and "" are empty, UNSET is unknown."""
    if value.__class__ is not str:
        if value is None or value is UNSET:
            return value
        value = _plain(value)
    value = value.strip()
    if not value.isascii():
        if "\ufffd" in value:
            return UNSET
        value = unicodedata.normalize("NFC", value.strip(_UNSEEN).strip())
    elif value[:1] in {"#", "="}:
        if value in _LOST:
            return UNSET
        if value.startswith('="') and value.endswith('"') and len(value) > 2:
            return value[2:-1].strip()  # ="00123": how an export keeps Excel from cutting zeros off
    return value


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return str(value)


def clean_id(value: Any) -> Any:
    """A cell as an id: text as it stands. :class:`Shortened` for 1.23E+11, and for a number with more digits than Excel keeps."""
    if isinstance(value, int | float) and not isinstance(value, bool) and (abs(value) >= _EXACT or value != int(value)):
        raise Shortened
    text = clean(value)
    if text and text.__class__ is str and _SHORTENED.fullmatch(text):
        raise Shortened
    return text


def unit_id(name: str) -> str:
    """The id of a unit that has only a name: capitals and the number of blanks make no other unit."""
    return " ".join(unicodedata.normalize("NFC", name.casefold()).split())


def header_key(cell: Any) -> str:
    """What two spellings of one column's name have in common."""
    text = "" if cell is None else str(cell).strip().strip(_UNSEEN)
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def day(value: Any, form: str, open_ended: frozenset[str]) -> Any:
    """A cell as an ISO day, by the column's one format; Excel's own dates as they are; "" for one that means none.

    What is no day, or none of these centuries, is :data:`UNREADABLE` and the text.
    """
    if isinstance(value, dt.datetime | dt.date):
        found: dt.date | None = dt.date(value.year, value.month, value.day)
        text: Any = value.isoformat()
    else:
        text = clean(value)
        if not text:
            return text or None
        found = _excel_day(text) if form == EXCEL else _written_day(text, form)
    if found is not None and found.isoformat() in open_ended:
        return ""
    return found.isoformat() if found is not None and found.year in _YEARS else UNREADABLE + text


def _excel_day(text: str) -> dt.date | None:
    whole = text.partition(".")[0]
    if not whole.isdecimal() or not 60 < int(whole) <= (dt.date.max - _DAY_ZERO).days:
        return None
    return _DAY_ZERO + dt.timedelta(days=int(whole))


def _written_day(text: str, form: str) -> dt.date | None:
    try:
        moment = dt.datetime.strptime(text, form)  # noqa: DTZ007 - a day, which has no zone
    except ValueError:
        return None
    # without anything between them, 2026112 could be the 11 February or the 2 November
    loose = re.search(r"%[Yymd]%", form) and moment.strftime(form) != text
    return None if loose else moment.date()
