"""What the SQL of a rule says of a table is what a few lines of Python say of each person."""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hris_pipeline.rules import Rule, Vocabulary, judge, parse
from hris_pipeline.rules.language import Condition, Days, FromToday, Nothing, Text
from hris_pipeline.rules.predicates import literal
from hris_pipeline.warehouse import prepare, stage

NOW = dt.datetime(2026, 3, 2, 11, 30, tzinfo=dt.UTC)  # already the next day in Auckland
ZONES = ("Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles")
KINDS = ("team", "department")
WORDS = Vocabulary(("p", "q"), KINDS)
NAMES = (
    "Sales",
    "sales",
    "Ärzte",
    unicodedata.normalize("NFD", "Ärzte"),
    "50%_off",
    "50 off",
    "O'Brien",
    "a\\b",
    "none",
    "1",
    None,
)
EMAILS = ("ada@acme.com", "o'brien@eu.acme.com", "a_b@acme.org", None)


@dataclass(frozen=True)
class Human:
    """A row of ``core.people``, as far as rules can ask for it."""

    hris_ref: str
    other_refs: tuple[str, ...]
    email: str | None
    status: str
    start_date: dt.date | None
    end_date: dt.date | None
    timezone: str
    unknown: tuple[str, ...]
    group_refs: tuple[str, ...]


Units = dict[str, str | None]


# --- the reference --------------------------------------------------------------------------------


def fold(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip(" ")).lower())


def like(value: str | None, text: Text, fold: Any = fold) -> bool:
    if value is None:
        return False
    pattern = ".*".join(map(re.escape, fold(text.text).split("*")))
    return re.fullmatch(pattern, fold(value), re.DOTALL) is not None


def met(human: Human, attribute: str, test: Any, units: Units) -> bool:
    today = NOW.astimezone(ZoneInfo(human.timezone)).date()
    if attribute in {"start_date", "end_date"}:
        date = getattr(human, attribute)
        if isinstance(test, Nothing) or date is None:
            return isinstance(test, Nothing) and date is None
        if isinstance(test, FromToday):
            return test.first <= (date - today).days <= test.last
        return (test.first or dt.date.min) <= date <= (test.last or dt.date.max)
    if attribute in {"email", "email_domain"}:
        value = (
            human.email
            if attribute == "email" or human.email is None
            else human.email.split("@")[-1]
        )
        return value is None if isinstance(test, Nothing) else like(value, test)
    if attribute == "hris_ref":
        return any(like(ref, test, str) for ref in (human.hris_ref, *human.other_refs))
    if attribute == "connection":
        return human.hris_ref.split(":")[0] == test.text
    if attribute == "status":
        return human.status == test.text
    refs = [ref for ref in human.group_refs if ref.split(":")[1] == attribute]
    if isinstance(test, Nothing):
        return not refs
    if set(test.text) == {"*"}:
        return bool(refs)
    return any(
        like(units.get(ref), test)
        or ("*" not in test.text and (like(ref.split(":", 2)[2], test) or ref == test.text))
        for ref in refs
    )


def holds(human: Human, rule: Rule, units: Units) -> bool | None:
    said: list[bool | None] = []
    for condition in rule.conditions:
        attribute = {"email_domain": "email"}.get(condition.attribute, condition.attribute)
        unknown = attribute in human.unknown and attribute not in {
            "hris_ref",
            "connection",
            "status",
        }
        said.append(
            None
            if unknown
            else any(met(human, condition.attribute, test, units) for test in condition.tests)
        )
    return False if False in said else None if None in said else True


def ask(people: list[Human], units: Units, rules: list[Rule]) -> dict[str, list[bool | None]]:
    """What the SQL says, by ``hris_ref``."""
    with duckdb.connect(config={"threads": 1}) as con:
        prepare(con)
        con.execute(
            """create table humans (
                   hris_ref varchar,
                   other_refs varchar[],
                   email varchar,
                   status varchar,
                   start_date date,
                   end_date date,
                   timezone varchar,
                   unknown varchar[],
                   group_refs varchar[]
               )"""
        )
        columns = tuple(Human.__dataclass_fields__)
        rows = [
            tuple(list(v) if isinstance(v, tuple) else v for v in (getattr(p, c) for c in columns))
            for p in people
        ]
        stage(con, "humans", columns, rows)
        con.execute("create table units (hris_ref varchar, kind varchar, name varchar)")
        stage(
            con,
            "units",
            ("hris_ref", "kind", "name"),
            [(ref, ref.split(":")[1], name) for ref, name in units.items()],
        )
        con.execute("set variable now = ?", [NOW])
        judge(con, "judged", "humans", {"said": rules})
        return dict(con.execute("select hris_ref, said from judged").fetchall())


