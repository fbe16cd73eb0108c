"""The order in which a plan is printed: sections of one kind and one fate, for a terminal and for
Markdown alike.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from hris_pipeline.reports.plan import Change
from hris_pipeline.wording import count

# (object, action): sign, verb and what is counted; in print order, what takes away first
_KINDS: Mapping[tuple[str, str], tuple[str, str, str, str]] = {
    ("user", "deactivate"): ("-", "Deactivate", "user", "users"),
    ("group", "delete"): ("-", "Delete", "group", "groups"),
    ("membership", "remove"): ("-", "Remove", "membership", "memberships"),
    ("manager", "clear"): ("-", "Clear the manager of", "person", "people"),
    ("absence", "delete"): ("-", "Delete", "absence", "absences"),
    ("user", "update"): ("~", "Update", "user", "users"),
    ("group", "rename"): ("~", "Rename", "group", "groups"),
    ("group", "update"): ("~", "Update", "group", "groups"),
    ("user", "link"): ("~", "Link", "user", "users"),
    ("group", "link"): ("~", "Link", "group", "groups"),
    ("user", "reactivate"): ("+", "Reactivate", "user", "users"),
    ("user", "create"): ("+", "Create", "user", "users"),
    ("group", "create"): ("+", "Create", "group", "groups"),
    ("membership", "add"): ("+", "Add", "membership", "memberships"),
    ("manager", "set"): ("~", "Set the manager of", "person", "people"),
}
_RANK = {kind: rank for rank, kind in enumerate(_KINDS)}


@dataclass(frozen=True, repr=False)
class Section:
    """Changes of one kind that share one fate."""

    object: str
    action: str
    guard: str | None  # what holds them back
    changes: Sequence[Change]

    @property
    def sign(self) -> str:
        """``-`` takes away, ``~`` changes, ``+`` adds."""
        return _KINDS.get((self.object, self.action), ("~",))[0]

    @property
    def title(self) -> str:
        """``Deactivate 3 users``."""
        _, verb, one, many = _KINDS.get(
            (self.object, self.action),
            ("~", self.action.capitalize(), self.object, f"{self.object}s"),
        )
        return f"{verb} {count(len(self.changes), one, many)}" + (
            ", a repair" if self.changes[0].repairs else ""
        )

    @property
    def reason(self) -> str | None:
        """The reason that all of them share."""
        reasons = {change.reason for change in self.changes}
        return next(iter(reasons)) if len(reasons) == 1 else None


def _key(change: Change) -> tuple[bool, int, str, str, str]:
    rank = _RANK.get((change.object, change.action), len(_RANK))
    guard = (change.guard or "a guard") if change.state == "blocked" else ""
    return not change.repairs, rank, change.object, change.action, guard


def sections(changes: Iterable[Change]) -> list[Section]:
    """The plan in print order: what repairs our own damage, what takes away, what changes, what is
    new.

    What a guard blocks stands apart, after its own kind.
    """
    ordered = sorted(changes, key=lambda change: (*_key(change), change.seq))
    return [
        Section(key[2], key[3], key[4] or None, tuple(group))
        for key, group in groupby(ordered, key=_key)
    ]


def totals(changes: Iterable[Change]) -> list[tuple[str, str]]:
    """(sign, ``deactivate 3 users``) of every kind, in print order."""
    counted = Counter((change.object, change.action) for change in changes)
    out = []
    for kind in sorted(counted, key=lambda kind: _RANK.get(kind, len(_RANK))):
        sign, verb, one, many = _KINDS.get(kind, ("~", kind[1], kind[0], f"{kind[0]}s"))
        out.append((sign, f"{verb.lower()} {count(counted[kind], one, many)}"))
    return out
