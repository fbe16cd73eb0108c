"""What a person is tonight: every combination of word, days and the night before, as the table of
``people/status.py`` says.
"""

import datetime as dt
import re
from collections import Counter
from itertools import product
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from people.registry import Registry

from hris_pipeline.people import status
from hris_pipeline.warehouse import run

TODAY = dt.date(2026, 3, 2)
HERE = ("active", "on_leave")
WORDS = (None, "active", "on_leave", "upcoming", "ended", "not_active")
FIRST = {
    "unknown": None,
    "past": dt.date(2020, 1, 1),
    "today": TODAY,
    "ahead": dt.date(2026, 4, 1),
}
BEFORE = (None, "active", "on_leave", "upcoming", "ended")
NO_DAY = dt.date(1900, 1, 1)
SHORT = {
    "here": HERE,
    "left": ("ended", "not_active"),
    "away": ("none", "upcoming", "ended"),
    "not_ahead": ("unknown", "past", "today"),
}
"""What the table's short words stand for."""


def day(days: int) -> dt.date:
    return TODAY + dt.timedelta(days)


def last_days(first: str) -> dict[str, dt.date | None]:
    """Every kind of last day that there is beside such a first day."""
    found: dict[str, dt.date | None] = {"none": None, "no_day": NO_DAY}
    if first in ("unknown", "past"):
        found |= {"past": day(-30), "yesterday": day(-1), "today": TODAY, "ahead": day(20)}
    if first == "past":
        found["early"] = dt.date(2019, 5, 31)
    if first == "today":
        found |= {"early": day(-1), "today": TODAY, "ahead": day(20)}
    if first == "ahead":
        found |= {
            "early": day(-1),
            "early_today": TODAY,
            "early_ahead": day(20),
            "ahead": day(60),
        }
    return found


COMBINATIONS = [
    (word, first, last, before)
    for word, first in product(WORDS, FIRST)
    for last, before in product(last_days(first), BEFORE)
]


def table() -> list[list[list[str]]]:
    """The rows of the table in the docstring, each cell a list of what it names."""
    lines = (status.__doc__ or "").splitlines()
    start, _, end = (number for number, line in enumerate(lines) if line.startswith("====="))
    edges = [(piece.start(), piece.end()) for piece in re.finditer("=+", lines[start])]
    return [
        [
            [
                meant
                for name in line[a : b if b < len(lines[start]) else None].split()
                for meant in SHORT.get(name, (name,))
            ]
            for a, b in edges
        ]
        for line in lines[start + 3 : end]
    ]


