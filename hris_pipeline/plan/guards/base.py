"""What every guard works with: the changes that are proposed, the company file's limits, and the
verdicts so far.

A guard says by an SQL condition which of the changes it is about. It counts people (or groups),
never rows, and where the count exceeds its limits it holds those changes back. It knows nothing of
other guards, nor of what needs what it holds back: ``order/held_changes.sql`` adds that.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import duckdb

from hris_pipeline.plan import arrivals
from hris_pipeline.plan.sentences import GuardVerdict, LimitCode

Limits = Mapping[str, Mapping[str, float | None] | None]
"""By guard: its numbers as in the company file; None where it is switched off."""

MANAGED = "active and owner is not null"
"""SQL for who of ``owned_users`` is managed (design, section 3)."""
OURS = "(select hris_ref from user_matches where rule in ('link', 'marker', 'decision'))"
"""SQL for the people whose user is known; not those that are only being linked now."""
ATTRIBUTE = (
    "case object when 'manager' then 'manager' else string_split(coalesce(group_ref, hris_ref), "
    "':')[2] end"
)
"""SQL for what a change is about besides the values of a user: the manager or a kind of group."""
TAKES_AWAY = (
    "(object, action) in (('membership', 'remove'), ('group', 'delete'), ('manager', 'clear'))"
)
_EXEMPT = ("frozen", "protected", "undone")
"""What these hold is not carried out in any case, so that no other guard counts it."""
_COUNTED = f"change not in (select change from holds where guard in {_EXEMPT})"


class Judged(NamedTuple):
    """Whether a count exceeds a guard's limits: those limits in words, and the one that it
    exceeds.
    """

    over: bool
    limit: str
    code: LimitCode = "other"
    max_count: float | None = None
    max_percent: float | None = None
    days: int | None = None
    in_window: int | None = None


@dataclass(frozen=True)
class Situation:
    """What the guards need to know beyond the changes."""

    base: int  # managed users when the last night ended in line; 0 if none ever did
    first_run: bool  # no night ever ended in line
    now: dt.datetime
    kinds: Sequence[str]
    silent: Sequence[arrivals.Silent] = ()  # what the HR systems give for nobody
    # by connection and attribute: where it is switched on
    where: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    frozen: Sequence[str] = ()
    protected: Sequence[str] = ()
    unproven: Sequence[str] = ()  # connections whose latest extract is not proven
    unread: bool = False  # deskbird gives records that cannot be read
    undone: bool = False  # something was undone that the HR systems may still want
    anybody: bool = True  # the HR systems give somebody who should be in deskbird
    undoes: bool = False  # the plan undoes another one


@dataclass
class Judgement:
    """The guards' view of the temp table ``proposed_changes``; what they hold back goes to
    ``holds``.
    """

    con: duckdb.DuckDBPyConnection
    limits: Limits
    situation: Situation
    verdicts: list[GuardVerdict] = field(default_factory=list)
    changes: int = 0
    """How many changes are proposed; of none, nothing is counted or held."""
    holds: bool = False
    """Whether ``holds`` may have a row."""
    _counts: dict[str, int] = field(default_factory=dict)
    _by_attribute: dict[str, dict[str, int]] = field(default_factory=dict)
    _holds: list[tuple[str, str]] = field(default_factory=list)

    def begin(self) -> None:
        """Make the temp table ``holds``, with what holds single attributes back already."""
        row = self.con.execute(
            "select count(*), coalesce(bool_or(len(held_by) > 0), false) from proposed_changes"
        ).fetchone()
        self.changes, self.holds = row or (0, False)
        self.con.execute(
            """create or replace temp table holds as
               select change, unnest(held_by) as guard
               from proposed_changes
               where len(held_by) > 0"""
        )

    def is_on(self, guard: str) -> bool:
        """Whether the company file leaves the guard on."""
        return self.limits.get(guard, {}) is not None

    def limit(self, guard: str) -> Mapping[str, float | None]:
        """The guard's numbers in the company file; none where it has none or is switched off."""
        return self.limits.get(guard) or {}

    # --- counting ---------------------------------------------------------------------------------

    def trips(self, guard: str, count: int, *, extra: int = 0) -> Judged:
        """Whether ``count`` exceeds the guard's limits, and which; ``extra`` was applied in the
        window.

        It trips when the count exceeds ``max_count`` and ``max_percent`` of the base, when it
        exceeds ``max_hard``, or when the window's sum exceeds ``window_percent`` of the base and
        ``max_count``. Below ``from_size`` it is off.
        """
        limit = self.limits.get(guard)
        if limit is None:
            return Judged(False, "switched off")
        base = self.situation.base
        max_count, max_percent = limit.get("max_count") or 0, limit.get("max_percent")
        hard, window, days = (
            limit.get("max_hard"),
            limit.get("window_percent"),
            int(limit.get("window_days") or 7),
        )
        words = [f"{max_count:g} and {max_percent:g} %"] if max_percent is not None else []
        if hard is not None:
            words.append(f"never more than {hard:g}")
        if window is not None:
            words.append(f"{window:g} % in {days} days")
        said = "; ".join(words)
        if base < (limit.get("from_size") or 0):
            return Judged(False, f"off below {limit.get('from_size'):g} people")
        if max_percent is not None and count > max_count and count * 100 > max_percent * base:
            return Judged(True, said, "share", max_count, max_percent)
        if hard is not None and count > hard:
            return Judged(True, said, "hard", hard)
        if (
            window is not None
            and count > 0
            and count + extra > max_count
            and (count + extra) * 100 > window * base
        ):
            return Judged(True, said, "window", max_count, window, days, extra)
        return Judged(False, said)

    def number(self, query: str) -> int:
        """The one number that the query yields."""
        row = self.con.execute(query).fetchone()
        return int(row[0]) if row and row[0] is not None else 0

    def people(self, condition: str) -> int:
        """How many people the changes of the condition concern."""
        if not self.changes:
            return 0
        if condition not in self._counts:
            self.count((condition,))
        return self._counts[condition]

    def count(self, conditions: Iterable[str]) -> None:
        """Count for :meth:`people` with one statement what several guards are about to ask."""
        asked = tuple(dict.fromkeys(conditions))
        if self.changes and asked:
            counts = ", ".join(
                f"count(distinct hris_ref) filter (where {condition})" for condition in asked
            )
            row = self.con.execute(
                f"select {counts} from proposed_changes where {_COUNTED}"
            ).fetchone()
            self._counts |= zip(asked, row or (), strict=True)

    def by_attribute(self, condition: str) -> Mapping[str, int]:
        """How many people the changes of the condition concern, by kind of group, or
        ``manager``.
        """
        if self.changes and condition not in self._by_attribute:
            self.count_by_attribute((condition,))
        return self._by_attribute.get(condition, {})

    def count_by_attribute(self, conditions: Sequence[str]) -> None:
        """Count for :meth:`by_attribute` with one statement what several guards are about to
        ask.
        """
        if self.changes:
            counts = ", ".join(
                f"count(distinct hris_ref) filter (where {condition})" for condition in conditions
            )
            query = (
                f"select {ATTRIBUTE}, {counts} from proposed_changes where object <> 'user' and "
                f"{_COUNTED} group by all"
            )
            rows = self.con.execute(query).fetchall()
            for column, condition in enumerate(conditions, 1):
                self._by_attribute[condition] = {row[0]: row[column] for row in rows}

    # --- holding and saying -----------------------------------------------------------------------

    def hold(self, guard: str, condition: str) -> None:
        """Hold the changes of the condition back, from :meth:`write_holds` on."""
        if self.changes:
            self._holds.append((guard, condition))

    def write_holds(self) -> None:
        """Add to ``holds`` what was held back since the last time; it may be that it is no longer
        to be counted.
        """
        self._counts.clear()
        self._by_attribute.clear()
        if self._holds:
            guards = ", ".join(
                f"if({condition}, '{guard}', null)" for guard, condition in self._holds
            )
            self.con.execute(f"""insert into holds
                    select distinct change, guard
                    from (select change, unnest([{guards}]) as guard from proposed_changes)
                    where guard is not null""")
            self._holds.clear()
            self.holds = True

    def say(
        self,
        guard: str,
        subject: str,
        count: int,
        limit: str | Judged,
        *,
        tripped: bool,
        base: int | None = None,
        **more: Any,
    ) -> None:
        """Record a verdict; ``more`` are further fields of it."""
        of = self.situation.base if base is None else base
        if isinstance(limit, Judged):
            words, fields = limit.limit, limit._asdict()
            more = {
                name: value for name, value in fields.items() if name not in ("over", "limit")
            } | more
        else:
            words = limit
        self.verdicts.append(GuardVerdict(guard, subject, count, of, words, tripped, **more))
