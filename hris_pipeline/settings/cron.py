"""A cron expression, judged without knowing the time."""

import calendar
import re
from collections.abc import Mapping
from typing import Annotated

import pydantic

from hris_pipeline.settings.mistakes import mistake

_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {
    name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))
}
_CRON: tuple[tuple[str, int, int, Mapping[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_CRON_PART = re.compile(r"(?P<value>\w+)|(?:\*|(?P<from>\w+)-(?P<to>\w+))(?:/(?P<step>[0-9]+))?")


def _cron_values(field: str, low: int, high: int, names: Mapping[str, int]) -> set[int] | None:
    """The values one cron field stands for; None where it is not valid."""
    values: set[int] = set()
    for part in field.lower().split(","):
        match = _CRON_PART.fullmatch(part)
        if not match:
            return None
        words = (
            match["from"] or match["value"] or str(low),
            match["to"] or match["value"] or str(high),
        )
        if any(word not in names and not re.fullmatch(r"[0-9]{1,2}", word) for word in words):
            return None
        first, last = (names[word] if word in names else int(word) for word in words)
        if words[1] == "sun" and first > 0:
            last = 7  # fri-sun
        step = int(match["step"] or 1)
        if not low <= first <= last <= high or (
            not match["value"] and not 1 <= step <= last - first
        ):
            return None
        values.update(range(first, last + 1, step))
    return values


def _cron(text: str) -> str:
    """Five cron fields: numbers, names of months and days, ``*``, lists, ranges and steps."""
    right = (
        'must be five fields, minute hour day month weekday, such as "30 4 * * *", or null for none'
    )
    fields = text.split()
    if len(fields) != 5:
        raise mistake(f"{right}; it has {len(fields)}")
    meant = []
    for field, (what, low, high, names) in zip(fields, _CRON, strict=True):
        values = _cron_values(field, low, high, names)
        if values is None:
            raise mistake(f"{right}; the {what} must lie between {low} and {high}")
        meant.append(values)
    # 2024 has a 29 February
    longest = max(calendar.monthrange(2024, month)[1] for month in meant[3])
    if min(meant[2]) > longest:
        raise mistake("names a day that no month of it has")
    return " ".join(fields)


Cron = Annotated[str, pydantic.AfterValidator(_cron)]
"""Five fields, in the company's time zone."""