def told(combination: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """What each row of the table that fits says: status, whether the last day counts, code."""
    word, first, last, before = combination
    found = []
    for words, firsts, lasts, befores, (result,), (counts,), (code,) in table():
        fits = (
            ("any_known" in words and word is not None) or (word or "unknown") in words,
            "any" in firsts or first in firsts,
            "any" in lasts or last in lasts,
            "any" in befores or (before or "none") in befores,
        )
        if all(fits):
            meant = {
                "unknown": None,
                "word": word,
                "before": before,
                "before/ended": before or "ended",
            }.get(result, result)
            found.append((meant, counts, None if code == "-" else code))
    return found


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    run(con, status.SQL)
    return con


def decided(
    con: duckdb.DuckDBPyConnection, word: Any, first: Any, last: Any, before: Any
) -> tuple[Any, ...]:
    """What the macros make of it: status, the last day that counts, code."""
    row = con.execute(
        """select
               status_of(word, first, last, today, before) as status,
               last_day_of(status, first, last, today),
               contradiction_of(word, first, last, today, before)
           from (
               select
                   ?::varchar as word,
                   ?::date as first,
                   ?::date as last,
                   ?::date as today,
                   ?::varchar as before
           )""",
        [word, first, last, TODAY, before],
    ).fetchone()
    assert row is not None
    return row


def test_c89_c90_the_table_has_one_row_for_every_combination() -> None:
    assert [(one, told(one)) for one in COMBINATIONS if len(told(one)) != 1] == []
    assert len(COMBINATIONS) == len(WORDS) * len(BEFORE) * sum(
        len(last_days(first)) for first in FIRST
    )


def test_c89_c90_every_combination_is_decided_as_the_table_says(
    con: duckdb.DuckDBPyConnection,
) -> None:
    wrong = {}
    for word, first, last, before in COMBINATIONS:
        last_day = last_days(first)[last]
        ((meant, counts, code),) = told((word, first, last, before))
        got = decided(con, word, FIRST[first], last_day, before)
        expected = (meant, None if counts == "no" or last == "no_day" else last_day, code)
        if counts == "any":
            got, expected = got[::2], expected[::2]
        if got != expected:
            wrong[word, first, last, before] = (got, expected)
    assert wrong == {}


def test_every_code_is_in_the_table_and_has_a_sentence() -> None:
    codes = Counter(row[6][0] for row in table())
    assert set(codes) - {"-"} == set(status.CONTRADICTIONS)


DAYS = (
    st.none() | st.dates(dt.date(1600, 1, 1), dt.date(2200, 1, 1)) | st.integers(-40, 40).map(day)
)


@given(word=st.sampled_from(WORDS), first=DAYS, last=DAYS, before=st.sampled_from(BEFORE))
def test_c89_c90_laws_of_the_status(
    con: duckdb.DuckDBPyConnection, word: Any, first: Any, last: Any, before: Any
) -> None:
    result, counts, code = decided(con, word, first, last, before)
    assert (result is None) == (word is None)
    assert counts in (None, last)
    if word in HERE and (first is None or first <= TODAY) and not (counts and counts < TODAY):
        assert result == word  # whom the word has here and no day contradicts is here
    if word in HERE and first and first <= TODAY and last and last < first:
        assert (result, counts, code) == (word, None, "last_day_before_first_day")
    if word and before in HERE and first == TODAY and not (last and first <= last < TODAY):
        assert result in HERE  # nobody leaves on a first day
    if (
        before in (None, "upcoming", "ended")
        and first
        and last
        and first > TODAY
        and last < first
        and last > dt.date(1980, 1, 1)
    ):
        assert result in (None, "ended")  # a hire that was called off
    if result in HERE and counts:
        assert counts >= TODAY


# --- whole records, as people.build takes them ----------------------------------------------------


def contradictions(hr: Registry) -> dict[str, str]:
    return dict(hr.query("select hris_ref, code from state.contradictions"))


def test_c89_a_returner_in_the_same_record_is_here_and_listed_until_it_is_corrected() -> None:
    hr = Registry()
    hr.put("p:1", "ada@acme.test", start_date="2026-02-01", end_date="2024-05-31")
    hr.put(
        "p:2",
        "none@acme.test",
        "Nora None",
        start_date="2020-01-01",
        end_date="1753-01-01",
        status="leave",
    )
    hr.put("p:3", "off@acme.test", "Otto Off", start_date="2026-04-01", end_date="2026-03-01")
    first = hr.now
    found = hr.night()
    assert {ref: (row["status"], row["wanted"], row["end_date"]) for ref, row in found.items()} == {
        "p:1": ("active", True, None),
        "p:2": ("on_leave", True, None),
        "p:3": ("ended", False, dt.date(2026, 3, 1)),
    }
    assert contradictions(hr) == dict.fromkeys(("p:1", "p:2"), "last_day_before_first_day")
    assert hr.counts.contradictions == {"last_day_before_first_day": 2}
    hr.change("p:2", end_date=None)
    hr.night()
    columns = "hris_ref, first_day, last_day, word, decided, first_seen, last_seen"
    assert hr.query(f"select {columns} from state.contradictions") == [
        (
            "p:1",
            dt.date(2026, 2, 1),
            dt.date(2024, 5, 31),
            "active",
            "active",
            first,
            first + dt.timedelta(days=1),
        )
    ]
    hr.change("p:1", end_date="2027-05-31")
    assert hr.night()["p:1"]["end_date"] == dt.date(2027, 5, 31)
    assert contradictions(hr) == {}


@pytest.mark.parametrize(
    "none", ["1900-01-01", "1753-01-01", "0001-01-01", "1970-01-01", "1899-12-30T00:00:00Z"]
)
def test_c89_a_day_of_long_ago_means_none_whatever_the_first_day_is(none: str) -> None:
    hr = Registry()
    for ref, first in (("p:1", None), ("p:2", none), ("p:3", "2020-01-01"), ("p:4", "2026-04-01")):
        hr.put(ref, f"{ref[2]}@acme.test", f"Ada {ref[2]}", start_date=first, end_date=none)
    assert [row["status"] for row in hr.night().values()] == [
        "active",
        "active",
        "active",
        "upcoming",
    ]
    assert len(contradictions(hr)) == 4


@pytest.mark.parametrize("word", ["inactive", "off"])
def test_c90_whose_word_turns_later_than_the_day_stays_what_the_night_before_had(
    word: str,
) -> None:
    hr = Registry()
    today = "2026-03-03"
    hr.put("p:1", "moved@acme.test", "Mo Ved")
    hr.put("p:2", "left@acme.test", "Le Left", status="inactive", end_date="2026-02-01")
    hr.put("p:3", "soon@acme.test", "So Soon", start_date=today)
    hr.put("p:4", "held@acme.test", "He Held")
    hr.put("p:5", "off@acme.test", "Of Off")
    hr.night()
    hr.change("p:4", status="sabbatical")
    hr.now -= dt.timedelta(hours=23)
    hr.night()
    hr.now -= dt.timedelta(hours=1)
    for ref in ("p:1", "p:2", "p:3", "p:4"):
        hr.change(ref, status=word, start_date=today, end_date=None)
    hr.change("p:5", status=word, start_date="2026-06-01")
    for _ in range(2):  # a second run of the same day says the same
        found = hr.night()
        hr.now -= dt.timedelta(days=1)
        assert {ref: (row["status"], row["wanted"]) for ref, row in found.items()} == {
            "p:1": ("active", True),
            "p:2": ("ended", False),
            "p:3": ("upcoming", False),
            "p:4": ("active", True),
            "p:5": ("active", True),
        }
    assert contradictions(hr) == dict.fromkeys(
        ("p:1", "p:2", "p:3", "p:4"), "ended_on_first_day"
    ) | {"p:5": "ended_before_first_day"}
    hr.now += dt.timedelta(days=1)
    found = hr.night()  # the first day is over: now the word is believed
    assert {ref: row["status"] for ref, row in found.items()} == dict.fromkeys(found, "ended") | {
        "p:5": "active"
    }


def test_c90_who_was_wanted_early_stays_wanted_on_the_first_day() -> None:
    hr = Registry()
    hr.rule(prehire_days=5)
    hr.put("p:1", "ada@acme.test", start_date="2026-03-03")
    assert hr.night()["p:1"]["wanted"]
    hr.change("p:1", status="off")
    assert (hr.night()["p:1"]["status"], hr.counts.wanted) == ("upcoming", 1)


def test_a_file_without_a_status_does_not_contradict_its_last_days() -> None:
    hr = Registry()
    hr.put("p:1", "ada@acme.test", end_date="2026-01-31")
    hr.put("q:1", "bea@acme.test", "Bea Byron", end_date="2026-01-31")
    hr.rule(statuses={"p": {"active": "active"}, "q": dict(hr.rules.statuses["q"])})
    assert {row["status"] for row in hr.night().values()} == {"ended"}
    assert contradictions(hr) == {"q:1": "active_after_last_day"}
