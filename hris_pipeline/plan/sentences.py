"""What a guard says: one verdict as data, and the one place that puts it into words.

The screen, the check, the alert and ``status`` all print :func:`sentence`, so that they name the
same limit. Nothing decides by its text: ``code`` says which limit it was.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

LimitCode = Literal[
    "share", "window", "hard", "loss", "vanished", "unresolved", "fell", "never_came", "strangers",
    "first_run", "nobody_left",
    "rule_lost", "other",
]  # fmt: skip
"""The limit that tripped.

``share``: more than the count and the percentage that may change at once; ``window``: more than may
change within some days; ``hard``: more than ever may; ``loss``: more of a group's members than may
leave it; ``vanished``: what came before comes for nobody; ``never_came``: what the company file
names has never come; ``unresolved``: managers whose references lead to nobody; ``fell``: far fewer
references lead to a manager than before; ``strangers``: on a first contact, more users that are not
ours than may be linked; ``first_run``: something would be taken away on a first run;
``nobody_left``: the HR system gives nobody; ``rule_lost``: a scope rule means something else than
before; ``other``: none of these, or none at all.
"""

STANDING: frozenset[str] = frozenset({"vanished", "unresolved", "fell", "never_came"})
"""What a guard says of the HR system rather than of changes: it stands, and no approval of changes
ends it.
"""
# guards whose name says the subject already
_PLAIN = frozenset({"deactivate_user", "create_user", "link_user"})


@dataclass(frozen=True)
class GuardVerdict:
    """One guard's judgement of one subject: what it counted, of how many, against which limit."""

    guard: str
    subject: str
    count: int
    base: int
    limit: str  # all of the guard's limits, in words
    tripped: bool
    code: LimitCode = "other"
    in_window: int | None = None  # applied in the window before tonight
    max_count: float | None = None  # of the limit that tripped
    max_percent: float | None = None
    days: int | None = None
    connection: str | None = None  # of an attribute that no longer comes
    since: dt.datetime | None = None
    remedy: str | None = None
    released: bool = False  # tripped, and holds no change back: all are approved, or there is none

    @property
    def stands(self) -> bool:
        """Whether it holds although no change is held back."""
        return self.tripped and self.code in STANDING

    @property
    def percent(self) -> float | None:
        """What was counted, in percent of the base; with what was applied in the window where that
        is the limit.
        """
        counted = self.count + (self.in_window or 0) if self.code == "window" else self.count
        return counted * 100 / self.base if self.base else None


def sentence(verdict: GuardVerdict) -> str:
    """``deactivate_user: 40 of 232 people: 17 %, limit 5 % and 5``, without a full stop."""
    if verdict.code in STANDING:
        return f"{verdict.guard}: {_missing(verdict)}"
    what = verdict.guard
    if verdict.subject and verdict.guard not in _PLAIN:
        what = f"{what} ({verdict.subject})"
    match verdict.code:
        case "window":
            told = (
                f"{verdict.count:,} tonight and {verdict.in_window or 0:,} in {verdict.days} "
                f"days{_share(verdict)}"
            )
        case "hard":
            told = f"{_counted(verdict, 'people')}, never more than {verdict.max_count:g}"
        case "share":
            told = f"{_counted(verdict, 'people')}{_share(verdict)}"
        case "loss":
            told = f"{_counted(verdict, 'members')}{_share(verdict)}"
        case _:
            of = f" of {verdict.base:,}" if verdict.base else ""
            told = f"{verdict.count:,}{of}" + (f", limit {verdict.limit}" if verdict.limit else "")
    return f"{what}: {told}"


def _counted(verdict: GuardVerdict, whom: str) -> str:
    return f"{verdict.count:,} of {verdict.base:,} {whom}"


def _share(verdict: GuardVerdict) -> str:
    """``: 17 %, limit 5 % and 5``; the share is never rounded down to the limit that it exceeds."""
    limit, share = verdict.max_percent or 0, verdict.percent
    allowed = f", limit {limit:g} %" + (
        f" and {verdict.max_count:g}" if verdict.max_count and verdict.code == "share" else ""
    )
    if share is None:
        return allowed
    shown = next(
        (text for text in (f"{share:.0f}", f"{share:.1f}", f"{share:.2f}") if float(text) > limit),
        f"{share:.3f}",
    )
    return f": {shown} %{allowed}"


def _missing(verdict: GuardVerdict) -> str:
    """What no longer comes, since when, and where it is switched on."""
    what, where = (
        verdict.subject.replace("_", " "),
        (f" of connection {verdict.connection}" if verdict.connection else ""),
    )
    since = f" since {verdict.since:%Y-%m-%d}" if verdict.since else ""
    match verdict.code:
        case "unresolved":
            told = (
                f"the {what} references{where} lead to nobody{since} ({verdict.base:,} people name "
                "a manager)"
            )
        case "fell":
            told = (
                f"far fewer {what} references{where} lead to somebody{since} ({verdict.count:,} of "
                f"{verdict.base:,} did not)"
            )
        case "never_came":
            told = f"{what}{where} comes for nobody, although the company file names it"
        case _:
            told = (
                f"{what}{where} comes for nobody{since}; {verdict.count:,} of {verdict.base:,} "
                "people had it"
            )
    return f"{told}. Nothing of it is cleared" + (
        f". {verdict.remedy.rstrip('.')}" if verdict.remedy else ""
    )