# --- random people, random rules ------------------------------------------------------------------

REFS = [f"{c}:{kind}:{i}" for c in "pq" for kind in KINDS for i in ("1", "2", "a:b")]
DAYS = st.integers(-40, 40).map(lambda days: NOW.date() + dt.timedelta(days))


def humans(number: int) -> st.SearchStrategy[Human]:
    return st.builds(
        Human,
        st.sampled_from([f"p:{number}", f"q:{number}"]),
        st.sampled_from([(), (f"p:other_{number}",)]),
        st.sampled_from(EMAILS),
        st.sampled_from(("upcoming", "active", "on_leave", "ended")),
        st.none() | DAYS,
        st.none() | DAYS,
        st.sampled_from(ZONES),
        st.sampled_from([(), (), (), ("email",), ("start_date", "team"), ("department",)]),
        st.lists(st.sampled_from(REFS), max_size=3, unique=True).map(tuple),
    )


def spoilt(text: str) -> st.SearchStrategy[Text]:
    """The text itself, in other letters, or with ``*`` in place of a part."""
    return st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).flatmap(
        lambda ends: st.sampled_from(
            [text, text.upper(), text[: min(ends)] + "*" + text[max(ends) :]]
        ).map(lambda t: Text(t.strip() or "*"))
    )


TEXTS = st.sampled_from(
    [name for name in NAMES if name]
    + ["a:b", "p:team:1", "%", "_", "*", "'; drop table humans; --"]
).flatmap(spoilt)
DATE_TESTS = st.one_of(
    st.just(Nothing()),
    st.tuples(st.none() | DAYS, DAYS).map(lambda ends: Days(*ends)),
    DAYS.map(lambda first: Days(first, None)),
    st.integers(1, 40).map(lambda days: FromToday(-days, 0)),
    st.integers(1, 40).map(lambda days: FromToday(0, days)),
)
CONDITIONS = st.one_of(
    *(
        st.builds(Condition, st.just(attribute), st.lists(tests, min_size=1, max_size=3).map(tuple))
        for attribute, tests in {
            "team": TEXTS | st.just(Nothing()),
            "department": TEXTS | st.just(Nothing()),
            "email": (
                st.sampled_from([e for e in EMAILS if e]).flatmap(spoilt) | st.just(Nothing())
            ),
            "email_domain": (
                st.sampled_from(["acme.com", "*.acme.com", "ACME.*"]).map(Text) | st.just(Nothing())
            ),
            "status": st.sampled_from(["upcoming", "active", "on_leave", "ended"]).map(Text),
            "connection": st.sampled_from("pq").map(Text),
            "hris_ref": st.sampled_from(["p:1", "p:other_2", "q:*", "*_0"]).map(Text),
            "start_date": DATE_TESTS,
            "end_date": DATE_TESTS,
        }.items()
    )
)
RULES = st.lists(CONDITIONS, max_size=3).map(lambda conditions: Rule(tuple(conditions)))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    st.tuples(*map(humans, range(8))),
    st.lists(RULES, min_size=1, max_size=8),
    st.dictionaries(st.sampled_from(REFS), st.sampled_from(NAMES)),
)
def test_the_sql_says_what_the_reference_says(
    people: tuple[Human, ...], rules: list[Rule], units: Units
) -> None:
    said = ask(list(people), units, rules)
    assert said == {
        human.hris_ref: [holds(human, rule, units) for rule in rules] for human in people
    }


# --- single cases that a reader may want to look up -----------------------------------------------

