"""From what stands in the company file to a :class:`Rule`, or to one sentence for each mistake.
Pure; values are never quoted.
"""

import datetime as dt
import difflib
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

STATUSES = ("upcoming", "active", "on_leave", "ended")
PERSON = ("hris_ref", "connection", "email", "email_domain", "status")
DATES = ("start_date", "end_date")
NONE = "none"
"""The word for people who have no such value."""

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ONE_DATE = re.compile(
    rf"(?:(?P<word>before|after|on|on or before|on or after) )?(?P<date>{_DATE})"
)
_BETWEEN = re.compile(rf"between (?P<first>{_DATE}) and (?P<last>{_DATE})")
_RELATIVE = re.compile(r"(?:in|within) the (?P<way>last|next) (?P<days>[0-9]{1,5}) days?")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_DOMAIN = re.compile(r"[^@\s.]+(?:\.[^@\s.]+)+")


# --- what a rule is -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    """A text in which ``*`` stands for any characters, compared without regard to case or Unicode
    form.
    """

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Nothing:
    """There is no such value."""

    def __str__(self) -> str:
        return NONE


@dataclass(frozen=True)
class Days:
    """A date from ``first`` to ``last``, both included; None leaves that end open."""

    first: dt.date | None
    last: dt.date | None

    def __str__(self) -> str:
        if self.first == self.last:
            return f"on {self.first}"
        if self.first is None or self.last is None:
            return (
                f"on or before {self.last}" if self.first is None else f"on or after {self.first}"
            )
        return f"between {self.first} and {self.last}"


@dataclass(frozen=True)
class FromToday:
    """A date from ``first`` to ``last`` days after the person's own today, both included; negative
    is before.
    """

    first: int
    last: int

    def __str__(self) -> str:
        return f"in the next {self.last} days" if self.last else f"in the last {-self.first} days"


Test = Text | Nothing | Days | FromToday


@dataclass(frozen=True)
class Condition:
    """One key of a rule: the attribute meets any of the tests."""

    attribute: str
    tests: tuple[Test, ...]

    def __str__(self) -> str:
        return f"{self.attribute}: {', '.join(map(str, self.tests))}"


@dataclass(frozen=True)
class Rule:
    """All conditions must hold; without any, everybody is meant."""

    conditions: tuple[Condition, ...] = ()

    def __str__(self) -> str:
        return "; ".join(map(str, self.conditions)) or "everybody"

    @property
    def digest(self) -> str:
        """Sixteen hex digits for what the rule says: the same for the same words, without holding
        any.
        """
        return hashlib.sha256(str(self).lower().encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Vocabulary:
    """What rules of a company may speak of: its connections and the kinds of group that its HR
    systems deliver.
    """

    connections: Sequence[str]
    kinds: Sequence[str]

    @property
    def attributes(self) -> tuple[str, ...]:
        """Every key a rule may have."""
        return (*PERSON, *DATES, *self.kinds)


# --- reading it -----------------------------------------------------------------------------------

Place = tuple[str | int, ...]
Mistake = tuple[Place, str]
"""Where in the rule, and a sentence that goes on from there ("... must be ...")."""

_EXAMPLE = "such as {department: Sales}"


class _Wrong(Exception):  # noqa: N818 - never leaves this module
    """What is wrong with one value."""


def parse(given: object, vocabulary: Vocabulary) -> tuple[Rule, list[Mistake]]:
    """The rule, and every mistake in it; with mistakes the rule is not to be used.

    >>> words = Vocabulary(("personio",), ("team", "department"))
    >>> str(parse({"department": ["Sales", "Customer *"], "end_date": "none"}, words)[0])
    'department: Sales, Customer *; end_date: none'
    >>> parse({"team": ["Sales", 3]}, words)[1]
    [(('team', 1), 'must be text or a list of texts; put it in quotes')]
    """
    if not isinstance(given, Mapping):
        return Rule(), [((), f"must hold conditions, {_EXAMPLE}")]
    if not given:
        return Rule(), [
            (
                (),
                (
                    f"must hold at least one condition, {_EXAMPLE}: empty, it would be about "
                    "everybody"
                ),
            )
        ]
    conditions: list[Condition] = []
    mistakes: list[Mistake] = []
    for attribute, value in given.items():
        if attribute not in vocabulary.attributes:
            mistakes.append(((str(attribute),), _unknown(str(attribute), vocabulary)))
            continue
        values = list(value) if isinstance(value, (list, tuple)) else [value]
        if not values:
            mistakes.append(((attribute,), "must name at least one value"))
        tests: list[Test] = []
        for index, one in enumerate(values):
            try:
                tests.append(_test(attribute, one, vocabulary))
            except _Wrong as wrong:
                mistakes.append(
                    (
                        (attribute, index) if isinstance(value, (list, tuple)) else (attribute,),
                        str(wrong),
                    )
                )
        conditions.append(Condition(attribute, tuple(tests)))
    return Rule(tuple(conditions)), mistakes


def _unknown(attribute: str, vocabulary: Vocabulary) -> str:
    known = vocabulary.attributes
    return (
        f"is nothing that rules can ask for.{_close(attribute, known)} Known: {', '.join(known)}."
    )


def _close(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word.lower(), known, n=1)
    return f" Did you mean {close[0]}?" if close else ""


def _test(attribute: str, value: object, vocabulary: Vocabulary) -> Test:
    if attribute in DATES and type(value) is dt.date:
        return Days(value, value)
    if value is None:
        raise _Wrong(f"must name a value; {NONE} means people who have none")
    if not isinstance(value, str):
        raise _Wrong(
            _DATES_ARE
            if attribute in DATES
            else "must be text or a list of texts; put it in quotes"
        )
    text = value.strip()
    if "${" in text:
        raise _Wrong(
            "cannot be a reference, because rules are needed before a run starts: write the value "
            "itself"
        )
    if not text or not text.isprintable():
        raise _Wrong("must be text on one line, without control characters")
    if text == NONE and attribute not in {"hris_ref", "connection", "status"}:
        return Nothing()
    if attribute in DATES:
        return _dates(text)
    check = {
        "hris_ref": _hris_ref,
        "connection": _connection,
        "email": _email,
        "email_domain": _domain,
        "status": _status,
    }
    if attribute in check:
        check[attribute](text, vocabulary)
    return Text(text)


def _hris_ref(text: str, vocabulary: Vocabulary) -> None:
    connection, colon, rest = text.partition(":")
    if not colon or not rest or connection not in vocabulary.connections:
        raise _Wrong(
            f"must be an hris_ref, <connection>:<id>, such as {vocabulary.connections[0]}:1234"
        )


def _connection(text: str, vocabulary: Vocabulary) -> None:
    if text not in vocabulary.connections:
        known = (
            f"{_close(text, vocabulary.connections)} Known: {', '.join(vocabulary.connections)}."
        )
        raise _Wrong(f"names no connection of this file.{known}")


def _status(text: str, _: Vocabulary) -> None:
    if text not in STATUSES:
        raise _Wrong(f"must be upcoming, active, on_leave or ended.{_close(text, STATUSES)}")


def _email(text: str, _: Vocabulary) -> None:
    if not _ADDRESS.fullmatch(text):
        raise _Wrong(
            "must be an e-mail address, in which * stands for any characters; for a domain use "
            "email_domain"
        )


def _domain(text: str, _: Vocabulary) -> None:
    if not _DOMAIN.fullmatch(text):
        raise _Wrong("must be a domain without @, such as acme.com or *.acme.com")


_DATES_ARE = (
    'must be a date such as 2027-01-31 or "before 2027-01-31" (also: after, on or before, on or '
    'after), "between 2027-01-01 and 2027-01-31", "in the last 30 days", "in the next 14 days" or '
    "none"
)


def _dates(text: str) -> Test:
    words = " ".join(text.lower().split())
    if found := _RELATIVE.fullmatch(words):
        days = int(found["days"])
        if not 1 <= days <= 36500:
            raise _Wrong("must be between 1 and 36500 days")
        return FromToday(0, days) if found["way"] == "next" else FromToday(-days, 0)
    if found := _BETWEEN.fullmatch(words):
        first, last = _date(found["first"]), _date(found["last"])
        if last < first:
            raise _Wrong("ends before it begins")
        return Days(first, last)
    if found := _ONE_DATE.fullmatch(words):
        day, word = _date(found["date"]), found["word"]
        if (word == "before" and day == dt.date.min) or (word == "after" and day == dt.date.max):
            raise _Wrong("leaves no day")
        if word in {"before", "on or before"}:
            return Days(None, day - dt.timedelta(days=word == "before"))
        if word in {"after", "on or after"}:
            return Days(day + dt.timedelta(days=word == "after"), None)
        return Days(day, day)
    raise _Wrong(_DATES_ARE)


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise _Wrong(
            "holds a day that the calendar does not have; a date is written year-month-day"
        ) from None
