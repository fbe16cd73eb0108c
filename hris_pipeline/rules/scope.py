"""Who is synced: include and exclude rules, and how many people each of them matches."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hris_pipeline.rules.language import Rule
from hris_pipeline.rules.predicates import judge

if TYPE_CHECKING:
    import duckdb  # the company file, which knows rules, is read without it

_SCOPE = (Path(__file__).parent / "scope.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Scope:
    """The company file's rules: whom an include rule matches (without any: everybody), less whom an
    exclude rule matches.
    """

    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.include or self.exclude)

    @property
    def places(self) -> tuple[tuple[str, int, Rule], ...]:
        """Each rule with its list and its place in it, counted from 1; by these two it is
        called.
        """
        lists = (("include", self.include), ("exclude", self.exclude))
        return tuple(
            (word, place, rule) for word, rules in lists for place, rule in enumerate(rules, 1)
        )


@dataclass(frozen=True)
class ScopeCounts:
    """What came out, in numbers only; people who left apart, because no rule makes a difference to
    them.
    """

    out_of_scope: int = 0
    undecided: int = 0
    matches: Mapping[str, int] = field(default_factory=dict)

    @property
    def matching_nobody(self) -> tuple[str, ...]:
        """The rules that match nobody."""
        return tuple(name for name, matched in self.matches.items() if not matched)


def apply(con: "duckdb.DuckDBPyConnection", scope: Scope, now: dt.datetime) -> ScopeCounts:
    """Put ``in_scope``, ``wanted`` and ``scope_rule`` of everybody in ``core.people`` right.

    Of whom nothing is known stays as in ``core.people_before``, last night's table. Keeps tonight's
    count of each rule in ``state.rule_matches``. Reads the temp table ``units`` for the names of
    groups.
    """
    con.execute("set variable now = ?", [now])
    judge(
        con,
        "scope_judged",
        "core.people",
        {"included": scope.include, "excluded": scope.exclude},
        kept=("status",),
    )
    con.execute("delete from state.rule_matches where counted_at = ?", [now])
    matches = {}
    for word, place, rule in scope.places:
        name = f"{word} {place}"
        query = f"select count(*) from scope_judged where {word}d[{place}] and status <> 'ended'"
        matches[name] = _number(con, query)
        con.execute(
            "insert into state.rule_matches values (?, ?, ?, ?)",
            [name, matches[name], now, rule.digest],
        )
    con.execute("set variable anybody = ?", [not scope.include])
    con.execute(_SCOPE)
    out = _number(con, "select count(*) from core.people where not in_scope and status <> 'ended'")
    undecided = _number(con, "select count(*) from scope where undecided")
    con.execute("drop table scope")
    return ScopeCounts(out, undecided, matches)


def _number(con: "duckdb.DuckDBPyConnection", query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0