ADA = Human(
    "p:1",
    ("q:9",),
    "ada@eu.acme.com",
    "active",
    dt.date(2026, 3, 1),
    None,
    "Europe/Berlin",
    (),
    ("p:team:1", "p:team:2", "p:department:7"),
)
UNITS: Units = {"p:team:1": "Customer Care", "p:team:2": "50%_a\\b", "p:department:7": "Ärzte"}
CASES: dict[str, tuple[dict[str, Any], bool]] = {
    "by name": ({"team": "Customer Care"}, True),
    "in other letters": ({"team": "customer CARE"}, True),
    "with a star": ({"team": "Customer *"}, True),
    "a part of a name is not the name": ({"team": "Customer"}, False),
    "composed otherwise": ({"department": unicodedata.normalize("NFD", "ärzte")}, True),
    "by id": ({"team": "1"}, True),
    "an id of another kind": ({"team": "7"}, False),
    "by its whole hris_ref": ({"team": "p:team:1"}, True),
    "a name of another kind": ({"department": "Customer Care"}, False),
    "has one at all": ({"team": "*"}, True),
    "has none": ({"team": "none"}, False),
    "a domain": ({"email_domain": "eu.acme.com"}, True),
    "a domain is not the ones below it": ({"email_domain": "acme.com"}, False),
    "the domains below": ({"email_domain": "*.acme.com"}, True),
    "an underscore is just that": ({"email": "ad_@*"}, False),
    "and so it is where there is one": ({"team": "50%_a*"}, True),
    "a per cent sign is just that": ({"team": "5%_a*"}, False),
    "a backslash is just that": ({"team": "*a\\b"}, True),
    "and hides nothing": ({"team": "*\\%*"}, False),
    "another of the person's records": ({"hris_ref": "q:9"}, True),
    "the connection of the primary record": ({"connection": "q"}, False),
    "no end": ({"end_date": "none"}, True),
    "a date that is not there meets nothing": ({"end_date": "after 2020-01-01"}, False),
    "yesterday": ({"start_date": "in the last 1 days"}, True),
    "not before": ({"start_date": "before 2026-03-01"}, False),
    "not after": ({"start_date": "after 2026-03-01"}, False),
    "on the day": ({"start_date": "on or after 2026-03-01"}, True),
    "all keys must hold": ({"team": "Customer Care", "status": "ended"}, False),
    "any of a list": ({"team": ["Sales", "Customer Care"], "status": ["ended", "active"]}, True),
}


@pytest.fixture(scope="module")
def verdicts() -> dict[str, bool | None]:
    rules = []
    for given_rule, _ in CASES.values():
        rule, mistakes = parse(given_rule, WORDS)
        assert not mistakes
        rules.append(rule)
    return dict(zip(CASES, ask([ADA], UNITS, rules)["p:1"], strict=True))


@pytest.mark.parametrize("case", CASES)
def test_a_rule_means_what_it_says(verdicts: dict[str, bool | None], case: str) -> None:
    assert verdicts[case] is CASES[case][1]


@pytest.mark.parametrize(
    ("zone", "last", "coming"), [("Pacific/Auckland", True, True), ("Europe/Berlin", False, True)]
)
def test_days_are_counted_from_the_persons_own_today(zone: str, last: bool, coming: bool) -> None:
    """It is the 3rd of March in Auckland and still the 2nd in Berlin."""
    human = Human("p:1", (), None, "active", dt.date(2026, 3, 3), None, zone, (), ())
    rules = [
        parse({"start_date": when}, WORDS)[0]
        for when in ("in the last 7 days", "in the next 7 days")
    ]
    assert ask([human], {}, rules)["p:1"] == [last, coming]


def test_what_was_not_delivered_is_neither_true_nor_false() -> None:
    human = Human("p:1", (), None, "active", None, None, "UTC", ("team",), ())
    given_rules: tuple[dict[str, Any], ...] = (
        {"team": "none"},
        {"team": "A"},
        {"team": "A", "status": "ended"},
        {"email": "none"},
    )
    assert ask([human], {}, [parse(rule, WORDS)[0] for rule in given_rules])["p:1"] == [
        None,
        None,
        False,
        True,
    ]


def test_no_text_gets_out_of_its_quotes() -> None:
    with duckdb.connect() as con:
        for text in ("O'Brien", "'; drop table x; --", "\\'", "''", "$$", "%s"):
            assert con.execute(f"select {literal(text)}").fetchone() == (text,)
