"""One person attribute by attribute: what the HR system wants, what deskbird has, how that is
known, and what follows.

What follows is the planner's word where it plans something; only where it plans nothing it is
worked out here why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal
from unicodedata import normalize

import duckdb

from hris_pipeline import photos
from hris_pipeline.contracts.attributes import ATTRIBUTES, OPT_IN
from hris_pipeline.reports.plan import Change
from hris_pipeline.reports.queries import Row, sql
from hris_pipeline.texts import email_key

VerdictCode = Literal[
    "held_back",
    "planned",
    "nothing_there",
    "not_compared",
    "same",
    "kept",
    "left_alone",
    "not_known",
    "not_ours",
]
Source = Literal["read", "acknowledged", "not_given_back", "no_user"]
"""How it is known what deskbird has."""
Why = Literal[
    "not_to_be_active",
    "not_yet",
    "not_retained",
    "refused",
    "address_is_taken",
    "not_delivered",
    "empty",
    "reporting_line",
    "nothing_said",
]
"""Why something is not compared or left alone."""

_GROUPS = sql("explain/groups")
_ADDRESSES = ("email", "user_name")
_NAMES = tuple(
    attribute.name
    for attribute in ATTRIBUTES
    if attribute.shown == "if_read" and not attribute.opt_in
)
_ON_PURPOSE: Mapping[str, tuple[VerdictCode, Why | None]] = {
    "kept": ("kept", None),
    "not_retained": ("left_alone", "not_retained"),
    "refused": ("left_alone", "refused"),
}
"""What becomes of a difference that is left alone on purpose, by the ``why`` of
``state.ignored_drift``.
"""


@dataclass(frozen=True, repr=False)
class Verdict:
    """What follows of one row: the change that is planned about it, or why none is."""

    code: VerdictCode
    why: Why | None = None
    change: Change | None = None


@dataclass(frozen=True, repr=False)
class Compared:
    """One attribute, or one group, of a person and of their user. Holds personal data, so it has no
    ``repr``.
    """

    attribute: str  # "group" and its name for a group
    wanted: Any
    observed: Any
    source: Source
    verdict: Verdict
    wanted_name: str | None = None  # of managers
    observed_name: str | None = None
    problem: str | None = None  # of the reporting line
    group_ref: str | None = None
    kind: str | None = None  # of the group
    is_group: bool = False


@dataclass(frozen=True, repr=False)
class Comparison:
    """A person of ``core.people`` and a user of ``deskbird.users``, either may be missing; and what
    is planned for them.
    """

    con: duckdb.DuckDBPyConnection
    person: Row | None
    user: Row | None
    changes: Sequence[Change]
    address_is_taken: bool
    live: bool  # the changes are those that are wanted now

    def rows(self) -> list[Compared]:
        """Every attribute, then the manager, then the groups."""
        if self.person is None and self.user is None:
            return []
        rows = [
            self._row("active", self._wanted("wanted"), self._observed("active"), "read"),
            self._row(
                "hris_ref",
                self._wanted("hris_ref"),
                self._observed("external_id"),
                self._source("external_id"),
            ),
        ]
        rows += [
            self._row(name, self._wanted("email"), self._observed(name), "read")
            for name in _ADDRESSES
        ]
        for name in _NAMES:
            source = self._source(name)
            there = (
                self._acknowledged.get(name) if source == "acknowledged" else self._observed(name)
            )
            rows.append(self._row(name, self._wanted(name), there, source))
        return [*rows, *self._named(), *self._photo(), self._manager(), *self._groups()]

    def _named(self) -> list[Compared]:
        """The attributes that the company file names, where anybody has one."""
        rows = []
        for name in OPT_IN:
            source = self._source(name)
            wanted = ((self.person and self.person["attributes"]) or {}).get(name)
            shown = ((self.user and self.user["attributes"]) or {}).get(name)
            there = self._acknowledged.get(name) if source == "acknowledged" else shown
            if wanted or there:
                rows.append(self._row(name, wanted, there, source))
        return rows

    def _photo(self) -> list[Compared]:
        """The digests of the photos, where anything is known of one: the HRIS's, and the one that
        deskbird acknowledged.
        """
        wanted = photos.digest(self.con, str(self._wanted("hris_ref") or ""))
        there = self._acknowledged.get("photo")
        return [self._row("photo", wanted, there, self._source("photo"))] if wanted or there else []

    def _wanted(self, name: str) -> Any:
        return self.person and self.person[name]

    def _observed(self, name: str) -> Any:
        return self.user and self.user[name]

    @cached_property
    def _readable(self) -> Mapping[str, Sequence[str]]:
        """What deskbird gives back at all."""
        return dict(
            self.con.execute("select resource, readable from state.observations").fetchall()
        )

    @cached_property
    def _acknowledged(self) -> Mapping[str, str | None]:
        """What deskbird took, of what it does not give back."""
        query = "select attribute, value from state.acknowledged_values where deskbird_id = ?"
        return dict(self.con.execute(query, [self._observed("deskbird_id")]).fetchall())

    @cached_property
    def _on_purpose(self) -> Mapping[str, str]:
        """What differs and is left alone on purpose, and why: by attribute, or by group."""
        source = "ignored_drift" if self.live else "state.ignored_drift"
        query = f"""select case object
                    when 'user' then attribute
                    else coalesce(group_ref, deskbird_id)
                end,
                why
            from {source}
            where (object = 'user' and deskbird_id = $1)
                or (object = 'membership' and attribute = $1)"""
        return dict(self.con.execute(query, [self._observed("deskbird_id")]).fetchall())

    def _source(self, attribute: str) -> Source:
        readable = {"manager": "manager_deskbird_id"}.get(
            attribute, attribute
        ) in self._readable.get("users", ())
        return (
            "read"
            if readable
            else "acknowledged"
            if attribute in self._acknowledged
            else "not_given_back"
        )

    def _manager(self) -> Compared:
        """The manager as hris_ref where deskbird's is one of ours, else as deskbird id; names
        beside.
        """
        source = self._source("manager")
        id_ = (
            self._observed("manager_deskbird_id")
            if source == "read"
            else self._acknowledged.get("manager")
        )
        query = (
            "select coalesce(owner, deskbird_id), display_name from owned_users where "
            "deskbird_id = ?"
        )
        observed, observed_name = self.con.execute(query, [id_]).fetchone() or (id_, None)
        wanted = self._wanted("manager_ref")
        query = (
            "select display_name from core.people where hris_ref = $1 or "
            "list_contains(other_refs, $1)"
        )
        (wanted_name,) = self.con.execute(query, [wanted]).fetchone() or (None,)
        query = "select problem from core.manager_graph where person_id = ?"
        (problem,) = self.con.execute(query, [self._wanted("person_id")]).fetchone() or (None,)
        row = self._row("manager", wanted, observed, source)
        if problem and row.verdict.code == "left_alone":
            row = replace(row, verdict=Verdict("left_alone", "reporting_line"), problem=problem)
        return replace(row, wanted_name=wanted_name, observed_name=observed_name)

    def _groups(self) -> list[Compared]:
        given_back = "members" in self._readable.get("groups", ())
        of = {
            "person_id": self._wanted("person_id") if self._wanted("wanted") else None,
            "id": self._observed("deskbird_id"),
            "readable": given_back,
        }
        rows = []
        for ref, id_, kind, wanted, observed in self.con.execute(_GROUPS, of).fetchall():
            source: Source = (
                "read" if given_back else "acknowledged" if observed else "not_given_back"
            )
            row = self._row(
                f"group {wanted or observed}",
                wanted is not None,
                observed is not None,
                source,
                ref or id_,
            )
            verdict = Verdict("not_ours") if ref is None else row.verdict
            rows.append(replace(row, verdict=verdict, group_ref=ref, kind=kind, is_group=True))
        return rows

    def _row(
        self, name: str, wanted: Any, observed: Any, source: Source, group: str | None = None
    ) -> Compared:
        if self.user is None:
            source, observed = "no_user", None
        elif source == "not_given_back":
            observed = None
        return Compared(
            name, wanted, observed, source, self._verdict(name, wanted, observed, source, group)
        )

    def _verdict(
        self, name: str, wanted: Any, observed: Any, source: Source, group: str | None
    ) -> Verdict:
        """What follows: the plan's word, else why there is none."""
        change = next((change for change in self.changes if _covers(change, name, group)), None)
        if change is not None:
            return Verdict("held_back" if change.state == "blocked" else "planned", change=change)
        if self.user is None:
            return Verdict("nothing_there")
        if self.person is None:
            return Verdict("not_compared")
        if source != "not_given_back" and _same(name, wanted, observed):
            return Verdict("same")
        on_purpose = self._on_purpose.get(
            group or ("external_id" if name == "hris_ref" else str(name))
        )
        if on_purpose:
            return Verdict(*_ON_PURPOSE[on_purpose])
        if name != "active" and not self.person["wanted"]:
            return Verdict("not_compared", "not_to_be_active")
        return self._left_alone(name, wanted, source)

    def _left_alone(self, name: str, wanted: Any, source: Source) -> Verdict:
        """Why the planner plans nothing about what differs."""
        if not self.live:
            return Verdict("not_compared", "not_yet")
        if name in _ADDRESSES and self.address_is_taken:
            return Verdict("left_alone", "address_is_taken")
        if source == "not_given_back":
            return Verdict("not_known")
        if wanted is None and {"manager": "manager_id"}.get(name, name) in self._wanted("unknown"):
            return Verdict("left_alone", "not_delivered")
        return Verdict("left_alone", "empty" if wanted is None else "nothing_said")


def _covers(change: Change, name: str, group: str | None) -> bool:
    """Whether a change is about this attribute."""
    if group is not None:
        return change.object == "membership" and group in (
            change.group_ref,
            change.group_deskbird_id,
        )
    if change.object == "manager":
        return name == "manager"
    return change.object == "user" and (
        name in change.after or (change.action == "create" and name == "user_name")
    )


def _same(name: str, wanted: Any, observed: Any) -> bool:
    """Whether two values are alike as the planner compares them."""
    if not (isinstance(wanted, str) and isinstance(observed, str)):
        return bool(wanted == observed)
    if name in _ADDRESSES:
        return email_key(wanted) == email_key(observed)
    return normalize("NFC", wanted) == normalize("NFC", observed)
