"""Whose a refusal is: a record's, until writes of several unrelated records are refused alike and
nothing of the kind is taken.

A refusal that is no matter of the value (401, 402, 403) may mean the record, the kind of write (no
seat, no right to create) or everything (a token that may only read). Three records in a row raise
the suspicion; then records from the other end of the list are tried, and only when those are
refused too, no more of the kind are sent.
"""

import threading
from dataclasses import dataclass, field

from hris_pipeline.contracts.writes import ProblemCode, StopReason, Write
from hris_pipeline.deskbird.exchange import Exchange

_SUSPECT = 3  # records in a row
_ENOUGH = 5
_KINDS = {
    "create_user": "creations of users",
    "create_group": "creations of groups",
    "update_user": "changes of users",
    "update_group": "changes of groups",
    "delete_group": "deletions of groups",
}
_MATTERS: frozenset[ProblemCode] = frozenset({"refused_forbidden", "refused_payment"})
_TOKEN = (
    "Check deskbird.scim_token (deskbird: Admin > API keys) and what it may do, then run again."  # noqa: S105 - a remedy
)


@dataclass
class Refusals:
    """What was refused and taken in this run, by kind of write. Safe to use from several
    threads.
    """

    exchange: Exchange
    # kinds of which nothing more is sent, and why
    shut: dict[str, StopReason] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # kind: record: requests and status
        self._streaks: dict[str, dict[str, tuple[list[int], int | None]]] = {}
        self._taken: set[str] = set()
        self._lock = threading.RLock()

    def suspects(self, write: Write) -> bool:
        """Whether it is time to try records from the other end of the list."""
        return write.kind not in self._taken and len(self._streaks.get(write.kind, ())) >= _SUSPECT

    def hopeless(self, write: Write) -> bool:
        """Whether so many of the kind were refused in every part that the next one is not taken
        apart.
        """
        return len(self._streaks.get(write.kind, ())) >= _ENOUGH

    def taken(self, write: Write) -> None:
        """Something of a write was accepted."""
        with self._lock:
            self._taken.add(write.kind)
            self._streaks.pop(write.kind, None)

    def refused(self, write: Write, code: ProblemCode | None, status: int | None) -> list[int]:
        """A write was refused in every part; the requests that turn out to have been refused with
        everything of the kind.
        """
        if code not in _MATTERS:
            return []
        with self._lock:
            streak = self._streaks.setdefault(write.kind, {})
            if any(other != status for _, other in streak.values()):
                streak.clear()
            streak.setdefault(_whose(write), ([], status))[0].append(write.request)
            if len(streak) == _SUSPECT and not self.exchange.may_read():
                why = (
                    f"deskbird refuses the SCIM token (HTTP {status}); this change was not sent. "
                    f"{_TOKEN}"
                )
                self.exchange.halt(why, "shut_out")
            elif len(streak) >= _ENOUGH and write.kind not in self._taken:
                self._shut(write.kind, status)
            else:
                return []
            return [request for requests, _ in streak.values() for request in requests]

    def _shut(self, kind: str, status: int | None) -> None:
        seats = "no seat is left there, or that " if kind == "create_user" else ""
        why = (
            f"deskbird refuses all {_KINDS[kind]} (HTTP {status}, {_ENOUGH} unrelated records in a "
            f"row); this change was not sent. It may be that {seats}the SCIM token lacks the "
            f"right. {_TOKEN}"
        )
        self.shut.setdefault(kind, StopReason(why, "shut_out"))
        if len(self.shut) > 1 and not self._taken:
            why = (
                f"The SCIM token lacks the right to write (HTTP {status} at everything); this "
                f"change was not sent. {_TOKEN}"
            )
            self.exchange.halt(why, "shut_out")

    def reopen(self, kind: str) -> None:
        """Try a kind again: something has changed that may let it pass."""
        with self._lock:
            self.shut.pop(kind, None)
            self._streaks.pop(kind, None)

    def all_refused(self) -> list[int]:
        """At the end: the requests of a run in which three records and more were refused alike and
        nothing was taken at all.
        """
        with self._lock:
            records = {
                record: requests
                for streak in self._streaks.values()
                for record, (requests, _) in streak.items()
            }
            refused = [request for requests in records.values() for request in requests]
            return refused if len(records) >= _SUSPECT and not self._taken else []


def _whose(write: Write) -> str:
    """The record that a refusal may be about: of several groups that one person is to join or
    leave, the person.
    """
    people = {ref.hris_ref for ref in (*write.add, *write.remove)}
    return (
        people.pop()
        if write.kind == "update_group" and not write.set and len(people) == 1
        else write.hris_ref
    )
