"""From rules to SQL that judges everybody at once: true, false, or null where a value is not
known.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from hris_pipeline.rules.language import (
    DATES,
    Condition,
    Days,
    FromToday,
    Nothing,
    Rule,
    Test,
    Text,
)

if TYPE_CHECKING:
    import duckdb  # the company file, which knows rules, is read without it

COLUMNS = (
    "hris_ref",
    "other_refs",
    "email",
    "status",
    "start_date",
    "end_date",
    "timezone",
    "unknown",
    "group_refs",
)
"""What the table of people must have, with the meanings of ``core.people``."""

_TODAY = "cast(timezone(p.timezone, cast(getvariable('now') as timestamptz)) as date)"
GroupTests = Mapping[tuple[str, Text], int]
"""A number for each (kind, text) that rules ask groups for."""


def judge(
    con: "duckdb.DuckDBPyConnection",
    table: str,
    people: str,
    lists: Mapping[str, Sequence[Rule]],
    *,
    kept: Sequence[str] = (),
) -> None:
    """Make the temp table ``table``: ``hris_ref``, the columns ``kept``, and for each list of rules
    a ``boolean[]``, one a rule.

    ``people`` is a table with :data:`COLUMNS`. Reads the temp table ``units`` (``hris_ref``,
    ``kind``, ``name``) for the names of groups, and the variable ``now``, by which the person's own
    day is told.
    """
    numbers: dict[tuple[str, Text], int] = {}
    for rules in lists.values():
        for rule in rules:
            for condition in rule.conditions:
                for test in condition.tests if _is_kind(condition.attribute) else ():
                    if isinstance(test, Text):
                        numbers.setdefault((condition.attribute, test), len(numbers))
    source = f"{people} p"
    if numbers:
        _match_groups(con, people, numbers)
        source += " left join rule_members m using (hris_ref)"
    columns = ["p.hris_ref", *(f"p.{name}" for name in kept)]
    for name, rules in lists.items():
        values = ", ".join(predicate(rule, numbers) for rule in rules)
        columns.append(f"cast([{values}] as boolean[]) as {name}")
    con.execute(
        f"create or replace temp table {table} as select {', '.join(columns)} from {source}"
    )
    if numbers:
        con.execute("drop table rule_members")


def predicate(rule: Rule, numbers: GroupTests) -> str:
    """The SQL of one rule over ``p`` (a person) and ``m`` (whom :func:`judge` found in the
    groups).
    """
    conditions = [_condition(condition, numbers) for condition in rule.conditions]
    return f"({' and '.join(conditions) or 'true'})"


def literal(text: str) -> str:
    """A text as SQL writes it; nothing in it can end it."""
    return "'" + text.replace("'", "''") + "'"


def _is_kind(attribute: str) -> bool:
    return attribute not in {*_TEXTS, *DATES, "hris_ref"}


_TEXTS = {
    "connection": "string_split(p.hris_ref, ':')[1]",
    "email": "p.email",
    "email_domain": "string_split(p.email, '@')[-1]",
    "status": "p.status",
}
_RESTS_ON = {"email_domain": "email"}


def _condition(condition: Condition, numbers: GroupTests) -> str:
    attribute = condition.attribute
    met = f"({' or '.join(_test(attribute, test, numbers) for test in condition.tests)})"
    if attribute in {"hris_ref", "connection", "status"}:  # always there
        return met
    known = _RESTS_ON.get(attribute, attribute)
    return (
        f"(case when list_contains(p.unknown, '{known}') then null else coalesce({met}, false) end)"
    )


def _test(attribute: str, test: Test, numbers: GroupTests) -> str:
    if isinstance(test, Text):
        if attribute == "hris_ref":
            refs, one = "list_prepend(p.hris_ref, p.other_refs)", _like("ref", test, folded=False)
            return f"len(list_filter({refs}, lambda ref: {one})) > 0"
        if attribute in _TEXTS:
            return _like(_TEXTS[attribute], test)
        return f"coalesce(list_contains(m.tests, {numbers[attribute, test]}), false)"
    if isinstance(test, Nothing):
        if attribute in DATES:
            return f"p.{attribute} is null"
        if attribute in _TEXTS:
            return "p.email is null"
        return (
            "len(list_filter(p.group_refs, lambda ref: string_split(ref, ':')[2] = "
            f"{literal(attribute)})) = 0"
        )
    return _between(f"p.{attribute}", test)


def _between(value: str, test: Days | FromToday) -> str:
    if isinstance(test, FromToday):
        return f"{value} between {_TODAY} + ({test.first}) and {_TODAY} + ({test.last})"
    ends = [(">=", test.first), ("<=", test.last)]
    return " and ".join(f"{value} {sign} date '{day}'" for sign, day in ends if day is not None)


def _like(value: str, text: Text, *, folded: bool = True) -> str:
    """``value`` against a text with ``*`` in it; ``folded`` disregards case and Unicode form
    (``value`` is folded already).
    """
    sought = text.text
    if "*" in sought:
        for special in ("\\", "%", "_"):
            sought = sought.replace(special, f"\\{special}")
        sought = sought.replace("*", "%")
    sought = f"name_key({literal(sought)})" if folded else literal(sought)
    return f"{value} like {sought} escape '\\'" if "*" in text.text else f"{value} = {sought}"


def _match_groups(con: "duckdb.DuckDBPyConnection", people: str, numbers: GroupTests) -> None:
    """Make the temp table ``rule_members``: the tests that each person's groups meet. Names are
    looked at once a group.
    """
    tests = ", ".join(
        f"case when {_group(kind, text)} then {number} end"
        for (kind, text), number in numbers.items()
    )
    con.execute(f"""create or replace temp table rule_members as
            with places as (
                select hris_ref, unnest(group_refs) as ref from {people}
            ), groups as (
                select r.ref, string_split(r.ref, ':')[2] as kind, name_key(u.name) as name,
                    name_key(array_to_string(string_split(r.ref, ':')[3:], ':')) as id
                from (select distinct ref from places) r left join units u on u.hris_ref = r.ref
            ), met as (
                select ref, list_filter([{tests}], lambda number: number is not null) as tests
                from groups
            )
            select places.hris_ref, list_distinct(flatten(list(met.tests))) as tests
            from places join met using (ref) where len(met.tests) > 0 group by all""")


def _group(kind: str, text: Text) -> str:
    """Whether a group is of that kind and bears that name, that id or that whole hris_ref."""
    if not text.text.strip("*"):
        return f"kind = {literal(kind)}"  # any, one without a name too
    named: Iterable[str] = [_like("name", text)]
    if "*" not in text.text:
        named = [*named, _like("id", text), f"ref = {literal(text.text)}"]
    return f"kind = {literal(kind)} and coalesce({' or '.join(named)}, false)"
